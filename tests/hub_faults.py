"""What stands before a hub on loopback: every request is written down, and some are answered badly on demand."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What the hub calls the two kinds of requests that it counts.
API, FILES = "api", "resolvers"


@dataclass(slots=True)
class Asked:
    """A request, and what became of it."""

    method: str
    path: str  # with its query
    range: str
    is_known: bool  # a token was shown
    is_of_storage: bool
    status: int = 0  # 0: no answer
    sent_bytes: int = 0  # of the body


@dataclass(slots=True)
class Fault:
    """One way to answer badly, for the next requests that match."""

    pattern: re.Pattern[str]
    times: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int = -1  # bytes of the body after which the connection ends
    ignores_range: bool = False
    resets: bool = False


@dataclass(slots=True)
class Allowance:
    """So many requests in a window of so many seconds: what is more is 429."""

    requests: int
    seconds: float
    _began: float = 0.0
    _used: int = 0

    def take(self) -> tuple[bool, int, int]:
        """Use one up: whether there was one, how many are left, and the seconds until there are all again."""
        now = time.monotonic()
        if now - self._began >= self.seconds:
            self._began, self._used = now, 0
        is_left = self._used < self.requests
        self._used += is_left
        return is_left, self.requests - self._used, max(round(self._began + self.seconds - now), 0)


class Front:
    """ASGI: writes down what is asked, and does what was ordered before the hub may answer."""

    def __init__(self, app: Any, storage_port: int) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.allowances: dict[str, Allowance] = {}
        self._app = app
        self._storage_port = storage_port

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        asked = self._written_down(scope)
        fault = self._fault(asked)
        limit = self._limited(asked)
        if fault is not None and fault.resets:
            _reset(send)
            return
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.status:
            await _refuse(asked, send, fault.status, fault.headers)
            return
        if limit is not None and limit[0]:
            await _refuse(asked, send, 429, limit[1])
            return
        if fault is not None and fault.ignores_range:
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"range"]}
        left = fault.cut if fault is not None else -1
        added = limit[1] if limit is not None else {}

        async def counted(message: Any) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                asked.status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *_encoded(added)]}
            elif left >= 0:
                piece = message.get("body", b"")[:left]
                left -= len(piece)
                message = {"type": message["type"], "body": piece, "more_body": True}
            asked.sent_bytes += len(message.get("body", b"")) if asked.method != "HEAD" else 0
            await send(message)
            if left == 0 and message["type"] == "http.response.body":
                raise _CutError

        try:
            await self._app(scope, receive, counted)
        except _CutError:
            return  # the server ends the connection of an answer that is not complete

    def _written_down(self, scope: Any) -> Asked:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        path = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        is_of_storage = scope["server"][1] == self._storage_port
        asked = Asked(scope["method"], path, headers.get(b"range", ""), b"authorization" in headers, is_of_storage)
        self.asked.append(asked)
        return asked

    def _fault(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.pattern.search(f"{asked.method} {asked.path}"):
                fault.times -= 1
                return fault
        return None

    def _limited(self, asked: Asked) -> tuple[bool, dict[str, str]] | None:
        kind = API if asked.path.startswith("/api/") else FILES
        allowance = self.allowances.get(kind)
        if allowance is None or asked.is_of_storage:
            return None
        is_left, left, seconds = allowance.take()
        told = {
            "ratelimit": f'"{kind}";r={left};t={seconds}',
            "ratelimit-policy": f'"fixed window";"{kind}";q={allowance.requests};w={allowance.seconds:.0f}',
        }
        return not is_left, told


class _CutError(Exception):
    """The body ends here."""


def _reset(send: Any) -> None:
    """End the connection at once, as a machine does that has lost it."""
    transport = send.__self__.transport
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


async def _refuse(asked: Asked, send: Any, status: int, headers: Mapping[str, str]) -> None:
    asked.status = status
    told = _encoded({"content-length": "0", **headers})
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": b""})


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
