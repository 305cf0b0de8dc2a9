"""A Python text without the statements that mention none of some words: what there is to parse when few names count."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from detector.code.lexical import TOKEN, words_of

_HEADERS = frozenset("async case class def elif else except finally for if match try while with @".split())
_FIRST = re.compile(r"\w+|.")
_DEFINITION = re.compile(r"(?:async[ \t]+)?(?:def|class)\b")


@dataclass(frozen=True, slots=True)
class Thinned:
    """What is left of a text, and where each of its lines was."""

    text: str
    starts: tuple[int, ...]  # in what is left, ascending
    origins: tuple[int, ...]  # in the whole

    def origin(self, position: int) -> int:
        """Where something stands in the whole text."""
        line = bisect_right(self.starts, position) - 1
        return self.origins[line] + position - self.starts[line]


@dataclass(slots=True)
class _Line:
    """A logical line."""

    start: int
    end: int
    indent: str
    first: str  # its first word or sign, "" for a blank one
    is_wanted: bool
    is_definition: bool
    around: list[_Line] = field(default_factory=list)  # the definitions that it is in


def thinned(text: str, wanted: Collection[str]) -> Thinned:
    """Put `pass` in place of statements without a wanted word; definitions without one go whole.

    Statements that hold others stay. No name that is wanted changes its scope.
    """
    pieces: list[str] = []
    starts, origins = [0], [0]
    length = 0
    left_out = None  # the indentation of the statements that were left out last
    lines = list(_lines(text, wanted))
    _spread(lines)
    for line in lines:
        if not all(definition.is_wanted for definition in line.around):
            continue
        if line.is_wanted or (line.first in _HEADERS and not line.is_definition):
            starts.append(length)
            origins.append(line.start)
            left_out, piece = None, text[line.start : line.end]
        elif line.first and line.indent != left_out:
            left_out, piece = line.indent, f"{line.indent}pass\n"
        else:
            continue
        pieces.append(piece)
        length += len(piece)
    return Thinned("".join(pieces), tuple(starts), tuple(origins))


def _lines(text: str, wanted: Collection[str]) -> Iterator[_Line]:
    """The logical lines, those without code too."""
    start = depth = 0
    at, is_wanted = -1, False
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "line" and not depth:
            yield _line(text, start, token.end(), at, is_wanted)
            start, at, is_wanted = token.end(), -1, False
            continue
        if at < 0 and kind not in ("line", "skip"):
            at = token.start()
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "word":
            is_wanted = is_wanted or token[0] in wanted or not token[0].isascii()
        elif kind == "string":
            is_wanted = is_wanted or not token[0].isascii() or not words_of(token[0]).isdisjoint(wanted)
    if start < len(text):
        yield _line(text, start, len(text), at, is_wanted)


def _line(text: str, start: int, end: int, at: int, is_wanted: bool) -> _Line:
    if at < 0:
        return _Line(start, end, "", "", False, False)
    found = _FIRST.match(text, at)
    first = found[0] if found is not None else ""
    return _Line(start, end, text[start:at], first, is_wanted, _DEFINITION.match(text, at) is not None)


def _spread(lines: list[_Line]) -> None:
    """A definition is wanted where anything in it is, and its decorators with it."""
    around: list[_Line] = []
    decorators: list[_Line] = []
    for line in lines:
        if not line.first:
            continue
        while around and len(around[-1].indent) >= len(line.indent):
            around.pop()
        line.around = list(around)
        if line.is_wanted:
            for definition in around:
                definition.is_wanted = True
        if line.first == "@":
            decorators.append(line)
            continue
        if line.is_definition:
            around.append(line)
            line.is_wanted = line.is_wanted or any(each.is_wanted for each in decorators)
            for each in decorators:
                each.around.append(line)  # there with what it decorates
        decorators = []
