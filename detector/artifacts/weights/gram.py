"""Matrices that are left -> those of which one is the other times an orthogonal matrix.

Method: products of rows with each other are the same before and after all rows are rotated alike. The rows themselves
        have to be in order: a rotation of what was permuted besides is not found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from detector.artifacts.weights.assigned import assign
from detector.artifacts.weights.axes import Lines
from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.searching import Budget
from detector.artifacts.weights.sketch import Sketch, matrix_shape, sketch
from detector.artifacts.weights.slices import as_values
from detector.artifacts.weights.stored import CannotReadValues, Values, Weights
from detector.settings.mapping import (
    FEWEST_ROTATED,
    FEWEST_VALUES,
    GRAM_ROWS,
    LEAST_GRAM,
    LEAST_ROTATED,
    SKETCH_PLACES,
)

_MOST_AT_ONCE = 1 << 22


def rotations(
    ours: Weights, theirs: Weights, names: Iterable[str], names_there: Iterable[str], budget: Budget
) -> list[Pair]:
    """Pairs of one shape whose rows, or whose columns, have the same products with each other."""
    found: dict[str, Pair] = {}
    taken: set[str] = set()
    mine, its = list(names), list(names_there)
    for is_turned in (False, True):
        there = _by_shape(theirs, its)
        for shape, some in sorted(_by_shape(ours, mine).items()):
            if shape not in there or _product_count(shape[is_turned]) < FEWEST_VALUES:
                continue
            candidates = assign(
                _products(ours, (name for name in some if name not in found), budget, is_turned=is_turned),
                _products(theirs, (name for name in there[shape] if name not in taken), budget, is_turned=is_turned),
            )
            for each in candidates:
                if each.is_certain and each.correlation >= LEAST_GRAM:
                    margin = each.correlation - each.next_best
                    pair = Pair(each.ours.name, each.theirs.name, Arrangement.ROTATED, each.correlation, margin, True)
                    found[pair.ours] = pair
                    taken.add(pair.theirs)
    left = sum(min(matrix_shape(ours.tensors[name])) > 1 for name in mine)
    is_whole_model = len(found) >= max(FEWEST_ROTATED, LEAST_ROTATED * left)
    return list(found.values()) if is_whole_model else []


def _by_shape(weights: Weights, names: Iterable[str]) -> dict[tuple[int, int], list[str]]:
    found: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for name in names:
        shape = matrix_shape(weights.tensors[name])
        if min(shape) > 1:
            found[shape].append(name)
    return found


def _products(weights: Weights, names: Iterable[str], budget: Budget, *, is_turned: bool) -> list[Sketch]:
    """The products of some rows, or columns, of each matrix with each other, but not with themselves."""
    found = []
    for name in names:
        # Whole columns are only had by reading all rows.
        if not budget.takes(Lines(name, not is_turned), weights.tensors):
            continue
        try:
            rows = (_columns if is_turned else _rows)(weights, name)
        except CannotReadValues:
            continue
        rows = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64)
        products = rows @ rows.T
        made = sketch(name, as_values(products[np.triu_indices(len(products), 1)]))
        if not made.is_constant:
            found.append(made)
    return found


def _product_count(lines: int) -> int:
    """How many products so many rows, or columns, have with each other."""
    count = min(GRAM_ROWS, lines)
    return count * (count - 1) // 2


def _rows(weights: Weights, name: str) -> Values:
    rows, width = matrix_shape(weights.tensors[name])
    count = min(GRAM_ROWS, rows)
    return weights.values(name, int(SKETCH_PLACES[0] * (rows - count)) * width, count * width).reshape(count, width)


def _columns(weights: Weights, name: str) -> Values:
    rows, width = matrix_shape(weights.tensors[name])
    count = min(GRAM_ROWS, width)
    first, step = int(SKETCH_PLACES[0] * (width - count)), max(1, _MOST_AT_ONCE // width)
    found = np.empty((count, rows), np.float32)
    for begin in range(0, rows, step):
        end = min(begin + step, rows)
        block = weights.raw(name, begin * width, (end - begin) * width).reshape(end - begin, width)
        found[:, begin:end] = as_values(block[:, first : first + count]).T
    return found
