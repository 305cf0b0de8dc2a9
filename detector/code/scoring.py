"""What the views of two functions say of them: one set of rules, whatever holds the functions.

`match` holds all functions of two sides as sparse matrices, `sets` a few of them as numpy arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from detector.code.callgraph import Calls
from detector.code.pairs import Floats, Pairs, partial, resemblance
from detector.code.sorting import Numbers, order
from detector.settings import BLIND_BELOW, BLIND_PART, LINKED_BITS, OWN_PART, SETTLED

Mask = npt.NDArray[np.bool_]


class Rows(Protocol):
    """The functions of one side in one view."""

    @property
    def totals(self) -> Floats:
        """The weight of each function, in bits."""

    def counts(self, functions: Numbers) -> Floats:
        """How many shingles functions have."""

    def shared(self, other: Self, weights: Floats, first: Numbers, second: Numbers) -> tuple[Floats, Floats]:
        """Weight and number of the shingles that both of each pair have."""


AnyRows = TypeVar("AnyRows", bound=Rows)
AnyRows_co = TypeVar("AnyRows_co", bound=Rows, covariant=True)


class Side(Protocol[AnyRows_co]):
    """One side: its functions, and the further views of some of them; where there is none, the row is the first one.

    expanded: with the helpers of the same file in place of their calls. blind: without what attributes are known to
    hold.
    """

    @property
    def own(self) -> AnyRows_co:
        """The functions themselves."""

    @property
    def expanded(self) -> AnyRows_co:
        """With helpers in place."""

    @property
    def blind(self) -> AnyRows_co:
        """Without what attributes hold."""

    @property
    def blind_expanded(self) -> AnyRows_co:
        """Both."""

    @property
    def is_expanded(self) -> Mask:
        """Which functions have helpers in place."""

    @property
    def is_blind(self) -> Mask:
        """Which functions look different without knowing what attributes hold."""

    @property
    def callees(self) -> Calls:
        """Who calls whom."""

    def inlined(self, weights: Floats, functions: Numbers) -> AnyRows_co:
        """Some functions, in their places, with their helpers; those of other files beside them, one level deep."""


def score(suspect: Side[AnyRows], reference: Side[AnyRows], weights: Floats, first: Numbers, second: Numbers) -> Pairs:
    """Score pairs exactly, as they stand and with the helpers of either side inlined.

    A helper that one side inlined or lifted out leaves the two functions unlike although nothing else was done;
    with it in place they are alike again. Helpers of the same file are lowered in place (`Side.expanded`); those
    of other files are only put beside their caller. Overlap, bits and containment are those of the best view.

    Units:  shared in bits; overlap and containment 0..1. A function without shingles scores 0.
    Source: Broder 1997, section 2 (resemblance and containment), weighted by inverse document frequency.
    """
    own, counts = suspect.own.shared(reference.own, weights, first, second)
    ours, theirs = suspect.own.totals[first], reference.own.totals[second]
    best = _Best(
        own.copy(),
        counts.copy(),
        resemblance(own, ours, theirs),
        resemblance(counts, suspect.own.counts(first), reference.own.counts(second)),
        np.divide(own, ours, out=np.zeros_like(own), where=ours > 0),
        partial(own, ours, theirs),
    )
    # What an attribute holds is often known on one side only; without it, likeness says a little less.
    is_blind = (best.overlap < BLIND_BELOW) & (suspect.is_blind[first] | reference.is_blind[second])
    best.look(suspect.blind, reference.blind, weights, first, second, np.flatnonzero(is_blind), BLIND_PART)
    alone = best.copy()
    is_open = np.minimum(best.overlap, best.plain) < SETTLED
    # What a function calls counts where the function itself is in the match too.
    in_place, beside = _calling(suspect, first, own, ours)
    in_place_back, beside_back = _calling(reference, second, own, theirs)
    # Put beside its caller a helper is only counted: two siblings that call the same are no more alike for that.
    is_apart = best.overlap < BLIND_BELOW
    calls_ours = is_open & (in_place | beside & is_apart)
    calls_theirs = is_open & (in_place_back | beside_back & is_apart)
    our_view = suspect.inlined(weights, first[calls_ours])
    their_view = reference.inlined(weights, second[calls_theirs])
    is_blind &= is_open
    for left, right, applies, part in (
        (our_view, reference.own, calls_ours, 1.0),
        (suspect.own, their_view, calls_theirs, 1.0),
        (our_view, their_view, calls_ours & calls_theirs, 1.0),
        (suspect.blind_expanded, reference.blind, is_blind & in_place, BLIND_PART),
        (suspect.blind, reference.blind_expanded, is_blind & in_place_back, BLIND_PART),
        (suspect.blind_expanded, reference.blind_expanded, is_blind & in_place & in_place_back, BLIND_PART),
    ):
        best.look(left, right, weights, first, second, np.flatnonzero(applies), part)
    best.keep_where(
        _needs_caller(suspect.callees, reference.callees, first, second, alone.overlap, best.overlap), alone
    )
    overlap, plain, containment = (np.minimum(each, 1.0) for each in (best.overlap, best.plain, best.containment))
    return Pairs(first, second, best.shared, best.common, own, overlap, plain, containment, best.partial)


def _needs_caller(
    our_calls: Calls, their_calls: Calls, first: Numbers, second: Numbers, alone: Floats, seen: Floats
) -> Mask:
    """Whether a pair is more alike with helpers in place than each helper is alone: else it is the helper's match."""
    changed = np.flatnonzero(seen > alone)
    needed = np.ones(len(first), bool)
    if not len(changed):
        return needed
    known = Known(first, second, alone)
    one, other = first[changed], second[changed]
    by_helper = _best_of_callees(our_calls, one, lambda helper, pair: known.of(helper, other[pair]))
    by_theirs = _best_of_callees(their_calls, other, lambda helper, pair: known.of(one[pair], helper))
    needed[changed] = seen[changed] > np.maximum(by_helper, by_theirs)
    return needed


def _best_of_callees(calls: Calls, functions: Numbers, look: Callable[[Numbers, Numbers], Floats]) -> Floats:
    """The best value that any callee of each function has, looked up by callee and position; 0 without callees."""
    best = np.zeros(len(functions))
    pair, helpers = calls.of(functions)
    if len(pair):
        np.maximum.at(best, pair, look(helpers, pair))
    return best


class Known:
    """A value for each of some distinct pairs of functions, and 0 for all others."""

    def __init__(self, first: Numbers, second: Numbers, values: Floats) -> None:
        self.width = int(second.max(initial=0)) + 1
        keys = first * self.width + second
        by_key = order(keys)
        self.keys, self.values = keys[by_key], values[by_key]

    def of(self, first: Numbers, second: Numbers) -> Floats:
        """The values of these pairs."""
        keys = first * self.width + second
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        is_known = (self.keys[places] == keys) & (second < self.width)
        found: Floats = np.where(is_known, self.values[places], 0.0)
        return found


@dataclass(frozen=True, slots=True)
class _Best:
    """What the best of the views seen so far says of each pair."""

    shared: Floats
    common: Floats
    overlap: Floats
    plain: Floats
    containment: Floats
    partial: Floats

    def copy(self) -> _Best:
        """What is known now."""
        return _Best(*(getattr(self, each.name).copy() for each in fields(self)))

    def keep_where(self, kept: Mask, other: _Best) -> None:
        """Take the other's values where this one's are not kept."""
        for each in fields(self):
            getattr(self, each.name)[~kept] = getattr(other, each.name)[~kept]

    def look(
        self,
        left: AnyRows,
        right: AnyRows,
        weights: Floats,
        first: Numbers,
        second: Numbers,
        chosen: Numbers,
        part: float,
    ) -> None:
        """See the chosen pairs in one more view, of which a part counts."""
        if not len(chosen):
            return
        one, other = first[chosen], second[chosen]
        bits, number = left.shared(right, weights, one, other)
        ours, theirs = left.totals[one], right.totals[other]
        seen = part * resemblance(bits, ours, theirs)
        better = seen > self.overlap[chosen]
        winners = chosen[better]
        self.overlap[winners], self.shared[winners] = seen[better], bits[better]
        self.common[winners] = number[better]
        self.containment[winners] = part * bits[better] / ours[better]
        self.partial[chosen] = np.maximum(self.partial[chosen], part * partial(bits, ours, theirs))
        alike = part * resemblance(number, left.counts(one), right.counts(other))
        self.plain[chosen] = np.maximum(self.plain[chosen], alike)


def _calling(side: Side[Rows], functions: Numbers, own: Floats, totals: Floats) -> tuple[Mask, Mask]:
    """Which functions have helpers that can be put in place, and which call others that are only put beside them."""
    calls = side.callees.counts()[functions] > 0
    return side.is_expanded[functions], calls & (own >= np.maximum(OWN_PART * totals, LINKED_BITS))
