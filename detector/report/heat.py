"""Matrices of the HTML report, as SVG that needs no script: a cell for each number, coloured by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from detector.figures import Matrix
from detector.report import figures
from detector.report.names import elided, visible

MOST_WITH_NUMBERS = 24  # rows and columns: more, and the numbers cannot be read
MOST_SHOWN = 100  # rows and columns that are drawn: ten thousand cells; the table and the JSON report have the others
WIDE, TALL = 46.0, 28.0  # of a cell with its number
SMALL = 15.0  # of a cell without one
CHARACTER = 6.7  # advance of one character of a label, 11 px of a monospaced font
LONGEST_LABEL = 24  # characters; the middle of what is longer gives way
SLANT = 0.7072  # sine and cosine of the 45 degrees by which the labels of columns rise
STEPS = 9  # classes h0 to h8 of the style sheet


def svg(matrix: Matrix) -> str:
    """Draw it; "" without any cell."""
    rows, columns = matrix.rows[:MOST_SHOWN], matrix.columns[:MOST_SHOWN]
    if not (rows and columns):
        return ""
    has_numbers = max(len(rows), len(columns)) <= MOST_WITH_NUMBERS
    wide, tall = (WIDE, TALL) if has_numbers else (SMALL, SMALL)
    left, above = _room(rows) + 10, _room(columns) * SLANT + 18
    width = left + len(columns) * wide + _room(columns) * SLANT
    height = above + len(rows) * tall
    said = f"{len(rows):,} rows, {len(columns):,} columns; a stronger colour is a greater number; the table has them"
    parts = [
        f'<svg class="heat" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'role="img" aria-label="{said}">'
    ]
    for number, column in enumerate(columns):
        x, y = left + (number + 0.5) * wide, above - 8
        parts.append(
            f'<text class="column" transform="translate({x:.1f} {y:.1f}) rotate(-45)">{escape(_label(column))}</text>'
        )
    for number, row in enumerate(rows):
        y = above + number * tall
        parts.append(f'<text class="row" x="{left - 8:.1f}" y="{y + tall / 2 + 4:.1f}">{escape(_label(row))}</text>')
        parts += _cells(matrix, number, left, y, (wide, tall), has_numbers)
    return "".join([*parts, "</svg>"])


def _cells(
    matrix: Matrix, row: int, left: float, top: float, size: tuple[float, float], has_numbers: bool
) -> Iterator[str]:
    low, high = figures.extremes(matrix)
    wide, tall = size
    for column, value in enumerate(matrix.values[row][:MOST_SHOWN]):
        if value is None:
            continue
        x, of = left + column * wide, f"h{step(value, low, high)}"
        told = f"{_label(matrix.rows[row])}, {_label(matrix.columns[column])}: {figures.told(value)}"
        yield (
            f'<rect class="{of}" x="{x + 0.5:.1f}" y="{top + 0.5:.1f}" width="{wide - 1:g}" height="{tall - 1:g}">'
            f"<title>{escape(told)}</title></rect>"
        )
        if has_numbers:
            place = f'x="{x + wide / 2:.1f}" y="{top + tall / 2 + 4:.1f}"'
            yield f'<text class="{of}" {place}>{number(value, low, high)}</text>'


def scale(matrix: Matrix) -> str:
    """The colours from the least to the greatest value."""
    low, high = figures.extremes(matrix)
    parts = [f'<rect class="h{each}" x="{each * 22:g}" y="0" width="22" height="14"/>' for each in range(STEPS)]
    swatch = f'<svg class="heat scale-of" viewBox="0 0 {STEPS * 22:g} 14" width="{STEPS * 22:g}" height="14" '
    return f'{figures.brief(low)} {swatch}aria-hidden="true">{"".join(parts)}</svg> {figures.brief(high)}'


def step(value: float, low: float, high: float) -> int:
    """The colour of a value: equal steps from the least to the greatest; of one value alone the middle."""
    if high <= low:
        return STEPS // 2
    return min(int((value - low) / (high - low) * STEPS), STEPS - 1)


def number(value: float, low: float, high: float) -> str:
    """A value as its cell has it: two decimals of shares and the like, else what five characters hold."""
    if isinstance(value, int) and abs(value) < 100_000:
        return f"{value}"
    if max(abs(low), abs(high)) < 10:
        return f"{value:.2f}"
    return f"{value:.3g}" if len(f"{value:.3g}") <= 6 else f"{value:.0e}"


def _room(labels: Sequence[str]) -> float:
    return max(figures.cells(_label(label)) for label in labels) * CHARACTER


def _label(text: str) -> str:
    return elided(visible(text), LONGEST_LABEL)
