"""What two tokenizers have in common beyond the known one that they are built on."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from detector.artifacts.tokenizers.changes import stem, weighed
from detector.artifacts.tokenizers.files import digests
from detector.artifacts.tokenizers.known import assembled, base_of, hashed, registry
from detector.artifacts.tokenizers.templates import statements
from detector.evidence import tokenizer
from detector.model import Look, Strength
from detector.targets import Comparison
from tests import tokenizing
from tests.repositories import repo
from tests.tokenizing import FIRST_ADDED, HERON, STORK, as_config, as_json, as_tiktoken, read, reserved, spelled

# Unusual tokens, in places that are reserved.
CHIRPS = dict(
    enumerate(("<chirp>", "</chirp>", "<trill>", "</trill>", "<warble>", "<plume>", "<talon>"), FIRST_ADDED + 6)
)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "registry", lambda: tokenizing.KNOWN)


def look(suspect: Mapping[str, bytes], reference: Mapping[str, bytes], **others: Mapping[str, bytes]) -> Look:
    """Look for the evidence between these files."""
    references = {name: repo(name, files) for name, files in {"origin": reference, **others}.items()}
    found = tokenizer.find(Comparison(repo("copy", suspect), "copy", references))
    assert len(found) == len(references)
    return found[0]


def lines(found: Look) -> dict[str, Strength]:
    return {line.name: line.strength for line in found.evidence}


# --- the base ---


def test_a_known_base_and_its_changes_are_told_in_every_format() -> None:
    changed = reserved(CHIRPS)
    for files in (
        {"tokenizer.json": as_json(HERON, changed)},
        {"tokenizer.model": as_tiktoken(HERON), "tokenizer_config.json": as_config(changed)},
        {"tokenizer_config.json": as_config(changed)},
    ):
        base = base_of(read(files), tokenizing.KNOWN)
        assert base is not None
        assert base.says() == "Heron + 7 changes"
        assert base.changed == tuple(CHIRPS)


def test_a_vocabulary_without_its_added_tokens_is_the_unchanged_base() -> None:
    base = base_of(read({"tokenizer.model": as_tiktoken(HERON)}), tokenizing.KNOWN)
    assert base is not None
    assert base.says() == "Heron, unchanged"


def test_overwritten_and_missing_tokens_are_counted() -> None:
    tokens = [*HERON[:700], b" blip", b" blop", *HERON[702:1990]]
    base = base_of(read({"tokenizer.json": as_json(tokens, {})}), tokenizing.KNOWN)
    assert base is not None
    assert base.says() == "Heron + 12 changes"


def test_another_vocabulary_has_no_base_and_neither_have_three_usual_added_tokens() -> None:
    assert base_of(read({"tokenizer.json": as_json(STORK, {})}), tokenizing.KNOWN) is None
    usual = {0: "<unk>", 1: "<s>", 2: "</s>"}
    assert base_of(read({"tokenizer_config.json": as_config(usual)}), tokenizing.KNOWN) is None


# --- changes ---


@pytest.mark.parametrize(
    "suspect",
    [
        {"tokenizer.json": as_json(HERON, reserved(CHIRPS))},
        {"tokenizer.json": as_json(HERON, dict(reversed(reserved(CHIRPS).items())))},
        {"tokenizer.model": as_tiktoken(HERON), "tokenizer_config.json": as_config(reserved(CHIRPS))},
        {
            "vocab.json": json.dumps({spelled(token): place for place, token in enumerate(HERON)}).encode(),
            "merges.txt": b"#version: 0.2\nk a\n",
            "added_tokens.json": json.dumps({text: number for number, text in reserved(CHIRPS).items()}).encode(),
        },
        {"deep/in/tokenizer_config.json": as_config(reserved(CHIRPS))},
    ],
)
def test_the_same_unusual_tokens_at_the_same_ids_are_found_in_whatever_format(suspect: Mapping[str, bytes]) -> None:
    found = look(suspect, {"tokenizer.json": as_json(HERON, reserved(CHIRPS))})
    assert "both Heron + 7 changes" in found.examined.about
    assert lines(found)["same-changes"] == Strength.STRONG
    (line,) = (each for each in found.evidence if each.name == "same-changes")
    assert line.measures["tokens"] == 7
    assert line.measures["distance"] == 0
    (exhibit,) = (each for each in found.exhibits if each.name == "changed-tokens")
    assert [(row[0], row[3], row[4]) for row in exhibit.rows] == [(n, text, text) for n, text in CHIRPS.items()]
    assert {row[2] for row in exhibit.rows} <= {f"#{hashed(text.encode())}" for text in tokenizing.RESERVED}


def test_a_shared_base_is_no_finding() -> None:
    plain = {"tokenizer.json": as_json(HERON, reserved())}
    found = look(plain, {"tokenizer.model": as_tiktoken(HERON), "tokenizer_config.json": as_config(reserved())})
    assert found.evidence == ()
    assert found.examined.about == "1 tokenizer with 1: ./ and ./ are both Heron, unchanged"


def test_usual_tokens_on_one_base_are_no_finding() -> None:
    usual = {FIRST_ADDED: "<pad>", FIRST_ADDED + 1: "<image>", FIRST_ADDED + 2: "<video>"}
    other = {FIRST_ADDED: "<pad>", FIRST_ADDED + 1: "<image>", FIRST_ADDED + 2: "<trill>"}
    found = look(
        {"tokenizer_config.json": as_config(reserved(usual))}, {"tokenizer_config.json": as_config(reserved(other))}
    )
    assert found.evidence == ()


def test_tokens_that_a_variant_of_the_base_has_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    variant = tokenizing.known("Heron-2", HERON, reserved(CHIRPS))
    monkeypatch.setattr(tokenizer, "registry", lambda: tokenizing.registry(tokenizing.BASE, variant))
    own = {FIRST_ADDED + 20: "<chick>"}
    one, other = (as_config(reserved({**CHIRPS, **each})) for each in (own, {}))
    found = look({"tokenizer_config.json": one}, {"tokenizer_config.json": other})
    assert found.evidence == ()
    assert "Heron-2 + 1 change" in found.examined.about


def test_the_same_tokens_at_other_ids_support_less() -> None:
    moved = {number + 9: text for number, text in CHIRPS.items()}
    found = look(
        {"tokenizer_config.json": as_config(reserved(CHIRPS))}, {"tokenizer_config.json": as_config(reserved(moved))}
    )
    assert lines(found) == {"same-changes": Strength.MODERATE}
    assert "9 ids apart" in found.evidence[0].claim


def test_tokens_in_another_order_are_not_at_one_distance() -> None:
    backwards = dict(zip(CHIRPS, reversed(CHIRPS.values()), strict=True))
    found = look(
        {"tokenizer_config.json": as_config(reserved(CHIRPS))},
        {"tokenizer_config.json": as_config(reserved(backwards))},
    )
    assert found.evidence == ()


def test_another_reference_that_has_the_tokens_too_is_named() -> None:
    files = {"tokenizer_config.json": as_config(reserved(CHIRPS))}
    found = look(files, files, cousin={"tokenizer_config.json": as_config(CHIRPS)}, stranger={})
    assert "another source: cousin has 7 of them too" in found.evidence[0].tested


def test_what_was_decided_together_counts_once() -> None:
    told = weighed(["<chirp>", "</chirp>", "<|trill_start|>", "<|trill_end|>", "<loc_1>", "<loc_2>"], tokenizing.KNOWN)
    assert [bits > 0 for _, _, bits in told] == [True, False, True, False, True, False]
    assert stem("<|im_start|>") == stem("<|im_end|>")
    assert stem("<0>") == "<0>"


def test_the_rarer_a_token_is_the_more_it_is_worth() -> None:
    (_, many, common), (_, few, known), (_, none, unknown) = weighed(
        ["<image>", "<video>", "<chirp>"], tokenizing.KNOWN
    )
    assert (many, few, none) == (40, 3, 0)
    assert common == 0
    assert 0 < known < unknown == 8.0  # one of 256


# --- vocabularies ---


def test_an_equal_vocabulary_of_no_known_base_is_a_finding_and_says_what_else_explains_it() -> None:
    found = look({"tokenizer.model": as_tiktoken(STORK)}, {"tokenizer.json": as_json(STORK, {})})
    assert lines(found) == {"same-vocabulary": Strength.MODERATE}
    assert "registry does not know" in found.evidence[0].innocent
    assert found.evidence[0].measures["share"] == 1.0


def test_vocabularies_that_share_tokens_but_not_their_ids_are_no_finding() -> None:
    mixed = [*STORK[:256], *reversed(STORK[256:])]
    found = look({"tokenizer.model": as_tiktoken(STORK)}, {"tokenizer.json": as_json(mixed, {})})
    assert found.evidence == ()
    (exhibit,) = (each for each in found.exhibits if each.name == "parts")
    (row,) = (row for row in exhibit.rows if row[0] == "vocabulary")
    assert row[3] == "12.8% in the same place, Jaccard 1.00"


def test_what_both_put_behind_a_known_vocabulary_is_a_vocabulary_of_their_own() -> None:
    longer = [*HERON, *STORK[256:]]
    found = look({"tokenizer.model": as_tiktoken(longer)}, {"tokenizer.json": as_json(longer, {})})
    assert lines(found) == {"same-vocabulary": Strength.MODERATE}
    assert "Heron + 1,744 changes" in found.examined.about


# --- templates and files ---

TEMPLATE = (
    "{% for turn in conversation %}{% if turn.speaker == 'keeper' %}<keeper> {{ turn.words | upper }}"
    "{% elif turn.speaker == 'bird' %}<bird> {{ turn.song | replace('tweet', 'chirp') }}{% endif %}{% endfor %}"
)


def test_a_template_that_no_known_model_has_is_a_finding_and_a_known_one_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = {"tokenizer_config.json": as_config({}, chat_template=TEMPLATE)}
    other = {"chat_template.json": json.dumps({"chat_template": TEMPLATE.replace("'", '"')}).encode()}
    assert list(lines(look(one, other))) == ["same-chat-template"]
    known = assembled([tokenizing.BASE], 255, {}, statements(TEMPLATE))
    monkeypatch.setattr(tokenizer, "registry", lambda: known)
    assert look(one, other).evidence == ()


def _pointer(data: bytes) -> bytes:
    oid = next(each for each in digests(data) if each.startswith("sha256:"))
    return f"version https://git-lfs.github.com/spec/v1\noid {oid}\nsize {len(data)}\n".encode()


def test_a_pointer_equals_the_content_that_it_stands_for_and_counts_only_beside_shared_changes() -> None:
    data = as_json(HERON, reserved(CHIRPS))
    config = {"tokenizer_config.json": as_config(reserved(CHIRPS))}
    alone = look({"tokenizer.json": _pointer(data)}, {"tokenizer.json": _pointer(data)})
    assert lines(alone) == {"same-file": Strength.NONE}
    beside = look({"tokenizer.json": _pointer(data), **config}, {"tokenizer.json": data})
    assert lines(beside) == {"same-changes": Strength.STRONG, "same-file": Strength.MODERATE}
    assert "it is not here" in beside.evidence[1].claim


def test_a_pointer_to_an_unchanged_base_is_no_finding() -> None:
    pointer = _pointer(as_json(HERON, reserved()))
    files = {"tokenizer.json": pointer, "tokenizer_config.json": as_config(reserved())}
    assert look(files, files).evidence == ()


# --- what is examined ---


def test_a_side_without_tokenizers_is_said() -> None:
    found = look({"config.json": b"{}"}, {"tokenizer.model": as_tiktoken(HERON)})
    assert not found.examined.is_possible
    assert found.examined.about == "the suspect has no tokenizer files"
    assert look({}, {}).examined.about == "the suspect and origin have no tokenizer files"


def test_of_several_tokenizers_the_nearest_pair_is_told() -> None:
    suspect = {"a/tokenizer.model": as_tiktoken(STORK), "b/tokenizer_config.json": as_config(reserved(CHIRPS))}
    found = look(
        suspect, {"x/tokenizer.json": as_json(HERON, reserved(CHIRPS)), "y/tokenizer.json": as_json(HERON, {})}
    )
    assert found.examined.about.startswith("2 tokenizers with 2: b/ and x/ are both")


def test_hostile_files_are_skipped_by_the_name_of_their_side() -> None:
    hostile = {
        "tokenizer.json": b"[" * 5000,
        "tokenizer.model": b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "vocab.json": b"\xff\xfe",
        "tokenizer_config.json": b'{"added_tokens_decoder": {"0": {"content": "<\\ud800\\u0000>"}}, "eos_token": NaN}',
    }
    found = look(hostile, {"tokenizer_config.json": as_config(reserved(CHIRPS))})
    assert found.examined.is_possible
    assert {each.path for each in found.skipped} == {"copy:tokenizer.json", "copy:tokenizer.model", "copy:vocab.json"}
    assert all(each.reason for each in found.skipped)


def test_a_long_list_of_changes_is_cut_and_what_both_have_comes_first() -> None:
    many = {FIRST_ADDED + 100 + number: f"<own{number}x>" for number in range(200)}
    found = look(
        {"tokenizer_config.json": as_config({**reserved(CHIRPS), **many})},
        {"tokenizer_config.json": as_config(reserved(CHIRPS))},
    )
    (exhibit,) = (each for each in found.exhibits if each.name == "changed-tokens")
    assert len(exhibit.rows) == 40
    assert exhibit.omitted == 167
    assert {row[0] for row in exhibit.rows} >= set(CHIRPS)


# --- the table that ships ---


def test_the_table_that_ships_holds_hashes_and_names_its_packages() -> None:
    known = registry()
    assert len(known.tokenizers) >= 30
    assert all("==" in each.source for each in known.tokenizers)
    assert known.families > 200
    llama = next(each for each in known.tokenizers if each.name == "Llama-3")
    assert len(llama.marks) == 128_256
    assert len(llama.added) == 256


def test_the_real_base_is_told_from_added_tokens_alone() -> None:
    special = {128000: "<|begin_of_text|>", 128001: "<|end_of_text|>", 128006: "<|start_header_id|>"}
    special |= {128007: "<|end_header_id|>", 128009: "<|eot_id|>"}
    free = [number for number in range(128002, 128256) if number not in special]
    spare = {number: f"<|reserved_special_token_{place}|>" for place, number in enumerate(free)}
    base = base_of(read({"tokenizer_config.json": as_config({**spare, **special, 128010: "<chirp>"})}), registry())
    assert base is not None
    assert base.says() == "Llama-3 + 1 change"
