"""A model hub on loopback that speaks what reading one needs, and can do it badly."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODEL = "org/model"
Kind = TypeVar("Kind", bound="Listening")
_PAGE = 2  # files on one page of a listing


@dataclass
class Hub:
    """What the server has, how it misbehaves, and what it was asked."""

    files: Mapping[str, bytes]
    sizes: Mapping[str, int] = field(default_factory=dict)  # that the listing says instead
    about: Mapping[str, Any] = field(default_factory=dict)
    ignores_range: bool = False
    cuts: int = 0  # so many bodies end too early
    busy: int = 0  # so many answers are only the status below
    busy_status: int = 429
    refused: int = 0  # status of every file
    gate: int = 403  # status for whom a gated model is closed
    code: str = ""  # the hub's word for it
    storage: str = ""  # address of another server to which files are moved
    compresses: bool = False
    endpoint: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # paths and headers
    sent_bytes: int = 0
    connections: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have heard enough."""


class Listening(Protocol):
    """What any server here is known by."""

    endpoint: str
    connections: int


class Served(Listening, Protocol):
    """How one with files can send them badly."""

    sent_bytes: int
    cuts: int
    ignores_range: bool
    compresses: bool


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve on a port of its own until the end."""
    with listening(hub, _answer):
        yield hub


@contextmanager
def listening(hub: Kind, answer: Callable[[Kind, BaseHTTPRequestHandler], None]) -> Iterator[None]:
    """Let something answer what is asked on a port of its own, until the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            hub.connections += 1
            super().setup()

        def do_GET(self) -> None:
            answer(hub, self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(hub: Hub, request: BaseHTTPRequestHandler) -> None:
    parts = urlsplit(request.path)
    path = unquote(parts.path)
    hub.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
    if hub.busy:
        hub.busy -= 1
        return send(request, hub.busy_status, b"", {"retry-after": "7"})
    if path.startswith(f"/api/models/{MODEL}/revision/"):
        if path.rpartition("/revision/")[2] not in ("main", "refs/pr/1", COMMIT):
            return send(request, 404, b"", {"x-error-code": "RevisionNotFound"})
        return send(request, 200, json.dumps({"sha": COMMIT, **hub.about}).encode())
    if path == f"/api/models/{MODEL}/auth-check":
        allowed = request.headers.get("authorization") == "Bearer known"
        return send(request, 200 if allowed else hub.gate, b"", {"x-error-code": "GatedRepo"} if hub.code else {})
    if path == f"/api/models/{MODEL}/tree/{COMMIT}":
        return _list(hub, request, int((re.search(r"cursor=(\d+)", parts.query) or [0, 0])[1]))
    name = path.removeprefix(f"/{MODEL}/resolve/{COMMIT}/")
    if name not in hub.files:
        return send(request, 404, b"", {"x-error-code": "EntryNotFound" if name != path else "RepoNotFound"})
    if hub.refused:
        return send(request, hub.refused, b"", {"x-error-code": hub.code} if hub.code else {})
    if hub.storage:
        return send(request, 302, b"", {"location": hub.storage + request.path})
    return send_file(hub, request, hub.files[name])


def _list(hub: Hub, request: BaseHTTPRequestHandler, begin: int) -> None:
    names = sorted(hub.files)
    entries = [
        {"type": "file", "path": name, "size": hub.sizes.get(name, len(hub.files[name])), "oid": "0" * 40}
        for name in names[begin : begin + _PAGE]
    ]
    entries.append({"type": "directory", "path": "folder", "size": 0, "oid": "0" * 40})
    more = f"{hub.endpoint}/api/models/{MODEL}/tree/{COMMIT}?recursive=true&cursor={begin + _PAGE}"
    headers = {"link": f'<{more}>; rel="next"'} if begin + _PAGE < len(names) else {}
    send(request, 200, json.dumps(entries).encode(), headers)


def send_file(hub: Served, request: BaseHTTPRequestHandler, data: bytes) -> None:
    """Send a file or the part of it that is asked for."""
    asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
    headers = {"content-encoding": "gzip"} if hub.compresses else {}
    status, body = 200, data
    if asked and not hub.ignores_range:
        begin, end = int(asked[1]), min(int(asked[2]) + 1, len(data))
        status, body = 206, data[begin:end]
        headers["content-range"] = f"bytes {begin}-{end - 1}/{len(data)}"
    if hub.cuts:
        hub.cuts -= 1
        send(request, status, body[: len(body) // 2], headers | {"content-length": str(len(body))})
        request.close_connection = True
        return
    hub.sent_bytes += len(body)
    send(request, status, body, headers)


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Send an answer."""
    request.send_response(status)
    for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    try:
        request.wfile.write(body)
    except OSError:  # nobody listens any more
        request.close_connection = True
