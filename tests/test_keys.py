"""Trace keys of one repository: what tells, what does not, and what is not read twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.independent_models import LLAMA_3
from detector.artifacts.checkpoints.families import registry as families
from detector.artifacts.keys import config_keys, file_keys, layout_keys, tokenizer_keys
from detector.artifacts.keys.collected import keys
from detector.artifacts.keys.key import FileKeys, Key, Kind
from detector.artifacts.keys.steps import planned
from detector.artifacts.tokenizers.known import registry as known_tokenizers
from detector.model import Skipped
from detector.settings.scan import VOCABULARY_MINIMA
from detector.targets import Head, Repo
from tests.repositories import InMemory
from tests.tokenizing import FIRST_ADDED, HERON, KNOWN, STORK, as_config, as_json, as_tiktoken, reserved
from tests.weights_made import safetensors, shuffled, transformer

OWN = {"zorp_gate_width": 7_713, "flim_rate": 0.137, "blip_steps": 91_307, "veld_gain": 0.0271}
CODE = "def gate(values):\n    return [value * 0.137 for value in values if value > 91307]\n"


def _hashes(found: object, *kinds: Kind) -> set[int]:
    return {each.hash for each in found if not kinds or each.kind in kinds}  # type: ignore[attr-defined]


def _config(tree: Mapping[str, object], path: str = "config.json") -> list[Key]:
    return config_keys.of(path, json.dumps(tree).encode(), families())


class Counted(InMemory):
    """Files that count what is read of them."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        super().__init__(files)
        self.read_paths: list[str] = []
        self.bytes = 0

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        if most_bytes:
            self.read_paths.append(path)
            self.bytes += most_bytes
        return super().head(path, most_bytes)


def _listed(files: Mapping[str, str | bytes]) -> tuple[Repo, Counted]:
    """A repository on a hub that tells the ids of what its files hold."""
    found = Counted(files)
    data = {path: each.encode() if isinstance(each, str) else each for path, each in files.items()}
    ids = {path: f"sha256:{hashlib.sha256(each).hexdigest()}" for path, each in data.items()}
    return Repo("hf:a/b", "b", "0" * 40, found, is_remote=True, ids=ids), found


# --- configurations ------------------------------------------------------------------------------------------


def test_keys_of_a_configuration_survive_another_order_and_another_name_of_the_model() -> None:
    ours = {**LLAMA_3, **OWN, "model_type": "zorp", "architectures": ["ZorpModel"]}
    theirs = {**dict(reversed(ours.items())), "model_type": "other", "architectures": ["Other"]}
    assert _hashes(_config(ours)) == _hashes(_config(theirs))
    assert sum(each.bits for each in _config(ours) if each.kind is Kind.CONFIG) > 30


def test_keys_of_a_configuration_survive_another_part_that_they_stand_in() -> None:
    nested = {"model_type": "zorp", "vision_config": OWN}
    assert _hashes(_config(OWN), Kind.CONFIG) == _hashes(_config(nested), Kind.CONFIG)


def test_of_renamed_keys_the_rare_values_are_left() -> None:
    renamed = {f"our_{place}": value for place, value in enumerate(OWN.values())}
    assert not _hashes(_config(OWN), Kind.CONFIG) & _hashes(_config(renamed), Kind.CONFIG)
    assert _hashes(_config(OWN), Kind.VALUE) == _hashes(_config(renamed), Kind.VALUE)


def test_what_a_published_model_sets_is_no_key() -> None:
    assert _config(LLAMA_3) == []


def test_a_size_that_a_family_leaves_open_is_told_apart_from_what_is_made_up() -> None:
    found = _config({**LLAMA_3, "hidden_size": 5_376})
    assert {each.kind for each in found} <= {Kind.SIZE, Kind.VALUE}
    assert found


def test_a_file_that_sets_up_no_model_has_no_keys() -> None:
    assert _config({"questions": 12_345, "answers": 0.731}, "data_config.json") == []


def test_a_class_that_is_loaded_by_name_is_the_same_from_whichever_repository() -> None:
    here = _config({"auto_map": {"AutoModel": "modeling_zorp.ZorpModel"}})
    there = _config({"auto_map": {"AutoModel": "somebody/zorp--modeling_zorp.ZorpModel"}})
    assert _hashes(here, Kind.AUTO_MAP) == _hashes(there, Kind.AUTO_MAP) != set()


# --- tokenizers ----------------------------------------------------------------------------------------------

CHANGES = {FIRST_ADDED + 3: "<zorp>", FIRST_ADDED + 4: "<|flim_start|>", FIRST_ADDED + 5: "<|flim_end|>"}


def test_of_a_known_tokenizer_with_changes_the_changes_are_the_keys() -> None:
    unchanged = tokenizer_keys.of("tokenizer.json", as_json(HERON, reserved()), KNOWN)
    changed = tokenizer_keys.of("tokenizer.json", as_json(HERON, reserved(CHANGES)), KNOWN)
    assert unchanged == []
    assert {each.kind for each in changed} == {Kind.TOKEN}
    assert len(changed) == len(CHANGES)


def test_changed_tokens_are_the_same_keys_in_every_file_that_tells_them() -> None:
    whole = tokenizer_keys.of("tokenizer.json", as_json(HERON, reserved(CHANGES)), KNOWN)
    options = tokenizer_keys.of("tokenizer_config.json", as_config(reserved(CHANGES)), KNOWN)
    assert _hashes(whole) == _hashes(options)


def test_two_ends_of_one_pair_have_the_bits_of_one_token() -> None:
    found = tokenizer_keys.of("tokenizer.json", as_json(HERON, reserved(CHANGES)), KNOWN)
    bits = sorted(each.bits for each in found)
    assert bits[0] == bits[1] == pytest.approx(bits[2] / 2, abs=0.01)


def test_a_vocabulary_of_its_own_is_the_same_in_every_format() -> None:
    fast = tokenizer_keys.of("tokenizer.json", as_json(STORK, {}), KNOWN)
    ranks = tokenizer_keys.of("tokenizer.model", as_tiktoken(STORK), KNOWN)
    assert _hashes(fast, Kind.VOCABULARY) == _hashes(ranks, Kind.VOCABULARY)
    assert len(fast) == VOCABULARY_MINIMA


def test_a_vocabulary_of_which_a_tenth_was_changed_keeps_most_of_its_keys() -> None:
    edited = [b"x" + token if place % 10 == 9 else token for place, token in enumerate(STORK)]
    kept = _hashes(tokenizer_keys.of("tokenizer.json", as_json(STORK, {}), KNOWN)) & _hashes(
        tokenizer_keys.of("tokenizer.json", as_json(edited, {}), KNOWN)
    )
    assert len(kept) > VOCABULARY_MINIMA / 2


def test_vocabularies_that_were_trained_apart_have_no_key_in_common() -> None:
    heron = tokenizer_keys.of("tokenizer.json", as_json([token + b"q" for token in HERON], {}), KNOWN)
    assert not _hashes(heron) & _hashes(tokenizer_keys.of("tokenizer.json", as_json(STORK, {}), KNOWN))


def test_statements_of_a_chat_template_are_keys_however_they_are_laid_out() -> None:
    plain = "{% for zorp in messages %}{{ zorp['flim'] + '<veld>' }}{% endfor %}"
    spaced = '{%- for zorp in messages -%}\n{{ zorp["flim"] + "<veld>" }}\n{%- endfor -%}'
    one, other = (
        tokenizer_keys.of("tokenizer_config.json", as_config({}, chat_template=each), KNOWN) for each in (plain, spaced)
    )
    assert _hashes(one, Kind.TEMPLATE) == _hashes(other, Kind.TEMPLATE) != set()


def test_of_one_tokenizer_one_file_with_a_vocabulary_is_read() -> None:
    sizes = {"tokenizer.json": 9_000, "tokenizer.model": 9_000, "tokenizer_config.json": 50, "merges.txt": 9_000}
    assert tokenizer_keys.chosen(sizes, sizes.__getitem__) == ["tokenizer.json", "tokenizer_config.json"]


def test_a_file_that_is_too_small_for_a_vocabulary_hides_none() -> None:
    sizes = {"tokenizer.json": 2, "vocab.json": 90_000}
    assert "vocab.json" in tokenizer_keys.chosen(sizes, sizes.__getitem__)


# --- layouts and names ---------------------------------------------------------------------------------------


def _layouts(tensors: Mapping[str, NDArray[Any]]) -> list[int]:
    shapes = layout_keys.shapes(each.shape for each in tensors.values())
    return [each.hash for each in layout_keys.layouts({"model.safetensors": shapes})]


def test_a_layout_does_not_know_names_order_or_which_way_matrices_are_turned() -> None:
    model = transformer(1)
    hidden, _ = shuffled(model)
    assert _layouts(model) == _layouts(hidden)
    assert _layouts(model) == _layouts({name: each.T for name, each in model.items()})


def test_a_layout_is_that_of_all_shards_together() -> None:
    model = transformer(1)
    names = sorted(model)
    parts = {
        f"model-0000{part}-of-00002.safetensors": layout_keys.shapes(model[name].shape for name in names[part - 1 :: 2])
        for part in (1, 2)
    }
    assert [each.hash for each in layout_keys.layouts(parts)] == _layouts(model)


@pytest.mark.parametrize("change", ["a layer dropped", "words added"])
def test_a_changed_copy_keeps_a_layout(change: str) -> None:
    model = transformer(1)
    if change == "a layer dropped":
        other = {name: each for name, each in model.items() if ".2." not in name}
    else:
        other = {**model, "embed.words.weight": np.zeros((208, 64), np.float32)}
    common = set(_layouts(model)) & set(_layouts(other))
    assert 0 < len(common) < len(_layouts(model))


def test_names_that_a_published_family_has_are_no_keys() -> None:
    shapes = {f"model.layers.{layer}.self_attn.{name}_proj.weight": (8, 8) for layer in (0, 1) for name in "qkv"}
    assert layout_keys.names(shapes, families()) == []


def test_names_that_count_up_are_one_name() -> None:
    found = layout_keys.names({f"zorp{number}": (8, 8) for number in range(50)}, families())
    assert len(_hashes(found, Kind.NAME)) == 1


def test_a_name_over_other_shapes_is_another_branch_under_the_same_name() -> None:
    one = layout_keys.names({"zorpler.flim.weight": (8, 8)}, families())
    other = layout_keys.names({"zorpler.flim.weight": (8, 9)}, families())
    assert _hashes(one, Kind.NAME) == _hashes(other, Kind.NAME)
    assert not _hashes(one, Kind.MODULE) & _hashes(other, Kind.MODULE)


# --- files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["LICENSE", ".gitattributes", "a/.gitignore", "config.json", "tokenizer.json", "photo.png", "scheduler.pt",
     "model.safetensors.index.json", "generation_config.json"],
)  # fmt: skip
def test_what_many_projects_have_is_no_key_by_being_the_same(path: str) -> None:
    assert file_keys.of(path, "git:" + "1" * 40, 5_000) is None


def test_a_checkpoint_or_code_weighs_more_than_a_note() -> None:
    content = "sha256:" + "1" * 64
    checkpoint, code, note = (
        file_keys.of(path, content, size)
        for path, size in (("model.safetensors", 1 << 30), ("model.py", 900), ("README.md", 900))
    )
    assert checkpoint is not None
    assert code is not None
    assert note is not None
    assert checkpoint.kind == code.kind == Kind.FILE
    assert note.kind == Kind.DOCUMENT
    assert note.bits < code.bits


def test_a_file_too_small_to_tell_is_no_key() -> None:
    assert file_keys.of("model.py", "git:" + "1" * 40, 20) is None


def test_a_file_in_a_folder_has_the_key_that_a_hub_would_list_it_by() -> None:
    blob = hashlib.sha1(b"blob %d\0%b" % (len(CODE), CODE.encode())).hexdigest()
    folder = keys(Repo("a", "a", "", InMemory({"gate.py": CODE})))
    listed = keys(Repo("hf:a/b", "b", "", InMemory({"gate.py": CODE}), is_remote=True, ids={"gate.py": f"git:{blob}"}))
    assert _hashes(folder.keys) == _hashes(listed.keys) != set()


def test_a_pointer_stands_for_the_file_that_it_names() -> None:
    sha = "ab" * 32
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize 9000000\n"
    cloned = keys(Repo("a", "a", "", InMemory({"model.safetensors": pointer})))
    expected = file_keys.of("model.safetensors", f"sha256:{sha}", 9_000_000)
    assert expected is not None
    assert expected.hash in _hashes(cloned.keys)


# --- the whole -----------------------------------------------------------------------------------------------

FILES: Mapping[str, str | bytes] = {
    "config.json": json.dumps(OWN),
    "tokenizer.json": as_json(STORK, {}),
    "model.safetensors": safetensors(transformer(1)),
    "README.md": "A model of ours. " * 20,
    "LICENSE": "Apache " * 100,
}


def test_notes_and_licences_of_a_hub_are_not_read() -> None:
    repo, files = _listed(FILES)
    found = keys(repo)
    assert set(files.read_paths) == {"config.json", "tokenizer.json", "model.safetensors"}
    assert {each.kind for each in found.keys} >= {Kind.CONFIG, Kind.VOCABULARY, Kind.LAYOUT, Kind.DOCUMENT}


def test_what_a_content_told_before_is_not_fetched_and_tells_the_same() -> None:
    repo, _ = _listed(FILES)
    first = keys(repo)
    known = {each.id: each for each in first.files}
    again, files = _listed(FILES)
    assert keys(again, known.get) == first
    assert files.read_paths == []


def test_a_content_under_another_name_is_read_in_its_own_way() -> None:
    data = json.dumps(OWN)
    known = {each.id: each for each in keys(_listed({"config.json": data})[0]).files}
    renamed, files = _listed({"tokenizer_config.json": data})
    keys(renamed, known.get)
    assert files.read_paths == ["tokenizer_config.json"]


def test_a_plan_fetches_nothing_and_tells_what_would_be_fetched() -> None:
    repo, files = _listed(FILES)
    plan = planned(repo, lambda file: None)
    assert files.read_paths == []
    assert plan.requests == 3
    assert plan.known == 0
    assert len(FILES["config.json"]) + len(FILES["tokenizer.json"]) < plan.bytes
    known = {each.id: each for each in keys(repo).files}
    assert planned(repo, known.get).requests == 0
    assert planned(repo, known.get).known == 3


def test_of_a_published_tokenizer_nothing_is_fetched() -> None:
    content = min(known_tokenizers().files)
    files = Counted({"tokenizer.json": "x" * 9_000})
    repo = Repo("hf:a/b", "b", "", files, is_remote=True, ids={"tokenizer.json": content})
    assert keys(repo).keys == ()
    assert files.read_paths == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("config.json", b'{"a": 1'),
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"n": ' + b"9" * 100_000 + b"}"),
        ("tokenizer.json", b'{"model": {"vocab": {"a": 1999999}}, "added_tokens": 7}' + b" " * 5_000),
        ("model.safetensors", (1 << 62).to_bytes(8, "little") + b"{}"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0[]"),
        ("model.gguf", b"GGUF" + b"\xff" * 200),
    ],
)
def test_a_broken_file_is_told_and_not_fetched_again(path: str, data: bytes) -> None:
    repo, _ = _listed({path: data})
    found = keys(repo)
    assert [each.path for each in found.skipped] == [path]
    again, files = _listed({path: data})
    known = {each.id: each for each in found.files}
    assert keys(again, known.get).skipped == found.skipped
    assert files.read_paths == []


def test_what_cannot_be_read_now_is_asked_for_again() -> None:
    class Silent(InMemory):
        def head(self, path: str, most_bytes: int) -> Head | Skipped:
            return Skipped(path, "the hub does not answer") if most_bytes else super().head(path, most_bytes)

    repo = Repo(
        "hf:a/b", "b", "", Silent({"config.json": "{}"}), is_remote=True, ids={"config.json": "git:" + "1" * 40}
    )
    found = keys(repo)
    assert found.files == ()
    assert [each.reason for each in found.skipped] == ["the hub does not answer"]


def test_keys_do_not_depend_on_the_order_of_files() -> None:
    assert keys(_listed(FILES)[0]).keys == keys(_listed({path: FILES[path] for path in reversed(list(FILES))})[0]).keys


def test_a_member_without_any_of_it_has_no_keys() -> None:
    assert keys(Repo("a", "a", "", InMemory({}))).keys == ()


def test_what_is_kept_of_a_file_has_an_id_with_its_version() -> None:
    (told, *_) = keys(_listed({"config.json": json.dumps(OWN)})[0]).files
    assert isinstance(told, FileKeys)
    assert told.id.startswith("config:config.json 1 sha256:")
