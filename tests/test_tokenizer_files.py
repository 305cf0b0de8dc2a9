"""Files of tokenizers: every format says the same, and no file costs more than it may."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers import sentencepiece, templates, tiktoken
from detector.artifacts.tokenizers.alphabet import ALPHABET, from_letters, from_piece
from detector.artifacts.tokenizers.files import digests, group, parse, pointed, tokenizers
from detector.artifacts.tokenizers.part import AddedToken
from detector.settings.tokenizer import MOST_TOKENIZER_BYTES, MOST_TOKENIZERS
from detector.targets import Change, Commit, Head, Repo
from tests import tokenizing
from tests.repositories import InMemory, repo
from tests.tokenizing import FIRST_ADDED, HERON, as_config, as_json, as_pieces, as_tiktoken, spelled

# --- formats ---


def test_the_same_vocabulary_is_the_same_list_of_bytes_in_every_format() -> None:
    letters = {spelled(token): place for place, token in enumerate(HERON)}
    pieces = [
        (f"<0x{token[0]:02X}>".encode(), 6) if len(token) == 1 else (token.replace(b" ", "▁".encode()), 1)
        for token in HERON
    ]
    read = {
        "tokenizer.json": as_json(HERON, {}),
        "vocab.json": json.dumps(letters).encode(),
        "tokenizer.model": as_tiktoken(HERON),
        "spiece.model": as_pieces(pieces),
    }
    for kind, data in read.items():
        part = parse(kind, data)
        assert part is not None
        assert list(part.tokens) == HERON, kind


def test_merges_are_the_same_in_both_spellings_and_as_a_list() -> None:
    pairs = [["Ġk", "a"], ["l", "o"]]
    texts = [" ".join(pair) for pair in pairs]
    one, other = (parse("tokenizer.json", as_json(HERON, {}, merges)) for merges in (pairs, texts))
    listed = parse("merges.txt", b"#version: 0.2\n" + "\n".join(texts).encode())
    assert one is not None
    assert other is not None
    assert listed is not None
    assert one.merges == other.merges == listed.merges == (b" k\0a", b"l\0o")


def test_a_vocabulary_of_word_pieces_is_told_from_any_other_list() -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"##{number}" for number in range(20))]
    part = parse("vocab.txt", "\r\n".join(words).encode())
    assert part is not None
    assert part.model == "WordPiece"
    assert part.tokens[:2] == (b"[PAD]", b"[UNK]")
    assert parse("vocab.txt", "\n".join(f"class {number}" for number in range(50)).encode()) is None


def test_pieces_that_a_user_defined_or_that_control_are_added_tokens() -> None:
    part = parse("spiece.model", as_pieces([(b"<s>", 3), (b"<chirp>", 4), ("▁ka".encode(), 1)]))
    assert part is not None
    assert part.added == {0: AddedToken("<s>", ("special",)), 1: AddedToken("<chirp>")}
    assert part.tokens == (b"<s>", b"<chirp>", b" ka")
    assert part.model == "BPE"


def test_tekken_puts_its_special_tokens_before_the_vocabulary_and_leaves_out_what_is_unused() -> None:
    entries = [{"rank": place, "token_bytes": text} for place, text in enumerate(("YQ==", "Yg==", "Yw=="))]
    config = {"pattern": "x", "default_num_special_tokens": 2, "default_vocab_size": 4}
    special = [{"rank": 1, "token_str": "<s>"}]
    part = parse("tekken.json", json.dumps({"config": config, "vocab": entries, "special_tokens": special}).encode())
    assert part is not None
    assert part.tokens == (b"", b"", b"a", b"b")
    assert part.added == {1: AddedToken("<s>", ("special",))}


def test_a_configuration_tells_added_tokens_templates_classes_and_roles() -> None:
    data = as_config(
        {7: "<chirp>"},
        chat_template=[{"name": "tool_use", "template": "{{ x }}"}],
        auto_map={"AutoTokenizer": ["heron.HeronTokenizer", None]},
        bos_token={"content": "<s>"},
        tokenizer_class="HeronTokenizer",
    )
    part = parse("tokenizer_config.json", data)
    assert part is not None
    assert part.added == {7: AddedToken("<chirp>", ("special",))}
    assert part.templates == {"tool_use": "{{ x }}"}
    assert part.names == {
        "auto_map.AutoTokenizer": "heron.HeronTokenizer",
        "bos_token": "<s>",
        "tokenizer_class": "HeronTokenizer",
    }


@given(st.binary(max_size=40))
def test_every_text_of_bytes_survives_the_alphabet_of_bytes(token: bytes) -> None:
    assert from_letters(spelled(token)) == token


def test_the_alphabet_and_the_pieces_are_those_of_their_libraries() -> None:
    assert len(ALPHABET) == 256
    assert from_letters("Ġcafé") == b" caf\xe9"  # a letter of the alphabet stands for its byte
    assert from_letters("日") == "日".encode()
    assert from_piece("▁ka") == b" ka"
    assert from_piece("<0x0A>") == b"\n"
    assert from_piece("<0xZZ>") == b"<0xZZ>"


# --- which files belong together ---


def test_files_of_a_folder_are_one_tokenizer_and_files_of_any_name_are_one_each() -> None:
    assert group("a/tokenizer.json") == ("a/", "tokenizer.json")
    assert group("a/heron-tokenizer.json") == ("a/heron-", "tokenizer.json")
    assert group("a/source.spm") == ("a/source.spm", "spm")
    assert group("a/notatokenizer.json") is None
    assert group("a/model.json") is None


def test_the_vocabulary_of_the_best_told_file_holds_and_added_tokens_of_all() -> None:
    files = {
        "m/tokenizer.json": as_json(HERON, {FIRST_ADDED: "<chirp>"}),
        "m/tokenizer.model": as_tiktoken(HERON[:500]),
        "m/added_tokens.json": b'{"<chirp>": 2000, "<trill>": 2001}',
    }
    (found,), skipped = tokenizers(repo("heron", files))
    assert not skipped
    assert found.path == "m/"
    assert len(found.part.tokens) == len(HERON)
    assert {number: token.content for number, token in found.added.items()} == {2000: "<chirp>", 2001: "<trill>"}
    assert found.added[2000].flags == ("special",)
    assert found.contents[2000:] == (b"<chirp>", b"<trill>")


def test_a_pointer_of_git_lfs_stands_for_the_content() -> None:
    data = as_tiktoken(HERON)
    oid = next(each for each in digests(data) if each.startswith("sha256:"))
    text = f"version https://git-lfs.github.com/spec/v1\noid {oid}\nsize {len(data)}\n".encode()
    assert pointed(text) == oid
    (found,), skipped = tokenizers(repo("heron", {"tokenizer.model": text}))
    assert not skipped
    assert [(each.ids, each.is_read) for each in found.stored] == [(frozenset({oid}), False)]


def test_a_blob_that_is_missing_is_known_by_its_id_in_the_history() -> None:
    class Absent(InMemory):
        def head(self, path: str, most_bytes: int):  # type: ignore[no-untyped-def]
            return tokenizing.absent(path)

    class Told:
        def commits(self) -> list[Commit]:
            changes = (Change("tokenizer.json", "", "a" * 40), Change("other.json", "", "b" * 40))
            return [Commit("1", (), 0, 0, "", changes)]

        def skipped(self) -> list[object]:
            return []

        def blob(self, blob: str, most_bytes: int) -> None:
            return None

    target = Repo("heron", "heron", "", Absent({"tokenizer.json": b""}), Told())  # type: ignore[arg-type]
    (found,), (skipped,) = tokenizers(target)
    assert found.stored[0].ids == {"git:" + "a" * 40}
    assert skipped.reason == "not in this copy"


# --- bounds ---


def test_of_a_huge_file_only_the_beginning_is_asked_for() -> None:
    class Huge(InMemory):
        def head(self, path: str, most_bytes: int) -> Head:
            assert most_bytes == MOST_TOKENIZER_BYTES
            return Head(b"{", 2**30)

    found, (skipped,) = tokenizers(Repo("huge", "huge", "", Huge({"tokenizer.json": b""})))
    assert not found
    assert skipped.reason == "larger than 64 MB"


def test_tokenizers_beyond_the_bound_are_counted_not_read() -> None:
    files = {f"{number:02}/tokenizer.model": as_tiktoken(HERON[:300]) for number in range(MOST_TOKENIZERS + 3)}
    found, skipped = tokenizers(repo("zoo", files))
    assert len(found) == MOST_TOKENIZERS
    assert [(each.path, "3 are not" in each.reason) for each in skipped] == [("16/", True)]


def test_tokenizers_are_read_until_all_together_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.tokenizers.files.MOST_HELD_TOKENS", 500)
    files = {f"{number:02}/tokenizer.model": as_tiktoken(HERON[:300]) for number in range(5)}
    found, skipped = tokenizers(repo("zoo", files))
    assert len(found) == 2
    assert [(each.path, "3 are not" in each.reason) for each in skipped] == [("02/", True)]


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("tokenizer.json", b"[" * 100_000, "nested"),
        ("tokenizer.json", b"{}", "no model"),
        ("tokenizer.json", b'{"model": {"vocab": 3}}', "maps no tokens"),
        ("tokenizer.json", b'{"model": {"vocab": {"a": 1999999}}}', "not those of a vocabulary"),
        ("tokenizer_config.json", b"3", "no mapping"),
        ("added_tokens.json", b"[]", "no mapping"),
        ("tekken.json", b'{"config": {}, "vocab": []}', "how many tokens"),
        ("vocab.json", b'{"a": 0}', "hardly any"),
        ("tokenizer.model", b"", "no pieces"),
        ("tokenizer.model", b"YQ== 0\n" * 9 + b"no rank!\n", "line 10 is no token"),
        ("tokenizer.model", b"YQ== 0\n" * 9 + b"YWJjZ 2\n", "line 10 is no base64"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_few_words(kind: str, data: bytes, reason: str) -> None:
    with pytest.raises(CannotParse, match=reason):
        parse(kind, data)


def test_more_values_than_may_be_built_are_refused_before_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.tokenizers.files.MOST_TOKENIZER_VALUES", 1000)
    with pytest.raises(CannotParse, match="more than 1,000 values"):
        parse("tokenizer.json", as_json(HERON, {}))


def test_more_merges_than_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.tokenizers.fast.MOST_MERGES", 10)
    monkeypatch.setattr("detector.artifacts.tokenizers.lists.MOST_MERGES", 10)
    with pytest.raises(CannotParse, match="merges"):
        parse("tokenizer.json", as_json(HERON, {}, ["a b"] * 11))
    with pytest.raises(CannotParse, match="merges"):
        parse("merges.txt", b"a b\n" * 11)


def test_more_added_tokens_than_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.artifacts.tokenizers.files.MOST_ADDED", 2)
    with pytest.raises(CannotParse, match="more than 2 added tokens"):
        parse("added_tokens.json", b'{"<a>": 1, "<b>": 2, "<c>": 3}')


def test_ids_that_are_none_are_left_out() -> None:
    entries = [
        {"id": -1, "content": "<a>"},
        {"id": 10**30, "content": "<b>"},
        {"id": "3", "content": "<c>"},
        {"id": 4.0, "content": "<d>"},
        {"id": True, "content": "<e>"},
        {"id": 6, "content": None},
        {"id": 7, "content": "<\ud800\0>"},
        "nothing",
    ]
    model = {
        "vocab": {"a": 0, "b": -5, "c": "2", "d": 1.5, "e": True, "f": 1},
        "merges": [3, ["a"], "a b c", ["a", "b"]],
    }
    part = parse("tokenizer.json", json.dumps({"model": model, "added_tokens": entries}).encode())
    assert part is not None
    assert part.tokens == (b"a", b"f")
    assert list(part.added) == [7]
    assert part.merges == (b"", b"", b"", b"a\0b")
    keys = {"٣": {"content": "<a>"}, "1e3": {"content": "<b>"}, "9" * 5000: {"content": "<c>"}, "5": {"content": "<d>"}}
    config = parse("tokenizer_config.json", json.dumps({"added_tokens_decoder": keys}).encode())
    assert config is not None
    assert list(config.added) == [5]


def test_an_added_token_far_away_does_not_lengthen_the_list() -> None:
    files = {"tokenizer.json": as_json(HERON, {1_900_000: "<chirp>"})}
    (found,), _ = tokenizers(repo("heron", files))
    assert len(found.contents) == len(HERON)
    assert 1_900_000 in found.added


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\xff\xff\xff\xff\x0f\x0a\x01a",  # a length beyond the end
        b"\x0a" + b"\xff" * 20,  # a number without an end
        b"\x0a\x05\x0a\x7fabc",  # a piece whose text is longer than it
        b"\x0b",  # a group, which is no longer used
        b"\x0a",
    ],
)
def test_a_message_whose_lengths_lie_is_refused(data: bytes) -> None:
    with pytest.raises(CannotParse):
        sentencepiece.read(data)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_of_messages_fail_otherwise(data: bytes) -> None:
    for whole in (data, as_pieces([("▁ka".encode(), 1)]) + data):
        try:
            part = sentencepiece.read(whole)
        except CannotParse:
            continue
        assert part.tokens


@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_bytes_make_the_reader_of_ranks_fail_otherwise(data: bytes, cut: int) -> None:
    whole = as_tiktoken(HERON[:20])
    for text in (data, whole[:cut] + data, whole + data):
        tiktoken.is_tiktoken(text)
        try:
            tiktoken.read(text)
        except CannotParse:
            continue


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["model", "vocab", "merges", "added_tokens", "id", "content", "config"]), inner
        )
    ),
    max_leaves=20,
)


@given(
    st.sampled_from(["tokenizer.json", "tekken.json", "tokenizer_config.json", "added_tokens.json", "vocab.json"]),
    _VALUES,
)
def test_no_json_makes_a_reader_fail_otherwise(kind: str, value: object) -> None:
    for found in (value, {"model": value}, {"added_tokens_decoder": value, "chat_template": value, "auto_map": value}):
        try:
            parse(kind, json.dumps(found).encode())
        except CannotParse:
            continue


# --- templates ---


def test_statements_of_templates_are_equal_whatever_their_blanks_quotes_and_trimming() -> None:
    one = "{%- for turn in messages -%}\n  {{ '<chirp>' + turn['content'] }}{% endfor %}"
    other = '{# a remark #}{%for  turn in messages%}{{ "<chirp>"+turn["content"] }}{%endfor%}'
    assert list(templates.statements(one)) == list(templates.statements(other))
    assert templates.similarity(one, other) == 1.0
    assert templates.similarity(one, "{% for each in lines %}{{ each.speaker }}: {{ each.text }}{% endfor %}") < 0.5


@pytest.mark.parametrize("text", ["{{" * 100_000, "{%" * 100_000, "{#" * 100_000, "{{ {" * 50_000, "%}" * 100_000])
def test_a_template_without_ends_is_read_in_one_pass(text: str) -> None:
    assert isinstance(templates.statements(text), dict)
