"""Functions -> the shapes of an index that share most keys with each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from detector.code.sketch import Sketches
from detector.code.sorting import Numbers
from detector.index import postings


@dataclass(frozen=True, slots=True)
class Candidates:
    """Shapes that functions may be copies of: function[i] shares so many keys with shape[i]."""

    function: Numbers
    shape: Numbers
    shared: Numbers


def candidates(connection: sqlite3.Connection, sketches: Sketches, most: int) -> Candidates:
    """The `most` shapes of each function that share most keys with it, by function."""
    places, shapes = postings.lookup(connection, sketches.keys)
    owners = np.repeat(np.arange(len(sketches.offsets) - 1), np.diff(sketches.offsets))[places]
    pairs, shared = np.unique(np.stack([owners, shapes]), axis=1, return_counts=True)
    by_function = np.lexsort((pairs[1], -shared, pairs[0]))
    pairs, shared = pairs[:, by_function], shared[by_function]
    starts = np.searchsorted(pairs[0], pairs[0])
    kept = np.arange(len(shared)) - starts < most
    return Candidates(pairs[0][kept], pairs[1][kept], shared[kept])
