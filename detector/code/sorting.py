"""Distinct values, groups and orders of many integers, by numpy's sort: several times faster than its `unique`,
`argsort` and `lexsort`, which the processor's wide registers help less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


def distinct(numbers: Numbers) -> Numbers:
    """The distinct values, ascending."""
    ordered = np.sort(numbers)
    return ordered[is_new(ordered)]


def is_new(ordered: Hashes | Numbers) -> npt.NDArray[np.bool_]:
    """Where a value stands for the first time among ordered ones."""
    new = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return new


def order(values: Hashes | Numbers) -> Numbers:
    """The places of the values, ascending by value, then by place. No value may be negative.

    Value and place are sorted as one integer. Where both do not fit into 64 bits, the lowest bits of the values are
    left out, and in the rare case that those mattered everything is sorted once more.
    """
    bits = np.uint64(len(values).bit_length())
    places = np.arange(len(values), dtype=np.uint64)
    wide = values.astype(np.uint64)
    fits = not len(wide) or int(wide.max()) >> (64 - int(bits)) == 0
    joined = np.sort((wide << bits if fits else wide >> bits << bits) | places)
    found = (joined & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    if not fits:
        ordered = wide[found]
        if (ordered[1:] < ordered[:-1]).any():
            return np.argsort(wide, kind="stable")
    return found


def grouped(values: Hashes | Numbers) -> tuple[Numbers, Numbers]:
    """Which values are equal: for each distinct one, ascending, its first place; for each place, its value's number."""
    by_value = order(values)
    new = is_new(values[by_value])
    numbers = np.empty(len(values), np.int64)
    numbers[by_value] = np.cumsum(new) - 1
    return by_value[new], numbers
