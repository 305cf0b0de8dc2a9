"""The values of a pair side by side: all of them, a block at a time, or a few."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.laid_out import LaidOut
from detector.artifacts.weights.slices import Slice, read_slices
from detector.artifacts.weights.stored import CannotReadValues, Values, Weights
from detector.settings.mapping import SAMPLE_PLACES

Both = tuple[Values, Values]


def blocks(ours: Weights, theirs: Weights, pair: Pair, most_values: int = 1 << 22) -> Iterator[Both]:
    """All values of both sides of a pair in the same order, some whole rows at a time.

    Shapes: two matrices of one shape; a vector is a matrix of one column. Of a row longer than `most_values` pieces
            come, as matrices of one row.
    Empty:  of ROTATED, where no value corresponds to one value.
    Errors: CannotReadValues.
    Memory: a few blocks; the reference's tensor besides where its rows are taken out of order.
    """
    if pair.arrangement is Arrangement.ROTATED:
        return
    if pair.arrangement is Arrangement.SAME:
        yield from _same(ours, theirs, pair, most_values)
        return
    mine, its = _sides(ours, theirs, pair)
    step = max(1, most_values // max(1, mine.columns))
    for begin in range(0, mine.rows, step):
        end = min(begin + step, mine.rows)
        yield mine.read(begin, end), its.read(begin, end)


def _same(ours: Weights, theirs: Weights, pair: Pair, most_values: int) -> Iterator[Both]:
    tensor = ours.tensors[pair.ours]
    count = min(tensor.parameters, theirs.tensors[pair.theirs].parameters)
    # A dimension of one says nothing: of a convolution of width one the rows are those of the matrix.
    shape = [size for size in tensor.shape if size != 1]
    width = math.prod(shape[1:]) if len(shape) > 1 else 1
    step = max(1, most_values // max(1, width)) * width if width <= most_values else most_values
    for begin in range(0, count, max(1, step)):
        size = min(step, count - begin)
        both = ours.values(pair.ours, begin, size), theirs.values(pair.theirs, begin, size)
        wide = width if size % max(1, width) == 0 else size
        yield both[0].reshape(-1, wide), both[1].reshape(-1, wide)


def sample(ours: Weights, theirs: Weights, pair: Pair, count: int) -> Both:
    """About `count` values of both sides of a pair in the same order, from a few fixed places.

    Shapes: two vectors of one length.
    Errors: CannotReadValues.
    """
    if pair.arrangement is Arrangement.ROTATED or count < 1:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    if pair.arrangement is Arrangement.SAME:
        return _sample_same(ours, theirs, pair, count)
    mine, its = _sides(ours, theirs, pair)
    if not mine.rows or not mine.columns:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    if pair.theirs_transposed != pair.ours_transposed and pair.rows is None:
        return _sample_turned(ours, theirs, pair, count)
    rows = min(mine.rows, max(1, -(-count // (mine.columns * len(SAMPLE_PLACES)))))
    found: list[Both] = []
    for begin in sorted({int(place * (mine.rows - rows)) for place in SAMPLE_PLACES}):
        found.append((mine.few(begin, begin + rows).ravel(), its.few(begin, begin + rows).ravel()))
        if sum(len(each) for each, _ in found) >= count:
            break
    return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])


def _sample_same(ours: Weights, theirs: Weights, pair: Pair, count: int) -> Both:
    whole = min(ours.tensors[pair.ours].parameters, theirs.tensors[pair.theirs].parameters)
    size = max(1, count // len(SAMPLE_PLACES))
    begins = [0] if whole <= count else [int(place * (whole - size)) for place in SAMPLE_PLACES]
    size = whole if whole <= count else size
    sides: list[Values] = []
    for weights, name in ((ours, pair.ours), (theirs, pair.theirs)):
        found: list[Values] = []
        for _, values in read_slices(weights, [Slice(name, begin, size) for begin in begins]):
            if isinstance(values, str):
                raise CannotReadValues(values)
            found.append(values)
        sides.append(np.concatenate(found))
    return sides[0], sides[1]


def _sample_turned(ours: Weights, theirs: Weights, pair: Pair, count: int) -> Both:
    """A square of values out of as many stored rows of either side: two reads, whatever the size."""
    # Rows as they are stored on the side that is not turned stand for columns of the other.
    side = math.isqrt(count - 1) + 1
    mine = LaidOut(ours, pair.ours)
    its = LaidOut(theirs, pair.theirs)
    our_first = pair.our_rows[0] if pair.ours_transposed else 0
    their_first = pair.their_rows[0] if pair.theirs_transposed else 0
    our_run = (0, mine.rows) if pair.ours_transposed or not pair.our_rows[1] else pair.our_rows
    their_run = (0, its.rows) if pair.theirs_transposed or not pair.their_rows[1] else pair.their_rows
    rows, columns = min(side, our_run[1]), min(side, their_run[1])
    place = SAMPLE_PLACES[len(SAMPLE_PLACES) // 2]
    row, column = int(place * (our_run[1] - rows)), int(place * (their_run[1] - columns))
    one = mine.read(our_run[0] + row, our_run[0] + row + rows)[:, our_first + column :][:, :columns]
    other = its.read(their_run[0] + column, their_run[0] + column + columns)[:, their_first + row :][:, :rows]
    return one.ravel(), other.T.ravel()


def _sides(ours: Weights, theirs: Weights, pair: Pair) -> tuple[LaidOut, LaidOut]:
    mine = LaidOut(ours, pair.ours, is_transposed=pair.ours_transposed, run=pair.our_rows)
    its = LaidOut(
        theirs,
        pair.theirs,
        is_transposed=pair.theirs_transposed,
        run=pair.their_rows,
        order=pair.rows,
        columns=pair.columns,
    )
    return mine, its
