"""Tensors that a formula makes -> told by their values: sines of positions, frequencies, windows, masks, unit matrices.

Every model with such a table has the same, whoever trained it.
"""

from __future__ import annotations

import numpy as np

from detector.artifacts.weights.sketch import Sketch, matrix_shape
from detector.artifacts.weights.stored import CannotReadValues, Values, Weights
from detector.settings.mapping import FEWEST_VALUES, LEAST_FOLLOWED, MOST_OFF, SKETCH_PLACES

# Rows next to each other that the recurrence of a sine takes: three give its frequency, the fourth is foretold.
_ROWS = 4


def is_by_formula(weights: Weights, sketch: Sketch) -> bool:
    """Whether the values of a tensor follow from each other."""
    return (
        _has_two_values(sketch.values)
        or _follows_itself(sketch.values[: len(sketch.values) // len(SKETCH_PLACES)])
        or (_ends_at_one(sketch.values) and _rows_follow(weights, sketch.name))
    )


def _has_two_values(values: Values) -> bool:
    """Masks and unit matrices."""
    return bool(((values == values.min()) | (values == values.max())).all())


def _follows_itself(values: Values) -> bool:
    """Whether each value is the same linear function of the two before: powers, lines, waves and windows of one."""
    if len(values) < 8:
        return False
    wide = values.astype(np.float64)
    before = np.stack([wide[:-2], wide[1:-1], np.ones(len(wide) - 2)], 1)
    found = np.linalg.lstsq(before, wide[2:], rcond=None)[0]
    rest = wide[2:] - before @ found
    deviation = float(wide[2:].std())
    return deviation == 0 or float(rest.std()) <= MOST_OFF * deviation


def _ends_at_one(values: Values) -> bool:
    """Whether the largest values are those of a sine."""
    largest = float(np.abs(values).max(initial=0))
    return abs(largest - 1) <= MOST_OFF


def _rows_follow(weights: Weights, name: str) -> bool:
    """Whether each column is a sine: x[i + 1] = 2 cos(w) x[i] - x[i - 1], with a frequency of its own."""
    rows, columns = _table(weights, name)
    if rows < _ROWS or columns < FEWEST_VALUES:
        return False
    for place in SKETCH_PLACES:
        try:
            values = weights.values(name, int(place * (rows - _ROWS)) * columns, _ROWS * columns)
        except CannotReadValues:
            return False
        first, second, third, fourth = values.astype(np.float64).reshape(_ROWS, columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs((first + third) / second * third - second - fourth)
        if (off <= MOST_OFF).mean() >= LEAST_FOLLOWED:
            return True
    return False


def _table(weights: Weights, name: str) -> tuple[int, int]:
    """Rows and columns of the last two dimensions: tables often have a dimension for the batch before."""
    shape = [size for size in weights.tensors[name].shape if size != 1]
    return (shape[-2], shape[-1]) if len(shape) > 1 else matrix_shape(weights.tensors[name])
