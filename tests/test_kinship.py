"""Kinship of two models by a few values: how near they are, and which of them is derived, where values tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.lineage import TENSORS, VALUES, Dice, Model, cast, fine_tuned, fresh, kin, noised
from detector.artifacts.weights.kinship import ONE, OTHER, kinship
from detector.artifacts.weights.stored import Values

MODEL = fresh(np.random.default_rng(1))


def dice(seed: int = 2) -> Dice:
    return np.random.default_rng(seed)


def levels(model: Model, steps: int) -> Model:
    """Round each run of 64 values to steps of its own, as quantisation by groups does."""
    runs = model.reshape(-1, 64)
    scale = np.abs(runs).max(1, keepdims=True) / steps
    quantised: Model = (np.round(runs / scale) * scale).astype(np.float32).reshape(model.shape)
    return quantised


def zeroed(model: Model, share: float) -> Model:
    small = np.abs(model) < np.quantile(np.abs(model), share)
    return np.where(small, np.float32(0), model)


DERIVED: list[tuple[str, Callable[[Model], Model]]] = [
    ("noise", lambda model: noised(model, 0.1, dice())),
    ("noise", lambda model: (model + 0.008 * dice().standard_normal(model.shape)).astype(np.float32)),
    ("rounded to bfloat16", lambda model: cast(model, "BF16")),
    ("rounded to float16", lambda model: cast(model, "F16")),
    ("rounded to bfloat16", lambda model: cast(cast(model, "F16"), "BF16")),
    ("8-bit levels", lambda model: levels(model, 127)),
    ("4-bit levels", lambda model: levels(model, 7)),
    ("zeros", lambda model: zeroed(model, 0.3)),
]


@pytest.mark.parametrize(("why", "change"), DERIVED)
def test_what_cannot_be_taken_back_tells_which_side_is_derived(why: str, change: Callable[[Model], Model]) -> None:
    found = kin(MODEL, change(MODEL))
    assert (found.derived, found.why) == (OTHER, why)
    assert kin(change(MODEL), MODEL).derived == ONE


@pytest.mark.parametrize("decay", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("size", [0.02, 0.1, 0.3])
def test_training_tells_no_direction(size: float, decay: float) -> None:
    counts = Counter(kin(MODEL, fine_tuned(MODEL, size, decay, dice(seed))).derived for seed in range(20))
    assert counts == {"": 20}


def test_training_from_half_precision_in_single_precision_is_not_taken_for_a_cast() -> None:
    base = cast(MODEL, "BF16")
    tiny = (base + 1e-5 * dice().standard_normal(base.shape)).astype(np.float32)  # less than most steps of bfloat16
    assert kin(base, tiny).derived == ""


def test_scaling_tells_no_direction() -> None:
    found = kin(MODEL, (MODEL * np.float32(1.07)).astype(np.float32))
    assert (found.derived, round(found.correlation, 6)) == ("", 1.0)


def test_independent_models_are_no_kin() -> None:
    for seed in range(20):
        found = kin(MODEL, fresh(dice(seed + 10)))
        assert not found.is_told
        assert found.distance == pytest.approx(1, abs=0.05)
        assert found.derived == ""


def test_equal_values_have_no_distance_and_no_direction() -> None:
    found = kin(MODEL, MODEL.copy())
    assert (found.distance, found.derived, found.is_told) == (0.0, "", True)


def test_norms_that_all_models_have_do_not_join_them() -> None:
    """Scales of normalisations are near one in every model: each tensor counts without its mean."""
    one, other = (np.concatenate([1 + 0.01 * fresh(dice(seed))[0], fresh(dice(seed))[1]]) for seed in (5, 6))
    assert not kinship(one, other, [VALUES, VALUES]).is_told


def test_large_tensors_do_not_drown_small_ones() -> None:
    ours, theirs = fresh(dice(7)), fresh(dice(8))
    theirs[0] = ours[0]
    ours[0] *= 1000
    theirs[0] *= 1000
    found = kinship(ours.ravel(), theirs.ravel(), [VALUES] * TENSORS)
    assert found.correlation == pytest.approx(1 / TENSORS, abs=0.03)


def test_distances_of_steps_of_training_add_as_right_angles_do() -> None:
    one = fine_tuned(MODEL, 0.1, 0.0, dice(3))
    other = fine_tuned(MODEL, 0.2, 0.0, dice(4))
    sides = kin(MODEL, one).distance, kin(MODEL, other).distance
    assert kin(one, other).distance == pytest.approx(float(np.hypot(*sides)), rel=0.02)


def test_a_mixture_lies_between_its_parents() -> None:
    one, other = (fine_tuned(MODEL, 0.1, 0.0, dice(seed)) for seed in (3, 4))
    mixed = np.float32(0.6) * one + np.float32(0.4) * other
    sides = kin(mixed, one).distance, kin(mixed, other).distance
    assert sum(sides) == pytest.approx(kin(one, other).distance, rel=0.02)


def test_few_values_tell_nothing() -> None:
    few = MODEL.ravel()[:20]
    found = kinship(few, few)
    assert (found.values, found.correlation, found.distance, found.is_told) == (20, 0.0, 1.0, False)


def test_values_that_are_no_numbers_are_left_out() -> None:
    broken = MODEL.copy()
    broken[:, ::50] = np.nan
    broken[:, 1::50] = np.float32(1e30)
    found = kin(broken, MODEL)
    assert found.values == MODEL.size - 2 * len(range(0, VALUES, 50)) * TENSORS
    assert found.distance == 0


def test_vectors_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        kinship(MODEL[0], MODEL[0][:-1])
    with pytest.raises(ValueError, match="equally many"):
        kinship(MODEL[0], MODEL[0], [1, 2])


def _values(size: int) -> st.SearchStrategy[Values]:
    return arrays.arrays(np.float32, size, elements=st.floats(width=32, allow_nan=True, allow_infinity=True))


@given(st.integers(0, 80).flatmap(lambda size: st.tuples(_values(size), _values(size))))
@settings(deadline=None)
def test_any_values_give_finite_numbers_and_sides_that_change_places(pair: tuple[Values, Values]) -> None:
    one, other = pair
    found, back = kinship(one, other), kinship(other, one)
    assert 0 <= found.distance <= 1.5
    assert -1.001 <= found.correlation <= 1.001
    assert (found.distance, found.values) == pytest.approx((back.distance, back.values))
    assert {"": "", ONE: OTHER, OTHER: ONE}[found.derived] == back.derived
