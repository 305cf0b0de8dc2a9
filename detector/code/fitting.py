"""How well the functions of scored pairs fit each other, and which references are nearly tied for a function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detector.code.callgraph import Calls
from detector.code.link import groups
from detector.code.lowering.labels import API_NAMES
from detector.code.pairs import Floats, Pairs
from detector.code.scoring import Known
from detector.code.sorting import Numbers, grouped
from detector.model import Span
from detector.settings import (
    COMPANY_FROM,
    COMPANY_WEIGHT,
    FEW_SHINGLES,
    FILE_WEIGHT,
    LARGE_MAGNITUDE,
    NAME_WEIGHT,
    NEAR_FIT,
    NEAR_TIE,
    OTHER_SOURCE,
    PLAIN_PART,
    SHAPE,
    SLIGHT,
    WORDING,
)

# What differs by less is equal.
SLIGHTEST = 1e-9


def company(
    pairs: Pairs, suspects: Sequence[Span], references: Sequence[Span], sizes: Floats, callees: Calls
) -> Floats:
    """How well the neighbours of a pair match each other, in its class, or what calls it.

    Shapes:  one value for each pair, 0..1.
    Formula: `neighbours` in the class of a method, in the file of a free function; or, where that is more, the
             similarity of a function that calls the suspect with the same reference: then the suspect may be a piece
             lifted out of it.
    """
    if not len(pairs.suspect):
        return pairs.overlap
    around = neighbours(pairs, suspects, references, sizes, by_class=True)
    kept: Floats = np.maximum(around, _callers(pairs, callees))
    return kept


def neighbours(
    pairs: Pairs, suspects: Sequence[Span], references: Sequence[Span], sizes: Floats, *, by_class: bool
) -> Floats:
    """How well the other functions of the class or file match those of the class or file of the reference.

    by_class: a method's others are those of its class, a free function's those of its file; else all of the file.
    Shapes:   one value for each pair, 0..1.
    Formula:  the size-weighted mean of the best overlap that each *other* member of the suspect's group reaches within
              the reference's group.
    """
    if not len(pairs.suspect):
        return pairs.overlap
    ours, theirs = groups(suspects, by_class), groups(references, by_class)
    width = int(theirs.max()) + 1
    # best[k]: the best overlap of one suspect function within one reference group
    member = pairs.suspect * width + theirs[pairs.reference]
    places, place = grouped(member)
    keys = member[places]
    best = np.zeros(len(keys))
    np.maximum.at(best, place, pairs.overlap)
    functions = keys // width
    contribution = best * sizes[functions]
    group_pair = ours[functions] * width + keys % width
    _, group_place = grouped(group_pair)
    sums = np.bincount(group_place, contribution)
    group_sizes = np.bincount(ours, sizes)
    others = sums[group_place] - contribution
    rest = group_sizes[ours[functions]] - sizes[functions]
    around = np.divide(others, rest, out=np.zeros_like(others), where=rest > 1e-9)
    found: Floats = around[place]
    return found


def fit(pairs: Pairs, around: Floats) -> Floats:
    """How well the functions of each pair fit each other, whatever else they fit.

    Formula: f = o t (1 - s) raised to f + w c min(1, f / .07) (1 - f): o is the overlap of their value flows, for
             the most part with one weight for all shingles (what two siblings differ in is common, and would hardly
             count by its rarity);
             t = n^4 / (n^4 + m^4) for n shingles in common: two getters that are alike in two of them fit anything;
             s is small where many bits are shared; c is their company, which only ever raises, and hardly what has
             nothing itself.
    Units:   0..1; 1 for equal flows of a thousand bits.
    """
    overlap = (1 - PLAIN_PART) * pairs.overlap + PLAIN_PART * pairs.plain
    slight = 1 - np.minimum(np.log2(1 + pairs.shared) / LARGE_MAGNITUDE, 1)
    common = pairs.common**4
    fits: Floats = overlap * common / (common + FEW_SHINGLES**4) * (1 - SLIGHT * slight)
    fits += COMPANY_WEIGHT * around * np.minimum(fits / COMPANY_FROM, 1) * (1 - fits)
    return fits


class Texts(Protocol):
    """How far the texts of the functions of each pair agree, 0..1."""

    @property
    def words(self) -> Floats:
        """In names, numbers and strings."""

    @property
    def shape(self) -> Floats:
        """In what is left without them."""


def settled(fits: Floats, texts: Texts) -> Floats:
    """Fits, a trace less where the texts differ: of many copies of one function, that in the same words is the source.

    Formula: f (1 - w (1 - v^2) - s (1 - u^2)), with v how far the words agree, u how far the shape does.
    """
    found: Floats = fits * (1 - WORDING * (1 - texts.words**2) - SHAPE * (1 - texts.shape**2))
    return found


def similarity(pairs: Pairs, fits: Floats, forms: Numbers, chosen: Numbers) -> Floats:
    """How well the functions of each pair fit each other, where this is the source; a part of it where another one is.

    forms:   of the reference of each pair: equal for copies of one function, which do not compete with each other.
    chosen:  positions of the pairs that `assign` has chosen.
    Formula: the best fit of the suspect with any reference of the form; OTHER_SOURCE of it where the chosen reference
             has another form.
    Units:   0..1.
    """
    if not len(pairs.suspect):
        return fits
    width = int(forms.max()) + 1
    places, place = grouped(pairs.suspect * width + forms)
    best = np.zeros(len(places))
    np.maximum.at(best, place, fits)
    source = np.full(int(pairs.suspect.max()) + 1, -1)
    source[pairs.suspect[chosen]] = forms[chosen]
    similarities: Floats = best[place] * np.where(forms == source[pairs.suspect], 1.0, OTHER_SOURCE)
    return similarities


def _callers(pairs: Pairs, callees: Calls) -> Floats:
    """For each pair, the best similarity with the same reference of a function that calls the suspect."""
    best = np.zeros(len(pairs.suspect))
    place, caller = callees.callers().of(pairs.suspect)
    if len(place):
        known = Known(pairs.suspect, pairs.reference, pairs.overlap)
        np.maximum.at(best, place, known.of(caller, pairs.reference[place]))
    return best


def name_agreement(
    pairs: Pairs, suspects: Sequence[Span], references: Sequence[Span], *, of_files: bool = True
) -> Floats:
    """How far the names of two functions agree: half for the function, half for its class or file.

    of_files: whether equal names of files count, where there are no classes; every second project has a `utils.py`.

    Names that a framework prescribes (`forward`, `__init__`) agree everywhere and say nothing. That names differ
    never counts against a pair.

    Shapes: one value for each pair, 0, 0.5 or 1.
    """
    numbers: dict[str, int] = {}
    own_names, own_homes = _names(suspects, numbers)
    their_names, their_homes = _names(references, numbers)
    same_name = own_names[pairs.suspect] == their_names[pairs.reference]
    same_home = own_homes[pairs.suspect] == their_homes[pairs.reference]
    if not of_files:
        same_home &= np.array(["." in span.qualname for span in suspects], bool)[pairs.suspect]
    agreement: Floats = (same_name & (own_names[pairs.suspect] >= 0)) / 2 + same_home / 2
    return agreement


def _names(spans: Sequence[Span], numbers: dict[str, int]) -> tuple[Numbers, Numbers]:
    names, homes = [], []
    for span in spans:
        prefix, _, name = span.qualname.rpartition(".")
        home = prefix.rpartition(".")[2] or span.path.rpartition("/")[2]
        names.append(-1 if name in API_NAMES else numbers.setdefault(name, len(numbers)))
        homes.append(numbers.setdefault(home, len(numbers)))
    return np.array(names, np.int64), np.array(homes, np.int64)


@dataclass(frozen=True, slots=True)
class Ties:
    """Which references are nearly tied for a function.

    Weight: fit + NAME_WEIGHT names + FILE_WEIGHT files. A pair is nearly tied where little is missing to the best
            weight, and, the nearer the best fit is to 1, the less is missing to that: of equal flows one is told from
            the other by less than of edited ones.
    Shapes: `weights` of every pair; `tied` and `best` positions of pairs, ascending by suspect, `best` one for each.
    Ties:   by weight, then shared bits, then the lower reference number.
    """

    weights: Floats
    tied: Numbers
    best: Numbers


def near_ties(pairs: Pairs, fits: Floats, names: Floats, files: Floats) -> Ties:
    """Find them.

    names: agreement of the names, which raises a pair's weight; `files` likewise what else matches in the two files.
    """
    weights = fits + NAME_WEIGHT * names + FILE_WEIGHT * files
    starts = np.flatnonzero(np.diff(pairs.suspect, prepend=-1))
    counts = np.diff(starts, append=len(weights))
    top = np.repeat(np.maximum.reduceat(weights, starts), counts)
    best_fit = np.repeat(np.maximum.reduceat(fits, starts), counts)
    is_near = (weights >= NEAR_TIE * top) & (fits >= best_fit - NEAR_FIT * np.maximum(1 - best_fit, 0) - SLIGHTEST)
    tied = np.flatnonzero(is_near | (weights >= top))
    tied = tied[np.lexsort((pairs.reference[tied], -pairs.shared[tied], -weights[tied], pairs.suspect[tied]))]
    return Ties(weights, tied, tied[np.flatnonzero(np.diff(pairs.suspect[tied], prepend=-1))])


def greedy(tied: Numbers, pairs: Pairs, weights: Floats) -> dict[int, int]:
    """Give each reference once, the best pair first: of each suspect that gets one, the position of its pair."""
    matched: dict[int, int] = {}
    taken: set[int] = set()
    by_weight = tied[np.lexsort((tied, -pairs.shared[tied], -weights[tied]))]
    for edge, suspect, reference in zip(
        by_weight.tolist(), pairs.suspect[by_weight].tolist(), pairs.reference[by_weight].tolist(), strict=True
    ):
        if suspect not in matched and reference not in taken:
            matched[suspect] = edge
            taken.add(reference)
    return matched
