"""Matches and traces as a GitLab Code Quality report: what a merge request shows beside the changed lines."""

from __future__ import annotations

from detector.model import Basis, Match, Report, Trace
from detector.report import documents
from detector.report.findings import KINDS, fingerprints, sentence, trace_fingerprints, trace_kind, trace_sentence


def render(report: Report) -> str:
    """Write an array with one object for each match and each trace that has a place in the suspect.

    Stable: in the order of the report; fingerprints stay when lines move.
    """
    found = [_match(match, mark, report) for match, mark in zip(report.matches, fingerprints(report), strict=True)]
    traces = zip(report.traces, trace_fingerprints(report), strict=True)
    found += [_trace(trace, mark) for trace, mark in traces if trace.suspect]
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
