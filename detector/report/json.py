"""The machine's report: schema `detector-report/1`, published beside this file as `detector-report-1.schema.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from detector.model import (
    Attribution,
    Correspondence,
    Evidence,
    Flow,
    FlowPair,
    Match,
    Report,
    Side,
    Similarities,
    Span,
    Texts,
    Trace,
)
from detector.report import rounding

SCHEMA = "detector-report/1"

# What a terminal obeys, hides or reorders by, beyond the control characters that JSON escapes anyway; lone surrogates
# besides, which have no UTF-8 form.
_UNSAFE = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")

_Value = float | int | str


def render(report: Report) -> str:
    """Write the report as one JSON document with a final newline.

    Stable: keys in the schema's order, or sorted where they are data; no rounding noise.
    Errors: a measure that is not a finite number is a `ValueError`: it has no place in JSON.
    """
    document = {
        "schema": SCHEMA,
        "suspect": _side(report.suspect),
        "references": [_side(side) for side in report.references],
        "relation": report.relation.value,
        "strength": report.strength.value,
        "matches": [_match(match) for match in report.matches],
        "classes": [_correspondence(pair, with_class=True) for pair in report.classes],
        "files": [_correspondence(pair, with_class=False) for pair in report.files],
        "names": [
            {
                "suspect": pair.suspect,
                "reference": {"name": pair.reference_name, "identifier": pair.reference},
                "places": pair.places,
                "contradicted": pair.contradicted,
            }
            for pair in report.names
        ],
        "attribution": [_attribution(line) for line in report.attribution],
        "evidence": [_evidence(line) for line in report.evidence],
        "traces": [_trace(trace) for trace in report.traces],
        **({"similarities": _similarities(report.similarities)} if report.similarities else {}),
        "skipped": [{"path": skipped.path, "reason": skipped.reason} for skipped in report.skipped],
        "settings": dict(sorted(report.settings.items())),
        "versions": dict(sorted(report.versions.items())),
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "\n"


def _side(side: Side) -> dict[str, _Value]:
    return {
        "target": side.target,
        "name": side.name,
        "revision": side.revision,
        "functions": side.functions,
        "files": side.files,
    }


def _span(span: Span) -> dict[str, _Value]:
    return {
        "path": span.path,
        "qualname": span.qualname,
        "first_line": span.first_line,
        "last_line": span.last_line,
        "role": span.role.value,
    }


def _match(match: Match) -> dict[str, object]:
    return {
        "suspect": _span(match.suspect),
        "reference": {"name": match.reference_name, **_span(match.reference)},
        "similarity": rounding.ratio(match.similarity),
        "overlap": rounding.ratio(match.overlap),
        "containment": rounding.ratio(match.containment),
        "bits": rounding.bits(match.bits),
        "own_bits": rounding.bits(match.own_bits),
        "coincidence": rounding.ratio(match.coincidence),
        "basis": match.basis.value,
        "clone_type": match.clone_type.value,
        "declared": match.is_declared,
        "digest": match.digest,
        "renames": dict(sorted(match.renames.items())),
        "disguises": list(match.disguises),
        "shared_lines": {
            "suspect": [list(lines) for lines in match.suspect_lines],
            "reference": [list(lines) for lines in match.reference_lines],
        },
        "disguise_lines": {
            name: {"suspect": [list(each) for each in ours], "reference": [list(each) for each in theirs]}
            for name, (ours, theirs) in sorted(match.disguise_lines.items())
        },
        **({"texts": _texts(match.texts)} if match.texts else {}),
        **({"flows": _flows(match.flows)} if match.flows else {}),
    }


def _texts(texts: Texts) -> dict[str, object]:
    return {
        "suspect": texts.suspect,
        "reference": texts.reference,
        "unrenamed": texts.unrenamed,
        "undone": texts.undone,
        "equal": [list(run) for run in texts.equal],
        "equal_as_published": [list(run) for run in texts.equal_as_published],
    }


def _flows(pair: FlowPair) -> dict[str, object]:
    return {
        "suspect": _flow(pair.suspect),
        "reference": _flow(pair.reference),
        "same": [list(nodes) for nodes in pair.same],
    }


def _flow(flow: Flow) -> dict[str, object]:
    return {
        "nodes": [[node.operation, node.name, node.line] for node in flow.nodes],
        "edges": [list(edge) for edge in flow.edges],
        "omitted": flow.omitted,
    }


def _trace(trace: Trace) -> dict[str, object]:
    return {
        "kind": trace.kind,
        "text": trace.text,
        "packages": trace.packages,
        "bits": rounding.bits(trace.bits),
        "suspect": [{"path": path, "line": line} for path, line in trace.suspect],
        "reference": {
            "name": trace.reference_name,
            "places": [{"path": path, "line": line} for path, line in trace.reference],
        },
    }


def _similarities(similarities: Similarities) -> dict[str, object]:
    return {
        "edges": list(similarities.edges),
        "suspect": list(similarities.suspect),
        "unrelated": [rounding.ratio(share) for share in similarities.unrelated],
    }


def _correspondence(pair: Correspondence, *, with_class: bool) -> dict[str, object]:
    suspect: dict[str, object] = {"path": pair.suspect_path}
    reference: dict[str, object] = {"name": pair.reference_name, "path": pair.reference_path}
    if with_class:
        suspect["class"], reference["class"] = pair.suspect_class, pair.reference_class
    return {
        "suspect": {**suspect, "functions": pair.suspect_functions},
        "reference": {**reference, "functions": pair.reference_functions},
        "functions": pair.functions,
        "bits": rounding.bits(pair.bits),
        "names": dict(pair.names),
    }


def _attribution(line: Attribution) -> dict[str, _Value]:
    return {
        "reference": line.reference,
        "bits": rounding.bits(line.bits),
        "exclusive_bits": rounding.bits(line.exclusive_bits),
        "functions": line.functions,
        "share_of_suspect": rounding.ratio(line.share_of_suspect),
    }


def _evidence(line: Evidence) -> dict[str, object]:
    return {
        "kind": line.kind,
        "name": line.name,
        "reference": line.reference,
        "strength": line.strength.value,
        "claim": line.claim,
        "innocent": line.innocent,
        "measures": _measures(line.measures),
    }


def _measures(measures: Mapping[str, _Value]) -> dict[str, _Value]:
    return {name: rounding.measure(value) for name, value in sorted(measures.items())}
