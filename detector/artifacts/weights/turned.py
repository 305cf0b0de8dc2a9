"""Matrices that are left -> those that are transposes of each other, by a square out of the middle of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from detector.artifacts.weights.assigned import assign
from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.sketch import Sketch, matrix_shape, sketch
from detector.artifacts.weights.slices import Slice, read_slices
from detector.artifacts.weights.stored import Weights
from detector.settings.mapping import SKETCH_PLACES, SQUARE, SQUARES_SHARE, SQUARES_VALUES

Shape = tuple[int, int]


def transposes(
    ours: Weights, theirs: Weights, names: Iterable[str], names_there: Iterable[str], is_sampled: bool
) -> list[Pair]:
    """Pairs of which one side is the other turned, and chance is ruled out."""
    mine, its = _by_shape(ours, names), _by_shape(theirs, names_there)
    whole = sum(tensor.parameters for tensor in theirs.tensors.values())
    left = max(SQUARES_VALUES, int(SQUARES_SHARE * whole)) if is_sampled else None
    found: list[Pair] = []
    for shape in sorted(mine):
        there = its.get(shape[::-1])
        if not there:
            continue
        if left is not None:
            left -= SQUARE * max(len(mine[shape]) * shape[1], len(there) * shape[0])
            if left < 0:
                break
        candidates = assign(
            _squares(ours, mine[shape], shape, is_turned=False), _squares(theirs, there, shape, is_turned=True)
        )
        found += [
            Pair(
                each.ours.name,
                each.theirs.name,
                Arrangement.TRANSPOSED,
                each.correlation,
                abs(each.correlation) - each.next_best,
                True,
                theirs_transposed=True,
            )
            for each in candidates
            if each.is_certain
        ]
    return found


def _by_shape(weights: Weights, names: Iterable[str]) -> dict[Shape, list[str]]:
    found: defaultdict[Shape, list[str]] = defaultdict(list)
    for name in names:
        shape = matrix_shape(weights.tensors[name])
        if min(shape) > 1:
            found[shape].append(name)
    return found


def _squares(weights: Weights, names: Iterable[str], shape: Shape, *, is_turned: bool) -> list[Sketch]:
    """The same square of every matrix, in the order of the rows of `shape`; what is constant there is left out."""
    rows, columns = (min(SQUARE, size) for size in shape)
    row, column = (int(SKETCH_PLACES[0] * (size - part)) for size, part in zip(shape, (rows, columns), strict=True))
    if is_turned:
        rows, columns, row, column = columns, rows, column, row
    width = shape[0] if is_turned else shape[1]
    found = {}
    for each, values in read_slices(weights, [Slice(name, row * width, rows * width) for name in names]):
        if not isinstance(values, str):
            square = values.reshape(rows, width)[:, column : column + columns]
            found[each.name] = sketch(each.name, (square.T if is_turned else square).ravel())
    return [found[name] for name in sorted(found) if not found[name].is_constant]
