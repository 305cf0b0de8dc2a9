"""One family as SVG that needs no script: a row for each member, the younger the further right, below its parent.

Rows keep every label apart from every other one, however many members there are. Colours and strokes come from classes
of the page's style sheet. What a colour or a stroke says is said in words beside it, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from detector.report import descents
from detector.report.descents import CONTRADICTED, Row
from detector.report.names import elided, visible
from detector.report.timeline import date_of, day_number, days
from detector.scanned import Descent, Family, Lineage

WIDTH = 1160.0
CHARACTER = 7.25  # advance of one character of the labels, 12 px of a monospaced font
ROW, AXIS = 20.0, 26.0  # heights: of a member, of the dates above all
LEFT, DATED = 10.0, 380.0  # where the first date stands, and how wide all dates are
STEP = 16.0  # a child stands at least so much further right than its parent, so that the line to it is seen
RIGHTMOST = 640.0  # of a dot: some seventy characters of a label are left
LONGEST_NAME = 56
MOST_TICKS = 5
# Of a piece: a drawing cannot be broken, and this is what a printed page has room for.
MOST_ROWS = 60
_WIDE = 0x2E80  # from here on characters take two cells


@dataclass(frozen=True, slots=True)
class _Dot:
    row: Row
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Line:
    top: float
    bottom: float
    path: str


def drawing(lineage: Lineage, family: Family, label: str) -> str:
    """Draw the trees of a family, one piece below the other; `label` says what it is to whom cannot see it."""
    rows = descents.rows(lineage, family)
    dates = {member.name: day for member in lineage.members if (day := days(member.created)) is not None}
    own = [dates[row.name] for row in rows if row.name in dates]
    first, last = (min(own), max(own)) if own else (0.0, 0.0)
    top = AXIS if last > first else ROW / 2
    dots: dict[str, _Dot] = {}
    for number, row in enumerate(rows):
        left = LEFT + (dates.get(row.name, first) - first) / max(last - first, 1e-9) * DATED
        above = descents.stem(row.descent, set(dots))
        x = max(left, dots[above].x + STEP) if above else left
        dots[row.name] = _Dot(row, min(x, RIGHTMOST), top + number * ROW + ROW / 2)
    end = top + len(rows) * ROW + 4
    axis = list(_axis(first, last, end)) if last > first else []
    lines = [line for dot in dots.values() for line in _lines(dot, dots)]
    labels = [(dot.y, _labelled(dot, dots)) for dot in dots.values()]
    edges = [0.0, *(top + number * ROW for number in range(MOST_ROWS, len(rows), MOST_ROWS)), end]
    return "".join(_piece(label, (begin, until), axis, lines, labels) for begin, until in pairwise(edges))


def _piece(
    label: str,
    span: tuple[float, float],
    axis: Sequence[str],
    lines: Sequence[_Line],
    labels: Sequence[tuple[float, str]],
) -> str:
    """What lies between two heights; lines that go on are in both pieces."""
    begin, end = span
    parts = [*axis, *(line.path for line in lines if line.top <= end and line.bottom >= begin)]
    parts += [text for y, text in labels if begin <= y < end]
    return (
        f'<svg class="descents" viewBox="0 {begin:g} {WIDTH:g} {end - begin:g}" width="{WIDTH:g}" '
        f'height="{end - begin:g}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _lines(dot: _Dot, dots: Mapping[str, _Dot]) -> Iterator[_Line]:
    """From the parent down, then across; from further parents of a mixture in a curve."""
    descent = dot.row.descent
    own = [each for each in descent.parents if each in dots and each != dot.row.name] if descent else []
    for number, name in enumerate(own):
        parent = dots[name]
        kinds = "" if descent and descent.is_decided else " open"
        if descent and descent.declaration == CONTRADICTED:
            kinds += " contradicted"
        if number:
            bend = (parent.x + dot.x) / 2 + STEP
            path = f"M{parent.x:.1f} {parent.y:g}Q{bend:.1f} {parent.y:g} {dot.x:.1f} {dot.y:g}"
            kinds += " mixed"
        else:
            path = f"M{parent.x:.1f} {parent.y:g}V{dot.y:g}H{dot.x:.1f}"
        path = f'<path class="step{kinds}" d="{path}"/>'
        yield _Line(min(parent.y, dot.y), max(parent.y, dot.y), path)


def _labelled(dot: _Dot, dots: Mapping[str, _Dot]) -> str:
    row, x = dot.row, dot.x + 9
    name = visible(row.name)
    said = _said(row.descent, dots)
    room = int((WIDTH - x) / CHARACTER)
    shown = _fitting(name, min(LONGEST_NAME, room))
    left = room - _cells(shown) - 1
    rest = f' <tspan class="how">{escape(_fitting(said, left))}</tspan>' if said and left > 8 else ""
    kinds = " root" if row.descent is None else ""
    return (
        f'<g class="member{kinds}"><title>{escape(elided(name, 300))}{escape(f": {said}" if said else "")}</title>'
        f'<circle cx="{dot.x:.1f}" cy="{dot.y:g}" r="4.5"/>'
        f'<text x="{x:.1f}" y="{dot.y + 4:g}">{escape(shown)}{rest}</text></g>'
    )


def _said(descent: Descent | None, dots: Mapping[str, _Dot]) -> str:
    if descent is None:
        return ""
    told = [descents.distance(descent.distance)]
    if descent.declaration == CONTRADICTED:
        told.append("contradicted")
    if not descent.is_decided:
        told.append("undecided")
    if descent.against:
        told.append("against " + " and ".join(descent.against))
    if len(descent.parents) > 1:
        told.append(descents.mixed(descent))
    elif descent.parents[0] not in dots:
        told.append(f"from {visible(descent.parents[0])} of another family")
    return ", ".join(told)


def _cells(text: str) -> int:
    return sum(2 if ord(char) >= _WIDE else 1 for char in text)


def _fitting(text: str, room: int) -> str:
    """Leave out the middle of what is wider than there is room."""
    most = max(room, 3)
    shown = elided(text, most)
    while _cells(shown) > room and most > 3:
        most -= 1
        shown = elided(text, most)
    return shown


def _axis(first: float, last: float, height: float) -> Iterator[str]:
    for day, label in _ticks(first, last):
        x = LEFT + (day - first) / (last - first) * DATED
        yield f'<path class="axis" d="M{x:.1f} {AXIS - 6:g}V{height:g}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{AXIS - 10:g}">{label}</text>'


def _ticks(first: float, last: float) -> Sequence[tuple[float, str]]:
    """Beginnings of months in equal steps; of a shorter time its first day."""
    low, high = date_of(int(first // 1)), date_of(int(last // 1))
    begin, end = low[0] * 12 + low[1], high[0] * 12 + high[1] - 1
    step = max(1, -(-(end - begin + 1) // MOST_TICKS))
    found = [
        (float(day_number(at // 12, at % 12 + 1, 1)), f"{at // 12:04}-{at % 12 + 1:02}")
        for at in range(begin, end + 1, step)
    ]
    inside = [(day, label) for day, label in found if first <= day <= last]
    year, month, date = low
    return inside or [(first, f"{year:04}-{month:02}-{date:02}")]
