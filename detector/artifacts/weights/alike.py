"""Two probes -> how alike they are, and whether chance gives that to models that were trained apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import log_ndtr

from detector.artifacts.weights.probe import Place, Probe, Probed
from detector.artifacts.weights.significance import deviations, independent_values
from detector.artifacts.weights.sketch import standardised
from detector.artifacts.weights.stored import Values
from detector.settings.scan import (
    CORRESPONDING_DEVIATIONS,
    FEWEST_INDEPENDENT,
    KEPT_PROBE_SLOPE,
    LEAST_PROBE_CORRELATION,
    MOST_EXPECTED_PROBES,
    PROBES_COMPARED,
    SIBLING_PROBE_DELTA,
)
from detector.settings.weights import LARGEST_VALUE, SPREAD_ERRORS

Wide = NDArray[np.float64]
# Sides of comparisons that are kept made comparable: those of the probe that is held against others, and of a base.
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two probes are."""

    tensors: int  # that could be compared
    values: float  # of those that correspond, the independent ones; of all where none does
    correlation: float  # of these tensors, each weighed by its independent values
    distance: float  # length of what is left beside the other's values times a factor
    slope: float  # of the one on the other, which that factor is
    expected: float  # how many of as many pairs of independent probes as a scan compares are as alike

    @property
    def is_beyond_chance(self) -> bool:
        """Whether independent models are never as alike."""
        return self.expected <= MOST_EXPECTED_PROBES and abs(self.correlation) >= LEAST_PROBE_CORRELATION


NOTHING = Likeness(0, 0.0, 0.0, 1.0, 0.0, float(PROBES_COMPARED))


@dataclass(frozen=True, slots=True)
class _Beside:
    """Two tensors that are compared, and how many pairs these were chosen from."""

    mine: Probed
    its: Probed
    tried: int
    deviations: float  # of the correlation if all values were independent, which is the most that it can be


def likeness(one: Probe, other: Probe) -> Likeness:
    """Compare tensor by tensor: of those that stand at one place each with the one that it is most like.

    Formula: Fisher's transformation of each correlation, in standard deviations of as many independent values as the
             two have when they are shifted; summed over tensors of which there is one alone on both sides, or the
             largest of all, whichever is rarer, times the pairs that were tried.
    """
    return _summed(list(_beside(one, other)))


def may_be_alike(one: Probe, other: Probe) -> bool:
    """Whether `likeness` may be beyond chance, at a fifth of its cost: nearly all of a thousand mates are not."""
    found = list(_beside(one, other))
    alone = [each.deviations for each in found if each.tried == 1]
    every = [each.deviations for each in found]
    return bool(found) and _expected(every, alone, sum(each.tried for each in found)) <= MOST_EXPECTED_PROBES


def likeness_since(one: Probe, other: Probe, base: Probe) -> Likeness:
    """The same for what both changed of a base, over the tensors that correspond to the base's in both."""
    pairs = []
    theirs = {id(each.its): each.mine for each in _corresponding(other, base)}
    for each in _corresponding(one, base):
        its = theirs.get(id(each.its))
        if its is not None:
            pairs.append(_Beside(_changed(each.mine, each.its), _changed(its, each.its), 1, 0.0))
    return _summed(pairs, is_known=True)


def is_explained(since: Likeness) -> bool:
    """Whether a base explains what two models have in common: neither holds all of what the other changed of it."""
    if not since.tensors or since.expected > MOST_EXPECTED_PROBES:
        return True
    return since.correlation < SIBLING_PROBE_DELTA and not any(map(_is_one, _slopes(since)))


def _slopes(since: Likeness) -> Iterator[tuple[float, float]]:
    """The slope of the one on the other, and of the other on the one, each with its standard error.

    Formula: both slopes multiply to the square of the correlation.
    """
    square = since.correlation**2
    for slope in (since.slope, square / since.slope if since.slope else 0.0):
        yield slope, abs(slope) * math.sqrt((1 / square - 1) / since.values) if square else math.inf


def _is_one(slope: tuple[float, float]) -> bool:
    """Whether a change is there whole."""
    return abs(slope[0] - 1) <= max(KEPT_PROBE_SLOPE, SPREAD_ERRORS * slope[1])


def _changed(probed: Probed, start: Probed) -> Probed:
    size = min(probed.slice_size, start.slice_size)
    return replace(probed, values=probed.cut(size) - start.cut(size))


def _beside(one: Probe, other: Probe) -> Iterator[_Beside]:
    """Tensors that can be compared, each with its counterpart."""
    there = _by_place(other)
    for place, mine in _by_place(one).items():
        its = there.get(place)
        if its is None:
            continue
        size = min(each.slice_size for each in (*mine, *its))
        ours, theirs = _standard(mine, size), _standard(its, size)
        alike = np.clip(ours @ theirs.T, -1, 1)
        for row, column in zip(*linear_sum_assignment(np.abs(alike), maximize=True), strict=True):
            correlation = float(alike[row, column])
            most = math.copysign(deviations(correlation, ours.shape[1]), correlation)
            yield _Beside(mine[row], its[column], len(mine) * len(its), most)


def _by_place(probe: Probe) -> dict[Place, tuple[Probed, ...]]:
    found: dict[Place, tuple[Probed, ...]] = {}
    for each in probe.tensors:
        found[each.place] = (*found.get(each.place, ()), each)
    return found


@lru_cache(maxsize=_KEPT)
def _standard(tensors: tuple[Probed, ...], size: int) -> Values:
    """Values made comparable, a row for each tensor; one probe is compared with many."""
    return standardised(np.stack([_finite(each.cut(size)).astype(np.float32) for each in tensors]))


def _corresponding(one: Probe, other: Probe) -> Iterator[_Beside]:
    for each in _beside(one, other):
        found = _pair(each)
        if found is not None and abs(found.deviations) >= CORRESPONDING_DEVIATIONS:
            yield each


def _expected(every: Sequence[float], alone: Sequence[float], tried: int) -> float:
    """How many of as many pairs as a scan compares deviate so much: the largest of all, or all that stand alone."""
    single = 2 * math.exp(log_ndtr(-max(map(abs, every)))) * tried
    summed = 2 * math.exp(log_ndtr(-abs(sum(alone)) / math.sqrt(len(alone)))) if alone else 1.0
    return min(2 * min(single, summed), 1.0) * PROBES_COMPARED


def _summed(pairs: Sequence[_Beside], *, is_known: bool = False) -> Likeness:
    """Sum up over tensors.

    is_known: they correspond, whatever they have in common; else those count that are alike.
    """
    told = [found for each in pairs if (found := _pair(each)) is not None]
    if not told:
        return NOTHING
    every = [each.deviations for each in told]
    alone = [each.deviations for each in told if each.is_alone]
    counted = [each for each in told if is_known or abs(each.deviations) >= CORRESPONDING_DEVIATIONS] or told
    return Likeness(
        tensors=len(told),
        values=sum(each.values for each in counted),
        correlation=_mean(counted, [each.correlation for each in counted]),
        distance=math.sqrt(max(_mean(counted, [1 - each.cosine**2 for each in counted]), 0.0)),
        slope=_mean(counted, [each.slope for each in counted]),
        expected=_expected(every, alone, sum(each.tried for each in pairs)),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two tensors' values side by side."""

    values: float  # that are independent
    correlation: float
    deviations: float  # of the correlation, with its sign
    is_alone: bool  # it was not chosen from several
    cosine: float
    slope: float


def _pair(beside: _Beside) -> _Pair | None:
    mine, its = beside.mine, beside.its
    size = min(mine.slice_size, its.slice_size)
    one, other = (_finite(each.cut(size)) for each in (mine, its))
    ours, theirs = (standardised(each.astype(np.float32)) for each in (one, other))
    values = independent_values(ours, theirs)
    if values <= FEWEST_INDEPENDENT or not (ours.any() and theirs.any()):
        return None
    correlation = float(np.clip(ours.astype(np.float64) @ theirs, -1, 1))
    both, square, square_there = float(one @ other), float(one @ one), float(other @ other)
    return _Pair(
        values,
        correlation,
        math.copysign(deviations(correlation, values), correlation),
        beside.tried == 1,
        both / math.sqrt(square * square_there),
        both / square_there,
    )


def _mean(pairs: Sequence[_Pair], numbers: Sequence[float]) -> float:
    """The mean over pairs, each weighed by its independent values."""
    weights = [each.values for each in pairs]
    return sum(weight * number for weight, number in zip(weights, numbers, strict=True)) / sum(weights)


def _finite(some: Values) -> Wide:
    """The same as 64-bit numbers, with nothing where a value is none or so large that its square would be none."""
    wide = some.astype(np.float64)
    return np.where(np.abs(wide) <= LARGEST_VALUE, wide, 0.0)
