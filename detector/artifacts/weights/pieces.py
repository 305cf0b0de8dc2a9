"""Tensors that are a run of rows of another: fused, split, or with rows added, at the places where these begin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from detector.artifacts.weights.assigned import Candidate, assign
from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.sketch import Sketch, matrix_shape, places, sketch
from detector.artifacts.weights.slices import Slice, read_slices
from detector.artifacts.weights.stored import Values, Weights
from detector.settings.mapping import MOST_MULTIPLES, MOST_PIECES, SKETCH_VALUES

ByShape = Mapping[int, Mapping[int, list[str]]]  # columns -> rows -> names


@dataclass(frozen=True, slots=True)
class _Piece:
    """So many rows of a tensor, from one on."""

    name: str
    first: int
    rows: int


def runs_of_rows(
    ours: Weights,
    theirs: Weights,
    names: tuple[Iterable[str], Iterable[str]],
    known: tuple[Mapping[str, Sketch], Mapping[str, Sketch]],
) -> list[Pair]:
    """Pairs of which one side, at a place where one would begin, holds all of the other.

    names: what is left of both sides.
    known: sketches of both sides.
    """
    mine, its = _by_shape(ours, names[0], known[0]), _by_shape(theirs, names[1], known[1])
    found = []
    for each, piece in _contained(theirs, its, mine, known[0]):
        found.append(_pair(each, each.ours.name, piece.name, (0, piece.rows), (piece.first, piece.rows)))
    for each, piece in _contained(ours, mine, its, known[1]):
        found.append(_pair(each, piece.name, each.ours.name, (piece.first, piece.rows), (0, piece.rows)))
    return found


def _pair(found: Candidate, ours: str, theirs: str, our_rows: tuple[int, int], their_rows: tuple[int, int]) -> Pair:
    margin = abs(found.correlation) - found.next_best
    return Pair(ours, theirs, Arrangement.ROWS, found.correlation, margin, True, our_rows, their_rows)


def _by_shape(weights: Weights, names: Iterable[str], known: Mapping[str, Sketch]) -> ByShape:
    found: defaultdict[int, defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        if name in known and not known[name].is_constant:
            rows, columns = matrix_shape(weights.tensors[name])
            found[columns][rows].append(name)
    return found


def _contained(
    weights: Weights, large: ByShape, small: ByShape, known: Mapping[str, Sketch]
) -> Iterator[tuple[Candidate, _Piece]]:
    """Tensors of the one side that a piece of one of the other is like, each with its piece."""
    left = MOST_PIECES
    for columns in sorted(small):
        for rows, parts in sorted(small[columns].items()):
            pieces = [
                _Piece(name, first, rows)
                for their_rows, names in sorted(large.get(columns, {}).items())
                for first in _beginnings(rows, their_rows)
                for name in names
            ]
            left -= len(pieces)
            if left < 0:
                return
            sketched = _sketches(weights, pieces, columns)
            for candidate in assign([known[name] for name in parts], list(sketched)):
                if candidate.is_certain:
                    yield candidate, sketched[candidate.theirs]


def _beginnings(rows: int, their_rows: int) -> list[int]:
    """Where a piece of so many rows may begin: multiples of it from either end."""
    if rows >= their_rows:
        return []
    steps = np.arange(min(MOST_MULTIPLES, their_rows // rows)) * rows
    return sorted({*steps.tolist(), *(their_rows - rows - steps).tolist()})


def _sketches(weights: Weights, pieces: Iterable[_Piece], columns: int) -> dict[Sketch, _Piece]:
    """Sketches of pieces as if they were tensors; of what is constant or unreadable there is none."""
    slices: dict[_Piece, list[Slice]] = {}
    for piece in pieces:
        first = piece.first * columns
        slices[piece] = [
            Slice(piece.name, first + begin, count) for begin, count in places(piece.rows * columns, SKETCH_VALUES)
        ]
    wanted = sorted({each for some in slices.values() for each in some}, key=lambda each: (each.name, each.begin))
    values: dict[Slice, Values | str] = dict(read_slices(weights, wanted))
    found = {}
    for piece, some in slices.items():
        parts = [part for part in (values[each] for each in some) if not isinstance(part, str)]
        if len(parts) == len(some):
            made = sketch(piece.name, np.concatenate(parts))
            if not made.is_constant:
                found[made] = piece
    return found
