"""The text that git keeps in place of a large file -> which file it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Source: the git-lfs specification; a pointer is shorter than this, whatever extensions it has.
MOST_POINTER_BYTES = 1024
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n?"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A large file that is not here: equal SHA-256 is an equal file."""

    sha256: str
    size_bytes: int


def read(data: bytes) -> Pointer | None:
    """Read a pointer; None for any other file."""
    found = _POINTER.fullmatch(data) if len(data) < MOST_POINTER_BYTES else None
    return Pointer(found[1].decode("ascii"), int(found[2])) if found is not None else None
