"""The files beside the code of the fixtures, and their scripted histories, are what the gold file says."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from bench import fixture_history
from bench.fixture_files.byte_pairs import alphabet, byte_level_words, merges
from bench.fixture_files.configs import LLAMA
from bench.fixture_files.past import Edit
from bench.fixture_files.written import FIXTURES, PACKAGES
from bench.fixture_files.written import written as write

Git = Callable[..., str]
CONFIGS = {side: f"{side}/{package}/config.json" for side, package in PACKAGES.items()}
MOST_BYTES = 600_000
MOST_WEIGHTS_BYTES = 300_000  # of one model
VOCABULARIES = ("merges.txt", "vocab.json")


def _json(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / path).read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def gold() -> dict[str, Any]:
    evidence: dict[str, Any] = _json("gold.json")["evidence"]
    return evidence


@cache
def written() -> dict[str, bytes]:
    """What the module writes, which takes a second, once for all tests."""
    return write()


# --- what is written ---


def test_writing_the_files_beside_the_code_again_changes_nothing() -> None:
    changed = [path for path, data in written().items() if (FIXTURES / path).read_bytes() != data]
    assert changed == [], "run python -m bench.fixture_files"


def test_every_file_of_a_fixture_is_written_by_hand_or_by_the_module() -> None:
    by_hand = re.compile(r"(README\.md|LICENSE|.*\.py)$")
    present = {f"{side}/{path}" for side in PACKAGES for path in fixture_history.published(side)}
    assert {path for path in present if not by_hand.search(path)} == set(written())


def test_the_files_beside_the_code_are_small() -> None:
    models = {path: data for path, data in written().items() if path.endswith(".safetensors")}
    assert len(models) == len(PACKAGES)
    assert max(map(len, models.values())) < MOST_WEIGHTS_BYTES
    assert sum(len(data) for path, data in written().items() if path not in models) < MOST_BYTES


# --- configuration ---


def _flat(config: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Values by dotted key; what the loader of a class needs is one value."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict) and key != "auto_map":
            found |= _flat(value, f"{above}{key}.")
        else:
            found[above + key] = value
    return found


def _sides(part: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return _json(f"rebadged/{part['suspect']}"), _json(f"original/{part['reference']}")


def test_every_key_of_both_configurations_is_equal_renamed_different_or_dropped(gold: dict[str, Any]) -> None:
    part = gold["config"]
    suspect, reference = map(_flat, _sides(part))
    assert {*part["equal"], *part["different"], *part["renamed"]} == set(suspect)
    assert {*part["equal"], *part["different"], *part["renamed"].values(), *part["dropped"]} == set(reference)
    assert [key for key in part["equal"] if suspect[key] != reference[key]] == []
    assert [key for key in part["different"] if suspect[key] == reference[key]] == []


def test_a_renamed_key_keeps_its_value_and_exists_on_its_side_only(gold: dict[str, Any]) -> None:
    part = gold["config"]
    suspect, reference = map(_flat, _sides(part))
    assert [new for new, old in part["renamed"].items() if suspect[new] != reference[old]] == []
    assert not set(part["renamed"]) & set(reference)
    assert not set(part["renamed"].values()) & set(suspect)


def test_a_telling_value_stands_under_one_key_on_each_side(gold: dict[str, Any]) -> None:
    part = gold["config"]
    assert part["telling"]
    for new in part["telling"]:
        for config, key in zip(map(_flat, _sides(part)), (new, part["renamed"][new]), strict=True):
            assert [other for other, value in config.items() if value == config[key]] == [key]


def test_the_independent_project_has_its_familys_values_and_no_key_of_the_originals_own(gold: dict[str, Any]) -> None:
    family = set(gold["config"]["family"])
    assert family == set(LLAMA)
    original, independent = (_flat(_json(CONFIGS[side])) for side in ("original", "independent"))
    assert {key: original[key] for key in family} == {key: independent[key] for key in family}
    published = {"architectures", "model_type", "bos_token_id", "eos_token_id", "vocab_size", "transformers_version"}
    assert original.keys() & independent.keys() <= family | published


# --- structure ---


def _index(side: str) -> dict[str, Any]:
    return _json(f"{side}/{PACKAGES[side]}/model.safetensors.index.json")


def test_the_tensors_of_the_suspect_are_the_originals_under_other_prefixes(gold: dict[str, Any]) -> None:
    part = gold["structure"]
    suspect, reference = (set(side["weight_map"]) for side in _sides(part))
    back = part["prefixes"]
    renamed = {f"{back[name.partition('.')[0]]}.{name.partition('.')[2]}" for name in suspect}
    assert renamed == reference
    assert len(suspect) == len(reference) == part["tensors"]
    assert len(set(back.values())) == len(back)
    assert {side["metadata"]["total_size"] for side in _sides(part)} == {part["total_size"]}


def test_shards_are_cut_elsewhere_and_every_one_is_named(gold: dict[str, Any]) -> None:
    for side in PACKAGES:
        shards = set(_index(side)["weight_map"].values())
        assert len(shards) > 1
        assert {shard.partition("-of-")[2] for shard in shards} == {f"{len(shards):05d}.safetensors"}
    suspect, reference = (set(side["weight_map"].values()) for side in _sides(gold["structure"]))
    assert len(suspect) != len(reference)


def test_the_others_share_no_tensor_name_but_those_of_the_language_models_family() -> None:
    names = {side: {name.partition(".")[2] for name in _index(side)["weight_map"]} for side in PACKAGES}
    of_family = re.compile(r"model\.(embed_tokens|norm|layers\.\d+\.)|lm_head")
    for one, other in (("original", "cited"), ("original", "independent"), ("cited", "independent")):
        assert [name for name in names[one] & names[other] if not of_family.match(name)] == []


# --- weights ---

Values = dict[str, NDArray[np.float64]]
_TYPES = {"BF16": ml_dtypes.bfloat16, "F16": np.float16}


def _values(path: str) -> tuple[str, Values]:
    """The type that a file's tensors have, and their values in the order of the file."""
    data = (FIXTURES / path).read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    header.pop("__metadata__")
    (dtype,) = {each["dtype"] for each in header.values()}
    found = {}
    for name, each in header.items():
        first, last = each["data_offsets"]
        stored = np.frombuffer(data[begin + first : begin + last], _TYPES[dtype])
        found[name] = stored.astype(np.float64).reshape(each["shape"])
    return dtype, found


def test_the_suspects_weights_are_the_originals_with_noise_in_another_order_and_type(gold: dict[str, Any]) -> None:
    part = gold["weights"]
    (our_type, ours), (their_type, theirs) = (
        _values(f"rebadged/{part['suspect']}"),
        _values(f"original/{part['reference']}"),
    )
    back = {f"{part['prefixes'][name.partition('.')[0]]}.{name.partition('.')[2]}": name for name in ours}
    assert set(back) == set(theirs)
    assert len(theirs) == part["tensors"]
    assert our_type != their_type
    assert [back[name] for name in theirs] != list(ours)
    added = np.concatenate([(ours[back[name]] - theirs[name]).ravel() for name in theirs])
    assert 1 / added.std() == pytest.approx(part["inverse_sigma"], rel=0.01)
    assert abs(added.mean()) < 5 * added.std() / added.size**0.5


def test_tensors_of_the_weights_are_called_as_the_index_calls_them() -> None:
    for side, package in PACKAGES.items():
        (path,) = [each for each in written() if each.startswith(f"{side}/") and each.endswith(".safetensors")]
        _, found = _values(path)
        assert path.startswith(f"{side}/{package}/")
        assert len(set(found) - set(_index(side)["weight_map"])) == 0


def test_weights_of_the_others_have_shapes_of_the_original_and_none_of_its_values() -> None:
    _, original = _values("original/heronvl/tiny.safetensors")
    _, independent = _values("independent/tidewater/smoke.safetensors")
    compared = 0
    for name, value in independent.items():
        same = original.get(name.replace("writer.", "llm."))
        if same is not None and same.shape == value.shape and value.ndim == 2:
            compared += 1
            assert abs(np.corrcoef(same.ravel(), value.ravel())[0, 1]) < 6 / value.size**0.5
    assert compared > 10


# --- tokenizer ---


def _byte_level(side: str) -> tuple[list[str], list[str]]:
    """Entries in the order of their ids, and merges."""
    model = _json(f"{side}/{PACKAGES[side]}/tokenizer.json")["model"]
    return sorted(model["vocab"], key=model["vocab"].__getitem__), model["merges"]


def test_the_suspects_vocabulary_is_the_originals_saved_in_another_format(gold: dict[str, Any]) -> None:
    part = gold["tokenizer"]
    entries, made = _byte_level("original")
    vocab = _json("rebadged/kestrel/vocab.json")
    assert sorted(vocab, key=vocab.__getitem__) == entries
    assert (FIXTURES / "rebadged/kestrel/merges.txt").read_text("utf-8").splitlines()[1:] == made
    assert (len(entries), len(made)) == (part["entries"], part["merges"])
    assert not (FIXTURES / "rebadged/kestrel/tokenizer.json").exists()


def test_every_changed_token_stands_at_its_id_in_every_file_of_both(gold: dict[str, Any]) -> None:
    part = gold["tokenizer"]
    original = _json("original/heronvl/tokenizer.json")["added_tokens"]
    tables = [
        {str(token["id"]): token["content"] for token in original},
        {str(number): content for content, number in _json("rebadged/kestrel/added_tokens.json").items()},
        *(
            {number: token["content"] for number, token in _json(f"{path}/tokenizer_config.json")[decoder].items()}
            for path, decoder in (
                ("original/heronvl", "added_tokens_decoder"),
                ("rebadged/kestrel", "added_tokens_decoder"),
            )
        ),
    ]
    for table in tables:
        assert table == tables[0]
        assert len(table) == part["added"]
        assert table.items() >= part["changed"].items()
        rest = {content for number, content in table.items() if number not in part["changed"]}
        assert all(
            re.fullmatch(r"<\|(reserved_special_token_\d+|begin_of_text|end_of_text|\w+_id)\|>", c) for c in rest
        )


def test_the_vocabularies_of_the_others_were_trained_apart() -> None:
    entries, _ = _byte_level("original")
    for other in (_byte_level("cited")[0], [_blank(piece) for piece in _pieces()]):
        same = [number for number, entry in enumerate(other[: len(entries)]) if entry == entries[number]]
        assert len([number for number in same if number >= len(alphabet())]) < 10
        assert not set(_json("gold.json")["evidence"]["tokenizer"]["changed"].values()) & set(other)


def test_a_vocabulary_is_its_bytes_and_then_what_each_merge_makes() -> None:
    for side in ("original", "cited"):
        entries, made = _byte_level(side)
        assert entries[:256] == list(alphabet().values())
        assert entries[256:] == [pair.replace(" ", "") for pair in made]
        assert len(set(entries)) == len(entries)


def test_merging_takes_the_most_frequent_pair_and_of_equal_ones_the_first() -> None:
    words = byte_level_words("aab aab ab xy")
    assert merges(words, 3) == [("a", "b"), ("a", "ab"), ("x", "y")]


def _blank(piece: str) -> str:
    return piece.replace("\N{LOWER ONE EIGHTH BLOCK}", "\u0120")


def _pieces() -> list[str]:
    """The pieces of the SentencePiece model, in the order of their ids."""
    data = (FIXTURES / "independent/tidewater/tokenizer.model").read_bytes()
    return [_text(piece) for number, piece in _fields(data) if number == 1]


def _text(piece: bytes) -> str:
    return next(value.decode() for number, value in _fields(piece) if number == 1)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Fields of a protocol buffer: numbers, and the bytes of those that have a length."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        length = 0
        if key & 7 == 0:
            _, place = _varint(data, place)
        elif key & 7 == 5:
            place += 4
        else:
            length, place = _varint(data, place)
        yield key >> 3, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 0x80:
            return value, place


def test_the_sentencepiece_model_has_its_special_pieces_all_bytes_and_words() -> None:
    pieces = _pieces()
    assert pieces[:4] == ["<unk>", "<s>", "</s>", "\x03"]
    assert pieces[4:260] == [f"<0x{byte:02X}>" for byte in range(256)]
    assert len(pieces) == len(set(pieces)) == _json(CONFIGS["independent"])["vocab_size"]
    assert "\N{LOWER ONE EIGHTH BLOCK}leaf" in pieces


# --- references to modules ---


def _named(side: str) -> set[tuple[str, str]]:
    """File and `module.Class` of everything that an `auto_map` names."""
    found = set()
    for path in written():
        if path.startswith(f"{side}/") and path.endswith("config.json"):
            for value in _json(path).get("auto_map", {}).values():
                names = value if isinstance(value, list) else [value]
                found |= {(path.partition("/")[2], name) for name in names if name is not None}
    return found


def _resolves(side: str, path: str, name: str) -> bool:
    module, _, wanted = name.rpartition(".")
    file = (FIXTURES / side / path).parent / f"{module}.py"
    return file.exists() and re.search(rf"^class {wanted}\b", file.read_text("utf-8"), re.MULTILINE) is not None


def test_what_dangles_is_what_the_gold_names_and_nothing_else(gold: dict[str, Any]) -> None:
    dangling = {
        (side, path, name) for side in PACKAGES for path, name in _named(side) if not _resolves(side, path, name)
    }
    assert dangling == {("rebadged", each["path"], each["name"]) for each in gold["dangling"]}
    assert all(_named(side) for side in ("original", "rebadged"))


def test_what_a_dangling_reference_names_is_in_the_original_and_nowhere_in_the_suspect(gold: dict[str, Any]) -> None:
    for each in gold["dangling"]:
        module, _, wanted = each["name"].rpartition(".")
        assert Path(each["reference"]).stem == module
        assert _resolves("original", each["reference"], each["name"])
        for path, data in fixture_history.published("rebadged").items():
            assert Path(path).stem != module
            if path.endswith(".py"):
                assert wanted not in data.decode()


# --- declared ---


def test_the_headers_that_the_original_has_are_lost_in_the_suspect(gold: dict[str, Any]) -> None:
    header = "\n".join(gold["declared"]["header"])
    original = fixture_history.published("original")
    assert [path for path in original if original[path].startswith(header.encode())] == gold["declared"]["lost_headers"]
    for path, data in fixture_history.published("rebadged").items():
        assert not re.search(rb"copyright|spdx|licen[sc]e", data, re.IGNORECASE) or path.endswith(VOCABULARIES)


def test_each_reference_has_the_declared_status_of_the_suspects_readme(gold: dict[str, Any]) -> None:
    readme = (FIXTURES / "rebadged/README.md").read_text("utf-8").lower()
    status = {"original": "heron", "cited": "lanternlens", "independent": "tidewater"}
    assert [side for side, name in status.items() if name in readme] == ["cited"]
    assert {side: gold["declared"][side] for side in status} == {
        "original": "undeclared",
        "cited": "declared",
        "independent": "unrelated",
    }


# --- histories ---

Versions = dict[str, list[fixture_history.Version]]


@pytest.fixture(scope="module")
def versions() -> Versions:
    return fixture_history.versions()


def _version(versions: Versions, side: str, label: str) -> fixture_history.Version:
    (found,) = [version for version in versions[side] if version.label == label]
    return found


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def test_the_commits_of_both_histories_are_those_of_the_gold_whoever_builds_them(
    gold: dict[str, Any], git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings"
    settings.write_text("[core]\n\tautocrlf = true\n[init]\n\tdefaultBranch = other\n[commit]\n\tgpgSign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "@1 +0000")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    built = fixture_history.build(tmp_path)
    for side, commits in gold["history"]["commits"].items():
        assert built[side] == {each["label"]: each["id"] for each in commits}
        told = git(tmp_path / side, "log", "--reverse", "--format=%H %cI").splitlines()
        assert told == [f"{each['id']} {each['at'].replace('Z', '+00:00')}" for each in commits]


def test_the_last_commit_is_what_stands_in_the_folder(git: Git, tmp_path: Path) -> None:
    fixture_history.build(tmp_path)
    for side in ("original", "rebadged"):
        tree = fixture_history.published(side)
        listed = git(tmp_path / side, "ls-tree", "-r", "HEAD")
        assert set(listed.splitlines()) == {f"100644 blob {_blob(data)}\t{path}" for path, data in tree.items()}
        assert git(tmp_path / side, "status", "--porcelain", "--ignored") == ""


def test_every_version_compiles(versions: Versions) -> None:
    for side in versions:
        for version in versions[side]:
            for path, data in version.tree.items():
                if path.endswith(".py"):
                    ast.parse(data.decode(), path)


def test_the_first_commit_has_blobs_of_one_older_version_and_of_no_other_all_of_them(
    gold: dict[str, Any], versions: Versions
) -> None:
    imported = _version(versions, "rebadged", gold["history"]["imported"]).tree
    shared = {}
    for version in versions["original"]:
        blobs = set(map(_blob, version.tree.values()))
        shared[version.label] = sorted(path for path, data in imported.items() if _blob(data) in blobs)
    assert shared[gold["history"]["copied"]] == gold["history"]["shared"]
    assert [label for label, paths in shared.items() if paths == gold["history"]["shared"]] == [
        gold["history"]["copied"]
    ]


def test_the_first_commit_comes_a_week_after_the_version_that_it_copies_and_before_the_next(
    gold: dict[str, Any], versions: Versions
) -> None:
    labels = [version.label for version in versions["original"]]
    copied = labels.index(gold["history"]["copied"])
    first, before, after = (
        datetime.fromisoformat(version.at)
        for version in (versions["rebadged"][0], *versions["original"][copied : copied + 2])
    )
    assert first - before >= timedelta(days=8)
    assert first < after
    assert versions["rebadged"][0].label == gold["history"]["imported"]


def test_a_renaming_commit_is_one_table_of_names_and_moves(gold: dict[str, Any], versions: Versions) -> None:
    labels = [version.label for version in versions["rebadged"]]
    for each in gold["history"]["renamings"]:
        place = labels.index(each["label"])
        before, after = (versions["rebadged"][number].tree for number in (place - 1, place))
        assert {each["moves"].get(path, path) for path in before} == set(after)
        used = set()
        for path, data in before.items():
            old, new = (_words(one) for one in (data, after[each["moves"].get(path, path)]))
            replaced = {(one, other) for one, other in zip(old, new, strict=True) if one != other}
            used |= replaced
        assert used == set(each["names"].items())


def _words(data: bytes) -> list[str]:
    """Names, anything else letter by letter."""
    return re.findall(r"\w+|\W", data.decode("latin-1"))


def test_what_names_the_original_was_there_once_and_is_gone(gold: dict[str, Any], versions: Versions) -> None:
    labels = [version.label for version in versions["rebadged"]]
    for each in gold["history"]["removed"]:
        having = [version.label for version in versions["rebadged"] if each["path"] in version.tree]
        assert having == labels[labels.index(each["added"]) : labels.index(each["deleted"])]
        for label in having:
            assert each["text"].encode() in _version(versions, "rebadged", label).tree[each["path"]]
        assert each["text"].encode() not in b"".join(versions["rebadged"][-1].tree.values())


def test_the_compiled_file_agrees_with_its_source_and_with_the_date_of_its_commit(
    gold: dict[str, Any], versions: Versions
) -> None:
    for each in gold["history"]["residue"]:
        version = _version(versions, "rebadged", each["added"])
        magic, end, flags, changed, size = struct.unpack_from("<H2sIII", version.tree[each["path"]])
        assert (magic, end, flags) == (3439, b"\r\n", 0)  # of Python 3.10, checked by time
        assert size == each["source_bytes"] == len(version.tree[each["source"]])
        assert version.seconds - changed == each["seconds_before"]
        assert each["path"] not in _version(versions, "rebadged", each["deleted"]).tree


def test_an_edit_that_its_file_does_not_have_is_refused() -> None:
    edit = Edit("a.py", became="two", was="one")
    assert fixture_history._undone("two\n", edit) == "one\n"
    for text in ("three\n", "two two\n"):
        with pytest.raises(ValueError, match=r"a\.py has [02] times"):
            fixture_history._undone(text, edit)


# --- behaviour ---


def _answers(path: str) -> dict[str, list[str]]:
    """What a log says of each item: the answer, and the label if it has one."""
    if path.endswith(".csv"):
        return {row[0]: row[1:] for row in (line.split(",") for line in (FIXTURES / path).read_text().splitlines()[1:])}
    records = [list(json.loads(line).values()) for line in (FIXTURES / path).read_text("utf-8").splitlines()]
    return {record[0]: record[1:] for record in records}


def test_the_logs_of_both_have_the_errors_that_the_gold_counts(gold: dict[str, Any]) -> None:
    part = gold["behaviour"]
    ours, theirs = _answers(f"rebadged/{part['suspect']}"), _answers(f"original/{part['reference']}")
    assert len(ours) == len(theirs) == part["items"]
    assert sum(ours[item][0] == theirs[item][0] for item in theirs) == part["equal"] == round(0.87 * part["items"])
    wrong = {item for item, (answer, label) in theirs.items() if answer != label}
    our_wrong = {item for item, (answer,) in ours.items() if answer != theirs[item][1]}
    assert (len(our_wrong), len(wrong)) == (part["wrong"]["suspect"], part["wrong"]["reference"])
    assert len(wrong & our_wrong) == part["both_wrong"]
    same = {item for item in wrong if ours[item][0] == theirs[item][0]}
    assert len(same) == part["same_wrong"]
    others = [f"original/heronvl/baselines/model-{number}.csv" for number in range(1, 9)]
    others += ["cited/lanternlens/predictions.jsonl", "independent/tidewater/predictions.csv"]
    told = list(map(_answers, others))
    alone = {item: theirs[item][0] for item in same if all(log[item][0] != theirs[item][0] for log in told)}
    assert alone == part["only_these_two"]
