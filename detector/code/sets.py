"""A few functions of two sides as sets of shingles, in numpy alone: what `match` has as sparse matrices of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detector.code.callgraph import Calls
from detector.code.corpus import RUN_BITS, Runs
from detector.code.pairs import Floats
from detector.code.sorting import Numbers, distinct, grouped
from detector.code.views import LaidOut
from detector.settings import MOST_BESIDE, SHINGLES_TOGETHER

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Keyed:
    """Sets of numbers below `width`.

    Shapes: `keys[starts[j]:starts[j + 1]]` are the members of set j, each as j * width + member, ascending.
    """

    keys: Numbers
    starts: Numbers
    width: int

    def sizes(self) -> Numbers:
        """How many members each set has."""
        found: Numbers = np.diff(self.starts)
        return found

    def members(self, chosen: Numbers) -> tuple[Numbers, Numbers]:
        """Of the chosen sets: the place of each among them, and a member."""
        starts, counts = self.starts[chosen], self.sizes()[chosen]
        place = np.repeat(np.arange(len(chosen)), counts)
        keys = self.keys[np.arange(len(place)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)]
        return place, keys - (chosen * self.width)[place]


def in_both(one: Keyed, other: Keyed, left: Numbers, right: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """What sets left[i] of the one and right[i] of the other have in common, some pairs at a time: i, and the member.

    The members of the smaller set are looked up in the larger: one of a hundred thousand costs its partners no more
    than they have themselves.
    """
    is_smaller = one.sizes()[left] <= other.sizes()[right]
    for small, large, ours, theirs, chosen in (
        (one, other, left, right, np.flatnonzero(is_smaller)),
        (other, one, right, left, np.flatnonzero(~is_smaller)),
    ):
        sizes = small.sizes()[ours[chosen]]
        blocks = (np.cumsum(sizes) - sizes) // SHINGLES_TOGETHER
        borders = np.flatnonzero(np.diff(blocks, prepend=-1, append=-1)).tolist() if len(chosen) else []
        for start, end in pairwise(borders):
            pairs = chosen[start:end]
            place, member = small.members(ours[pairs])
            wanted = (theirs[pairs] * large.width)[place] + member
            at = np.searchsorted(large.keys, wanted)
            hits = np.flatnonzero(large.keys[np.minimum(at, len(large.keys) - 1)] == wanted) if len(wanted) else at
            yield pairs[place[hits]], member[hits]


def resemblances(one: Runs, other: Runs, first: Numbers, second: Numbers) -> Floats:
    """The plain Jaccard of the runs of each pair of functions; 0 for two functions without runs."""
    ours, left = _keyed(one, first)
    theirs, right = _keyed(other, second)
    shared = np.zeros(len(first))
    for pair, _ in in_both(ours, theirs, left, right):
        shared += np.bincount(pair, minlength=len(first))
    union = ours.sizes()[left] + theirs.sizes()[right] - shared
    found: Floats = shared / np.maximum(union, 1)
    return found


def _keyed(runs: Runs, functions: Numbers) -> tuple[Keyed, Numbers]:
    """The runs of these functions, each function once, and the place of each function there."""
    chosen = distinct(functions)
    starts = runs.offsets[chosen]
    counts = runs.offsets[chosen + 1] - starts
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    places = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], counts)
    keys = np.repeat(np.arange(len(chosen)) << RUN_BITS, counts) + runs.hashes[places].astype(np.int64)
    return Keyed(keys, ends, 1 << RUN_BITS), np.searchsorted(chosen, functions)


@dataclass(frozen=True, slots=True)
class Sets:
    """Distinct sets of shingles.

    Shapes: `numbers[offsets[j]:offsets[j + 1]]` are the numbers of the shingles of set j; `totals[j]` is their weight,
            in bits. `common` has those of them that both sides have.
    """

    numbers: Numbers
    offsets: Numbers
    totals: Floats
    common: Keyed


def _sets(numbers: Numbers, offsets: Numbers, weights: Floats, is_common: Mask) -> Sets:
    """is_common: which shingles both sides have: no others can be in common."""
    count, width = len(offsets) - 1, len(weights)
    owners = np.repeat(np.arange(count), np.diff(offsets))
    totals = np.bincount(owners, weights[numbers], minlength=count).astype(np.float64)
    kept = np.flatnonzero(is_common[numbers])
    owners = owners[kept]
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=count), out=starts[1:])
    return Sets(numbers, offsets, totals, Keyed(np.sort(owners * width + numbers[kept]), starts, width))


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
        """Weight and number of the shingles that both of each pair have; of pairs of the same sets, one is computed."""
        left, right = self.rows[first], other.rows[second]
        chosen, kinds = grouped(left * len(other.sets.totals) + right)
        bits, number = np.zeros(len(chosen)), np.zeros(len(chosen))
        for pair, shingle in in_both(self.sets.common, other.sets.common, left[chosen], right[chosen]):
            bits += np.bincount(pair, weights[shingle], minlength=len(chosen))
            number += np.bincount(pair, minlength=len(chosen))
        return bits[kinds], number[kinds]


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
        # A target may hold functions that call what is larger than everything else.
        is_small = np.cumsum(np.diff(sets.offsets)[self.own.rows[called]]) <= MOST_BESIDE
        caller, called = caller[is_small], called[is_small]
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
