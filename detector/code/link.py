"""Two levels of score: what links two projects, and what is believed of a single function given the link.

A function's match is held against coincidence: how often an unrelated function reaches its score (`null`). The prior
is learnt from the comparison itself, as in empirical Bayes (Efron 2010, chapter 5): what share of the project, of
this file against that one, of this class, has matches already. In a file of which nine functions stand in one file of
the reference, the tenth needs little; in a project that shares nothing else it needs what coincidence hardly reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detector.code.callgraph import Calls
from detector.code.null import null
from detector.code.pairs import Floats, Pairs, scores
from detector.code.scoring import Known, Mask, Rows
from detector.code.sorting import Numbers, grouped
from detector.model import Basis, Span
from detector.settings import (
    BELIEVED_ODDS,
    CALLED_PRIOR,
    FEWEST_CONTEXT_MATCHES,
    FEWEST_LINK_FUNCTIONS,
    FEWEST_REPORT_SHINGLES,
    HIGHEST_PRIOR,
    LINK_BITS,
    LINKED_BITS,
    NAME_ODDS,
    NARROWING,
    PLAIN_SCORE,
    REPORT_BITS,
    REPORT_SCORE,
    STRANGERS,
)

# Beliefs support one another; after two rounds hardly any is added.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Belief:
    """Which of the chosen pairs are believed, and why.

    Shapes: one value for each chosen pair. `rates`: the share of unrelated functions that reach its score.
    """

    is_strong: Mask  # stands on its own
    is_believed: Mask
    bases: npt.NDArray[np.object_]  # Basis, None where it is not believed
    rates: Floats


class Side(Protocol):
    """What belief asks of a side."""

    @property
    def functions(self) -> int:
        """How many functions it has."""

    @property
    def totals(self) -> Floats:
        """The weight of each, in bits."""

    @property
    def callees(self) -> Calls:
        """Who calls whom."""

    @property
    def own(self) -> Rows:
        """The functions themselves."""


def believe(
    chosen: Pairs,
    agreement: Floats,
    suspects: Sequence[Span],
    references: Sequence[Span],
    ours: Side,
    theirs: Side,
) -> Belief:
    """Decide which of the chosen pairs, one for each suspect function, coincidence does not explain.

    agreement: of the names of each pair, 0, 0.5 or 1. That they agree makes a match within a link likelier; that they
               do not says nothing.
    """
    score = scores(chosen)
    rates = null().rate(score)
    smaller = np.minimum(ours.own.counts(chosen.suspect), theirs.own.counts(chosen.reference))
    # A part of something larger is not enough by itself: long functions hold many a short idiom.
    is_strong = chosen.overlap * chosen.shared >= REPORT_SCORE
    is_strong &= (chosen.shared >= REPORT_BITS) & (smaller >= FEWEST_REPORT_SHINGLES)
    bases = np.full(len(score), None, object)
    bases[is_strong] = Basis.ALONE
    # A link takes breadth: one formula in common is no reason to believe anything else.
    if is_strong.sum() >= FEWEST_LINK_FUNCTIONS and chosen.shared[is_strong].sum() >= LINK_BITS:
        around = _Around(chosen, suspects, ours)
        contexts = [
            (Basis.FILE, _Context(chosen, suspects, references, theirs.functions, by_class=False)),
            (Basis.CLASS, _Context(chosen, suspects, references, theirs.functions, by_class=True)),
        ]
        is_open = chosen.shared >= LINKED_BITS
        for_names = NAME_ODDS**agreement
        for _ in range(ROUNDS):
            is_believed = bases != None  # noqa: E711 - elementwise
            odds = [
                (Basis.PROJECT, around.odds(is_believed, score)),
                (Basis.CALLER, _called(chosen, is_believed, ours, theirs)),
                *((basis, context.odds(is_believed)) for basis, context in contexts),
            ]
            for basis, prior in odds:  # the narrowest context last: it is what is told
                bases[~is_believed & is_open & (for_names * prior / rates >= BELIEVED_ODDS)] = basis
            if not (is_believed != (bases != None)).any():  # noqa: E711
                break
    return Belief(is_strong, bases != None, bases, rates)  # noqa: E711


def _odds(prior: Floats) -> Floats:
    bounded = np.minimum(prior, HIGHEST_PRIOR)
    odds: Floats = bounded / (1 - bounded)
    return odds


class _Around:
    """The whole project, seen from the file of each pair."""

    def __init__(self, chosen: Pairs, suspects: Sequence[Span], ours: Side) -> None:
        files = groups(suspects, by_class=False)
        computes = ours.totals > 0
        self.file = files[chosen.suspect]
        self.sizes = np.bincount(files, computes, minlength=1)
        self.functions = int(np.count_nonzero(computes))

    def odds(self, is_believed: Mask, score: Floats) -> Floats:
        """Prior odds of each pair: the share of the project that is copied, or less, where it is less of the file.

        Of the file it is the believed share of its other functions, as if STRANGERS more stood there, of which as many
        are copied as of the project. A file of which nothing matches is hardly part of what was copied.
        """
        share = self._share(is_believed, score)
        others = np.bincount(self.file, is_believed, minlength=len(self.sizes))[self.file] - is_believed
        of_file = (others + STRANGERS * share) / (self.sizes[self.file] - 1 + STRANGERS)
        return _odds(np.minimum(of_file, share))

    def _share(self, is_believed: Mask, score: Floats) -> float:
        """The share of the suspect's functions that come from the reference: those that score, less chance."""
        scoring = int((is_believed | (score >= PLAIN_SCORE)).sum())
        by_chance = self.functions * float(null().rate(np.array([PLAIN_SCORE]))[0])
        return max(scoring - by_chance, 0.0) / max(self.functions, 1)


class _Context:
    """Pairs whose functions stand in the same two classes, or in the same two files."""

    def __init__(
        self, chosen: Pairs, suspects: Sequence[Span], references: Sequence[Span], world: int, *, by_class: bool
    ) -> None:
        """world: how many functions the reference has; of these, `references` has at least all of their files."""
        ours, theirs = groups(suspects, by_class), groups(references, by_class)
        _, self.place = grouped(ours[chosen.suspect] * (int(theirs.max(initial=0)) + 1) + theirs[chosen.reference])
        is_in_class = np.array([bool(name) for _, name in class_places(suspects)], bool)
        self.applies = is_in_class[chosen.suspect] if by_class else np.ones(len(chosen.suspect), bool)
        self.size = np.bincount(ours)[ours[chosen.suspect]]
        # A chance match falls anywhere in the reference, though rather where the same is done: the narrower the
        # place that it shares with others, the less it is chance.
        share = np.bincount(theirs)[theirs[chosen.reference]] / max(world, 1)
        self.by_chance = np.clip(10 * share, NARROWING, 1)

    def odds(self, is_believed: Mask) -> Floats:
        """Prior odds of each pair, given how many others of its place are believed."""
        others = np.bincount(self.place, is_believed)[self.place] - is_believed
        found = _odds(others / (self.size + STRANGERS)) / self.by_chance
        odds: Floats = np.where(self.applies & (others >= FEWEST_CONTEXT_MATCHES), found, 0.0)
        return odds


def _called(chosen: Pairs, is_believed: Mask, ours: Side, theirs: Side) -> Floats:
    """Prior odds of pairs whose caller is believed and has the same reference, or one that calls it."""
    known = chosen.take(is_believed)
    place, helper = ours.callees.of(known.suspect)
    own = known.reference[place]
    further, called = theirs.callees.of(own)
    first, second = np.concatenate([helper, helper[further]]), np.concatenate([own, called])
    if not len(first):
        return np.zeros(len(chosen.suspect))
    firsts, _ = grouped(first * theirs.functions + second)
    hits = Known(first[firsts], second[firsts], np.ones(len(firsts))).of(chosen.suspect, chosen.reference)
    odds: Floats = np.where(hits > 0, CALLED_PRIOR / (1 - CALLED_PRIOR) / NARROWING, 0.0)
    return odds


def groups(spans: Sequence[Span], by_class: bool) -> Numbers:
    """Number the class of each method and the file of each free function, or the file of each."""
    numbers: dict[tuple[str, str], int] = {}
    places = class_places(spans) if by_class else [(span.path, "") for span in spans]
    return np.array([numbers.setdefault(place, len(numbers)) for place in places], np.int64)


def class_places(spans: Sequence[Span]) -> list[tuple[str, str]]:
    """Path and class of each method, path and "" of all else: functions may hold functions, too."""
    functions = {(span.path, span.qualname) for span in spans}
    places = ((span.path, span.qualname.rpartition(".")[0]) for span in spans)
    return [(path, "" if (path, holder) in functions else holder) for path, holder in places]
