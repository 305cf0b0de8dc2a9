"""What has a place in the suspect as a GitLab Code Quality report: what a merge request shows beside changed lines."""

from __future__ import annotations

from detector.model import Basis, Evidence, Match, Remark, Report, Strength, Trace
from detector.report import documents
from detector.report.findings import (
    KINDS,
    fingerprints,
    is_finding,
    line_fingerprints,
    line_kind,
    line_sentence,
    placed_lines,
    remark_fingerprints,
    remark_kind,
    remark_sentence,
    sentence,
    trace_fingerprints,
    trace_kind,
    trace_sentence,
)


def render(report: Report) -> str:
    """Write an array with one object for each match, and each trace and line of evidence with a place in the suspect.

    What was accepted is left out: the format has no word for it, and would show it as new.

    Stable: in the order of the report; fingerprints stay when lines move.
    """
    matches = zip(report.matches, fingerprints(report), strict=True)
    found = [_match(match, mark, report) for match, mark in matches if not match.accepted]
    traces = zip(report.traces, trace_fingerprints(report), strict=True)
    found += [_trace(trace, mark) for trace, mark in traces if trace.suspect and not trace.accepted]
    placed = placed_lines(report)
    lines = zip(placed, line_fingerprints(placed), strict=True)
    found += [_line(line, mark, report) for line, mark in lines if not line.accepted]
    remarks = zip(report.remarks, remark_fingerprints(report), strict=True)
    found += [_remark(remark, mark) for remark, mark in remarks]
    return documents.dumps(found, indent=1) + "\n"


def _match(match: Match, fingerprint: str, report: Report) -> dict[str, object]:
    span = match.suspect
    return {
        "description": sentence(match, report),
        "check_name": KINDS[match.clone_type],
        "fingerprint": fingerprint,
        "severity": _severity(match),
        "location": {"path": span.path, "lines": {"begin": span.first_line, "end": span.last_line}},
    }


def _severity(match: Match) -> str:
    """By what supports the match: what is declared informs, what is believed for its company weighs less."""
    if match.is_declared:
        return "info"
    return "major" if match.basis is Basis.ALONE else "minor"


def _trace(trace: Trace, fingerprint: str) -> dict[str, object]:
    path, line = trace.suspect[0]
    return {
        "description": trace_sentence(trace),
        "check_name": trace_kind(trace),
        "fingerprint": fingerprint,
        "severity": "info",
        "location": {"path": path, "lines": {"begin": line}},
    }


def _line(line: Evidence, fingerprint: str, report: Report) -> dict[str, object]:
    """A line of evidence at the first of its places; a file as a whole is shown at its beginning."""
    path, number = line.places[0]
    severity = "info"
    if is_finding(line, report):
        severity = {Strength.WEAK: "info", Strength.MODERATE: "minor"}.get(line.strength, "major")
    return {
        "description": line_sentence(line),
        "check_name": line_kind(line),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": max(number, 1)}},
    }


def _remark(remark: Remark, fingerprint: str) -> dict[str, object]:
    return {
        "description": remark_sentence(remark),
        "check_name": remark_kind(remark),
        "fingerprint": fingerprint,
        "severity": "minor",
        "location": {"path": remark.path, "lines": {"begin": remark.line}},
    }
