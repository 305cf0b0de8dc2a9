"""Whether one state of some texts becomes the other by putting names for names: one consistent substitution."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[^\W\d]\w*")
# Longer files are data; comparing lines costs more than their number.
MOST_LINES = 20_000


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
    one, other = before.splitlines()[:MOST_LINES], after.splitlines()[:MOST_LINES]
    shape, other_shape = ([_WORD.sub("w", line.strip()) for line in lines] for lines in (one, other))
    start, start_other = 0, 0
    blocks = [(0, 0, len(one))]
    if shape != other_shape:
        matcher = SequenceMatcher(None, shape, other_shape)
        blocks = [(block.a, block.b, block.size) for block in matcher.get_matching_blocks()]
    for i, j, size in [*blocks, (len(one), len(other), 0)]:
        yield from ((word, "") for line in one[start:i] for word in _WORD.findall(line))
        yield from (("", word) for line in other[start_other:j] for word in _WORD.findall(line))
        for line, other_line in zip(one[i : i + size], other[j : j + size], strict=True):
            if line != other_line:
                words = zip(_WORD.findall(line), _WORD.findall(other_line), strict=False)
                yield from ((word, other_word) for word, other_word in words if word != other_word)
        start, start_other = i + size, j + size
