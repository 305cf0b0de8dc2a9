"""Which tensor stands for which: names tell nothing, values do, and chance is ruled out."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import ml_dtypes
import numpy as np
import pytest

from detector.artifacts.weights.aligned import blocks, sample
from detector.artifacts.weights.correspondence import Arrangement, Mapping
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.stored import Weights
from detector.model import Skipped
from detector.settings import mapping as settings
from tests.weights_made import HALVES, PLACES, WIDTH, Tensors, noised, shuffled, transformer, weights

MODEL = transformer(1)
CONSTANT = {name for name, each in MODEL.items() if not each.any() or each.dtype.kind != "f"}


def quantised(tensors: Tensors) -> Tensors:
    """Every matrix as 8-bit integers with a scale for each row."""
    return {
        name: np.round(each / np.abs(each).max(1, keepdims=True) * 127).astype(np.int8) if each.ndim == 2 else each
        for name, each in tensors.items()
    }


def tuned(tensors: Tensors, correlation: float) -> Tensors:
    """As different as training for long makes them."""
    rng, rest = np.random.default_rng(5), (1 / correlation**2 - 1) ** 0.5
    return {
        name: (each + rest * each.std() * rng.standard_normal(each.shape)).astype(np.float32)
        if each.ndim == 2
        else each
        for name, each in tensors.items()
    }


def adapted(tensors: Tensors) -> Tensors:
    """With an update of rank two in every matrix of attention."""
    rng = np.random.default_rng(6)
    return {
        name: (each + 0.05 * rng.standard_normal((WIDTH, 2)) @ rng.standard_normal((2, WIDTH))).astype(np.float32)
        if "attention" in name and each.ndim == 2
        else each
        for name, each in tensors.items()
    }


DISGUISES: dict[str, Callable[[Tensors], Tensors]] = {
    "renamed": dict,
    "noise": noised,
    "noise in half precision": lambda model: noised(model, dtype=HALVES[0]),
    "noise in bfloat16": lambda model: noised(model, dtype=HALVES[1]),
    "integers": quantised,
    "scaled": lambda model: {name: 1.07 * each if each.dtype.kind == "f" else each for name, each in model.items()},
    "negated": lambda model: {name: -each if each.ndim == 2 else each for name, each in model.items()},
    "adapted": adapted,
    "tuned": lambda model: tuned(model, 0.455),
}


def mapped(ours: Tensors, theirs: Tensors, *, is_sampled: bool = True) -> Mapping:
    return map_tensors(weights(ours), weights(theirs), is_sampled)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_copy_under_shuffled_names_is_mapped_tensor_by_tensor(disguise: str) -> None:
    ours, truth = shuffled(DISGUISES[disguise](MODEL))
    found = mapped(ours, MODEL)
    certain = {pair.ours: pair.theirs for pair in found.pairs if pair.is_certain}
    assert all(truth[mine] == its for mine, its in certain.items())
    matrices = {name for name, real in truth.items() if MODEL[real].ndim == 2}
    assert matrices <= set(certain)
    telling = [pair for pair in found.pairs if truth[pair.ours] not in CONSTANT]
    assert all(truth[pair.ours] == pair.theirs for pair in telling)
    assert (found.unmatched, found.unmatched_there) == ((), ())


def test_of_each_tensor_a_few_hundred_values_are_read() -> None:
    ours, theirs = weights(noised(MODEL)), weights(MODEL)
    map_tensors(ours, theirs, is_sampled=True)
    assert theirs.bytes_read <= 4 * settings.SKETCH_VALUES * len(MODEL)


def test_small_tensors_next_to_each_other_are_read_at_once() -> None:
    reads: list[tuple[int, int]] = []
    vectors = {name: each for name, each in MODEL.items() if each.ndim == 1}
    ours, theirs = weights(vectors), weights(vectors)
    part = ours.part

    def counting(path: str, begin: int, size: int) -> bytes | Skipped:
        reads.append((begin, size))
        return part(path, begin, size)

    map_tensors(Weights(ours.path, ours.tensors, counting), theirs, is_sampled=True)
    assert len(reads) == 1


def test_independent_models_have_no_certain_pair() -> None:
    models = [transformer(seed) for seed in range(20, 28)]
    for one, other in itertools.combinations(models, 2):
        found = mapped(one, other)
        assert not [pair for pair in found.pairs if pair.is_certain]
        assert (found.dropped_layers, found.added_layers) == ((), ())


def test_independent_models_have_no_certain_pair_when_everything_is_read() -> None:
    for one, other in itertools.combinations([transformer(seed) for seed in range(30, 34)], 2):
        assert not [pair for pair in mapped(one, other, is_sampled=False).pairs if pair.is_certain]


def test_scales_of_norms_are_told_apart_between_layers() -> None:
    ours, truth = shuffled(noised(MODEL))
    found = mapped(ours, MODEL)
    norms = [pair for pair in found.pairs if truth[pair.ours].endswith("norm.weight")]
    assert norms
    assert all(pair.is_certain and truth[pair.ours] == pair.theirs for pair in norms)


def test_tensors_that_noise_buries_are_not_certain() -> None:
    model = MODEL | {"buried": (1e-5 * MODEL["layers.0.mlp.up.weight"][:, ::2]).copy()}
    pairs = {pair.ours: pair for pair in mapped(noised(model), model).pairs}
    assert not pairs["buried"].is_certain
    assert pairs["layers.0.mlp.up.weight"].is_certain


def test_vectors_alone_are_never_certain() -> None:
    vectors = {name: each for name, each in MODEL.items() if each.ndim == 1}
    found = mapped(vectors, vectors)
    assert len(found.pairs) == len(vectors)
    assert not any(pair.is_certain for pair in found.pairs)


def _sines() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    angles = np.arange(200)[:, None] * 10_000 ** (-np.arange(16) / 16)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(200, 32).astype(np.float32)


@pytest.mark.parametrize(
    "table",
    [
        _sines(),
        np.tril(np.ones((64, 64), np.float32)),
        np.eye(64, dtype=np.float32),
        (10_000 ** (-np.arange(64) / 64)).astype(np.float32),
        np.linspace(-1, 1, 400, dtype=np.float32).reshape(20, 20),
        np.full((30, 30), 0.5, np.float32),
    ],
    ids=["sines", "mask", "unit", "powers", "line", "constant"],
)
def test_a_table_that_a_formula_makes_is_paired_but_never_certain(table: np.ndarray) -> None:
    found = mapped(transformer(40) | {"table": table}, transformer(41) | {"buffer": table})
    assert not any(pair.is_certain for pair in found.pairs)
    (pair,) = (pair for pair in found.pairs if pair.ours == "table")
    assert (pair.theirs, round(pair.correlation, 6)) == ("buffer", 1.0)


def test_constants_follow_the_modules_that_are_certain() -> None:
    renamed = {name.replace("layers.", "blocks.").replace(".key.", ".k."): each for name, each in MODEL.items()}
    swapped = {
        name.replace("blocks.0.", "blocks.9.").replace("blocks.3.", "blocks.0."): each for name, each in renamed.items()
    }
    pairs = {pair.ours: pair for pair in mapped(swapped, MODEL).pairs}
    assert pairs["blocks.9.attention.k.bias"].theirs == "layers.0.attention.key.bias"
    assert pairs["blocks.0.attention.k.bias"].theirs == "layers.3.attention.key.bias"
    assert not pairs["blocks.0.attention.k.bias"].is_certain
    assert pairs["embed.numbers"].correlation == 1


def test_tied_tensors_are_paired_by_name_where_values_are_equal() -> None:
    model = MODEL | {"head.weight": MODEL["embed.words.weight"]}
    found = {pair.ours: pair for pair in mapped(noised(model, 1e-6), model).pairs}
    assert found["head.weight"].theirs == "head.weight"
    assert found["head.weight"].is_certain


def test_layers_that_were_dropped_or_added_are_named() -> None:
    few = {name: each for name, each in MODEL.items() if not name.startswith(("layers.1.", "layers.2."))}
    ours, _ = shuffled(noised(few))
    found = mapped(ours, MODEL)
    assert found.dropped_layers == ("layers.1", "layers.2")
    assert found.unmatched == ()
    assert all(name.startswith(("layers.1.", "layers.2.")) for name in found.unmatched_there)
    assert mapped(MODEL, noised(few)).added_layers == ("layers.1", "layers.2")


def test_shapes_that_differ_by_dimensions_of_one_are_the_same() -> None:
    name = "layers.0.mlp.up.weight"
    found = {pair.ours: pair for pair in mapped(MODEL | {name: MODEL[name][:, :, None]}, MODEL).pairs}
    assert (found[name].theirs, found[name].arrangement, found[name].is_certain) == (name, Arrangement.SAME, True)


def test_values_that_are_no_numbers_do_no_harm() -> None:
    broken = {name: each.copy() for name, each in MODEL.items()}
    broken["layers.0.mlp.up.weight"][:, ::9] = np.nan
    broken["layers.1.mlp.up.weight"][::7] = np.inf
    broken["layers.2.mlp.up.weight"][:] = np.nan
    broken |= {
        "nothing": np.zeros((0, 5), np.float32),
        "one": np.full((), 3, np.float32),
        "huge": np.full((40, 40), 1e300),
    }
    for is_sampled in (True, False):
        found = {pair.ours: pair for pair in mapped(broken, broken, is_sampled=is_sampled).pairs}
        assert set(found) == set(broken)
        assert found["layers.0.mlp.up.weight"].is_certain
        assert found["layers.2.mlp.up.weight"].theirs == "layers.2.mlp.up.weight"
        assert not found["layers.2.mlp.up.weight"].is_certain


def test_what_cannot_be_read_is_unmatched_and_told() -> None:
    ours, theirs = weights(MODEL | {"packed": np.zeros(64, np.uint8)}, {"packed": "F8_E4M3"}), weights(MODEL)
    lost = ours.tensors["layers.2.mlp.down.weight"]
    part = ours.part

    def broken(path: str, begin: int, size: int) -> bytes | Skipped:
        if begin < lost.begin + 4 * lost.parameters and lost.begin < begin + size:
            return Skipped(path, "a bad sector")
        return part(path, begin, size)

    for is_sampled in (True, False):
        found = map_tensors(Weights(ours.path, ours.tensors, broken), theirs, is_sampled)
        assert "layers.2.mlp.down.weight" in found.unmatched
        assert any("a bad sector" in line and "layers.2.mlp.down.weight" in line for line in found.unread)
        assert sum(pair.is_certain for pair in found.pairs) >= len(MODEL) - len(CONSTANT) - 1


def test_types_that_share_bytes_are_unmatched_and_told() -> None:
    packed = {"packed": np.zeros((32, 32), np.uint8)}
    ours = weights(packed)
    # Four bits for each value: half as many bytes as values.
    stored = ours.tensors["packed"]
    four = type(stored)("packed", "F4", (64, 32), stored.path, stored.begin)
    found = map_tensors(Weights("m", {"packed": four}, ours.part), weights(packed), is_sampled=False)
    assert found.unmatched == ("packed",)
    assert found.unread == ("packed: values of type F4 are not read",)


def test_more_tensors_than_are_compared_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.weights.mapping.MOST_COMPARED", 10)
    rng = np.random.default_rng(0)
    model = {f"experts.{number:02d}": rng.standard_normal((8, 8)).astype(np.float32) for number in range(12)}
    found = mapped(model, model)
    assert sum(pair.is_certain for pair in found.pairs) == 10
    assert found.unread == ("12 tensors of shape 8 x 8: only 10 are compared",) * 2


def test_groups_too_large_to_be_assigned_as_a_whole_are_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.weights.assigned.MOST_ASSIGNED", 100)
    rng = np.random.default_rng(0)
    experts = {f"experts.{number:03d}": rng.standard_normal((16, 16)).astype(np.float32) for number in range(200)}
    ours, truth = shuffled(noised(experts, 0.1))
    found = mapped(ours, experts)
    assert sum(pair.is_certain for pair in found.pairs) == 200
    assert all(truth[pair.ours] == pair.theirs for pair in found.pairs)


def test_progress_counts_every_tensor() -> None:
    told: list[tuple[int, int]] = []
    map_tensors(weights(MODEL), weights(MODEL), True, lambda done, of: told.append((done, of)))
    assert told[-1] == (2 * len(MODEL), 2 * len(MODEL))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_the_same_checkpoints_give_the_same_mapping() -> None:
    ours, _ = shuffled(noised(MODEL, dtype=ml_dtypes.bfloat16))
    assert mapped(ours, MODEL) == mapped(ours, MODEL)
    assert len(MODEL["embed.numbers"]) == PLACES


def _odd(rng: np.random.Generator) -> Tensors:
    """A checkpoint of any shapes, types and sizes of numbers, some of which are none."""
    found: Tensors = {}
    for number in range(int(rng.integers(1, 9))):
        shape = rng.choice([0, 1, 2, 3, 8, 16, 17, 40], int(rng.integers(0, 4))).tolist()
        values = np.asarray(rng.standard_normal(shape) * 10.0 ** int(rng.integers(-40, 40)))
        if values.size:
            values = values.reshape(-1)
            values[rng.integers(values.size)] = rng.choice([np.nan, np.inf, -np.inf, 1.0])
            values = values.reshape(shape)
        with np.errstate(all="ignore"):
            kind = rng.choice(["f2", "f4", "f8", "i1", "u1", "i8", "?"])
            found[f"{rng.choice(['a', 'layers.1.', 'layers.2.', '..', 'x/y'])}{number}"] = np.asarray(values).astype(
                kind
            )
    return found


@pytest.mark.filterwarnings("error")
def test_whatever_two_checkpoints_hold_every_tensor_is_accounted_for() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        ours, theirs = _odd(rng), _odd(rng)
        theirs |= {f"{name}z": each.T.copy() if each.ndim == 2 else each for name, each in ours.items()}
        for is_sampled in (True, False):
            mine, its = weights(ours), weights(theirs)
            found = map_tensors(mine, its, is_sampled)
            assert {pair.ours for pair in found.pairs} | set(found.unmatched) == set(ours)
            assert {pair.theirs for pair in found.pairs} | set(found.unmatched_there) == set(theirs)
            for pair in found.pairs:
                assert all(one.shape == other.shape for one, other in blocks(mine, its, pair, 50))
                one, other = sample(mine, its, pair, 30)
                assert one.shape == other.shape
