"""How far apart the numbers of a type are, and what rounding to it makes of values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.artifacts.weights.stored import DTYPES, Values

_EXPONENT = np.uint32(0x7F800000)
_MANTISSA = np.uint32(0x007FFFFF)
# What is read of wider types is held in 32 bits.
WIDEST = "F32"


@dataclass(frozen=True, slots=True)
class _Grid:
    """Bits after the point, and the exponent of the smallest normal number: below it the steps stay the same."""

    bits: int
    least: int


# Source: IEEE 754-2019 (F16, F32); bfloat16; OFP8 of the Open Compute Project, 2023 (F8).
_GRIDS = {
    "F16": _Grid(10, -14),
    "BF16": _Grid(7, -126),
    "F32": _Grid(23, -126),
    "F8_E4M3": _Grid(3, -6),
    "F8_E5M2": _Grid(2, -14),
    "F8_E4M3FNUZ": _Grid(3, -7),
    "F8_E5M2FNUZ": _Grid(2, -15),
}
# Types that values may have gone through, the narrowest first: what was half precision is often stored as 32 bits.
_THROUGH = ("BF16", "F16")


def bits_of(dtype: str) -> int:
    """How many bits after the point a type keeps."""
    return _GRIDS.get(dtype, _GRIDS[WIDEST]).bits


def steps(values: Values, dtype: str) -> Values:
    """The distance to the next number of a type, at each value."""
    grid = _GRIDS.get(dtype, _GRIDS[WIDEST])
    powers = (values.view(np.uint32) & _EXPONENT).view(np.float32)
    return np.maximum(powers, np.float32(2.0**grid.least)) * np.float32(2.0**-grid.bits)


def step_below(values: Values, dtype: str) -> Values:
    """The distance to the next number nearer to zero: half of `steps` at a power of two."""
    found = steps(values, dtype)
    is_power = (values.view(np.uint32) & _MANTISSA) == 0
    grid = _GRIDS.get(dtype, _GRIDS[WIDEST])
    return np.where(is_power & (np.abs(values) > 2.0**grid.least), found / 2, found)


def rounded(values: Values, dtype: str) -> Values:
    """What is left of values once they were stored in a type."""
    if dtype not in DTYPES or bits_of(dtype) >= bits_of(WIDEST):
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(DTYPES[dtype]).astype(np.float32)


def finest(values: Values, stored: str) -> str:
    """The type whose steps the values have: a narrower one than they are stored in, if it holds all of them.

    Empty: as stored.
    """
    if bits_of(stored) < bits_of(WIDEST):
        return stored
    for dtype in _THROUGH:
        if values.any() and np.array_equal(rounded(values, dtype), values):
            return dtype
    return WIDEST
