"""Trace keys and probes in the store: who is proposed to be compared with whom."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from detector.artifacts.keys.key import FileKeys, Key, Keys, Kind, key
from detector.artifacts.weights.probe import Probe, Probed
from detector.model import UserError
from detector.scan import keys, probes
from detector.scan.candidates import candidates
from detector.settings.scan import FEWEST_SIBLINGS, FILE_MEMBERS, MOST_DOCUMENT_BITS, MOST_HOLDERS, NEAREST_BY_PROBE


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    keys.create(connection)
    yield connection
    connection.close()


def _keys(kind: Kind, *texts: str, bits: float = 8.0) -> tuple[Key, ...]:
    return tuple(key(kind, text, bits) for text in texts)


def _put(store: sqlite3.Connection, member: str, *found: Key, declared: tuple[str, ...] = ()) -> None:
    keys.put(store, member, Keys(found), declared)


def _proposed(store: sqlite3.Connection, member: str, most: int = 9) -> list[str]:
    return [each.member for each in candidates(store, member, most)]


def _rows(store: sqlite3.Connection) -> list[object]:
    tables = ("keyed_members", "trace_keys", "held_keys", "key_holders", "key_origins", "file_keys")
    return [store.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


TOKENS = _keys(Kind.TOKEN, "<zorp>", "<flim>")
MORE = _keys(Kind.TOKEN, "<zorp>", "<flim>", "<gorm>", "<tavel>", "<druin>")


def test_members_with_rare_tokens_in_common_are_candidates_of_each_other(store: sqlite3.Connection) -> None:
    _put(store, "hf:a/one", *TOKENS)
    _put(store, "hf:b/two", *TOKENS, *_keys(Kind.CONFIG, "other"))
    _put(store, "hf:c/three", *_keys(Kind.TOKEN, "<veld>"))
    assert candidates(store, "hf:b/two", 9) == [keys.Candidate("hf:a/one", 16.0, ("token",))]
    assert _proposed(store, "hf:a/one") == ["hf:b/two"]
    assert _proposed(store, "hf:c/three") == []
    assert _proposed(store, "hf:nobody/knows") == []


def test_too_few_bits_make_no_candidate(store: sqlite3.Connection) -> None:
    for member in ("hf:a/one", "hf:b/two"):
        _put(store, member, *_keys(Kind.TOKEN, "<zorp>"))
    assert _proposed(store, "hf:a/one") == []


def test_bits_of_different_kinds_are_not_added_up_to_a_reason(store: sqlite3.Connection) -> None:
    for member in ("hf:a/one", "hf:b/two"):
        _put(store, member, *(each for kind in (Kind.TOKEN, Kind.CONFIG, Kind.MODULE) for each in _keys(kind, "zorp")))
    assert _proposed(store, "hf:a/one") == []


def test_notes_alone_are_no_reason_however_many(store: sqlite3.Connection) -> None:
    for member in ("hf:a/one", "hf:b/two"):
        _put(store, member, *_keys(Kind.DOCUMENT, *map(str, range(50)), bits=4.0), *TOKENS)
    assert candidates(store, "hf:a/one", 9)[0].bits == 16.0 + MOST_DOCUMENT_BITS
    for member in ("hf:a/one", "hf:b/two"):
        _put(store, member, *_keys(Kind.DOCUMENT, *map(str, range(50)), bits=4.0))
    assert _proposed(store, "hf:a/one") == []


def test_a_configuration_counts_by_its_keys_or_by_its_values_but_not_by_both(store: sqlite3.Connection) -> None:
    settings, values = _keys(Kind.CONFIG, "a=1", "b=2", "c=6"), _keys(Kind.VALUE, "1", "2", "6", bits=4.0)
    renamed = _keys(Kind.VALUE, "3", "4", "5", bits=4.0)
    _put(store, "hf:a/one", *settings, *values, *renamed)
    for other, bits in (
        ((*settings, *values), 24.0),
        ((*settings, *values, *renamed[:1]), 28.0),
        ((*values, *renamed), 24.0),
    ):
        _put(store, "hf:b/two", *other)
        assert [each.bits for each in candidates(store, "hf:a/one", 9)] == [bits]


def test_the_likelier_candidate_comes_first_and_the_earlier_one_of_equals(store: sqlite3.Connection) -> None:
    _put(store, "hf:z/first", *MORE)
    _put(store, "hf:a/second", *MORE)
    _put(store, "hf:m/most", *MORE, *_keys(Kind.CONFIG, "a=1"))
    _put(store, "hf:q/asks", *MORE, *_keys(Kind.CONFIG, "a=1"))
    assert _proposed(store, "hf:q/asks") == ["hf:m/most", "hf:z/first", "hf:a/second"]
    assert _proposed(store, "hf:q/asks", 1) == ["hf:m/most"]


# --- putting and forgetting ----------------------------------------------------------------------------------


def test_putting_a_member_again_changes_nothing(store: sqlite3.Connection) -> None:
    told = FileKeys("config 1 git:aa", TOKENS, {(8, 4): 2}, "why")
    _put(store, "hf:a/one", *TOKENS)
    keys.put(store, "hf:b/two", Keys(TOKENS, (told,)), ("hf:c/origin",))
    before = _rows(store)
    keys.put(store, "hf:b/two", Keys(TOKENS, (told,)), ("hf:c/origin",))
    _put(store, "hf:a/one", *TOKENS)
    assert _rows(store)[2:] == before[2:]
    assert _proposed(store, "hf:a/one") == ["hf:b/two"]
    assert [row[4] for row in store.execute("SELECT * FROM trace_keys")] == [2, 2]


def test_a_new_revision_replaces_what_was_known(store: sqlite3.Connection) -> None:
    _put(store, "hf:a/one", *TOKENS)
    _put(store, "hf:b/two", *TOKENS, declared=("hf:a/one",))
    _put(store, "hf:b/two", *_keys(Kind.TOKEN, "<veld>"))
    assert _proposed(store, "hf:a/one") == _proposed(store, "hf:b/two") == []


def test_of_a_forgotten_member_nothing_is_left_but_what_its_files_told(store: sqlite3.Connection) -> None:
    told = FileKeys("config 1 git:aa", TOKENS)
    keys.put(store, "hf:a/one", Keys(TOKENS, (told,)), ("hf:c/origin",))
    keys.forget(store, "hf:a/one")
    keys.forget(store, "hf:never/there")
    assert [len(rows) for rows in _rows(store)] == [0, 0, 0, 0, 0, 1]  # type: ignore[arg-type]
    assert keys.told(store, told.id) == told


def test_what_a_file_told_comes_back_as_it_was(store: sqlite3.Connection) -> None:
    told = FileKeys("tensors 1 sha256:aa", TOKENS, {(8, 4): 2, (9, 4, 3): 1}, "a reason")
    keys.put(store, "hf:a/one", Keys((), (told,)))
    assert keys.told(store, told.id) == told
    assert keys.told(store, "tensors 1 sha256:bb") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "[[], null]", '[[["nothing", 1, 2]], null, ""]', '[[["token", 1.5, 2]], null, ""]', "[" * 9_000]
)
def test_a_damaged_store_is_told(store: sqlite3.Connection, text: str) -> None:
    store.execute("INSERT INTO file_keys VALUES ('x', ?)", (text,))
    with pytest.raises(UserError, match="damaged"):
        keys.told(store, "x")


def test_a_kind_that_nobody_knows_is_damage(store: sqlite3.Connection) -> None:
    for member in ("hf:a/one", "hf:b/two"):
        _put(store, member, *TOKENS)
    store.execute("UPDATE trace_keys SET kind = kind || hash")
    with pytest.raises(UserError, match="damaged"):
        candidates(store, "hf:a/one", 9)


# --- what many have ------------------------------------------------------------------------------------------


def test_a_family_of_copies_keeps_its_reasons(store: sqlite3.Connection) -> None:
    for number in range(5):
        _put(store, f"hf:a/{number}", *MORE)
    for number in range(500):
        _put(store, f"hf:other/{number}")
    assert len(_proposed(store, "hf:a/0", 99)) == 4


def test_a_checkpoint_that_is_uploaded_again_and_again_is_no_less_the_same(store: sqlite3.Connection) -> None:
    checkpoint = key(Kind.FILE, "sha256:aa", 13.0)
    for number in range(300):
        _put(store, f"hf:a/{number}", *([checkpoint] if number < FILE_MEMBERS else []))
    assert len(_proposed(store, "hf:a/0", 99)) == FILE_MEMBERS - 1


def test_what_a_tenth_of_all_members_has_is_no_longer_rare(store: sqlite3.Connection) -> None:
    for number in range(600):
        _put(store, f"hf:a/{number}", *(TOKENS if number % 10 == 0 else ()))
    assert _proposed(store, "hf:a/0", 99) == []


def test_among_more_members_more_is_asked_for_but_of_equal_files(store: sqlite3.Connection) -> None:
    few, file = _keys(Kind.TOKEN, "<zorp>", "<flim>", bits=10.0), key(Kind.FILE, "sha256:aa", 13.0)
    for name in ("hf:a/one", "hf:a/two"):
        _put(store, name, *few)
    for name in ("hf:b/one", "hf:b/two"):
        _put(store, name, file)
    assert _proposed(store, "hf:a/two") == ["hf:a/one"]
    for number in range(300):  # what one pair in a million has by chance one member in three thousand has then
        _put(store, f"hf:other/{number}")
    assert _proposed(store, "hf:a/two") == []
    assert _proposed(store, "hf:b/two") == ["hf:b/one"]


def test_a_key_that_very_many_have_is_passed_over(store: sqlite3.Connection) -> None:
    rare = _keys(Kind.TOKEN, *map(str, range(12)), bits=13.0)
    for number in range(MOST_HOLDERS + 1):
        _put(store, f"hf:a/{number}", *rare)
    assert _proposed(store, "hf:a/0", 99) == []
    keys.forget(store, "hf:a/1")
    assert _proposed(store, "hf:a/0", 99) != []


# --- declarations --------------------------------------------------------------------------------------------


def test_declared_members_are_candidates_and_crowd_nobody_out(store: sqlite3.Connection) -> None:
    _put(store, "hf:a/origin", *TOKENS)
    _put(store, "hf:b/source", *TOKENS)
    _put(store, "hf:c/asks", *TOKENS, declared=("hf:a/origin", "hf:not/scanned"))
    assert _proposed(store, "hf:c/asks", 1) == ["hf:b/source", "hf:a/origin"]
    found = {each.member: each.kinds for each in candidates(store, "hf:c/asks", 1)}
    assert found == {"hf:b/source": ("token",), "hf:a/origin": ("declared", "token")}


def test_who_declares_a_member_is_its_candidate_too(store: sqlite3.Connection) -> None:
    _put(store, "hf:b/child", declared=("hf:a/origin",))
    _put(store, "hf:a/origin")
    assert candidates(store, "hf:a/origin", 9) == [keys.Candidate("hf:b/child", 0.0, ("declared",))]


def test_what_a_declared_origin_has_too_is_explained(store: sqlite3.Connection) -> None:
    own = _keys(Kind.TOKEN, "<veld>", "<morg>")
    _put(store, "hf:a/origin", *TOKENS)
    _put(store, "hf:b/one", *TOKENS, *own, declared=("hf:a/origin",))
    _put(store, "hf:b/two", *TOKENS, declared=("hf:a/origin",))
    _put(store, "hf:b/three", *TOKENS, *own, declared=("hf:a/origin",))
    found = {each.member: each.bits for each in candidates(store, "hf:b/one", 9) if "declared" not in each.kinds}
    assert found == {"hf:b/three": 16.0}


def test_what_a_third_one_has_too_comes_from_an_origin_that_was_not_scanned(store: sqlite3.Connection) -> None:
    for number in range(3):
        _put(store, f"hf:b/{number}", *MORE, declared=("hf:a/closed",))
    _put(store, "hf:c/says-nothing", *MORE)
    assert _proposed(store, "hf:b/0") == ["hf:c/says-nothing"]


# --- names without shapes ------------------------------------------------------------------------------------


def test_names_alone_are_a_reason_where_one_of_the_two_has_no_shapes(store: sqlite3.Connection) -> None:
    names = _keys(Kind.NAME, "zorp", "flim", "veld")
    layouts = [key(Kind.LAYOUT, text, 0.0) for text in ("one", "other")]
    _put(store, "hf:a/shapes", *names, layouts[0])
    _put(store, "hf:b/shapes", *names, layouts[1])
    _put(store, "hf:c/index", *names)
    assert _proposed(store, "hf:a/shapes") == ["hf:c/index"]
    assert _proposed(store, "hf:c/index") == ["hf:a/shapes", "hf:b/shapes"]


# --- probes --------------------------------------------------------------------------------------------------

LAYOUT = key(Kind.LAYOUT, "all 64x200 1", 0.0)
SHAPES = ((200, 64), (300, 64), (400, 64))


def _values(seed: int) -> Probe:
    rng = np.random.default_rng(seed)
    return Probe(
        "", tuple(Probed(shape, 0, (64, 640), rng.standard_normal(800).astype(np.float32)) for shape in SHAPES), 0
    )


def _plus(one: Probe, part: float, seed: int) -> Probe:
    other = _values(seed)
    return replace(
        one,
        tensors=tuple(
            replace(each, values=each.values + np.float32(part) * more.values)
            for each, more in zip(one.tensors, other.tensors, strict=True)
        ),
    )


def _probed(store: sqlite3.Connection, member: str, probe: Probe, *declared: str) -> None:
    _put(store, member, LAYOUT, declared=declared)
    probes.put_probe(store, member, probe)


def test_members_of_one_layout_are_mates_those_with_most_first(store: sqlite3.Connection) -> None:
    more = key(Kind.LAYOUT, "layers 64x64", 0.0)
    _put(store, "hf:a/one", LAYOUT)
    _put(store, "hf:b/two", LAYOUT, more)
    _put(store, "hf:c/asks", LAYOUT, more)
    _put(store, "hf:d/other", key(Kind.LAYOUT, "all 1x1 1", 0.0))
    probes.put_probe(store, "hf:a/one", _values(1))
    assert probes.layout_mates(store, "hf:c/asks") == [
        probes.Mate("hf:b/two", 2, False),
        probes.Mate("hf:a/one", 1, True),
    ]
    assert probes.layout_mates(store, "hf:d/other") == []


def test_a_layout_alone_makes_no_candidate(store: sqlite3.Connection) -> None:
    _probed(store, "hf:a/one", _values(1))
    _probed(store, "hf:b/two", _values(2))
    _put(store, "hf:c/three", LAYOUT)
    assert [_proposed(store, member) for member in ("hf:a/one", "hf:b/two", "hf:c/three")] == [[], [], []]


def test_members_whose_values_are_alike_are_candidates_before_all_others(store: sqlite3.Connection) -> None:
    _probed(store, "hf:a/one", _values(1))
    _put(store, "hf:b/tokens", *TOKENS)
    _put(store, "hf:c/copy", LAYOUT, *TOKENS)
    probes.put_probe(store, "hf:c/copy", _plus(_values(1), 0.2, 7))
    assert [(each.member, each.kinds) for each in candidates(store, "hf:c/copy", 9)] == [
        ("hf:a/one", ("weights",)),
        ("hf:b/tokens", ("token",)),
    ]


def test_of_many_alike_the_nearest_are_proposed(store: sqlite3.Connection) -> None:
    source = _plus(_values(1), 0.1, 50)
    for number in range(20):
        _probed(store, f"hf:a/{number}", _plus(_values(1), 0.1, 50 + number))
    _probed(store, "hf:c/copy", _plus(source, 0.05, 99))
    found = probes.alike(store, "hf:c/copy")
    assert len(found) == NEAREST_BY_PROBE
    assert found[0].member == "hf:a/0"


def test_fine_tunes_of_a_base_that_both_declare_are_no_candidates_but_a_copy_is(store: sqlite3.Connection) -> None:
    _probed(store, "hf:a/base", _values(1))
    for number in range(6):
        _probed(store, f"hf:b/{number}", _plus(_values(1), 0.1, 60 + number), "hf:a/base")
    _probed(store, "hf:c/copy", _plus(_plus(_values(1), 0.1, 63), 0.05, 99), "hf:a/base")
    assert [each.kinds for each in candidates(store, "hf:b/0", 9)] == [("declared",)]
    assert [each.member for each in probes.alike(store, "hf:c/copy")] == ["hf:b/3"]


def test_fine_tunes_of_a_base_that_was_not_scanned_stand_for_it(store: sqlite3.Connection) -> None:
    for number in range(2 * FEWEST_SIBLINGS):
        _probed(store, f"hf:b/{number}", _plus(_values(1), 0.1, 60 + number), "hf:a/closed")
    _probed(store, "hf:c/copy", _plus(_plus(_values(1), 0.1, 63), 0.05, 99), "hf:a/closed")
    assert probes.alike(store, "hf:b/0") == []
    assert [each.member for each in probes.alike(store, "hf:c/copy")] == ["hf:b/3"]


def test_a_new_revision_has_to_be_probed_again(store: sqlite3.Connection) -> None:
    _probed(store, "hf:a/one", _values(1))
    assert probes.probe_of(store, "hf:a/one") is not None
    _put(store, "hf:a/one", LAYOUT)
    assert probes.probe_of(store, "hf:a/one") is None
    probes.put_probe(store, "hf:never/put", _values(1))
    assert probes.probe_of(store, "hf:never/put") is None


def test_a_damaged_probe_is_told(store: sqlite3.Connection) -> None:
    _probed(store, "hf:a/one", _values(1))
    store.execute("UPDATE probes SET probe = x'00'")
    with pytest.raises(UserError, match="damaged"):
        probes.probe_of(store, "hf:a/one")
