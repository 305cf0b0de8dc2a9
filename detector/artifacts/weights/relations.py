"""What was done to the values of one tensor, told from its sums, its residual and its grid."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from detector.artifacts.weights.correspondence import Arrangement, Pair
from detector.artifacts.weights.grids import Grid
from detector.artifacts.weights.passes import Sums
from detector.artifacts.weights.residuals import Residual
from detector.settings.weights import (
    CHANCE_ERRORS,
    EQUAL_SHARE,
    FEWEST_VALUES,
    LEAST_CORE,
    LEAST_CORRELATION,
    LEAST_ERRORS,
    LEAST_PACKED,
    LEAST_PRUNED_SHARE,
    LEAST_SIGNAL,
    LEAST_UNCERTAIN,
    MOST_INDEPENDENT,
    MOST_ROUNDING,
    ROUNDED_TWICE,
)


class TensorRelation(enum.StrEnum):
    """How a tensor of the suspect relates to its counterpart; where values say more than one, the first that holds."""

    IDENTICAL = "identical"
    CAST = "cast"  # equal after rounding to the other type
    PRUNED = "pruned"  # zeros where the other has values, the rest equal
    SCALED = "scaled"  # one factor
    SOUP = "soup"  # a mixture of known models
    QUANTISED = "quantised"  # within half a step of a grid
    NOISED = "noised"  # independent normal numbers were added
    ROTATED = "rotated"  # multiplied by an orthogonal matrix
    LOW_RANK = "low-rank"  # the difference has few singular values
    FINE_TUNED = "fine-tuned"  # correlated beyond chance, the difference has no simple form
    COMMON_BASE = "common-base"  # what both have is a base's
    INDEPENDENT = "independent"  # a counterpart was there, and nothing is alike
    UNDETERMINED = "undetermined"  # constants, too few values, a signal below the noise
    ALONE = "no counterpart"  # no tensor of that shape was left


# Relations by which values are the reference's but for a simple operation, and those that share an origin with it.
COPIES = frozenset(
    {
        TensorRelation.IDENTICAL,
        TensorRelation.CAST,
        TensorRelation.PRUNED,
        TensorRelation.SCALED,
        TensorRelation.SOUP,
        TensorRelation.QUANTISED,
        TensorRelation.NOISED,
        TensorRelation.ROTATED,
    }
)
RELATED = COPIES | {TensorRelation.LOW_RANK, TensorRelation.FINE_TUNED, TensorRelation.COMMON_BASE}


@dataclass(frozen=True, slots=True)
class Told:
    """One tensor of the suspect, or a piece of one, beside its counterpart."""

    ours: str
    theirs: str  # "" where there is none
    arrangement: Arrangement
    relation: TensorRelation
    parameters: int
    is_matrix: bool
    sums: Sums | None = None
    residual: Residual | None = None
    grid: Grid | None = None
    is_smooth: bool = False  # neighbours are alike: a formula may have made it
    correlation: float = 0.0  # of aligned values; of what the mapping compared where none are
    note: str = ""

    @property
    def is_related(self) -> bool:
        """Whether both tensors have an origin in common."""
        return self.relation in RELATED

    @property
    def is_changed(self) -> bool:
        """Whether values were changed in a way that noise is to be told from."""
        return self.relation in (TensorRelation.NOISED, TensorRelation.LOW_RANK, TensorRelation.FINE_TUNED)


def relation_of(
    pair: Pair, sums: Sums, residual: Residual | None, grid: Grid | None, is_counter: bool
) -> tuple[TensorRelation, str]:
    """Tell the relation of one tensor by itself, with what is to be noted; noise still has to fit the other tensors.

    is_counter: its type is one of integers, which count, or hold several weights each.
    """
    left_out = f"{sums.left_out:,} values are no finite numbers" if sums.left_out else ""
    if sums.count < FEWEST_VALUES:
        return TensorRelation.UNDETERMINED, left_out or "too few values"
    if not sums.deviation or not sums.deviation_there:
        return TensorRelation.UNDETERMINED, "constant"
    if is_counter and sums.deviation < LEAST_PACKED:
        return TensorRelation.UNDETERMINED, "counts, positions or masks"
    found, note = _by_values(sums) or _by_likeness(pair, sums, residual, grid)
    return found, "; ".join(filter(None, (note, left_out)))


def _by_values(sums: Sums) -> tuple[TensorRelation, str] | None:
    """What single values decide: nearly all of them are the same but for rounding, zeros or a factor."""
    equal, rounded, zeroed = (each / sums.count for each in (sums.equal, sums.rounded, sums.zeroed))
    if equal >= EQUAL_SHARE:
        changed = sums.count - sums.equal
        return TensorRelation.IDENTICAL, f"but for {changed:,} values" if changed else ""
    if rounded >= EQUAL_SHARE:
        return TensorRelation.CAST, ""
    if zeroed >= LEAST_PRUNED_SHARE and rounded + zeroed >= EQUAL_SHARE:
        return TensorRelation.PRUNED, f"{zeroed:.0%} of the values became zero"
    is_rounding = sums.residual_variance <= MOST_ROUNDING**2 * sums.rounding_variance
    if is_rounding and sums.core >= LEAST_CORE * sums.count and sums.guess.factor != 1:
        return TensorRelation.SCALED, f"by {sums.guess.factor:.6g}"
    return (TensorRelation.CAST, "rounded twice") if is_rounding and rounded >= ROUNDED_TWICE else None


def _by_likeness(pair: Pair, sums: Sums, residual: Residual | None, grid: Grid | None) -> tuple[TensorRelation, str]:
    if is_chance(sums.correlation, sums.count, pair.is_certain):
        errors = 1 / math.sqrt(sums.count)
        is_weak = sums.correlation >= max(LEAST_SIGNAL, LEAST_ERRORS * errors)
        if pair.is_certain or is_weak or abs(sums.correlation) + CHANCE_ERRORS * errors >= MOST_INDEPENDENT:
            return TensorRelation.UNDETERMINED, "the signal is below the noise"
        return TensorRelation.INDEPENDENT, ""
    if grid is not None:
        return TensorRelation.QUANTISED, f"{grid.bits} bits, one scale for {grid.run} values"
    if residual is None:
        return TensorRelation.UNDETERMINED, "rounding hides what else was done"
    if residual.spectrum is not None and residual.spectrum.rank:
        return TensorRelation.LOW_RANK, f"rank {residual.spectrum.rank}"
    return (TensorRelation.NOISED if residual.is_noise else TensorRelation.FINE_TUNED), ""


def is_chance(correlation: float, count: int, is_certain: bool) -> bool:
    """Whether a correlation tells nothing: too small, negative, or no more than chance gives so few values.

    is_certain: the mapping rules chance out already.
    """
    least = LEAST_CORRELATION if is_certain else max(LEAST_UNCERTAIN, LEAST_ERRORS / math.sqrt(count))
    return correlation < least
