"""The header of a compiled Python file: what it says of its source. Nothing in it is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Source: CPython's Lib/importlib/_bootstrap_external.py, "Magic word": since 3.3 the size of the source stands behind
# its time, since 3.7 (PEP 552) flags stand before both.
_FIRST_WITH_SIZE, _FIRST_WITH_FLAGS, _LAST_OF_THREE = 3190, 3390, 20_000
_HASH_BASED = 1
_SOURCE = re.compile(rb"(?:[A-Za-z]:)?(?:[/\\][\w.+@ -]{1,100}){1,30}?\.py")
# What is searched for the name of the source: it stands once for each function.
_SEARCHED_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Bytecode:
    """What a compiled file says of its source; None where it does not say it."""

    magic: int
    modified: int | None  # seconds since 1970 in UTC, by the clock and the file system of whoever compiled it
    source_bytes: int | None
    sources: tuple[str, ...]  # absolute paths of Python files that it names


def read_bytecode(data: bytes) -> Bytecode | None:
    """Read a header and look for the paths of sources behind it; None if it is no compiled Python."""
    if len(data) < 8 or data[2:4] != b"\r\n":
        return None
    magic = int.from_bytes(data[:2], "little")
    numbers = [int.from_bytes(data[start : start + 4], "little") for start in range(4, min(len(data), 16) - 3, 4)]
    has_flags = _FIRST_WITH_FLAGS <= magic < _LAST_OF_THREE
    if has_flags:
        flags, *numbers = numbers
        if flags & _HASH_BASED:
            numbers = []
    has_size = _FIRST_WITH_SIZE <= magic < _LAST_OF_THREE and len(numbers) >= 2
    found = _SOURCE.findall(data[:_SEARCHED_BYTES])
    sources = tuple(dict.fromkeys(path.decode("ascii", "replace") for path in found))
    return Bytecode(magic, numbers[0] if numbers else None, numbers[1] if has_size else None, sources)


def source_path(path: str) -> str:
    """Where the source of a compiled file stands: `a/__pycache__/b.cpython-39.pyc` comes from `a/b.py`."""
    folder, _, name = path.rpartition("/")
    folder = folder.removesuffix("__pycache__").rstrip("/")
    stem = name.removesuffix(".pyc")
    stem = stem.partition(".")[0] if path.rpartition("/")[0].endswith("__pycache__") else stem
    return f"{folder}/{stem}.py" if folder else f"{stem}.py"
