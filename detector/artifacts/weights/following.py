"""Vectors that are left -> the vectors that they are in the order of an axis of matrices that are certain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from detector.artifacts.weights.assigned import assign
from detector.artifacts.weights.axes import Axis
from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.sketch import Sketch, matrix_shape, sketch
from detector.artifacts.weights.slices import Slice, read_slices
from detector.artifacts.weights.stored import Weights


def vectors_along(
    ours: Weights, theirs: Weights, names: Sequence[str], names_there: Sequence[str], axes: Sequence[Axis]
) -> list[Pair]:
    """Pairs of vectors that agree when they are read along an axis that a pair of matrices has."""
    if not axes:
        return []
    mine, its = _vectors(ours, names), _vectors(theirs, names_there)
    found: list[Pair] = []
    done: set[str] = set()
    covered: dict[str, int] = {}
    for axis in axes:
        here = [each for name, each in mine.items() if len(each.values) == axis.our_length and name not in done]
        there = [each for name, each in its.items() if len(each.values) == axis.their_length and name not in done]
        candidates = assign(
            [sketch(each.name, each.values[axis.ours]) for each in here],
            [sketch(each.name, each.values[axis.theirs]) for each in there],
        )
        for each in candidates:
            if not each.is_certain:
                continue
            margin = abs(each.correlation) - each.next_best
            for side, size in ((each.ours.name, axis.our_length), (each.theirs.name, axis.their_length)):
                covered[side] = covered.get(side, 0) + len(axis.ours)
                if covered[side] >= size:
                    done.add(side)
            found += _pairs(each.ours.name, each.theirs.name, axis, each.correlation, margin)
    return found


def _pairs(ours: str, theirs: str, axis: Axis, correlation: float, margin: float) -> list[Pair]:
    if axis.is_whole and axis.our_length == axis.their_length:
        return [Pair(ours, theirs, Arrangement.PERMUTED, correlation, margin, True, rows=axis.theirs)]
    return [
        Pair(ours, theirs, Arrangement.ROWS, correlation, margin, True, (first, count), (there, count))
        for first, there, count in axis.runs()
    ]


def _vectors(weights: Weights, names: Iterable[str]) -> Mapping[str, Sketch]:
    """Whole vectors by name; what is constant tells nothing."""
    wanted = [Slice(name, 0, weights.tensors[name].parameters) for name in names if _is_vector(weights, name)]
    found = {
        each.name: sketch(each.name, values)
        for each, values in read_slices(weights, wanted)
        if not isinstance(values, str)
    }
    return {name: found[name] for name in sorted(found) if not found[name].is_constant}


def _is_vector(weights: Weights, name: str) -> bool:
    return min(matrix_shape(weights.tensors[name])) == 1
