"""What models that have nothing to do with each other share: a pair beside all pairs of a panel.

A wrong answer that half of all models give says nothing when two share it. So the panel tells of each item how likely
its wrong answer is, and the *excess* of a pair is how many standard deviations more of one model's wrong answers the
other shares than that explains. Its distribution is not derived but seen: on all pairs of the panel, each told by the
others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.behaviour.compared import Flags
from detector.artifacts.behaviour.log import Codes
from detector.settings.behaviour import ASKED_BEFORE, SEEN_BEFORE

Counts = NDArray[np.int64]
# Error rates are kept away from 0 and 1, where odds end.
_LEAST_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Answers:
    """What one model answers to the compared items: hashes, and which are wrong."""

    name: str
    codes: Codes
    wrong: Flags


@dataclass(frozen=True, slots=True)
class Ranked:
    """The pair in question beside all pairs of the panel.

    Shapes: `others` holds the excess of each pair of the panel and the two names, descending.
    """

    excess: float
    others: tuple[tuple[float, str, str], ...]
    seen: Counts  # of each item, how many of the panel give the suspect's answer
    models: int

    @property
    def above(self) -> int:
        """Pairs of the panel whose excess is as large or larger."""
        return sum(value >= self.excess for value, _, _ in self.others)

    @property
    def largest(self) -> float:
        """The largest of the panel. Empty: 0."""
        return self.others[0][0] if self.others else 0.0


def rank(suspect: Answers, reference: Answers, panel: Sequence[Answers]) -> Ranked:
    """Hold the pair against the panel."""
    seen = [_seen(model.codes, panel) for model in panel]
    rates = np.array([_rate(model.wrong) for model in panel])
    others = []
    for one, other in combinations(range(len(panel)), 2):
        ours, theirs = panel[one], panel[other]
        same = (ours.codes == theirs.codes).astype(np.int64)
        rate = (rates.sum() - rates[one] - rates[other]) / max(1, len(panel) - 2)
        value = excess(ours, theirs, (seen[one] - 1 - same, seen[other] - 1 - same), len(panel) - 2, rate)
        others.append((value, ours.name, theirs.name))
    both = (_seen(suspect.codes, panel), _seen(reference.codes, panel))
    found = excess(suspect, reference, both, len(panel), float(rates.mean()) if len(panel) else 0.0)
    return Ranked(found, tuple(sorted(others, key=lambda each: (-each[0], *each[1:]))), both[0], len(panel))


def excess(one: Answers, other: Answers, seen: tuple[Counts, Counts], models: int, rate: float) -> float:
    """Standard deviations by which two share more wrong answers than item by item is likely; the mean of both ways.

    seen: of each item how many of so many other models, whose mean rate of errors this is, give the model's answer.
    Empty: 0 if either has no errors.
    """
    return (_one_way(one, other, seen[0], models, rate) + _one_way(other, one, seen[1], models, rate)) / 2


def _one_way(one: Answers, other: Answers, seen: Counts, models: int, rate: float) -> float:
    wrong = one.wrong
    if not wrong.any():
        return 0.0
    share = (seen[wrong] + SEEN_BEFORE) / (models + ASKED_BEFORE)
    odds = share / (1 - share) * _odds(_rate(other.wrong)) / _odds(rate)  # a model of more errors shares more
    likely = odds / (1 + odds)
    found = int((other.codes[wrong] == one.codes[wrong]).sum())
    return float((found - likely.sum()) / math.sqrt((likely * (1 - likely)).sum()))


def _rate(wrong: Flags) -> float:
    return float(wrong.mean()) if len(wrong) else 0.0


def _odds(rate: float) -> float:
    rate = min(max(rate, _LEAST_RATE), 1 - _LEAST_RATE)
    return rate / (1 - rate)


def _seen(codes: Codes, panel: Sequence[Answers]) -> Counts:
    counts = np.zeros(len(codes), np.int64)
    for model in panel:
        counts += model.codes == codes
    return counts


def bits(seen: int, models: int) -> float:
    """How surprising it is that two share an answer which so many of the panel give."""
    return -math.log2((seen + SEEN_BEFORE) / (models + ASKED_BEFORE))
