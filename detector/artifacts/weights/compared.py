"""Two checkpoints and what corresponds in them -> the relation of every tensor, and the noise that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from detector.artifacts.weights.aligned import blocks, sample
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.grids import grid
from detector.artifacts.weights.noise import Noise, settled
from detector.artifacts.weights.passes import guess, run
from detector.artifacts.weights.relations import TensorRelation, Told, relation_of
from detector.artifacts.weights.residuals import look
from detector.artifacts.weights.shown import Window, is_smooth, sliced_block
from detector.artifacts.weights.sketch import matrix_shape, shape_of
from detector.artifacts.weights.stored import CannotReadValues, Stored, Weights, stored_bytes
from detector.model import Depth, Skipped
from detector.settings.weights import (
    FEWEST_SLICED,
    MOST_SAMPLED,
    MOST_SLICED,
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
    is_sampled = depth is not Depth.FULL
    budget = _Budget(ours)
    told: list[Told] = []
    skipped: list[Skipped] = []
    for done, pair in enumerate(mapping.pairs):
        if tell is not None:
            tell(done, len(mapping.pairs))
        try:
            told.append(_told(ours, theirs, pair, budget if is_sampled else None))
        except CannotReadValues as error:
            skipped.append(Skipped(ours.tensors[pair.ours].path, str(error)))
            told.append(_unread(ours, pair))
    told += _without_counterpart(ours, theirs, mapping)
    order = {name: number for number, name in enumerate(ours.tensors)}
    told.sort(key=lambda each: order[each.ours])  # pieces of one tensor stay as the mapping has them
    tensors, noise = settled(told)
    return Compared(ours, theirs, mapping, tensors, noise, is_sampled, tuple(skipped))


class _Budget:
    """Bytes that blocks of rows may still take where slices are read only; the first one is always looked at."""

    def __init__(self, ours: Weights) -> None:
        whole = sum(stored_bytes(tensor) for tensor in ours.tensors.values())
        self._left = SLICED_BLOCK_SHARE * whole
        self._is_first = True

    def allows(self, tensor: Stored) -> bool:
        rows, columns = matrix_shape(tensor)
        if min(rows, columns) < SLICED_BLOCK_ROWS:
            return False
        size = stored_bytes(tensor) / rows * SLICED_BLOCK_ROWS
        if size > self._left and not self._is_first:
            return False
        self._left -= size
        self._is_first = False
        return True


def _told(ours: Weights, theirs: Weights, pair: Pair, budget: _Budget | None) -> Told:
    if pair.arrangement is Arrangement.ROTATED:
        found = TensorRelation.ROTATED if pair.is_certain else TensorRelation.UNDETERMINED
        return replace(_unread(ours, pair), relation=found, note="told by what turning leaves as it is")
    tensor = ours.tensors[pair.ours]
    whole = _parameters(ours, pair)
    sliced = min(whole, max(FEWEST_SLICED, min(MOST_SLICED, int(SLICED_SHARE * whole))))
    one, other = sample(ours, theirs, pair, MOST_SAMPLED if budget is None else sliced)
    guessed = guess(one, other, tensor.dtype, theirs.tensors[pair.theirs].dtype)
    if budget is None:
        window = _window(ours, pair)
        sums = run(window.passing(blocks(ours, theirs, pair)), guessed)
        block = window.block()
    else:
        sums = run([(one, other)], guessed)
        is_worth = _is_matrix(tensor) and sums.equal < sums.count and abs(sums.correlation) > 0
        block = sliced_block(ours, theirs, pair) if is_worth and budget.allows(tensor) else None
    is_matrix = _is_matrix(tensor)
    residual = look(sums, one, other, block if is_matrix else None)
    on_grid = grid(*block, guessed.dtype) if block is not None and is_matrix else None
    relation, note = relation_of(pair, sums, residual, on_grid)
    return Told(
        pair.ours,
        pair.theirs,
        pair.arrangement,
        relation,
        whole,
        is_matrix,
        sums,
        residual,
        on_grid,
        block is not None and is_smooth(block[0]),
        sums.correlation,
        note,
    )


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
