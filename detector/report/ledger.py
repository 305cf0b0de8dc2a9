"""The ledger at a terminal: what the relation rests on, each line with what else explains it, what was missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from detector.model import Evidence, Place, Remark, Report, Strength
from detector.report import layout, summary
from detector.report.findings import MAX_REASON, remark_sentence
from detector.report.names import elided, visible

MAX_LINES = 40  # what a person reads through; the JSON report has everything
MAX_PLACES = 3
MAX_TESTED = 6
MAX_TEXT = 2_000  # characters of a claim: a sentence that quotes names
STRENGTH_STYLES = {
    Strength.NONE: "dim",
    Strength.WEAK: "cyan",
    Strength.MODERATE: "yellow",
    Strength.STRONG: "bold yellow",
    Strength.VERY_STRONG: "bold magenta",
}


def rests_on(report: Report) -> list[tuple[str, Text]]:
    """A labelled row for each cluster: how strong its strongest line is, and which one that is."""
    rows = []
    for number, cluster in enumerate(report.clusters):
        text = Text(f"{layout.name(cluster.name)} ").append(cluster.strength.value, STRENGTH_STYLES[cluster.strength])
        if cluster.line:
            text.append(f" ({layout.name(cluster.line)})", "dim")
        rows.append(("rests on" if number == 0 else "", text))
    return rows


def evidence(report: Report) -> Iterator[RenderableType]:
    """Every line of the ledger, of the nearest reference first."""
    lines = summary.ledger(report)
    if not lines:
        return
    yield Text("Evidence, and what else would explain it", "bold")
    for line in lines[:MAX_LINES]:
        title = Text().append(line.strength.value, STRENGTH_STYLES[line.strength])
        title.append(f"  {visible(line.kind)}/{visible(line.name)}  {layout.name(line.reference)}")
        yield layout.indented(title)
        yield layout.indented(layout.labelled(_rows(line)))
    if len(lines) > MAX_LINES:
        yield layout.indented(Text(f"… and {len(lines) - MAX_LINES:,} more; --format json lists all"))


def _rows(line: Evidence) -> Iterator[tuple[str, Text]]:
    yield "claim", _prose(line.claim)
    yield "innocent", _prose(line.innocent)
    if line.accepted:
        yield accepted(line.accepted)
    for number, text in enumerate(line.tested[:MAX_TESTED]):
        yield "tested" if number == 0 else "", _prose(text)
    if len(line.tested) > MAX_TESTED:
        yield "", Text(f"… and {len(line.tested) - MAX_TESTED:,} more", "dim")
    if line.calibration:
        yield "calibration", _prose(line.calibration, "dim")
    if line.places:
        yield "places", Text(_places(line.places), "dim")
    if line.measures:
        told = sorted((name, value) for name, value in line.measures.items() if value != "")
        measures = (f"{visible(name)} {layout.measure(value)}" for name, value in told)
        yield "measures", Text(", ".join(measures), "dim")


def accepted(text: str) -> tuple[str, Text]:
    """The labelled row that says who accepted a finding, and why it is not gated."""
    return "accepted", Text(elided(visible(text), MAX_REASON), "green")


def remarks(remarks: Sequence[Remark], width: int) -> Iterator[RenderableType]:
    """What is wrong with comments by which the suspect accepts findings."""
    if not remarks:
        return
    yield Text(f"Comments that accept nothing as they are: {len(remarks):,}", "bold")
    for remark in remarks[:MAX_LINES]:
        place = f"{layout.elide(visible(remark.path), width // 2)}:{remark.line}"
        yield layout.indented(Text(f"{place}  ").append(remark_sentence(remark), "yellow"))
    if len(remarks) > MAX_LINES:
        yield layout.indented(Text(f"… and {len(remarks) - MAX_LINES:,} more; --format json lists all"))


def _prose(text: str, style: str = "") -> Text:
    return Text(layout.elide(visible(text), MAX_TEXT), style)


def _places(places: Sequence[Place]) -> str:
    shown = [layout.elide(visible(path), 60) + (f":{line}" if line else "") for path, line in places[:MAX_PLACES]]
    more = [f"{len(places) - MAX_PLACES:,} more"] if len(places) > MAX_PLACES else []
    return ", ".join(shown + more)


def nothing(report: Report) -> Iterator[RenderableType]:
    """Kinds of evidence that had nothing to look at, by what was missing."""
    missed = summary.nothing_to_look_at(report)
    if not missed:
        return
    yield Text("Nothing to look at", "bold")
    for each in missed[:MAX_LINES]:
        unsaid = [name for name in each.references if name and name not in each.about]
        of = f" ({', '.join(map(layout.name, unsaid))})" if unsaid else ""
        yield layout.indented(
            Text(", ".join(map(layout.name, each.kinds))).append(f": {visible(each.about)}{of}", "dim")
        )
    if len(missed) > MAX_LINES:
        yield layout.indented(Text(f"… and {len(missed) - MAX_LINES:,} more; --format json lists all"))
