"""Values that stand on a grid: a few levels for each row or group, as rounding to integers leaves them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.spacing import bits_of
from detector.artifacts.weights.stored import Values
from detector.settings.weights import (
    GRID_BLUR,
    GRID_REACH,
    GRID_RUNS,
    GRID_TOLERANCE,
    LEAST_GRID_SHARE,
    MOST_GRID_FACTOR,
    MOST_GRID_RUNS,
    MOST_LEVELS,
    TELLING_LEVELS,
)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid that the suspect's values stand on and the reference's do not."""

    bits: int  # of the integers that would hold the levels
    run: int  # values in a row for which one scale was found


def grid(ours: Values, theirs: Values, dtype: str) -> Grid | None:
    """Find the longest run for which values stand on one grid; None if they stand on none.

    dtype: that the suspect's values were rounded to after.
    Shapes: rows of aligned values, each row contiguous in its tensor.
    """
    columns = ours.shape[1]
    for run in dict.fromkeys(min(run, columns) for run in GRID_RUNS):
        if run < GRID_RUNS[-1]:
            continue
        starts = [(row, at) for row in range(ours.shape[0]) for at in range(0, columns - run + 1, run)]
        starts = starts[:: max(1, len(starts) // MOST_GRID_RUNS)][:MOST_GRID_RUNS]
        found = [_levels(ours[row, at : at + run], theirs[row, at : at + run], dtype) for row, at in starts]
        on_grid = [levels for levels in found if levels]
        if found and len(on_grid) >= LEAST_GRID_SHARE * len(found):
            return Grid(max(1, math.ceil(math.log2(max(on_grid)))), run)
    return None


def _levels(ours: Values, theirs: Values, dtype: str) -> int:
    """How many steps the values of one run span; 0 if they stand on no grid near the reference's."""
    is_sound = np.isfinite(ours) & np.isfinite(theirs)
    one, other = ours[is_sound].astype(np.float64), theirs[is_sound].astype(np.float64)
    levels = np.unique(one)
    is_few = 2 * levels.size <= np.unique(other).size
    if levels.size < 2 or not (is_few or levels.size >= TELLING_LEVELS):
        return 0
    step, off = _step(levels, dtype)
    span = float(levels[-1] - levels[0]) / step
    if not step or span > MOST_LEVELS + 0.5 or off > GRID_TOLERANCE:
        return 0
    factor = float(one @ other) / (float(other @ other) or 1.0)
    if abs(factor - 1) > MOST_GRID_FACTOR:  # integers whose scale is kept elsewhere
        other = factor * other
    inside = (other >= levels[0]) & (other <= levels[-1])  # beyond, values are clipped
    near = np.abs(one - other)[inside]
    is_near = near.size > 0 and float(near.max()) <= (GRID_REACH / 2 + GRID_TOLERANCE) * step
    return round(span) + 1 if is_near else 0


def _step(levels: Numbers, dtype: str) -> tuple[float, float]:
    """The step between neighbouring levels, and how far, in steps, levels lie off the grid of it.

    The smallest distances are the step, but for rounding; wider ones know it better. Levels that the type keeps no
    better than a part of the step are left out of the second number.
    """
    gaps = np.diff(levels)
    gaps = gaps[gaps > 2.0 ** -bits_of(dtype) * float(np.abs(levels).max()) / 2]
    if not gaps.size:
        return 1.0, 1.0
    step = float(np.median(gaps[gaps <= 1.5 * gaps.min()]))
    origin = levels[int(np.argmin(np.abs(levels)))]
    off = levels - origin
    kept = np.abs(levels) <= max(GRID_BLUR * 2.0 ** (bits_of(dtype) + 1), 1.0) * step
    for reach in (4, 16, 64, MOST_LEVELS):
        near = kept & (np.abs(off) <= (reach + 0.5) * step)
        places = np.round(off[near] / step)
        if places.any():
            step = float(off[near] @ places) / float(places @ places)
    places = off[kept] / step
    return step, float(np.abs(places - np.round(places)).max()) if kept.sum() > 1 else 1.0
