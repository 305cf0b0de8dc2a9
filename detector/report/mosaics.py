"""Mosaics of the HTML report, as SVG that needs no script: a row for each group, a tile for each thing of it.

What a tile is stands in three ways: by colour, by letter, and in words in its title. Rows stand below each other as
long as they are few, and in columns beside each other where they are many, as the lines of a newspaper do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from detector.figures import Mosaic, Tile
from detector.report import figures
from detector.report.names import elided, shortened, visible

WIDTH = 1160.0
CHARACTER = 6.7  # advance of one character of a group's name, 11 px of a monospaced font
LONGEST_GROUP = 28  # characters; the middle of what is longer gives way
LONGEST_NAME = 300  # of a title
LEAST_TILE, MOST_TILE = 14.0, 26.0  # widths, of the smallest and of the largest thing: a letter must fit
TILE, GAP = 16.0, 2.0  # height of a tile; between two
COLUMN_GAP = 34.0  # between two columns of rows
MOST_IN_ONE_COLUMN = 16  # rows: what is seen at a glance needs no second column
LEAST_IN_ROW, MOST_IN_ROW = 8, 32  # tiles: what is as wide leaves room for no second column
OF_TEN_WHOLE = 9  # of ten rows so many stay on one line; longer ones take more, so that they do not widen all columns
# Drawn tiles of one mosaic: beyond some thousands a browser grows slow, and nobody looks at each. The table has more.
MOST_TILES = 3_000
COLOURS = 13  # classes c0 to c12 of the style sheet; what comes later has the colour of no category, and its letter


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of tiles; the first of a group bears its name."""

    group: str
    tiles: tuple[Tile, ...]


def svg(mosaic: Mosaic) -> str:
    """Draw it; "" without any tile."""
    rows = _drawn(mosaic)
    if not rows:
        return ""
    categories = figures.by_name(figures.legend(mosaic), mosaic)
    widths = _widths(mosaic)
    most = _most(rows)
    lines = [line for row in rows for line in _lines(row, most)]
    label = max(figures.cells(_name(line.group)) for line in lines) * CHARACTER + 8
    column = label + max(_width(line, widths) for line in lines)
    columns = _columns(len(lines), column)
    high = -(-len(lines) // columns)
    width = max(columns * (column + COLUMN_GAP) - COLUMN_GAP, 1.0)
    height = high * (TILE + GAP)
    said = f"{len(mosaic.tiles):,} tiles in {len(rows):,} rows, coloured by category; the table below has the same"
    parts = [
        f'<svg class="mosaic" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'role="img" aria-label="{escape(said)}">'
    ]
    for number, line in enumerate(lines):
        left, top = number // high * (column + COLUMN_GAP), number % high * (TILE + GAP)
        parts += _row(line, left, top, label, widths, categories)
    return "".join([*parts, "</svg>"])


def swatch(category: figures.Category) -> str:
    """The tile of a category as the legend shows it."""
    return (
        '<svg class="mosaic swatch" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        f'<rect class="{colour(category)}" x=".5" y=".5" width="15" height="15" rx="2"/>'
        f'<text class="{colour(category)}" x="8" y="12">{escape(category.letter)}</text></svg>'
    )


def colour(category: figures.Category) -> str:
    """The class that colours a category."""
    return f"c{category.number}" if category.number < COLOURS else "cx"


def _drawn(mosaic: Mosaic) -> list[figures.Row]:
    """The rows of the tiles that are drawn."""
    kept = Mosaic("", "", "", "", (), mosaic.tiles[:MOST_TILES])
    return figures.rows(kept)


def _widths(mosaic: Mosaic) -> Mapping[float, float]:
    """The width of a tile by its size: the logarithm, since sizes differ by factors of millions."""
    logs = {tile.size: math.log(max(tile.size, 1.0)) for tile in mosaic.tiles}
    low, high = min(logs.values()), max(logs.values())
    scale = (MOST_TILE - LEAST_TILE) / (high - low) if high > low else 0.0
    return {size: round(LEAST_TILE + (log - low) * scale) for size, log in logs.items()}


def _most(rows: Sequence[figures.Row]) -> int:
    """Tiles of one line."""
    lengths = sorted(len(row.tiles) for row in rows)
    return min(max(lengths[(len(lengths) * OF_TEN_WHOLE - 1) // 10], LEAST_IN_ROW), MOST_IN_ROW)


def _lines(row: figures.Row, most: int) -> Iterator[_Line]:
    """A row in as many lines as it takes."""
    for start in range(0, len(row.tiles), most):
        yield _Line(row.group if start == 0 else "", row.tiles[start : start + most])


def _width(line: _Line, widths: Mapping[float, float]) -> float:
    return sum(widths[tile.size] + GAP for tile in line.tiles)


def _columns(lines: int, width: float) -> int:
    if lines <= MOST_IN_ONE_COLUMN:
        return 1
    return max(1, min(int((WIDTH + COLUMN_GAP) // (width + COLUMN_GAP)), -(-lines // MOST_IN_ONE_COLUMN)))


def _row(
    line: _Line,
    left: float,
    top: float,
    label: float,
    widths: Mapping[float, float],
    categories: Mapping[str, figures.Category],
) -> Iterator[str]:
    """The group's name, its tiles with their titles, and over them their letters."""
    if line.group:
        name = f"<title>{escape(_shown(line.group))}</title>{escape(_name(line.group))}"
        yield f'<text class="group" x="{left:.1f}" y="{top + TILE - 4:.1f}">{name}</text>'
    x = left + label
    letters: dict[str, list[tuple[float, str]]] = {}
    for tile in line.tiles:
        category = categories[tile.category]
        width = widths[tile.size]
        of = colour(category)
        yield (
            f'<rect class="{of}" x="{x + 0.5:.1f}" y="{top + 0.5:.1f}" width="{width - 1:.1f}" '
            f'height="{TILE - 1:g}" rx="2"><title>{escape(title(tile))}</title></rect>'
        )
        letters.setdefault(of, []).append((x + width / 2, category.letter))
        x += width + GAP
    for of, placed in letters.items():
        xs, said = " ".join(f"{x:.1f}" for x, _ in placed), "".join(letter for _, letter in placed)
        yield f'<text class="{of}" x="{xs}" y="{top + TILE - 4:.1f}">{escape(said)}</text>'


def title(tile: Tile) -> str:
    """What a tile is, in words."""
    stands = f" → {_shown(tile.counterpart)}" if tile.counterpart else ", without a counterpart"
    note = f"; {_shown(tile.note)}" if tile.note else ""
    return f"{_shown(tile.label)}{stands}: {_shown(tile.category)}; size {figures.told(tile.size)}{note}"


def _shown(text: str) -> str:
    return visible(shortened(text, LONGEST_NAME))


def _name(group: str) -> str:
    return elided(visible(group), LONGEST_GROUP)
