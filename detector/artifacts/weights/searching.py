"""Matrices that are left -> those that have rows or columns in common, wherever these stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.artifacts.weights.assigned import best_of, mutual
from detector.artifacts.weights.axes import Axis, Lines
from detector.artifacts.weights.lines import line_sketches, looked_at
from detector.artifacts.weights.significance import is_beyond_chance, is_told_apart, most_by_chance
from detector.artifacts.weights.sketch import standardised
from detector.artifacts.weights.stored import CannotReadValues, Stored, Values, Weights
from detector.settings.mapping import (
    FEWEST_VALUES,
    LEAST_FOUND,
    LINE_VALUES,
    MOST_MULTIPLICATIONS,
    MOST_SEARCHED_VALUES,
    NEARLY_ALL,
    PROBES,
    SKETCH_PLACES,
)


@dataclass(slots=True)
class Budget:
    """What may still be read; and what was left because of that."""

    values: int = MOST_SEARCHED_VALUES
    left_out: set[str] = field(default_factory=set)

    def notes(self) -> list[str]:
        """What was left out, in a line."""
        if not self.left_out:
            return []
        others = f" and {len(self.left_out) - 1:,} other tensors" if len(self.left_out) > 1 else ""
        return [f"{min(self.left_out)}{others}: not searched for rows in another order, for that is too much to read"]

    def takes(self, lines: Lines, tensors: Mapping[str, Stored]) -> bool:
        """Whether all values of these lines may be read, which are then counted."""
        needed = tensors[lines.name].parameters
        if lines.is_turned:
            needed = min(needed, LINE_VALUES * lines.count(tensors))
        if needed > self.values:
            self.left_out.add(lines.name)
            return False
        self.values -= needed
        return True


@dataclass(frozen=True, slots=True)
class Found:
    """Lines of two tensors that correspond."""

    ours: Lines
    theirs: Lines
    lines: Axis
    correlation: float
    margin: float


@dataclass(frozen=True, slots=True)
class _Hit:
    """The line of the reference that one of the suspect is most like."""

    ours: Lines
    theirs: Lines
    line: int
    their_line: int


@dataclass(slots=True)
class _Best:
    """What one line of the suspect is most like so far."""

    correlation: float = 0.0
    next_best: float = 0.0  # of the same tensor
    theirs: Lines | None = None
    their_line: int = 0
    values: Values | None = None


def search(
    ours: Weights, theirs: Weights, mine: Sequence[Lines], its: Sequence[Lines], along: Axis, budget: Budget
) -> Iterator[Found]:
    """Find the tensors whose lines are those of others, if the values of each line correspond as `along` says.

    Shapes: the lines of the suspect have `along.our_length` values, those of the reference `along.their_length`.
    """
    its = sorted(its, key=lambda lines: theirs.tensors[lines.name].parameters)  # what is cheap first
    hits: dict[tuple[Lines, Lines], list[_Hit]] = {}
    for hit in _hits(ours, theirs, mine, its, along, budget):
        hits.setdefault((hit.ours, hit.theirs), []).append(hit)
    for hit in _from_parts(ours, theirs, mine, its, along, budget, {each for _, each in hits}):
        hits.setdefault((hit.ours, hit.theirs), []).append(hit)
    for (one, other), some in sorted(hits.items(), key=lambda each: (-len(each[1]), each[0][0].name, each[0][1].name)):
        try:
            found = _aligned(ours, theirs, one, other, along, some)
        except CannotReadValues:
            continue
        if found is not None:
            yield found


def _from_parts(
    ours: Weights,
    theirs: Weights,
    mine: Sequence[Lines],
    its: Sequence[Lines],
    along: Axis,
    budget: Budget,
    known: set[Lines],
) -> Iterator[_Hit]:
    """Probe the other way round: of a tensor that is several of the reference's a few probes do not meet them all."""
    largest = max(lines.count(ours.tensors) for lines in mine)
    parts = [each for each in its if each not in known and each.count(theirs.tensors) < largest]
    if not parts:
        return
    back = Axis(along.their_length, along.our_length, along.theirs, along.ours)
    smallest = min(part.count(theirs.tensors) for part in parts)
    wholes = [each for each in mine if each.count(ours.tensors) > smallest]
    for hit in _hits(theirs, ours, parts, wholes, back, budget):
        yield _Hit(hit.theirs, hit.ours, hit.their_line, hit.line)


def _hits(
    ours: Weights, theirs: Weights, mine: Sequence[Lines], its: Sequence[Lines], along: Axis, budget: Budget
) -> list[_Hit]:
    """Probes of the suspect that are like a line of the reference beyond chance."""
    at = looked_at(along)
    if len(at) < FEWEST_VALUES:  # chance explains whatever they are like
        return []
    total = sum(lines.count(theirs.tensors) for lines in its)
    count = int(min(PROBES, MOST_MULTIPLICATIONS / max(1, total * len(at) * len(mine))))
    if count < 1:
        budget.left_out.update(lines.name for lines in mine)
        return []
    owners, probes = _probes(ours, mine, along, count)
    if not owners:
        return []
    best = [_Best() for _ in owners]
    so_far = np.zeros(len(owners), np.float32)  # their correlations
    for lines in its:
        if not budget.takes(lines, theirs.tensors):
            continue
        try:
            there = line_sketches(theirs, lines, along.theirs[at])
        except CannotReadValues:
            continue
        top, highest, next_best = best_of(probes, there)
        is_better = highest > so_far
        so_far[is_better] = highest[is_better]
        for probe in np.flatnonzero(is_better).tolist():
            line = int(top[probe])
            best[probe] = _Best(float(highest[probe]), float(next_best[probe]), lines, line, there[line].copy())
    return [
        _Hit(owner, each.theirs, line, each.their_line)
        for (owner, line), each, probe in zip(owners, best, probes, strict=True)
        if each.theirs is not None
        and each.values is not None
        and is_told_apart(each.correlation, each.next_best, len(at))
        and is_beyond_chance(each.correlation, probe, each.values, len(owners) * total)
    ]


def _probes(ours: Weights, mine: Sequence[Lines], along: Axis, count: int) -> tuple[list[tuple[Lines, int]], Values]:
    """A few lines of every tensor of the suspect."""
    at = looked_at(along)
    owners: list[tuple[Lines, int]] = []
    sketched: list[Values] = []
    spread = np.linspace(*SKETCH_PLACES, count) if count > 1 else np.array(SKETCH_PLACES[:1])
    for lines in mine:
        chosen = sorted({int(place * lines.count(ours.tensors)) for place in spread})
        try:
            values = line_sketches(ours, lines, along.ours[at], chosen)
        except CannotReadValues:
            continue
        telling = np.flatnonzero(values.any(1)).tolist()
        owners += [(lines, chosen[line]) for line in telling]
        sketched.append(values[telling])
    return owners, np.concatenate(sketched) if sketched else np.zeros((0, len(at)), np.float32)


def _aligned(
    ours: Weights, theirs: Weights, one: Lines, other: Lines, along: Axis, hits: Sequence[_Hit]
) -> Found | None:
    """Put the lines of two tensors side by side, if enough of them find each other."""
    at = looked_at(along)
    mine = line_sketches(ours, one, along.ours[at])
    its = line_sketches(theirs, other, along.theirs[at])
    least = most_by_chance(len(at), len(mine) * 2)
    offsets = sorted({hit.their_line - hit.line for hit in hits}, key=lambda each: (abs(each), each))
    run, most = None, 0
    for offset in offsets:
        rows = np.arange(max(0, -offset), min(len(mine), len(its) - offset))
        alike = np.abs(np.einsum("ij,ij->i", mine[rows], its[rows + offset])) > least
        if alike.mean() >= LEAST_FOUND and alike.sum() > most:
            run, most = Axis(len(mine), len(its), rows, rows + offset), int(alike.sum())
    if run is not None and most >= NEARLY_ALL * len(run.ours):
        return _found(one, other, run, mine, its)
    # Heads that stay where they were while others change places are a run: is there an order of all rows?
    order = _order(mine, its, len(at), most)
    lines = run if order is None else order
    return None if lines is None else _found(one, other, lines, mine, its)


def _order(mine: Values, its: Values, values: int, most: int) -> Axis | None:
    """Which line stands for which if they are in any order, if more than `most` of them find each other."""
    used = int(min(values, MOST_MULTIPLICATIONS / max(1, len(mine) * len(its))))
    if used < FEWEST_VALUES:
        return None
    if used < values:
        mine, its = standardised(mine[:, :used]), standardised(its[:, :used])
    rows, columns, _ = mutual(mine, its)
    alike = np.abs(np.einsum("ij,ij->i", mine[rows], its[columns]))
    is_beyond = alike > most_by_chance(used, len(mine) * len(its))
    rows, columns = rows[is_beyond], columns[is_beyond]
    if len(rows) <= most or len(rows) < LEAST_FOUND * min(len(mine), len(its)):
        return None
    if len(mine) == len(its):  # what was not found stands for what was not: rows of zeros, or the same row twice
        rest, rest_there = (np.setdiff1d(np.arange(len(mine)), some) for some in (rows, columns))
        rows, columns = np.concatenate([rows, rest]), np.concatenate([columns, rest_there])
    order = np.argsort(rows)
    return Axis(len(mine), len(its), rows[order], columns[order])


def _found(one: Lines, other: Lines, lines: Axis, mine: Values, its: Values) -> Found:
    alike = np.einsum("ij,ij->i", mine[lines.ours], its[lines.theirs])
    correlation = float(alike.mean())
    beside = np.abs(np.einsum("ij,ij->i", mine[lines.ours], its[np.roll(lines.theirs, 1)]))
    return Found(one, other, lines, correlation, max(0.0, abs(correlation) - float(beside.mean())))
