"""Two functions side by side: columns whose rows face each other, with what differs marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from html import escape
from itertools import groupby, zip_longest

from detector.report.names import shortened, visible

LONGEST_LINE = 1_000  # characters shown of one line: beyond that it is data, and nobody reads it side by side
# Lines between two equal runs are paired by their words up to this many pairs to look at, beyond it in their order;
# 60 lines against 60 take some ten milliseconds.
MOST_PAIRINGS = 3_600
# Lines with fewer words in common than this face each other as different lines, without a mark at every word.
LEAST_ALIKE = 0.4
MOST_TOKEN_PAIRS = 40_000  # of a pair of lines, to find the words that differ; 200 tokens against 200
LONG_ON_PAPER = 110  # characters of a line that fit across a printed page

LINE_END = re.compile(r"\r\n|\r|\n")
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")

Run = tuple[int, int, int]
Row = tuple[int | None, int | None, str]  # line of the suspect, line of the reference, and one of:
EQUAL, CHANGED, OTHER = "equal", "changed", "other"  # OTHER: in each other's place, and nothing alike


class _Line:
    """One line, and its words as far as somebody asks for them."""

    def __init__(self, text: str, renames: Mapping[str, str]) -> None:
        self.text = text
        self.renames = renames

    @cached_property
    def tokens(self) -> list[str]:
        """The line in pieces, as it is written; none of one that is too long to look at."""
        return TOKEN.findall(self.text) if len(self.text) <= LONGEST_LINE else []

    @cached_property
    def compared(self) -> list[str]:
        """The same as they count: blanks are alike, however many, and a name that was changed is what it stands for."""
        return [" " if token.isspace() else self.renames.get(token, token) for token in self.tokens]

    @cached_property
    def words(self) -> frozenset[str]:
        """What it says, without blanks."""
        return frozenset(self.compared) - {" "}


@dataclass(frozen=True, slots=True)
class Column:
    """One side: text for the gutter, and HTML for the code, both with one line for each row."""

    gutter: str
    code: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Both columns, and how many lines of the suspect the report counts as equal."""

    suspect: Column
    reference: Column
    equal: int
    lines: int
    is_long: bool  # some line is too long for a printed page


def sides(
    ours: str, theirs: str, runs: Sequence[Run], first_lines: tuple[int, int], renames: Mapping[str, str]
) -> Sides:
    """Lay two texts beside each other by the runs of lines that the report counts as equal.

    Units: `first_lines` are the numbers of the first lines in their files.
    `renames`: names of the suspect whose change is no difference between two lines.
    """
    left = [_Line(line, renames) for line in lines_of(ours)]
    right = [_Line(line, {}) for line in lines_of(theirs)]
    rows = list(_rows(left, right, runs))
    marked = [_marked(left, right, row) for row in rows]
    return Sides(
        suspect=_column([row[0] for row in rows], rows, [pair[0] for pair in marked], first_lines[0]),
        reference=_column([row[1] for row in rows], rows, [pair[1] for pair in marked], first_lines[1]),
        equal=sum(count for _, _, count in runs),
        lines=len(left),
        is_long=any(len(line.text) > LONG_ON_PAPER for line in (*left, *right)),
    )


def lines_of(text: str) -> list[str]:
    """The lines of a text, as syntax trees count them; not `splitlines`, which also splits at form feeds."""
    lines = LINE_END.split(text)
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _rows(left: Sequence[_Line], right: Sequence[_Line], runs: Sequence[Run]) -> Iterator[Row]:
    ours = theirs = 0
    for first, other, count in (*runs, (len(left), len(right), 0)):
        yield from _gap(left, right, range(ours, first), range(theirs, other))
        yield from ((first + step, other + step, EQUAL) for step in range(count))
        ours, theirs = first + count, other + count


def _gap(left: Sequence[_Line], right: Sequence[_Line], ours: range, theirs: range) -> Iterator[Row]:
    """Lines between two equal runs: those with most words in common face each other, the others fill in between."""
    i, j = ours.start, theirs.start
    for first, other in (*_alike(left, right, ours, theirs), (ours.stop, theirs.stop)):
        yield from (
            (mine, other_one, OTHER)
            for mine, other_one in zip_longest(range(i, first), range(j, other), fillvalue=None)
        )
        if first < ours.stop:
            yield first, other, CHANGED
        i, j = first + 1, other + 1


def _alike(left: Sequence[_Line], right: Sequence[_Line], ours: range, theirs: range) -> list[tuple[int, int]]:
    """Pairs of lines that are alike, ascending on both sides, with the greatest sum of likeness.

    Ties: the earlier lines.
    """
    if not ours or not theirs or len(ours) * len(theirs) > MOST_PAIRINGS:
        return []
    best = [[0.0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    likeness = [[_likeness(left[i].words, right[j].words) for j in theirs] for i in ours]
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            best[i][j] = max(likeness[i][j] + best[i + 1][j + 1], best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(ours) and j < len(theirs):
        if likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((ours[i], theirs[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(ours: frozenset[str], theirs: frozenset[str]) -> float:
    both = len(ours & theirs)
    either = len(ours) + len(theirs) - both
    return both / either if both >= LEAST_ALIKE * either and both else 0.0


def _marked(left: Sequence[_Line], right: Sequence[_Line], row: Row) -> tuple[str, str]:
    """The HTML of both lines of a row."""
    ours, theirs, state = row
    mine, other = (None if line is None else text[line] for line, text in ((ours, left), (theirs, right)))
    if mine is None or other is None or state is not CHANGED:
        return code_html(mine.text if mine else ""), code_html(other.text if other else "")
    if not 0 < len(mine.tokens) * len(other.tokens) <= MOST_TOKEN_PAIRS:
        return code_html(mine.text), code_html(other.text)
    blocks = SequenceMatcher(None, mine.compared, other.compared, autojunk=False).get_matching_blocks()
    return (
        _with_marks(mine.tokens, ((block.a, block.size) for block in blocks)),
        _with_marks(other.tokens, ((block.b, block.size) for block in blocks)),
    )


def _with_marks(tokens: Sequence[str], kept: Iterable[tuple[int, int]]) -> str:
    parts, end = [], 0
    for start, size in kept:
        changed = "".join(tokens[end:start])
        parts.append(f"<mark>{code_html(changed)}</mark>" if changed.strip() else changed)
        parts.append(code_html("".join(tokens[start : start + size])))
        end = start + size
    return "".join(parts)


def code_html(line: str) -> str:
    """A line of code as HTML: what would command, hide or reorder is visible, and it stays one line."""
    line = shortened(line, LONGEST_LINE)
    if not line.isprintable():
        line = "\t".join(map(visible, line.split("\t")))
    return escape(line, quote=False)


def _column(numbers: Sequence[int | None], rows: Sequence[Row], lines: Sequence[str], first_line: int) -> Column:
    """Gutter: the line's number, after `≠` where it differs and `+` where only this side has it."""
    gutter: list[str] = []
    states: list[str] = []
    for number, row in zip(numbers, rows, strict=True):
        is_only = None in row[:2]
        state = "filler" if number is None else "" if row[2] is EQUAL else "changed"
        sign = "" if not state else "+ " if is_only else "≠ "
        gutter.append("" if number is None else f"{sign}{first_line + number}")
        states.append(state)
    blocks = []
    for state, group in groupby(zip(states, lines, strict=True), key=lambda pair: pair[0]):
        text = "".join(f"{line}\n" for _, line in group)
        blocks.append(f'<span class="{state}">{text}</span>' if state else text)
    return Column("\n".join(gutter), "".join(blocks))
