"""Which findings of a report somebody accepted: comments in the suspect's code, entries of a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from detector.baseline import Baseline, is_stronger
from detector.model import Evidence, Match, Place, Remark, Report, Trace
from detector.report.findings import (
    IN_BASELINE,
    IN_CODE,
    KINDS,
    fingerprints,
    is_finding,
    line_fingerprints,
    line_kind,
    trace_kind,
)
from detector.suppressions import Ignore, remarks

WITHOUT_EFFECT = "suppressions/without-effect"

Ignores = Mapping[str, Sequence[Ignore]]  # by path


def accept(report: Report, baseline: Baseline | None, ignores: Ignores) -> Report:
    """Say of each finding who accepted it and why, so that only the others are gated; add what is wrong with comments.

    A comment counts before an entry. What the suspect declares needs neither. A trace gates nothing: a comment marks
    it, a baseline has none. A line of evidence is accepted as far as it went: with more support it is new.
    """
    entries = baseline.entries if baseline is not None else {}
    marks = fingerprints(report) if entries else [""] * len(report.matches)
    line_marks = line_fingerprints(report.evidence) if entries else [""] * len(report.evidence)

    def of_match(match: Match, mark: str) -> str:
        if match.is_declared:
            return ""
        entry = entries.get(mark)
        return _in_code(_of_match(match, ignores)) or (f"{IN_BASELINE}{entry.accepted}" if entry else "")

    def of_line(line: Evidence, mark: str) -> str:
        if not is_finding(line, report):
            return ""
        entry = entries.get(mark)
        is_known = entry is not None and not is_stronger(line.strength, entry.strength)
        in_code = _in_code(_everywhere(line_kind(line), line.places, ignores))
        return in_code or (f"{IN_BASELINE}{entry.accepted}" if entry is not None and is_known else "")

    matches = [replace(each, accepted=of_match(each, mark)) for each, mark in zip(report.matches, marks, strict=True)]
    lines = [
        replace(each, accepted=of_line(each, mark)) for each, mark in zip(report.evidence, line_marks, strict=True)
    ]
    traces = [replace(each, accepted=_in_code(_of_trace(each, ignores))) for each in report.traces]
    found = tuple(remarks(ignores))
    return replace(report, matches=tuple(matches), evidence=tuple(lines), traces=tuple(traces), remarks=found)


def without_effect(report: Report, ignores: Ignores) -> list[Remark]:
    """Comments that accept nothing which the report finds and the suspect does not declare, by path and line."""
    used = {(path, ignore.line) for path, ignore in _used(report, ignores)}
    return [
        Remark(
            WITHOUT_EFFECT, path, each.line, f"a comment ignores {', '.join(each.rules)}, and nothing is found there"
        )
        for path, found in sorted(ignores.items())
        for each in found
        if each.fault is None and (path, each.line) not in used
    ]


def _used(report: Report, ignores: Ignores) -> Iterator[tuple[str, Ignore]]:
    for match in report.matches:
        if not match.is_declared:
            yield from _of_match(match, ignores)
    for trace in report.traces:
        yield from _of_trace(trace, ignores)
    for line in report.evidence:
        if is_finding(line, report):
            yield from _everywhere(line_kind(line), line.places, ignores)


def _of_match(match: Match, ignores: Ignores) -> list[tuple[str, Ignore]]:
    return _everywhere(KINDS[match.clone_type], [(match.suspect.path, match.suspect.first_line)], ignores)


def _of_trace(trace: Trace, ignores: Ignores) -> list[tuple[str, Ignore]]:
    return _everywhere(trace_kind(trace), trace.suspect, ignores)


def _everywhere(rule: str, places: Iterable[Place], ignores: Ignores) -> list[tuple[str, Ignore]]:
    """The comments that accept a finding at each of its places; none where one place has none."""
    found: list[tuple[str, Ignore]] = []
    if not ignores:
        return found
    for path, line in places:
        here = [(path, each) for each in ignores.get(path, ()) if each.covers(line) and each.names(rule)]
        if not here:
            return []
        found += here
    return found


def _in_code(found: Sequence[tuple[str, Ignore]]) -> str:
    """The reason of the comment that stands nearest: of the fewest lines."""
    if not found:
        return ""
    _, nearest = min(found, key=lambda each: (each[1].last - each[1].first, each[1].line))
    return f"{IN_CODE}{nearest.reason}"
