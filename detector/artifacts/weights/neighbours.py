"""Tensors that tell nothing by their values -> partners, by what the certain pairs say of names; else by order."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from detector.artifacts.weights.sketch import Sketch
from detector.settings.mapping import ALIKE_WEIGHT, MOST_WEIGHED

_PARTS = re.compile(r"[./]")
Both = tuple[Sketch, Sketch]


class Neighbours:
    """Which module of the suspect became which of the reference, by the pairs that are certain."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for ours, theirs in pairs:
            for our_module, their_module in zip(_modules(ours), _modules(theirs), strict=False):
                counted[our_module][their_module] += 1
        self._modules: Mapping[str, str] = {
            name: min(others, key=lambda other: (-others[other], other)) for name, others in counted.items()
        }

    def expected(self, ours: str) -> str:
        """What a tensor is called there, if it is called the same within its module."""
        module, _, leaf = ours.rpartition(".")
        there = self._modules.get(module, module)
        return f"{there}.{leaf}" if there else leaf

    def nearness(self, ours: str, theirs: str) -> float:
        """How near two names are: one for modules known to be the same, less for those further up, a bit for the rest.

        Units: 0..2.
        """
        there = set(_modules(theirs))
        near = 0.0
        for depth, module in enumerate(_modules(ours)):
            if self._modules.get(module) in there:
                near = 1 / (1 + depth)
                break
        mine, its = _PARTS.split(ours), _PARTS.split(theirs)
        same_end = sum(a == b for a, b in zip(reversed(mine), reversed(its), strict=False)) / max(len(mine), len(its))
        return near + (1.0 if ours == theirs else 0.5 * same_end)


def _modules(name: str) -> list[str]:
    """The modules that hold a tensor, innermost first; the whole model is none."""
    parts = _PARTS.split(name)
    return [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


def pair_rest(ours: Sequence[Sketch], theirs: Sequence[Sketch], neighbours: Neighbours) -> list[Both]:
    """Pair what is left of one shape: those with equal values first, among these those near to each other.

    Ties: in order.
    """
    expected: list[Both] = []
    if len(ours) * len(theirs) > MOST_WEIGHED:
        expected = _expected(ours, theirs, neighbours)
        here, there = {each.name for each, _ in expected}, {each.name for _, each in expected}
        ours = [each for each in ours if each.name not in here]
        theirs = [each for each in theirs if each.name not in there]
    if len(ours) * len(theirs) > MOST_WEIGHED:
        return expected + list(zip(ours, theirs, strict=False))
    from scipy.optimize import linear_sum_assignment

    gain = np.zeros((len(ours), len(theirs)))
    for row, mine in enumerate(ours):
        for column, its in enumerate(theirs):
            gain[row, column] = _likeness(mine, its) + neighbours.nearness(mine.name, its.name)
    # Of equals the first stands for the first.
    gain -= 1e-6 * np.abs(np.subtract.outer(np.arange(len(ours)), np.arange(len(theirs)))) / max(1, *gain.shape)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return expected + [(ours[row], theirs[column]) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)]


def _expected(ours: Iterable[Sketch], theirs: Iterable[Sketch], neighbours: Neighbours) -> list[Both]:
    there = {each.name: each for each in theirs}
    found = []
    for each in ours:
        other = there.pop(neighbours.expected(each.name), None)
        if other is not None:
            found.append((each, other))
    return found


def _likeness(mine: Sketch, its: Sketch) -> float:
    """What values say where no correlation does: that constants are equal, or one was the other before noise.

    Units: 0..4.
    """
    if not mine.is_constant and not its.is_constant:
        return ALIKE_WEIGHT * abs(float(mine.standard @ its.standard))
    if np.array_equal(mine.values, its.values):
        return 4.0
    # A scale of one is no bias of zero, whatever they are called.
    one, other = mine.values.astype(np.float64), its.values.astype(np.float64)
    deviation = max(float(one.std()), float(other.std()))
    return 2.0 if abs(float(one.mean()) - float(other.mean())) <= 4 * deviation / len(one) ** 0.5 else 1.0
