"""Files on their way into an index."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from detector.model import Role


class Source(NamedTuple):
    """One file to be filed."""

    path: str
    role: Role
    blob: bytes  # its id
    context: frozenset[str]
    data: bytes | None  # None: known to be filed


class Filed(NamedTuple):
    """One file in its pack."""

    path: str
    role: Role
    blob: bytes
    context: frozenset[str]
    pack: int


def blob_id(data: bytes) -> bytes:
    """The id that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).digest()
