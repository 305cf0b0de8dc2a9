"""Functions -> the shapes of an index that have most rare keys in common with each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detector.code.sketch import Sketches
from detector.code.sorting import Hashes, Numbers, grouped, is_new, order
from detector.index.postings import Found, lookup, runs_of
from detector.settings.postings import LARGEST_POSTING, LOOKED_UP, MOST_HITS, SHAPE_BITS

_SHAPE = (1 << SHAPE_BITS) - 1
_RANK_BITS = 26  # beside the number of one of LOOKED_UP functions and a shape in 64 bits
_STEPS = 1 << 16  # of a bit: a function has at most 22 keys of at most 40 bits each


@dataclass(frozen=True, slots=True)
class Candidates:
    """Shapes that functions may be copies of.

    Shapes: function[i] has shared[i] keys in common with shape[i]; by function, then the best first.
    """

    function: Numbers
    shape: Numbers
    shared: Numbers


class Lookup(Protocol):
    """Finds what is behind keys: ascending, each once; `postings.lookup` says the rest."""

    def __call__(self, keys: Hashes, *, common: bool) -> Found: ...


def candidates(connection: sqlite3.Connection, sketches: Sketches, most: int) -> Candidates:
    """Find candidates in an index, as `ranked` does.

    Errors: Damaged, as `lookup`.
    """
    return ranked(partial(lookup, connection, runs=runs_of(connection)), sketches, most)


def ranked(look: Lookup, sketches: Sketches, most: int) -> Candidates:
    """Find for each function at most so many shapes: those with which it has most keys in common, rare ones above all.

    A key weighs log2(postings / postings of this key). Of a function the rarest keys count, until they have led to
    MOST_HITS shapes; those that more than LARGEST_POSTING shapes have, only if it has nothing rarer in the index.
    Ties:   the lower number of a shape.
    """
    functions = len(sketches.offsets) - 1
    parts = [
        (first, _best(look, sketches.part(first, min(first + LOOKED_UP, functions)), most))
        for first in range(0, functions, LOOKED_UP)
    ]
    nothing = np.zeros(0, np.int64)
    return Candidates(
        np.concatenate([nothing, *(part.function + first for first, part in parts)]),
        np.concatenate([nothing, *(part.shape for _, part in parts)]),
        np.concatenate([nothing, *(part.shared for _, part in parts)]),
    )


def _best(look: Lookup, sketches: Sketches, most: int) -> Candidates:
    functions = len(sketches.offsets) - 1
    owners = np.repeat(np.arange(functions), np.diff(sketches.offsets))
    firsts, numbers = grouped(sketches.keys)
    keys = sketches.keys[firsts]
    found = look(keys, common=False)
    used, is_bare = _used(found.counts[numbers], owners, functions)
    hits = [_hits(found, owners[used], numbers[used])]
    if is_bare.any():
        bare = sketches.keys[is_bare[owners]]
        firsts, numbers = grouped(bare)
        found = look(bare[firsts], common=True)
        hits.append(_hits(found, owners[is_bare[owners]], numbers))
    code, weights = (np.concatenate(each) for each in zip(*hits, strict=True))
    by_pair = order(code)
    code = code[by_pair]
    starts = np.flatnonzero(is_new(code))
    if not len(starts):
        return Candidates(starts, starts, starts)
    pairs = code[starts]
    weight = np.add.reduceat(weights[by_pair], starts)
    shared = np.diff(starts, append=len(code))
    # One integer sorts by function, then by weight, then by shape.
    rank = (1 << _RANK_BITS) - 1 - np.minimum(weight, (1 << _RANK_BITS) - 1)
    ranked = (pairs >> SHAPE_BITS << _RANK_BITS | rank).astype(np.uint64) << np.uint64(SHAPE_BITS)
    ranked = np.sort(ranked | (pairs & _SHAPE).astype(np.uint64))
    function = (ranked >> np.uint64(SHAPE_BITS + _RANK_BITS)).astype(np.int64)
    kept = np.arange(len(function)) - np.searchsorted(function, np.arange(functions))[function] < most
    function, shape = function[kept], (ranked[kept] & np.uint64(_SHAPE)).astype(np.int64)
    return Candidates(function, shape, shared[np.searchsorted(pairs, function << SHAPE_BITS | shape)])


def _used(counts: Numbers, owners: Numbers, functions: int) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Places of the keys that count: of each function the rarest, until these have MOST_HITS postings.

    Ties:    the key that comes first in the sketch.
    Returns: also which functions have common keys alone.
    """
    rare = np.flatnonzero((counts > 0) & (counts <= LARGEST_POSTING))
    rare = rare[order(owners[rare] * (LARGEST_POSTING + 1) + counts[rare])]
    before = np.cumsum(counts[rare]) - counts[rare]
    before -= before[np.searchsorted(owners[rare], owners[rare])]
    has_common = np.bincount(owners[counts > LARGEST_POSTING], minlength=functions) > 0
    return rare[before < MOST_HITS], has_common & (np.bincount(owners[rare], minlength=functions) == 0)


def _hits(found: Found, owners: Numbers, numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Pairs of a function and a shape, once for each key of the function that leads there, and what the key weighs."""
    places, shapes = found.shapes(numbers)
    weights = np.log2(max(found.postings, 1) / np.maximum(found.counts, 1)) * _STEPS
    return owners[places] << SHAPE_BITS | shapes, weights.astype(np.int64)[numbers][places]
