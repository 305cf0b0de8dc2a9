"""Functions of the suspect that compute what functions of a reference compute.

Measured:  the weighted overlap of value flows, how well two functions fit each other (similarity), and how surprising
           what they share is (bits, coincidence).
Copying:   renaming, reformatting and rewriting change the text of a function, not what flows into what. Independent
           authors rarely agree in more than a few dozen bits.
Innocent:  both descend from a third project; a formula or layer that everybody writes alike; generated code; reuse
           that is declared; one author on both sides.
Misses:    rewritten algorithms, copies in other languages, functions of a few operations.
Sources:   Roy and Cordy 2007 (clone types); Broder 1997 (resemblance, containment); Sparck Jones 1972 (weights).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code import wording
from detector.code.assign import assign
from detector.code.callgraph import callees
from detector.code.candidates import pairs
from detector.code.corpus import Corpus, worded
from detector.code.exclusive import Common, Other, common, exclusive_bits
from detector.code.fitting import company, fit, name_agreement, neighbours, settled, similarity
from detector.code.link import believe
from detector.code.match import weigh
from detector.code.null import null
from detector.code.pairs import Floats, Pairs, scores
from detector.code.parse import uncollected
from detector.code.sorting import Numbers
from detector.model import Basis
from detector.settings import WORDING_FROM


@dataclass(frozen=True, slots=True)
class Gate:
    """From where on a match is reported: the calibrated scores, or explicit floors in their place."""

    min_similarity: float | None = None
    min_bits: float | None = None

    @property
    def is_explicit(self) -> bool:
        """Whether the user set floors."""
        return self.min_similarity is not None or self.min_bits is not None

    @property
    def lists_all(self) -> bool:
        """Whether every candidate pair is asked for, not one reference for each function."""
        return self.min_similarity == 0 and self.min_bits == 0


@dataclass(frozen=True, slots=True)
class Likeness:
    """What one reference has in common with the suspect.

    Shapes: `chosen` indexes `pairs`, one for each suspect function that has a candidate; the masks run along it.
    """

    pairs: Pairs
    similarity: Floats  # of every pair
    rates: Floats  # of every pair: the share of unrelated functions that reach its score
    chosen: Numbers
    is_strong: npt.NDArray[np.bool_]  # stands on its own
    is_believed: npt.NDArray[np.bool_]  # stands on its own or within a proven link
    is_listed: npt.NDArray[np.bool_]  # the same, or what explicit floors let through
    bases: Mapping[int, Basis | None]  # position in `pairs` -> what its belief rests on
    share_of_suspect: float  # of the suspect's weight, by the matches that are believed

    @property
    def functions(self) -> frozenset[int]:
        """Suspect functions of which a match is believed."""
        return frozenset(self.pairs.suspect[self.chosen[self.is_believed]].tolist())

    @property
    def link_bits(self) -> float:
        """How much links the two repositories, by matches that stand on their own."""
        return float(self.pairs.own[self.chosen[self.is_strong]].sum())

    def best(self, functions: int) -> Floats:
        """How similar the counterpart of each of the suspect's functions is, 0 where it has no candidate."""
        found = np.zeros(functions)
        found[self.pairs.suspect[self.chosen]] = self.similarity[self.chosen]
        return found


@dataclass(frozen=True, slots=True)
class Share:
    """One reference's part in the suspect."""

    bits: float
    exclusive_bits: float
    share_of_suspect: float


@dataclass(frozen=True, slots=True)
class CodeEvidence:
    """All references beside each other.

    Shapes: `nearest[i]` is (reference number, position in its pairs), by suspect function, strongest first.
    """

    likenesses: tuple[Likeness, ...]
    nearest: tuple[tuple[int, int], ...]
    listed: tuple[tuple[int, int], ...]  # the same, or every candidate pair where that was asked for
    shares: tuple[Share, ...]


Read = Callable[[str], bytes]


def find(
    suspects: Sequence[Corpus], references: Sequence[Corpus], gate: Gate, reads: Sequence[tuple[Read, Read | None]]
) -> CodeEvidence:
    """Compare the suspect's functions with those of every reference, each by itself: no other changes what is found.

    suspects: the suspect as it is held against each reference; its functions are the same, their imports may not be.
    reads:    how to read a file of the suspect and of each reference: their texts settle ties. None: the reference has
              wordings in place of texts.
    """
    with uncollected():
        compared = [_compare(*pair, gate) for pair in zip(suspects, references, reads, strict=True)]
    likenesses = tuple(likeness for likeness, _ in compared)
    nearest = _nearest(likenesses, [one.chosen[one.is_believed] for one in likenesses])
    listed = nearest
    if gate.lists_all:
        listed = _every_pair(likenesses)
    elif gate.is_explicit:
        listed = _nearest(likenesses, [one.chosen[one.is_listed] for one in likenesses])
    return CodeEvidence(likenesses, nearest, listed, _shares(compared, suspects, references))


def _compare(
    suspect: Corpus, reference: Corpus, reads: tuple[Read, Read | None], gate: Gate
) -> tuple[Likeness, Common]:
    """Compare two sides, and keep which shingles the matches that are believed share."""
    both = suspect, reference
    (ours, theirs), weights = weigh(
        [corpus.shingles for corpus in both],
        [callees(corpus.spans, corpus.calls) for corpus in both],
        [corpus.views for corpus in both],
    )
    found = pairs(ours, theirs, weights, suspect.shingles, reference.shingles)
    around = company(found, suspect.spans, reference.spans, ours.totals, ours.callees)
    agreement = name_agreement(found, suspect.spans, reference.spans)
    fits = fit(found, around)
    is_asked = np.maximum(found.overlap, fits) >= WORDING_FROM
    theirs_worded = worded(reference) if reads[1] is None else (reference.spans, reads[1])
    read = wording.agreement(found, is_asked, (suspect.spans, reads[0]), theirs_worded)
    fits = settled(fits, read)
    files = neighbours(found, suspect.spans, reference.spans, ours.totals, by_class=False)
    chosen = assign(found, fits, agreement, files)
    similarities = similarity(found, fits, read.forms, chosen)
    taken = found.take(chosen)
    names = name_agreement(taken, suspect.spans, reference.spans, of_files=False)
    belief = believe(taken, names, suspect.spans, reference.spans, ours, theirs)
    # Floors say what is listed, never what is concluded.
    is_listed = belief.is_believed
    if gate.is_explicit:
        is_listed = (similarities[chosen] >= (gate.min_similarity or 0)) & (taken.shared >= (gate.min_bits or 0))
    explained = float(taken.own[belief.is_believed].sum()) / max(float(ours.totals.sum()), 1e-9)
    bases = dict(zip(chosen.tolist(), belief.bases.tolist(), strict=True))
    rates = null().rate(scores(found))
    shared = common(taken.take(belief.is_believed), ours, weights, suspect.shingles, reference.shingles)
    likeness = Likeness(
        found, similarities, rates, chosen, belief.is_strong, belief.is_believed, is_listed, bases, explained
    )
    return likeness, shared


def _nearest(likenesses: tuple[Likeness, ...], taken: Sequence[Numbers]) -> tuple[tuple[int, int], ...]:
    """For each suspect function the reference with the greatest overlap; near ties go to the closer link."""
    best: dict[int, tuple[float, float, int, int]] = {}
    for number, (likeness, positions) in enumerate(zip(likenesses, taken, strict=True)):
        link = likeness.link_bits
        # Compared in steps of 0.05: a hundredth of overlap says less than the link of the whole repository.
        steps = np.round(likeness.pairs.overlap[positions] * 20)
        suspects = likeness.pairs.suspect[positions]
        for suspect, step, position in zip(suspects.tolist(), steps.tolist(), positions.tolist(), strict=True):
            rank = (step, link, -number, position)
            if suspect not in best or best[suspect] < rank:
                best[suspect] = rank
    return _ordered(likenesses, [(-minus, position) for _, _, minus, position in best.values()])


def _every_pair(likenesses: tuple[Likeness, ...]) -> tuple[tuple[int, int], ...]:
    found = [
        (number, position)
        for number, likeness in enumerate(likenesses)
        for position in range(len(likeness.pairs.suspect))
    ]
    return _ordered(likenesses, found)


def _ordered(likenesses: tuple[Likeness, ...], found: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Strongest first."""

    def order(entry: tuple[int, int]) -> tuple[float, int, int, int]:
        number, position = entry
        pairs = likenesses[number].pairs
        shared = round(float(pairs.shared[position]), 6)
        return (-shared, int(pairs.suspect[position]), number, int(pairs.reference[position]))

    return tuple(sorted(found, key=order))


def _shares(
    compared: Sequence[tuple[Likeness, Common]], suspects: Sequence[Corpus], references: Sequence[Corpus]
) -> tuple[Share, ...]:
    """What each reference explains, and what none of the others explains: a common ancestor thereby cancels out."""
    sides = []
    for (likeness, _), suspect, reference in zip(compared, suspects, references, strict=True):
        best = np.full(len(suspect.spans), -1)
        best[likeness.pairs.suspect[likeness.chosen]] = likeness.pairs.reference[likeness.chosen]
        sides.append(Other(reference.shingles, best))
    shares = []
    for number, (likeness, shared) in enumerate(compared):
        bits = float(likeness.pairs.own[likeness.chosen[likeness.is_believed]].sum())
        exclusive = exclusive_bits(shared, sides[:number] + sides[number + 1 :])
        shares.append(Share(bits, exclusive, likeness.share_of_suspect))
    return tuple(shares)
