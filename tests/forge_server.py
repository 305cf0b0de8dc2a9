"""A git forge on loopback: listings as GitHub, GitLab and Gitea give them, and repositories that git can ask."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hub_server import listening, send

_PAGE = 2  # repositories on one page


@dataclass
class Forge:
    """What the server has, how it misbehaves, and what it was asked."""

    listings: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # by path, without the host
    heads: Mapping[str, str] = field(default_factory=dict)  # commit of each repository, by path without `.git`
    busy: int = 0  # so many answers are only the status below
    busy_status: int = 429
    busy_headers: Mapping[str, str] = field(default_factory=lambda: {"retry-after": "7"})
    instead: bytes | None = None  # of every listing
    following: str = ""  # where every page says that the next one is
    endpoint: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # paths and headers
    connections: int = 0


@contextmanager
def serving(forge: Forge) -> Iterator[Forge]:
    """Serve on a port of its own until the end."""
    with listening(forge, _answer):
        yield forge


def _answer(forge: Forge, request: BaseHTTPRequestHandler) -> None:
    parts = urlsplit(request.path)
    forge.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
    for path, commit in forge.heads.items():
        if parts.path == f"/{path}.git/info/refs":
            return send(request, 200, f"{commit}\trefs/heads/main\n{'e' * 40}\trefs/heads/other\n".encode())
        if parts.path == f"/{path}.git/HEAD":
            return send(request, 200, b"ref: refs/heads/main\n")
    if forge.busy:
        forge.busy -= 1
        return send(request, forge.busy_status, b"", forge.busy_headers)
    if parts.path not in forge.listings:
        return send(request, 404, b'{"message": "Not Found"}')
    if forge.instead is not None:
        return send(request, 200, forge.instead)
    number = int(parse_qs(parts.query).get("page", ["1"])[0])
    entries = forge.listings[parts.path]
    headers = {}
    if forge.following or number * _PAGE < len(entries):
        following = forge.following or f"{forge.endpoint}{parts.path}?page={number + 1}"
        headers["link"] = f'<{forge.endpoint}/first>; rel="first", <{following}>; rel="next"'
    return send(request, 200, json.dumps(entries[(number - 1) * _PAGE : number * _PAGE]).encode(), headers)
