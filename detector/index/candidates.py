"""Functions -> the shapes of an index that have most rare keys in common with each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.sketch import Sketches
from detector.code.sorting import Numbers, is_new, order
from detector.index.postings import lookup
from detector.settings.postings import LARGEST_POSTING, LOOKED_UP, SHAPE_BITS

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


def candidates(connection: sqlite3.Connection, sketches: Sketches, most: int) -> Candidates:
    """Find for each function at most so many shapes: those with which it has most keys in common, rare ones above all.

    A key weighs log2(postings / postings of this key). Keys that more than LARGEST_POSTING shapes have count only for
    functions that have nothing rarer in the index.
    Ties:   the lower number of a shape.
    Errors: Damaged, as `lookup`.
    """
    functions = len(sketches.offsets) - 1
    parts = [
        (first, _best(connection, sketches.part(first, min(first + LOOKED_UP, functions)), most))
        for first in range(0, functions, LOOKED_UP)
    ]
    nothing = np.zeros(0, np.int64)
    return Candidates(
        np.concatenate([nothing, *(part.function + first for first, part in parts)]),
        np.concatenate([nothing, *(part.shape for _, part in parts)]),
        np.concatenate([nothing, *(part.shared for _, part in parts)]),
    )


def _best(connection: sqlite3.Connection, sketches: Sketches, most: int) -> Candidates:
    functions = len(sketches.offsets) - 1
    owners = np.repeat(np.arange(functions), np.diff(sketches.offsets))
    found = lookup(connection, sketches.keys)
    is_used = _used(found.counts, owners, functions)[found.places]
    places, shapes = found.places[is_used], found.shapes[is_used]
    weights = np.log2(np.maximum(found.postings, 1) / np.maximum(found.counts, 1)) * _STEPS
    code = owners[places] << SHAPE_BITS | shapes
    by_pair = order(code)
    code = code[by_pair]
    starts = np.flatnonzero(is_new(code))
    if not len(starts):
        return Candidates(starts, starts, starts)
    pairs = code[starts]
    weight = np.add.reduceat(weights.astype(np.int64)[places[by_pair]], starts)
    shared = np.diff(starts, append=len(code))
    # One integer sorts by function, then by weight, then by shape.
    rank = (1 << _RANK_BITS) - 1 - np.minimum(weight, (1 << _RANK_BITS) - 1)
    ranked = (pairs >> SHAPE_BITS << _RANK_BITS | rank).astype(np.uint64) << np.uint64(SHAPE_BITS)
    ranked = np.sort(ranked | (pairs & _SHAPE).astype(np.uint64))
    function = (ranked >> np.uint64(SHAPE_BITS + _RANK_BITS)).astype(np.int64)
    kept = np.arange(len(function)) - np.searchsorted(function, np.arange(functions))[function] < most
    function, shape = function[kept], (ranked[kept] & np.uint64(_SHAPE)).astype(np.int64)
    return Candidates(function, shape, shared[np.searchsorted(pairs, function << SHAPE_BITS | shape)])


def _used(counts: Numbers, owners: Numbers, functions: int) -> npt.NDArray[np.bool_]:
    """Which keys count: rare ones, and the common ones of functions that have none of these."""
    is_rare = (counts > 0) & (counts <= LARGEST_POSTING)
    has_rare = np.bincount(owners[is_rare], minlength=functions) > 0
    used: npt.NDArray[np.bool_] = is_rare | ~has_rare[owners]
    return used
