"""Aligned values of two tensors -> sums that say how one became the other, in one pass and constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from detector.artifacts.weights.spacing import WIDEST, bits_of, finest, rounded, steps
from detector.artifacts.weights.stored import Values
from detector.settings.weights import CHUNK, FACTOR_ERRORS, LARGEST_VALUE, LEAST_FACTOR, MOST_ROUNDING, WIDEST_STEP

# Of normal numbers: standard deviation over median absolute deviation, and standard error of a median over a mean's.
_MAD = 1.4826
_MEDIAN_ERROR = 1.2533


@dataclass(frozen=True, slots=True)
class Guess:
    """What a sample says of two tensors; the pass measures around it, so that nothing cancels."""

    dtype: str  # the narrowest type that holds the values
    dtype_there: str
    factor: float  # by which the reference's values were multiplied, as the median says: 1 unless it is surely not
    mean: float
    mean_there: float
    widest: float  # larger values of the reference have steps that hide the residual


def guess(ours: Values, theirs: Values, stored: str, stored_there: str) -> Guess:
    """Look at some aligned values."""
    is_sound = _is_sound(ours) & _is_sound(theirs)
    ours, theirs = ours[is_sound], theirs[is_sound]
    dtype, dtype_there = finest(ours, stored), finest(theirs, stored_there)
    if not ours.size:
        return Guess(dtype, dtype_there, 1.0, 0.0, 0.0, math.inf)
    factor = _factor(ours, theirs)
    residual = ours.astype(np.float64) - factor * theirs
    sigma = float(residual.std())
    widest = math.inf
    rounding = float((steps(ours, dtype).astype(np.float64) ** 2).mean()) / 12
    is_scaled = factor != 1 and sigma**2 <= MOST_ROUNDING**2 * rounding
    if bits_of(dtype) < bits_of(WIDEST) and sigma > 0 and not is_scaled:
        exponent = math.floor(math.log2(WIDEST_STEP * sigma)) + bits_of(dtype) + 1
        widest = 2.0**exponent / max(abs(factor), 1e-6)
    return Guess(dtype, dtype_there, factor, float(ours.mean()), float(theirs.mean()), widest)


def _factor(ours: Values, theirs: Values) -> float:
    """The median of the ratios of what is large enough, 1 where it is one within chance and rounding."""
    is_large = (np.abs(theirs) >= np.median(np.abs(theirs))) & (theirs != 0) & (ours != 0)
    if is_large.sum() < 2:
        return 1.0
    ratios = ours[is_large].astype(np.float64) / theirs[is_large]
    factor = float(np.median(ratios))
    error = _MEDIAN_ERROR * _MAD * float(np.median(np.abs(ratios - factor))) / math.sqrt(ratios.size)
    return factor if abs(factor - 1) > max(LEAST_FACTOR, FACTOR_ERRORS * error) else 1.0


def _is_sound(values: Values) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    with np.errstate(invalid="ignore"):
        return np.abs(values) <= LARGEST_VALUE


@dataclass(slots=True)
class Sums:
    """Sums over aligned values; x and y are those of the suspect and the reference around their guessed means.

    The core are the values whose steps do not hide the residual r = x - factor * y, as guessed.
    """

    guess: Guess
    seen: int = 0
    count: int = 0  # of them finite on both sides
    equal: int = 0
    rounded: int = 0  # equal, or equal after rounding to the narrower type of the two
    zeros: int = 0
    zeros_there: int = 0
    zeroed: int = 0  # zero where the reference has a value
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    core: int = 0
    core_y: float = 0.0
    core_yy: float = 0.0
    r: float = 0.0
    rr: float = 0.0
    ry: float = 0.0
    rounding: float = 0.0  # squares of the steps of the suspect's type, over twelve
    rounding_there: float = 0.0  # ... and of the reference's, as scaled

    def add(self, ours: Values, theirs: Values) -> None:
        """Take in aligned values, in whatever shape."""
        ours, theirs = ours.ravel(), theirs.ravel()
        for begin in range(0, ours.size, CHUNK):
            self._add(ours[begin : begin + CHUNK], theirs[begin : begin + CHUNK])

    def _add(self, ours: Values, theirs: Values) -> None:
        self.seen += ours.size
        with np.errstate(over="ignore", invalid="ignore"):
            is_sound = math.isfinite(float(ours @ ours)) and math.isfinite(float(theirs @ theirs))
        if not is_sound:
            kept = _is_sound(ours) & _is_sound(theirs)
            ours, theirs = ours[kept], theirs[kept]
        self.count += ours.size
        if ours.size:
            self._count(ours, theirs)
            x, y = ours - np.float32(self.guess.mean), theirs - np.float32(self.guess.mean_there)
            self.x += float(x.sum(dtype=np.float64))
            self.y += float(y.sum(dtype=np.float64))
            self.xx += float(x @ x)
            self.yy += float(y @ y)
            self.xy += float(x @ y)
            self._add_core(ours, theirs, y)

    def _count(self, ours: Values, theirs: Values) -> None:
        is_equal = ours == theirs
        equal = int(np.count_nonzero(is_equal))
        self.equal += equal
        nonzero, nonzero_there = int(np.count_nonzero(ours)), int(np.count_nonzero(theirs))
        self.zeros += ours.size - nonzero
        self.zeros_there += ours.size - nonzero_there
        if nonzero < ours.size:
            self.zeroed += int(np.count_nonzero((ours == 0) & (theirs != 0)))
        bits, bits_there = bits_of(self.guess.dtype), bits_of(self.guess.dtype_there)
        if equal == ours.size or bits == bits_there:
            self.rounded += equal
        elif bits < bits_there:
            self.rounded += int(np.count_nonzero(is_equal | (rounded(theirs, self.guess.dtype) == ours)))
        else:
            self.rounded += int(np.count_nonzero(is_equal | (rounded(ours, self.guess.dtype_there) == theirs)))

    def _add_core(self, ours: Values, theirs: Values, y: Values) -> None:
        if self.guess.widest < LARGEST_VALUE:
            kept = np.abs(theirs) <= np.float32(self.guess.widest)
            if not kept.all():
                ours, theirs, y = ours[kept], theirs[kept], y[kept]
        factor = np.float32(self.guess.factor)
        scaled = theirs if factor == 1 else theirs * factor
        residual = ours - scaled
        step = steps(ours, self.guess.dtype)
        self.core += ours.size
        self.core_y += float(y.sum(dtype=np.float64))
        self.core_yy += float(y @ y)
        self.r += float(residual.sum(dtype=np.float64))
        self.rr += float(residual @ residual)
        self.ry += float(residual @ y)
        self.rounding += float(step @ step) / 12
        if self.guess.dtype_there != self.guess.dtype or factor != 1:
            step = steps(scaled, self.guess.dtype_there)
            self.rounding_there += float(step @ step) / 12

    @property
    def left_out(self) -> int:
        """Values that are no numbers, infinite, or too large to be weights."""
        return self.seen - self.count

    @property
    def deviation(self) -> float:
        """Standard deviation of the suspect's values."""
        return _deviation(self.x, self.xx, self.count)

    @property
    def deviation_there(self) -> float:
        """Standard deviation of the reference's."""
        return _deviation(self.y, self.yy, self.count)

    @property
    def correlation(self) -> float:
        """Of the aligned values; 0 where one side is constant."""
        both = self.deviation * self.deviation_there * self.count
        if both <= 0:
            return 0.0
        return max(-1.0, min(1.0, (self.xy - self.x * self.y / self.count) / both))

    @property
    def slope(self) -> float:
        """Least squares of the suspect's values on the reference's, where steps do not hide them."""
        if self.core < 2:
            return self.guess.factor
        spread = self.core_yy - self.core_y**2 / self.core
        return self.guess.factor + (self._leaning() / spread if spread > 0 else 0.0)

    @property
    def residual_variance(self) -> float:
        """Of what is left of the suspect's values beside slope times the reference's, rounding included."""
        if self.core < 2:
            return 0.0
        spread = self.core_yy - self.core_y**2 / self.core
        leaning = self._leaning()
        left = self.rr - self.r**2 / self.core - (leaning**2 / spread if spread > 0 else 0.0)
        return max(left / self.core, 0.0)

    @property
    def sigma(self) -> float:
        """Standard deviation of the residual without what the rounding of the suspect's type adds."""
        if not self.core:
            return 0.0
        is_half = bits_of(self.guess.dtype) < bits_of(WIDEST)
        return math.sqrt(max(self.residual_variance - is_half * self.rounding / self.core, 0.0))

    @property
    def rounding_variance(self) -> float:
        """What rounding alone leaves: of the suspect's values, and of the reference's where they were rounded too."""
        return (self.rounding + self.rounding_there) / max(self.core, 1)

    def _leaning(self) -> float:
        return self.ry - self.r * self.core_y / self.core


def _deviation(first: float, second: float, count: int) -> float:
    return math.sqrt(max(second / count - (first / count) ** 2, 0.0)) if count else 0.0


def run(blocks: Iterable[tuple[Values, Values]], guessed: Guess) -> Sums:
    """Sum over all aligned blocks."""
    sums = Sums(guessed)
    for ours, theirs in blocks:
        sums.add(ours, theirs)
    return sums
