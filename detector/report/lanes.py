"""The histories of the sides as lanes on one axis, as SVG that needs no script; the page has the same as a table.

Colours and strokes come from classes of the page's style sheet. Every label begins at its event and ends to the right
of it, and those further left stand higher: so no label meets another, and no leader crosses one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from detector.model import Event, Report
from detector.report.names import elided, visible
from detector.report.timeline import Window, date_of, day_number, days, windows

WIDTH = 1160.0
LEFT, RIGHT = 28.0, 246.0  # of the axis: the right margin holds the label of the last event
CHARACTER = 7.25  # advance of one character of the labels, 12 px of a monospaced font
ROW, LINE, AXIS = 17.0, 26.0, 26.0  # heights: of a row of labels, of a lane's line with its dots, of the ticks
GAP = 14.0  # between two labels of one row
LONGEST_LABEL = 32  # characters: what the right margin holds
# Of one lane: beyond, an event is a dot with its number in the table.
MOST_LABELS = 12
MOST_LANES, MOST_WINDOWS = 12, 4
MOST_EVENTS = 2_000  # dots of all lanes
MOST_TICKS = 10
_WIDE = 0x2E80  # from here on characters take two cells


@dataclass(frozen=True, slots=True)
class _Dot:
    number: int  # in the table, from 1
    event: Event
    day: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Days on the axis."""

    first: float
    last: float

    def x(self, day: float) -> float:
        """Where a day stands."""
        return LEFT + (day - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)


def timeline(report: Report) -> str:
    """One lane for each side that has dated events, the suspect's first; "" without any."""
    dots = [
        _Dot(number, event, day)
        for number, event in enumerate(report.events[:MOST_EVENTS], 1)
        if (day := days(event.at)) is not None
    ]
    if not dots:
        return ""
    known = [report.suspect.name, *(side.name for side in report.references), *(dot.event.side for dot in dots)]
    sides = [side for side in dict.fromkeys(known) if any(dot.event.side == side for dot in dots)][:MOST_LANES]
    first, last = min(dot.day for dot in dots), max(dot.day for dot in dots)
    margin = max((last - first) * 0.02, 0.5)  # so that no dot stands on the end of its lane
    scale = Scale(first - margin, last + margin)
    shaded = [window for window in windows(report) if window.side in sides][:MOST_WINDOWS]
    top = ROW * len(shaded)
    parts: list[str] = []
    for side in sides:
        lane, top = _lane(
            side, side == report.suspect.name, [dot for dot in dots if dot.event.side == side], scale, top
        )
        parts += lane
    height = top + AXIS
    head = (
        f'<svg class="timeline" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" height="{height:g}" role="img" '
        'aria-label="Events of the histories, a lane for each side; the table below has the same">'
    )
    bands = [part for number, window in enumerate(shaded) for part in _band(window, number, scale, top)]
    return "".join([head, *bands, *axis(scale, top), *parts, "</svg>"])


def _lane(side: str, is_suspect: bool, dots: Sequence[_Dot], scale: Scale, top: float) -> tuple[list[str], float]:
    """The lane's name, rows of labels, and below them its line with a dot for each event; where the next one begins."""
    rows = _rows([dot for dot in dots if dot.number in _labelled(dots)], scale)
    height = max(rows.values(), default=0) + 1
    line = top + ROW + height * ROW + LINE / 2
    end = WIDTH - RIGHT
    own = " own" if is_suspect else ""
    parts = [
        f'<text class="side" x="{LEFT:g}" y="{top + ROW:g}">{escape(elided(visible(side), 60))}</text>',
        f'<path class="lane" d="M{LEFT:g} {line:g}H{end:g}"/>',
    ]
    for dot in dots:
        x = scale.x(dot.day)
        told = f"{dot.number}: {visible(dot.event.at[:20])} {elided(visible(dot.event.text), 300)}"
        parts.append(f'<g class="event{own}"><title>{escape(told)}</title>')
        if dot.number in rows:
            base = line - LINE / 2 - rows[dot.number] * ROW
            parts.append(f'<path class="leader" d="M{x:.1f} {base - ROW / 2:.1f}V{line:g}"/>')
            parts.append(f'<text x="{x + 5:.1f}" y="{base - 3:.1f}">{escape(_label(dot))}</text>')
        parts.append(f'<circle cx="{x:.1f}" cy="{line:g}" r="4.5"/></g>')
    return parts, line + LINE / 2


def _labelled(dots: Sequence[_Dot]) -> set[int]:
    """The events that have a label: the first of each kind and the last of all, then the others by time."""
    kinds: dict[str, _Dot] = {}
    for dot in dots:
        kinds.setdefault(dot.event.kind, dot)
    chosen = dict.fromkeys(dot.number for dot in (*kinds.values(), dots[-1], *dots))
    return set(list(chosen)[:MOST_LABELS])


def _rows(dots: Sequence[_Dot], scale: Scale) -> dict[int, int]:
    """The row of each label, counted from the line: from the right, each above those whose lines it would meet."""
    rows: dict[int, int] = {}
    placed: list[tuple[float, int]] = []  # where the line of a label is, and its row
    for dot in sorted(dots, key=lambda each: (each.day, each.number), reverse=True):
        x = scale.x(dot.day)
        end = x + 5 + sum(2 if ord(char) >= _WIDE else 1 for char in _label(dot)) * CHARACTER + GAP
        rows[dot.number] = max((row for left, row in placed if left < end), default=-1) + 1
        placed.append((x, rows[dot.number]))
    return rows


def _label(dot: _Dot) -> str:
    text = f"{dot.number} {_day(int(dot.day // 1))} {visible(dot.event.kind).replace('-', ' ')}"
    while sum(2 if ord(char) >= _WIDE else 1 for char in text) > LONGEST_LABEL:
        text = f"{text[:-2]}…"
    return text


def _band(window: Window, number: int, scale: Scale, height: float) -> Iterator[str]:
    """The time of a window, over all lanes, and above them what it is."""
    x, end = scale.x(window.first), scale.x(window.last)
    between = " to ".join(dict.fromkeys(_day(int(day // 1)) for day in (window.first, window.last)))
    said = f"versions of {elided(visible(window.side), 30)} that hold it: {between}"
    is_right = x + len(said) * CHARACTER > WIDTH
    anchor = f'x="{end if is_right else x:.1f}" text-anchor="{"end" if is_right else "start"}"'
    top = number * ROW
    yield f'<rect class="window" x="{x:.1f}" y="{top:g}" width="{max(end - x, 3):.1f}" height="{height - top:g}"/>'
    yield f'<text class="said" {anchor} y="{top + ROW - 4:g}">{escape(said)}</text>'


def axis(scale: Scale, top: float) -> Iterator[str]:
    """The axis, with ticks at the beginnings of years, months or days."""
    end = WIDTH - RIGHT
    yield f'<path class="axis" d="M{LEFT:g} {top:g}H{end:g}"/>'
    for day, label in _ticks(scale):
        x = scale.x(day)
        yield f'<path class="axis" d="M{x:.1f} {top:g}v5"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{top + 18:g}">{label}</text>'


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    """Beginnings of years, months or days, at most `MOST_TICKS` of them."""
    low, high = date_of(int(scale.first // 1)), date_of(int(scale.last // 1))
    months = (high[0] - low[0]) * 12 + high[1] - low[1]
    if months > 2 * MOST_TICKS:
        step = _step((high[0] - low[0]) + 1)
        years = range(-(-low[0] // step) * step, high[0] + 1, step)
        found = [(day_number(year, 1, 1), str(year)) for year in years]
    elif months > 1:
        step = -(-months // MOST_TICKS)
        places = ((low[0] * 12 + low[1] - 1 + number) for number in range(0, months + 1, step))
        found = [
            (day_number(place // 12, place % 12 + 1, 1), f"{place // 12:04}-{place % 12 + 1:02}") for place in places
        ]
    else:
        step = -(-int(scale.last - scale.first + 1) // MOST_TICKS)
        found = [(day, _day(day)) for day in range(int(scale.first // 1), int(scale.last // 1) + 1, step)]
    return [(float(day), label) for day, label in found if scale.first <= day <= scale.last]


def _step(years: int) -> int:
    """A round number of years that gives at most `MOST_TICKS` ticks."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000) if years / step <= MOST_TICKS)


def _day(number: int) -> str:
    year, month, day = date_of(number)
    return f"{year:04}-{month:02}-{day:02}"
