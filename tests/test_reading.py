"""A JSON report that is read back: the same again to the byte, and one line for whatever is no report."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from detector.model import Basis, Report, Role, UserError
from detector.report import documents, reading, terminal
from detector.report import json as json_report
from tests.reports import full, named, reports
from tests.test_report import _schema

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_report.render(full()))
    return document


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    document = _document()
    change(document)
    return json.dumps(document)


def _refusal(text: str) -> str:
    with pytest.raises(UserError) as caught:
        reading.parse(text)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400
    assert message.endswith("; give a report as detector compare --format json has written it")
    return message


def test_a_report_with_every_noun_comes_back_whole() -> None:
    assert reading.parse(json_report.render(full())) == full()


@given(reports())
@example(replace(named("x"), traces=()))
@example(replace(named("\ud83d\ude00"), traces=()))
@example(replace(full(), settings={"\ud83d\ude00": 1, "\uffff": 2}))
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_any_report_that_is_read_back_is_written_the_same(report: Report) -> None:
    text = json_report.render(report)
    assert json_report.render(reading.parse(text)) == text


@given(reports())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_a_report_that_is_read_back_looks_the_same_at_a_terminal(report: Report) -> None:
    shown = terminal.render(documents.rounded(report), 100, color=False)
    again = reading.parse(json_report.render(report))
    if not re.search(r"\\ud[89ab]..\\ud[c-f]", repr(report)):  # a pair of surrogates is one character to JSON
        assert terminal.render(documents.rounded(again), 100, color=False) == shown


def test_rounding_twice_does_not_show() -> None:
    (match, *_) = full().matches
    report = replace(full(), matches=(replace(match, bits=100.446, similarity=0.744996, coincidence=0.31774),))
    again = reading.parse(json_report.render(report))
    texts = [terminal.render(documents.rounded(each), 100, color=False) for each in (report, again)]
    assert texts[0] == texts[1]
    assert "100.4 bits" in terminal.render(report, 100, color=False)
    assert "100.5 bits" in texts[0]  # 100.45 in the JSON report, and so in every other


def test_unknown_keys_are_ignored() -> None:
    maps = {"settings", "versions", "renames", "disguise_lines", "measures", "names"}  # every key there is data

    def later(value: Any) -> Any:
        if isinstance(value, list):
            return [later(item) for item in value]
        if isinstance(value, dict):
            known = {
                key: item if key in maps and isinstance(item, dict) else later(item) for key, item in value.items()
            }
            return {**known, "later key": "text"}
        return value

    report = reading.parse(json.dumps(later(_document())))
    assert report == full()


def test_a_report_with_only_the_keys_that_the_schema_requires_can_be_read() -> None:
    schema = _schema()

    def required(value: Any, rules: Any) -> Any:
        while "$ref" in rules:
            rules = schema["$defs"][rules["$ref"].rpartition("/")[2]]
        if isinstance(value, list) and "items" in rules:
            return [required(item, rules["items"]) for item in value]
        if isinstance(value, dict) and "required" in rules:
            return {key: required(value[key], rules["properties"][key]) for key in rules["required"]}
        return value

    oldest = required(_document(), schema)
    jsonschema.Draft202012Validator(schema).validate(oldest)
    report = reading.parse(json.dumps(oldest))
    assert not [*report.classes, *report.files, *report.names, *report.traces]
    assert not [*report.clusters, *report.examined, *report.exhibits, *report.events, *report.figures]
    assert (report.evidence[1].derived, report.evidence[1].places) == ("", ())
    match = report.matches[0]
    assert (match.overlap, match.own_bits, match.basis) == (match.similarity, match.bits, Basis.REQUEST)
    assert (match.suspect.role, match.digest, match.suspect_lines, match.texts) == (Role.OWN, "", (), None)
    assert report.suspect.functions == 0
    terminal.render(report, 100, color=False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the text is no JSON: "),
        ("{", "the text is no JSON: "),
        ("[" * 200_000, "the text nests too deeply"),
        ('{"a":' * 200_000, "the text nests too deeply"),
        ("[]", "the text is an array, not an object"),
        ("null", "the text is null, not an object"),
        ('{"schema": NaN}', "the text has a number that no report has"),
        ('{"schema": -Infinity}', "the text has a number that no report has"),
        ('{"a": %s}' % ("9" * 5000), "the text has a number that no report has"),
        ("{}", "schema: is missing"),
        ('{"schema": 1}', "schema: is a number, not a string"),
        ('{"schema": "detector-records/1"}', "schema: is 'detector-records/1', where a report says"),
        ('{"schema": "\\u001b[31m%s"}' % ("x" * 9999), "schema: is '"),
    ],
)
def test_what_is_no_report_is_one_line_that_says_so(text: str, says: str) -> None:
    assert _refusal(text).startswith(says)


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *keys, last, value = path

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in keys:
            place = place[key]
        place[last] = value

    return change


TEXTS = ("matches", 0, "texts")
FLOWS = ("matches", 0, "flows")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set("matches", 1, "similarity", 1.7), "matches[1].similarity: is 1.7, not within 0 and 1"),
        (_set("matches", 1, "similarity", "1"), "matches[1].similarity: is a string, not a number"),
        (_set("matches", 1, "similarity", True), "matches[1].similarity: is true or false, not a number"),
        (_set("matches", 1, "bits", -0.5), "matches[1].bits: is -0.5, not within 0 and"),
        (_set("matches", 1, "bits", 10**300), "matches[1].bits: is too large a number, not within 0 and"),
        (_set("matches", 1, "coincidence", 10_001), "matches[1].coincidence: is 10,001, not within 0 and 10,000"),
        (_set("matches", 1, "clone_type", 5), "matches[1].clone_type: is 5, not within 1 and 4"),
        (_set("matches", 1, "clone_type", 2.0), "matches[1].clone_type: is a number, not an integer"),
        (_set("matches", 1, "declared", 1), "matches[1].declared: is a number, not true or false"),
        (_set("matches", 1, "basis", "rumour"), "matches[1].basis: is 'rumour', not one of alone, class"),
        (_set("matches", 1, "renames", {"a" * 99: 3}), f"matches[1].renames.{'a' * 39}…: is a number, not a string"),
        (_set("matches", 1, "disguises", ["a", None]), "matches[1].disguises[1]: is null, not a string"),
        (_set("matches", 1, "disguises", {}), "matches[1].disguises: is an object, not an array"),
        (_set("matches", 1, "suspect", "first_line", 0), "matches[1].suspect.first_line: is 0, not within 1 and"),
        (_set("matches", 1, "suspect", "last_line", 2), "matches[1].suspect.last_line: is 2, before the first line, 3"),
        (_set("matches", 1, "suspect", "last_line", 2**31), "matches[1].suspect.last_line: is 2,147,483,648, not"),
        (_set("matches", 1, "reference", "role", "theirs"), "matches[1].reference.role: is 'theirs', not one of own"),
        (_set("matches", 1, 7), "matches[1]: is a number, not an object"),
        (_set("matches", None), "matches: is null, not an array"),
        (
            _set("matches", 0, "shared_lines", "reference", 1, [5, 4]),
            "matches[0].shared_lines.reference[1]: ends at 4, before it begins at 5",
        ),
        (
            _set("matches", 0, "shared_lines", "reference", 1, [5]),
            "matches[0].shared_lines.reference[1]: has 1 items, not 2",
        ),
        (
            _set("matches", 0, "disguise_lines", "x", {"suspect": []}),
            "matches[0].disguise_lines.x.reference: is missing",
        ),
        (_set(*TEXTS, "equal", 2, [4, 4, 3]), "matches[0].texts.equal[2]: ends at line 7 of a text that has 6"),
        (_set(*TEXTS, "equal", 2, [2, 4, 1]), "matches[0].texts.equal[2]: begins at line 2, before the end of the one"),
        (_set(*TEXTS, "equal", 2, [4, 4]), "matches[0].texts.equal[2]: has 2 items, not 3"),
        (_set(*TEXTS, "equal", 2, [4, -1, 1]), "matches[0].texts.equal[2][1]: is -1, not within 0 and"),
        (_set(*TEXTS, "equal_as_published", [[0, 9, 1]]), "matches[0].texts.equal_as_published[0]: ends at line 10"),
        (_set(*TEXTS, "unrenamed", "one line"), "matches[0].texts.unrenamed: has another number of lines"),
        (_set(*FLOWS, "suspect", "edges", 1, [1, 3]), "matches[0].flows.suspect.edges[1]: points to node 3 of 3"),
        (_set(*FLOWS, "same", 1, [1, 2]), "matches[0].flows.same[1]: points to node 2 of 2"),
        (_set(*FLOWS, "suspect", "nodes", 1, ["+", ""]), "matches[0].flows.suspect.nodes[1]: has 2 items, not 3"),
        (_set(*FLOWS, "suspect", "nodes", 1, 0, 5), "matches[0].flows.suspect.nodes[1][0]: is a number, not a string"),
        (_set("references", None), "references: is null, not an array"),
        (_set("clusters", 0, "strength", "total"), "clusters[0].strength: is 'total', not one of none"),
        (_set("clusters", 0, "kinds", [1]), "clusters[0].kinds[0]: is a number, not a string"),
        (_set("examined", 0, "possible", "yes"), "examined[0].possible: is a string, not true or false"),
        (_set("exhibits", 0, "rows", 1, [1, "a"]), "exhibits[0].rows[1]: has 2 items, not 4"),
        (_set("exhibits", 0, "rows", 1, 2, None), "exhibits[0].rows[1][2]: is null, not a number or a string"),
        (_set("exhibits", 0, "rows", 1, 2, 10**30), "exhibits[0].rows[1][2]: is "),
        (_set("exhibits", 0, "omitted", -1), "exhibits[0].omitted: is -1, not within 0 and"),
        (_set("events", 0, "at", 7), "events[0].at: is a number, not a string"),
        (_set("evidence", 1, "places", 0, "line", -1), "evidence[1].places[0].line: is -1, not within 0 and"),
        (_set("evidence", 1, "tested", "all"), "evidence[1].tested: is a string, not an array"),
        (_set("evidence", 1, "propositions", "both"), "evidence[1].propositions: is a string, not an object"),
        (_set("references", 1, "name", ""), "references[1].name: is empty"),
        (_set("suspect", "functions", -1), "suspect.functions: is -1, not within 0 and"),
        (_set("relation", "proven"), "relation: is 'proven', not one of identical"),
        (_set("strength", "\x1b[31m"), "strength: is '\\x1b[31m', not one of none"),
        (_set("classes", 0, "functions", 0), "classes[0].functions: is 0, not within 1 and"),
        (_set("attribution", 0, "share_of_suspect", 2), "attribution[0].share_of_suspect: is 2, not within 0 and 1"),
        (_set("evidence", 0, "measures", "p", [1]), "evidence[0].measures.p: is an array, not a number or a string"),
        (_set("evidence", 0, "measures", "p", 10**30), "evidence[0].measures.p: is "),
        (_set("settings", "min_bits", True), "settings.min_bits: is true or false, not a number or a string"),
        (_set("versions", "detector", 1), "versions.detector: is a number, not a string"),
        (_set("traces", 0, "kind", "rumour"), "traces[0].kind: is 'rumour', not one of comment, string"),
        (_set("traces", 0, "suspect", 0, "line", 0), "traces[0].suspect[0].line: is 0, not within 1 and"),
        (_set("similarities", "edges", 1, 0), "similarities.edges: does not ascend"),
        (_set("similarities", "edges", [0, 1]), "similarities.suspect: has 2 bins, where 2 edges make 1"),
        (_set("similarities", "unrelated", 0, 1.5), "similarities.unrelated[0]: is 1.5, not within 0 and 1"),
        (_set("similarities", None), "similarities: is null, not an object"),
        (_set("skipped", 0, {"path": "a"}), "skipped[0].reason: is missing"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: Callable[[dict[str, Any]], None], says: str) -> None:
    assert _refusal(_changed(change)).startswith(says)


@pytest.mark.parametrize("key", sorted(_schema()["required"]))
def test_every_key_that_the_schema_requires_is_missed(key: str) -> None:
    assert _refusal(_changed(lambda document: document.pop(key))).startswith(f"{key}: is missing")


def test_numbers_beyond_what_a_computer_holds_are_refused() -> None:
    text = json.dumps(_document())
    for absurd in ("1e999", "-1e999"):
        assert _refusal(text.replace('"bits": 88.0', f'"bits": {absurd}')).startswith("matches[1].bits: is too large")
    text = text.replace('"min_bits": "calibrated"', '"min_bits": 1e999')
    assert _refusal(text).startswith("settings.min_bits: is too large a number")


def test_a_number_with_more_decimals_than_a_report_has_is_rounded_when_it_is_written_again() -> None:
    report = reading.parse(_changed(_set("matches", 0, "similarity", 0.123456789)))
    assert math.isclose(report.matches[0].similarity, 0.123456789)
    assert json.loads(json_report.render(report))["matches"][0]["similarity"] == 0.1235


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_anything_in_the_place_of_anything_is_read_or_refused_in_one_line(data: st.DataObject) -> None:
    document = _document()
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(any_json)
    changed = json.dumps(document)
    try:
        report = reading.parse(changed)
    except UserError:
        _refusal(changed)
        return
    text = json_report.render(report)
    jsonschema.Draft202012Validator(_schema()).validate(json.loads(text))
    assert json_report.render(reading.parse(text)) == text


def test_what_the_reader_takes_the_schema_takes_too() -> None:
    document = _document()
    jsonschema.Draft202012Validator(_schema()).validate(document)
    del document["matches"][0]["digest"], document["classes"]
    text = json_report.render(reading.parse(json.dumps(document)))
    jsonschema.Draft202012Validator(_schema()).validate(json.loads(text))
