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
    pairs, shared = np.unique((owners << 32) | shapes, return_counts=True)
    functions, shapes = pairs >> 32, pairs & 0xFFFFFFFF
    by_function = np.lexsort((shapes, -shared, functions))
    functions, shapes, shared = functions[by_function], shapes[by_function], shared[by_function]
    kept = np.arange(len(shared)) - np.searchsorted(functions, functions) < most
    return Candidates(functions[kept], shapes[kept], shared[kept])
