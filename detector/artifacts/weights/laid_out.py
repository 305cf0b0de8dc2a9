"""One side of a pair, laid out so that its rows are those of the other side: turned, cut and put in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.correspondence import Order
from detector.artifacts.weights.sketch import matrix_shape
from detector.artifacts.weights.slices import as_values
from detector.artifacts.weights.stored import Values, Weights
from detector.settings.mapping import MOST_HELD


class LaidOut:
    """The rows of a tensor, after it is turned, cut to a run of rows and put in another order.

    Memory: the tensor in its own type, where rows are not read in order and it has at most MOST_HELD values.
    """

    def __init__(
        self,
        weights: Weights,
        name: str,
        *,
        is_transposed: bool = False,
        run: tuple[int, int] = (0, 0),
        order: Order | None = None,
        columns: Order | None = None,
    ) -> None:
        self._weights, self._name = weights, name
        self._stored_shape = matrix_shape(weights.tensors[name])
        self._is_transposed, self._order, self._columns = is_transposed, order, columns
        rows, self.columns = self._stored_shape[::-1] if is_transposed else self._stored_shape
        first, count = run if run[1] else (0, rows)
        self._first = min(first, rows)
        self.rows = min(count, rows - self._first)
        self._held: NDArray[Any] | None = None

    def read(self, begin: int, end: int) -> Values:
        """Rows from `begin` on and before `end`.

        Errors: CannotReadValues.
        """
        if self._order is not None:
            found = self._scattered(self._first + self._order[begin:end])
        elif self._is_transposed:
            found = self._turned(self._first + begin, self._first + end)
        else:
            found = self._plain(self._first + begin, self._first + end)
        return found if self._columns is None else found[:, self._columns]

    def few(self, begin: int, end: int) -> Values:
        """The same without reading the whole tensor: for a few rows."""
        if self._order is not None and self._held is None and not self._is_transposed:
            return self._cut(np.stack([self._plain(row, row + 1)[0] for row in self._numbers(begin, end)]))
        return self.read(begin, end)

    def _numbers(self, begin: int, end: int) -> list[int]:
        assert self._order is not None
        numbers: list[int] = (self._first + self._order[begin:end]).tolist()
        return numbers

    def _cut(self, found: Values) -> Values:
        return found if self._columns is None else found[:, self._columns]

    def _plain(self, begin: int, end: int) -> Values:
        width = self._stored_shape[1]
        return self._weights.values(self._name, begin * width, (end - begin) * width).reshape(end - begin, width)

    def _whole(self) -> NDArray[Any] | None:
        """The matrix as it is stored, if it may be held."""
        rows, columns = self._stored_shape
        if self._held is None and rows * columns <= MOST_HELD:
            self._held = self._weights.raw(self._name, 0, rows * columns).reshape(rows, columns)
        return self._held

    def _turned(self, begin: int, end: int) -> Values:
        held = self._whole()
        if held is not None:
            return as_values(held[:, begin:end]).T
        rows, width = self._stored_shape
        return np.stack([self._weights.values(self._name, row * width + begin, end - begin) for row in range(rows)]).T

    def _scattered(self, numbers: Order) -> Values:
        held = self._whole()
        if held is not None:
            return as_values(held[:, numbers].T if self._is_transposed else held[numbers])
        if self._is_transposed:
            return np.concatenate([self._turned(row, row + 1) for row in numbers.tolist()])
        return np.concatenate([self._plain(row, row + 1) for row in numbers.tolist()])
