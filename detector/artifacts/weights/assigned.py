"""Sketches of one shape on both sides -> who stands for whom, and how far that is from the next best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.significance import is_beyond_chance, is_told_apart
from detector.artifacts.weights.sketch import Sketch, standardised
from detector.artifacts.weights.stored import Values
from detector.settings.mapping import (
    FEW_VALUES,
    MOST_ASSIGNED,
    MOST_CORRELATIONS,
    MOST_EXPECTED,
    SAME_EVERYWHERE,
    SAME_TWICE,
)

Numbers = NDArray[np.int64]
# Less than any difference of correlations that is not rounding.
_TRACE = 1e-6


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two sketches that fit each other better than what else is there."""

    ours: Sketch
    theirs: Sketch
    correlation: float
    next_best: float  # of any other pair that one of the two is in
    is_certain: bool


def assign(ours: Sequence[Sketch], theirs: Sequence[Sketch], most_expected: float = MOST_EXPECTED) -> list[Candidate]:
    """Pair the sketches of one shape so that the correlations are largest, whatever their signs.

    most_expected: how many such pairs chance may give in all.
    Ties:          by the order given.
    """
    if not ours or not theirs:
        return []
    our_values = np.stack([each.standard for each in ours])
    their_values = np.stack([each.standard for each in theirs])
    if len(ours) * len(theirs) <= MOST_ASSIGNED:
        from scipy.optimize import linear_sum_assignment

        gain = np.abs(our_values @ their_values.T).astype(np.float64)
        _prefer_names(gain, ours, theirs)
        rows, columns = linear_sum_assignment(gain, maximize=True)
        next_best = np.maximum(
            _next_best(our_values, their_values, rows, columns), _next_best(their_values, our_values, columns, rows)
        )
    else:
        step = -(-our_values.shape[1] // FEW_VALUES)
        rows, columns, next_best = mutual(standardised(our_values[:, ::step]), standardised(their_values[:, ::step]))
    tried = len(ours) * len(theirs)
    found = []
    for row, column, other in zip(rows.tolist(), columns.tolist(), next_best.tolist(), strict=True):
        mine, its = ours[row], theirs[column]
        correlation = float(np.clip(mine.standard @ its.standard, -1, 1))
        is_certain = is_told_apart(correlation, other, len(mine.standard)) and is_beyond_chance(
            correlation, mine.standard, its.standard, tried, most_expected
        )
        found.append(Candidate(mine, its, correlation, min(other, abs(correlation)), is_certain))
    return found


def is_alike_throughout(pair: Candidate) -> bool:
    """Whether two sketches agree at both places: of rows in another order some are where they were."""
    middle = len(pair.ours.standard) // 2
    halves = []
    for part in (slice(0, middle), slice(middle, None)):
        one, other = pair.ours.standard[part], pair.theirs.standard[part]
        length = float(np.sqrt((one @ one) * (other @ other)))
        halves.append(float(one @ other) / length if length > 0 else 0.0)
    return abs(min(halves, key=abs)) >= SAME_EVERYWHERE * abs(pair.correlation)


def mutual(ours: Values, theirs: Values) -> tuple[Numbers, Numbers, Values]:
    """Pairs that are each other's best, and how alike the next best of either is to the other."""
    best, _, next_best = best_of(ours, theirs)
    their_best, _, their_next_best = best_of(theirs, ours)
    rows = np.flatnonzero(their_best[best] == np.arange(len(ours)))
    return rows, best[rows], np.maximum(next_best[rows], their_next_best[best[rows]])


def best_of(ours: Values, theirs: Values) -> tuple[Numbers, Values, Values]:
    """For each of ours, which of theirs is most like it, how much, and how much the next one is.

    Memory: MOST_CORRELATIONS at once.
    """
    best = np.zeros(len(ours), np.int64)
    highest, next_best = np.zeros(len(ours), np.float32), np.zeros(len(ours), np.float32)
    step = max(1, MOST_CORRELATIONS // max(1, len(theirs)))
    for begin in range(0, len(ours), step):
        alike = ours[begin : begin + step] @ theirs.T
        np.abs(alike, out=alike)
        some, here = slice(begin, begin + len(alike)), np.arange(len(alike))
        best[some] = alike.argmax(1)
        highest[some] = alike[here, best[some]]
        alike[here, best[some]] = 0
        next_best[some] = alike.max(1)
    return best, highest, next_best


def _prefer_names(gain: NDArray[np.float64], ours: Sequence[Sketch], theirs: Sequence[Sketch]) -> None:
    """Of tensors that are the same twice, the one of the same name is taken."""
    there = {each.name: column for column, each in enumerate(theirs)}
    for row, each in enumerate(ours):
        if each.name in there:
            gain[row, there[each.name]] += _TRACE


def _next_best(ours: Values, theirs: Values, rows: Numbers, columns: Numbers) -> Values:
    """The largest correlation of each of `rows` with any other than its own of `columns`, or what equals that one."""
    found = np.zeros(len(rows), np.float32)
    step = max(1, MOST_CORRELATIONS // len(theirs))
    for begin in range(0, len(rows), step):
        some = slice(begin, begin + step)
        alike = np.abs(ours[rows[some]] @ theirs.T)
        alike[np.arange(len(alike)), columns[some]] = 0
        alike[np.abs(theirs[columns[some]] @ theirs.T) > SAME_TWICE] = 0
        found[some] = alike.max(1)
    return found
