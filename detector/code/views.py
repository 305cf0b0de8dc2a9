"""The functions of some sides in every view: each distinct set of shingles once, and each distinct shingle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.code.shingle import Shingles, joined
from detector.code.sorting import Hashes, Numbers, grouped

Seen = tuple[Shingles, Numbers]  # some functions seen another way, and the number of the function of each


@dataclass(frozen=True, slots=True)
class Side:
    """The set of each function of one side, in each view; where a function has no such view, it is the first one.

    expanded: with the helpers of the same file in place of their calls. blind: without what attributes are known to
    hold.

    Shapes: numbers of `LaidOut.sets`.
    """

    own: Numbers
    expanded: Numbers
    blind: Numbers
    blind_expanded: Numbers


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The distinct sets of all sides and views.

    Shapes: `shingles` distinct, ascending; `sets.hashes[i]` is `shingles[numbers[i]]`.
    """

    sets: Shingles
    numbers: Numbers
    shingles: Hashes
    sides: tuple[Side, ...]

    def frequency(self, sides: Sequence[Side]) -> Numbers:
        """How many functions of these sides have each shingle.

        Views repeat what their functions and helpers have: they make nothing more frequent.
        """
        functions = np.concatenate([np.zeros(0, np.int64), *(side.own for side in sides)])
        of_sets = np.bincount(functions, minlength=len(self.sets.offsets) - 1)
        repeated = np.repeat(of_sets, np.diff(self.sets.offsets))
        return np.bincount(self.numbers, repeated, minlength=len(self.shingles)).astype(np.int64)


def lay_out(sides: Sequence[Shingles], views: Sequence[Sequence[Seen]] = ()) -> LaidOut:
    """Number the distinct sets and shingles of all sides.

    views: for each side the functions with helpers in place, those without knowing what attributes hold, and both.
    """
    everything = joined([*sides, *(shingles for side in views for shingles, _ in side)])
    firsts, kinds = grouped(everything.sums())
    sets = everything.take(firsts)
    places, numbers = grouped(sets.hashes)
    found: list[Side] = []
    start, start_views = 0, sum(len(side.offsets) - 1 for side in sides)
    for number, side in enumerate(sides):
        own = kinds[start : start + len(side.offsets) - 1]
        start += len(own)
        rows = [own.copy(), own.copy(), own.copy()]
        for row, (_, viewed) in zip(rows, views[number] if views else (), strict=False):
            row[viewed] = kinds[start_views : start_views + len(viewed)]
            start_views += len(viewed)
        expanded, blind, both = rows
        # With helpers in place, what looks the same blind is seen as it is.
        both = np.where(both == own, np.where(expanded == own, blind, expanded), both)
        found.append(Side(own, expanded, blind, both))
    return LaidOut(sets, numbers, sets.hashes[places], tuple(found))
