"""How an axis of one tensor runs along an axis of another, and what that makes of two tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detector.artifacts.weights.correspondence import Arrangement, Order, Pair
from detector.artifacts.weights.sketch import matrix_shape
from detector.artifacts.weights.stored import Stored
from detector.settings.mapping import MOST_RUNS


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Places along an axis of the suspect's tensors, and the places of the reference's that stand for them.

    Shapes: `ours` ascends, `theirs` has the same length.
    """

    our_length: int
    their_length: int
    ours: Order
    theirs: Order

    @property
    def is_whole(self) -> bool:
        """Whether every place of the suspect has one of the reference."""
        return len(self.ours) == self.our_length

    @property
    def is_plain(self) -> bool:
        """Whether both sides have the same places in the same order."""
        return self.is_whole and self.our_length == self.their_length and bool((self.ours == self.theirs).all())

    @property
    def key(self) -> tuple[int, int, bytes, bytes]:
        """What two equal axes have in common."""
        return self.our_length, self.their_length, self.ours.tobytes(), self.theirs.tobytes()

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """First place of the suspect, of the reference, and number of places, of each run without a break."""
        if not len(self.ours):
            return
        breaks = np.flatnonzero((np.diff(self.ours) != 1) | (np.diff(self.theirs) != 1)) + 1
        edges = [0, *breaks.tolist(), len(self.ours)]
        for begin, end in pairwise(edges):
            yield int(self.ours[begin]), int(self.theirs[begin]), end - begin


def plain(length: int) -> Axis:
    """The axis that two tensors of one length have as they are."""
    order = np.arange(length)
    return Axis(length, length, order, order)


def axes_of(pairs: Sequence[Pair], ours: Stored, theirs: Stored) -> Iterator[Axis]:
    """Every axis that is not plain of a tensor and its counterpart, or of all runs that two have in common."""
    pair = pairs[0]
    if pair.arrangement not in (Arrangement.PERMUTED, Arrangement.ROWS):
        return
    mine, its = matrix_shape(ours), matrix_shape(theirs)
    our_rows, our_columns = mine[::-1] if pair.ours_transposed else mine
    their_rows, their_columns = its[::-1] if pair.theirs_transposed else its
    if pair.arrangement is Arrangement.ROWS:
        runs = sorted((each.our_rows, each.their_rows) for each in pairs)
        here = np.concatenate([np.arange(first, first + count) for (first, count), _ in runs])
        there = np.concatenate([np.arange(first, first + count) for _, (first, count) in runs])
        yield Axis(our_rows, their_rows, here, there)
    elif pair.rows is not None:
        yield Axis(our_rows, their_rows, np.arange(our_rows), pair.rows)
    if pair.columns is not None:
        yield Axis(our_columns, their_columns, np.arange(our_columns), pair.columns)


@dataclass(frozen=True, slots=True)
class Lines:
    """The rows of a tensor, or its columns."""

    name: str
    is_turned: bool  # columns

    def count(self, tensors: Mapping[str, Stored]) -> int:
        """How many there are."""
        return matrix_shape(tensors[self.name])[int(self.is_turned)]

    def length(self, tensors: Mapping[str, Stored]) -> int:
        """How many values each has."""
        return matrix_shape(tensors[self.name])[1 - int(self.is_turned)]


def pairs_of(ours: Lines, theirs: Lines, lines: Axis, along: Axis, correlation: float, margin: float) -> list[Pair]:
    """What it makes of two tensors that their lines run as `lines`, and the values of each line as `along`."""

    def pair(arrangement: Arrangement, **rest: object) -> Pair:
        return Pair(ours.name, theirs.name, arrangement, correlation, margin, True, **rest)  # type: ignore[arg-type]

    if not along.is_whole:
        return []
    is_turned = ours.is_turned != theirs.is_turned
    inner = None if along.is_plain else along.theirs
    if lines.is_whole and lines.is_plain and inner is None:
        return [pair(Arrangement.TRANSPOSED, theirs_transposed=True) if is_turned else pair(Arrangement.SAME)]
    runs = list(lines.runs())
    if lines.is_whole and (lines.our_length == lines.their_length or len(runs) > MOST_RUNS):
        outer = None if lines.is_plain else lines.theirs
        rows, columns = (inner, outer) if ours.is_turned else (outer, inner)
        return [pair(Arrangement.PERMUTED, rows=rows, columns=columns, theirs_transposed=is_turned)]
    return [
        pair(
            Arrangement.ROWS,
            our_rows=(first, count),
            their_rows=(there, count),
            columns=inner,
            ours_transposed=ours.is_turned,
            theirs_transposed=theirs.is_turned,
        )
        for first, there, count in runs[:MOST_RUNS]
    ]
