"""A few values of a few tensors, at places that depend on shapes alone: enough to find who has the same.

Finding a copy among thousands of models takes less than telling what was done to it: some kilobytes of each.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.artifacts.weights.sketch import shape_of, sketch
from detector.artifacts.weights.slices import Slice, read_slices
from detector.artifacts.weights.stored import Stored, Values, Weights
from detector.settings.scan import (
    FEWEST_PROBE_VALUES,
    MOST_PROBE_VALUES,
    MOST_WHOLE_GROUP,
    PROBE_PLACES,
    PROBE_SHARE,
    PROBE_TENSORS,
)
from detector.settings.weights import SMOOTH_CORRELATION

Shape = tuple[int, ...]
# Where two tensors can be compared value by value: the first value of each slice, and how long their rows are.
Place = tuple[int, ...]
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """Values of one tensor."""

    shape: Shape
    rank: int  # among the tensors of its shape, by their names with numbers by what they are worth
    begins: tuple[int, ...]  # of the slices, which are equally long
    values: Values  # one slice after the other

    @property
    def slice_size(self) -> int:
        """How long each slice is: of a larger model they are longer."""
        return len(self.values) // len(self.begins)

    def cut(self, size: int) -> Values:
        """The same with slices no longer than that."""
        return self.values.reshape(len(self.begins), -1)[:, :size].ravel()

    @property
    def place(self) -> Place:
        """What two tensors have in common whose values can be compared; one may have more rows."""
        return (*self.begins, *self.shape[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What is read of one checkpoint."""

    path: str
    tensors: tuple[Probed, ...]  # by shape, then by rank
    bytes_read: int
    unread: tuple[str, ...] = ()  # why tensors are missing


def values(probe: Probe) -> Mapping[tuple[Shape, int], Values]:
    """Values by shape and rank: equally long, and from the same places, in two checkpoints of one layout."""
    return {(each.shape, each.rank): each.values for each in probe.tensors}


def probe(weights: Weights) -> Probe:
    """Read a checkpoint at the places that its shapes say.

    Errors: none; tensors that cannot be read are missing.
    """
    before = weights.bytes_read
    wanted = _wanted(weights)
    count = _count(weights)
    slices = {each: _slices(weights.tensors[each], count) for each in wanted}
    parts: defaultdict[str, dict[int, Values]] = defaultdict(dict)
    unread: dict[str, str] = {}
    for piece, found in read_slices(weights, (each for some in slices.values() for each in some)):
        if isinstance(found, str):
            unread.setdefault(piece.name, found)
        else:
            parts[piece.name][piece.begin] = found
    tensors = []
    for name, rank in wanted.items():
        if name not in unread and (begins := tuple(each.begin for each in slices[name])):
            whole = np.concatenate([parts[name][begin] for begin in begins])
            if telling(whole):
                tensors.append(Probed(shape_of(weights.tensors[name]), rank, begins, whole))
    tensors.sort(key=lambda each: (each.shape, each.rank))
    return Probe(weights.path, tuple(tensors), weights.bytes_read - before, tuple(unread.values()))


def largest(found: Sequence[Weights]) -> Weights | None:
    """The checkpoint that stands for a repository: of most numbers, which a pipeline's published parts are not.

    Ties: the one nearest to the top.
    """
    sizes = [sum(tensor.parameters for tensor in each.tensors.values()) for each in found]
    return found[max(range(len(found)), key=lambda place: (sizes[place], -place))] if found else None


def planned_bytes(weights: Weights) -> int:
    """What `probe` will read, but for what lies between slices that are read together."""
    count = _count(weights)
    return sum(
        weights.tensors[name].span(each.begin, each.count)[1]
        for name in _wanted(weights)
        for each in _slices(weights.tensors[name], count)
    )


def _wanted(weights: Weights) -> dict[str, int]:
    """The tensors to read, with their ranks: of rare shapes first, of equally rare ones those of most values.

    Groups that are small are read whole, so that it does not matter what a copy calls each tensor; of the next ones
    the first, the last and those between in equal steps.
    """
    groups: defaultdict[Shape, list[str]] = defaultdict(list)
    for name, tensor in weights.tensors.items():
        shape = shape_of(tensor)
        if len(shape) > 1 and tensor.is_weight and tensor.parameters >= FEWEST_PROBE_VALUES:
            groups[shape].append(name)
    ranked = sorted(groups, key=lambda shape: (len(groups[shape]), -math.prod(shape), shape))
    found: dict[str, int] = {}
    for shape in ranked:
        names = sorted(groups[shape], key=_natural)
        free = PROBE_TENSORS - len(found)
        if len(names) <= min(free, MOST_WHOLE_GROUP):
            found |= {name: rank for rank, name in enumerate(names)}
        elif len(names) > MOST_WHOLE_GROUP and free > 0:
            some = min(free, MOST_WHOLE_GROUP)
            ranks = sorted({round(each * (len(names) - 1) / max(some - 1, 1)) for each in range(some)})
            found |= {names[rank]: rank for rank in ranks}
    return found


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Names in the order of their numbers: the tenth layer after the second."""
    return tuple(
        (int(part), "") if part.isascii() and part.isdecimal() and len(part) < 10 else (-1, part)
        for part in _DIGITS.split(name)
    )


def _count(weights: Weights) -> int:
    """Values that are read of each tensor: by the size of the model in numbers, whatever type they are stored in."""
    parameters = sum(tensor.parameters for tensor in weights.tensors.values() if tensor.is_weight)
    share = int(parameters * PROBE_SHARE / PROBE_TENSORS)
    return min(max(share, FEWEST_PROBE_VALUES), MOST_PROBE_VALUES)


def _slices(tensor: Stored, count: int) -> list[Slice]:
    """Slices of one tensor, at rows that stay where they are when some are added."""
    shape = shape_of(tensor)
    width = math.prod(shape[1:])
    rows = 1 << (shape[0].bit_length() - 1)
    size = min(count, tensor.parameters) // len(PROBE_PLACES)
    begins = (min(int(place * rows) * width, tensor.parameters - size) for place in PROBE_PLACES)
    return [Slice(tensor.name, begin, size) for begin in dict.fromkeys(begins)]


def telling(some: Values) -> bool:
    """Whether values are those of a training: not constant, and not smooth as what a formula gives."""
    standard = sketch("", some).standard.astype(np.float64)
    if len(standard) < 2 or not standard.any():
        return False
    return bool(abs(float(standard[:-1] @ standard[1:])) <= SMOOTH_CORRELATION)


def mean(probes: Sequence[Probe]) -> Probe | None:
    """The mean of probes of one layout, which stands for the model that all of them come from; None of none."""
    tables = [values(each) for each in probes]
    if not tables:
        return None
    both = set(tables[0]).intersection(*tables[1:])
    tensors = []
    for each in probes[0].tensors:
        found = [table[each.shape, each.rank] for table in tables if (each.shape, each.rank) in both]
        if found and len({len(some) for some in found}) == 1:
            tensors.append(Probed(each.shape, each.rank, each.begins, np.mean(found, axis=0, dtype=np.float32)))
    return Probe("", tuple(tensors), 0)
