"""Findings of a scan: their states from run to run, what is told of them, and what a stranger's store cannot do."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from detector import cli
from detector.model import Evidence, Relation, Report, Side, Strength, UserError
from detector.report import json as report_json
from detector.report import reading
from detector.scan import findings, outputs
from detector.scan.store import open_store
from detector.scanned import Finding, Member, Standing, State
from detector.settings.watching import LONGEST_TEXT, MOST_LINES
from tests.reports import full
from tests.scans import HOSTILE

REFERENCE = "hf:originals/model"


def at(run: int) -> str:
    """The time of a run."""
    return f"2024-05-{run:02}T03:00:00Z"


def member(name: str = "hf:copies/model", revision: str = "r1") -> Member:
    return Member(name, revision, "", "", (), Standing.DONE)


def line(name: str, strength: Strength = Strength.STRONG, kind: str = "weights") -> Evidence:
    return Evidence(kind, name, "original", strength, f"claim of {name}", f"innocent {name}")


def report(
    *lines: Evidence, relation: Relation = Relation.DERIVED_UNDECLARED, strength: Strength = Strength.STRONG
) -> Report:
    """A report about one reference."""
    return replace(
        full(),
        references=(Side(REFERENCE, "original", "v1"),),
        evidence=lines or (line("same-values"),),
        relation=relation,
        strength=strength,
    )


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        findings.create(connection)
        yield connection


def _run(store: sqlite3.Connection, run: int, seen: Report | None, is_found: bool = True) -> Finding:
    """A whole run that looks at one pair, or at nothing."""
    findings.begin(store, at(run))
    if seen is not None:
        findings.see(store, at(run), member(revision=f"r{run}"), REFERENCE, "v1", seen, is_found)
    findings.end(store, at(run))
    (found,) = findings.findings(store)
    return found


def _told(store: sqlite3.Connection) -> list[str]:
    return [each.kind for each in findings.occurrences(store)]


# --- states ---


def test_a_finding_is_new_in_the_run_that_found_it_and_known_afterwards(store: sqlite3.Connection) -> None:
    first = _run(store, 1, report())
    assert (first.state, first.first_seen, first.last_seen) == (State.NEW, at(1), at(1))
    later = _run(store, 2, None)
    assert (later.state, later.first_seen, later.last_seen) == (State.KNOWN, at(1), at(2))
    assert _told(store) == ["found"]


def test_a_run_that_goes_on_where_it_was_cut_off_leaves_new_what_it_found(store: sqlite3.Connection) -> None:
    findings.begin(store, at(1))
    findings.see(store, at(1), member(), REFERENCE, "v1", report(), True)
    findings.begin(store, at(1))
    assert findings.findings(store)[0].state is State.NEW


def test_the_same_report_is_told_once_however_often_it_is_seen(store: sqlite3.Connection) -> None:
    for run in (1, 1, 2, 3):
        _run(store, run, report())
    assert _told(store) == ["found"]


def test_what_is_below_the_gate_is_no_finding(store: sqlite3.Connection) -> None:
    findings.see(store, at(1), member(), REFERENCE, "v1", report(), False)
    assert findings.findings(store) == []
    assert findings.occurrences(store) == []


@pytest.mark.parametrize(
    ("grown", "said"),
    [
        (report(strength=Strength.VERY_STRONG), "support before: strong"),
        (report(line("same-values"), line("same-changes")), "new lines: weights/same-changes"),
        (report(relation=Relation.IDENTICAL), "before: derived, undeclared"),
    ],
)
def test_a_finding_that_grows_is_told_as_changed_once_and_stays_known(
    store: sqlite3.Connection, grown: Report, said: str
) -> None:
    _run(store, 1, report())
    found = _run(store, 2, grown)
    _run(store, 3, grown)
    assert found.state is State.KNOWN
    assert (found.relation, found.strength) == (grown.relation, grown.strength)
    assert _told(store) == ["found", "changed"]
    assert said in findings.occurrences(store)[-1].text


@pytest.mark.parametrize(
    "less",
    [report(strength=Strength.WEAK), report(line("same-values", Strength.WEAK), line("other", Strength.NONE))],
)
def test_a_finding_that_shrinks_is_kept_as_it_is_now_and_not_told(store: sqlite3.Connection, less: Report) -> None:
    _run(store, 1, report())
    found = _run(store, 2, less)
    assert found.strength is less.strength
    assert [each.name for each in found.lines] == ["same-values"], "lines that support nothing are left to the report"
    assert _told(store) == ["found"]


def test_a_line_that_comes_and_goes_is_told_once(store: sqlite3.Connection) -> None:
    both = report(line("same-values"), line("same-changes"))
    for run, seen in enumerate((both, report(), both, report(), both), 1):
        _run(store, run, seen)
    assert _told(store) == ["found"]


def test_a_declaration_that_is_added_is_told(store: sqlite3.Connection) -> None:
    _run(store, 1, report())
    found = _run(store, 2, report(relation=Relation.DERIVED_DECLARED))
    assert found.is_declared
    assert _told(store) == ["found", "changed"]


def test_what_is_not_found_any_more_is_gone_and_known_when_it_returns(store: sqlite3.Connection) -> None:
    _run(store, 1, report())
    gone = _run(store, 2, report(), is_found=False)
    assert (gone.state, gone.last_seen) == (State.GONE, at(1))
    _run(store, 3, report(), is_found=False)
    back = _run(store, 4, report())
    assert (back.state, back.first_seen, back.last_seen) == (State.KNOWN, at(1), at(4))
    assert _told(store) == ["found", "gone", "returned"]
    assert "r2" in findings.occurrences(store)[1].text


def test_what_vanished_takes_all_its_open_findings_along(store: sqlite3.Connection) -> None:
    findings.see(store, at(1), member("a"), "b", "", report(), True)
    findings.see(store, at(1), member("b"), "c", "", report(), True)
    findings.see(store, at(1), member("c"), "d", "", report(), True)
    findings.vanished(store, at(2), "b")
    findings.vanished(store, at(2), "b")
    assert {each.suspect: each.state for each in findings.findings(store)} == {
        "a": State.GONE, "b": State.GONE, "c": State.NEW
    }  # fmt: skip
    assert _told(store) == ["found"] * 3 + ["gone"] * 2


# --- acceptances ---


def test_what_is_accepted_stays_accepted_as_long_as_there_is_no_more_of_it(store: sqlite3.Connection) -> None:
    both = report(line("same-values"), line("same-changes"))
    first = _run(store, 1, both)
    accepted = findings.accept(store, at(1), first.id, " the same team ")
    assert (accepted.state, accepted.reason) == (State.ACCEPTED, "the same team")
    for run, seen in enumerate((report(), both, report(strength=Strength.WEAK), None), 2):
        assert _run(store, run, seen).state is State.ACCEPTED
    assert _told(store) == ["found", "accepted"]


def test_what_grows_beyond_what_was_accepted_is_new_again_and_says_so(store: sqlite3.Connection) -> None:
    first = _run(store, 1, report())
    findings.accept(store, at(1), first.id, "the same team")
    found = _run(store, 2, report(line("same-values"), line("same-changes")))
    assert (found.state, found.reason) == (State.NEW, "")
    assert _told(store) == ["found", "accepted", "changed"]
    assert "not covered by what was accepted: the same team" in findings.occurrences(store)[-1].text
    assert _run(store, 3, None).state is State.KNOWN


def test_a_declaration_that_is_added_leaves_what_is_accepted_alone(store: sqlite3.Connection) -> None:
    findings.accept(store, at(1), _run(store, 1, report()).id, "the same team")
    assert _run(store, 2, report(relation=Relation.DERIVED_DECLARED)).state is State.ACCEPTED
    assert _told(store) == ["found", "accepted"]


def test_an_acceptance_outlives_that_the_finding_is_gone_but_not_that_it_returns_with_more(
    store: sqlite3.Connection,
) -> None:
    findings.accept(store, at(1), _run(store, 1, report()).id, "the same team")
    assert _run(store, 2, report(), is_found=False).state is State.GONE
    assert _run(store, 3, report()).state is State.ACCEPTED
    _run(store, 4, report(), is_found=False)
    found = _run(store, 5, report(strength=Strength.VERY_STRONG))
    assert (found.state, found.reason) == (State.NEW, "")
    assert _told(store) == ["found", "accepted", "gone", "returned", "gone", "returned"]


def test_an_acceptance_can_be_taken_back(store: sqlite3.Connection) -> None:
    first = _run(store, 1, report())
    findings.accept(store, at(1), first.id, "the same team")
    findings.accept(store, at(1), first.id, "the same team")
    found = findings.reopen(store, at(1), first.id)
    assert (found.state, found.reason) == (State.KNOWN, "")
    assert _told(store) == ["found", "accepted", "reopened"]


def test_what_cannot_be_decided_is_told(store: sqlite3.Connection) -> None:
    first = _run(store, 1, report())
    for reason, said in (("", "needs a reason"), (" \n", "needs a reason"), ("x" * 5_000, "in fewer")):
        with pytest.raises(UserError, match=said):
            findings.accept(store, at(1), first.id, reason)
    with pytest.raises(UserError, match="only what is accepted"):
        findings.reopen(store, at(1), first.id)
    _run(store, 2, report(), is_found=False)
    with pytest.raises(UserError, match="is gone"):
        findings.accept(store, at(2), first.id, "the same team")


# --- what is kept and asked for ---


def test_the_whole_report_is_kept_as_it_was_seen_last(store: sqlite3.Connection) -> None:
    _run(store, 1, report())
    last = report(line("same-changes"))
    found = _run(store, 2, last)
    assert findings.report(store, found.id) == report_json.render(last)
    assert reading.parse(findings.report(store, found.id[:6])).evidence == last.evidence


def test_a_finding_has_the_strongest_lines_first_and_says_how_many_more_there_are(store: sqlite3.Connection) -> None:
    weak = [line(f"weak-{number}", Strength.WEAK) for number in range(MOST_LINES + 5)]
    long = replace(line("long", Strength.VERY_STRONG), claim="x" * 10_000)
    found = _run(store, 1, report(*weak, long))
    assert (len(found.lines), found.more_lines) == (MOST_LINES, 6)
    assert found.lines[0].name == "long"
    assert len(found.lines[0].claim) < 2 * LONGEST_TEXT
    assert found.lines[1].innocent == "innocent weak-0"


def test_lines_are_those_about_the_reference(store: sqlite3.Connection) -> None:
    several = replace(
        report(line("ours"), replace(line("theirs"), reference="another")),
        references=(Side(f"{REFERENCE}@v1", "original", "v1"), Side("hf:another/one", "another", "v1")),
    )
    assert [each.name for each in _run(store, 1, several).lines] == ["ours"]


def test_findings_can_be_asked_for(store: sqlite3.Connection) -> None:
    findings.see(store, at(1), member("a"), "b", "", report(strength=Strength.WEAK), True)
    findings.see(store, at(2), member("b"), "c", "", report(strength=Strength.VERY_STRONG), True)
    findings.see(store, at(3), member("c"), "d", "", report(), True)
    findings.accept(store, at(4), findings.identity("a", "b"), "fine")
    suspects = [
        [each.suspect for each in findings.findings(store, **asked)]
        for asked in (
            {},
            {"states": [State.NEW]},
            {"member": "b"},
            {"strength": Strength.STRONG},
            {"since": "2024-05-03"},
            {"since": "2024-05-03T04:00:00Z"},
            {"member": "b", "states": {State.ACCEPTED}},
            {"member": "nobody"},
        )
    ]
    assert suspects == [["b", "c", "a"], ["b", "c"], ["b", "a"], ["b", "c"], ["c", "a"], ["a"], ["a"], []]
    with pytest.raises(UserError, match="no date"):
        findings.findings(store, since="yesterday\x1b[31m")


def test_the_direction_counts_and_no_two_pairs_have_one_id() -> None:
    pairs = [("a", "b"), ("b", "a"), ("ab", ""), ("", "ab"), ("a\ud800", "b")]
    assert len({findings.identity(*pair) for pair in pairs}) == len(pairs)
    assert findings.identity("hf:a/b", "hf:c/d") == "4d9454fbc8bc2892", "it must never change"


def test_an_id_may_be_shortened_as_long_as_it_is_one(store: sqlite3.Connection) -> None:
    found = _run(store, 1, report())
    assert findings.one(store, found.id[:4]) == found
    for wrong in ("", "abc", found.id + "0", "ABCD", "%%%%", "zzzz", "' OR 1"):
        with pytest.raises(UserError, match="no id"):
            findings.one(store, wrong)
    with pytest.raises(UserError, match="no such finding"):
        findings.one(store, "0000")
    store.execute("UPDATE finding SET id = '4444000000000000'")
    findings.see(store, at(1), member("x"), "y", "", report(), True)
    store.execute("UPDATE finding SET id = '4444000000000001' WHERE id <> '4444000000000000'")
    with pytest.raises(UserError, match="2 findings"):
        findings.one(store, "4444")


def test_occurrences_are_numbered_without_holes_whatever_is_rolled_back(store: sqlite3.Connection) -> None:
    for number in range(3):
        findings.tell(store, at(1), "gated", f"m{number}", "closed")
        store.execute("BEGIN")
        findings.tell(store, at(1), "failed", "lost", "")
        store.execute("ROLLBACK")
    assert [each.sequence for each in findings.occurrences(store)] == [1, 2, 3]
    assert [each.subject for each in findings.occurrences(store, after=2)] == ["m2"]
    with pytest.raises(ValueError, match="rumour"):
        findings.tell(store, at(1), "rumour", "m", "")


def test_findings_are_the_same_in_whatever_order_they_were_found(tmp_path: Path) -> None:
    written = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            findings.create(connection)
            for number in order:
                findings.see(connection, at(1), member(f"m{number}"), "same", "", report(), True)
            outputs.write_findings(connection, tmp_path / "findings.jsonl")
            written.append((tmp_path / "findings.jsonl").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_was_chosen_to_mislead_is_kept_as_it_is_and_told_harmlessly(
    store: sqlite3.Connection, name: str
) -> None:
    findings.see(store, at(1), member(name, revision=name), name + "2", name, report(), True)
    findings.see(store, at(2), member(name, revision=name), name + "2", name, report(), False)
    (found,) = findings.findings(store, member=name)
    assert (found.suspect, found.suspect_revision) == (name, name)
    for told in findings.occurrences(store):
        assert told.text.isprintable()
        assert len(told.text) < 1_500


# --- a store from a stranger ---


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE finding SET state = 'fine'",
        "UPDATE finding SET relation = ''",
        "UPDATE finding SET strength = 'overwhelming'",
        "UPDATE finding SET suspect = X'FF'",
        "UPDATE finding SET reason = X'C3'",
        "UPDATE finding SET first_seen = 'yesterday'",
        "UPDATE finding SET moved = '2024-05-01T03:00:00Z; DROP'",
        "UPDATE finding SET lines = X'5B'",
        "UPDATE finding SET lines = CAST('{}' AS BLOB)",
        "UPDATE finding SET lines = CAST('[[1,2,3,4,5]]' AS BLOB)",
        "UPDATE finding SET lines = CAST('[[\"a\"]]' AS BLOB)",
        "UPDATE finding SET lines = zeroblob(2000000)",
        "UPDATE finding SET told = CAST('[]' AS BLOB)",
        "UPDATE finding SET more_lines = -1",
        "UPDATE finding SET id = 'x'",
    ],
)
def test_a_finding_that_nobody_wrote_is_told_in_one_line(store: sqlite3.Connection, damage: str) -> None:
    _run(store, 1, report())
    store.execute(damage)
    with pytest.raises(UserError, match=r"^the store of the scan is damaged \(.*\): restore it") as caught:
        findings.findings(store)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE occurrence SET sequence = 7 WHERE sequence = 2",
        "DELETE FROM occurrence WHERE sequence = 1",
        "UPDATE occurrence SET kind = 'rumour'",
        "UPDATE occurrence SET at = ''",
        "UPDATE occurrence SET text = X'FF'",
        "UPDATE occurrence SET finding = X''",
        "UPDATE occurrence SET finding = CAST('{}' AS BLOB)",
        "UPDATE occurrence SET finding = CAST('[[[[' AS BLOB)",
        "UPDATE store_name SET name = '../../x'",
        "DELETE FROM store_name",
    ],
)
def test_an_occurrence_that_nobody_told_is_told_in_one_line(store: sqlite3.Connection, damage: str) -> None:
    _run(store, 1, report())
    findings.tell(store, at(1), "gated", "hf:a/b", "closed")
    store.execute(damage)
    with pytest.raises(UserError, match="the store of the scan is damaged"):
        findings.occurrences(store)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b"\xff"),
        zlib.compress(b"x" * 100)[:-4],
        zlib.compress(bytes(300 * 1024 * 1024), 9),
    ],
    ids=["empty", "no zlib", "no text", "cut off", "300 MB of nothing"],
)
def test_a_report_that_cannot_be_unpacked_is_told_in_one_line(store: sqlite3.Connection, data: bytes) -> None:
    found = _run(store, 1, report())
    store.execute("UPDATE finding_report SET bytes = ?, crc = ?", (data, zlib.crc32(data)))
    with pytest.raises(UserError, match="damaged"):
        findings.report(store, found.id)
    store.execute("UPDATE finding_report SET crc = -1")
    with pytest.raises(UserError, match="not what was kept"):
        findings.report(store, found.id)


# --- commands ---


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with three findings."""
    place = tmp_path / "scan.db"
    with open_store(place, create=True) as opened, opened.transaction() as connection:
        findings.begin(connection, at(1))
        for name in ("hf:copies/one", "hf:copies/two", "hf:copies/\x1b[31mred"):
            findings.see(connection, at(1), member(name), REFERENCE, "v1", report(), True)
        findings.end(connection, at(1))
    return place


def _says(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.run(["findings", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_findings_are_listed_for_people_and_programs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = _says(capsys, "list", "--store", file).splitlines()
    assert len(rows) == 3
    assert "\x1b" not in "".join(rows)
    lines = [json.loads(each) for each in _says(capsys, "list", "--store", file, "--format", "jsonl").splitlines()]
    listed = json.loads(_says(capsys, "list", "--store", file, "--format", "json"))
    assert listed == {"schema": "detector-finding-list/1", "findings": lines}
    assert [row.split()[0] for row in rows] == [each["id"] for each in lines]
    one = _says(capsys, "list", "--store", file, "--member", "hf:copies/two", "--at-least", "strong", "--state", "new")
    assert "hf:copies/two" in one
    assert len(one.splitlines()) == 1
    assert _says(capsys, "list", "--store", file, "--state", "gone") == "no findings\n"


def test_a_finding_is_shown_accepted_and_reopened(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = findings.identity("hf:copies/one", REFERENCE)
    assert reading.parse(_says(capsys, "show", key, "--store", file, "--format", "json")).suspect == full().suspect
    _says(capsys, "show", key, "--store", file, "--format", "html", "--output", tmp_path / "finding.html")
    assert (tmp_path / "finding.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    _says(capsys, "accept", key[:8], "--store", file, "--reason", "the same team")
    assert key in _says(capsys, "list", "--store", file, "--state", "accepted")
    _says(capsys, "reopen", key, "--store", file)
    assert key in _says(capsys, "list", "--store", file, "--state", "known")
    with open_store(file) as opened:
        assert _told(opened.connection)[-2:] == ["accepted", "reopened"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--since", "today"], "no date"),
        (["show", "0000"], "no such finding"),
        (["accept", "0000", "--reason", "x"], "no such finding"),
        (["reopen", "x\x1b[31m"], "no id of a finding"),
    ],
)
def test_what_is_asked_wrongly_is_one_line_and_exit_2(
    file: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["findings", *arguments, "--store", str(file)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert "\x1b" not in told


@pytest.mark.parametrize("content", [b"", b"a letter", b"SQLite format 3\0" + bytes(200)])
def test_what_is_no_store_is_one_line_and_left_as_it_is(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "letter"
    place.write_bytes(content)
    assert cli.run(["findings", "list", "--store", str(place)]) == 2
    assert "letter: " in capsys.readouterr().err
    assert place.read_bytes() == content
    assert cli.run(["findings", "list", "--store", str(tmp_path / "missing")]) == 2
    assert not (tmp_path / "missing").exists()


def test_a_store_with_other_tables_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TRIGGER mine AFTER INSERT ON occurrence BEGIN DELETE FROM finding; END")
    assert cli.run(["findings", "list", "--store", str(file)]) == 2
    assert "its tables are not those of a scan" in capsys.readouterr().err
