"""Histograms of the HTML report, as SVG that needs no script: bars, the expected counts as a line, and marks.

A mark is a line from the axis of values to its label. Labels begin at their line and end to the right of it, and those
further left stand higher: so no label meets another, and no line crosses one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from detector.figures import Histogram
from detector.report import figures
from detector.report.names import elided, visible

WIDTH, TALL = 1000.0, 220.0  # of the plot with its margins; of the highest bar
LEFT = 74.0  # margin for the numbers of the axis of counts
RIGHT = 16.0
AXIS = 44.0  # below the bars: numbers, and what is measured
ROW, CHARACTER, GAP = 17.0, 6.9, 14.0  # of labels: height, advance of a character, room between two of a row
LONGEST_LABEL = 40  # characters
MOST_MARKS = 12  # that have a line; the table has all
MOST_BINS = 1_000  # bars: as many as there are points across
MOST_TICKS, MOST_LEVELS = 12, 5
FEWEST_FOR_CURVE = 24  # bins from which on the expected counts are a curve; a step for each of fewer


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    end: float  # of the axis

    def x(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return LEFT + (inside - self.low) / (self.high - self.low) * (self.end - LEFT)


@dataclass(frozen=True, slots=True)
class _Mark:
    value: float
    label: str

    @property
    def width(self) -> float:
        return figures.cells(self.label) * CHARACTER + 6


def svg(histogram: Histogram) -> str:
    """Draw it; "" without any bin."""
    if len(histogram.edges) < 2:
        return ""
    low, high = figures.domain(histogram)
    marks = [_mark(label, value, low, high) for label, value in histogram.marks[:MOST_MARKS]]
    scale = _Scale(low, high, _end(marks, low, high))
    rows = _rows(marks, scale)
    top = max((row + 1 for row in rows), default=0) * ROW + 8
    base = top + TALL
    highest = max(*histogram.observed, *histogram.expected, 0) or 1
    said = f"Counts by {visible(elided(histogram.measure))}: bars; the table below has the numbers"
    parts = [
        f'<svg class="bars" viewBox="0 0 {WIDTH:g} {base + AXIS:g}" width="{WIDTH:g}" height="{base + AXIS:g}" '
        f'role="img" aria-label="{escape(said)}">'
    ]
    parts += _levels(highest, scale, base)
    parts += _bars(histogram, highest, scale, base)
    if histogram.expected:
        parts.append(f'<path class="expected" d="{_expected(histogram, highest, scale, base)}"/>')
    parts += _axis(histogram, scale, base)
    for mark, row in zip(marks, rows, strict=True):
        parts += _drawn(mark, row, scale, top, base)
    return "".join([*parts, "</svg>"])


def _mark(label: str, value: float, low: float, high: float) -> _Mark:
    """The label with its value; of one beyond the axis, with an arrow to where it would be."""
    said = f"{elided(visible(label), LONGEST_LABEL)} {figures.brief(value)}"
    return _Mark(value, f"{said} →" if value > high else f"← {said}" if value < low else said)


def _end(marks: Sequence[_Mark], low: float, high: float) -> float:
    """Where the axis ends, so that the labels of all marks end inside of the drawing."""
    ends = [WIDTH - RIGHT]
    for mark in marks:
        share = (min(max(mark.value, low), high) - low) / (high - low)
        if share > 0:
            ends.append(LEFT + (WIDTH - RIGHT - mark.width - LEFT) / share)
    return max(min(ends), WIDTH / 3)


def _rows(marks: Sequence[_Mark], scale: _Scale) -> list[int]:
    """The row of each label, counted from the bars: from the right, each above those whose lines it would meet."""
    rows: dict[int, int] = {}
    for number in sorted(range(len(marks)), key=lambda each: (-marks[each].value, each)):
        end = scale.x(marks[number].value) + marks[number].width + GAP
        crossed = [row for other, row in rows.items() if scale.x(marks[other].value) < end]
        rows[number] = max(crossed, default=-1) + 1
    return [rows[number] for number in range(len(marks))]


def _levels(highest: float, scale: _Scale, base: float) -> Iterator[str]:
    """Faint lines at round counts, with their numbers."""
    for level in figures.ticks(0, highest, MOST_LEVELS):
        y = base - level / highest * TALL
        yield f'<path class="level" d="M{LEFT:g} {y:.1f}H{scale.end:.1f}"/>'
        yield f'<text class="count" x="{LEFT - 8:g}" y="{y + 4:.1f}">{figures.brief(level)}</text>'


def _bars(histogram: Histogram, highest: float, scale: _Scale, base: float) -> Iterator[str]:
    step = -(-len(histogram.observed) // MOST_BINS)
    edges, observed, expected = histogram.edges, histogram.observed, histogram.expected
    for first in range(0, len(observed), step):
        count = max(observed[first : first + step])
        left, right = scale.x(edges[first]), scale.x(edges[min(first + step, len(observed))])
        gap = 1 if right - left > 4 else 0
        height = max(count, 0) / highest * TALL
        chance = f"; expected {figures.told(expected[first])}" if expected and step == 1 else ""
        told = f"{figures.told(edges[first])} to {figures.told(edges[min(first + step, len(observed))])}"
        yield (
            f'<rect x="{left + gap / 2:.1f}" y="{base - height:.1f}" width="{max(right - left - gap, 0.5):.1f}" '
            f'height="{height:.1f}"><title>{told}: {figures.told(count)}{chance}</title></rect>'
        )


def _expected(histogram: Histogram, highest: float, scale: _Scale, base: float) -> str:
    levels = [base - max(count, 0) / highest * TALL for count in histogram.expected]
    xs = [scale.x(edge) for edge in histogram.edges]
    pairs = list(zip(xs, xs[1:], levels, strict=False))
    step = -(-len(pairs) // MOST_BINS)
    if len(pairs) < FEWEST_FOR_CURVE:
        return "M" + "L".join(f"{left:.1f} {level:.1f}H{right:.1f}" for left, right, level in pairs)
    return "M" + "L".join(f"{(left + right) / 2:.1f} {level:.1f}" for left, right, level in pairs[::step])


def _axis(histogram: Histogram, scale: _Scale, base: float) -> Iterator[str]:
    yield f'<path class="axis" d="M{LEFT:g} {base:g}H{scale.end:.1f}"/>'
    for value in figures.ticks(scale.low, scale.high, MOST_TICKS):
        x = scale.x(value)
        yield f'<path class="axis" d="M{x:.1f} {base:g}v5"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{base + 18:g}">{figures.brief(value)}</text>'
    measure = escape(elided(visible(histogram.measure), 100))
    yield f'<text class="measure" x="{(LEFT + scale.end) / 2:.1f}" y="{base + 37:g}">{measure}</text>'


def _drawn(mark: _Mark, row: int, scale: _Scale, top: float, base: float) -> Iterator[str]:
    x, y = scale.x(mark.value), top - 8 - row * ROW
    yield f'<path class="mark" d="M{x:.1f} {y - ROW + 5:.1f}V{base:g}"/>'
    yield f'<text class="label" x="{x + 6:.1f}" y="{y - 3:.1f}">{escape(mark.label)}</text>'
