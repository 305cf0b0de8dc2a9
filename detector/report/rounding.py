"""How far numbers are told: a difference behind these digits comes from the order of additions, not from the code."""

from __future__ import annotations

import math

RATIO_DECIMALS = 4
BITS_DECIMALS = 2
MEASURE_DIGITS = 6  # significant ones, since a measure may be a ratio, a count or a p-value
MOST = 2**53  # up to here every reader of JSON has the same integers, and a number has decimals
FARTHEST = 1e300  # of a number in a figure: beyond, differences of two of them are none that can be drawn
MOST_BITS = 1_000  # of an integer that is written out


def ratio(value: float) -> float:
    """A share, a similarity, or a count for each 10,000."""
    return _decimals(value, RATIO_DECIMALS)


def bits(value: float) -> float:
    """Bits."""
    return _decimals(value, BITS_DECIMALS)


def measure(value: float | int | str) -> float | int | str:
    """A measure of the ledger."""
    return float(f"{value:.{MEASURE_DIGITS}g}") if isinstance(value, float) else value


def cell(value: float | int | str) -> float | int | str:
    """A cell of a table: what a stranger's file holds, so that a number may be none that JSON has."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return measure(value) if math.isfinite(value) else str(value)
    if abs(value) <= MOST:
        return value
    return str(value) if value.bit_length() <= MOST_BITS else f"an integer of {value.bit_length():,} bits"


def drawn(value: float) -> float:
    """A number of a figure: counts as they are, anything else as a measure.

    Errors: what is not finite, or farther from 0 than `FARTHEST`, has no place in a figure: `ValueError`.
    """
    if not abs(value) <= (MOST if isinstance(value, int) else FARTHEST):
        raise ValueError(f"{value!r} cannot be drawn")
    return value if isinstance(value, int) else float(f"{value:.{MEASURE_DIGITS}g}") + 0.0


def _decimals(value: float, decimals: int) -> float:
    return round(float(value), decimals) + 0.0  # + 0.0: "-0.0" would be a difference without a meaning
