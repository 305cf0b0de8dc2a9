"""Licences in a comparison: terms and credit of each match, tables, the line of conflicts, and what reports tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.artifacts.licences import credit
from detector.compare import compare
from detector.formats import Format, render
from detector.model import CloneType, Evidence, Exhibit, Match, Report, Span, Strength
from detector.options import Options
from detector.targets import Repo
from tests.reports import full
from tests.repositories import ANNEAL, PARSE, ROUTE, WARP, InMemory, fixture, repo

TAG = "# SPDX-License-Identifier: {}\n"
MINE = {"a.py": WARP, "b.py": ROUTE, "c.py": PARSE}
THEIRS = {"heron/warp.py": WARP, "heron/route.py": ROUTE, "heron/parse.py": PARSE, "heron/__init__.py": ""}
ONE_JOB = Options(jobs=1)


def _licensed(files: Mapping[str, str], licence: str) -> dict[str, str]:
    return {**files, "pyproject.toml": f'[project]\nname = "x"\nlicense = "{licence}"\n'} if licence else dict(files)


def _compared(
    ours: str, theirs: str, mine: Mapping[str, str] = MINE, there: Mapping[str, str] = THEIRS, *more: Repo
) -> Report:
    reference = Repo("https://github.com/someone/heron", "heron", "", InMemory(_licensed(there, theirs)))
    return compare(repo("mine", _licensed(mine, ours)), [reference, *more], ONE_JOB)


def _terms(report: Report) -> set[tuple[str, str, str]]:
    return {(each.terms.suspect, each.terms.reference, each.terms.verdict) for each in report.matches if each.terms}


def _exhibit(report: Report, name: str) -> Exhibit:
    (found,) = [each for each in report.exhibits if each.name == name]
    return found


def _conflicts(report: Report) -> list[Evidence]:
    return [line for line in report.evidence if line.name == "licences-in-conflict"]


# --- terms ----------------------------------------------------------------------------------------------------


def test_every_match_says_the_licences_of_both_sides_and_what_the_table_says() -> None:
    report = _compared("MIT", "Apache-2.0")
    assert len(report.matches) == 3
    assert all(match.terms for match in report.matches)
    assert _terms(report) == {("MIT", "Apache-2.0", "with-conditions")}


def test_the_header_of_a_file_counts_before_its_project() -> None:
    mine = {**MINE, "a.py": TAG.format("GPL-3.0-only") + WARP}
    there = {**THEIRS, "heron/route.py": TAG.format("BSD-3-Clause") + ROUTE}
    found = {match.suspect.path: match.terms for match in _compared("MIT", "Apache-2.0", mine, there).matches}
    assert found["a.py"]
    assert (found["a.py"].suspect, found["a.py"].reference) == ("GPL-3.0-only", "Apache-2.0")
    assert found["b.py"]
    assert (found["b.py"].suspect, found["b.py"].reference) == ("MIT", "BSD-3-Clause")


def test_a_side_without_any_statement_is_told_as_such() -> None:
    report = _compared("", "")
    assert _terms(report) == {("", "", "unknown")}
    rows = [row for row in _exhibit(report, "licences").rows if row[3] == "nothing found"]
    assert [row[0] for row in rows] == ["mine", "heron"]


def test_the_table_of_pairs_says_verdict_conditions_source_and_how_many_functions() -> None:
    mine = {
        **MINE,
        "c.py": "# Copied from heron\n\nimport os\n"
        + PARSE.replace("\nimport json\nimport re\n", "import json\nimport re\n"),
    }
    exhibit = _exhibit(_compared("MIT", "Apache-2.0", mine), "licence-terms")
    assert exhibit.reference == "heron"
    ((there, here, verdict, conditions, source, functions, undeclared),) = exhibit.rows
    assert (there, here, verdict, source) == ("Apache-2.0", "MIT", "with-conditions", "Apache-2.0, section 4")
    assert "NOTICE" in str(conditions)
    assert (functions, undeclared) == (3, 2)


def test_contradictions_and_files_unlike_their_project_stand_in_the_table_of_statements() -> None:
    mine = {**MINE, "a.py": TAG.format("GPL-3.0-only") + WARP, "setup.cfg": "license = BSD-3-Clause\n"}
    rows = _exhibit(_compared("MIT", "Apache-2.0", mine), "licences").rows
    assert any(row[3] == "contradiction" and "setup.cfg says BSD-3-Clause" in str(row[4]) for row in rows)
    assert any(row[3] == "header" and row[2] == "a.py" and "unlike the project" in str(row[4]) for row in rows)


def test_a_conflict_of_undeclared_matches_is_a_line_that_supports_nothing() -> None:
    (line,) = _conflicts(_compared("MIT", "GPL-3.0-only"))
    assert line.strength is Strength.NONE
    assert "GPL-3.0-only there and under MIT here" in line.claim
    assert line.measures["functions"] == 3
    assert {path for path, _ in line.places} == set(MINE)


@pytest.mark.parametrize(("ours", "theirs"), [("MIT", "Apache-2.0"), ("", "GPL-3.0-only"), ("MIT", "")])
def test_no_line_speaks_of_licences_without_a_conflict(ours: str, theirs: str) -> None:
    assert not _conflicts(_compared(ours, theirs))


def test_licences_change_nothing_that_is_concluded() -> None:
    reports = [_compared("MIT", theirs) for theirs in ("GPL-3.0-only", "MIT")]
    assert reports[0].relation is reports[1].relation
    assert reports[0].strength is reports[1].strength
    assert [match.digest for match in reports[0].matches] == [match.digest for match in reports[1].matches]


def test_the_licence_that_an_index_recorded_counts_for_all_its_files() -> None:
    class Known(InMemory):
        licence = "BSD-3-Clause"

    known = Repo("heron", "heron", "", Known(THEIRS))
    assert _terms(compare(repo("mine", _licensed(MINE, "MIT")), [known], ONE_JOB)) == {
        ("MIT", "BSD-3-Clause", "with-conditions")
    }


# --- credit ---------------------------------------------------------------------------------------------------


def _pasted(files: Mapping[str, str], matches: tuple[Match, ...]) -> dict[str, str]:
    """The suspect's files with each credit above its function, as somebody would paste it."""
    found = {path: text.split("\n") for path, text in files.items()}
    for match in sorted(matches, key=lambda each: -each.suspect.first_line):
        lines = found[match.suspect.path]
        first = match.suspect.first_line - 1
        margin = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        lines[first:first] = [f"{margin}{line}" for line in match.credit.split("\n")]
    return {path: "\n".join(lines) for path, lines in found.items()}


def test_pasting_the_credit_makes_every_match_declared() -> None:
    before = _compared("MIT", "Apache-2.0")
    assert all(match.credit and not match.is_declared for match in before.matches)
    after = _compared("MIT", "Apache-2.0", _pasted(MINE, before.matches))
    assert len(after.matches) == 3
    assert all(match.is_declared and not match.credit for match in after.matches)


def test_pasting_the_credits_of_the_fixture_makes_every_match_declared() -> None:
    suspect, reference = fixture("rebadged"), fixture("original")
    before = compare(suspect, [reference], ONE_JOB)
    assert all(match.credit for match in before.matches)
    files = {path: suspect.files.read(path).decode() for path in suspect.files.paths()}
    nested = tuple({match.suspect: match for match in before.matches}.values())
    after = compare(repo("rebadged", _pasted(files, nested)), [reference], ONE_JOB)
    assert [match.suspect.qualname for match in after.matches if not match.is_declared] == []


def test_a_reference_that_its_path_does_not_name_is_named_by_its_credit() -> None:
    there = {"model.py": WARP, "layers.py": ROUTE, "io.py": PARSE, "README.md": "# Heron-VL\n"}
    reference = repo("original", there)  # a name that tells nobody apart
    before = compare(repo("mine", MINE), [reference], ONE_JOB)
    after = compare(repo("mine", _pasted(MINE, before.matches)), [reference], ONE_JOB)
    assert all(match.is_declared for match in after.matches)
    assert "heron-vl" in before.matches[0].credit


def test_the_credit_says_module_address_revision_and_licence() -> None:
    match = replace(
        full().matches[0], reference=Span("src/heron/layers/warp.py", "Warp.forward", 1, 9), clone_type=CloneType.LAYOUT
    )
    text = credit(match, "https://someone:secret@github.com/someone/heron.git", "0123456789abcdef" * 2 + "01234567")
    assert text == (
        "# Copied from heron.layers.warp.Warp.forward\n# of github.com/someone/heron at 0123456789ab, under Apache-2.0"
    )
    assert credit(replace(match, terms=None), "pypi:heron==1.0", "1.0").endswith("# of pypi heron-1.0")


def test_a_long_credit_begins_with_a_whole_part() -> None:
    path = "heron/" + "/".join(f"part_{number}" for number in range(12)) + "/warp.py"
    match = replace(full().matches[0], reference=Span(path, "Warp.forward", 1, 9), clone_type=CloneType.LAYOUT)
    first = credit(match, "pypi:heron==1.0", "1.0").splitlines()[0]
    assert first == "# Copied from " + ".".join(f"part_{number}" for number in range(2, 12)) + ".warp.Warp.forward"
    match = replace(match, reference=Span("a.py", "b" * 300, 1, 9))
    assert re.fullmatch("# Copied from b{50,}", credit(match, "pypi:heron==1.0", "1.0").splitlines()[0])


def test_the_credit_tells_no_folder_of_somebodys_machine() -> None:
    for target in ("/home/someone/code/heron", "C:\\Users\\someone\\heron", "../code/heron/"):
        assert credit(full().matches[0], target, "").endswith("# of heron, under Apache-2.0")


HOSTILE = (
    "x\nimport os",
    "x\r\nimport os",
    "x\x0cimport os",
    "\u2028import os",
    "\u202ereversed",
    "\x1b[31mred",
    "x # type: ignore",
    "detector: ignore[*] reason=fine",
    "-*- coding: rot13 -*-",
    "coding=utf-7",
    "\ud800",
    "'''",
    "a" * 5_000,
    "",
    "..",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_credit_of_a_hostile_name_is_two_short_lines_of_comment_and_nothing_else(name: str) -> None:
    match = replace(full().matches[0], reference=Span(f"{name}/{name}.py", name, 1, 2))
    _assert_harmless(credit(match, f"https://x.org/{name}", name, frozenset({name})))


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_no_name_makes_the_credit_anything_but_a_comment(path: str, qualname: str, target: str) -> None:
    match = replace(full().matches[0], reference=Span(path, qualname, 1, 2))
    _assert_harmless(credit(match, target, path, frozenset({qualname})))


def _assert_harmless(text: str) -> None:
    lines = text.split("\n")
    assert len(lines) == 2
    assert text.splitlines() == lines
    assert all(line.startswith("# ") and line.isprintable() and len(line) < 500 for line in lines)
    assert not any(each in text for each in ("coding:", "coding=", "[", "ignore ", "type:", "://"))
    assert ast.parse(text).body == []


# --- reports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [Format.TERMINAL, Format.MARKDOWN])
def test_a_report_to_read_tells_each_pair_of_licences_once_and_that_it_is_no_advice(form: Format) -> None:
    text = " ".join(render(_compared("MIT", "Apache-2.0"), form).split())
    assert text.count("looked up in a small table: no legal advice") == 1
    assert text.count("3 functions, 3 undeclared" if form is Format.TERMINAL else "| 3 | 3 |") == 1


def test_the_page_has_the_credit_of_each_match_to_copy() -> None:
    report = _compared("MIT", "Apache-2.0")
    page = render(report, Format.HTML)
    assert page.count('<pre class="credit">') == 3
    assert all(line in page for match in report.matches for line in match.credit.split("\n"))
    assert page.count("no legal advice") == 1


def test_a_report_without_terms_says_nothing_of_licences() -> None:
    report = full()
    bare = replace(report, matches=tuple(replace(match, terms=None, credit="") for match in report.matches))
    for form in (Format.TERMINAL, Format.MARKDOWN, Format.SARIF, Format.GITLAB):
        assert "icence" not in render(bare, form)


def test_findings_of_services_name_the_licences() -> None:
    for form in (Format.SARIF, Format.GITLAB, Format.JUNIT):
        assert "licences: Apache-2.0 there, MIT here (with-conditions)" in render(full(), form)


def test_other_functions_of_the_suspect_have_no_credit() -> None:
    report = _compared("MIT", "Apache-2.0", {**MINE, "d.py": ANNEAL})
    assert {match.suspect.path for match in report.matches} == set(MINE)
