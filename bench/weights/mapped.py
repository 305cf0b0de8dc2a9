"""How many tensors of a case the mapping finds, judged by the values that it lays side by side."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.weights.cases import Case
from detector.artifacts.weights.aligned import blocks
from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.stored import Weights, stored_bytes
from detector.read import open_target

LEAST_VECTOR_CORRELATION = 0.3  # biases are small beside the noise


@dataclass(frozen=True, slots=True)
class Mapped:
    """What was found of what is there to be found."""

    matrices: int
    found_matrices: int
    tensors: int
    found_tensors: int
    missing: tuple[str, ...]  # of the matrices
    read_bytes: int
    all_bytes: int


def measure(case: Case, suspect: Path, reference: Path, is_sampled: bool = False) -> Mapped:
    """Map two folders that hold the case's tensors."""
    with open_target(str(suspect)) as ours_repo, open_target(str(reference)) as theirs_repo:
        (ours,), (theirs,) = open_weights(ours_repo.files).found, open_weights(theirs_repo.files).found
        mapping = map_tensors(ours, theirs, is_sampled)
        read = ours.bytes_read + theirs.bytes_read
        by_name: defaultdict[str, list[Pair]] = defaultdict(list)
        for pair in mapping.pairs:
            by_name[pair.ours].append(pair)
        right = {
            name
            for name, wanted in case.truth.items()
            if wanted
            and {pair.theirs for pair in by_name[name]} == wanted
            and all(_agree(ours, theirs, pair, _least(case, name)) for pair in by_name[name])
        }
    wanted = [name for name, made_of in case.truth.items() if made_of]
    matrices = [name for name in wanted if case.suspect[name].ndim == 2]
    return Mapped(
        len(matrices), len(right & set(matrices)), len(wanted), len(right),
        tuple(name for name in matrices if name not in right), read,
        sum(stored_bytes(tensor) for side in (ours, theirs) for tensor in side.tensors.values()),
    )  # fmt: skip


def _least(case: Case, name: str) -> float:
    return case.least_correlation if case.suspect[name].ndim > 1 else LEAST_VECTOR_CORRELATION


def _agree(ours: Weights, theirs: Weights, pair: Pair, least: float) -> bool:
    """Whether a pair lays the same values side by side."""
    if pair.arrangement is Arrangement.ROTATED:  # no value by itself corresponds
        return True
    one, other = (
        np.concatenate([each.ravel() for each in side]) for side in zip(*blocks(ours, theirs, pair), strict=True)
    )
    if np.array_equal(one, other):
        return True
    with np.errstate(invalid="ignore"):
        return bool(np.corrcoef(one, other)[0, 1] >= least)
