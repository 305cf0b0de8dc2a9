"""Whether what was changed in all tensors is one noise: independent normal numbers of one sigma."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.artifacts.weights.relations import TensorRelation, Told, is_chance
from detector.artifacts.weights.residuals import distance_from_even
from detector.settings.weights import (
    HOMOGENEOUS,
    KS_CHANCE,
    KS_FLOOR,
    MOST_POOLED,
    NOISED_SHARE,
    SIGMA_ERRORS,
    SPREAD_ERRORS,
)


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise that was added to many tensors, and how well it fits."""

    sigma: float  # in units of the weights, or of each tensor's standard deviation
    is_relative: bool
    tensors: int  # matrices that it was told by
    values: int  # of them, as many as were summed
    homogeneity: float  # chi-square of sigma between tensors over its degrees of freedom
    spread: float  # of sigma between tensors, beside chance, as a share of it
    distance: float  # of all residuals together from the normal distribution function
    distance_limit: float
    edge: float  # the largest singular value of any block, in parts of its limit

    @property
    def error(self) -> float:
        """The standard error of sigma by chance alone."""
        return self.sigma / math.sqrt(2 * max(self.values, 1))


def settled(told: Sequence[Told]) -> tuple[tuple[Told, ...], Noise | None]:
    """Call tensors noised only if all that were changed agree in it; else what looks so is a fine-tune's."""
    noise = _noise(told)
    return tuple(_fitted(each, noise) for each in told), noise


def _noise(told: Sequence[Told]) -> Noise | None:
    """The noise of what was changed; None where a part of it is none, or nothing was told by its singular values."""
    found = [each for each in told if each.relation is TensorRelation.NOISED and each.is_matrix]
    changed = sum(each.parameters for each in told if each.is_changed and each.is_matrix)
    blocks = [each.residual.spectrum for each in found if each.residual is not None and each.residual.spectrum]
    if not blocks or sum(each.parameters for each in found) < NOISED_SHARE * changed:
        return None
    sigmas = np.array([each.sums.sigma for each in found if each.sums is not None])
    scales = np.array([each.sums.deviation_there for each in found if each.sums is not None])
    counts = np.array([each.sums.core for each in found if each.sums is not None], np.float64)
    even = _pooled(found)
    distance, limit = distance_from_even(even), KS_FLOOR + KS_CHANCE / math.sqrt(max(even.size, 1))
    models = [
        _fit(sigmas / scale, counts, is_relative)
        for is_relative, scale in ((False, np.ones_like(sigmas)), (True, scales))
    ]
    sigma, is_relative, homogeneity, spread = min(models, key=lambda model: model[2])
    if spread > HOMOGENEOUS or distance > limit:
        return None
    edge = max(block.edge / block.edge_limit for block in blocks)
    return Noise(sigma, is_relative, len(found), int(counts.sum()), homogeneity, spread, distance, limit, edge)


def _fit(sigmas: np.ndarray, counts: np.ndarray, is_relative: bool) -> tuple[float, bool, float, float]:
    """One sigma for all: itself, whether it is relative, chi-square over degrees of freedom, spread beside chance."""
    sigma = math.sqrt(float((sigmas**2 * counts).sum() / counts.sum()))
    off = sigmas / sigma - 1
    if len(sigmas) < 2:
        return sigma, is_relative, 1.0, 0.0
    homogeneity = float((off**2 * 2 * counts).sum()) / (len(sigmas) - 1)
    chance = (len(sigmas) - 1) / (2 * float(counts.sum()))  # what independent samples of these sizes vary by
    chance += SPREAD_ERRORS * chance * math.sqrt(2 / (len(sigmas) - 1))
    beside = float((off**2 * counts).sum() / counts.sum()) - chance
    return sigma, is_relative, homogeneity, math.sqrt(max(beside, 0.0))


def _pooled(found: Sequence[Told]) -> np.ndarray:
    """Transformed residuals of all tensors, each with as many as there is room for."""
    room = max(1, MOST_POOLED // max(len(found), 1))
    parts = [each.residual.transformed for each in found if each.residual is not None]
    return np.concatenate([part[:: max(1, -(-part.size // room))] for part in parts])


def _fitted(told: Told, noise: Noise | None) -> Told:
    """What becomes of one tensor's relation once the noise of all is known."""
    if told.sums is None:
        return told
    if noise is None:
        return replace(told, relation=TensorRelation.FINE_TUNED) if told.relation is TensorRelation.NOISED else told
    expected = noise.sigma * (told.sums.deviation_there if noise.is_relative else 1.0)
    if told.relation is TensorRelation.INDEPENDENT:
        deviation = told.sums.deviation_there
        is_hidden = is_chance(deviation / math.hypot(deviation, expected), told.sums.count, False)
        hidden = replace(told, relation=TensorRelation.UNDETERMINED, note="the signal is below the noise")
        return hidden if is_hidden else told
    if told.relation is not TensorRelation.NOISED or told.is_matrix:
        return told
    allowed = SIGMA_ERRORS / math.sqrt(2 * max(told.sums.core, 1)) + noise.spread + HOMOGENEOUS
    return told if abs(told.sums.sigma / expected - 1) <= allowed else replace(told, relation=TensorRelation.FINE_TUNED)
