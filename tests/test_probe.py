"""Probes: what is read of a checkpoint, what survives a disguise, and what chance gives."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.artifacts.weights.alike import is_explained, likeness, likeness_since
from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.probe import Probe, largest, mean, planned_bytes, probe, telling, values
from detector.artifacts.weights.probe_bytes import from_bytes, to_bytes
from detector.model import Skipped
from detector.settings.scan import MOST_PROBE_VALUES, PROBE_PLACES, PROBE_TENSORS
from tests.repositories import InMemory
from tests.weights_made import (
    HALVES,
    WIDTH,
    Tensors,
    fused,
    neurons_permuted,
    noised,
    safetensors,
    shuffled,
    stream_changed,
    transformer,
    turned,
    weights,
)

MODEL = transformer(1)


def _probe(tensors: Mapping[str, NDArray[Any]]) -> Probe:
    return probe(weights(tensors))


def _tuned(tensors: Tensors, seed: int, part: float = 0.1) -> Tensors:
    rng = np.random.default_rng(seed)
    return {
        name: (each + part * each.std() * rng.standard_normal(each.shape)).astype(np.float32) if each.ndim > 1 else each
        for name, each in tensors.items()
    }


class Counted(InMemory):
    """Files that count the parts that are asked for."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        super().__init__(files)
        self.parts: list[tuple[int, int]] = []

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        self.parts.append((begin, size))
        return super().part(path, begin, size)


def test_places_depend_on_shapes_alone() -> None:
    hidden, _ = shuffled(noised(MODEL, dtype=np.float16))
    ours, theirs = _probe(MODEL), _probe(hidden)
    assert [(each.shape, each.begins, len(each.values)) for each in ours.tensors] == [
        (each.shape, each.begins, len(each.values)) for each in theirs.tensors
    ]
    assert values(ours).keys() == values(theirs).keys()


def test_rare_shapes_are_read_first() -> None:
    assert {(200, 64), (48, 64)} <= {each.shape for each in _probe(MODEL).tensors}


def test_few_tensors_are_read_at_few_places() -> None:
    files = Counted({"model.safetensors": safetensors(MODEL)})
    (opened,) = open_weights(files).found
    found = probe(opened)
    assert len(files.parts) <= PROBE_TENSORS * len(PROBE_PLACES)
    assert found.bytes_read == sum(size for _, size in files.parts)
    assert planned_bytes(opened) <= found.bytes_read


def test_of_a_large_model_no_more_is_read_than_of_others() -> None:
    rng = np.random.default_rng(0)
    large = {f"t{place}": rng.standard_normal((3_000, 3_000 + place), np.float32) for place in range(3)}
    assert sum(len(each.values) for each in _probe(large).tensors) <= 3 * MOST_PROBE_VALUES
    assert planned_bytes(weights(large)) <= 0.001 * sum(each.nbytes for each in large.values())


def _grown(tensors: Tensors) -> Tensors:
    more = np.random.default_rng(5).standard_normal((8, WIDTH)).astype(np.float32)
    return {**tensors, "embed.words.weight": np.concatenate([tensors["embed.words.weight"], more])}


DISGUISES: Mapping[str, Mapping[str, NDArray[Any]]] = {
    "names alone": shuffled(MODEL)[0],
    "cast to float16": {name: each.astype(HALVES[0]) for name, each in MODEL.items()},
    "cast to bfloat16": {name: each.astype(ml_dtypes.bfloat16) for name, each in MODEL.items()},
    "scaled": {name: (1.07 * each).astype(np.float32) for name, each in MODEL.items()},
    "negated": {name: -each for name, each in MODEL.items()},
    "randn / 708": shuffled(noised(MODEL))[0],
    "randn / 708 in float16": shuffled(noised(MODEL, dtype=np.float16))[0],
    "noise of a third of each spread": _tuned(MODEL, 4, 0.33),
    "words added": shuffled(_grown(MODEL))[0],
    "a layer dropped": {name: each for name, each in MODEL.items() if ".1." not in name},
    "fused": fused(MODEL),
    "neurons permuted": neurons_permuted(MODEL),
    "turned": turned(MODEL),
}


@pytest.mark.parametrize("how", DISGUISES)
def test_a_copy_is_alike_beyond_chance(how: str) -> None:
    found = likeness(_probe(DISGUISES[how]), _probe(MODEL))
    assert found.is_beyond_chance


def test_the_order_of_the_residual_stream_is_not_seen_through() -> None:
    order = np.eye(WIDTH)[np.random.default_rng(2).permutation(WIDTH)]
    assert not likeness(_probe(stream_changed(MODEL, order)), _probe(MODEL)).is_beyond_chance


def test_independent_models_are_not_alike() -> None:
    probes = [_probe(transformer(seed)) for seed in range(20, 36)]
    found = [likeness(one, other) for one, other in combinations(probes, 2)]
    assert not any(each.is_beyond_chance for each in found)
    assert all(each.tensors for each in found)


def test_the_nearer_of_two_is_nearer() -> None:
    near, far = (likeness(_probe(_tuned(MODEL, 3, part)), _probe(MODEL)) for part in (0.05, 0.2))
    assert near.distance < far.distance < 0.5
    assert near.distance == pytest.approx(0.05, rel=0.3)


def test_models_without_a_shape_in_common_are_not_compared() -> None:
    other = {name: np.random.default_rng(1).standard_normal((70, 31)).astype(np.float32) for name in "ab"}
    found = likeness(_probe(MODEL), _probe(other))
    assert found.tensors == 0
    assert not found.is_beyond_chance


@pytest.mark.parametrize(
    "some",
    [
        np.zeros(400),
        np.full(400, 0.37),
        np.sin(np.linspace(0, 20, 400)),
        np.linspace(0, 1, 400),
        np.full(400, np.nan),
    ],
)
def test_what_no_training_leaves_does_not_tell(some: NDArray[np.float64]) -> None:
    assert not telling(some.astype(np.float32))


def test_a_table_that_a_formula_makes_is_left_out() -> None:
    waves = np.sin(np.arange(512)[:, None] / 50.0 + np.arange(64)[None, :] / 9.0).astype(np.float32)
    found = _probe({"waves": waves, "own": np.random.default_rng(1).standard_normal((300, 64)).astype(np.float32)})
    assert [each.shape for each in found.tensors] == [(300, 64)]


def test_numbers_that_are_none_do_not_make_a_likeness() -> None:
    broken = {name: np.where(each > 0, np.inf, each) if each.ndim > 1 else each for name, each in MODEL.items()}
    assert likeness(_probe(broken), _probe(transformer(9))).expected > 1
    assert not likeness(_probe(broken), _probe(transformer(9))).is_beyond_chance


# --- since a base --------------------------------------------------------------------------------------------


def test_two_fine_tunes_are_explained_by_their_base() -> None:
    base, one, other = _probe(MODEL), _probe(_tuned(MODEL, 5)), _probe(_tuned(MODEL, 6))
    assert likeness(one, other).is_beyond_chance
    assert is_explained(likeness_since(one, other, base))


@pytest.mark.parametrize("sigma", [0.002, 0.005])
def test_a_noised_fine_tune_is_not_explained_by_the_base(sigma: float) -> None:
    tuned = _tuned(MODEL, 5)
    since = likeness_since(_probe(shuffled(noised(tuned, sigma))[0]), _probe(tuned), _probe(MODEL))
    assert not is_explained(since)


def test_what_was_trained_on_from_a_fine_tune_is_not_explained_by_the_base() -> None:
    tuned = _tuned(MODEL, 5)
    since = likeness_since(_probe(_tuned(tuned, 6, 0.2)), _probe(tuned), _probe(MODEL))
    assert since.correlation < 0.5  # the slope tells
    assert not is_explained(since)


def test_the_mean_of_fine_tunes_stands_for_their_base() -> None:
    tuned = [_probe(_tuned(MODEL, seed)) for seed in range(40, 56)]
    stand_in = mean(tuned)
    assert stand_in is not None
    assert is_explained(likeness_since(tuned[0], tuned[1], stand_in))
    copy = _probe(noised(_tuned(MODEL, 40)))
    assert not is_explained(likeness_since(copy, tuned[0], stand_in))
    assert mean([]) is None


# --- whole checkpoints, and bytes ----------------------------------------------------------------------------


def test_of_several_checkpoints_the_largest_is_probed() -> None:
    small = {"a": np.ones((8, 8), np.float32)}
    files = InMemory({"a.safetensors": safetensors(small), "b/model.safetensors": safetensors(MODEL)})
    found = largest(open_weights(files).found)
    assert found is not None
    assert found.path == "b/model.safetensors"
    assert largest(()) is None


def test_a_probe_comes_back_from_its_bytes() -> None:
    ours = _probe(MODEL)
    again = from_bytes(to_bytes(ours))
    assert again.bytes_read == ours.bytes_read
    assert likeness(again, ours).distance == pytest.approx(0, abs=1e-6)
    assert to_bytes(again) == to_bytes(ours)


@pytest.mark.parametrize("how", ["empty", "cut", "text", "bomb", "counts", "negative"])
def test_bytes_that_are_no_probe_are_refused(how: str) -> None:
    import zlib

    whole = to_bytes(_probe(MODEL))
    data = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "text": zlib.compress(b"no json\n"),
        "bomb": zlib.compress(b"[0,[]]\n" + bytes(50_000_000)),
        "counts": zlib.compress(b"[0,[[[8,8],0,[0],900000]]]\n" + bytes(64)),
        "negative": zlib.compress(b"[0,[[[8,8],0,[0],-5]]]\n" + bytes(64)),
    }[how]
    with pytest.raises(ValueError, match=r"."):
        from_bytes(data)


def test_a_tensor_whose_bytes_are_missing_is_told() -> None:
    class Cut(InMemory):
        def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
            return Skipped(path, "the connection broke off")

    (opened,) = open_weights(Cut({"model.safetensors": safetensors(MODEL)})).found
    found = probe(opened)
    assert found.tensors == ()
    assert found.unread
