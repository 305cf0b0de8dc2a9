"""What two models changed of a base that both may have started from, and models that one may be a mixture of.

Source: Ilharco et al. 2023 (differences from a base as vectors); Wortsman et al. 2022 (soups of models).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.aligned import blocks, sample
from detector.artifacts.weights.compared import Compared
from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.correspondence import Mapping as Correspondence
from detector.artifacts.weights.relations import COPIES, TensorRelation, Told
from detector.artifacts.weights.spacing import steps
from detector.artifacts.weights.stored import CannotReadValues, Values, Weights
from detector.model import Depth
from detector.settings.weights import (
    COPIED_DELTA,
    FEWEST_SLICED,
    FEWEST_VALUES,
    KEPT_SLOPE,
    LEAST_PART,
    MOST_DELTA_VALUES,
    MOST_SLICED,
    MOST_SOUP_ROUNDINGS,
    NO_DELTA,
    SAME_PARTS,
    SIBLING_DELTA,
    SLICED_SHARE,
    SURE_ERRORS,
    TELLING_DIFFERENCE,
    WHOLE_SHARE,
)

Numbers = NDArray[np.float64]


class Explained(enum.StrEnum):
    """What a base explains of what a suspect and a reference have in common."""

    ALL = "common base only"  # the changes have little in common
    NOTHING = "not by the base"  # the changes are in common
    FURTHER = "the suspect has all of the reference's change, and more"  # as if it was trained on from there
    EARLIER = "the reference has all of the suspect's change, and more"
    BETWEEN = "undetermined"  # a fine-tune of the reference, or two that were trained alike
    SUSPECT_IS_BASE = "the suspect is the base"
    REFERENCE_IS_BASE = "the reference is the base"
    UNRELATED = "unrelated"  # nothing of the base is in both


@dataclass(frozen=True, slots=True)
class Delta:
    """The changes of one tensor since the base, or of all."""

    values: int  # looked at
    parameters: int  # that they stand for
    both: float  # sums of products of the changes, as many as there are parameters
    ours: float
    theirs: float
    base: float  # energy of the base's own values

    @property
    def correlation(self) -> float:
        """Of the changes; 0 where one side has none."""
        energies = math.sqrt(self.ours * self.theirs)
        return self.both / energies if energies > 0 else 0.0

    @property
    def slope(self) -> float:
        """How much of the reference's change the suspect has: 1 if it went on from there."""
        return self.both / self.theirs if self.theirs > 0 else 0.0

    @property
    def slope_there(self) -> float:
        """How much of the suspect's change the reference has."""
        return self.both / self.ours if self.ours > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Since:
    """What happened on both sides since a base."""

    base: str  # its name
    tensors: Mapping[str, Delta]  # by the suspect's names
    whole: Delta
    told: Explained


@dataclass(frozen=True, slots=True)
class Soup:
    """The suspect as a mixture of models."""

    parts: Mapping[str, float]  # by the names of the models; they add up to one
    tensors: int  # that agree in it
    spread: float  # the largest deviation of a tensor's part from the whole's


def since(
    compared: Compared, relation: TensorRelation, name: str, base: Weights, found: Correspondence, depth: Depth
) -> Since | None:
    """Compare what both sides changed since a base; None where the base has nothing of both.

    relation: of the suspect as a whole to the reference.
    """
    deltas: dict[str, Delta] = {}
    for told, values in _together(compared, [(base, found)], depth):
        ours, theirs, its = values
        assert told.sums is not None
        one, other = ours / told.sums.guess.factor - its, theirs - its
        each = told.parameters / ours.size
        deltas[told.ours] = Delta(
            ours.size,
            told.parameters,
            each * float(one @ other),
            each * float(one @ one),
            each * float(other @ other),
            each * float(((its - its.mean()) ** 2).sum()),
        )
    if not deltas:
        return None
    whole = Delta(
        sum(each.values for each in deltas.values()),
        sum(each.parameters for each in deltas.values()),
        *(math.fsum(getattr(each, part) for each in deltas.values()) for part in ("both", "ours", "theirs", "base")),
    )
    return Since(name, deltas, whole, _explained(whole, relation, list(deltas.values())))


def _explained(whole: Delta, relation: TensorRelation, deltas: Sequence[Delta]) -> Explained:
    """What the base explains: by the correlation of the changes, once there are changes.

    Noise, zeros and rounding, which copies have, are a change too; of copies the slope says whose they are: a copy of
    the reference has all of its change, a copy of the base nothing.
    """
    if whole.theirs <= NO_DELTA * whole.base:
        return Explained.REFERENCE_IS_BASE
    if whole.ours <= NO_DELTA * whole.base:
        return Explained.SUSPECT_IS_BASE
    if min(whole.ours, whole.theirs) > whole.base:
        return Explained.UNRELATED
    if whole.correlation >= COPIED_DELTA:
        return Explained.NOTHING
    if relation in COPIES:
        error = math.sqrt(whole.ours / (whole.theirs * whole.values))
        if abs(whole.slope - 0.5) < SURE_ERRORS * error:
            return Explained.BETWEEN
        return Explained.NOTHING if whole.slope > 0.5 else Explained.ALL
    if whole.correlation <= SIBLING_DELTA:
        return Explained.ALL
    if _is_kept(whole.slope, [(each.slope, each.parameters) for each in deltas]):
        return Explained.FURTHER
    if _is_kept(whole.slope_there, [(each.slope_there, each.parameters) for each in deltas]):
        return Explained.EARLIER
    return Explained.BETWEEN


def _is_kept(whole: float, slopes: Sequence[tuple[float, int]]) -> bool:
    """Whether one side has the other's change as it is, in nearly every matrix: two that were trained alike do not."""
    kept = sum(parameters for slope, parameters in slopes if abs(slope - 1) <= KEPT_SLOPE)
    return abs(whole - 1) <= KEPT_SLOPE / 2 and kept >= WHOLE_SHARE * sum(parameters for _, parameters in slopes)


def soup(
    compared: Compared, name: str, others: Mapping[str, tuple[Weights, Correspondence]], depth: Depth
) -> Soup | None:
    """Find the mixture of a reference and other models that the suspect is; None if it is none of them.

    name: of the reference. Mixtures add up to one: of models, or of a base and what models changed of it.
    """
    if not others:
        return None
    parts: list[Numbers] = []
    weights: list[int] = []
    for told, (ours, theirs, *models) in _together(compared, list(others.values()), depth):
        found = _mixture(ours, theirs, models, told)
        if found is None:
            return None
        if found.size:
            parts.append(found)
            weights.append(told.parameters)
    if not parts:
        return None
    table = np.array(parts)
    whole = np.average(table, axis=0, weights=weights)
    spread = float(np.abs(table - whole).max())
    shares = {name: 1 - float(whole.sum())} | dict(zip(others, map(float, whole), strict=True))
    shares = {each: share for each, share in shares.items() if abs(share) >= LEAST_PART}
    if len(shares) < 2 or name not in shares or spread > SAME_PARTS:
        return None
    return Soup(shares, len(parts), spread)


def _mixture(ours: Numbers, theirs: Numbers, models: Sequence[Numbers], told: Told) -> Numbers | None:
    """The parts of the other models in one tensor; empty if it does not tell, None if it is no mixture."""
    away = np.array([model - theirs for model in models])
    target = ours - theirs
    assert told.sums is not None
    guessed = told.sums.guess
    rounding = float((steps(ours.astype(np.float32), guessed.dtype).astype(np.float64) ** 2).mean()) / 12
    if min(float((each**2).mean()) for each in away) <= TELLING_DIFFERENCE * rounding:
        return np.zeros(0)  # models that are alike in it, but for rounding
    parts = np.linalg.lstsq(away.T, target, rcond=None)[0]
    left = float(((target - parts @ away) ** 2).mean())
    return np.asarray(parts) if left <= MOST_SOUP_ROUNDINGS * rounding else None


def _together(
    compared: Compared, others: Sequence[tuple[Weights, Correspondence]], depth: Depth
) -> Iterator[tuple[Told, list[Numbers]]]:
    """Aligned values of matrices of the suspect, its counterpart and those of other models, where all have one."""
    by_name = [{pair.ours: pair for pair in found.pairs if _is_entire(pair) and pair.is_certain} for _, found in others]
    pairs = {(pair.ours, pair.theirs): pair for pair in compared.mapping.pairs if _is_entire(pair)}
    for told in compared.tensors:
        pair = pairs.get((told.ours, told.theirs))
        if pair is None or told.sums is None or not told.is_matrix or told.is_smooth:
            continue
        if not all(told.ours in each for each in by_name):
            continue
        count = MOST_DELTA_VALUES
        if depth is not Depth.FULL:
            count = max(FEWEST_SLICED, min(MOST_SLICED, int(SLICED_SHARE * told.parameters)))
        sides = [
            (compared.theirs, pair),
            *((model, each[told.ours]) for (model, _), each in zip(others, by_name, strict=True)),
        ]
        try:
            values = _aligned(compared.ours, sides, min(count, told.parameters))
        except CannotReadValues:
            continue  # told where the tensor itself was read
        if values and values[0].size >= FEWEST_VALUES:
            yield told, values


def _is_entire(pair: Pair) -> bool:
    return pair.arrangement not in (Arrangement.ROTATED, Arrangement.ROWS)


def _aligned(ours: Weights, sides: Sequence[tuple[Weights, Pair]], count: int) -> list[Numbers]:
    """The suspect's values and those of all others at the same places; none where one is no number.

    Where all lie the same way a sample is taken at places that their size decides; else the first rows.
    """
    found: list[tuple[Values, Values]] = []
    are_same = all(pair.arrangement is Arrangement.SAME for _, pair in sides)
    for other, pair in sides:
        if are_same:
            found.append(sample(ours, other, pair, count))
        else:
            one, its = next(blocks(ours, other, pair, count), (np.zeros((0, 1), np.float32),) * 2)
            found.append((one.ravel(), its.ravel()))
    size = min(len(its) for _, its in found)
    every = np.array([found[0][0][:size], *(its[:size] for _, its in found)], np.float64)
    return list(every[:, np.isfinite(every).all(axis=0)])
