"""Rows and columns of matrices, each by a part of its values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.artifacts.weights.axes import Axis, Lines
from detector.artifacts.weights.correspondence import Order
from detector.artifacts.weights.sketch import matrix_shape, standardised
from detector.artifacts.weights.slices import as_values
from detector.artifacts.weights.stored import Values, Weights
from detector.settings.mapping import LINE_VALUES, SKETCH_PLACES

# Values that are in memory while rows are read one after the other.
_MOST_AT_ONCE = 1 << 22
_MOST_LINES = 1 << 11


def looked_at(along: Axis) -> Order:
    """Which of the places along a line are looked at: a run of those of the suspect."""
    count = len(along.ours)
    first = int(SKETCH_PLACES[0] * (count - min(LINE_VALUES, count)))
    return np.arange(first, first + min(LINE_VALUES, count))


def line_sketches(weights: Weights, lines: Lines, places: Order, chosen: Sequence[int] | None = None) -> Values:
    """Values at these places of every line, or of the chosen ones, ready to be correlated.

    Shapes: lines x places.
    Errors: CannotReadValues.
    """
    read = _columns if lines.is_turned else _rows
    found = read(weights, lines.name, places, chosen)
    for begin in range(0, len(found), _MOST_LINES):
        some = slice(begin, begin + _MOST_LINES)
        found[some] = standardised(np.nan_to_num(found[some], nan=0.0, posinf=0.0, neginf=0.0))
    return found


def _columns(weights: Weights, name: str, places: Order, chosen: Sequence[int] | None) -> Values:
    """Columns at some rows: only these are read."""
    width = matrix_shape(weights.tensors[name])[1]
    low, high = int(places.min()), int(places.max()) + 1
    if high - low == len(places):
        block = weights.raw(name, low * width, (high - low) * width).reshape(high - low, width)[places - low]
    else:
        block = np.stack([weights.raw(name, row * width, width) for row in places.tolist()])
    return np.ascontiguousarray(as_values(block if chosen is None else block[:, chosen]).T)


def _rows(weights: Weights, name: str, places: Order, chosen: Sequence[int] | None) -> Values:
    """Rows at some columns: all is read, or the chosen rows."""
    rows, width = matrix_shape(weights.tensors[name])
    if chosen is not None:
        return np.stack([as_values(weights.raw(name, row * width, width)[places]) for row in chosen])
    step = max(1, _MOST_AT_ONCE // width)
    found = np.empty((rows, len(places)), np.float32)
    for begin in range(0, rows, step):
        end = min(begin + step, rows)
        block = weights.raw(name, begin * width, (end - begin) * width).reshape(end - begin, width)
        found[begin:end] = as_values(block[:, places])
    return found
