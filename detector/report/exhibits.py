"""Tables and histories at a terminal: the first rows of each exhibit, and what happened when on either side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from detector.model import Event, Exhibit, Report
from detector.report import layout, summary, words
from detector.report.names import visible

MAX_EXHIBITS = 12
MAX_ROWS = 5  # of each; the JSON report has all that were kept
MAX_EVENTS = 24
MAX_CELL = 60  # cells of the terminal for one cell of a table
LEAST_CELL = 5
GAP = 2
SIDE_WIDTH = 16
DATE_DIGITS = 10  # of an event's time: the day
HEADING_LINES = 3
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DIGEST = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def section(report: Report, width: int) -> Iterator[RenderableType]:
    """The first rows of the tables that belong to lines of the ledger, in its order; without any line, of all."""
    tables = summary.exhibits(report)
    if not tables:
        return
    backed = {(line.kind, line.reference) for line in report.evidence}
    shown = [each for each in tables if not backed or not each.reference or (each.kind, each.reference) in backed]
    shown = shown[:MAX_EXHIBITS]
    yield Text("Tables to check the evidence by", "bold")
    for number, exhibit in enumerate(shown):
        if number:
            yield Text("")
        title = Text(layout.elide(visible(exhibit.title), 4 * width))
        title.append(f"  {layout.name(exhibit.kind)}/{layout.name(exhibit.name)}", "dim")
        yield layout.indented(
            title.append(f"  {layout.name(exhibit.reference)}", "dim") if exhibit.reference else title
        )
        yield layout.indented(_table(exhibit, width - 2 * layout.INDENT), 2 * layout.INDENT)
        if rest := _rest(exhibit):
            yield layout.indented(Text(rest), 2 * layout.INDENT)
    if len(tables) > len(shown):
        yield layout.indented(
            Text(f"… and {words.count(len(tables) - len(shown), 'more table')}; --format json has all")
        )


def _rest(exhibit: Exhibit) -> str:
    """What is not shown: rows that JSON has, and rows that were left out of the report."""
    more = len(exhibit.rows) - MAX_ROWS
    said = [f"{more:,} more, which --format json lists"] if more > 0 else []
    said += [f"{exhibit.omitted:,} that the report leaves out"] if exhibit.omitted else []
    return f"… and {', and '.join(said)}" if said else ""


def _table(exhibit: Exhibit, room: int) -> RenderableType:
    """Columns aligned, numbers to the right; what is too wide gives way, the widest columns first."""
    shown = max(1, (room + GAP) // (LEAST_CELL + GAP))  # columns for which there is room
    rows = [tuple(_brief(layout.cell(value)) for value in row[:shown]) for row in exhibit.rows[:MAX_ROWS]]
    headings = [visible(column) for column in exhibit.columns[:shown]]
    words_of = [max(heading.split(), key=cell_len, default="") for heading in headings]
    room -= GAP * (len(headings) - 1)
    wanted = _wanted(headings, rows)
    widths = _widths(wanted if sum(wanted) <= room else _wanted(words_of, rows), room)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim", show_header=any(headings))
    for number, (heading, cells) in enumerate(zip(headings, widths, strict=True)):
        is_number = summary.holds_numbers(exhibit.rows, number)
        table.add_column(
            Text(_folded(heading, cells)), justify="right" if is_number else "left", no_wrap=True, width=cells
        )
    for row in rows:
        table.add_row(*(Text(layout.elide(cell, cells)) for cell, cells in zip(row, widths, strict=True)))
    return table


def _wanted(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]


def _brief(cell: str) -> str:
    """A time as its day and an id by its first digits, as the timeline has them; both ends of either tell less."""
    if _TIME.fullmatch(cell):
        return cell[:DATE_DIGITS]
    return cell[: layout.REVISION_DIGITS] if _DIGEST.fullmatch(cell) else cell


def _folded(heading: str, cells: int) -> str:
    """A heading in as many lines as it takes, at most `HEADING_LINES`."""
    lines: list[str] = []
    for word in heading.split():
        if lines and cell_len(f"{lines[-1]} {word}") <= cells:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    kept = [*lines[: HEADING_LINES - 1], " ".join(lines[HEADING_LINES - 1 :])] if len(lines) > HEADING_LINES else lines
    return "\n".join(layout.elide(line, cells) for line in kept)


def _widths(wanted: Sequence[int], room: int) -> list[int]:
    """Narrow columns get what they want, and the wide ones share what is left."""
    widths = [0] * len(wanted)
    left = room
    for done, number in enumerate(sorted(range(len(wanted)), key=lambda each: wanted[each])):
        widths[number] = max(1, min(wanted[number], MAX_CELL, left // (len(wanted) - done)))
        left -= widths[number]
    return widths


def timeline(report: Report, width: int) -> Iterator[RenderableType]:
    """Day, side and event, by time; the suspect's name stands out."""
    if not report.events:
        return
    title = "Histories side by side" if report.references else "History"
    yield Text(f"{title}, by what commits claim (UTC)", "bold")
    events, half = report.events, MAX_EVENTS // 2
    first, last = (events, ()) if len(events) <= MAX_EVENTS else (events[:half], events[-half:])
    sides = max(cell_len(_side(event)) for event in (*first, *last))
    yield layout.indented(_events(first, report, sides))
    if last:
        yield layout.indented(Text(f"… {len(events) - MAX_EVENTS:,} in between; --format json lists all"))
        yield layout.indented(_events(last, report, sides))


def _events(events: Sequence[Event], report: Report, sides: int) -> RenderableType:
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(width=DATE_DIGITS, no_wrap=True, style="dim")
    grid.add_column(width=sides, no_wrap=True)
    grid.add_column(overflow="fold")
    for event in events:
        is_suspect = event.side == report.suspect.name
        text = Text(layout.elide(visible(event.text), 400))
        if event.revision:
            text.append(f"  {visible(event.revision[: layout.REVISION_DIGITS])}", "dim")
        day = layout.elide(visible(event.at[:DATE_DIGITS]), DATE_DIGITS)
        grid.add_row(Text(day), Text(_side(event), "bold" if is_suspect else ""), text)
    return grid


def _side(event: Event) -> str:
    return layout.elide(visible(event.side), SIDE_WIDTH)
