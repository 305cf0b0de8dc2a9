"""How near two models are by a few values at the same places, and which of the two is derived, where values tell.

Rounding: values on the steps of a coarser type, or on a few levels, that are the nearest to the other side's.
Zeros:    values that are missing on one side, all others equal.
Noise:    what was added knows nothing of what it was added to: the difference is uncorrelated with the original, and
          correlated with the sum by its own variance. Training is no noise: it decays weights, and what it changes
          is uneven from layer to layer and has heavy tails. Where any of that shows, nothing is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.grids import grid
from detector.artifacts.weights.spacing import WIDEST, bits_of, finest, rounded, steps
from detector.artifacts.weights.stored import Values
from detector.settings.kinship import (
    CORRELATION_FLOOR,
    FEWEST_NOISED,
    FEWEST_ROUNDED,
    FEWEST_VALUES,
    FEWEST_ZEROS,
    KURTOSIS_FLOOR,
    LARGEST_VALUE,
    LEAST_CORRELATION,
    LEAST_EQUAL,
    LEAST_REPEATED,
    LEAST_ROUNDED,
    LEAST_TOLD,
    MOST_BY_CHANCE,
    PARTS,
    ROUNDED_VARIANCE,
    SHAPE_ERRORS,
    UNEVEN,
    VARIANCE_OFF,
)
from detector.settings.weights import GRID_RUNS

Numbers = NDArray[np.float64]
ONE, OTHER = "one", "other"
_TYPES = {"F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class Kinship:
    """What the values of two models have in common.

    `distance` is the length of the difference over that of both: 0 for the same, 1 for values that know nothing of
    each other. Each tensor counts as if its values had mean 0 and variance 1.
    """

    values: int  # that were compared
    correlation: float
    distance: float
    derived: str = ""  # "one" or "other": which side comes from the other one
    why: str = ""  # "noise", "rounded to bfloat16", "8-bit levels", "zeros"

    @property
    def is_told(self) -> bool:
        """Whether the two are related: neither chance nor what all models have makes independent ones as like."""
        return self.deviations >= LEAST_TOLD and self.correlation >= LEAST_CORRELATION

    @property
    def deviations(self) -> float:
        """The correlation in standard errors of what independent values have; many values in one tensor alone tell.

        Formula: Fisher's transformation, atanh(r) sqrt(n - 3).
        """
        sure = min(max(self.correlation, -1 + 1e-12), 1 - 1e-12)
        return math.atanh(sure) * math.sqrt(max(self.values - 3, 0))


def kinship(one: Values, other: Values, sizes: Sequence[int] = (), run: int = 0) -> Kinship:
    """Compare values that were taken at the same places of two models.

    sizes: values of each tensor, in order; in equal parts where it is not said.
    run:   how many values in a row were neighbours in their tensor; 0: none, and levels of integers are not told.
    Shapes: two vectors of equal length; `sizes` sum to it.
    Units: rounding needs 256 values, zeros 1,000 if one in a hundred is, levels 32 in a row, noise of a share r of the
           weights' deviation (6 / r)^2 and at least 2,048.
    """
    if len(one) != len(other) or (sizes and sum(sizes) != len(one)):
        raise ValueError("values of two models at the same places are equally many")
    parts = _parts(one, other, sizes)
    count = sum(part.count for part in parts)
    if count < FEWEST_VALUES:
        return Kinship(count, 0.0, 1.0)
    correlation, distance = _likeness(parts)
    found = Kinship(count, correlation, distance)
    if not found.is_told or not distance:
        return found
    derived, why = _told(one, other, run, parts)
    return replace(found, derived=derived, why=why)


def _told(one: Values, other: Values, run: int, parts: Sequence[_Part]) -> tuple[str, str]:
    sound = _is_sound(one) & _is_sound(other)
    ours, theirs = one[sound], other[sound]
    for side, mine, origin in ((ONE, ours, theirs), (OTHER, theirs, ours)):
        why = _rounded(mine, origin) or _zeroed(mine, origin)
        if not why and run and sound.all():
            why = _levelled(mine, origin, run)
        if why:
            return side, why
    return _noised(parts)


# --- likeness ---


@dataclass(frozen=True, slots=True)
class _Part:
    """The values of one tensor, without their means; a tensor without variance is no part."""

    one: Numbers
    other: Numbers

    @property
    def count(self) -> int:
        return len(self.one)

    @property
    def square(self) -> float:
        """The mean variance of both sides."""
        return float(self.one @ self.one + self.other @ self.other) / (2 * self.count)


def _is_sound(values: Values) -> NDArray[np.bool_]:
    return np.isfinite(values) & (np.abs(values) < LARGEST_VALUE)


def _parts(one: Values, other: Values, sizes: Sequence[int]) -> list[_Part]:
    if not sizes:
        sizes = [len(part) for part in np.array_split(one, PARTS if len(one) >= PARTS * FEWEST_VALUES else 1)]
    found, begin = [], 0
    for size in sizes:
        ours, theirs = one[begin : begin + size], other[begin : begin + size]
        sound = _is_sound(ours) & _is_sound(theirs)
        begin += size
        if sound.sum() > 1:
            centred = [values[sound].astype(np.float64) for values in (ours, theirs)]
            part = _Part(*(values - values.mean() for values in centred))
            if part.square > 0:
                found.append(part)
    return found


def _likeness(parts: Sequence[_Part]) -> tuple[float, float]:
    """Correlation and distance, every part as if its variance were one."""
    both = sum(float(part.one @ part.other) / part.square for part in parts)
    ours, theirs = (sum(float(side @ side) / part.square for part, side in sides) for sides in _sides(parts))
    apart = sum(float(((part.one - part.other) ** 2).sum()) / part.square for part in parts)
    length = math.sqrt(ours * theirs)
    return (both / length if length > 0 else 0.0), math.sqrt(apart / (ours + theirs))


def _sides(parts: Sequence[_Part]) -> tuple[list[tuple[_Part, Numbers]], list[tuple[_Part, Numbers]]]:
    return [(part, part.one) for part in parts], [(part, part.other) for part in parts]


# --- rounding, levels, zeros ---


def _rounded(ours: Values, theirs: Values) -> str:
    """Whether our values are theirs rounded to a coarser type: what is lost is even between half a step on both sides.

    A fine-tune that changes less than the steps of the type that it began with looks like the reverse, but that its
    changes are no wider where the steps are.
    """
    mine, other = finest(ours, WIDEST), finest(theirs, WIDEST)
    if len(ours) < FEWEST_ROUNDED or bits_of(mine) >= bits_of(other):
        return ""
    if np.mean(rounded(theirs, mine) == ours) < LEAST_ROUNDED:
        return ""
    step = steps(ours, mine).astype(np.float64)
    lost = (theirs.astype(np.float64) - ours) / step
    order = np.argsort(step, kind="stable")
    halves = np.array_split(order, 2)
    is_even = all(abs(float((lost[half] ** 2).mean()) / ROUNDED_VARIANCE - 1) <= VARIANCE_OFF for half in halves)
    return f"rounded to {_TYPES[mine]}" if is_even else ""


def _zeroed(ours: Values, theirs: Values) -> str:
    """Whether our values are theirs, but for some that are zero."""
    missing = (ours == 0) & (theirs != 0)
    rest = ~missing & (theirs != 0)
    is_pruned = missing.sum() >= FEWEST_ZEROS and rest.any() and np.mean(ours[rest] == theirs[rest]) >= LEAST_EQUAL
    return "zeros" if is_pruned else ""


def _levelled(ours: Values, theirs: Values, run: int) -> str:
    """Whether our values stand on a few levels near theirs, and theirs do not."""
    if run < GRID_RUNS[-1] or len(ours) < run:
        return ""
    rows = len(ours) // run
    mine, origin = ours[: rows * run].reshape(rows, run), theirs[: rows * run].reshape(rows, run)
    ordered = np.sort(mine, 1)
    if np.mean(ordered[:, 1:] == ordered[:, :-1]) < LEAST_REPEATED:
        return ""
    found = grid(mine, origin, finest(ours, WIDEST))
    is_told = found is not None and grid(origin, mine, finest(theirs, WIDEST)) is None
    return f"{found.bits}-bit levels" if is_told and found is not None else ""


# --- noise ---


def _noised(parts: Sequence[_Part]) -> tuple[str, str]:
    """Which side is the other one with independent normal numbers added, if it is that and nothing else."""
    changes = [part.other - part.one for part in parts]
    kept = [(part, change) for part, change in zip(parts, changes, strict=True) if change.any()]
    count = sum(part.count for part, _ in kept)
    if count < FEWEST_NOISED or len(kept) < len(parts) or not _is_noise(kept, count):
        return "", ""
    for side, sign, sums, origins in (
        (OTHER, 1, [part.other for part, _ in kept], [part.one for part, _ in kept]),
        (ONE, -1, [part.one for part, _ in kept], [part.other for part, _ in kept]),
    ):
        with_origin, uneven = _correlated(kept, origins)
        with_sum, _ = _correlated(kept, sums)
        if abs(with_origin) <= MOST_BY_CHANCE and not uneven and sign * with_sum >= LEAST_TOLD:
            return side, "noise"
    return "", ""


def _correlated(kept: Sequence[tuple[_Part, Numbers]], sides: Sequence[Numbers]) -> tuple[float, bool]:
    """Correlation of changes with a side in standard errors, over all parts, and whether it differs between them."""
    errors, weights = [], []
    for (part, change), side in zip(kept, sides, strict=True):
        length = math.sqrt(float(change @ change) * float(side @ side)) or 1.0
        errors.append(float(change @ side) / length * math.sqrt(part.count))
        weights.append(math.sqrt(float(change @ change) / part.square))  # what noise of this size would give
    squares = sum(error**2 for error in errors)
    together = sum(map(float.__mul__, errors, weights)) / math.sqrt(sum(weight**2 for weight in weights))
    degrees = len(errors)
    return together, squares > degrees + SHAPE_ERRORS * math.sqrt(2 * degrees)


def _is_noise(kept: Sequence[tuple[_Part, Numbers]], count: int) -> bool:
    """Whether changes look like normal numbers of one sigma, or of one share of each part's deviation."""
    sigmas = np.array([math.sqrt(float(change @ change) / part.count) for part, change in kept])
    deviations = np.array([math.sqrt(part.square) for part, _ in kept])
    counts = np.array([part.count for part, _ in kept], np.float64)
    if not (_is_even(sigmas, counts) or _is_even(sigmas / deviations, counts)):
        return False
    plain = [change / sigma for (_, change), sigma in zip(kept, sigmas, strict=True)]
    limit = SHAPE_ERRORS / math.sqrt(count) + CORRELATION_FLOOR
    kurtosis = float(sum((each**4).sum() for each in plain)) / count
    if abs(kurtosis - 3) > SHAPE_ERRORS * math.sqrt(24 / count) + KURTOSIS_FLOOR:
        return False
    sizes = [each**2 - 1 for each in plain]  # of variance two, where they are normal
    neighbours = sum(float(each[1:] @ each[:-1]) for each in plain) / count
    near_sizes = sum(float(each[1:] @ each[:-1]) for each in sizes) / (2 * count)
    values = [(part.one + part.other) ** 2 / (4 * part.square) for part, _ in kept]
    spread = [each - each.mean() for each in values]
    scale = math.sqrt(2 * count * sum(float(each @ each) for each in spread))
    with_value = sum(float(one @ each) for one, each in zip(sizes, spread, strict=True)) / (scale or 1.0)
    return max(abs(neighbours), abs(near_sizes), abs(with_value)) <= limit


def _is_even(sigmas: Numbers, counts: Numbers) -> bool:
    """Whether the sigmas of all parts are one number, but for chance."""
    logs = np.log(sigmas)
    off = logs - (logs * counts).sum() / counts.sum()
    degrees = max(len(sigmas) - 1, 1)
    limit = degrees + SHAPE_ERRORS * math.sqrt(2 * degrees) + float((2 * counts).sum()) * UNEVEN**2
    return float((2 * counts * off**2).sum()) <= limit
