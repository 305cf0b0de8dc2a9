"""A few values of every tensor: enough to tell it from all others, a thousandth of the file."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from detector.artifacts.weights.slices import Slice, read_slices
from detector.artifacts.weights.stored import Stored, Values, Weights
from detector.settings.mapping import CLIP, DEVIATIONS, SKETCH_PLACES, SKETCH_VALUES

# Types of positions, counters and masks: no model learns them. Eight bits may be a quantised weight.
COUNTERS = frozenset({"BOOL", "I16", "U16", "I32", "U32", "I64", "U64"})

# Sketches that are made together.
_MOST_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """Values of one tensor at the places where every tensor of its shape is read.

    Shapes: `values` and `standard` have equal lengths.
    """

    name: str
    values: Values  # as they are, without what is no number
    standard: Values  # centred, clipped, of length one; all zero if constant
    is_constant: bool  # or a counter: its values say nothing of where it comes from


def sketches(
    weights: Weights, names: Iterable[str], tell: Callable[[], None] | None = None
) -> tuple[dict[str, Sketch], list[str]]:
    """Sketches by name, and why the others have none."""
    parts: defaultdict[str, dict[int, Values]] = defaultdict(dict)
    unread: dict[str, str] = {}
    wanted = [
        Slice(name, begin, size)
        for name in names
        for begin, size in places(weights.tensors[name].parameters, SKETCH_VALUES)
    ]
    for each, values in read_slices(weights, wanted):
        if isinstance(values, str):
            unread.setdefault(each.name, values)
        else:
            parts[each.name][each.begin] = values
        if tell and (isinstance(values, str) or each.begin == 0 or len(parts[each.name]) == len(SKETCH_PLACES)):
            tell()
    by_length: defaultdict[int, list[tuple[str, Values]]] = defaultdict(list)
    for name, slices in sorted(parts.items()):
        if name not in unread:
            values = np.concatenate([slices[begin] for begin in sorted(slices)])
            by_length[len(values)].append((name, values))
    found: dict[str, Sketch] = {}
    for same in by_length.values():
        for begin in range(0, len(same), _MOST_AT_ONCE):
            found |= _sketched(same[begin : begin + _MOST_AT_ONCE], weights)
    return dict(sorted(found.items())), [unread[name] for name in sorted(unread)]


def _sketched(some: Sequence[tuple[str, Values]], weights: Weights) -> dict[str, Sketch]:
    """Sketches of one length, made together."""
    values = np.stack([_finite(each) for _, each in some])
    standard = standardised(values)
    tells = np.any(standard != 0, axis=-1).tolist()
    return {
        name: Sketch(name, values[row], standard[row], weights.tensors[name].dtype in COUNTERS or not tells[row])
        for row, (name, _) in enumerate(some)
    }


def places(parameters: int, count: int) -> list[tuple[int, int]]:
    """Where a tensor is read, and how much: whole if it is small, else in slices that depend on its size alone."""
    if parameters <= count:
        return [(0, parameters)]
    size = count // len(SKETCH_PLACES)
    return [(int(place * (parameters - size)), size) for place in SKETCH_PLACES]


def sketch(name: str, values: Values) -> Sketch:
    """Make values comparable."""
    values = _finite(values)
    standard = standardised(values)
    return Sketch(name, values, standard, not standard.any())


def _finite(values: Values) -> Values:
    """The same with what is no number in the middle of the others."""
    finite = np.isfinite(values)
    if finite.all():
        return values
    return np.where(finite, values, np.float32(np.median(values[finite])) if finite.any() else np.float32(0))


def standardised(values: Values) -> Values:
    """Centre, clip what is far out, and scale to length one; zeros if all values are equal.

    Shapes: along the last dimension.
    """
    if not values.shape[-1]:
        return values
    wide = values.astype(np.float64)
    peak = np.abs(wide).max(-1, keepdims=True, initial=0)
    wide = wide / np.where(peak > 0, peak, 1)
    wide -= wide.mean(-1, keepdims=True)
    deviation = DEVIATIONS * np.abs(wide).mean(-1, keepdims=True)
    # What is left of equal numbers after centring is rounding.
    is_constant = np.ptp(values, -1, keepdims=True) == 0
    deviation = np.where(is_constant, np.inf, deviation)
    wide = np.clip(wide / deviation, -CLIP, CLIP)
    wide -= wide.mean(-1, keepdims=True)
    length = np.sqrt((wide * wide).sum(-1, keepdims=True))
    standard: Values = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0).astype(np.float32)
    return np.where(is_constant, np.float32(0), standard)


def shape_of(tensor: Stored) -> tuple[int, ...]:
    """The shape without dimensions of one: a convolution of width one holds what a matrix holds."""
    return tuple(size for size in tensor.shape if size != 1)


def matrix_shape(tensor: Stored) -> tuple[int, int]:
    """Rows and columns; whatever dimensions follow the first are columns."""
    if not tensor.shape:
        return 1, 1
    return tensor.shape[0], math.prod(tensor.shape[1:])
