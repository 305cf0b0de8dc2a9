"""How far numbers are told: a difference behind these digits comes from the order of additions, not from the code."""

from __future__ import annotations

RATIO_DECIMALS = 4
BITS_DECIMALS = 2
MEASURE_DIGITS = 6  # significant ones, since a measure may be a ratio, a count or a p-value


def ratio(value: float) -> float:
    """A share, a similarity, or a count for each 10,000."""
    return _decimals(value, RATIO_DECIMALS)


def bits(value: float) -> float:
    """Bits."""
    return _decimals(value, BITS_DECIMALS)


def measure(value: float | int | str) -> float | int | str:
    """A measure of the ledger."""
    return float(f"{value:.{MEASURE_DIGITS}g}") if isinstance(value, float) else value


def _decimals(value: float, decimals: int) -> float:
    return round(float(value), decimals) + 0.0  # + 0.0: "-0.0" would be a difference without a meaning
