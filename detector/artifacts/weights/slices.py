"""Slices of many tensors, read in few pieces: what lies side by side in a file is read at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.stored import CannotReadValues, Values, Weights
from detector.model import Skipped
from detector.settings.mapping import MOST_READ_TOGETHER_BYTES, READ_TOGETHER_BYTES


@dataclass(frozen=True, slots=True)
class Slice:
    """A run of values of one tensor, in the order of its rows."""

    name: str
    begin: int
    count: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slice lies in its file."""

    slice: Slice
    path: str
    begin: int
    end: int


def read_slices(weights: Weights, slices: Iterable[Slice]) -> Iterator[tuple[Slice, Values | str]]:
    """Values of every slice, or why they are not to be had; in the order of the file.

    Memory: one piece of MOST_READ_TOGETHER_BYTES, or the largest slice.
    """
    places: list[_Place] = []
    for each in slices:
        tensor = weights.tensors[each.name]
        try:
            begin, size = tensor.span(each.begin, each.count)
        except CannotReadValues as error:
            yield each, str(error)
        else:
            places.append(_Place(each, tensor.path, begin, begin + size))
    for together in _runs(sorted(places, key=lambda place: (place.path, place.begin, place.slice.name))):
        yield from _read_run(weights, together)


def _runs(places: Sequence[_Place]) -> Iterator[list[_Place]]:
    run: list[_Place] = []
    for place in places:
        if run and (
            place.path != run[-1].path
            or place.begin > run[-1].end + READ_TOGETHER_BYTES
            or place.end > run[0].begin + MOST_READ_TOGETHER_BYTES
        ):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _read_run(weights: Weights, run: Sequence[_Place]) -> Iterator[tuple[Slice, Values | str]]:
    begin, end = run[0].begin, max(place.end for place in run)
    data = weights.part(run[0].path, begin, end - begin) if end > begin else b""
    if isinstance(data, Skipped) or len(data) != end - begin:
        if len(run) == 1:
            yield run[0].slice, _one(weights, run[0].slice)
        else:  # perhaps one of them alone is at fault
            for place in run:
                yield from _read_run(weights, [place])
        return
    weights.bytes_read += len(data)
    for place in run:
        yield place.slice, _decoded(weights, place, data[place.begin - begin : place.end - begin])


def _decoded(weights: Weights, place: _Place, data: bytes) -> Values | str:
    try:
        return as_values(weights.tensors[place.slice.name].decoded(data, place.slice.begin, place.slice.count))
    except CannotReadValues as error:
        return str(error)


def _one(weights: Weights, each: Slice) -> Values | str:
    try:
        return weights.values(each.name, each.begin, each.count)
    except CannotReadValues as error:
        return str(error)


def as_values(raw: NDArray[Any]) -> Values:
    """Any numbers as 32-bit ones; what is too large for these becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return raw.astype(np.float32)
