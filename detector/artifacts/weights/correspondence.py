"""Which tensor stands for which, and how one is laid out within the other."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]


class Arrangement(enum.StrEnum):
    """How a tensor of the suspect stands in the one of the reference."""

    SAME = "same"  # value by value
    TRANSPOSED = "transposed"
    PERMUTED = "permuted"  # rows, columns or both in another order
    ROTATED = "rotated"  # multiplied by an orthogonal matrix: no value by itself corresponds
    ROWS = "rows"  # a run of rows of one is a run of rows of the other: fused, split, or rows added


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tensors, or a piece of one and a piece of the other, that correspond.

    Shapes: matrices have `rows` x `columns` as numpy reads them, whatever dimensions follow the first are columns.
            `rows[i]` of the suspect is the row of the reference that stands for the suspect's i-th; None: in order.
            Where a side is transposed, rows and columns are those that it has then.
    """

    ours: str
    theirs: str
    arrangement: Arrangement
    correlation: float  # of the slices that were compared, signed, -1..1; 1 where constants are equal
    margin: float  # to the best other candidate, 0..1
    is_certain: bool  # whether chance is ruled out; otherwise only names and order speak for it
    our_rows: tuple[int, int] = (0, 0)  # first row and number of rows, of ROWS
    their_rows: tuple[int, int] = (0, 0)
    rows: Order | None = None  # of PERMUTED
    columns: Order | None = None
    ours_transposed: bool = False  # the suspect's matrix is turned before anything else; of ROWS
    theirs_transposed: bool = False  # the reference's is; of TRANSPOSED and ROWS


@dataclass(frozen=True, slots=True)
class Mapping:
    """All that corresponds between two checkpoints."""

    pairs: tuple[Pair, ...]  # in the order of the suspect's names
    unmatched: tuple[str, ...]  # tensors of the suspect without a counterpart
    unmatched_there: tuple[str, ...]
    dropped_layers: tuple[str, ...] = ()  # of the reference, by prefix: "encoder.layer.4"
    added_layers: tuple[str, ...] = ()  # of the suspect
    unread: tuple[str, ...] = ()  # what could not be read or was not compared, and why: one line each
