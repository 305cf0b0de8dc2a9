"""The nouns of what a report draws: histograms, matrices and mosaics, whatever kind of evidence they are of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values of a measure were seen, beside what would be expected, and where single cases stand.

    Shapes: `edges` has one more than `observed`; `expected` has as many as `observed`, or none.
    """

    kind: str
    name: str  # "residuals"
    reference: str  # Side.name; "" where it is about all
    title: str
    measure: str  # what is on the axis of values
    edges: tuple[float, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...] = ()
    expected_name: str = ""  # "the fitted normal distribution"
    marks: tuple[tuple[str, float], ...] = ()  # cases by what they are called, and their values


@dataclass(frozen=True, slots=True)
class Matrix:
    """A number for each of some things with each of others.

    Shapes: a row of `values` for each of `rows`, a value for each of `columns`; None where there is none.
    """

    kind: str
    name: str  # "agreement"
    reference: str
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """One thing of a mosaic."""

    group: str  # the row that it stands in: a prefix, a layer
    label: str  # what the suspect calls it
    counterpart: str  # what stands for it in the reference; "" for nothing
    category: str  # what colours it
    size: float  # how large it is beside the others
    note: str = ""  # figures for whoever asks


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Many things at once, in rows, coloured by category."""

    kind: str
    name: str  # "tensor-map"
    reference: str
    title: str
    categories: tuple[str, ...]  # in the order of the legend
    tiles: tuple[Tile, ...]
    omitted: int = 0  # tiles that were left out of a large one


Figure = Histogram | Matrix | Mosaic
