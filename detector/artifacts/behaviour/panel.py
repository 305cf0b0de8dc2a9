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


@dataclass(frozen=True, slots=True)
class _Errors:
    """The wrong answers of one model: where, which, and how many of the panel give them, itself included."""

    places: Counts
    codes: Codes
    seen: Counts
    rate: float


def rank(suspect: Answers, reference: Answers, panel: Sequence[Answers]) -> Ranked:
    """Hold the pair against the panel; of each pair of the panel the others tell how likely its wrong answers are."""
    errors = [_errors(model, panel) for model in panel]
    rate = sum(each.rate for each in errors)
    others = []
    for one, other in combinations(range(len(panel)), 2):
        rest = (rate - errors[one].rate - errors[other].rate) / max(1, len(panel) - 2)
        ways = (
            _excess(errors[mine], errors[yours].rate, panel[yours].codes, len(panel) - 2, rest, is_counted=True)
            for mine, yours in ((one, other), (other, one))
        )
        others.append((sum(ways) / 2, panel[one].name, panel[other].name))
    ours, theirs = _errors(suspect, panel), _errors(reference, panel)
    rate /= max(1, len(panel))
    found = (
        _excess(ours, theirs.rate, reference.codes, len(panel), rate, is_counted=False)
        + _excess(theirs, ours.rate, suspect.codes, len(panel), rate, is_counted=False)
    ) / 2
    ranked = tuple(sorted(others, key=lambda each: (-each[0], *each[1:])))
    return Ranked(found, ranked, _seen(suspect.codes, panel), len(panel))


def _excess(errors: _Errors, rate: float, codes: Codes, models: int, mean_rate: float, *, is_counted: bool) -> float:
    """Standard deviations by which another model gives more of one's wrong answers than each is likely.

    rate, codes: of the other. models: how many tell, whose mean rate of errors is mean_rate. is_counted: the two are
    among those that `errors` has counted. Empty: 0 if there are no errors.
    """
    if len(errors.places) == 0:
        return 0.0
    same = codes[errors.places] == errors.codes
    seen = errors.seen - 1 - same if is_counted else errors.seen
    share = (seen + SEEN_BEFORE) / (models + ASKED_BEFORE)
    odds = share / (1 - share) * _odds(rate) / _odds(mean_rate)  # a model of more errors shares more
    likely = odds / (1 + odds)
    return float((same.sum() - likely.sum()) / math.sqrt((likely * (1 - likely)).sum()))


def _errors(model: Answers, panel: Sequence[Answers]) -> _Errors:
    places = np.flatnonzero(model.wrong)
    return _Errors(places, model.codes[places], _seen(model.codes, panel)[places], _rate(model.wrong))


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
