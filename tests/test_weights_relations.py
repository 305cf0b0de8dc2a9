"""Relations of tensors: what was done to values is told, with its size, and noise is told from everything like it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.artifacts.weights.compared import Compared, compare
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.passes import guess, run
from detector.artifacts.weights.relations import TensorRelation
from detector.artifacts.weights.spacing import finest, rounded, step_below, steps
from detector.artifacts.weights.whole import relate
from detector.model import Depth
from tests.models import Model, changed, model, renamed, tuned
from tests.repositories import repo
from tests.tensors import safetensors

ORIGINAL = model(1)
SIGMA = 1 / 708
Change = Callable[[np.random.Generator, str, NDArray[Any]], NDArray[Any]]


def compared(
    suspect: Mapping[str, Any], reference: Mapping[str, Any] = ORIGINAL, dtype: str = "", depth: Depth = Depth.FULL
) -> Compared:
    (ours,) = open_weights(repo("suspect", {"m.safetensors": safetensors(suspect, dtype)}).files).found
    (theirs,) = open_weights(repo("reference", {"m.safetensors": safetensors(reference)}).files).found
    return compare(ours, theirs, map_tensors(ours, theirs, depth is not Depth.FULL), depth)


def relations(found: Compared, *, of_matrices: bool = True) -> set[str]:
    return {each.relation.value for each in found.tensors if each.is_matrix is of_matrices}


def noise(dice: np.random.Generator, _: str, values: NDArray[Any]) -> NDArray[Any]:
    return values + SIGMA * dice.standard_normal(values.shape)


def matrices_only(change: Callable[[np.random.Generator, NDArray[Any]], NDArray[Any]]) -> Change:
    return lambda dice, _, values: change(dice, values) if values.ndim > 1 else values


def on_grid(values: NDArray[Any], bits: int, group: int) -> NDArray[Any]:
    runs = values.reshape(-1, group)
    step = np.abs(runs).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    return np.asarray(np.round(runs / step) * step).reshape(values.shape)


def low_rank(rank: int, size: float) -> Change:
    return matrices_only(
        lambda dice, values: (
            values
            + size * dice.standard_normal((values.shape[0], rank)) @ dice.standard_normal((rank, values.shape[1]))
        )
    )


# --- rounding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "numpy"), [("F16", np.dtype(np.float16)), ("BF16", np.dtype(ml_dtypes.bfloat16))])
def test_steps_are_those_of_the_type(dtype: str, numpy: np.dtype[Any]) -> None:
    values = np.array([1.0, 1.5, 0.25, -3.0, 2.0**-20, 1000.0, 2.0**-14], np.float32).astype(numpy)
    away = np.nextafter(values, np.copysign(np.inf, values.astype(np.float32)).astype(numpy))
    near = np.nextafter(values, np.zeros_like(values))
    wide = values.astype(np.float32)
    np.testing.assert_array_equal(steps(wide, dtype), np.abs(away.astype(np.float32) - wide))
    np.testing.assert_array_equal(step_below(wide, dtype), np.abs(wide - near.astype(np.float32)))


def test_values_that_went_through_half_precision_are_known_by_their_steps() -> None:
    values = ORIGINAL["head.weight"]
    assert finest(values, "F32") == "F32"
    assert finest(rounded(values, "BF16"), "F32") == "BF16"
    assert finest(rounded(values, "F16"), "F32") == "F16"
    assert finest(values, "F16") == "F16"


def test_sums_do_not_depend_on_how_values_come_in_blocks() -> None:
    dice = np.random.default_rng(0)
    theirs = dice.standard_normal(200_000).astype(np.float32)
    ours = (1.5 * theirs + 0.1 * dice.standard_normal(theirs.size)).astype(np.float32)
    guessed = guess(ours[:2_000], theirs[:2_000], "F32", "F32")
    whole = run([(ours, theirs)], guessed)
    pieces = run([(ours[at : at + 777], theirs[at : at + 777]) for at in range(0, ours.size, 777)], guessed)
    for measure in ("count", "equal", "zeros"):
        assert getattr(whole, measure) == getattr(pieces, measure)
    for measure in ("correlation", "slope", "sigma", "deviation"):
        assert getattr(whole, measure) == pytest.approx(getattr(pieces, measure), rel=1e-5)
    assert whole.correlation == pytest.approx(float(np.corrcoef(ours, theirs)[0, 1]), abs=1e-6)
    assert whole.slope == pytest.approx(1.5, abs=1e-3)
    assert whole.sigma == pytest.approx(0.1, rel=5e-3)


# --- every relation ------------------------------------------------------------------------------------------


def test_a_copy_under_other_names_is_identical() -> None:
    found = compared(renamed(ORIGINAL))
    assert relations(found) == {"identical"}
    assert relate(found).is_whole
    assert found.noise is None


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_a_copy_in_another_type_is_cast_either_way(dtype: str) -> None:
    assert relations(compared(renamed(ORIGINAL), dtype=dtype)) == {"cast"}
    half: Model = {name: rounded(values, dtype) for name, values in ORIGINAL.items()}
    assert relations(compared(half)) == {"cast"}
    assert relations(compared(renamed(ORIGINAL), half)) == {"cast"}


def test_half_precision_that_is_stored_as_more_is_the_same_values() -> None:
    half: Model = {name: rounded(values, "BF16") for name, values in ORIGINAL.items()}
    assert relations(compared(half, half)) == {"identical"}
    assert relations(compared(half, {name: v.astype(ml_dtypes.bfloat16) for name, v in half.items()})) == {"identical"}


def test_values_rounded_twice_are_cast() -> None:
    twice: Model = {name: rounded(rounded(values, "F16"), "BF16") for name, values in ORIGINAL.items()}
    assert relations(compared(twice)) == {"cast"}


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_a_factor_is_told_with_its_size(dtype: str) -> None:
    found = compared(renamed(changed(ORIGINAL, lambda _, __, values: values * np.float32(1.07))), dtype=dtype)
    assert relations(found) == {"scaled"}
    for each in found.tensors:
        if each.is_matrix:
            assert each.sums is not None
            assert each.sums.guess.factor == pytest.approx(1.07, rel=1e-4)


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_noise_is_told_with_its_sigma(dtype: str) -> None:
    """870,000 values know sigma to .08 % by chance: four times that is allowed here."""
    found = compared(renamed(changed(ORIGINAL, noise)), dtype=dtype)
    assert relations(found) == {"noised"}
    assert found.noise is not None
    assert not found.noise.is_relative
    assert 1 / found.noise.sigma == pytest.approx(708, rel=3e-3)
    assert found.noise.homogeneity < 2
    exact = np.concatenate([(changed(ORIGINAL, noise)[n] - v).ravel() for n, v in ORIGINAL.items() if v.ndim > 1])
    assert found.noise.sigma == pytest.approx(float(exact.astype(np.float64).std()), rel=1e-3)


def test_sigma_leaves_out_what_rounding_adds() -> None:
    """Of values near one in half precision rounding adds 7 % to the noise."""
    dice = np.random.default_rng(0)
    theirs = dice.uniform(0.5, 1, 4_000_000).astype(np.float32)
    ours = rounded(theirs + (0.003 * dice.standard_normal(theirs.size)).astype(np.float32), "BF16")
    sums = run([(ours, theirs)], guess(ours[::50], theirs[::50], "BF16", "F32"))
    assert sums.sigma == pytest.approx(0.003, rel=3e-3)
    assert np.std(ours - theirs) > 1.05 * 0.003


def test_noise_in_parts_of_each_tensors_deviation_is_told_so() -> None:
    found = compared(changed(ORIGINAL, lambda dice, _, v: v + 0.05 * v.std() * dice.standard_normal(v.shape)))
    assert relations(found) == {"noised"}
    assert found.noise is not None
    assert found.noise.is_relative
    assert found.noise.sigma == pytest.approx(0.05, rel=5e-3)


def test_noise_beside_a_factor_is_told_with_both() -> None:
    found = compared(changed(ORIGINAL, lambda dice, name, values: noise(dice, name, 1.07 * values)))
    assert relations(found) == {"noised"}
    assert found.noise is not None
    assert 1 / found.noise.sigma == pytest.approx(708, rel=3e-3)
    assert all(
        each.sums.slope == pytest.approx(1.07, abs=2e-3) for each in found.tensors if each.is_matrix and each.sums
    )


@pytest.mark.parametrize(("rank", "dtype"), [(1, "F32"), (4, "F32"), (8, "F16"), (16, "F32"), (16, "BF16")])
def test_changes_of_low_rank_are_told_with_their_rank(rank: int, dtype: str) -> None:
    found = compared(changed(ORIGINAL, low_rank(rank, 0.004)), dtype=dtype)
    large = [each for each in found.tensors if each.is_matrix and each.parameters >= 128 * 128]
    assert {each.relation for each in large} == {TensorRelation.LOW_RANK}
    ranks = [each.residual.spectrum.rank for each in large if each.residual and each.residual.spectrum]
    assert len(ranks) == len(large)
    assert set(ranks) <= ({rank} if dtype != "BF16" else set(range(rank - 4, rank + 1)))


def test_zeros_are_told_with_their_share() -> None:
    def prune(_: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
        return np.where(np.abs(values) < np.quantile(np.abs(values), 0.3), 0, values)

    for dtype in ("F32", "F16"):
        found = compared(changed(ORIGINAL, matrices_only(prune)), dtype=dtype)
        assert relations(found) == {"pruned"}
        assert all(each.note == "30% of the values became zero" for each in found.tensors if each.is_matrix)


@pytest.mark.parametrize(
    ("bits", "group", "dtype"),
    [(8, WIDTH := 128, "F32"), (8, 32, "F32"), (4, 64, "F16"), (4, 32, "BF16"), (8, 128, "F16")],
)
def test_values_on_a_grid_are_quantised(bits: int, group: int, dtype: str) -> None:
    assert WIDTH % group == 0
    found = compared(changed(ORIGINAL, matrices_only(lambda _, v: on_grid(v, bits, group))), dtype=dtype)
    large = [each for each in found.tensors if each.is_matrix and each.parameters >= 128 * 128]
    assert {each.relation for each in large} == {TensorRelation.QUANTISED}
    assert {each.grid.bits for each in large if each.grid} == {bits}


def test_integers_whose_scale_is_kept_elsewhere_are_quantised() -> None:
    name = "layers.0.attention.query.weight"
    integers = np.round(ORIGINAL[name] / np.abs(ORIGINAL[name]).max(axis=1, keepdims=True) * 127).astype(np.int8)
    found = compared({**ORIGINAL, name: integers})
    (told,) = [each for each in found.tensors if each.ours == name]
    assert told.relation is TensorRelation.QUANTISED


# --- what is no noise ----------------------------------------------------------------------------------------


def heavy(dice: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return values + 0.001 * dice.standard_t(8, values.shape)


def uneven_rows(dice: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return values + SIGMA * dice.uniform(0.7, 1.3, (values.shape[0], 1)) * dice.standard_normal(values.shape)


def by_value(dice: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return values * (1 + 0.05 * dice.standard_normal(values.shape))


def by_layer(dice: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(values + 0.002 * np.exp(0.1 * dice.standard_normal()) * dice.standard_normal(values.shape))


def even(dice: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return values + 0.002 * dice.uniform(-1, 1, values.shape)


def high_rank(dice: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    left, right = dice.standard_normal((values.shape[0], 100)), dice.standard_normal((100, values.shape[1]))
    return values + 0.0001 * left @ right


@pytest.mark.parametrize("depth", [Depth.FULL, Depth.SAMPLE])
@pytest.mark.parametrize("change", [heavy, uneven_rows, by_value, by_layer, even, high_rank])
def test_a_change_that_is_not_independent_and_normal_is_never_noise(change: Any, depth: Depth) -> None:
    if depth is Depth.SAMPLE and change in (heavy, even, high_rank):
        pytest.skip("2,000 values and 24 rows of 128 do not tell these from independent normal numbers")
    found = compared(changed(ORIGINAL, matrices_only(change)), depth=depth)
    assert found.noise is None
    assert relations(found) == {"fine-tuned"}


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("size", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("depth", [Depth.FULL, Depth.SAMPLE])
def test_a_fine_tune_is_never_noise(dtype: str, size: float, depth: Depth) -> None:
    found = compared(tuned(ORIGINAL, 5, size), dtype=dtype, depth=depth)
    assert found.noise is None
    assert "noised" not in relations(found) | relations(found, of_matrices=False)


@pytest.mark.parametrize("depth", [Depth.FULL, Depth.SAMPLE])
def test_adapters_are_never_noise(depth: Depth) -> None:
    for rank in (1, 8, 32, 64):
        found = compared(changed(ORIGINAL, low_rank(rank, 0.001)), depth=depth)
        assert found.noise is None, rank
        assert "noised" not in relations(found)


def test_noise_in_half_of_the_changed_tensors_is_no_noise_of_the_model() -> None:
    both = changed(ORIGINAL, noise) | {n: v for n, v in tuned(ORIGINAL, 5).items() if "mlp" in n}
    assert compared(both).noise is None


# --- nothing to tell -----------------------------------------------------------------------------------------


def test_two_trainings_are_independent_in_every_matrix() -> None:
    for depth in (Depth.FULL, Depth.SAMPLE):
        found = compared(renamed(model(2)), depth=depth)
        assert not any(each.is_related for each in found.tensors)
        assert "independent" in relations(found)
        assert not relate(found).is_related


def test_constants_and_tiny_tensors_are_undetermined() -> None:
    found = compared({**ORIGINAL, "scale": np.ones((1,), np.float32)}, {**ORIGINAL, "scale": np.ones((1,), np.float32)})
    told = {each.ours: each for each in found.tensors}
    assert told["scale"].relation is TensorRelation.UNDETERMINED
    assert told["layers.0.norm.bias"].relation is TensorRelation.UNDETERMINED
    assert told["layers.0.norm.bias"].note == "constant"


def test_a_signal_below_the_noise_is_undetermined() -> None:
    weak = dict(ORIGINAL)
    weak["layers.0.attention.query.bias"] = ORIGINAL["layers.0.attention.query.bias"] * np.float32(1e-4)
    found = compared(changed(weak, noise), weak)
    (told,) = [each for each in found.tensors if each.ours == "layers.0.attention.query.bias"]
    assert told.relation is TensorRelation.UNDETERMINED
    assert found.noise is not None


def test_what_rounding_hides_is_undetermined() -> None:
    found = compared(changed(ORIGINAL, noise), dtype="BF16")
    norms = [each for each in found.tensors if each.ours.endswith("norm.weight")]
    assert norms
    assert {each.relation.value for each in norms} == {"undetermined"}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_values_that_are_no_numbers_are_left_out_and_told(bad: float) -> None:
    spoilt = {name: values.copy() for name, values in changed(ORIGINAL, noise).items()}
    spoilt["embed.tokens.weight"][5, :7] = bad
    found = compared(spoilt)
    (told,) = [each for each in found.tensors if each.ours == "embed.tokens.weight"]
    assert told.relation is TensorRelation.NOISED
    assert told.note == "7 values are no finite numbers"
    assert found.noise is not None
    assert 1 / found.noise.sigma == pytest.approx(708, rel=3e-3)


def test_a_tensor_of_nothing_but_nan_and_one_without_values_are_undetermined() -> None:
    odd = {**ORIGINAL, "void": np.zeros((0, 128), np.float32), "head.weight": np.full((50, 128), np.nan, np.float32)}
    told = {each.ours: each.relation.value for each in compared(odd, odd).tensors}
    assert told["void"] in ("undetermined", "no counterpart", "independent")
    assert told["head.weight"] == "undetermined"


def test_tables_that_a_formula_makes_and_counters_make_no_models_related() -> None:
    places, channels = np.arange(512)[:, None], np.arange(64)[None]
    angles = places / 10_000 ** (channels / 64)
    table = np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
    index = np.random.default_rng(0).integers(0, 169, (49, 49))
    extra = {"positions": table, "relative_index": index, "mask": np.triu(np.full((64, 64), -1e4, np.float32))}
    for depth in (Depth.FULL, Depth.SAMPLE):
        found = compared({**model(2), **extra}, {**ORIGINAL, **extra}, depth=depth)
        assert not relate(found).is_related


@pytest.mark.parametrize("seed", range(6))
def test_noise_beside_coarse_rounding_has_no_rank(seed: int) -> None:
    """Small matrices have singular values near zero: what lies there is no rounding."""
    dice = np.random.default_rng(seed)
    coarse = {f"part.{number}.weight": 0.3 * dice.standard_normal((24, 24)) for number in range(12)}
    coarse = {name: values.astype(ml_dtypes.bfloat16).astype(np.float32) for name, values in coarse.items()}
    copy = {name: noise(dice, name, values) for name, values in coarse.items()}
    assert relations(compared({name: values.astype(np.float16) for name, values in copy.items()}, coarse)) == {"noised"}


def test_a_matrix_that_drowns_in_noise_is_undetermined_and_another_one_independent() -> None:
    name = "layers.1.mlp.up.weight"
    dice = np.random.default_rng(3)
    drowned = changed(ORIGINAL, noise)
    drowned[name] = ORIGINAL[name] + 10 * ORIGINAL[name].std() * dice.standard_normal(ORIGINAL[name].shape)
    told = {each.ours: each for each in compared(drowned).tensors}
    assert (told[name].relation, told[name].note) == (TensorRelation.UNDETERMINED, "the signal is below the noise")
    assert {each.relation for each in told.values() if each.is_matrix and each.ours != name} == {TensorRelation.NOISED}
    drowned[name] = dice.standard_normal(ORIGINAL[name].shape) * ORIGINAL[name].std()
    assert {each.ours: each for each in compared(drowned).tensors}[name].relation is TensorRelation.INDEPENDENT
