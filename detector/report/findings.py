"""Matches, traces and evidence as findings of an analysis service: stable kinds, fingerprints, sentences, addresses."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from detector.model import CloneType, Evidence, Match, Relation, Remark, Report, Span, Strength, Trace
from detector.report import licences
from detector.report.names import elided, visible
from detector.report.words import CLONE_TYPES, basis

# The kinds of the ledger (`Evidence.name`), which are stable names of rules too.
KINDS = {
    CloneType.LAYOUT: "code/same-function",
    CloneType.RENAMED: "code/renamed-function",
    CloneType.EDITED: "code/rewritten-function",
    CloneType.REWRITTEN: "code/rewritten-function",
}
TRACE_KINDS = {
    "comment": "traces/same-comment",
    "string": "traces/rare-string",
    "number": "traces/magic-number",
    "misspelling": "traces/same-misspelling",
    "unused-import": "traces/same-unused-import",
    "unused-name": "traces/same-unused-name",
    "unreachable-code": "traces/same-unreachable-code",
}
OTHER_TRACE = "traces/other"
OTHER_EVIDENCE = "evidence/other"
OTHER_REMARK = "suppressions/other"
CODE = "code"  # the rule of a match in its fingerprint: the same with and without the texts that tell its clone type
# How `accepted` begins: the comment stands in the suspect's code, the entry of a baseline beside it.
IN_CODE = "ignored in the code: "
IN_BASELINE = "baseline: "
# Lines of these kinds are sums of what are findings by themselves, or say what the suspect declares.
NO_FINDINGS = ("code", "traces", "declared")
MAX_TEXT = 120  # characters of a trace's text in a sentence
MAX_CLAIM = 400  # of a claim, and of an explanation
MAX_REASON = 300  # of what accepts a finding

_RULE = re.compile(r"[a-z][a-z-]{0,39}/[a-z][a-z0-9-]{0,59}", re.ASCII)
_UNRESERVED = frozenset((string.ascii_letters + string.digits + "-._~").encode())  # RFC 3986, section 2.3


def trace_kind(trace: Trace) -> str:
    """The kind as the name of a rule: one of a fixed set, whatever a report says."""
    return TRACE_KINDS.get(trace.kind, OTHER_TRACE)


def line_kind(line: Evidence) -> str:
    """The pattern as the name of a rule: of letters and hyphens, whatever a report says."""
    kind = f"{line.kind}/{line.name}"
    return kind if _RULE.fullmatch(kind) else OTHER_EVIDENCE


def placed_lines(report: Report) -> list[Evidence]:
    """Lines of evidence that have a place in the suspect and are told by no match and no trace."""
    return [line for line in report.evidence if line.places and line.kind not in ("code", "traces")]


def is_finding(line: Evidence, report: Report) -> bool:
    """Whether a line beside the code speaks for something that the suspect does not declare, accepted or not."""
    is_declared = line.kind in NO_FINDINGS or report.relation is Relation.DERIVED_DECLARED
    return line.strength is not Strength.NONE and not is_declared


def fingerprints(report: Report) -> list[str]:
    """One for each match, in order: the same as long as the two functions, their names and files stay.

    Stable: moved lines and other matches do not change it, nor does the clone type, which only the texts tell: a match
    is the same finding with an index as with the repository. Functions that are alike in all of this are numbered.
    """
    return _distinct(
        (
            match.digest,
            CODE,
            match.suspect.path,
            match.suspect.qualname,
            match.reference_name,
            match.reference.path,
            match.reference.qualname,
        )
        for match in report.matches
    )


def trace_fingerprints(report: Report) -> list[str]:
    """One for each trace, in order."""
    return _distinct(
        (trace_kind(trace), trace.text, trace.reference_name, *_paths(trace.suspect), "", *_paths(trace.reference))
        for trace in report.traces
    )


def line_fingerprints(lines: Iterable[Evidence]) -> list[str]:
    """One for each line, in order: numbers in a claim and lines in a file do not change it.

    Stable: whether lines with places are asked about alone or among all lines of their report.
    """
    return _distinct(("evidence", line.kind, line.name, line.reference, *_paths(line.places)) for line in lines)


def remark_kind(remark: Remark) -> str:
    """The rule of a remark: of letters and hyphens, whatever a report says."""
    return remark.rule if _RULE.fullmatch(remark.rule) else OTHER_REMARK


def remark_fingerprints(report: Report) -> list[str]:
    """One for each remark, in order: those that are alike in a file are numbered, and lines do not count."""
    return _distinct(("remark", remark.rule, remark.path, remark.text) for remark in report.remarks)


def _paths(places: Sequence[tuple[str, int]]) -> Iterator[str]:
    return (path for path, _ in places)


def _distinct(keys: Iterable[tuple[str, ...]]) -> list[str]:
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for key in keys:
        number = seen[key]
        seen[key] += 1
        text = json.dumps([*key, number] if number else key)  # ASCII, and no two keys have the same
        found.append(hashlib.sha256(text.encode("ascii")).hexdigest())
    return found


def sentence(match: Match, report: Report) -> str:
    """What was measured of a match, in one line that is safe to show."""
    said = [
        f"{name(match.suspect.qualname)} computes what {name(match.reference.qualname)} of "
        f"{name(match.reference_name)} computes: {match.bits:,.1f} bits, similarity {match.similarity:.2f}, "
        f"containment {match.containment:.2f}",
        CLONE_TYPES[match.clone_type],
        basis(match, report.settings),
        "declared" if match.is_declared else "not declared",
        acceptance(match.accepted),
        f"the reference has it at {place(match.reference)}",
        elided(visible(licences.brief(match)), 200),
    ]
    return "; ".join(filter(None, said))


def trace_sentence(trace: Trace) -> str:
    """What both texts have, in one line that is safe to show."""
    kind = trace.kind.replace("-", " ") if trace.kind in TRACE_KINDS else "trace"
    at = ", ".join(f"{elided(visible(path))}:{line}" for path, line in trace.reference[:1])
    return (
        f"{kind} that {name(trace.reference_name)} has too{f' at {at}' if at else ''}: "
        f"{elided(visible(trace.text), MAX_TEXT)} ({trace.bits:,.1f} bits, in {trace.packages:,} packages of the "
        f"background){f'; {acceptance(trace.accepted)}' if trace.accepted else ''}"
    )


def line_sentence(line: Evidence) -> str:
    """What was observed, with its support and what else would explain it, in one line that is safe to show."""
    said = [
        elided(visible(line.claim), MAX_CLAIM),
        f"support {line.strength.value}",
        f"reference {name(line.reference)}" if line.reference else "",
        f"what else would explain it: {elided(visible(line.innocent), MAX_CLAIM)}",
        acceptance(line.accepted),
    ]
    return "; ".join(filter(None, said))


def remark_sentence(remark: Remark) -> str:
    """What is wrong with a comment, in one line that is safe to show."""
    return elided(visible(remark.text), MAX_CLAIM) or "a comment that accepts findings"


def acceptance(accepted: str) -> str:
    """Why a finding is not gated, in words that are safe to show; "" where it is."""
    return f"accepted: {elided(visible(accepted), MAX_REASON)}" if accepted else ""


def name(text: str) -> str:
    """A name in a sentence."""
    return elided(visible(text), 60) or "(no name)"


def place(span: Span) -> str:
    """`path:first-last` in a sentence."""
    return f"{elided(visible(span.path))}:{span.first_line}-{span.last_line}"


def address(path: str) -> str:
    """A path as a relative URI reference (RFC 3986): percent-encoded, and never out of the folder it is relative to."""
    segments = [segment for segment in path.split("/") if segment not in ("", ".", "..")]
    return "/".join(map(_encoded, segments)) or "_"


def _encoded(segment: str) -> str:
    data = segment.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)


def changed_names(renames: Mapping[str, str]) -> dict[str, str]:
    """The names that are not the same on both sides, sorted by the suspect's."""
    return {ours: theirs for ours, theirs in sorted(renames.items()) if ours != theirs}
