"""Two checkpoints and what corresponds in them -> the relation of every tensor, and the noise that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.artifacts.weights.aligned import blocks, sample
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.grids import grid
from detector.artifacts.weights.noise import Noise, settled
from detector.artifacts.weights.passes import Guess, Sums, guess, run
from detector.artifacts.weights.relations import TensorRelation, Told, relation_of
from detector.artifacts.weights.residuals import look
from detector.artifacts.weights.shown import Both, Window, is_smooth, sliced_block
from detector.artifacts.weights.sketch import COUNTERS, matrix_shape, shape_of
from detector.artifacts.weights.stored import CannotReadValues, Stored, Weights, stored_bytes
from detector.model import Depth, Skipped
from detector.settings.mapping import SAMPLE_PLACES
from detector.settings.weights import (
    FEWEST_SLICED,
    MOST_SAMPLED,
    MOST_SLICED,
    MOST_SLICED_BLOCK_BYTES,
    SLICED_BLOCK_ROWS,
    SLICED_BLOCK_SHARE,
    SLICED_SHARE,
)

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """All tensors of one checkpoint of the suspect beside one of the reference."""

    ours: Weights
    theirs: Weights
    mapping: Mapping
    tensors: tuple[Told, ...]  # in the order of the suspect's names
    noise: Noise | None  # if what was changed is noise
    is_sampled: bool
    skipped: tuple[Skipped, ...]


def compare(ours: Weights, theirs: Weights, mapping: Mapping, depth: Depth, tell: Tell | None = None) -> Compared:
    """Tell what was done to every tensor."""
    told: list[Told] = []
    skipped: list[Skipped] = []
    for done, pair in enumerate(mapping.pairs):
        if tell is not None:
            tell(done, len(mapping.pairs))
        try:
            told.append(_told(ours, theirs, pair, _sliced if depth is not Depth.FULL else _whole))
        except CannotReadValues as error:
            skipped.append(Skipped(ours.tensors[pair.ours].path, str(error)))
            told.append(_unread(ours, pair))
    if depth is not Depth.FULL:
        _look_at_blocks(ours, theirs, mapping.pairs, told)
    told += _without_counterpart(ours, theirs, mapping)
    order = {name: number for number, name in enumerate(ours.tensors)}
    told.sort(key=lambda each: order[each.ours])  # pieces of one tensor stay as the mapping has them
    tensors, noise = settled(told)
    return Compared(ours, theirs, mapping, tensors, noise, depth is not Depth.FULL, tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read of one pair."""

    sums: Sums
    sampled: Both
    block: Both | None


def _told(ours: Weights, theirs: Weights, pair: Pair, read: Callable[[Weights, Weights, Pair], _Seen]) -> Told:
    if pair.arrangement is Arrangement.ROTATED:
        found = TensorRelation.ROTATED if pair.is_certain else TensorRelation.UNDETERMINED
        return replace(_unread(ours, pair), relation=found, note="told by what turning leaves as it is")
    seen = read(ours, theirs, pair)
    sums, block = seen.sums, seen.block
    tensor = ours.tensors[pair.ours]
    is_matrix = _is_matrix(tensor)
    residual = look(sums, *seen.sampled, block if is_matrix else None)
    neighbours = block or _runs(pair, seen.sampled)
    on_grid = grid(*neighbours, sums.guess.dtype) if is_matrix and neighbours is not None else None
    relation, note = relation_of(pair, sums, residual, on_grid, tensor.dtype in COUNTERS)
    return Told(
        pair.ours,
        pair.theirs,
        pair.arrangement,
        relation,
        _parameters(ours, pair),
        is_matrix,
        sums,
        residual,
        on_grid,
        neighbours is not None and is_smooth(neighbours[0]),
        sums.correlation,
        note,
    )


def _whole(ours: Weights, theirs: Weights, pair: Pair) -> _Seen:
    """All values once, and a sample and a block of them besides."""
    one, other = sample(ours, theirs, pair, MOST_SAMPLED)
    window = _window(ours, pair)
    sums = run(window.passing(blocks(ours, theirs, pair)), _guess(ours, theirs, pair, (one, other)))
    return _Seen(sums, (one, other), window.block())


def _sliced(ours: Weights, theirs: Weights, pair: Pair) -> _Seen:
    """A few slices."""
    whole = _parameters(ours, pair)
    count = min(whole, max(FEWEST_SLICED, min(MOST_SLICED, int(SLICED_SHARE * whole))))
    sampled = sample(ours, theirs, pair, count)
    return _Seen(run([sampled], _guess(ours, theirs, pair, sampled)), sampled, None)


def _with_block(ours: Weights, theirs: Weights, pair: Pair) -> _Seen:
    """The same, and a block of rows."""
    return replace(_sliced(ours, theirs, pair), block=sliced_block(ours, theirs, pair))


def _guess(ours: Weights, theirs: Weights, pair: Pair, sampled: Both) -> Guess:
    return guess(*sampled, ours.tensors[pair.ours].dtype, theirs.tensors[pair.theirs].dtype)


def _runs(pair: Pair, sampled: Both) -> Both | None:
    """Slices of a sample as rows; what lies otherwise has no neighbours in it."""
    one, other = sampled
    places = len(SAMPLE_PLACES)
    if pair.arrangement is not Arrangement.SAME or not one.size or one.size % places:
        return None
    return one.reshape(places, -1), other.reshape(places, -1)


def _look_at_blocks(ours: Weights, theirs: Weights, pairs: Sequence[Pair], told: list[Told]) -> None:
    """Look at blocks of rows of matrices that were changed, those with the shortest rows first, within a budget."""
    left = SLICED_BLOCK_SHARE * sum(stored_bytes(tensor) for tensor in ours.tensors.values())
    changed = [place for place, each in enumerate(told) if each.is_changed and each.is_matrix]
    widths = {place: matrix_shape(ours.tensors[told[place].ours])[1] for place in changed}
    is_first = True
    for place in sorted(changed, key=lambda place: (widths[place], place)):
        tensor = ours.tensors[told[place].ours]
        size = stored_bytes(tensor) // matrix_shape(tensor)[0] * SLICED_BLOCK_ROWS
        if size > (MOST_SLICED_BLOCK_BYTES if is_first else left):
            break
        if min(matrix_shape(tensor)) < SLICED_BLOCK_ROWS or pairs[place].arrangement is not Arrangement.SAME:
            continue
        left -= size
        is_first = False
        try:
            told[place] = _told(ours, theirs, pairs[place], _with_block)
        except CannotReadValues:
            continue  # it was told without, and says so where all of it is read


def _is_matrix(tensor: Stored) -> bool:
    return len(shape_of(tensor)) > 1


def _parameters(ours: Weights, pair: Pair) -> int:
    tensor = ours.tensors[pair.ours]
    if not pair.our_rows[1]:
        return tensor.parameters
    rows, columns = matrix_shape(tensor)
    if pair.ours_transposed:
        columns = rows
    return pair.our_rows[1] * columns


def _window(ours: Weights, pair: Pair) -> Window:
    rows, columns = matrix_shape(ours.tensors[pair.ours])
    if pair.ours_transposed:
        rows, columns = columns, rows
    return Window(pair.our_rows[1] or rows, columns)


def _unread(ours: Weights, pair: Pair) -> Told:
    return Told(
        pair.ours,
        pair.theirs,
        pair.arrangement,
        TensorRelation.UNDETERMINED,
        _parameters(ours, pair),
        _is_matrix(ours.tensors[pair.ours]),
        correlation=float(np.nan_to_num(pair.correlation)),
        note="its values could not be read",
    )


def _without_counterpart(ours: Weights, theirs: Weights, mapping: Mapping) -> Iterator[Told]:
    """Tensors that nothing stands for: independent where something of their shape was left, alone otherwise."""
    left = {shape_of(theirs.tensors[name]) for name in mapping.unmatched_there}
    for name in mapping.unmatched:
        tensor = ours.tensors[name]
        found = TensorRelation.INDEPENDENT if shape_of(tensor) in left else TensorRelation.ALONE
        if not tensor.is_weight:
            found = TensorRelation.UNDETERMINED
        yield Told(name, "", Arrangement.SAME, found, tensor.parameters, _is_matrix(tensor))
