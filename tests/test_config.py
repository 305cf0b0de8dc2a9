"""Configurations: what published families explain is set aside, what is left is told, whatever a stranger writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.independent_models import CLIP_VISION, INDEPENDENT, LLAMA_3, disguised
from detector.artifacts.checkpoints.configuration import part, plain, read, role
from detector.artifacts.checkpoints.families import registry
from detector.artifacts.checkpoints.values import spelling
from detector.evidence import config
from detector.model import Evidence, Look, Strength
from detector.settings.config import LEAST_CONFIG_BITS, MOST_CONFIG_BYTES, MOST_CONFIG_FILES, MOST_SIZE_BITS
from detector.targets import Comparison
from tests.repositories import repo

# A model of one's own on Llama-3-8B: settings that nobody has published.
OWN: Mapping[str, Any] = {
    **LLAMA_3,
    "model_type": "own",
    "gaze_slots": 96,
    "fold_stride": 11,
    "mixes_tiles": True,
    "tile_side": 437,
    "vision_config": {**CLIP_VISION, "drift_rate": 0.0173},
}


def looks(suspect: Mapping[str, Any], *references: Mapping[str, Any]) -> tuple[Look, ...]:
    """Compare repositories of JSON files."""

    def files(tree: Mapping[str, Any]) -> dict[str, bytes]:
        return {path: said if isinstance(said, bytes) else json.dumps(said).encode() for path, said in tree.items()}

    others = {f"other {number}": repo(f"other {number}", files(each)) for number, each in enumerate(references)}
    return config.find(Comparison(repo("suspect", files(suspect)), "suspect", others))


def line(one: Mapping[str, Any], other: Mapping[str, Any]) -> Evidence | None:
    (look,) = looks({"config.json": one}, {"model/config.json": other})
    return next((each for each in look.evidence if each.name == "same-unexplained-values"), None)


def found(one: Mapping[str, Any], other: Mapping[str, Any]) -> Evidence:
    told = line(one, other)
    assert told is not None
    return told


@pytest.mark.parametrize("what", INDEPENDENT)
def test_independent_projects_on_one_published_model_have_no_line(what: str) -> None:
    one, other = INDEPENDENT[what]
    assert line(one, other) is None
    assert line(other, one) is None


def test_what_a_published_model_sets_is_counted_and_set_aside() -> None:
    measures = found(OWN, {**OWN, "use_cache": False, "model_type": "theirs"}).measures
    assert measures["keys"] == len(OWN)
    assert measures["equal"] == len(OWN) - 2
    identity = {"architectures", "torch_dtype", "transformers_version", "model_type"}
    assert measures["explained"] == len(set(LLAMA_3) - identity)
    assert measures["equal_and_explained"] == len(set(LLAMA_3) - identity - {"use_cache"})
    assert measures["unexplained"] == 5


@pytest.mark.parametrize(
    "how", ["unchanged", "reordered", "other number spelling", "a third of the keys dropped", "nested"]
)
def test_a_copy_is_told_however_its_keys_are_laid_out(how: str) -> None:
    assert found(disguised(OWN, how), OWN).measures["bits"] >= LEAST_CONFIG_BITS  # type: ignore[operator]


def test_keys_that_were_renamed_are_found_by_their_rare_values() -> None:
    names = {"gaze_slots": "looks", "tile_side": "side_of_a_tile", "fold_stride": "hop"}
    (look,) = looks({"config.json": {names.get(key, key): value for key, value in OWN.items()}}, {"config.json": OWN})
    renamed = next(each for each in look.evidence if each.name == "renamed-keys")
    assert "side_of_a_tile = tile_side (437)" in renamed.claim
    assert renamed.strength is Strength.NONE
    table = next(each for each in look.exhibits if each.name == "model-keys")
    assert ("side_of_a_tile", "437", "tile_side", "437", "renamed", 4.0) in table.rows


def test_a_line_is_no_stronger_than_its_null_allows() -> None:
    assert found(OWN, OWN).strength is Strength.MODERATE
    assert "343 lineages" in found(OWN, OWN).calibration


def test_sizes_alone_never_reach_a_line() -> None:
    unknown = {key: value + 7 if type(value) is int else value for key, value in LLAMA_3.items()}
    assert MOST_SIZE_BITS < LEAST_CONFIG_BITS
    assert line(unknown, unknown) is None


def test_names_and_versions_are_shown_and_never_counted() -> None:
    identity = {"_name_or_path": "a/very-own-model", "model_type": "own", "auto_map": {"AutoModel": "own.Model"}}
    (look,) = looks({"config.json": identity}, {"config.json": identity})
    assert look.evidence == ()
    assert {row[4] for row in look.exhibits[0].rows} == {"what it is called"}


def test_the_reference_is_ranked_among_all_published_families() -> None:
    look, other = looks({"config.json": OWN}, {"config.json": OWN}, {"config.json": CLIP_VISION})
    ranking = next(each for each in look.exhibits if each.name == "nearest-families")
    assert ranking.rows[0][:3] == (1, "other 0", "reference")
    assert ranking.rows[1][1] == "Llama-3-8B"
    assert len(ranking.rows) + ranking.omitted == len(registry().families) + 2
    assert all(each.name != "nearest-families" for each in other.exhibits)


def test_of_several_configurations_the_most_alike_are_compared() -> None:
    (look,) = looks(
        {"a/config.json": CLIP_VISION, "b/config.json": OWN}, {"config.json": LLAMA_3, "deep/down/config.json": OWN}
    )
    assert [each.places for each in look.evidence] == [(("b/config.json", 0),)]
    assert "deep/down/config.json" in look.evidence[0].claim


def test_a_side_without_a_configuration_is_said_to_have_none() -> None:
    (look,) = looks({"tsconfig.json": OWN, "package.json": OWN}, {"config.json": OWN})
    assert not look.examined.is_possible
    assert look.examined.about == "the suspect has no configuration of a model"


def test_settings_of_tools_are_no_configuration_of_a_model() -> None:
    assert role("ds_config.json") == role("tokenizer_config.json") == role("model.safetensors.index.json") == ""
    (look,) = looks({"app_config.json": {"port": 8080, "theme": "dark"}}, {"config.json": OWN})
    assert not look.examined.is_possible


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "no JSON"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a":' * 100_000, "values"),
        (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, "nested"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "digits"),
        (b'{"a": "' + b" " * MOST_CONFIG_BYTES + b'"}', "larger"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_said_to_be_so(data: bytes, said: str) -> None:
    (look,) = looks({"config.json": data}, {"config.json": OWN})
    (skipped,) = look.skipped
    assert skipped.path == "suspect:config.json"
    assert said in skipped.reason


def test_of_very_many_configurations_the_first_are_read_and_that_is_said() -> None:
    many = {f"{number:03}/config.json": {"hidden_size": number} for number in range(MOST_CONFIG_FILES + 5)}
    (look,) = looks(many, {"config.json": OWN})
    assert f"only the first {MOST_CONFIG_FILES}" in look.skipped[0].reason


def test_a_configuration_of_thousands_of_parts_is_looked_at_in_part() -> None:
    parts = {f"{number}_config": {"hidden_size": number, "slots": 96} for number in range(1_000)}
    (look,) = looks({"config.json": parts}, {"config.json": parts})
    assert look.examined.is_possible


@pytest.mark.parametrize("other", ["448", 448.0, "4.48e2", "448.0"])
def test_numbers_are_compared_by_what_they_are_worth(other: object) -> None:
    assert spelling(448) == spelling(other)


@pytest.mark.parametrize("other", [True, "448 px", [448], None, 448.5])
def test_other_values_are_not_numbers(other: object) -> None:
    assert spelling(448) != spelling(other)


def test_long_values_are_compared_whole_and_shown_in_part() -> None:
    assert spelling("a" * 500) != spelling("a" * 499 + "b")
    assert len(spelling("a" * 500)) <= 130


def test_keys_know_the_part_that_they_stand_in() -> None:
    assert (part("vision_config.patch_size"), plain("vision_config.patch_size")) == ("vision_config", "patch_size")
    assert (part("rope_scaling.factor"), plain("rope_scaling.factor")) == ("", "rope_scaling.factor")
    assert plain("a_config.b_cfg.c.d") == "c.d"


def test_the_table_of_families_knows_what_everybody_builds_on() -> None:
    names = {family.name: family.values for family in registry().families}
    assert len(names) == len(registry().families) >= 700
    assert names["Llama-3-8B"]["rope_theta"] == "500000"
    assert names["Llama-3-8B"]["rope_scaling"] == "null"
    assert names["Mistral-7B-v0.2"].get("sliding_window") is None
    assert registry().are_related("mistral", "llama")
    assert not registry().are_related("bert", "convnext")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["hidden_size", "a_config", "", "a.b", "id2label"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, JSON)
def test_whatever_two_files_say_they_are_compared(one: object, other: object) -> None:
    (look,) = looks({"config.json": json.dumps(one).encode()}, {"config.json": json.dumps(other).encode()})
    assert look.examined.kind == "config"


@given(st.binary(max_size=100))
def test_whatever_bytes_a_file_has_it_is_read_or_skipped(data: bytes) -> None:
    (look,) = looks({"config.json": data}, {"config.json": OWN})
    assert len(look.skipped) <= 1


def test_a_file_that_holds_a_list_sets_nothing() -> None:
    assert read("config.json", b"[1, 2]") is None
    assert read("config.json", b"{}") is None
