"""Sorting integers with their places: what numpy's own, slower functions give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.code.sorting import Numbers, distinct, grouped, order

profile = settings(max_examples=200, derandomize=True, deadline=None, database=None)
small = st.lists(st.integers(0, 20), max_size=40)
# Hashes that differ in their lowest bits alone: what is sorted with its place loses those.
wide = st.lists(st.builds(lambda high, low: (high << 60) | low, st.integers(0, 15), st.integers(0, 3)), max_size=40)


@profile
@given(values=small | wide)
def test_the_order_is_that_of_a_stable_sort(values: list[int]) -> None:
    array = np.array(values, np.uint64)
    assert order(array).tolist() == np.argsort(array, kind="stable").tolist()


@profile
@given(values=small | wide)
def test_groups_are_those_of_unique(values: list[int]) -> None:
    array = np.array(values, np.uint64)
    firsts, numbers = grouped(array)
    _, expected_firsts, expected = np.unique(array, return_index=True, return_inverse=True)
    assert firsts.tolist() == expected_firsts.tolist()
    assert numbers.tolist() == expected.tolist()


@profile
@given(values=small)
def test_distinct_values_come_once_in_order(values: list[int]) -> None:
    assert distinct(np.array(values, np.int64)).tolist() == sorted(set(values))


@pytest.mark.parametrize("values", [[], [7], [2**64 - 1, 0, 2**64 - 1], [2**63, 2**63 - 1]])
def test_the_largest_and_the_fewest(values: list[int]) -> None:
    array = np.array(values, np.uint64)
    assert order(array).tolist() == sorted(range(len(values)), key=values.__getitem__)


def test_many_hashes() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, 100_000, np.uint64) >> np.uint64(40) << np.uint64(40)
    numbers: Numbers = order(hashes)
    assert np.array_equal(numbers, np.argsort(hashes, kind="stable"))
