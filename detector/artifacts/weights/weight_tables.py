"""What was found of two checkpoints, as tables and figures by which a stranger can check it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import ndtr

from detector.artifacts.weights.compared import Compared
from detector.artifacts.weights.components import layer
from detector.artifacts.weights.correspondence import Arrangement
from detector.artifacts.weights.deltas import Since
from detector.artifacts.weights.relations import TensorRelation, Told
from detector.artifacts.weights.residuals import Residual, edges
from detector.artifacts.weights.stored import Weights, stored_bytes
from detector.artifacts.weights.whole import Whole
from detector.figures import Figure, Histogram, Mosaic, Tile
from detector.model import Exhibit
from detector.settings.weights import LONGEST_CELL, MOST_COMPONENT_ROWS, MOST_TENSOR_ROWS, MOST_TILES

_KIND = "weights"
Cell = float | int | str


def tables(compared: Compared, whole: Whole, name: str, bases: Sequence[Since]) -> Iterator[Exhibit]:
    """Every table of one pair of checkpoints."""
    yield _relations(compared, whole, name)
    yield _components(compared, whole, name)
    yield _tensors(compared, name)
    changed = [each.residual for each in compared.tensors if each.is_matrix and each.residual and each.is_changed]
    if changed:
        yield _residuals(compared, name, changed)
    if bases:
        yield _bases(compared, name, bases)


def figures(compared: Compared, name: str) -> Iterator[Figure]:
    """The map of all tensors, and the residuals beside the normal distribution where there are some."""
    tiles = [
        Tile(
            layer(each.ours)[:LONGEST_CELL],
            each.ours[:LONGEST_CELL],
            each.theirs[:LONGEST_CELL],
            each.relation,
            float(each.parameters),
            _note(each),
        )
        for each in _largest(compared.tensors, MOST_TILES)
    ]
    legend = tuple(relation.value for relation in TensorRelation)  # all: one relation has one colour everywhere
    title = f"Tensors of {compared.ours.path} by their relation to those of {compared.theirs.path} of {name}"
    yield Mosaic(_KIND, "tensor-map", name, title, legend, tuple(tiles), len(compared.tensors) - len(tiles))
    changed = [each for each in compared.tensors if each.is_changed and each.is_matrix and each.residual is not None]
    if changed:
        yield _histogram(compared, name, [each.residual for each in changed if each.residual is not None])


def header_table(ours: Weights, theirs: Weights, name: str, common: tuple[int, int]) -> Exhibit:
    """What headers alone tell of two checkpoints."""
    rows: list[tuple[Cell, ...]] = []
    for label, weights in (("the suspect", ours), (name, theirs)):
        tensors = list(weights.tensors.values())
        rows.append(
            (
                label,
                weights.path[:LONGEST_CELL],
                len(tensors),
                sum(each.parameters for each in tensors),
                sum(map(stored_bytes, tensors)),
                ", ".join(f"{count:,} {dtype}" for dtype, count in sorted(Counter(t.dtype for t in tensors).items())),
            )
        )
    title = f"{common[0]:,} tensors of {common[1]:,} parameters have shapes in common; nothing of their values was read"
    columns = ("side", "checkpoint", "tensors", "parameters", "bytes", "types")
    return Exhibit(_KIND, "headers", name, title, columns, tuple(rows))


def _largest(told: Sequence[Told], most: int) -> list[Told]:
    """The largest, in the order in which they were given."""
    places = sorted(range(len(told)), key=lambda place: (-told[place].parameters, place))[:most]
    return [told[place] for place in sorted(places)]


def _note(told: Told) -> str:
    parts = [f"r {told.correlation:.4f}"] if told.theirs else []
    if told.sums is not None:
        parts.append(f"slope {told.sums.slope:.4g}, sigma {told.sums.sigma:.4g}")
    if told.arrangement is not Arrangement.SAME:
        parts.append(told.arrangement)
    return "; ".join(filter(None, (*parts, told.note)))


def _number(value: float) -> float:
    """Six digits: more than any of these sums knows for certain."""
    return float(f"{value:.6g}") if np.isfinite(value) else 0.0


def _relations(compared: Compared, whole: Whole, name: str) -> Exhibit:
    rows: list[tuple[Cell, ...]] = []
    for relation in TensorRelation:
        those = [each for each in compared.tensors if each.relation is relation]
        if those:
            matrices = sum(each.is_matrix for each in those)
            parameters = sum(each.parameters for each in those)
            share = whole.shares.get(relation)
            rows.append(
                (relation.value, len(those), matrices, parameters, "-" if share is None else _number(100 * share))
            )
    columns = ("relation", "tensors", "matrices", "parameters", "% of what matrices tell")
    title = f"Relations of the tensors of {compared.ours.path} to those of {compared.theirs.path} of {name}"
    return Exhibit(_KIND, "relations", name, title, columns, tuple(rows))


def _components(compared: Compared, whole: Whole, name: str) -> Exhibit:
    rows = [
        (
            each.prefix[:LONGEST_CELL] or "(all)",
            each.counterpart[:LONGEST_CELL] or "-",
            each.tensors,
            each.matrices,
            each.parameters,
            _number(100 * each.related / each.parameters) if each.parameters else "-",
            each.relation.value,
        )
        for each in whole.components
    ]
    columns = ("component", f"component of {name}", "tensors", "matrices", "parameters", "% related", "relation")
    return Exhibit(
        _KIND,
        "components",
        name,
        f"Components of {compared.ours.path}, by the prefixes of its names; matrices that tell something count",
        columns,
        tuple(rows[:MOST_COMPONENT_ROWS]),
        max(len(rows) - MOST_COMPONENT_ROWS, 0),
    )


def _tensors(compared: Compared, name: str) -> Exhibit:
    shown = _largest(compared.tensors, MOST_TENSOR_ROWS)
    columns = (
        "tensor",
        f"tensor of {name}",
        "arrangement",
        "relation",
        "parameters",
        "r",
        "slope",
        "sigma",
        "% equal",
        "% zero",
        "note",
    )
    which = "The largest tensors" if len(compared.tensors) > len(shown) else "Tensors"
    title = f"{which} of {compared.ours.path} beside those of {compared.theirs.path} of {name}"
    rows = tuple(_row(each) for each in shown)
    return Exhibit(_KIND, "tensors", name, title, columns, rows, len(compared.tensors) - len(shown))


def _row(told: Told) -> tuple[Cell, ...]:
    sums = told.sums
    measured: tuple[Cell, ...] = ("-", "-", "-", "-")
    if sums is not None and sums.count:
        measured = (
            _number(sums.guess.factor if told.relation in _BY_FACTOR else sums.slope),
            _number(sums.sigma),
            _number(100 * max(sums.equal, sums.rounded) / sums.count),
            _number(100 * sums.zeros / sums.count),
        )
    return (
        told.ours[:LONGEST_CELL],
        told.theirs[:LONGEST_CELL] or "-",
        told.arrangement.value,
        told.relation.value,
        told.parameters,
        _number(told.correlation) if told.theirs else "-",
        *measured,
        told.note,
    )


# Here least squares would tell how many values were set to zero, and the median tells the factor.
_BY_FACTOR = (TensorRelation.PRUNED, TensorRelation.SCALED)


def _residuals(compared: Compared, name: str, changed: Sequence[Residual]) -> Exhibit:
    spectra = [each.spectrum for each in changed if each.spectrum is not None]
    tests: list[tuple[Cell, ...]] = [
        _test("normal, rounding taken into account", [(each.distance, each.distance_limit) for each in changed]),
        _test("|residual| free of |value|", [(abs(each.with_value), each.with_value_limit) for each in changed]),
        _test("largest singular value at the edge", [(each.edge, each.edge_limit) for each in spectra]),
        _test("rows of even energy", [(each.row_unevenness, each.row_limit) for each in spectra]),
        _test("columns of even energy", [(each.column_unevenness, each.column_limit) for each in spectra]),
    ]
    noise = compared.noise
    if noise is not None:
        share = "of each tensor's standard deviation" if noise.is_relative else "for all"
        tests += [
            (f"one sigma {share}", noise.tensors, noise.tensors, _number(noise.homogeneity), "about 1"),
            (
                "all residuals together normal",
                noise.tensors,
                noise.tensors,
                _number(noise.distance),
                _number(noise.distance_limit),
            ),
        ]
    outcome = "noise" if noise is not None else "not noise"
    columns = ("test", "matrices that pass", "of", "worst", "limit there")
    title = f"Residuals of {compared.ours.path} beside {compared.theirs.path} of {name}: {outcome}"
    return Exhibit(_KIND, "residuals", name, title, columns, tuple(tests))


def _test(what: str, found: Sequence[tuple[float, float]]) -> tuple[Cell, ...]:
    if not found:
        return what, 0, 0, "-", "-"
    worst = max(found, key=lambda each: each[0] / each[1])
    return what, sum(value <= limit for value, limit in found), len(found), _number(worst[0]), _number(worst[1])


def _histogram(compared: Compared, name: str, changed: Sequence[Residual]) -> Histogram:
    bins = edges()
    observed = np.sum([each.histogram for each in changed], axis=0)
    expected = np.diff(ndtr(np.array(bins))) * sum(each.count for each in changed)
    return Histogram(
        _KIND,
        "residuals",
        name,
        f"Residuals of {compared.ours.path} beside {compared.theirs.path} of {name}",
        "residual, in standard deviations of its tensor",
        bins,
        tuple(float(each) for each in observed),
        tuple(_number(float(each)) for each in expected),
        "the fitted normal distribution",
    )


def _bases(compared: Compared, name: str, bases: Sequence[Since]) -> Exhibit:
    rows: list[tuple[Cell, ...]] = []
    for each in bases:
        spread = [delta.correlation for delta in each.tensors.values() if delta.ours > 0 and delta.theirs > 0]
        rows.append(
            (
                each.base,
                len(each.tensors),
                _number(each.whole.correlation),
                _number(float(np.median(spread))) if spread else "-",
                _number(each.whole.slope),
                _number((each.whole.ours / (each.whole.base or 1.0)) ** 0.5),
                _number((each.whole.theirs / (each.whole.base or 1.0)) ** 0.5),
                each.told.value,
            )
        )
    columns = (
        "base",
        "matrices",
        "r of the changes",
        "median of matrices",
        "slope",
        "change of the suspect",
        f"change of {name}",
        "what it explains",
    )
    both = f"{compared.ours.path} and {compared.theirs.path} of {name}"
    title = f"What {both} changed of a base; changes in parts of its values"
    return Exhibit(_KIND, "bases", name, title, columns, tuple(rows))
