"""What every format tells of figures alike: their order, the letters of a mosaic, its rows, ticks and domains."""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.figures import Figure, Histogram, Matrix, Mosaic, Tile
from detector.model import Report
from detector.report import summary
from detector.report.rounding import MEASURE_DIGITS

MOST_CATEGORIES = 40  # of a legend; more are told together, as the last
OTHERS = "other categories"
# How far an axis follows marks beyond the bins, in widths of all bins: farther, and the bins would be a sliver.
MOST_BEYOND = 2.0
LONGEST_INTEGER = 10_000_000  # of a label
_WIDE = 0x2E80  # from here on characters take two cells
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class Category:
    """One category of a mosaic, as a legend has it."""

    name: str
    letter: str
    number: int  # in the legend, from 0: what it is coloured by
    tiles: int
    size: float  # of all its tiles


@dataclass(frozen=True, slots=True)
class Row:
    """Tiles of one group, in the order of the mosaic."""

    group: str
    tiles: tuple[Tile, ...]


def ordered(report: Report) -> list[Figure]:
    """Every figure that shows something, in the order of the ledger's references and kinds.

    Those that are about all references stand where the nearest one's do.
    """
    nearest = summary.nearest(report)
    names = dict.fromkeys([nearest, *(line.reference for line in summary.ledger(report))])
    places = {name: number for number, name in enumerate(names)}
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(line.kind for line in summary.ledger(report)))}
    shown = [figure for figure in report.figures if _shows(figure)]
    return sorted(
        shown,
        key=lambda figure: (
            places.get(figure.reference or nearest, len(places)),
            kinds.get(figure.kind, len(kinds)),
        ),
    )


def is_of_nearest(figure: Figure, report: Report) -> bool:
    """Whether a figure is about the reference that the relation is about, or about all."""
    nearest = summary.nearest(report)
    return not figure.reference or not nearest or figure.reference == nearest


def _shows(figure: Figure) -> bool:
    match figure:
        case Histogram():
            return len(figure.edges) > 1
        case Matrix():
            return bool(figure.rows and figure.columns)
        case Mosaic():
            return bool(figure.tiles or figure.omitted)


def legend(mosaic: Mosaic) -> list[Category]:
    """Every category that has tiles, in the mosaic's order, each with a letter of its own.

    Letters and numbers are those of the mosaic's list, so that figures with one list are coloured alike.
    """
    tiles = Counter(tile.category for tile in mosaic.tiles)
    sizes = dict.fromkeys(tiles, 0.0)
    for tile in mosaic.tiles:
        sizes[tile.category] += max(tile.size, 0.0)
    names = list(dict.fromkeys((*mosaic.categories, *tiles)))
    kept = names if len(names) <= MOST_CATEGORIES else names[: MOST_CATEGORIES - 1]
    found = [
        Category(name, letter, number, tiles[name], sizes[name])
        for number, (name, letter) in enumerate(zip(kept, _letters(kept), strict=True))
        if tiles[name]
    ]
    rest = [name for name in names[len(kept) :] if tiles[name]]
    if rest:
        counted = sum(tiles[name] for name in rest)
        found.append(Category(OTHERS, "?", len(kept), counted, sum(sizes[name] for name in rest)))
    return found


def by_name(found: Sequence[Category], mosaic: Mosaic) -> dict[str, Category]:
    """The category of the legend that each name of a category stands under."""
    named = {category.name: category for category in found}
    return {tile.category: named.get(tile.category, found[-1]) for tile in mosaic.tiles}


def _letters(names: Iterable[str]) -> list[str]:
    """The first letter of each name that no earlier one has, in capitals; where all are taken, any that is free."""
    taken: dict[str, None] = {}
    for name in names:
        own = [char for char in name.upper()[:MOST_CATEGORIES] if char in string.ascii_uppercase]
        taken[next(char for char in (*own, *_LETTERS) if char not in taken)] = None
    return list(taken)


def rows(mosaic: Mosaic) -> list[Row]:
    """The tiles by group; groups in the order in which they come up."""
    groups: dict[str, list[Tile]] = {}
    for tile in mosaic.tiles:
        groups.setdefault(tile.group, []).append(tile)
    return [Row(group, tuple(tiles)) for group, tiles in groups.items()]


def domain(histogram: Histogram) -> tuple[float, float]:
    """What the axis of values holds: all bins, and the marks beside them as far as that leaves room for bins.

    Units: those of the edges; the end is above the beginning.
    """
    low, high = histogram.edges[0], histogram.edges[-1]
    width = high - low or max(abs(low), 1.0) * 0.5
    if high == low:
        low, high = low - width, high + width
    values = [value for _, value in histogram.marks]
    left = min([low, *(value for value in values if value >= low - MOST_BEYOND * width)])
    right = max([high, *(value for value in values if value <= high + MOST_BEYOND * width)])
    margin = (right - left) * 0.02
    return (left - margin if left < low else left), (right + margin if right > high else right)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, at most so many: steps of 1, 2 or 5 times a power of ten."""
    if not high - low > 1e-290:  # below, steps are no numbers any more
        return []
    magnitude = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (magnitude * factor for factor in (1, 2, 5, 10))
    step = next((each for each in steps if (high - low) / each < most), magnitude * 20)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def told(value: float) -> str:
    """A number of a figure, as the JSON report has it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{MEASURE_DIGITS}g}"


def brief(value: float) -> str:
    """The same for a label: four digits, or an integer that is no longer than the room beside an axis."""
    if float(value).is_integer() and abs(value) < LONGEST_INTEGER:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def extremes(matrix: Matrix) -> tuple[float, float]:
    """The least and the greatest value of a matrix; 0 and 0 of one without any."""
    values = [value for row in matrix.values for value in row if value is not None]
    return (min(values), max(values)) if values else (0, 0)


def cells(text: str) -> int:
    """How many cells of a monospaced font a text takes."""
    return sum(2 if ord(char) >= _WIDE else 1 for char in text)
