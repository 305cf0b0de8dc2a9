"""Figures in Markdown: what can be told of a picture in words and in a small table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.figures import Figure, Histogram, Matrix, Mosaic
from detector.report import figures, heat
from detector.report.escaping import code, prose

MAX_THINGS = 8  # rows and columns of a matrix: more, and its table is too wide for an issue
MAX_CATEGORIES = 15
MAX_MARKS = 10


def caption(figure: Figure) -> str:
    """A heading, and below it what the figure shows."""
    of = f" of {code(figure.reference)}" if figure.reference else ""
    lines = [f"### {prose(figure.title)}", "", f"{code(f'{figure.kind}/{figure.name}')}{of}."]
    match figure:
        case Histogram():
            lines += _histogram(figure)
        case Matrix():
            lines += _matrix(figure)
        case Mosaic():
            lines += _mosaic(figure)
    return "\n".join([*lines, "", "`--format html` draws it.", ""])


def _histogram(histogram: Histogram) -> Iterator[str]:
    """Its bins in a sentence, and the marks."""
    highest = max(range(len(histogram.observed)), key=lambda each: histogram.observed[each])
    low, high = (figures.brief(histogram.edges[each]) for each in (highest, highest + 1))
    bins = f"{len(histogram.observed):,} bins from {figures.brief(histogram.edges[0])}"
    yield ""
    yield (
        f"Counts by {prose(histogram.measure)}: {bins} to {figures.brief(histogram.edges[-1])}, the highest, "
        f"{figures.brief(histogram.observed[highest])}, from {low} to {high}."
    )
    if histogram.expected:
        yield ""
        yield f"Beside it: {prose(histogram.expected_name or 'what is expected')}."
    if histogram.marks:
        yield ""
        yield from _table(
            ("mark", "value"), [(code(label), _told(value)) for label, value in histogram.marks[:MAX_MARKS]]
        )
        yield from _more(len(histogram.marks) - MAX_MARKS)


def _told(value: float) -> str:
    """A number in a code span: outside of one, seven digits may be taken for a commit."""
    return code(figures.told(value))


def _matrix(matrix: Matrix) -> Iterator[str]:
    low, high = figures.extremes(matrix)
    yield ""
    if max(len(matrix.rows), len(matrix.columns)) > MAX_THINGS:
        yield (
            f"{len(matrix.rows):,} by {len(matrix.columns):,} numbers from {figures.brief(low)} "
            f"to {figures.brief(high)}."
        )
        return
    rows = [
        (code(name, 40), *("" if value is None else code(heat.number(value, low, high)) for value in row))
        for name, row in zip(matrix.rows, matrix.values, strict=True)
    ]
    yield from _table(("", *(code(column, 40) for column in matrix.columns)), rows)


def _mosaic(mosaic: Mosaic) -> Iterator[str]:
    """How many tiles are of each category."""
    found = figures.legend(mosaic)
    yield ""
    yield from _table(
        ("category", "tiles"),
        [(code(category.name), f"{category.tiles:,}") for category in found[:MAX_CATEGORIES]],
    )
    yield from _more(len(found) - MAX_CATEGORIES)
    if mosaic.omitted:
        yield ""
        yield f"{mosaic.omitted:,} tiles of a large mosaic left out of the report."


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    rule = ["---", *("---:" for _ in headings[1:])]
    yield from (f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))


def _more(left: int) -> Iterator[str]:
    if left > 0:
        yield ""
        yield f"… and {left:,} more; `--format json` lists all."
