"""What is left of the suspect's values beside the reference's: independent normal numbers, low rank, or something else.

Source: Kolmogorov and Smirnov's distance; Marchenko and Pastur 1967 and Johnstone 2001 (largest singular value of a
matrix of independent numbers); Rosenblatt 1952 (integral transform, here randomised over the steps of the type).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from detector.artifacts.weights.passes import Sums
from detector.artifacts.weights.spacing import WIDEST, bits_of, step_below, steps
from detector.artifacts.weights.stored import Values
from detector.settings.weights import (
    EDGE_UNITS,
    EVEN_ERRORS,
    EVEN_FLOOR,
    FEWEST_BLOCK_ROWS,
    FEWEST_VALUES,
    HISTOGRAM_BINS,
    HISTOGRAM_REACH,
    KEPT_RESIDUALS,
    KS_CHANCE,
    KS_FLOOR,
    LEAST_CORE,
    LOW_RANK_PART,
    LOW_RANK_REST,
    LOW_RANK_ROUNDING,
    MOST_RANK_ROUNDING,
    VALUE_ERRORS,
    VALUE_FLOOR,
)

Numbers = NDArray[np.float64]
# Multiples of the golden ratio are even in [0, 1) and follow no order of the values: no dice are needed.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Singular values of a block of residuals, and how evenly their energy lies over its rows and columns."""

    rows: int
    columns: int
    edge: float  # the largest, beside where that of independent numbers ends
    edge_limit: float  # up to here it is chance
    rank: int  # 0: not low
    row_unevenness: float  # variance of the rows' energies, beside that of independent numbers
    column_unevenness: float

    @property
    def is_noise(self) -> bool:
        """Whether independent numbers would look so."""
        return (
            self.edge <= self.edge_limit
            and self.row_unevenness <= self.row_limit
            and self.column_unevenness <= self.column_limit
        )

    @property
    def row_limit(self) -> float:
        """Up to here the unevenness of rows is chance."""
        return _even_limit(self.rows)

    @property
    def column_limit(self) -> float:
        """... and of columns."""
        return _even_limit(self.columns)


@dataclass(frozen=True, slots=True)
class Residual:
    """The model of one tensor's residual and what it was tested by."""

    count: int  # values looked at
    distance: float  # from the normal distribution function, rounding taken into account
    distance_limit: float
    with_value: float  # correlation of |residual| with |value|
    with_value_limit: float
    histogram: tuple[int, ...]  # of standardised residuals
    spectrum: Spectrum | None = None  # of matrices
    transformed: Numbers = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)  # even if normal

    @property
    def is_normal(self) -> bool:
        """Whether each value by itself looks as normal numbers do."""
        return self.distance <= self.distance_limit

    @property
    def is_free_of_value(self) -> bool:
        """Whether large values were not changed more than small ones."""
        return abs(self.with_value) <= self.with_value_limit

    @property
    def is_noise(self) -> bool:
        """Whether nothing speaks against independent normal numbers of one sigma."""
        return self.is_normal and self.is_free_of_value and (self.spectrum is None or self.spectrum.is_noise)


def edges() -> tuple[float, ...]:
    """Of the bins of the histograms."""
    return tuple(float(edge) for edge in np.linspace(-HISTOGRAM_REACH, HISTOGRAM_REACH, HISTOGRAM_BINS + 1))


def look(
    sums: Sums, ours: Values, theirs: Values, block: tuple[Values, Values] | None, is_vector: bool = False
) -> Residual | None:
    """Test the residual on a sample, and its spectrum on a block of rows; None where rounding hides it."""
    sigma = sums.sigma
    if sigma <= 0 or sums.core < max(FEWEST_VALUES, LEAST_CORE * sums.count):
        return None
    kept = _kept(sums, ours, theirs)
    ours, theirs = ours[kept], theirs[kept]
    if ours.size < FEWEST_VALUES:
        return None
    even = transformed(sums, ours, theirs)
    distance = distance_from_even(even)
    standardised = _standardised(sums, ours, theirs)
    size = math.sqrt(ours.size)
    return Residual(
        ours.size,
        distance,
        KS_FLOOR + KS_CHANCE / size,
        _correlation(np.abs(standardised), np.abs(theirs.astype(np.float64))),
        VALUE_FLOOR + VALUE_ERRORS / size,
        tuple(int(each) for each in np.histogram(standardised, edges())[0]),
        None if block is None or is_vector else _spectrum(sums, *block),
        even[:: max(1, -(-even.size // KEPT_RESIDUALS))].copy(),
    )


def _kept(sums: Sums, ours: Values, theirs: Values) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.isfinite(ours) & (np.abs(theirs) <= min(sums.guess.widest, np.finfo(np.float32).max))


def _expected(sums: Sums, theirs: Values) -> Numbers:
    """Where the suspect's values would be without their residual."""
    mean = sums.r / sums.core
    slope = sums.slope
    centre = sums.guess.mean_there + sums.core_y / sums.core
    # The residual has mean zero around the line through the means of both sides.
    return np.asarray(slope * theirs.astype(np.float64) + (sums.guess.factor - slope) * centre + mean)


def transformed(sums: Sums, ours: Values, theirs: Values) -> Numbers:
    """Put each value through the distribution function that normal noise and rounding give it: even if they do.

    A rounded value may be anything that rounds to it, so it is put at random within what it stands for.
    """
    off = ours.astype(np.float64) - _expected(sums, theirs)
    sigma = sums.sigma
    if bits_of(sums.guess.dtype) >= bits_of(WIDEST):
        found: Numbers = ndtr(off / sigma)
        return found
    outer, inner = steps(ours, sums.guess.dtype) / 2, step_below(ours, sums.guess.dtype) / 2
    is_negative = ours < 0
    low = ndtr((off - np.where(is_negative, outer, inner)) / sigma)
    high = ndtr((off + np.where(is_negative, inner, outer)) / sigma)
    chosen = np.arange(1, ours.size + 1) * _GOLDEN % 1.0
    within: Numbers = low + chosen * (high - low)
    return within


def distance_from_even(even: Numbers) -> float:
    """The largest distance between the distribution of these numbers and the even one on 0..1."""
    ordered, count = np.sort(even), even.size
    above = np.arange(1, count + 1) / count - ordered
    return float(max(above.max(), (1 / count - above).max())) if count else 0.0


def _standardised(sums: Sums, ours: Values, theirs: Values) -> Numbers:
    off = ours.astype(np.float64) - _expected(sums, theirs)
    variance = sums.sigma**2
    if bits_of(sums.guess.dtype) >= bits_of(WIDEST):
        return off / math.sqrt(variance)
    return np.asarray(off / np.sqrt(variance + steps(ours, sums.guess.dtype).astype(np.float64) ** 2 / 12))


def _correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    both = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / both if both > 0 else 0.0


def _spectrum(sums: Sums, ours: Values, theirs: Values) -> Spectrum | None:
    """Look at a block; values that no number stands for, or whose steps hide the residual, count as unchanged."""
    rows, columns = ours.shape
    if min(rows, columns) < FEWEST_BLOCK_ROWS:
        return None
    if rows > columns:
        ours, theirs = np.ascontiguousarray(ours.T), np.ascontiguousarray(theirs.T)
        rows, columns = columns, rows
    kept = _kept(sums, ours, theirs)
    found = np.where(kept, _standardised(sums, np.where(kept, ours, 0), np.where(kept, theirs, 0)), 0.0)
    squares = found**2
    energy = float(squares.mean())
    if energy <= 0:
        return None
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(found @ found.T)[::-1], 0.0) / energy)
    edge = math.sqrt(rows) + math.sqrt(columns)
    unit = (1 / math.sqrt(rows) + 1 / math.sqrt(columns)) ** (1 / 3) / 2
    rounding = sums.rounding_variance / (sums.residual_variance or 1.0)
    return Spectrum(
        rows,
        columns,
        float(singular[0]) / edge,
        1 + EDGE_UNITS * unit / edge,
        _rank(singular**2, rounding * rows * columns, columns),
        _unevenness(squares, 1),
        _unevenness(squares, 0),
    )


def _rank(energies: Numbers, of_rounding: float, columns: int) -> int:
    """How many singular values hold all energy but a rest that rounding may have left; 0 if too many do.

    Of rounding, which is white, (1 - k/rows)(1 - k/columns) lies beyond the first k: noise has too much there.
    """
    if of_rounding > MOST_RANK_ROUNDING * float(energies.sum()):
        return 0
    rest = np.cumsum(energies[::-1])[::-1]  # rest[k]: what is left beyond rank k
    beyond = np.arange(energies.size)
    of_white = (1 - beyond / energies.size) * (1 - beyond / columns)
    is_rest = rest <= np.maximum(LOW_RANK_REST * rest[0], LOW_RANK_ROUNDING * of_rounding * of_white)
    rank = int(np.argmax(is_rest)) if is_rest.any() else 0
    return rank if 0 < rank <= LOW_RANK_PART * energies.size else 0


def _unevenness(squares: Numbers, axis: int) -> float:
    """Variance of the energies of rows (1) or columns (0), beside what independent normal numbers give."""
    energies = squares.mean(axis=axis)
    expected = 2 * float(energies.mean()) ** 2 / squares.shape[axis]
    return float(energies.var(ddof=1)) / expected if expected > 0 else 0.0


def _even_limit(count: int) -> float:
    return 1 + EVEN_FLOOR + EVEN_ERRORS * math.sqrt(2 / max(count - 1, 1))
