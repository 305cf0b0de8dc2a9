"""Literal traces at a terminal: the strongest of each kind, and where they stand on either side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from detector.model import Report, Trace
from detector.report import layout
from detector.report.names import visible

MAX_TRACES = 8
MAX_OF_A_KIND = 3  # a hundred comments must not hide the one misspelt word


def section(report: Report, width: int) -> Iterator[RenderableType]:
    """Lay out the strongest traces.

    Ties: the report's order.
    """
    if not report.traces:
        return
    yield Text("Traces: small things that both have and few others do", "bold")
    shown = strongest(report.traces)
    for trace in shown:
        yield layout.indented(_trace(trace, report, width - layout.INDENT))
    if len(report.traces) > len(shown):
        yield layout.indented(Text(f"… and {len(report.traces) - len(shown):,} more; --format json lists all"))


def strongest(traces: tuple[Trace, ...]) -> list[Trace]:
    """The first traces, but only a few of each kind while others wait."""
    kinds: Counter[str] = Counter()
    first: list[Trace] = []
    rest: list[Trace] = []
    for trace in traces:
        kinds[trace.kind] += 1
        (first if kinds[trace.kind] <= MAX_OF_A_KIND else rest).append(trace)
    chosen = {id(trace) for trace in [*first, *rest][:MAX_TRACES]}
    return [trace for trace in traces if id(trace) in chosen]


def _trace(trace: Trace, report: Report, width: int) -> Text:
    """Kind, text and bits on a line, the two places below."""
    total = report.settings.get("background_packages", 0)
    owners = f"in {trace.packages or 'none'} of {layout.measure(total)} packages"
    measures = Text(f"{layout.bits(trace.bits)} bits, {owners}{', accepted' if trace.accepted else ''}", "dim")
    kind = f"{visible(trace.kind).replace('-', ' ')}  "
    text = Text(kind, "cyan").append(layout.elide(visible(trace.text), width - len(kind)))
    ours, theirs = (_first(places) for places in (trace.suspect, trace.reference))
    name = layout.name(trace.reference_name)
    room = width - layout.INDENT - len(" ← ") - len(name) - 1
    ours, theirs = layout.both(ours, theirs, room)
    places = Text(" " * layout.INDENT).append(f"{ours} ← {name} {theirs}", "dim")
    return layout.beside(text, measures, width).append("\n").append_text(places)


def _first(places: Sequence[tuple[str, int]]) -> str:
    """One place; a report that is read back need not have any."""
    return f"{visible(places[0][0])}:{places[0][1]}" if places else "…"
