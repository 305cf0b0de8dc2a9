"""The baseline: what is accepted and what is new, what git makes of two branches' additions, and hostile files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings

from detector import audit, baseline, cli
from detector.accepted import accept, without_effect
from detector.baseline import Baseline, Entry, current, parse, pruned, with_found, written
from detector.formats import Format, render
from detector.gate import exit_code
from detector.model import CloneType, Match, Relation, Report, Strength, UserError, Verdict
from detector.report import findings
from detector.report import json as json_report
from detector.suppressions import Ignore, ignores
from tests.beside import beside
from tests.reports import full, reports

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs/detector-baseline-1.schema.json").read_text("utf-8"))
AUDIT_SCHEMA = json.loads((ROOT / "docs/detector-audit-1.schema.json").read_text("utf-8"))


def _report(matches: Iterable[Match] | None = None, **changes: Any) -> Report:
    """A report whose code alone is looked at, without anything that could not be read."""
    plain = replace(full(), evidence=(), remarks=(), skipped=(), traces=())
    return replace(plain, matches=plain.matches if matches is None else tuple(matches), **changes)


def _of(report: Report, verdict: Verdict = Verdict.ACCEPTED, reason: str = "agreed") -> Baseline:
    return parse(written(with_found(Baseline(), current(report), verdict, reason)))


def _many(count: int, folder: str = "pkg", functions: int = 5) -> Report:
    """A report with this many matches, several in a file."""
    match = full().matches[0]
    return _report(
        replace(
            match,
            suspect=replace(match.suspect, path=f"{folder}/m{number // functions:04}.py", qualname=f"f{number}"),
            digest=f"{number:016x}-{number:016x}",
        )
        for number in range(count)
    )


# --- what is accepted ---


def test_what_a_baseline_has_is_accepted_and_only_the_rest_is_gated() -> None:
    report = _report()
    assert exit_code(report, None) == 1
    accepted = accept(report, _of(report), {})
    assert exit_code(accepted, None) == 0
    assert [match.accepted for match in accepted.matches] == [
        "baseline: accepted: agreed",
        "",
        "baseline: accepted: agreed",
    ]
    new = replace(report.matches[0], suspect=replace(report.matches[0].suspect, qualname="new"))
    more = accept(replace(report, matches=(*report.matches, new)), _of(report), {})
    assert exit_code(more, None) == 1
    assert [bool(match.accepted) for match in more.matches] == [True, False, True, False]


def test_what_is_declared_needs_no_entry() -> None:
    assert {entry.suspect for entry in current(full()).entries.values()} >= {"pkg/tables one.py::Projection.grow"}
    assert not any("rope" in entry.suspect for entry in current(full()).entries.values())


def test_a_finding_stays_the_same_when_lines_move_and_by_any_clone_type() -> None:
    report = _report()
    moved = [
        replace(
            match, suspect=replace(match.suspect, first_line=1, last_line=2), clone_type=CloneType.REWRITTEN, bits=1.0
        )
        for match in report.matches
    ]
    assert exit_code(accept(_report(moved), _of(report), {}), None) == 0


def test_a_function_that_changed_is_new() -> None:
    report = _report()
    changed = [replace(match, digest=f"{match.digest}0") for match in report.matches]
    assert exit_code(accept(_report(changed), _of(report), {}), None) == 1


def test_a_line_of_evidence_is_accepted_as_far_as_it_went() -> None:
    report = replace(beside(), matches=(), traces=(), skipped=(), relation=Relation.INCONCLUSIVE)
    gated = [line for line in report.evidence if findings.is_finding(line, report)]
    assert gated
    known = _of(report)
    assert exit_code(accept(report, known, {}), None) == 0
    weaker = replace(report, evidence=tuple(replace(line, strength=Strength.WEAK) for line in gated))
    assert exit_code(accept(weaker, known, {}), None) == 0
    stronger = replace(report, evidence=tuple(replace(line, strength=Strength.VERY_STRONG) for line in gated))
    assert exit_code(accept(stronger, known, {}), None) == 1


def test_a_line_with_more_support_is_looked_at_anew() -> None:
    report = replace(beside(), matches=())
    stronger = replace(report, evidence=tuple(replace(line, strength=Strength.VERY_STRONG) for line in report.evidence))
    updated = with_found(_of(report), current(stronger), Verdict.UNREVIEWED, "")
    assert Verdict.UNREVIEWED in {entry.verdict for entry in updated.entries.values()}
    assert exit_code(accept(stronger, updated, {}), None) in (0, 3)


def test_what_nobody_has_looked_at_is_not_gated_and_says_so() -> None:
    report = _report()
    accepted = accept(report, _of(report, Verdict.UNREVIEWED, ""), {})
    assert exit_code(accepted, None) == 0
    assert accepted.matches[0].accepted == "baseline: unreviewed"


# --- comments ---


def _ignores(text: str, path: str = "pkg/tables one.py") -> dict[str, tuple[Ignore, ...]]:
    return {path: ignores(text.encode())}


GROW = "\n" * 59 + "{}\n    def grow(table, n):\n        pass\n"  # the comment stands in line 60, above the function


def test_a_comment_accepts_the_matches_of_its_function_alone() -> None:
    found = _ignores(GROW.format("    # detector: ignore[code/renamed-function] reason=our own"))
    accepted = accept(_report(), None, found)
    assert [match.accepted for match in accepted.matches] == ["ignored in the code: our own", "", ""]
    assert exit_code(accepted, None) == 1
    assert without_effect(_report(), found) == []


def test_a_comment_counts_before_a_baseline() -> None:
    found = _ignores(GROW.format("    # detector: ignore[code] reason=our own"))
    accepted = accept(_report(), _of(_report()), found)
    assert accepted.matches[0].accepted == "ignored in the code: our own"
    assert accepted.matches[2].accepted == "baseline: accepted: agreed"
    assert [entry.suspect for entry in current(accepted).entries.values()] == ["pkg/tables one.py::Projection.__init__"]


def test_a_comment_without_a_reason_accepts_nothing_and_is_itself_gated() -> None:
    found = _ignores(GROW.format("    # detector: ignore[code]"))
    accepted = accept(_report(), _of(_report()), found)
    assert accepted.matches[0].accepted == "baseline: accepted: agreed"
    (remark,) = accepted.remarks
    assert (remark.rule, remark.path, remark.line) == ("suppressions/no-reason", "pkg/tables one.py", 60)
    assert exit_code(accepted, None) == 1
    assert exit_code(replace(accepted, remarks=()), None) == 0


def test_a_trace_is_accepted_where_each_of_its_places_is() -> None:
    trace = replace(full().traces[0], suspect=(("a.py", 2), ("b.py", 2)))
    line = "import x\ny = 'teh'  # detector: ignore[traces] reason=house style\n"
    one, both = {"a.py": ignores(line.encode())}, {path: ignores(line.encode()) for path in ("a.py", "b.py")}
    assert [accept(_report(traces=(trace,)), None, each).traces[0].accepted for each in (one, both)] == [
        "",
        "ignored in the code: house style",
    ]


def test_a_comment_that_accepts_nothing_is_told() -> None:
    found = _ignores("import x\n\ndef far(): pass  # detector: ignore[code] reason=x\n")
    (remark,) = without_effect(_report(), found)
    assert (remark.rule, remark.path, remark.line) == ("suppressions/without-effect", "pkg/tables one.py", 3)


# --- the file ---


def test_a_baseline_is_read_back_as_it_was_written() -> None:
    known = _of(full())
    assert parse(written(known)) == known
    assert written(parse(written(known))) == written(known)
    lines = written(known).splitlines()
    assert lines[2:] == sorted(lines[2:], key=lambda line: [json.loads(line)[key] for key in ("suspect", "reference")])


def test_every_line_follows_the_published_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    text = written(_of(replace(full(), evidence=(*full().evidence, *beside().evidence))))
    kinds = {tuple(json.loads(line)) for line in text.splitlines()}
    assert len(kinds) == 4
    for line in text.splitlines():
        validator.validate(json.loads(line))
    entry = json.loads(text.splitlines()[-1])
    assert not validator.is_valid({**entry, "verdict": "fine"})
    assert not validator.is_valid({key: value for key, value in entry.items() if key != "reason"})
    assert SCHEMA["$defs"]["entry"]["properties"]["verdict"]["enum"] == list(Verdict)


@given(reports())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_report_gives_a_baseline_that_accepts_all_of_it(report: Report) -> None:
    known = _of(report)
    text = written(known)
    text.encode("utf-8")
    assert all(char == "\n" or char.isprintable() for char in text)
    assert parse(text) == known
    accepted = accept(replace(report, remarks=(), skipped=()), known, {})
    assert exit_code(accepted, None) == 0
    for form in (Format.SARIF, Format.GITLAB, Format.JUNIT, Format.MARKDOWN):
        render(accepted, form).encode("utf-8")


def test_order_and_duplicates_do_not_matter_and_a_verdict_counts_before_none() -> None:
    known, unreviewed = _of(full()), _of(full(), Verdict.UNREVIEWED, "")
    first, *rest = written(known).splitlines()
    twice = "\n".join([*reversed(rest), *written(unreviewed).splitlines(), first, "", *rest])
    assert parse(twice) == known


def test_a_verdict_stays_when_findings_are_added_again() -> None:
    known = _of(_report(), Verdict.LICENSED, "MIT, credited in NOTICE")
    again = with_found(known, current(_report()), Verdict.UNREVIEWED, "")
    assert written(again) == written(known)


def test_settings_that_are_the_same_where_both_name_them_are_no_other_settings() -> None:
    known = _of(_report())
    hooked = replace(_report(), settings={**_report().settings, "index": "known.db"})
    assert written(with_found(known, current(hooked), Verdict.UNREVIEWED, "")) == written(known)
    other = replace(_report(), settings={**_report().settings, "min_bits": 10.0})
    changed = with_found(known, current(other), Verdict.UNREVIEWED, "")
    assert {entry.verdict for entry in changed.entries.values()} == {Verdict.ACCEPTED}
    assert written(changed) != written(known)
    assert written(changed).count('"settings"') == 1


def test_pruning_keeps_every_other_line_byte_for_byte() -> None:
    first, second, *entries = written(_of(_many(6))).splitlines()
    odd = entries[2].replace(", ", " ,  ") + " \r"
    text = "\n".join([entries[1], first, second, odd, "", entries[0], entries[3]])  # no line end at the end
    gone = json.loads(entries[1])["fingerprint"]
    assert pruned(text, {gone}) == "\n".join([first, second, odd, "", entries[0], entries[3]])
    assert pruned(text, set()) == text


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("1" * 10_000, "no JSON"),
        ('{"found": "x", "settings": {"a": NaN}}', "no JSON"),
        ("[]", "no JSON object"),
        ("{}", "neither an entry nor settings"),
        ("<<<<<<< HEAD", "conflict"),
        ("=======", "conflict"),
        ('{"schema": "detector-baseline/9"}', "detector-baseline/9"),
        ('{"found": "x", "settings": [1]}', "settings"),
        ('{"fingerprint": 1}', "fingerprint"),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number(line: str, wrong: str) -> None:
    with pytest.raises(UserError, match=wrong) as caught:
        parse('{"schema": "detector-baseline/1"}\n' + line)
    assert str(caught.value).startswith("line 2: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"), [("verdict", "fine"), ("verdict", 1), ("reason", None), ("strength", "huge")]
)
def test_an_entry_with_anything_else_in_it_is_refused(key: str, value: object) -> None:
    *head, last = written(_of(_report())).splitlines()
    with pytest.raises(UserError, match=key):
        parse("\n".join([*head, json.dumps({**json.loads(last), key: value})]))


def test_a_file_without_its_schema_is_no_baseline() -> None:
    for text in ("", "\n\n", "\n".join(written(_of(_report())).splitlines()[1:])):
        with pytest.raises(UserError, match="schema"):
            parse(text)


def test_no_more_entries_are_read_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "MOST_ENTRIES", 3)
    with pytest.raises(UserError, match="line 6: is the entry after 3 others"):
        parse(written(_of(_many(6))))


# --- git ---


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def _merged(folder: Path, common: Report, ours: Report, theirs: Report, attributes: str = "") -> tuple[int, str]:
    """What `git merge` makes of a baseline to which two branches have added: its exit code and the file."""
    folder.mkdir()
    file = folder / "detector-baseline.jsonl"
    _git(folder, "init", "-q", "-b", "main")
    if attributes:
        (folder / ".gitattributes").write_text(attributes, "utf-8")

    def commit(branch: str, known: Baseline) -> None:
        file.write_text(written(known), "utf-8")
        _git(folder, "add", "-A")
        assert _git(folder, "commit", "-q", "-m", branch).returncode == 0

    first = _of(common)
    commit("common", first)
    for branch, added in (("ours", ours), ("theirs", theirs)):
        _git(folder, "checkout", "-q", "-b", branch, "main")
        commit(branch, with_found(parse(written(first)), current(added), Verdict.LICENSED, branch))
    code = _git(folder, "merge", "-q", "-m", "merged", "ours").returncode
    return code, file.read_text("utf-8")


def test_two_branches_that_add_fifty_findings_each_in_files_of_their_own_merge_without_a_conflict(
    tmp_path: Path,
) -> None:
    common, ours, theirs = _many(1_000), _many(50, "pkg/m0030"), _many(50, "pkg/m0090")
    code, text = _merged(tmp_path / "a", common, ours, theirs)
    assert code == 0
    assert len(parse(text).entries) == 1_100
    assert written(parse(text)) == text


@pytest.mark.parametrize("count", [0, 1_000])
def test_with_a_union_merge_two_branches_never_meet_in_a_conflict(tmp_path: Path, count: int) -> None:
    """Even where both add at one place, or begin the file: lines of both stay, some of them twice."""
    ours, theirs = _many(50, "new"), _many(60, "new")
    line = "detector-baseline.jsonl merge=union\n"
    code, text = _merged(tmp_path / "a", _many(count), ours, theirs, line)
    assert code == 0
    known = parse(text)
    assert len(known.entries) == count + 60
    assert len(parse(written(known)).entries) == count + 60


def test_without_it_additions_at_one_place_are_a_conflict_that_says_what_to_do(tmp_path: Path) -> None:
    code, text = _merged(tmp_path / "a", _many(1_000), _many(50, "new"), _many(60, "new"))
    assert code == 1
    with pytest.raises(UserError, match="keep the lines of both sides and delete the marks"):
        parse(text)
    mended = "\n".join(line for line in text.split("\n") if line[:7] not in baseline.CONFLICT)
    assert len(parse(mended).entries) == 1_060


# --- the audit ---


def _rules(complaints: Iterable[audit.Complaint]) -> list[str]:
    return [each.rule for each in complaints]


def test_an_audit_is_quiet_where_everything_has_a_verdict_and_a_reason() -> None:
    assert audit.audit(_of(_report()), _report(), {}) == []


def test_an_audit_lists_what_nobody_has_looked_at_or_given_a_reason_for() -> None:
    assert _rules(audit.audit(_of(_report(), Verdict.UNREVIEWED, ""), None, {})) == [audit.UNREVIEWED] * 2
    assert _rules(audit.audit(_of(_report(), Verdict.LICENSED, ""), None, {})) == [audit.NO_REASON] * 2


def test_an_audit_lists_entries_that_are_found_no_more() -> None:
    known = _of(_report())
    assert _rules(audit.audit(known, _report(_report().matches[:1]), {})) == [audit.STALE]
    assert _rules(audit.audit(known, _report([]), {})) == [audit.STALE] * 2
    declared = [replace(match, is_declared=True) for match in _report().matches]
    assert len(audit.stale(known, _report(declared))) == 2


def test_an_audit_lists_entries_that_were_found_with_other_settings_or_another_lowering() -> None:
    known = _of(_report())
    other = replace(_report(), settings={**_report().settings, "min_bits": 10.0})
    (first, _) = audit.audit(known, other, {})
    assert first.rule == audit.OTHER_SETTINGS
    assert "min_bits was calibrated, is 10.0" in first.text
    old = _of(replace(_report(), versions={"lowering": "0"}))
    assert _rules(audit.audit(old, None, {})) == [audit.OTHER_SETTINGS] * 2
    entry = next(iter(known.entries.values()))
    assert _rules(audit.audit(Baseline({entry.fingerprint: entry}), None, {})) == [audit.OTHER_SETTINGS]


def test_an_audit_lists_comments_without_reason_and_without_effect() -> None:
    found = _ignores("import x\ndef far(): pass  # detector: ignore[code] reason=x\n# detector: ignore[code]\n")
    assert _rules(audit.audit(Baseline(), None, found)) == ["suppressions/no-reason"]
    assert _rules(audit.audit(Baseline(), _report(), found)) == [
        "suppressions/without-effect",
        "suppressions/no-reason",
    ]


def test_an_audit_for_programs_follows_its_published_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(AUDIT_SCHEMA)
    complaints = audit.audit(_of(full(), Verdict.UNREVIEWED, ""), _report([]), _ignores("x = 1  # detector: ignore"))
    document = json.loads(audit.as_json(complaints, 5))
    jsonschema.validate(document, AUDIT_SCHEMA)
    assert len(document["complaints"]) == len(complaints) > 5


def test_an_audit_is_harmless_to_show_whatever_the_names() -> None:
    entry = Entry("x", "code/\x1b[31m", "\x1b[31m\u202e" * 1000, "\n", "x")
    text = audit.as_text(audit.audit(Baseline({"x": entry}), None, {}), 1)
    assert all(char == "\n" or char.isprintable() for char in text)
    assert len(text) < 2_000


# --- what the formats say ---


def _accepted() -> Report:
    report = replace(full(), remarks=())
    return accept(report, _of(report, Verdict.LICENSED, "MIT, <b>credited</b>"), {})


def test_sarif_says_who_suppressed_a_result_and_why() -> None:
    found = accept(
        _report(), _of(_report(), Verdict.UNREVIEWED, ""), _ignores(GROW.format("# detector: ignore[code] reason=ours"))
    )
    results = json.loads(render(found, Format.SARIF))["runs"][0]["results"]
    told = [result.get("suppressions") for result in results]
    assert told == [
        [{"kind": "inSource", "status": "accepted", "justification": "ignored in the code: ours"}],
        None,  # declared
        [{"kind": "external", "status": "underReview", "justification": "baseline: unreviewed"}],
    ]
    (first, *_) = json.loads(render(_accepted(), Format.SARIF))["runs"][0]["results"]
    assert first["suppressions"][0]["status"] == "accepted"


def test_gitlab_is_not_shown_what_was_accepted_and_junit_lets_it_pass() -> None:
    assert all(
        "original" not in each["description"]
        for each in json.loads(render(accept(_report(), _of(_report()), {}), Format.GITLAB))
    )
    text = render(accept(_report(), _of(_report()), {}), Format.JUNIT)
    assert 'failures="0"' in text.splitlines()[1]
    assert text.count("<system-out>accepted: baseline: accepted: agreed</system-out>") == 2


@pytest.mark.parametrize("form", [Format.TERMINAL, Format.MARKDOWN, Format.HTML, Format.JSON, Format.JSONL])
def test_accepted_findings_stay_in_every_report_with_who_accepted_them(form: Format) -> None:
    text = render(_accepted(), form)
    assert "licensed" in text
    assert "grow" in text
    if form is Format.HTML:
        assert "<b>credited" not in text


# --- the commands ---


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a report of what is found there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/tables one.py").write_text("import x\n", "utf-8")
    _write(tmp_path, _report())
    return tmp_path


def _write(folder: Path, report: Report) -> None:
    here = replace(report, suspect=replace(report.suspect, target="."))
    (folder / "result.json").write_text(json_report.render(here), "utf-8")


def test_update_audit_and_prune_belong_together(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "baseline", "update", "result.json") == (
        0,
        "",
        "added 2 findings to detector-baseline.jsonl: 2 in all\n",
    )
    code, out, _ = _run(capsys, "baseline", "audit", "result.json")
    assert code == 1
    assert out.count("baseline/unreviewed") == 2
    file = project / "detector-baseline.jsonl"
    text = file.read_text("utf-8").replace('"unreviewed", "reason": ""', '"licensed", "reason": "MIT"')
    file.write_text(text, "utf-8")
    assert _run(capsys, "baseline", "audit", "result.json") == (0, "2 entries: nothing to look at\n", "")
    _write(project, _report(_report().matches[:1]))
    code, out, _ = _run(capsys, "baseline", "audit", "result.json", "--format", "json")
    assert (code, [each["rule"] for each in json.loads(out)["complaints"]]) == (1, ["baseline/stale"])
    assert _run(capsys, "baseline", "prune", "result.json")[::2] == (
        0,
        "dropped 1 of 2 entries from detector-baseline.jsonl\n",
    )
    assert file.read_text("utf-8") == "".join(line for line in text.splitlines(keepends=True) if "__init__" not in line)
    assert _run(capsys, "baseline", "update", "result.json", "--quiet") == (0, "", "")


def test_update_leaves_out_what_a_comment_in_the_code_ignores(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pkg/tables one.py").write_text(GROW.format("# detector: ignore[code] reason=ours"), "utf-8")
    assert "added 1 findings" in _run(capsys, "baseline", "update", "result.json")[2]
    (project / "pkg/tables one.py").write_text(GROW.format("# detector: ignore[code]"), "utf-8")
    code, out, _ = _run(capsys, "baseline", "audit")
    assert code == 1
    assert "suppressions/no-reason  pkg/tables one.py:60" in out


def test_a_verdict_and_a_reason_can_be_given_for_all_that_is_new(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = _run(
        capsys, "baseline", "update", "result.json", "--verdict", "not-a-copy", "--reason", "a formula of the paper"
    )
    assert code == 0
    known = parse((project / "detector-baseline.jsonl").read_text("utf-8"))
    assert {entry.accepted for entry in known.entries.values()} == {"not-a-copy: a formula of the paper"}
    code, _, told = _run(capsys, "baseline", "update", "result.json", "--reason", "x")
    assert code == 2
    assert "--verdict" in told


def test_a_report_of_a_folder_that_is_not_here_is_used_without_its_comments(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "result.json").write_text(json_report.render(_report()), "utf-8")
    code, _, told = _run(capsys, "baseline", "update", "result.json")
    assert code == 0
    assert "comments are not looked at: ./rebadged is no folder here" in told


@pytest.mark.parametrize("command", ["update", "audit", "prune"])
def test_a_broken_baseline_is_one_clear_line_and_stays_as_it_is(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = project / "detector-baseline.jsonl"
    for data, wrong in ((b"<<<<<<< HEAD\n", "line 1: is git's mark"), (b"\xff\xfe", "no text in UTF-8")):
        file.write_bytes(data)
        code, out, told = _run(capsys, "baseline", command, "result.json")
        assert (code, out) == (2, "")
        assert told.startswith("detector: detector-baseline.jsonl: ")
        assert wrong in told
        assert told.count("\n") == 1
        assert file.read_bytes() == data


def test_a_link_to_nothing_is_not_written_through(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "detector-baseline.jsonl").symlink_to(project / "elsewhere")
    code, _, told = _run(capsys, "baseline", "update", "result.json")
    assert code == 2
    assert "a link to nothing" in told
    assert not (project / "elsewhere").exists()


def test_a_comparison_gates_only_what_its_baseline_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sides = [str(ROOT / "fixtures" / name) for name in ("rebadged", "original")]
    asked = ("compare", *sides, "--kind", "code", "--quiet", "--jobs", "1")
    assert _run(capsys, *asked, "--format", "json", "--output", "result.json")[0] == 1
    assert _run(capsys, "baseline", "update", "result.json", "--quiet")[0] == 0
    code, out, _ = _run(capsys, *asked, "--baseline", "detector-baseline.jsonl")
    assert code == 0
    assert "baseline: unreviewed" in out
    text = (tmp_path / "detector-baseline.jsonl").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "detector-baseline.jsonl").write_text("".join(text[:-1]), "utf-8")
    assert _run(capsys, *asked, "--baseline", "detector-baseline.jsonl")[0] == 1
    code, _, told = _run(capsys, *asked, "--baseline", "none.jsonl")
    assert code == 2
    assert "none.jsonl: cannot be read" in told


def test_a_suspect_hides_nothing_by_a_comment_unless_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suspect = tmp_path / "suspect"
    suspect.mkdir()
    text = (ROOT / "fixtures/original/heronvl/slicing.py").read_text("utf-8")
    (suspect / "slices.py").write_text(f"# detector: ignore[code] reason=none of your business\n\n{text}", "utf-8")
    asked = ("compare", str(suspect), str(ROOT / "fixtures/original"), "--kind", "code", "--quiet", "--jobs", "1")
    code, out, _ = _run(capsys, *asked)
    assert code == 1
    assert "none of your business" not in out
    code, out, _ = _run(capsys, *asked, "--honour-ignores")
    assert code == 0
    assert "ignored in the code: none of your business" in out


# --- the page ---


def test_the_commands_on_the_page_of_baselines_run_as_they_stand_there(tmp_path: Path) -> None:
    page = (ROOT / "docs/baseline.md").read_text("utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    shutil.copytree(ROOT / "fixtures/rebadged", tmp_path / "suspect")
    shutil.copytree(ROOT / "fixtures/original", tmp_path / "reference")
    script = f'detector() {{ "{sys.executable}" -m detector "$@"; }}\nset -e\n' + "".join(blocks)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "entries: nothing to look at" in run.stdout
    assert "dropped 0 of" in run.stderr
    assert (tmp_path / ".gitattributes").read_text("utf-8") == "detector-baseline.jsonl merge=union\n"


def test_the_comment_on_the_page_of_baselines_is_understood() -> None:
    page = (ROOT / "docs/baseline.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (found,) = ignores(f"import x\n{example}".encode())
    assert found.covers(3)
