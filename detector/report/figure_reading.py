"""Figures of a JSON report that is read back: the inverse of `figure_documents.py`. The text is untrusted."""

from __future__ import annotations

from itertools import pairwise

from detector.figures import Figure, Histogram, Matrix, Mosaic, Tile
from detector.report.typed import Object

TYPES = ("histogram", "matrix", "mosaic")


def figure(figure: Object) -> Figure:
    """Read one figure by its type."""
    match figure.word("type", TYPES):
        case "histogram":
            return _histogram(figure)
        case "matrix":
            return _matrix(figure)
        case _:
            return _mosaic(figure)


def _histogram(figure: Object) -> Histogram:
    edges = figure.array("edges").drawn()
    if any(second < first for first, second in pairwise(edges)):
        figure.at("edges").refuse("does not ascend")
    observed = figure.array("observed").drawn()
    expected = figure.array("expected", is_required=False).drawn()
    for name, bins, may_be_none in (("observed", observed, False), ("expected", expected, True)):
        if len(bins) != len(edges) - 1 and not (may_be_none and not bins):
            figure.at(name).refuse(f"has {len(bins)} bins, where {len(edges)} edges make {max(len(edges) - 1, 0)}")
    return Histogram(
        kind=figure.text("kind"),
        name=figure.text("name"),
        reference=figure.text("reference"),
        title=figure.text("title"),
        measure=figure.text("measure"),
        edges=edges,
        observed=observed,
        expected=expected,
        expected_name=figure.text("expected_name", default=""),
        marks=tuple((mark.text("label"), mark.drawn("value")) for mark in figure.objects("marks", is_required=False)),
    )


def _matrix(figure: Object) -> Matrix:
    rows, columns = figure.array("rows").texts(), figure.array("columns").texts()
    values = figure.array("values")
    values.require_length(len(rows))
    read = []
    for row in values.arrays():
        row.require_length(len(columns))
        read.append(row.drawn_or_null())
    return Matrix(
        kind=figure.text("kind"),
        name=figure.text("name"),
        reference=figure.text("reference"),
        title=figure.text("title"),
        rows=rows,
        columns=columns,
        values=tuple(read),
    )


def _mosaic(figure: Object) -> Mosaic:
    return Mosaic(
        kind=figure.text("kind"),
        name=figure.text("name"),
        reference=figure.text("reference"),
        title=figure.text("title"),
        categories=figure.array("categories").texts(),
        tiles=tuple(map(_tile, figure.objects("tiles"))),
        omitted=figure.count("omitted", default=0),
    )


def _tile(tile: Object) -> Tile:
    return Tile(
        group=tile.text("group"),
        label=tile.text("label"),
        counterpart=tile.text("counterpart"),
        category=tile.text("category"),
        size=tile.drawn("size"),
        note=tile.text("note", default=""),
    )
