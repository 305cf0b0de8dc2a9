"""A few changed functions and the nearest ones of one target -> which of them are findings, in numpy alone.

Decides as `evidence.code` does with the whole target, by the same formulas, from what an index knows of it: the files
in which there are candidates, the frequent shingles of the target, and how many functions it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.callgraph import callees
from detector.code.corpus import Corpus
from detector.code.fitting import Ties, company, fit, greedy, name_agreement, near_ties, neighbours, settled, similarity
from detector.code.link import believe
from detector.code.null import null
from detector.code.pairs import Floats, Pairs, scores
from detector.code.rarity import rarity
from detector.code.scoring import score
from detector.code.sets import Side, sides
from detector.code.shingle import Shingles
from detector.code.sorting import Hashes, Numbers, distinct
from detector.code.views import lay_out
from detector.code.wording import agreement
from detector.model import Basis
from detector.settings import WORDING_FROM

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Nearby:
    """What one target has in common with some functions.

    Shapes: `chosen` indexes `pairs`, one for each function that has a candidate; the masks run along it.
    """

    pairs: Pairs
    similarity: Floats  # of every pair
    rates: Floats  # of every pair: the share of unrelated functions that reach its score
    chosen: Numbers
    is_strong: Mask  # stands on its own
    is_believed: Mask  # stands on its own or within a proven link
    bases: Mapping[int, Basis | None]  # position in `pairs` -> what its belief rests on

    @property
    def link_bits(self) -> float:
        """How much links the functions and the target, by matches that stand on their own."""
        return float(self.pairs.own[self.chosen[self.is_strong]].sum())


def nearby(
    ours: Corpus,
    theirs: Corpus,
    pairs: tuple[Numbers, Numbers],
    frequent: tuple[Hashes, Numbers],
    functions: int,
) -> Nearby:
    """Decide which functions are findings.

    theirs:    whole files of the target: all in which there are candidates.
    pairs:     functions of ours and candidates of theirs; each pair is looked at once, in any order.
    frequent:  shingles that many functions of the target have, and how many; of the others those at hand are counted.
    functions: how many functions the target has.
    """
    first, second = _in_order(pairs, len(theirs.spans))
    one, other, weights = _weighed(ours, theirs, distinct(second), frequent, functions)
    found = score(one, other, weights, first, second)
    fits = fit(found, company(found, ours.spans, theirs.spans, one.totals, one.callees))
    texts = agreement(found, np.maximum(found.overlap, fits) >= WORDING_FROM, ours.wordings, theirs.wordings)
    fits = settled(fits, texts)
    files = neighbours(found, ours.spans, theirs.spans, one.totals, by_class=False)
    ties = near_ties(found, fits, name_agreement(found, ours.spans, theirs.spans), files)
    chosen = _chosen(found, ties)
    taken = found.take(chosen)
    names = name_agreement(taken, ours.spans, theirs.spans, of_files=False)
    belief = believe(taken, names, ours.spans, theirs.spans, one, other)
    return Nearby(
        found,
        similarity(found, fits, texts.forms, chosen),
        null().rate(scores(found)),
        chosen,
        belief.is_strong,
        belief.is_believed,
        dict(zip(chosen.tolist(), belief.bases.tolist(), strict=True)),
    )


def screened(ours: Corpus, theirs: Corpus, pairs: tuple[Numbers, Numbers], functions: int) -> Pairs:
    """Score pairs alone, whatever target theirs are of: nothing is taken to be common among so many functions."""
    first, second = _in_order(pairs, len(theirs.spans))
    nothing = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    one, other, weights = _weighed(ours, theirs, distinct(second), nothing, functions)
    return score(one, other, weights, first, second)


def _chosen(pairs: Pairs, ties: Ties) -> Numbers:
    """One pair for each function; among near ties each reference goes to the best one that wants it."""
    best = dict(zip(pairs.suspect[ties.best].tolist(), ties.best.tolist(), strict=True))
    best.update(greedy(ties.tied, pairs, ties.weights))
    return np.array(list(best.values()), np.int64)


def _in_order(pairs: tuple[Numbers, Numbers], width: int) -> tuple[Numbers, Numbers]:
    keys = distinct(pairs[0] * max(width, 1) + pairs[1])
    return keys // max(width, 1), keys % max(width, 1)


def _weighed(
    ours: Corpus, theirs: Corpus, candidates: Numbers, frequent: tuple[Hashes, Numbers], functions: int
) -> tuple[Side, Side, Floats]:
    calls = callees(ours.spans, ours.calls), callees(theirs.spans, theirs.calls)
    # Of their functions only those are looked at that are candidates, or helpers of candidates.
    is_kept = np.zeros(len(theirs.spans), bool)
    is_kept[candidates] = True
    is_kept[calls[1].of(candidates)[1]] = True
    views = [(_only(shingles, is_kept[numbers]), numbers) for shingles, numbers in theirs.views]
    laid = lay_out([ours.shingles, _only(theirs.shingles, is_kept)], [ours.views, views])
    common, counts = frequent
    places = np.minimum(np.searchsorted(common, laid.shingles), max(len(common) - 1, 0))
    there = laid.frequency(laid.sides[1:])
    if len(common):
        there = np.where(common[places] == laid.shingles, counts[places], there)
    in_all = len(ours.spans), max(functions, len(theirs.spans))
    weights = rarity(laid.shingles, laid.frequency(laid.sides[:1]) + there, sum(in_all))
    return *sides(laid, weights, calls, in_all), weights


def _only(shingles: Shingles, is_kept: Mask) -> Shingles:
    """The same functions, those that are not kept without their shingles."""
    counts = np.diff(shingles.offsets)
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.where(is_kept, counts, 0), out=offsets[1:])
    return Shingles(shingles.hashes[np.repeat(is_kept, counts)], offsets)
