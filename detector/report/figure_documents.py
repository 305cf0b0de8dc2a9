"""The figures of a report as JSON objects: pictures as numbers, each told by its `type`."""

from __future__ import annotations

from dataclasses import replace

from detector.figures import Figure, Histogram, Matrix, Mosaic, Tile
from detector.report import rounding


def figure(figure: Figure) -> dict[str, object]:
    """A figure with its type; every number of it is finite, or it is a `ValueError`."""
    match figure:
        case Histogram():
            return {"type": "histogram", **_heading(figure), **_histogram(figure)}
        case Matrix():
            return {"type": "matrix", **_heading(figure), **_matrix(figure)}
        case Mosaic():
            return {"type": "mosaic", **_heading(figure), **_mosaic(figure)}


def _heading(figure: Figure) -> dict[str, object]:
    return {"kind": figure.kind, "name": figure.name, "reference": figure.reference, "title": figure.title}


def _histogram(figure: Histogram) -> dict[str, object]:
    return {
        "measure": figure.measure,
        "edges": list(map(rounding.drawn, figure.edges)),
        "observed": list(map(rounding.drawn, figure.observed)),
        "expected": list(map(rounding.drawn, figure.expected)),
        "expected_name": figure.expected_name,
        "marks": [{"label": label, "value": rounding.drawn(value)} for label, value in figure.marks],
    }


def _matrix(figure: Matrix) -> dict[str, object]:
    return {
        "rows": list(figure.rows),
        "columns": list(figure.columns),
        "values": [[_drawn(value) for value in row] for row in figure.values],
    }


def _drawn(value: float | None) -> float | None:
    return None if value is None else rounding.drawn(value)


def _mosaic(figure: Mosaic) -> dict[str, object]:
    return {
        "categories": list(figure.categories),
        "tiles": list(map(_tile, figure.tiles)),
        "omitted": figure.omitted,
    }


def _tile(tile: Tile) -> dict[str, object]:
    return {
        "group": tile.group,
        "label": tile.label,
        "counterpart": tile.counterpart,
        "category": tile.category,
        "size": rounding.drawn(tile.size),
        "note": tile.note,
    }


def rounded(figure: Figure) -> Figure:
    """The same with the digits that JSON has."""
    match figure:
        case Histogram():
            return replace(
                figure,
                edges=tuple(map(rounding.drawn, figure.edges)),
                observed=tuple(map(rounding.drawn, figure.observed)),
                expected=tuple(map(rounding.drawn, figure.expected)),
                marks=tuple((label, rounding.drawn(value)) for label, value in figure.marks),
            )
        case Matrix():
            return replace(figure, values=tuple(tuple(map(_drawn, row)) for row in figure.values))
        case Mosaic():
            tiles = tuple(replace(tile, size=rounding.drawn(tile.size)) for tile in figure.tiles)
            return replace(figure, tiles=tiles)
