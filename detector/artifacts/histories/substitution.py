"""Whether one state of some texts becomes the other by putting names for names: one consistent substitution."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[^\W\d]\w*")
# Lines that differ in shape between what both texts begin and end with: aligning them costs the square of their number.
MOST_ALIGNED_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Substitution:
    """Names and what stands in their places, by places, descending."""

    pairs: tuple[tuple[str, str, int], ...]
    explained: int  # places that the pairs explain
    changed: int  # words that changed in all

    @property
    def consistency(self) -> float:
        """The share of what changed that the substitution explains."""
        return self.explained / max(self.changed, 1)


def substitution(texts: Iterable[tuple[str, str]]) -> Substitution:
    """Read the substitution off pairs of texts, before and after.

    A name counts with the one that stands most often in its place, if that stands in no other's more often.
    """
    places: Counter[tuple[str, str]] = Counter()
    changed = 0
    for before, after in texts:
        if before != after:
            for one, other in _changes(before, after):
                changed += 1
                if _is_name(one) and _is_name(other):
                    places[one, other] += 1
    ordered = sorted(places.items(), key=lambda item: (-item[1], item[0]))
    forth: dict[str, str] = {}
    back: dict[str, str] = {}
    for (one, other), _ in ordered:
        forth.setdefault(one, other)
        back.setdefault(other, one)
    pairs = tuple((one, other, count) for (one, other), count in ordered if forth[one] == other and back[other] == one)
    return Substitution(pairs, sum(count for _, _, count in pairs), changed)


def _is_name(word: str) -> bool:
    return _NAME.fullmatch(word) is not None and not keyword.iskeyword(word)


def may_be_substitution(before: str, after: str, least: int) -> bool:
    """Tell cheaply whether as many words went as came, and not fewer than `least`."""
    one, other = Counter(_WORD.findall(before)), Counter(_WORD.findall(after))
    gone, come = sum((one - other).values()), sum((other - one).values())
    return min(gone, come) >= least and max(gone, come) <= 2 * min(gone, come)


def _changes(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Words that differ at the same place of lines of the same shape; "" for those without a counterpart."""
    one, other = before.splitlines(), after.splitlines()
    start = start_other = 0
    for i, j, size in _blocks(_shapes(one), _shapes(other)):
        yield from ((word, "") for line in one[start:i] for word in _WORD.findall(line))
        yield from (("", word) for line in other[start_other:j] for word in _WORD.findall(line))
        for line, other_line in zip(one[i : i + size], other[j : j + size], strict=True):
            if line != other_line:
                words = zip(_WORD.findall(line), _WORD.findall(other_line), strict=False)
                yield from ((word, other_word) for word, other_word in words if word != other_word)
        start, start_other = i + size, j + size


def _shapes(lines: Sequence[str]) -> list[str]:
    return [_WORD.sub("w", line.strip()) for line in lines]


def _blocks(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal lines in both: what they begin with, what they end with, and in between what difflib finds."""
    shortest = min(len(one), len(other))
    head = next((k for k in range(shortest) if one[k] != other[k]), shortest)
    tail = next((k for k in range(shortest - head) if one[-1 - k] != other[-1 - k]), shortest - head)
    yield 0, 0, head
    ours, theirs = one[head : len(one) - tail], other[head : len(other) - tail]
    if max(len(ours), len(theirs)) <= MOST_ALIGNED_LINES:
        for block in SequenceMatcher(None, ours, theirs).get_matching_blocks():
            yield head + block.a, head + block.b, block.size
    yield len(one) - tail, len(other) - tail, tail
