"""The bytes of a file -> which of some names stand in its import lines, without parsing it.

All that lowering a file depends on, besides the file: imports of the repository's own packages are told from others'.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

_WORD = re.compile(r"[^\W\d]\w*")
_CONTINUED = re.compile(r"\\(?:\r\n|\r|\n)")
# What stands before `import`: the module of a `from`, whose first name counts unless dots make it relative.
_FROM = re.compile(r"\bfrom\b[ \t\f]*((?:\.[ \t\f]*)*)([^\W\d]\w*)?")
# Whether nothing else does, so that what follows are names out of that module.
_REST = re.compile(r"[ \t\f.\w]*\Z")
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BREAK = re.compile(rb"\r\n|\r|\n")
_UTF_8 = frozenset({"utf-8", "utf8", "utf_8", "utf-8-sig", "ascii", "us-ascii"})


def imported(data: bytes, names: Collection[str]) -> frozenset[str]:
    """Those of the names that stand in import lines; a few more than the file imports, never fewer.

    Lowering a file with these names as the repository's own is lowering it with all of them (`bulk` does no other).
    What only looks like an import, in a text or a comment behind code, counts; a file in an encoding of its own may
    import them all. Of a file that Python rejects it is what its whole lines say.
    """
    if b"import" not in data:
        return frozenset()
    if _is_encoded(data):
        return frozenset(names)
    asked = frozenset(names)
    found: set[str] = set()
    for line in _lines(data):
        found.update(_roots(line.decode("utf-8", "replace")))
        if found >= asked:
            break
    return asked & found


def _is_encoded(data: bytes) -> bool:
    """Whether the file says that its bytes are not UTF-8."""
    for line in _BREAK.split(data[:1_000], maxsplit=2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie is not None and cookie[1].decode("ascii", "replace").lower() not in _UTF_8:
            return True
    return False


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines with the word `import`, each with the lines that backslashes join to it."""
    place = data.find(b"import")
    while place >= 0:
        start, end = _start(data, place), _end(data, place)
        yield data[start:end]
        place = data.find(b"import", end)


def _start(data: bytes, place: int) -> int:
    start = max(data.rfind(b"\n", 0, place), data.rfind(b"\r", 0, place)) + 1
    while start and (before := _before_break(data, start)) and data[before - 1 : before] == b"\\":
        start = max(data.rfind(b"\n", 0, before), data.rfind(b"\r", 0, before)) + 1
    return start


def _before_break(data: bytes, start: int) -> int:
    """The end of the line that ends right before a place."""
    return start - 2 if data[start - 2 : start] == b"\r\n" else start - 1


def _end(data: bytes, place: int) -> int:
    while (found := _BREAK.search(data, place)) is not None:
        if data[found.start() - 1 : found.start()] != b"\\":
            return found.start()
        place = found.end()
    return len(data)


def _roots(line: str) -> Iterator[str]:
    """First names of the modules that a logical line imports; identifiers are what Python takes them for (NFKC)."""
    if line.lstrip(" \t\f\ufeff").startswith("#"):
        return
    line = _CONTINUED.sub(" ", line)
    if not line.isascii():
        yield from _WORD.findall(line)
        line = unicodedata.normalize("NFKC", line)
        yield from _WORD.findall(line)
    before, *parts = re.split(r"\bimport\b", line)
    for part in parts:
        modules = list(_FROM.finditer(before))
        yield from [found[2] for found in modules if found[2] and not found[1]]
        if not modules or not _REST.match(before, modules[-1].end()):
            yield from _WORD.findall(part)
        before = part
