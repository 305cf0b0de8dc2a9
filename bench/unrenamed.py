"""Measure what the differences of two functions come to when the suspect's renames are undone."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rapidfuzz.distance import LCSseq

from bench.declared import FunctionNode, Key, definitions
from bench.disguise.rename import rename
from bench.recorded_names import Files, explained
from detector.model import Texts

LEAST_LINES = 3  # of a function: of a shorter one, one line is half of it or more
LARGEST_LEFT = 0.15  # of the lines of a merely renamed function
_WORD = re.compile(r"\w+|[^\w\s]")


# --- functions of which nothing but names was changed ---


@dataclass(frozen=True, slots=True)
class Left:
    """What the un-renamed difference leaves of a function that was merely renamed."""

    path: str
    function: str
    lines: int
    left: int  # of its lines

    @property
    def share(self) -> float:
        """Of its lines, 0..1."""
        return self.left / self.lines


@dataclass(frozen=True, slots=True)
class AllLeft:
    """The same of a project."""

    functions: tuple[Left, ...]

    @property
    def long(self) -> tuple[Left, ...]:
        """Functions that are long enough for a share of their lines to say something."""
        return tuple(each for each in self.functions if each.lines >= LEAST_LINES)

    @property
    def above(self) -> tuple[Left, ...]:
        """Those of which more is left than should be, most of all first."""
        return tuple(sorted((each for each in self.long if each.share > LARGEST_LEFT), key=lambda each: -each.share))

    @property
    def mean(self) -> float:
        """Share of lines by function."""
        return fmean(each.share for each in self.long) if self.long else 0.0

    @property
    def greatest(self) -> float:
        """Share of lines of the function with the most left."""
        return max((each.share for each in self.long), default=0.0)


def left_of_renamed(files: Files, seed: int) -> AllLeft:
    """Change every name of a project, undo that, and count the lines that still differ.

    What renames writes everything anew, so the reference is the original written anew in the same way.
    """
    reference = {path: ast.unparse(ast.parse(text)) + "\n" for path, text in files.items()}
    suspect, qualnames = rename(reference, seed)
    pairs = [
        ((path, qualnames[path][qualname]), (path, qualname))
        for path, text in reference.items()
        for qualname, node in definitions(ast.parse(text), nested=True)
        if isinstance(node, FunctionNode)
    ]
    found = explained(suspect, reference, pairs, len(pairs))
    return AllLeft(tuple(_left(other, each.texts) for _, other, each in found if each.texts is not None))


def _left(key: Key, texts: Texts) -> Left:
    lines = count_lines(texts.reference)
    return Left(*key, lines, lines - sum(count for *_, count in texts.equal))


def count_lines(text: str) -> int:
    """Lines as `Texts.equal` counts them."""
    return text.count("\n") + 1


# --- functions that were rewritten ---


@dataclass(frozen=True, slots=True)
class Difference:
    """The length of a difference: what is on one side alone, summed over both."""

    words: int
    lines: int

    def __add__(self, other: Difference) -> Difference:
        return Difference(self.words + other.words, self.lines + other.lines)


@dataclass(frozen=True, slots=True)
class Shortened:
    """The difference of one pair, as published and with its renames undone."""

    function: str
    kind: str
    published: Difference
    unrenamed: Difference

    @property
    def is_shorter(self) -> bool:
        """In words, as lines that stay different may differ in less."""
        return self.unrenamed.words < self.published.words


def shortened(function: str, kind: str, texts: Texts) -> Shortened:
    """Measure both differences of a pair."""
    total = count_lines(texts.suspect) + count_lines(texts.reference)
    lines = [total - 2 * sum(count for *_, count in runs) for runs in (texts.equal_as_published, texts.equal)]
    differences = [
        Difference(words_apart(text, texts.reference), apart)
        for text, apart in zip((texts.suspect, texts.unrenamed), lines, strict=True)
    ]
    return Shortened(function, kind, *differences)


def words_apart(one: str, other: str) -> int:
    """Words and signs outside of the longest common subsequence, on both sides."""
    ours, theirs = _WORD.findall(one), _WORD.findall(other)
    return len(ours) + len(theirs) - 2 * int(LCSseq.similarity(ours, theirs))


def by_kind(found: Iterable[Shortened]) -> Mapping[str, Sequence[Shortened]]:
    """Pairs by what was done to them, sorted."""
    kinds: defaultdict[str, list[Shortened]] = defaultdict(list)
    for each in found:
        kinds[each.kind].append(each)
    return dict(sorted(kinds.items()))


def summed(found: Iterable[Shortened]) -> tuple[Difference, Difference]:
    """The differences of all pairs together: as published, un-renamed."""
    nothing = Difference(0, 0)
    pairs = list(found)
    return sum((each.published for each in pairs), nothing), sum((each.unrenamed for each in pairs), nothing)
