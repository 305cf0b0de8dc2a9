"""Which checkpoint of one target is compared with which of another, by the shapes that both have."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from detector.artifacts.weights.sketch import shape_of
from detector.artifacts.weights.stored import Weights
from detector.settings.weights import LEAST_SHAPE_OVERLAP, MOST_CHECKPOINT_PAIRS

Shape = tuple[int, ...]


def chosen(ours: Sequence[Weights], theirs: Sequence[Weights]) -> list[tuple[Weights, Weights]]:
    """Pair checkpoints, each once, those first that have most in common; the largest two where none has anything.

    Ties: the paths nearest to the top.
    """
    shapes = {id(each): _shapes(each) for each in (*ours, *theirs)}
    ranked = sorted(
        ((common_parameters(shapes[id(one)], shapes[id(other)]), one, other) for one in ours for other in theirs),
        key=lambda each: -each[0],
    )
    found: list[tuple[Weights, Weights]] = []
    done: set[int] = set()
    for common, one, other in ranked:
        least = LEAST_SHAPE_OVERLAP * min(_size(shapes[id(one)].items()), _size(shapes[id(other)].items()))
        if common > least and not done & {id(one), id(other)}:
            found.append((one, other))
            done |= {id(one), id(other)}
    if not found and ranked:
        found.append(max(((one, other) for _, one, other in ranked), key=lambda both: _least(shapes, both)))
    return found[:MOST_CHECKPOINT_PAIRS]


def common_parameters(ours: Counter[Shape], theirs: Counter[Shape]) -> int:
    """How many numbers are in tensors whose shape both have, whichever way they are turned."""
    return _size((ours & theirs).items())


def common_shapes(ours: Weights, theirs: Weights) -> tuple[int, int]:
    """How many tensors of two checkpoints have shapes in common, and how many numbers are in them."""
    common = _shapes(ours) & _shapes(theirs)
    return common.total(), _size(common.items())


def _shapes(weights: Weights) -> Counter[Shape]:
    return Counter(tuple(sorted(shape_of(tensor))) for tensor in weights.tensors.values())


def _size(shapes: Iterable[tuple[Shape, int]]) -> int:
    return sum(math.prod(shape) * count for shape, count in shapes)


def _least(shapes: dict[int, Counter[Shape]], both: tuple[Weights, Weights]) -> int:
    return min(_size(shapes[id(each)].items()) for each in both)
