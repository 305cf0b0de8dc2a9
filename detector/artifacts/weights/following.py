"""Vectors that are left -> the vectors that they are in the order of an axis of matrices that are certain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from detector.artifacts.weights.assigned import Candidate, assign
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
    candidates: list[tuple[Candidate, Axis]] = []
    for axis in axes:
        here = [each for each in mine.values() if len(each.values) == axis.our_length]
        there = [each for each in its.values() if len(each.values) == axis.their_length]
        assigned = assign(
            [sketch(each.name, each.values[axis.ours]) for each in here],
            [sketch(each.name, each.values[axis.theirs]) for each in there],
        )
        candidates += [(each, axis) for each in assigned if each.is_certain]
    # Some of what one axis puts right is right along another too: the best one of each place counts.
    found: list[Pair] = []
    taken: defaultdict[tuple[bool, str], set[int]] = defaultdict(set)
    for each, axis in sorted(candidates, key=lambda each: -abs(each[0].correlation)):
        mine_taken, its_taken = taken[False, each.ours.name], taken[True, each.theirs.name]
        if mine_taken.isdisjoint(axis.ours.tolist()) and its_taken.isdisjoint(axis.theirs.tolist()):
            mine_taken.update(axis.ours.tolist())
            its_taken.update(axis.theirs.tolist())
            margin = abs(each.correlation) - each.next_best
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
