"""Scored pairs of functions, and the formulas that every way of scoring shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.sorting import Numbers
from detector.settings import PARTIAL_PART

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scored pairs of functions: suspect[i] with reference[i], ordered by suspect."""

    suspect: Numbers
    reference: Numbers
    shared: Floats  # bits: weight of what both have, in the view in which they are most alike
    common: Floats  # how many shingles these are
    own: Floats  # bits: the same of the functions themselves: no helper counts twice
    overlap: Floats  # weighted Jaccard, 0..1
    plain: Floats  # the same with one weight for all: sees what is different in common things
    containment: Floats  # share of the suspect that the reference has, 0..1
    partial: Floats  # bits: weight of what both have x its share of the smaller function

    def take(self, chosen: npt.NDArray[np.bool_] | Numbers) -> Pairs:
        """The chosen pairs."""
        return Pairs(
            self.suspect[chosen],
            self.reference[chosen],
            self.shared[chosen],
            self.common[chosen],
            self.own[chosen],
            self.overlap[chosen],
            self.plain[chosen],
            self.containment[chosen],
            self.partial[chosen],
        )


def resemblance(shared: Floats, ours: Floats, theirs: Floats) -> Floats:
    """The weighted Jaccard of sets of these weights.

    Units: 0..1; 0 for two empty sets.
    """
    union = ours + theirs - shared
    found: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found


def partial(shared: Floats, ours: Floats, theirs: Floats) -> Floats:
    """How much of the smaller of two functions is in the other: a piece lifted out, or a copy within something new."""
    smaller = np.minimum(ours, theirs)
    found: Floats = shared * np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)
    return found


def scores(pairs: Pairs) -> Floats:
    """What the null is measured in: bits times the share of both functions that they are, or a part of their share of
    the smaller one.

    Units: bits.
    """
    found: Floats = np.maximum(pairs.overlap * pairs.shared, PARTIAL_PART * pairs.partial)
    return found
