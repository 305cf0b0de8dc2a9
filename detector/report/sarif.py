"""The report as SARIF 2.1.0, for code scanning services and editors: what has a place in the suspect as results there.

Those are matches, traces, and lines of evidence that name files. What has no place stands in the properties of the run,
with relation, strength and settings: services take no result without a location.
"""

from __future__ import annotations

from collections.abc import Mapping

from detector.model import Evidence, Match, Remark, Report, Side, Skipped, Span, Strength, Trace, Verdict
from detector.report import documents, rounding, sarif_rules
from detector.report.findings import (
    IN_BASELINE,
    IN_CODE,
    KINDS,
    MAX_REASON,
    address,
    fingerprints,
    is_finding,
    line_fingerprints,
    line_kind,
    line_sentence,
    name,
    place,
    placed_lines,
    remark_fingerprints,
    remark_kind,
    remark_sentence,
    sentence,
    trace_fingerprints,
    trace_kind,
    trace_sentence,
)
from detector.report.names import elided, visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "detectorMatch/v2"
TRACE_FINGERPRINT = "detectorTrace/v1"
LINE_FINGERPRINT = "detectorEvidence/v1"
REMARK_FINGERPRINT = "detectorRemark/v1"
SUSPECT_ROOT = "%SRCROOT%"  # what services take for the root of the repository

# What GitHub's code scanning takes of one run; beyond, it refuses the whole file.
MAX_RESULTS = 25_000
MAX_LOCATIONS = 10  # of one result: what an alert shows on one page; the limit is 1,000
MAX_NOTIFICATIONS = 1_000  # of files that were not read


def render(report: Report) -> str:
    """Write one log with one run.

    Stable: fingerprints stay when lines move. Results beyond `MAX_RESULTS` are left out, matches that the gate counts
    last, and a notification says how many.
    """
    rules = sarif_rules.Rules(placed_lines(report), report.remarks)
    results = _results(report, rules)
    notifications = _notifications(report, len(results) - MAX_RESULTS)
    run = {
        "tool": {"driver": rules.driver(report.versions)},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "originalUriBaseIds": _roots(report),
        "columnKind": "unicodeCodePoints",
        "results": results[:MAX_RESULTS],
        "properties": _properties(report),
    }
    return documents.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _results(report: Report, rules: sarif_rules.Rules) -> list[dict[str, object]]:
    roots = _reference_roots(report)
    matches = sorted(
        zip(report.matches, fingerprints(report), strict=True),
        key=lambda pair: pair[0].is_declared or bool(pair[0].accepted),
    )  # what the gate counts first, else in the report's order
    traces = zip(report.traces, trace_fingerprints(report), strict=True)
    placed = placed_lines(report)
    lines = zip(placed, line_fingerprints(placed), strict=True)
    remarks = zip(report.remarks, remark_fingerprints(report), strict=True)
    return [
        *(_line(line, mark, report, rules) for line, mark in lines),
        *(_match(match, mark, report, roots, rules) for match, mark in matches),
        *(_trace(trace, mark, roots, rules) for trace, mark in traces if trace.suspect),
        *(_remark(remark, mark, rules) for remark, mark in remarks),
    ]


def _line(line: Evidence, fingerprint: str, report: Report, rules: sarif_rules.Rules) -> dict[str, object]:
    """A line of evidence at the first of its places. A file as a whole is shown at its beginning."""
    first, *others = [_point(path, max(at, 1), SUSPECT_ROOT) for path, at in line.places[: MAX_LOCATIONS + 1]]
    kind = line_kind(line)
    is_warning = is_finding(line, report) and line.strength is not Strength.WEAK
    return {
        "ruleId": kind,
        "ruleIndex": rules.index(kind),
        "level": "warning" if is_warning else "note",
        "message": _message(line_sentence(line)),
        "locations": [first],
        "relatedLocations": [{"id": number, **each} for number, each in enumerate(others, 1)],
        "partialFingerprints": {LINE_FINGERPRINT: fingerprint},
        **_suppressions(line.accepted),
        "properties": documents.evidence(line),
    }


def _match(
    match: Match, fingerprint: str, report: Report, roots: Mapping[str, str], rules: sarif_rules.Rules
) -> dict[str, object]:
    root = roots.get(match.reference_name)
    there = f"{name(match.reference.qualname)} of {name(match.reference_name)}, {place(match.reference)}"
    return {
        "ruleId": KINDS[match.clone_type],
        "ruleIndex": rules.index(KINDS[match.clone_type]),
        "level": "note" if match.is_declared else "warning",
        "message": _message(sentence(match, report)),
        "locations": [_location(match.suspect, SUSPECT_ROOT)],
        "relatedLocations": [{"id": 1, **_location(match.reference, root), "message": _message(there)}],
        "partialFingerprints": {FINGERPRINT: fingerprint},
        **_suppressions(match.accepted),
        "properties": _measures(match),
    }


def _measures(match: Match) -> dict[str, object]:
    """The numbers of the JSON report, without what the result says elsewhere and without texts."""
    document = documents.match(match)
    kept = ("similarity", "overlap", "containment", "bits", "own_bits", "coincidence", "basis", "clone_type")
    told = [key for key in ("terms", "credit") if key in document]
    return {key: document[key] for key in (*kept, "declared", "digest", "disguises", "shared_lines", *told)} | {
        "reference": match.reference_name
    }


def _trace(trace: Trace, fingerprint: str, roots: Mapping[str, str], rules: sarif_rules.Rules) -> dict[str, object]:
    first, *others = [_point(path, line, SUSPECT_ROOT) for path, line in trace.suspect[:MAX_LOCATIONS]]
    theirs = [_point(path, line, roots.get(trace.reference_name)) for path, line in trace.reference[:MAX_LOCATIONS]]
    told = f"the same in {name(trace.reference_name)}"
    related = [*({**each, "message": _message(told)} for each in theirs), *others][:MAX_LOCATIONS]
    kind = trace_kind(trace)
    return {
        "ruleId": kind,
        "ruleIndex": rules.index(kind),
        "level": "note",
        "message": _message(trace_sentence(trace)),
        "locations": [first],
        "relatedLocations": [{"id": number, **each} for number, each in enumerate(related, 1)],
        "partialFingerprints": {TRACE_FINGERPRINT: fingerprint},
        **_suppressions(trace.accepted),
        "properties": {
            "bits": rounding.bits(trace.bits),
            "packages": trace.packages,
            "reference": trace.reference_name,
        },
    }


def _remark(remark: Remark, fingerprint: str, rules: sarif_rules.Rules) -> dict[str, object]:
    kind = remark_kind(remark)
    return {
        "ruleId": kind,
        "ruleIndex": rules.index(kind),
        "level": "warning",
        "message": _message(remark_sentence(remark)),
        "locations": [_point(remark.path, remark.line, SUSPECT_ROOT)],
        "relatedLocations": [],
        "partialFingerprints": {REMARK_FINGERPRINT: fingerprint},
    }


def _suppressions(accepted: str) -> dict[str, object]:
    """Who accepted a result (3.27.23, 3.35): a comment in the source, or an entry beside it, looked at or not yet."""
    if not accepted:
        return {}
    kind = "inSource" if accepted.startswith(IN_CODE) else "external"
    status = "underReview" if accepted.startswith(f"{IN_BASELINE}{Verdict.UNREVIEWED}") else "accepted"
    return {"suppressions": [{"kind": kind, "status": status, "justification": elided(visible(accepted), MAX_REASON)}]}


def _location(span: Span, root: str | None) -> dict[str, object]:
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(span.path, root),
            "region": {"startLine": span.first_line, "endLine": span.last_line},
        },
        "logicalLocations": [{"fullyQualifiedName": elided(visible(span.qualname), 200), "kind": "function"}],
    }


def _point(path: str, line: int, root: str | None) -> dict[str, object]:
    return {"physicalLocation": {"artifactLocation": _artifact(path, root), "region": {"startLine": line}}}


def _artifact(path: str, root: str | None) -> dict[str, object]:
    return {"uri": address(path), **({"uriBaseId": root} if root else {})}


def _roots(report: Report) -> dict[str, object]:
    """What the paths are relative to, in words: where it lies on a reader's machine is not known."""
    sides = {SUSPECT_ROOT: report.suspect}
    names = _reference_roots(report)
    sides |= {names[side.name]: side for side in report.references}
    return {root: {"description": _message(_described(side))} for root, side in sides.items()}


def _described(side: Side) -> str:
    revision = f" at {name(side.revision)}" if side.revision else ""
    return f"{name(side.name)}: {elided(visible(side.target), 200)}{revision}"


def _reference_roots(report: Report) -> dict[str, str]:
    return {side.name: f"REFERENCE{number}" for number, side in enumerate(report.references, 1)}


def _notifications(report: Report, left_out: int) -> list[dict[str, object]]:
    found = []
    if left_out > 0:
        found.append(
            _notification(
                sarif_rules.CUT,
                f"{left_out:,} results are left out, since code scanning takes {MAX_RESULTS:,}; --format json has all",
            )
        )
    roots = {report.suspect.name: SUSPECT_ROOT, **_reference_roots(report)}
    found += [_unread(skipped, roots) for skipped in report.skipped[:MAX_NOTIFICATIONS]]
    more = len(report.skipped) - MAX_NOTIFICATIONS
    if more > 0:
        found.append(_notification(sarif_rules.CUT, f"{more:,} more files were not read; --format json lists all"))
    return found


def _unread(skipped: Skipped, roots: Mapping[str, str]) -> dict[str, object]:
    side, _, path = skipped.path.partition(":")
    told = _notification(sarif_rules.UNREAD, f"{elided(visible(skipped.path))}: {elided(visible(skipped.reason), 200)}")
    if side in roots and path:
        told["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(path, roots[side])}}]
    return told


def _notification(kind: str, text: str) -> dict[str, object]:
    return {"descriptor": {"id": kind}, "level": "warning", "message": _message(text)}


def _properties(report: Report) -> dict[str, object]:
    return {
        "relation": report.relation.value,
        "strength": report.strength.value,
        "suspect": documents.side(report.suspect),
        "references": list(map(documents.side, report.references)),
        "attribution": list(map(documents.attribution, report.attribution)),
        "clusters": list(map(documents.cluster, report.clusters)),
        "evidence": list(map(documents.evidence, report.evidence)),
        "exhibits": list(map(documents.exhibit, report.exhibits)),
        "events": list(map(documents.event, report.events)),
        "examined": list(map(documents.examined, report.examined)),
        "traces": [documents.trace(trace) for trace in report.traces if not trace.suspect],
        "settings": documents.by_name(report.settings),
        "versions": documents.by_name(report.versions),
    }


def _message(text: str) -> dict[str, object]:
    """Plain text as SARIF spells it (3.11.5, 3.11.6): braces are doubled; a blank keeps brackets from being a link."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}
