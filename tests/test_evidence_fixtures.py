"""The measurement of all kinds of evidence on the fixtures: what it expects, and what it takes for told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.evidence_fixtures import Row, facts, failing, row, texts
from bench.fixture_files.written import FIXTURES, PACKAGES
from detector.compare import BESIDE
from detector.model import Event, Evidence, Exhibit, Relation, Report, Side, Strength


@pytest.fixture(scope="module")
def gold() -> dict[str, Any]:
    evidence: dict[str, Any] = json.loads((FIXTURES / "gold.json").read_text("utf-8"))["evidence"]
    return evidence


def _report(*lines: Evidence, exhibits: tuple[Exhibit, ...] = (), events: tuple[Event, ...] = ()) -> Report:
    return Report(
        suspect=Side("s", "s", ""),
        references=(Side("r", "r", ""),),
        relation=Relation.INDEPENDENT,
        strength=Strength.NONE,
        matches=(),
        classes=(),
        files=(),
        names=(),
        attribution=(),
        evidence=lines,
        skipped=(),
        settings={},
        versions={},
        exhibits=exhibits,
        events=events,
    )


def _line(kind: str, strength: Strength, reference: str = "r") -> Evidence:
    return Evidence(
        kind, "same-keys", reference, strength, "keys alike: 7", "a family", {"keys": 7}, places=(("c", 1),)
    )


def test_every_row_of_the_gold_is_between_two_fixtures_and_expects_something_of_every_kind(
    gold: dict[str, Any],
) -> None:
    rows = [row(given) for given in gold["lines"]]
    assert len({(each.suspect, each.reference) for each in rows}) == len(rows)
    for each in rows:
        assert {each.suspect, each.reference} <= set(PACKAGES)
        assert set(each.kinds) == set(BESIDE)
        assert set(each.kinds.values()) <= {"support", "line", "silence"}
        assert {Relation(relation) for relation in each.relations}
    assert [each.suspect for each in rows if "support" in each.kinds.values()] == ["rebadged"]


def test_support_takes_a_line_with_strength_and_silence_allows_one_without() -> None:
    expected = Row("s", "r", (), Strength.NONE, Strength.NONE, {"config": "support", "declared": "line"})
    quiet = Row("s", "r", (), Strength.NONE, Strength.NONE, {"config": "silence", "declared": "silence"})
    strong, weak = _line("config", Strength.STRONG), _line("config", Strength.NONE)
    declared = _line("declared", Strength.NONE)
    assert failing(expected, _report(strong, declared)) == []
    assert failing(expected, _report(weak, declared)) == ["config: no support"]
    assert failing(expected, _report(strong)) == ["declared: no line"]
    assert failing(quiet, _report(weak, declared)) == []
    assert failing(quiet, _report(strong)) == ["config: no silence"]
    assert failing(quiet, _report(_line("config", Strength.STRONG, reference="other"))) == []


def test_told_is_what_stands_in_lines_rows_and_for_a_history_in_its_events() -> None:
    exhibits = (
        Exhibit("config", "keys", "r", "Keys", ("suspect", "reference"), (("lam", "weight"), ("edge", 7))),
        Exhibit("config", "keys", "other", "Keys", ("suspect",), (("not ours",),)),
    )
    events = (Event("2025-01-01T00:00:00Z", "s", "first-commit", "the first commit", "abc"),)
    found = _report(_line("config", Strength.NONE), exhibits=exhibits, events=events)
    assert list(texts(found, "config", "r")) == ["keys alike: 7 7 c", "lam weight", "edge 7"]
    assert list(texts(found, "history", "r")) == ["the first commit abc"]


def test_the_facts_of_the_gold_cover_every_kind_that_finds_something(gold: dict[str, Any]) -> None:
    found = facts(gold)
    assert {kind for kind, _ in found} == set(BESIDE) - {"declared"}
    assert all(wanted and all(all(fact) for fact in wanted) for wanted in found.values())
