"""The figures of a report as its page shows them: a drawing, what it is coloured by, and a table with the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.figures import Figure, Histogram, Matrix, Mosaic
from detector.model import Report
from detector.report import bars, figures, heat, mosaics

MOST_FIGURES = 60  # of a page: more are told by number
MOST_DRAWN = 20_000  # tiles, bins and cells of all figures together: as many elements stay quick to scroll
MOST_ROWS = 2_000  # of a table, as of the other tables of the page
MOST_COLUMNS = heat.MOST_SHOWN  # of a matrix

Cell = float | str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure as the page shows it."""

    figure: Figure
    link: str
    svg: str
    legend: tuple[tuple[str, figures.Category], ...]  # of a mosaic: the swatch of each category
    scale: str  # of a matrix: its colours
    columns: tuple[str, ...]
    numbers: tuple[bool, ...]  # which columns hold numbers
    rows: tuple[tuple[Cell, ...], ...]
    left: int  # rows that the JSON report has besides
    undrawn: int  # tiles, rows or columns that the drawing lacks


def pictures(report: Report) -> tuple[list[Picture], list[Picture], int]:
    """Those of the nearest reference, those of the others, and how many there are besides."""
    found = figures.ordered(report)
    left = MOST_DRAWN
    near: list[Picture] = []
    far: list[Picture] = []
    for number, figure in enumerate(found[:MOST_FIGURES], 1):
        size = _size(figure)
        (near if figures.is_of_nearest(figure, report) else far).append(
            _picture(figure, f"figure-{number}", is_drawn=size <= left)
        )
        left -= min(size, left)
    return near, far, max(len(found) - MOST_FIGURES, 0)


def _size(figure: Figure) -> int:
    match figure:
        case Histogram():
            return min(len(figure.observed), bars.MOST_BINS)
        case Matrix():
            return min(len(figure.rows), heat.MOST_SHOWN) * min(len(figure.columns), heat.MOST_SHOWN)
        case Mosaic():
            return min(len(figure.tiles), mosaics.MOST_TILES)


def _picture(figure: Figure, link: str, *, is_drawn: bool) -> Picture:
    svg, scale, undrawn = "", "", 0
    legend: tuple[tuple[str, figures.Category], ...] = ()
    match figure:
        case Histogram():
            svg = bars.svg(figure) if is_drawn else ""
            columns: tuple[str, ...] = ("from", "to", "observed", "expected")[: 4 if figure.expected else 3]
            numbers: tuple[bool, ...] = (True,) * len(columns)
            rows: Iterator[tuple[Cell, ...]] = _bins(figure)
            total = len(figure.observed)
        case Matrix():
            svg = heat.svg(figure) if is_drawn else ""
            scale = heat.scale(figure)
            columns = ("", *figure.columns[:MOST_COLUMNS])
            numbers = (False, *(True for _ in columns[1:]))
            rows = ((name, *row[:MOST_COLUMNS]) for name, row in zip(figure.rows, figure.values, strict=True))
            total = len(figure.rows)
            undrawn = max(len(figure.rows) - heat.MOST_SHOWN, 0) + max(len(figure.columns) - heat.MOST_SHOWN, 0)
        case Mosaic():
            svg = mosaics.svg(figure) if is_drawn else ""
            legend = tuple((mosaics.swatch(category), category) for category in figures.legend(figure))
            columns = ("group", "in the suspect", "in the reference", "category", "size", "note")
            numbers = (False, False, False, False, True, False)
            rows = _tiles(figure)
            total = len(figure.tiles)
            undrawn = max(len(figure.tiles) - mosaics.MOST_TILES, 0)
    shown = tuple(row for row, _ in zip(rows, range(MOST_ROWS), strict=False))
    return Picture(figure, link, svg, legend, scale, columns, numbers, shown, total - len(shown), undrawn)


def _bins(figure: Histogram) -> Iterator[tuple[Cell, ...]]:
    columns: Sequence[Sequence[float]] = (figure.edges, figure.edges[1:], figure.observed)
    yield from zip(*columns, *([figure.expected] if figure.expected else []), strict=False)


def _tiles(figure: Mosaic) -> Iterator[tuple[Cell, ...]]:
    for tile in figure.tiles:
        yield tile.group, tile.label, tile.counterpart, tile.category, tile.size, tile.note
