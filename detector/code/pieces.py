"""A module's text -> pieces that parse by themselves, each small enough to stay in the processor's cache."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from detector.settings import LEAST_PIECE

# A line at the margin that opens a definition. In a string over several lines it may be none: then the piece before it
# does not parse, and the whole file is read in one.
_OPENING = re.compile(rb"\n(?:(@)|(?:class|def|async[ ]+def)[ ]+([A-Za-z_][A-Za-z0-9_]*)[ ]*[(:\[])")
_BASES = re.compile(rb"class[ \t]+\w+[ \t]*\(([^:]*)")
_WORD = re.compile(rb"\w+")
_OTHER_ENCODING = re.compile(rb"[ \t\f]*#.*coding[:=][ \t]*+(?!utf-?8|UTF-?8)")


class Piece(NamedTuple):
    """Part of a module, from the start of a line to the end of one."""

    text: bytes
    lines_before: int
    definitions: list[str]  # names of the functions and classes that seem to begin at its margin


def pieces(data: bytes) -> list[Piece]:
    """Cut a module before definitions at the margin, into pieces of LEAST_PIECE bytes and more.

    Where every piece parses, the statements of all are those of the whole: a text that parses by itself leaves no
    string, bracket, block or decorator open, so that the next line begins a statement of the module.
    One piece: nothing to cut, or line ends and encodings that count lines or letters otherwise.
    """
    cuts = list(_cuts(data))
    if len(cuts) < 2 or not _is_plain(data):
        return [Piece(data, 0, [])]
    found: list[Piece] = []
    line = 0
    for (first, _), (end, definitions) in zip([(0, []), *cuts], cuts, strict=False):
        found.append(Piece(data[first:end], line, definitions))
        line += data.count(b"\n", first, end)
    return found


def bases_in(data: bytes) -> frozenset[str]:
    """Names that may be those of classes which others in the text inherit from; sometimes more, hardly ever less."""
    found = [word for bases in _BASES.finditer(data) for word in _WORD.findall(bases[1])]
    return frozenset([word.decode("utf-8", "replace") for word in found])


def _cuts(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The end of each piece, and the names that the piece before it seems to define."""
    start = 0
    is_decorated = False
    definitions: list[str] = []
    for opening in _OPENING.finditer(data):
        at = opening.start() + 1
        if not is_decorated and at - start >= LEAST_PIECE:
            yield at, definitions
            start, definitions = at, []
        name = opening[2]
        is_decorated = name is None
        if name is not None:
            definitions.append(name.decode())
    yield len(data), definitions


def _is_plain(data: bytes) -> bool:
    """Whether a later piece, without the head of the file, is read like the whole."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return False
    head = data.split(b"\n", 2)[:2]
    return not any(_OTHER_ENCODING.match(line) for line in head)
