"""Evidence of weights: what is claimed of two models, how strong it may be, and what protects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detector import patterns
from detector.artifacts.weights import known_bases
from detector.artifacts.weights.components import components, layer
from detector.artifacts.weights.known_bases import digest
from detector.artifacts.weights.relations import TensorRelation
from detector.evidence import weights
from detector.figures import Histogram, Mosaic
from detector.model import Depth, Evidence, Exhibit, Look, Skipped, Strength
from detector.patterns import PATTERNS, Null
from detector.settings.weights import MOST_TENSOR_ROWS, MOST_TILES
from detector.targets import Comparison, Repo
from tests.models import Model, changed, looks, model, renamed, tuned
from tests.repositories import InMemory, repo
from tests.tensors import safetensors

BASE, STRANGER = model(1), model(2)
ONE, OTHER = tuned(BASE, 5), tuned(BASE, 6)
NOISED = changed(ONE, lambda dice, _, values: values + dice.standard_normal(values.shape) / 708)


@pytest.fixture(autouse=True)
def _without_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lines be as strong as they ask to be: here it is not the null that is tested."""
    enough = Null("pairs of nobody", 100_000, 0, "nothing")
    for name, pattern in list(PATTERNS.items()):
        if name.startswith("weights/") and pattern.null is not None:
            monkeypatch.setitem(patterns.PATTERNS, name, replace(pattern, null=enough))


def look(suspect: Mapping[str, Any], reference: Mapping[str, Any], **given: Any) -> Look:
    (found,) = looks(suspect, {"source": reference}, **given)
    return found


def line(found: Look) -> Evidence:
    (only,) = found.evidence
    return only


def exhibit(found: Look, name: str) -> Exhibit:
    return next(each for each in found.exhibits if each.name == name)


def cells(found: Look, name: str, column: str) -> list[Any]:
    table = exhibit(found, name)
    return [row[table.columns.index(column)] for row in table.rows]


# --- the whole model -----------------------------------------------------------------------------------------


def test_a_noised_copy_under_other_names_is_a_strong_line_with_its_sigma() -> None:
    found = look(renamed(NOISED), ONE, dtype="F16")
    told = line(found)
    assert (told.name, told.strength) == ("noised-copy", Strength.STRONG)
    assert re.search(r"sigma = 0\.00141\d \(1/70[789]\.\d\d\)", told.claim)
    assert told.measures["relation"] == "noised"
    assert told.measures["p"] == "< 1e-30"
    assert "50 tensors are called otherwise" in told.claim


@pytest.mark.parametrize(
    ("suspect", "dtype", "name"),
    [
        (renamed(ONE), "", "same-values"),
        (renamed(ONE), "BF16", "cast-copy"),
        (changed(ONE, lambda _, __, values: values * np.float32(0.93)), "", "scaled-copy"),
        (changed(ONE, lambda _, __, v: np.where(np.abs(v) < 0.02, 0, v) if v.ndim > 1 else v), "", "pruned-copy"),
    ],
)
def test_a_copy_of_all_values_is_strong(suspect: Model, dtype: str, name: str) -> None:
    for depth in (Depth.FULL, Depth.SAMPLE):
        told = line(look(suspect, ONE, dtype=dtype, depth=depth))
        assert (told.name, told.strength) == (name, Strength.STRONG)
        assert ("sampled" in told.claim) is (depth is Depth.SAMPLE)


def test_what_a_base_of_both_would_explain_is_moderate_at_most() -> None:
    told = line(look(ONE, BASE))
    assert (told.name, told.strength) == ("fine-tuned", Strength.MODERATE)
    assert any("none was given" in each for each in told.tested)


def test_adapters_are_told_with_their_rank_and_moderate() -> None:
    def adapt(dice: np.random.Generator, name: str, values: Any) -> Any:
        if "query" not in name or values.ndim < 2:
            return values
        return values + 0.003 * dice.standard_normal((128, 4)) @ dice.standard_normal((4, 128))

    told = line(look(changed(ONE, adapt), ONE))
    assert (told.name, told.strength) == ("low-rank-change", Strength.MODERATE)
    assert "at most 4" in told.claim


def test_models_that_were_trained_apart_get_no_line_at_any_depth() -> None:
    for depth in Depth:
        found = look(renamed(STRANGER), BASE, depth=depth)
        assert found.evidence == ()
        assert found.examined.is_possible


def test_layers_that_were_dropped_are_told_and_the_model_is_still_whole() -> None:
    kept = {name: values for name, values in ONE.items() if not name.startswith("layers.2.")}
    told = line(look(kept, ONE))
    assert (told.name, told.strength) == ("same-values", Strength.STRONG)
    assert "left out: layers.2" in told.claim


# --- bases ---------------------------------------------------------------------------------------------------


def test_two_fine_tunes_of_a_base_that_is_given_have_only_that_in_common() -> None:
    for depth in (Depth.FULL, Depth.SAMPLE):
        found = look(renamed(ONE), OTHER, bases={"base": BASE}, depth=depth)
        told = line(found)
        assert (told.name, told.strength) == ("common-base", Strength.NONE)
        assert abs(float(told.measures["delta_correlation: base"])) < 0.1
        assert "common-base" in cells(found, "relations", "relation")
        assert cells(found, "bases", "what it explains") == ["common base only"]


def test_a_copy_of_a_fine_tune_is_not_explained_by_its_base() -> None:
    for suspect, name in ((NOISED, "noised-copy"), (ONE, "same-values")):
        told = line(look(suspect, ONE, bases={"base": BASE}))
        assert (told.name, told.strength) == (name, Strength.STRONG)
        assert float(told.measures["delta_correlation: base"]) > 0.99


def test_noise_and_zeros_on_a_base_are_the_bases_and_those_on_a_reference_are_the_references() -> None:
    def much(dice: np.random.Generator, _: str, values: Any) -> Any:
        return values + 0.05 * dice.standard_normal(values.shape)

    def pruned(_: np.random.Generator, __: str, values: Any) -> Any:
        return np.where(np.abs(values) < np.quantile(np.abs(values), 0.5), 0, values) if values.ndim > 1 else values

    for change in (much, pruned):
        assert line(look(changed(BASE, change), ONE, bases={"base": BASE})).name == "common-base"
        assert line(look(changed(ONE, change), ONE, bases={"base": BASE})).strength is Strength.STRONG


def test_a_base_that_is_the_suspect_protects_and_one_that_is_the_reference_does_not() -> None:
    assert line(look(BASE, ONE, bases={"base": BASE})).name == "common-base"
    told = line(look(ONE, BASE, bases={"base": BASE}))
    assert (told.name, told.strength) == ("fine-tuned", Strength.MODERATE)


def test_a_base_that_has_nothing_to_do_with_both_is_not_told() -> None:
    found = look(ONE, OTHER, bases={"stranger": STRANGER})
    assert line(found).name == "fine-tuned"
    assert not any(each.name == "bases" for each in found.exhibits)


def test_changes_between_those_of_a_copy_and_those_of_two_fine_tunes_are_left_open() -> None:
    mixed = {name: (0.6 * (ONE[name] - BASE[name]) + BASE[name]).astype(np.float32) for name in BASE}
    suspect = {name: (mixed[name] + 0.6 * (OTHER[name] - BASE[name])).astype(np.float32) for name in BASE}
    told = line(look(suspect, ONE, bases={"base": BASE}))
    assert (told.name, told.strength) == ("undetermined", Strength.NONE)


def test_a_model_that_was_trained_on_from_the_reference_has_all_of_its_change() -> None:
    found = look(tuned(ONE, 9, 0.2), ONE, bases={"base": BASE})
    assert (line(found).name, line(found).strength) == ("fine-tuned", Strength.MODERATE)
    assert cells(found, "bases", "what it explains") == ["the suspect has all of the reference's change, and more"]


# --- known bases ---------------------------------------------------------------------------------------------


@pytest.fixture
def _stranger_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ["F32", list(values.shape), digest("F32", values.shape, [values.tobytes()])]
        for values in STRANGER.values()
        if values.ndim > 1
    ]
    table = known_bases.loaded({"models": {"known/model": {"tensors": rows}}})
    monkeypatch.setattr("detector.artifacts.weights.studied.known_bases", lambda: table)


@pytest.mark.usefixtures("_stranger_is_known")
def test_equal_tensors_of_a_published_model_are_a_common_base() -> None:
    def with_tower(own: Model) -> Model:
        return {f"tower.{name}": each for name, each in STRANGER.items()} | {
            f"text.{name}": each for name, each in own.items()
        }

    told = line(look(with_tower(BASE), with_tower(model(3))))
    assert (told.name, told.strength) == ("common-base", Strength.NONE)
    assert "26 of 46 equal tensors are those of this published model" in told.claim or re.search(
        r"26 of \d+ equal tensors", told.claim
    )
    assert "known/model" in told.claim


@pytest.mark.usefixtures("_stranger_is_known")
def test_a_published_model_on_both_sides_is_the_same_and_told_by_its_name() -> None:
    told = line(look(renamed(STRANGER), STRANGER))
    assert told.name == "same-values"
    assert any("known/model" in each for each in told.tested)


def test_the_table_of_published_models_has_the_one_that_packages_carry() -> None:
    models = known_bases.known_bases().models
    assert len(models["sentence-transformers/all-MiniLM-L6-v2"]) == 120
    assert all(re.fullmatch("[0-9a-f]{16}", each) for digests in models.values() for each in digests)


# --- mixtures and components ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_a_mixture_of_two_references_is_told_with_its_parts(dtype: str) -> None:
    mixed = {name: (np.float32(0.3) * ONE[name] + np.float32(0.7) * OTHER[name]) for name in BASE}
    for found in looks(renamed(mixed), {"one": ONE, "other": OTHER}, dtype=dtype):
        told = line(found)
        assert (told.name, told.strength) == ("soup", Strength.STRONG)
        assert "0.300 one" in told.claim
        assert "0.700 other" in told.claim
        assert "soup" in cells(found, "relations", "relation")


def test_a_mixture_of_changes_of_a_base_is_told_with_the_bases_part() -> None:
    mixed = {n: (BASE[n] + np.float32(0.4) * (ONE[n] - BASE[n] + OTHER[n] - BASE[n])).astype(np.float32) for n in BASE}
    found = looks(mixed, {"one": ONE, "other": OTHER}, bases={"base": BASE})
    assert "0.400 one + 0.400 other + 0.200 base" in line(found[0]).claim


def test_parts_that_differ_between_tensors_are_no_mixture() -> None:
    parts = dict(zip(BASE, np.linspace(0.1, 0.9, len(BASE)), strict=True))
    mixed = {name: (part * ONE[name] + (1 - part) * OTHER[name]).astype(np.float32) for name, part in parts.items()}
    assert all(line(found).name == "fine-tuned" for found in looks(mixed, {"one": ONE, "other": OTHER}))


def test_a_component_in_common_is_no_derived_model_however_large() -> None:
    def beside(tower: Model, text: Model) -> Model:
        return {f"tower.{name}": each for name, each in tower.items()} | {
            f"text.{name}": each for name, each in text.items()
        }

    found = look(
        beside(ONE, STRANGER), {f"vision.{n}": v for n, v in ONE.items()} | {f"t.{n}": v for n, v in OTHER.items()}
    )
    told = line(found)
    assert (told.name, told.strength) == ("shared-component", Strength.MODERATE)
    assert told.claim.startswith("tower of ")
    table = exhibit(found, "components")
    assert [row[0] for row in table.rows] == ["text", "tower"]
    assert cells(found, "components", "component of source")[1] == "vision"
    assert cells(found, "components", "% related") == [0, 100]


def test_a_model_that_is_a_part_of_the_reference_shares_a_component() -> None:
    whole = {f"tower.{name}": each for name, each in ONE.items()} | {f"text.{n}": v for n, v in STRANGER.items()}
    told = line(look(ONE, whole))
    assert (told.name, told.strength) == ("shared-component", Strength.MODERATE)


def test_several_references_are_told_apart() -> None:
    near, far = looks(renamed(NOISED), {"near": ONE, "far": STRANGER})
    assert line(near).name == "noised-copy"
    assert far.evidence == ()


def test_several_checkpoints_are_compared_each_with_its_counterpart() -> None:
    suspect = repo("s", {"unet/a.safetensors": safetensors(NOISED), "vae/b.safetensors": safetensors(_small(11))})
    source = repo("r", {"first.safetensors": safetensors(_small(11)), "second.safetensors": safetensors(ONE)})
    (found,) = weights.find(Comparison(suspect, "s", {"r": source}, depth=Depth.FULL))
    told = {each.places[0][0]: each.name for each in found.evidence}
    assert told == {"unet/a.safetensors": "noised-copy", "vae/b.safetensors": "same-values"}


def _small(seed: int) -> Model:
    dice = np.random.default_rng(seed)
    return {f"conv.{n}.weight": dice.standard_normal((40, 12, 3, 3)).astype(np.float32) for n in range(5)}


# --- what is shown -------------------------------------------------------------------------------------------


def test_headers_alone_support_nothing_and_read_no_values() -> None:
    class Counting(InMemory):
        read_bytes = 0

        def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
            self.read_bytes += size
            return super().part(path, begin, size)

    files = Counting({"model.safetensors": safetensors(ONE)})
    suspect = Repo("s", "s", "", files)
    (found,) = weights.find(
        Comparison(suspect, "s", {"r": repo("r", {"m.safetensors": safetensors(ONE)})}, depth=Depth.HEADER)
    )
    assert found.evidence == ()
    assert found.examined.is_possible
    assert files.read_bytes == 0
    table = exhibit(found, "headers")
    assert [row[2] for row in table.rows] == [len(ONE), len(ONE)]
    assert table.title.startswith(f"{len(ONE)} tensors of ")


def test_slices_are_a_small_part_of_a_large_file() -> None:
    class Counting(InMemory):
        read_bytes = 0

        def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
            self.read_bytes += size
            return super().part(path, begin, size)

    dice = np.random.default_rng(0)
    large = {f"layer.{n}.weight": dice.standard_normal((1024, 1024), np.float32).astype(np.float16) for n in range(12)}
    files = Counting({"model.safetensors": safetensors(large)})
    source = repo("r", {"m.safetensors": safetensors(large)})
    (found,) = weights.find(Comparison(Repo("s", "s", "", files), "s", {"r": source}, depth=Depth.SAMPLE))
    assert line(found).name == "same-values"
    assert files.read_bytes < 0.004 * 2 * sum(each.size for each in large.values())


def test_the_map_of_tensors_has_a_tile_for_each_and_the_residuals_fit_the_normal_curve() -> None:
    found = look(renamed(NOISED), ONE)
    mosaic, histogram = found.figures
    assert isinstance(mosaic, Mosaic)
    assert isinstance(histogram, Histogram)
    assert len(mosaic.tiles) == len(ONE)
    assert {tile.category for tile in mosaic.tiles} == {"noised"}
    assert mosaic.categories == tuple(TensorRelation)  # of all figures, so that one relation has one colour
    assert sum(tile.size for tile in mosaic.tiles) == sum(each.size for each in ONE.values())
    assert sum(histogram.observed) == pytest.approx(sum(histogram.expected), rel=1e-3)
    off = max(abs(one - other) for one, other in zip(histogram.observed, histogram.expected, strict=True))
    assert off < 0.02 * max(histogram.expected)
    tests = exhibit(found, "residuals")
    assert tests.title.endswith(": noise")
    assert all(row[1] == row[2] for row in tests.rows)


def test_no_residual_is_shown_where_there_is_none() -> None:
    found = look(renamed(ONE), ONE)
    assert [type(figure) for figure in found.figures] == [Mosaic]
    assert "residuals" not in {each.name for each in found.exhibits}


def test_large_models_are_shown_by_their_largest_tensors() -> None:
    dice = np.random.default_rng(0)
    many = {f"experts.{n}.w": dice.standard_normal((8, 6 + n % 3)).astype(np.float32) for n in range(MOST_TILES + 50)}
    found = look(many, many)
    assert len(found.figures[0].tiles) == MOST_TILES  # type: ignore[union-attr]
    assert found.figures[0].omitted == 50  # type: ignore[union-attr]
    assert len(exhibit(found, "tensors").rows) == MOST_TENSOR_ROWS
    assert exhibit(found, "tensors").omitted == len(many) - MOST_TENSOR_ROWS


def test_rows_have_a_cell_for_each_column_and_numbers_are_finite() -> None:
    for suspect in (renamed(NOISED), tuned(ONE, 8), STRANGER):
        for table in look(suspect, ONE, bases={"base": BASE}).exhibits:
            for row in table.rows:
                assert len(row) == len(table.columns)
                assert all(np.isfinite(cell) for cell in row if isinstance(cell, float))


def test_components_are_prefixes_below_what_holds_everything_and_layers_end_at_a_number() -> None:
    names = ("m.tower.layers.0.w", "m.tower.layers.1.w", "m.text.layers.0.w", "m.text.norm", "head")
    told = components(dict.fromkeys(names, 100) | {"head": 1})
    assert list(told.values()) == ["m.tower", "m.tower", "m.text", "m.text", ""]
    assert layer("m.tower.layers.1.mlp.w") == "m.tower.layers.1"
    assert layer("head.weight") == "head"
    assert layer("w") == ""


# --- bad input -----------------------------------------------------------------------------------------------


def test_a_side_without_checkpoints_is_said() -> None:
    source = repo("r", {"m.safetensors": safetensors(ONE), "pytorch_model.bin": b"\x80\x02}q\x00."})
    for suspect, said in ((repo("s", {"a.txt": "x"}), "the suspect has no checkpoint"), (source, "1 checkpoint")):
        (found,) = weights.find(Comparison(suspect, "s", {"r": source}))
        assert found.examined.about.startswith(said)
    (found,) = weights.find(Comparison(source, "s", {"r": repo("r", {"readme.txt": ""})}))
    assert not found.examined.is_possible


def test_what_cannot_be_read_is_skipped_with_the_sides_name() -> None:
    class Broken(InMemory):
        def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
            return Skipped(path, "the server does not answer")

    whole = safetensors(ONE)
    suspect = repo("s", {"m.safetensors": whole, "odd.safetensors": b"\xff" * 20})
    (found,) = weights.find(
        Comparison(suspect, "s", {"r": Repo("r", "r", "", Broken({"m.safetensors": whole}))}, depth=Depth.FULL)
    )
    assert found.evidence == ()
    assert any(each.path == "s:odd.safetensors" for each in found.skipped)
    assert any("the server does not answer" in each.reason for each in found.skipped)


@pytest.mark.parametrize("depth", list(Depth))
def test_files_that_end_too_soon_or_hold_odd_tensors_end_no_comparison(depth: Depth) -> None:
    whole = safetensors(ONE)
    odd = {
        "nothing": np.zeros((0, 7), np.float32),
        "scalar": np.float32(3),
        "nan": np.full((64, 64), np.nan, np.float32),
        "huge": np.full((64, 64), 3e38, np.float32),
        "flags": np.ones((9, 9), np.bool_),
        "\x1b[31m</script>`|\u202e" + "x" * 5000: np.eye(70, dtype=np.float32),
        "wide": np.random.default_rng(0).standard_normal((1, 1, 1, 5000)).astype(np.float32),
        "double": np.random.default_rng(0).standard_normal((80, 80)) * 1e300,
    }
    for ours in (whole[:-1000], whole[: len(whole) // 2], safetensors(odd), safetensors({})):
        for theirs in (whole, safetensors(odd)):
            given = repo("s", {"m.safetensors": ours}), {"r": repo("r", {"m.safetensors": theirs})}
            (found,) = weights.find(Comparison(given[0], "s", given[1], depth=depth))
            assert found.examined.kind == "weights"


def test_the_same_models_give_the_same_look() -> None:
    assert repr(look(renamed(NOISED), ONE)) == repr(look(renamed(NOISED), ONE))
