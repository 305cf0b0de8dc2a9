"""The report as one JSON object a line, for tools that read a stream: schema `detector-records/1`, published beside it.

The first line says what was compared and how many records of each kind follow; nothing that the JSON report has is left
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from detector.model import Report
from detector.report import documents, figure_documents

SCHEMA = "detector-records/1"


def render(report: Report) -> str:
    """Write every record on a line of its own, in the order of the JSON report."""
    return "".join(lines(report))


def lines(report: Report) -> Iterator[str]:
    """The same line by line, each with its end."""
    for record, document in _records(report):
        yield documents.dumps({"record": record, **document}) + "\n"


def _records(report: Report) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "report", _head(report)
    yield from (("match", documents.match(match)) for match in report.matches)
    yield from (("class", documents.correspondence(pair, with_class=True)) for pair in report.classes)
    yield from (("file", documents.correspondence(pair, with_class=False)) for pair in report.files)
    yield from (("name", documents.name_pair(pair)) for pair in report.names)
    yield from (("attribution", documents.attribution(line)) for line in report.attribution)
    yield from (("cluster", documents.cluster(cluster)) for cluster in report.clusters)
    yield from (("evidence", documents.evidence(line)) for line in report.evidence)
    yield from (("exhibit", documents.exhibit(exhibit)) for exhibit in report.exhibits)
    yield from (("figure", figure_documents.figure(figure)) for figure in report.figures)
    yield from (("event", documents.event(event)) for event in report.events)
    yield from (("trace", documents.trace(trace)) for trace in report.traces)
    if report.similarities:
        yield "similarities", documents.similarities(report.similarities)
    yield from (("remark", documents.remark(remark)) for remark in report.remarks)
    yield from (("examined", documents.examined(examined)) for examined in report.examined)
    yield from (("skipped", documents.skipped(skipped)) for skipped in report.skipped)


def _head(report: Report) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "suspect": documents.side(report.suspect),
        "references": [documents.side(side) for side in report.references],
        "relation": report.relation.value,
        "strength": report.strength.value,
        "settings": documents.by_name(report.settings),
        "versions": documents.by_name(report.versions),
        "counts": {
            "match": len(report.matches),
            "class": len(report.classes),
            "file": len(report.files),
            "name": len(report.names),
            "attribution": len(report.attribution),
            "cluster": len(report.clusters),
            "evidence": len(report.evidence),
            "exhibit": len(report.exhibits),
            "figure": len(report.figures),
            "event": len(report.events),
            "trace": len(report.traces),
            "similarities": int(report.similarities is not None),
            "remark": len(report.remarks),
            "examined": len(report.examined),
            "skipped": len(report.skipped),
        },
    }
