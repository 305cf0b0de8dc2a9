"""ModelScope on loopback: what its client asks for, as its code says, and can do it badly."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hub_server import listening, send, send_file

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
MODEL = "org/model"
REVISIONS = ("master", "v1.0", COMMIT)


@dataclass
class Site:
    """What the server has, how it misbehaves, and what it was asked."""

    files: Mapping[str, bytes]
    model: str = MODEL
    digests: Mapping[str, str] = field(default_factory=dict)  # of files, as the listing gives them
    sizes: Mapping[str, int] = field(default_factory=dict)  # that the listing says instead
    entries: Sequence[object] = ()  # of the listing, besides
    models: Sequence[Mapping[str, Any]] = ()  # that are listed, the last first
    most_entries: int = 3_000  # of one listing
    ignores_root: bool = False
    ignores_range: bool = False
    cuts: int = 0  # so many bodies end too early
    compresses: bool = False
    busy: int = 0  # so many answers are only the status below
    busy_status: int = 429
    denied: int = 0  # so many listings of folders are refused, as the real one does now and then
    gated: bool = False  # files are for those alone who are known
    stalls_seconds: float = 0.0  # before every answer
    trickles_seconds: float = 0.0  # between any two bytes of a file
    failed: Mapping[str, bytes] = field(default_factory=dict)  # answers instead, by the end of a path
    storage: str = ""  # address of another server to which files are moved
    endpoint: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # paths and headers
    sent_bytes: int = 0
    connections: int = 0


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve on a port of its own until the end."""
    with listening(site, _answer):
        yield site


def _answer(site: Site, request: BaseHTTPRequestHandler) -> None:
    parts = urlsplit(request.path)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    site.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
    if site.stalls_seconds:
        threading.Event().wait(site.stalls_seconds)
    if site.busy:
        site.busy -= 1
        return send(request, site.busy_status, b"", {"retry-after": "7"})
    for end, body in site.failed.items():
        if parts.path.endswith(end):
            return send(request, 200, body)
    if parts.path == "/openapi/v1/models":
        return _list_models(site, request, asked)
    known = re.fullmatch(r"/(?:api|openapi)/v1/models/([\w.-]+/[\w.-]+)(?:/(commits|repo/files|repo))?", parts.path)
    if known is None or known[1] not in {site.model, *(str(each["id"]) for each in site.models)}:
        return send(request, 404, b'{"Code": 10010205001, "Message": "not found", "Success": false}')
    if known[2] is None:
        return send(request, 200, json.dumps({"success": True, "data": {"id": site.model}}).encode())
    if known[2] == "commits":
        if asked["Ref"] not in REVISIONS:
            return send(request, 404, b'{"Code": 10010202003, "Success": false}')
        return _data(request, {"Commit": [{"Id": COMMIT, "Message": "a"}], "TotalCount": 3})
    if asked["Revision"] != COMMIT:
        return send(request, 404, b"{}")
    if known[2] == "repo/files":
        return _list(site, request, asked.get("Root", ""), asked["Recursive"] == "True")
    return _file(site, request, asked["FilePath"])


def _list(site: Site, request: BaseHTTPRequestHandler, root: str, is_recursive: bool) -> None:
    if site.denied and root:
        site.denied -= 1
        return send(request, 403, b'{"Message": "access denied"}')
    folders = {"/".join(name.split("/")[:depth]) for name in site.files for depth in range(1, name.count("/") + 1)}
    folders.discard("")
    entries: list[dict[str, Any]] = [{"Type": "tree", "Path": name, "Size": 0} for name in folders]
    for name, data in site.files.items():
        size = site.sizes.get(name, len(data))
        entries.append({"Type": "blob", "Path": name, "Size": size, "Sha256": site.digests.get(name, "")})
    prefix = f"{root}/" if root and not site.ignores_root else ""
    found: list[object] = [
        entry
        for entry in sorted(entries, key=lambda entry: entry["Path"])
        if entry["Path"].startswith(prefix) and (is_recursive or "/" not in entry["Path"].removeprefix(prefix))
    ]
    return _data(
        request, {"Files": [*found, *site.entries][: site.most_entries], "LatestCommitter": {"ShortId": COMMIT[:8]}}
    )


def _list_models(site: Site, request: BaseHTTPRequestHandler, asked: Mapping[str, str]) -> None:
    number, size = int(asked["page_number"]), int(asked["page_size"])
    if size > 50 or number * size > 3_000:
        return send(request, 400, b'{"success": false, "code": "InvalidParameter"}')
    found = [
        each
        for each in site.models
        if str(each["id"]).startswith(f"{asked['owner']}/" if "owner" in asked else "")
        and asked.get("search", "") in each["id"]
    ]
    shown = {"models": found[(number - 1) * size : number * size], "total_count": len(found)}
    return send(request, 200, json.dumps({"success": True, "data": {**shown, "page_number": number}}).encode())


def _file(site: Site, request: BaseHTTPRequestHandler, name: str) -> None:
    if name not in site.files:
        return send(request, 404, b'{"Message": "no such file"}')
    if site.gated and request.headers.get("authorization") != "Bearer known":
        return send(request, 403, b'{"Message": "access denied"}')
    if site.storage:
        return send(request, 302, b"", {"location": site.storage + request.path})
    if site.trickles_seconds:
        return _trickle(site, request, site.files[name])
    return send_file(site, request, site.files[name])


def _trickle(site: Site, request: BaseHTTPRequestHandler, data: bytes) -> None:
    send(request, 200, b"", {"content-length": str(len(data))})
    for byte in data:
        threading.Event().wait(site.trickles_seconds)
        try:
            request.wfile.write(bytes([byte]))
        except OSError:  # nobody listens any more
            break
    request.close_connection = True


def _data(request: BaseHTTPRequestHandler, data: object) -> None:
    send(request, 200, json.dumps({"Code": 200, "Success": True, "Data": data}).encode())
