"""The nouns of `detector.model` as JSON objects: what the machine formats are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from detector.model import (
    Attribution,
    Cluster,
    Correspondence,
    Event,
    Evidence,
    Examined,
    Exhibit,
    Flow,
    FlowPair,
    Match,
    NamePair,
    Place,
    Remark,
    Report,
    Side,
    Similarities,
    Skipped,
    Span,
    Terms,
    Texts,
    Trace,
)
from detector.report import figure_documents, rounding

SCHEMA = "detector-report/1"

_BEYOND_ASCII = re.compile("[^\n -~]+")

Value = float | int | str
_Any = TypeVar("_Any")


def dumps(document: object, indent: int | None = None) -> str:
    """Write a document as JSON that is safe to show and to encode; without `indent` on one line.

    Errors: a measure that is not a finite number is a `ValueError`: it has no place in JSON.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    return _BEYOND_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """Letters as they are; what a terminal obeys, hides or reorders by, and lone surrogates, by their code."""
    text = _whole(found.group())
    return (
        text if text.isprintable() else "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
    )


def _whole(text: str) -> str:
    """The same with each pair of surrogates as the one character that every reader of JSON takes it for."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def by_name(values: Mapping[str, _Any]) -> dict[str, _Any]:
    """The same sorted by name, as a reader of the document sees the names."""
    return dict(sorted(values.items(), key=lambda item: _whole(item[0])))


def report(report: Report) -> dict[str, object]:
    """The whole report as one object of the schema `detector-report/1`, keys in the schema's order."""
    return {
        "schema": SCHEMA,
        "suspect": side(report.suspect),
        "references": [side(each) for each in report.references],
        "relation": report.relation.value,
        "strength": report.strength.value,
        "matches": [match(each) for each in report.matches],
        "classes": [correspondence(pair, with_class=True) for pair in report.classes],
        "files": [correspondence(pair, with_class=False) for pair in report.files],
        "names": [name_pair(pair) for pair in report.names],
        "attribution": [attribution(line) for line in report.attribution],
        "clusters": [cluster(each) for each in report.clusters],
        "evidence": [evidence(line) for line in report.evidence],
        "exhibits": [exhibit(each) for each in report.exhibits],
        "figures": [figure_documents.figure(each) for each in report.figures],
        "events": [event(each) for each in report.events],
        "traces": [trace(each) for each in report.traces],
        **({"similarities": similarities(report.similarities)} if report.similarities else {}),
        "remarks": [remark(each) for each in report.remarks],
        "examined": [examined(each) for each in report.examined],
        "skipped": [skipped(each) for each in report.skipped],
        "settings": by_name(report.settings),
        "versions": by_name(report.versions),
    }


def side(side: Side) -> dict[str, Value]:
    return {
        "target": side.target,
        "name": side.name,
        "revision": side.revision,
        "functions": side.functions,
        "files": side.files,
    }


def _span(span: Span) -> dict[str, Value]:
    return {
        "path": span.path,
        "qualname": span.qualname,
        "first_line": span.first_line,
        "last_line": span.last_line,
        "role": span.role.value,
    }


def match(match: Match) -> dict[str, object]:
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
        "renames": by_name(match.renames),
        "renames_by_role": {role: dict(sorted(names.items())) for role, names in sorted(match.renames_by_role.items())},
        "disguises": list(match.disguises),
        "shared_lines": {
            "suspect": [list(lines) for lines in match.suspect_lines],
            "reference": [list(lines) for lines in match.reference_lines],
        },
        "disguise_lines": {
            name: {"suspect": [list(each) for each in ours], "reference": [list(each) for each in theirs]}
            for name, (ours, theirs) in by_name(match.disguise_lines).items()
        },
        **({"texts": _texts(match.texts)} if match.texts else {}),
        **({"flows": _flows(match.flows)} if match.flows else {}),
        **({"terms": _terms(match.terms)} if match.terms else {}),
        **({"credit": match.credit} if match.credit else {}),
        **({"accepted": match.accepted} if match.accepted else {}),
    }


def _terms(terms: Terms) -> dict[str, Value]:
    return {"suspect": terms.suspect, "reference": terms.reference, "verdict": terms.verdict, "note": terms.note}


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


def trace(trace: Trace) -> dict[str, object]:
    return {
        "kind": trace.kind,
        "text": trace.text,
        "packages": trace.packages,
        "bits": rounding.bits(trace.bits),
        "suspect": _places(trace.suspect),
        "reference": {"name": trace.reference_name, "places": _places(trace.reference)},
        **({"accepted": trace.accepted} if trace.accepted else {}),
    }


def _places(places: Iterable[Place]) -> list[dict[str, Value]]:
    return [{"path": path, "line": line} for path, line in places]


def similarities(similarities: Similarities) -> dict[str, object]:
    return {
        "edges": list(similarities.edges),
        "suspect": list(similarities.suspect),
        "unrelated": [rounding.measure(share) for share in similarities.unrelated],
    }


def correspondence(pair: Correspondence, *, with_class: bool) -> dict[str, object]:
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


def name_pair(pair: NamePair) -> dict[str, object]:
    return {
        "suspect": pair.suspect,
        "reference": {"name": pair.reference_name, "identifier": pair.reference},
        "places": pair.places,
        "contradicted": pair.contradicted,
    }


def skipped(skipped: Skipped) -> dict[str, Value]:
    return {"path": skipped.path, "reason": skipped.reason}


def attribution(line: Attribution) -> dict[str, Value]:
    return {
        "reference": line.reference,
        "bits": rounding.bits(line.bits),
        "exclusive_bits": rounding.bits(line.exclusive_bits),
        "functions": line.functions,
        "share_of_suspect": rounding.ratio(line.share_of_suspect),
    }


def evidence(line: Evidence) -> dict[str, object]:
    return {
        "kind": line.kind,
        "name": line.name,
        "reference": line.reference,
        "strength": line.strength.value,
        "claim": line.claim,
        "innocent": line.innocent,
        "measures": _measures(line.measures),
        "propositions": {"derived": line.derived, "otherwise": line.otherwise},
        "method": line.method,
        "calibration": line.calibration,
        "limits": line.limits,
        "tested": list(line.tested),
        "places": _places(line.places),
        **({"accepted": line.accepted} if line.accepted else {}),
    }


def remark(remark: Remark) -> dict[str, Value]:
    return {"rule": remark.rule, "path": remark.path, "line": remark.line, "text": remark.text}


def cluster(cluster: Cluster) -> dict[str, object]:
    return {
        "name": cluster.name,
        "kinds": list(cluster.kinds),
        "strength": cluster.strength.value,
        "line": cluster.line,
    }


def examined(examined: Examined) -> dict[str, Value]:
    return {
        "kind": examined.kind,
        "reference": examined.reference,
        "possible": examined.is_possible,
        "about": examined.about,
    }


def exhibit(exhibit: Exhibit) -> dict[str, object]:
    return {
        "kind": exhibit.kind,
        "name": exhibit.name,
        "reference": exhibit.reference,
        "title": exhibit.title,
        "columns": list(exhibit.columns),
        "rows": [list(map(rounding.cell, row)) for row in exhibit.rows],
        "omitted": exhibit.omitted,
    }


def event(event: Event) -> dict[str, Value]:
    return {
        "at": event.at,
        "side": event.side,
        "kind": event.kind,
        "text": event.text,
        "revision": event.revision,
    }


def _measures(measures: Mapping[str, Value]) -> dict[str, Value]:
    return {name: rounding.measure(value) for name, value in by_name(measures).items()}


def rounded(report: Report) -> Report:
    """Give every number the decimals that JSON has: every format shows the same, also of a report that is read back."""
    return replace(
        report,
        matches=tuple(map(_rounded_match, report.matches)),
        classes=tuple(replace(pair, bits=rounding.bits(pair.bits)) for pair in report.classes),
        files=tuple(replace(pair, bits=rounding.bits(pair.bits)) for pair in report.files),
        attribution=tuple(
            replace(
                line,
                bits=rounding.bits(line.bits),
                exclusive_bits=rounding.bits(line.exclusive_bits),
                share_of_suspect=rounding.ratio(line.share_of_suspect),
            )
            for line in report.attribution
        ),
        evidence=tuple(replace(line, measures=_measures(line.measures)) for line in report.evidence),
        exhibits=tuple(
            replace(exhibit, rows=tuple(tuple(map(rounding.cell, row)) for row in exhibit.rows))
            for exhibit in report.exhibits
        ),
        traces=tuple(replace(trace, bits=rounding.bits(trace.bits)) for trace in report.traces),
        figures=tuple(map(figure_documents.rounded, report.figures)),
    )


def _rounded_match(match: Match) -> Match:
    return replace(
        match,
        similarity=rounding.ratio(match.similarity),
        overlap=rounding.ratio(match.overlap),
        containment=rounding.ratio(match.containment),
        bits=rounding.bits(match.bits),
        own_bits=rounding.bits(match.own_bits),
        coincidence=rounding.ratio(match.coincidence),
    )
