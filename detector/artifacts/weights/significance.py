"""Whether a correlation of two sketches could be chance.

Null: the same values shifted against each other. What both have of smoothness, period or common outliers correlates
      there too, and then counts as that much less than independent values.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from detector.artifacts.weights.stored import Values
from detector.settings.mapping import FEWEST_VALUES, MARGIN_DEVIATIONS, MOST_EXPECTED

# Beyond this a correlation is rounding.
_MOST_CORRELATION = 1 - 1e-7


def independent_values(ours: Values, theirs: Values) -> float:
    """How many independent values would correlate by chance as much as these do when they are shifted.

    Shapes: two standardised sketches of equal length.
    """
    count = len(ours)
    if count < 2:
        return float(count)
    shifted = np.fft.irfft(
        np.fft.rfft(ours.astype(np.float64)) * np.conj(np.fft.rfft(theirs.astype(np.float64))), count
    )
    mean_square = float((shifted[1:] ** 2).mean())
    return min(float(count), 1 / mean_square) if mean_square > 0 else float(count)


def deviations(correlation: float, values: float) -> float:
    """A correlation in standard deviations of what independent values give.

    Formula: Fisher's transformation, atanh(r) sqrt(n - 3).
    """
    if values <= 3:
        return 0.0
    return math.atanh(min(abs(correlation), _MOST_CORRELATION)) * math.sqrt(values - 3)


def is_beyond_chance(
    correlation: float, ours: Values, theirs: Values, tried: int, most_expected: float = MOST_EXPECTED
) -> bool:
    """Whether none of `tried` pairs of independent sketches would correlate so much."""
    return len(ours) >= FEWEST_VALUES and abs(correlation) > most_by_chance(
        independent_values(ours, theirs), tried, most_expected
    )


def most_by_chance(values: float, tried: int, most_expected: float = MOST_EXPECTED) -> float:
    """The correlation that none of `tried` pairs of so many independent values reaches; more than one if too few."""
    if values <= 4:
        return 2.0
    return math.tanh(float(-ndtri(most_expected / (2 * max(tried, 1)))) / math.sqrt(values - 3))


def is_told_apart(correlation: float, next_best: float, values: int) -> bool:
    """Whether the best candidate is better than the next one by more than chance."""
    difference = deviations(correlation, values) - deviations(next_best, values)
    return difference >= MARGIN_DEVIATIONS * math.sqrt(2)
