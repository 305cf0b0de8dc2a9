"""What every format tells of the evidence beside the code: in one order, at any width, with what was missing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from detector.formats import Format, render
from detector.gate import exit_code
from detector.model import Attribution, Evidence, Examined, Exhibit, Relation, Report, Skipped, Strength
from detector.report import documents, exhibits, findings, gitlab, reading, rounding, sarif, summary, terminal, words
from detector.report import json as json_report
from detector.settings import STRENGTH_ODDS
from tests.beside import alone, beside
from tests.reports import full, named

WIDTHS = (60, 80, 100, 140)


def _shown(report: Report, width: int = 100) -> str:
    return terminal.render(documents.rounded(report), width, color=False)


def _line(kind: str, name: str, reference: str, strength: Strength = Strength.WEAK) -> Evidence:
    return Evidence(kind, name, reference, strength, "claim", "innocent")


# --- one order ---


def test_the_ledger_begins_with_the_nearest_reference_and_keeps_kinds_together_the_strongest_first() -> None:
    lines = (
        _line("tokenizer", "a", "far"),
        _line("tokenizer", "b", "near"),
        _line("tokenizer", "c", "near", Strength.STRONG),
        _line("history", "d", "near", Strength.VERY_STRONG),
        _line("tokenizer", "e", "near"),
        _line("history", "f", "nobody"),
    )
    rows = (Attribution("near", 1.0, 1.0, 1, 0.1), Attribution("far", 0.0, 0.0, 0, 0.0))
    report = replace(beside(), evidence=lines, attribution=rows)
    assert [line.name for line in summary.ledger(report)] == ["c", "b", "e", "d", "a", "f"]


def test_without_code_the_nearest_reference_is_the_one_whose_lines_the_clusters_name() -> None:
    report = replace(beside(), attribution=())
    assert summary.nearest(report) == "original"
    assert "rebadged is derived from original (the nearest of 2 references)" in _shown(report)
    assert summary.nearest(replace(report, clusters=())) == ""
    assert "the references" in _shown(replace(report, clusters=()))


def test_the_scale_in_words_is_the_scale_of_the_settings() -> None:
    assert {strength.value: odds for strength, (odds, _) in words.SCALE.items() if odds} == STRENGTH_ODDS
    assert list(words.SCALE) == list(Strength)


# --- at a terminal ---


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", [beside(), alone(), full(), named("x" * 500), named("名前" * 200)], ids="bafxn")
def test_lines_fit_the_width_with_all_kinds_of_evidence(report: Report, width: int) -> None:
    for line in _shown(report, width).splitlines():
        assert cell_len(line) <= width, line


def test_the_terminal_tells_what_the_relation_rests_on_and_how_each_line_was_calibrated() -> None:
    text = _shown(beside())
    for part in (
        "  rests on    text strong (history/same-blobs)\n              checkpoint moderate (tokenizer/same-changes)\n",
        "  strong  history/same-blobs  original\n",
        "    calibration in 0 of 1,120 pairs of independent projects (python -m bench.evidence_history)\n",
        "    tested      the family's defaults: 19 of 22 keys are those of Llama-3-8B\n",
        "    places      kestrel/projector.py, kestrel/model.py\n",
        "    128002  <|special_0|>  <|special_0|>  ",
        "    … and 7 that the report leaves out\n",
        "  … and 1 more table; --format json has all\n",
        "  2024-05-28  rebadged  first commit: 14 files at once  0e0e0e0e0e0e\n",
        "  code, traces: rebadged: no Python\n",
        "  history: cited has no git history\n",
        "  tokenizer: no tokenizer files (cited)\n",
    ):
        assert part in text, part


def test_code_that_was_not_compared_is_told_with_the_reason_and_without_hints_about_it() -> None:
    text = _shown(beside())
    assert "Code was not compared: rebadged: no Python." in text
    assert "No function of the suspect" not in text
    assert "--min-similarity" not in text
    assert "function" not in text.partition("Code was")[0]
    asked = replace(beside(), examined=(Examined("config", "original", True, "1 with 1"),))
    assert "Code was not compared: only config was asked for." in _shown(asked)
    asked = replace(asked, examined=(*asked.examined, Examined("history", "original", True, "1 commit with 2 commits")))
    assert "Code was not compared: only config and history were asked for." in _shown(asked)


def test_a_suspect_alone_has_no_relation_and_no_support() -> None:
    text = _shown(alone())
    assert text.startswith("looked at alone\nrebadged was looked at by itself")
    assert "support" not in text
    assert "Code was" not in text
    assert "History, by what commits claim (UTC)" in text


@pytest.mark.parametrize("form", Format)
def test_every_format_takes_a_suspect_alone_and_a_comparison_without_code(form: Format) -> None:
    for report in (alone(), beside()):
        text = render(report, form)
        assert text.endswith("\n")
        assert render(reading.parse(json_report.render(report)), form) == text


def test_long_histories_show_their_ends() -> None:
    event = beside().events[0]
    events = tuple(replace(event, text=f"event {number:03}") for number in range(100))
    text = _shown(replace(beside(), events=events))
    assert "event 000" in text
    assert "event 099" in text
    assert "event 050" not in text
    assert "… 76 in between; --format json lists all" in text


def test_a_table_of_too_many_or_too_wide_columns_keeps_its_width_and_its_first_columns() -> None:
    wide = Exhibit("config", "keys", "", "Wide", ("key", *["v" * 300] * 40), (("name" * 99, *["x" * 999] * 40),) * 2)
    for width in WIDTHS:
        text = _shown(replace(alone(), exhibits=(wide,)), width)
        assert "\n    key" in text
        assert all(cell_len(line) <= width for line in text.splitlines())


def test_tables_that_back_no_line_are_left_to_the_other_formats() -> None:
    assert "Tensors by name and shape" not in _shown(beside())
    text = _shown(replace(beside(), evidence=()))
    assert "… and 22 more, which --format json lists, and 714 that the report leaves out" in text


def test_times_are_days_and_headings_take_lines_rather_than_lose_their_middle() -> None:
    columns = ("file", "first there", "file of the reference", "first there (reference)", "blob")
    row = (
        "kestrel/a_file_of_a_long_name.py",
        "2024-02-07T10:11:12Z",
        "heronvl/another.py",
        "2023-04-18T02:20:14Z",
        "a1" * 20,
    )
    shown = _shown(replace(alone(), exhibits=(Exhibit("history", "same-blobs", "", "Some", columns, (row,)),)))
    assert "2024-02-07" in shown
    assert "2023-04-18" in shown
    assert "10:11" not in shown
    assert shown.count("a1" * 6) == 1
    assert "a1" * 7 not in shown
    heading = shown.partition("Some")[2].partition("kestrel")[0]
    assert {"first", "there", "(reference)", "reference"} <= set(heading.split())
    assert "…" not in heading


def test_numbers_stand_right_also_beside_cells_without_one() -> None:
    table = Exhibit("config", "keys", "", "Some", ("key", "bits"), (("a", 1.5), ("b", ""), ("c", 12)))
    assert "    key  bits\n    a     1.5\n    b\n    c      12\n" in _shown(replace(alone(), exhibits=(table,)))


def test_an_empty_table_is_not_shown() -> None:
    assert summary.exhibits(replace(alone(), exhibits=(Exhibit("a", "b", "", "Empty", ("x",), ()),))) == []
    assert list(exhibits.section(replace(alone(), exhibits=()), 80)) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.123456789, 0.123457),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (True, "true"),
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (10**400, "an integer of 1,329 bits"),
        ("\ud800", "\ud800"),
    ],
)
def test_a_cell_is_what_every_reader_of_json_understands(value: float | int | str, told: float | int | str) -> None:
    assert rounding.cell(value) == told
    assert type(rounding.cell(value)) is type(told)
    assert rounding.cell(rounding.cell(value)) == told


# --- findings ---


def _results(report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(sarif.render(report))["runs"][0]["results"]
    return found


def test_a_line_with_a_place_is_a_result_of_its_own_rule_and_weighs_by_its_support() -> None:
    results = _results(beside())
    assert [(each["ruleId"], each["level"]) for each in results] == [
        ("history/same-blobs", "warning"),
        ("config/rare-keys", "note"),
        ("tokenizer/same-changes", "warning"),
    ]
    first = results[0]["locations"][0]["physicalLocation"]
    assert first["artifactLocation"]["uri"] == "kestrel/projector.py"
    assert first["region"] == {"startLine": 1}
    assert results[1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
    assert [each["severity"] for each in json.loads(gitlab.render(beside()))] == ["major", "info", "minor"]


def test_what_the_suspect_declares_as_a_whole_only_informs() -> None:
    report = replace(beside(), relation=Relation.DERIVED_DECLARED)
    assert {each["level"] for each in _results(report)} == {"note"}
    assert {each["severity"] for each in json.loads(gitlab.render(report))} == {"info"}
    assert exit_code(report, None) == 3  # a header that could not be read


def test_the_mark_of_a_line_stays_when_numbers_and_lines_change() -> None:
    def mark(**changes: Any) -> str:
        line = replace(beside().evidence[2], **changes)
        (found,) = findings.line_fingerprints([line])
        return found

    same = mark(claim="other", places=(("config.json", 99),), strength=Strength.NONE, measures={})
    assert same == mark()
    assert len({mark(), mark(name="b"), mark(kind="b"), mark(reference="b"), mark(places=(("b", 7),))}) == 5


# --- the gate ---


QUIET = replace(beside(), evidence=(), skipped=(), relation=Relation.INDEPENDENT, strength=Strength.NONE)


@pytest.mark.parametrize(
    ("changes", "fail_on", "code"),
    [
        ({}, None, 0),
        ({"evidence": (_line("tokenizer", "a", "original"),)}, None, 1),
        ({"evidence": (_line("tokenizer", "a", "original", Strength.NONE),)}, None, 0),
        ({"evidence": (_line("declared", "a", "original", Strength.STRONG),)}, None, 0),
        ({"evidence": (_line("traces", "a", "original", Strength.STRONG),)}, None, 0),
        ({"evidence": (_line("history", "a", "original"),), "relation": Relation.DERIVED_DECLARED}, None, 0),
        ({"evidence": (_line("history", "a", "original"),)}, Strength.WEAK, 0),
        (
            {
                "evidence": (_line("history", "a", "original", Strength.STRONG),),
                "relation": Relation.DERIVED_UNDECLARED,
                "strength": Strength.STRONG,
            },
            Strength.STRONG,
            1,
        ),
        (
            {
                "evidence": (_line("history", "a", "original", Strength.STRONG),),
                "relation": Relation.DERIVED_UNDECLARED,
                "strength": Strength.STRONG,
            },
            Strength.VERY_STRONG,
            0,
        ),
        ({"skipped": (Skipped("rebadged:tokenizer.json", "cannot be read: it ends early"),)}, None, 3),
        ({"skipped": (Skipped("rebadged:tokenizer.json", "larger than 50 MB"),)}, None, 0),
    ],
)
def test_lines_beside_the_code_are_findings(changes: dict[str, Any], fail_on: Strength | None, code: int) -> None:
    assert exit_code(replace(QUIET, **changes), fail_on) == code


def test_what_was_asked_for_by_its_kind_and_not_read_is_missing() -> None:
    asked = replace(QUIET, examined=(Examined("tokenizer", "original", True, "1 with 1"),))
    report = replace(asked, skipped=(Skipped("rebadged:tokenizer.json", "larger than 50 MB"),))
    assert exit_code(report, None) == 3
    assert exit_code(replace(asked, skipped=(Skipped("rebadged:a.json", "a symbolic link"),)), None) == 0


@pytest.mark.parametrize("form", Format)
def test_a_report_that_does_not_say_what_was_looked_at_is_shown(form: Format) -> None:
    older = replace(full(), examined=(), exhibits=(), events=(), clusters=())
    assert render(older, form)
    assert render(replace(older, matches=()), form)
