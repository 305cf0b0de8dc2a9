"""Tensors that were turned, cut, fused, put in another order or rotated are found; their values come out aligned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from detector.artifacts.weights.aligned import blocks, sample
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.stored import Values, Weights
from detector.model import Skipped
from tests.weights_made import (
    WIDTH,
    Tensors,
    fused,
    interleaved,
    neurons_permuted,
    noised,
    shuffled,
    stream_changed,
    transformer,
    turned,
    weights,
)

MODEL = transformer(1)
ORDER = np.eye(WIDTH)[np.random.default_rng(4).permutation(WIDTH)]
ROTATION = np.linalg.qr(np.random.default_rng(5).standard_normal((WIDTH, WIDTH)))[0]
# What is zero tells nothing, wherever it stands.
TELLING = sum(each.size for each in MODEL.values() if each.dtype.kind == "f" and each.any())


def resized(tensors: Tensors) -> Tensors:
    more = np.random.default_rng(8).standard_normal((9, WIDTH)).astype(np.float32)
    return tensors | {"embed.words.weight": np.concatenate([tensors["embed.words.weight"], more])}


def split(tensors: Tensors) -> Tensors:
    found = dict(tensors)
    whole = found.pop("layers.1.mlp.up.weight")
    return found | {"layers.1.mlp.gate": whole[:100], "layers.1.mlp.rest": whole[100:]}


def words_shuffled(tensors: Tensors) -> Tensors:
    words = tensors["embed.words.weight"]
    return tensors | {"embed.words.weight": words[np.random.default_rng(9).permutation(len(words))]}


ARRANGED: dict[str, tuple[Callable[[Tensors], Tensors], set[Arrangement]]] = {
    "turned": (turned, {Arrangement.TRANSPOSED}),
    "fused": (fused, {Arrangement.ROWS}),
    "fused and turned": (lambda model: turned(fused(model)), {Arrangement.TRANSPOSED, Arrangement.ROWS}),
    "interleaved": (interleaved, {Arrangement.ROWS}),
    "split": (split, {Arrangement.ROWS}),
    "resized": (resized, {Arrangement.ROWS}),
    "words in another order": (words_shuffled, {Arrangement.PERMUTED}),
    "neurons in another order": (neurons_permuted, {Arrangement.PERMUTED}),
    "stream in another order": (lambda model: stream_changed(model, ORDER), {Arrangement.PERMUTED}),
    "both in another order": (lambda model: stream_changed(neurons_permuted(model), ORDER), {Arrangement.PERMUTED}),
    "all at once": (
        lambda model: turned(stream_changed(interleaved(split(neurons_permuted(resized(model)))), ORDER)),
        {Arrangement.PERMUTED, Arrangement.ROWS},
    ),
}


def aligned(ours: Weights, theirs: Weights, pair: Pair, most_values: int = 1 << 22) -> tuple[Values, Values]:
    both = list(blocks(ours, theirs, pair, most_values))
    assert all(mine.ndim == 2 and mine.shape == its.shape for mine, its in both)
    return np.concatenate([mine.ravel() for mine, _ in both]), np.concatenate([its.ravel() for _, its in both])


def check(ours: Weights, theirs: Weights, found: Mapping) -> int:
    """How many values are in certain pairs, all of which agree."""
    values = 0
    for pair in found.pairs:
        if pair.is_certain and pair.arrangement is not Arrangement.ROTATED:
            mine, its = aligned(ours, theirs, pair)
            assert np.corrcoef(mine, its)[0, 1] > 0.9, pair
            values += len(mine)
    return values


@pytest.mark.parametrize("is_there", [False, True], ids=["of the suspect", "of the reference"])
@pytest.mark.parametrize("name", ARRANGED)
def test_every_value_is_found_where_it_stands_now(name: str, is_there: bool) -> None:
    disguise, arrangements = ARRANGED[name]
    ours, theirs = weights(shuffled(noised(disguise(MODEL)))[0]), weights(MODEL)
    if is_there:
        ours, theirs = theirs, ours
    found = map_tensors(ours, theirs, is_sampled=False)
    assert check(ours, theirs, found) == TELLING
    assert {pair.arrangement for pair in found.pairs if pair.is_certain} - {Arrangement.SAME} == arrangements


def test_a_rotated_model_is_found_matrix_by_matrix() -> None:
    ours, truth = shuffled(noised(stream_changed(MODEL, ROTATION), 1e-4))
    found = map_tensors(weights(ours), weights(MODEL), is_sampled=False)
    certain = [pair for pair in found.pairs if pair.is_certain]
    assert all(truth[pair.ours] == pair.theirs for pair in certain)
    counts = Counter(pair.arrangement for pair in certain)
    assert counts[Arrangement.ROTATED] == sum(each.ndim == 2 for each in MODEL.values())
    rotated = next(pair for pair in certain if pair.arrangement is Arrangement.ROTATED)
    assert list(blocks(weights(ours), weights(MODEL), rotated)) == []
    assert [len(each) for each in sample(weights(ours), weights(MODEL), rotated, 100)] == [0, 0]


def test_dropped_layers_and_everything_else_are_found_at_once() -> None:
    few = {name: each for name, each in MODEL.items() if not name.startswith(("layers.0.", "layers.1.", "layers.2."))}
    for kind in ("weight", "bias"):
        parts = [few.pop(f"layers.3.attention.{name}.{kind}") for name in ("query", "key", "value")]
        few[f"layers.3.attention.all.{kind}"] = np.concatenate(parts)
    few["layers.3.mlp.down.weight"] = few["layers.3.mlp.down.weight"].T.copy()
    up = few.pop("layers.3.mlp.up.weight")
    few |= {"layers.3.mlp.a": up[: 2 * WIDTH], "layers.3.mlp.b": up[2 * WIDTH :]}
    ours, truth = shuffled(noised(few))
    for is_sampled in (False, True):
        found = map_tensors(weights(ours), weights(MODEL), is_sampled)
        assert found.unmatched == ()
        assert found.dropped_layers == ("layers.0", "layers.1", "layers.2")
        check(weights(ours), weights(MODEL), found)
        certain = {pair.ours for pair in found.pairs if pair.is_certain}
        assert {name for name, real in truth.items() if few[real].ndim == 2} <= certain


def test_what_few_rows_tell_is_found_without_reading_more() -> None:
    ours, theirs = weights(noised(turned(fused(resized(MODEL))))), weights(MODEL)
    found = map_tensors(ours, theirs, is_sampled=True)
    arrangements = Counter(pair.arrangement for pair in found.pairs if pair.is_certain)
    assert arrangements[Arrangement.TRANSPOSED] == 3 * 4  # out, up and down of each layer
    assert arrangements[Arrangement.ROWS] >= 1  # the embeddings


def test_heads_of_which_some_stay_in_place_are_not_taken_for_the_same() -> None:
    order = np.arange(4 * WIDTH)
    order[: 3 * WIDTH] = np.random.default_rng(2).permutation(3 * WIDTH)
    name = "layers.0.mlp.up.weight"
    ours, theirs = weights(MODEL | {name: MODEL[name][order]}), weights(MODEL)
    (pair,) = (pair for pair in map_tensors(ours, theirs, is_sampled=False).pairs if pair.ours == name)
    assert pair.arrangement is Arrangement.PERMUTED
    assert pair.rows is not None
    assert (pair.rows == order).all()


def test_the_way_into_a_neuron_is_not_taken_for_the_way_out() -> None:
    model = dict(MODEL)
    for layer in range(4):
        up, down = f"layers.{layer}.mlp.up.weight", f"layers.{layer}.mlp.down.weight"
        model[down] = (model[down] - 0.2 * model[up].T).astype(np.float32)
    ours, truth = shuffled(noised(turned(model)))
    found = map_tensors(weights(ours), weights(model), is_sampled=False)
    assert all(truth[pair.ours] == pair.theirs for pair in found.pairs if pair.is_certain)


def test_unrelated_tensors_next_to_related_ones_stay_unmatched_or_uncertain() -> None:
    rng = np.random.default_rng(3)
    model = MODEL | {"vision.stem": rng.standard_normal((48, 40)).astype(np.float32)}
    other = MODEL | {"audio.stem": rng.standard_normal((40, 48)).astype(np.float32)}
    found = map_tensors(weights(noised(model)), weights(other), is_sampled=False)
    assert found.unmatched == ("vision.stem",)
    assert found.unmatched_there == ("audio.stem",)


def _orders() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.permutation(60), rng.permutation(40)


PLAIN = np.random.default_rng(0).standard_normal((60, 40)).astype(np.float32)
ROWS, COLUMNS = _orders()
LAID_OUT: dict[str, tuple[np.ndarray, Pair]] = {
    "same": (PLAIN, Pair("a", "a", Arrangement.SAME, 1, 1, True)),
    "turned": (PLAIN.T, Pair("a", "a", Arrangement.TRANSPOSED, 1, 1, True, theirs_transposed=True)),
    "permuted": (
        PLAIN[ROWS][:, COLUMNS],
        Pair("a", "a", Arrangement.PERMUTED, 1, 1, True, rows=ROWS, columns=COLUMNS),
    ),
    "permuted and turned": (
        PLAIN.T[COLUMNS][:, ROWS],
        Pair("a", "a", Arrangement.PERMUTED, 1, 1, True, rows=COLUMNS, columns=ROWS, theirs_transposed=True),
    ),
    "a run": (PLAIN[7:], Pair("a", "a", Arrangement.ROWS, 1, 1, True, (3, 50), (10, 50))),
    "a run of columns": (
        np.concatenate([PLAIN[:, :5], PLAIN], 1),
        Pair("a", "a", Arrangement.ROWS, 1, 1, True, (5, 40), (0, 40), ours_transposed=True, theirs_transposed=True),
    ),
    "a run turned": (
        np.concatenate([PLAIN.T, PLAIN.T], 1),
        Pair("a", "a", Arrangement.ROWS, 1, 1, True, (60, 60), (0, 60), ours_transposed=True),
    ),
}


@pytest.mark.parametrize("name", LAID_OUT)
def test_values_of_both_sides_come_in_the_same_order(name: str) -> None:
    values, pair = LAID_OUT[name]
    ours, theirs = weights({"a": np.ascontiguousarray(values)}), weights({"a": PLAIN})
    sizes = set()
    for most_values in (1 << 22, 130, 7):
        mine, its = aligned(ours, theirs, pair, most_values)
        assert (mine == its).all()
        sizes.add(len(mine))
    assert len(sizes) == 1
    for count in (1, 10, 100, 10_000):
        mine, its = sample(ours, theirs, pair, count)
        assert mine.shape == its.shape
        assert len(mine) >= min(count, next(iter(sizes)))
        assert (mine == its).all()


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_tensor_too_large_to_be_held_is_read_row_by_row(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.weights.laid_out.MOST_HELD", 10)
    values, pair = LAID_OUT[name]
    mine, its = aligned(weights({"a": np.ascontiguousarray(values)}), weights({"a": PLAIN}), pair, 400)
    assert (mine == its).all()
    assert len(mine) > 0


def test_a_sample_takes_few_reads() -> None:
    large = np.random.default_rng(0).standard_normal((400, 300)).astype(np.float32)
    reads: list[int] = []
    stored = weights({"a": large})

    def counting(path: str, begin: int, size: int) -> bytes | Skipped:
        reads.append(size)
        return stored.part(path, begin, size)

    for pair in (
        Pair("a", "a", Arrangement.SAME, 1, 1, True),
        Pair("a", "a", Arrangement.ROWS, 1, 1, True, (0, 400), (0, 400)),
    ):
        reads.clear()
        mine, _ = sample(Weights("m", stored.tensors, counting), stored, pair, 1_000)
        assert len(mine) >= 1_000
        assert len(reads) <= 5
        assert sum(reads) <= 4 * 5 * 300


def test_scalars_and_tensors_of_nothing_have_aligned_values() -> None:
    both = {
        "nothing": np.zeros((0, 5), np.float32),
        "one": np.full((), 3, np.float32),
        "row": np.ones((1, 7), np.float32),
    }
    ours = weights(both)
    for name, count in (("nothing", 0), ("one", 1), ("row", 7)):
        pair = Pair(name, name, Arrangement.SAME, 1, 1, False)
        assert sum(mine.size for mine, _ in blocks(ours, ours, pair)) == count
        assert len(sample(ours, ours, pair, 100)[0]) == count
