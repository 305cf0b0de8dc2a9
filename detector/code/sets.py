"""A few functions of two sides as sets of shingles, in numpy alone: what `match` has as sparse matrices of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.callgraph import Calls
from detector.code.pairs import Floats
from detector.code.sorting import Numbers, distinct, grouped
from detector.code.views import LaidOut
from detector.settings import SHINGLES_TOGETHER

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sets:
    """Distinct sets of shingles.

    Shapes: `numbers[offsets[j]:offsets[j + 1]]` are the numbers of the shingles of set j, below `width`; `totals[j]` is
            their weight, in bits. `keys[starts[j]:starts[j + 1]]` are those of them that both sides have, each as
            j * width + its number, ascending.
    """

    numbers: Numbers
    offsets: Numbers
    totals: Floats
    keys: Numbers
    starts: Numbers
    width: int


def _sets(numbers: Numbers, offsets: Numbers, weights: Floats, is_common: Mask) -> Sets:
    """is_common: which shingles both sides have: no others can be in common."""
    count, width = len(offsets) - 1, len(weights)
    owners = np.repeat(np.arange(count), np.diff(offsets))
    totals = np.bincount(owners, weights[numbers], minlength=count).astype(np.float64)
    kept = np.flatnonzero(is_common[numbers])
    owners = owners[kept]
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=count), out=starts[1:])
    return Sets(numbers, offsets, totals, np.sort(owners * width + numbers[kept]), starts, width)


@dataclass(frozen=True, slots=True)
class Rows:
    """The functions of one side in one view.

    Shapes: `rows` the set of each function.
    """

    sets: Sets
    rows: Numbers

    @property
    def totals(self) -> Floats:
        """The weight of each function, in bits."""
        found: Floats = self.sets.totals[self.rows]
        return found

    def counts(self, functions: Numbers) -> Floats:
        """How many shingles functions have."""
        found: Floats = np.diff(self.sets.offsets)[self.rows[functions]].astype(np.float64)
        return found

    def shared(self, other: Rows, weights: Floats, first: Numbers, second: Numbers) -> tuple[Floats, Floats]:
        """Weight and number of the shingles that both of each pair have; of pairs of the same sets, one is computed.

        The shingles of the smaller set are looked up in the larger one: a function of a hundred thousand shingles costs
        its partners no more than they have themselves.
        """
        ours, theirs = self.rows[first], other.rows[second]
        chosen, kinds = grouped(ours * len(other.sets.totals) + theirs)
        ours, theirs = ours[chosen], theirs[chosen]
        found = np.zeros((2, len(chosen)))
        is_smaller = np.diff(self.sets.starts)[ours] <= np.diff(other.sets.starts)[theirs]
        for small, large, left, right, places in (
            (self.sets, other.sets, ours, theirs, np.flatnonzero(is_smaller)),
            (other.sets, self.sets, theirs, ours, np.flatnonzero(~is_smaller)),
        ):
            for block in _blocks(np.diff(small.starts)[left[places]]):
                here = places[block]
                found[:, here] = _looked_up(small, large, weights, left[here], right[here])
        return found[0, kinds], found[1, kinds]


def _blocks(sizes: Numbers) -> list[slice]:
    """Cut a row of pairs where SHINGLES_TOGETHER shingles are full."""
    if not len(sizes):
        return []
    borders = np.flatnonzero(np.diff((np.cumsum(sizes) - sizes) // SHINGLES_TOGETHER, prepend=-1)).tolist()
    return [slice(start, end) for start, end in zip(borders, [*borders[1:], len(sizes)], strict=True)]


def _looked_up(small: Sets, large: Sets, weights: Floats, left: Numbers, right: Numbers) -> npt.NDArray[np.float64]:
    starts = small.starts[left]
    counts = small.starts[left + 1] - starts
    pair = np.repeat(np.arange(len(left)), counts)
    places = np.arange(len(pair)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    shingles = small.keys[places] - np.repeat(left * small.width, counts)
    wanted = np.repeat(right * large.width, counts) + shingles
    at = np.minimum(np.searchsorted(large.keys, wanted), max(len(large.keys) - 1, 0))
    hits = np.flatnonzero(large.keys[at] == wanted) if len(wanted) else places
    pair = pair[hits]
    bits = np.bincount(pair, weights[shingles[hits]], minlength=len(left))
    return np.stack([bits, np.bincount(pair, minlength=len(left))])


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a small comparison, as `scoring.score` and `link.believe` ask for it."""

    own: Rows
    expanded: Rows
    blind: Rows
    blind_expanded: Rows
    is_expanded: Mask
    is_blind: Mask
    callees: Calls
    functions: int  # of the whole side; these may be a few of them
    is_common: Mask  # of the shingles

    @property
    def totals(self) -> Floats:
        """The weight of each function, in bits."""
        return self.own.totals

    def inlined(self, weights: Floats, functions: Numbers) -> Rows:
        """Some functions, in their places, with their helpers; those of other files beside them, one level deep."""
        asked = distinct(functions)
        sets, width = self.own.sets, len(weights)
        open_ = np.flatnonzero(~self.is_expanded[asked])
        caller, called = self.callees.of(asked[open_])
        parts = np.concatenate([self.expanded.rows[asked], self.own.rows[called]])
        counts = np.diff(sets.offsets)[parts]
        owner = np.repeat(np.concatenate([np.arange(len(asked)), open_[caller]]), counts)
        places = np.arange(len(owner)) + np.repeat(sets.offsets[parts] - (np.cumsum(counts) - counts), counts)
        keys = distinct(owner * width + sets.numbers[places])
        offsets = np.searchsorted(keys, np.arange(len(asked) + 1) * width)
        rows = np.zeros(len(self.own.rows), np.int64)
        rows[asked] = np.arange(len(asked))
        return Rows(_sets(keys % width, offsets, weights, self.is_common), rows)


def sides(
    laid: LaidOut, weights: Floats, callees: tuple[Calls, Calls], functions: tuple[int, int]
) -> tuple[Side, Side]:
    """The two sides of what was laid out.

    functions: how many each side has in all.
    """
    is_common = np.ones(len(weights), bool)
    for side in laid.sides:
        is_there = np.zeros(len(laid.sets.offsets) - 1, bool)
        for view in (side.own, side.expanded, side.blind, side.blind_expanded):
            is_there[view] = True
        has = np.zeros(len(weights), bool)
        has[laid.numbers[np.repeat(is_there, np.diff(laid.sets.offsets))]] = True
        is_common &= has
    sets = _sets(laid.numbers, laid.sets.offsets, weights, is_common)
    one, other = (
        Side(
            Rows(sets, side.own),
            Rows(sets, side.expanded),
            Rows(sets, side.blind),
            Rows(sets, side.blind_expanded),
            side.expanded != side.own,
            side.blind != side.own,
            calls,
            count,
            is_common,
        )
        for side, calls, count in zip(laid.sides, callees, functions, strict=True)
    )
    return one, other
