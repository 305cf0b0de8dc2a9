"""A block of neighbouring rows of a pair: for singular values, grids, and what formulas make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.sketch import matrix_shape
from detector.artifacts.weights.stored import Values, Weights
from detector.settings.weights import (
    FEWEST_NEIGHBOURS,
    MOST_BLOCK_COLUMNS,
    MOST_BLOCK_ROWS,
    SLICED_BLOCK_ROWS,
    SMOOTH_CORRELATION,
)

Both = tuple[Values, Values]


class Window:
    """The middle rows of a matrix, kept while its blocks pass by.

    Shapes: matrices of at most MOST_BLOCK_ROWS x MOST_BLOCK_COLUMNS.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._first = max(0, (rows - MOST_BLOCK_ROWS) // 2)
        self._last = min(rows, self._first + MOST_BLOCK_ROWS)
        self._columns = columns
        self._kept: list[Both] = []

    def passing(self, blocks: Iterable[Both]) -> Iterator[Both]:
        """Hand every block on."""
        at = 0
        for ours, theirs in blocks:
            if ours.shape[1] == self._columns:  # not a piece of one long row
                low, high = max(self._first - at, 0), min(self._last - at, ours.shape[0])
                if low < high:
                    begin = max(0, (self._columns - MOST_BLOCK_COLUMNS) // 2)
                    end = begin + MOST_BLOCK_COLUMNS
                    self._kept.append((ours[low:high, begin:end].copy(), theirs[low:high, begin:end].copy()))
                at += ours.shape[0]
            yield ours, theirs

    def block(self) -> Both | None:
        """What was kept."""
        if not self._kept:
            return None
        return np.concatenate([one for one, _ in self._kept]), np.concatenate([other for _, other in self._kept])


def sliced_block(ours: Weights, theirs: Weights, pair: Pair) -> Both | None:
    """A few rows from the middle of a pair that lies the same on both sides; None of other pairs.

    Errors: CannotReadValues.
    """
    rows, columns = matrix_shape(ours.tensors[pair.ours])
    if pair.arrangement is not Arrangement.SAME or matrix_shape(theirs.tensors[pair.theirs]) != (rows, columns):
        return None
    count = min(rows, SLICED_BLOCK_ROWS)
    begin = (rows - count) // 2 * columns
    one, other = ours.values(pair.ours, begin, count * columns), theirs.values(pair.theirs, begin, count * columns)
    return one.reshape(count, columns), other.reshape(count, columns)


def is_smooth(values: Values) -> bool:
    """Whether neighbours along rows or columns are alike, as in tables of sines and filters that nobody trains."""
    if not np.isfinite(values).all():
        return False
    both = [each for each in (values, values.T) if each.shape[1] >= FEWEST_NEIGHBOURS]
    return any(_neighbours(each) > SMOOTH_CORRELATION for each in both)


def _neighbours(values: Values) -> float:
    """The mean correlation, without its sign, of each row with itself moved by one."""
    centred = values.astype(np.float64)
    centred = centred - centred.mean(axis=1, keepdims=True)
    energies = (centred**2).sum(axis=1)
    moved = (centred[:, 1:] * centred[:, :-1]).sum(axis=1)
    is_varied = energies > 0
    return float(np.abs(moved[is_varied] / energies[is_varied]).mean()) if is_varied.any() else 0.0
