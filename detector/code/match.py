"""Shingles of two sides -> their weights, and the overlap, containment and bits of pairs of functions.

Weighted sets as sparse matrices: functions x shingles. What two functions share is a dot product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.background import background
from detector.code.shingle import Shingles, joined, mix, row_sums
from detector.code.sorting import Hashes, Numbers, grouped
from detector.settings import (
    BLIND_BELOW,
    BLIND_PART,
    LEAST_WEIGHT,
    LINKED_BITS,
    OWN_PART,
    PAIR_BLOCK,
    SETTLED,
    SMALLEST_WORLD,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Functions over the shingles of the whole comparison.

    Shapes: `matrix` functions x shingles, 0/1; `totals` the weight of each function, in bits; `sets` equal where
    the shingles of two functions are: what has the same is compared once.
    """

    matrix: sparse.csr_matrix
    totals: Floats
    sets: Hashes

    def counts(self, functions: Numbers) -> Floats:
        """How many shingles functions have."""
        found: Floats = np.diff(self.matrix.indptr)[functions].astype(np.float64)
        return found


@dataclass(frozen=True, slots=True)
class Weighted:
    """One side: its functions, and the further views of some of them; where there is none, the row is the first one.

    expanded: with the helpers of the same file in place of their calls. blind: without what attributes are known to
    hold. reach: what any of the views has.
    """

    own: Rows
    expanded: Rows
    blind: Rows
    blind_expanded: Rows
    reach: Rows
    is_expanded: npt.NDArray[np.bool_]
    is_blind: npt.NDArray[np.bool_]
    callees: sparse.csr_matrix  # functions x functions: who calls whom
    columns: Hashes  # the shingles of the comparison, ascending

    @property
    def matrix(self) -> sparse.csr_matrix:
        """The functions themselves."""
        return self.own.matrix

    @property
    def totals(self) -> Floats:
        """Their weights, in bits."""
        return self.own.totals


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


Seen = tuple[Shingles, Numbers]  # some functions seen another way, and the number of the function of each


def weigh(
    sides: Sequence[Shingles], calls: Sequence[sparse.csr_matrix], views: Sequence[Sequence[Seen]] = ()
) -> tuple[list[Weighted], Floats]:
    """Weigh every shingle by how rare it is in published code, and in the code compared.

    views: for each side the functions with helpers in place, those without knowing what attributes hold, and both.
    """
    everything = joined([*sides, *(shingles for side in views for shingles, _ in side)])
    functions = sum(len(side.offsets) - 1 for side in sides)
    firsts, kinds = grouped(everything.sums())
    sets = everything.take(firsts)
    places, numbers = grouped(sets.hashes)
    counts = np.diff(sets.offsets)
    # Views repeat what their functions and helpers have: they make nothing more frequent.
    frequency = np.bincount(numbers, np.repeat(np.bincount(kinds[:functions], minlength=len(firsts)), counts))
    columns = sets.hashes[places]
    weights = _rarity(columns, frequency.astype(np.int64), functions)
    matrix = ones(numbers.astype(np.int32), sets.offsets, len(frequency))
    matrix.sort_indices()  # rows in order are multiplied several times faster
    totals = matrix @ weights
    weighted: list[Weighted] = []
    start, start_views = 0, functions
    for number, callees in enumerate(calls):
        own = kinds[start : start + callees.shape[0]]
        start += len(own)
        rows = [own, own.copy(), own.copy(), own.copy()]
        for seen, (_, viewed) in enumerate(views[number] if views else ()):
            rows[1 + seen][viewed] = kinds[start_views : start_views + len(viewed)]
            start_views += len(viewed)
        # With helpers in place, what looks the same blind is seen as it is.
        rows[3] = np.where(rows[3] == own, np.where(rows[1] == own, rows[2], rows[1]), rows[3])
        weighted.append(_weighted(matrix, totals, weights, rows, callees, columns))
    return weighted, weights


def _weighted(
    matrix: sparse.csr_matrix,
    totals: Floats,
    weights: Floats,
    rows: list[Numbers],
    callees: sparse.csr_matrix,
    columns: Hashes,
) -> Weighted:
    """One side: the rows of its functions, and of their views where they have one."""
    own, *others = rows
    seen = [Rows(matrix[each], totals[each], each.astype(np.uint64)) for each in rows]
    reach = seen[0].matrix
    every = seen[0].sets
    for view in others:
        reach = reach + matrix[view]
        every = mix(every) + view.astype(np.uint64)
    reach = reach.tocsr()
    reach.data = np.ones_like(reach.data)
    reach.sort_indices()
    everything = Rows(reach, reach @ weights, every)
    is_expanded, is_blind = others[0] != own, others[1] != own
    return Weighted(seen[0], seen[1], seen[2], seen[3], everything, is_expanded, is_blind, callees, columns)


def _rarity(shingles: Hashes, frequency: Numbers, functions: int) -> Floats:
    """Inverse document frequency: over the packages of the background, and over the functions compared.

    The background says how surprising it is to find a shingle in a project at all; the functions compared lower that
    where the two projects repeat themselves.

    Units:  bits: log2(packages / packages that have it), at most log2(packages), never nothing.
    Source: Sparck Jones 1972.
    """
    known = background()
    most = np.log2(known.packages)
    published = np.log2(known.packages / known.frequency(shingles))
    # Two small projects do not make what they share any more common in the world: a floor for its size.
    world = max(functions, SMALLEST_WORLD)
    here = np.log2(world / np.maximum(frequency, 1)) * (most / np.log2(SMALLEST_WORLD / 2))
    rarity: Floats = np.maximum(np.minimum(published, here), LEAST_WEIGHT)
    return rarity


def ones(columns: npt.NDArray[np.int32], offsets: Numbers | npt.NDArray[np.int32], width: int) -> sparse.csr_matrix:
    """The matrix that has ones in these columns of each row."""
    shape = (len(offsets) - 1, width)
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, offsets), shape=shape)


def score(suspect: Weighted, reference: Weighted, weights: Floats, first: Numbers, second: Numbers) -> Pairs:
    """Score pairs exactly, as they stand and with the helpers of either side inlined.

    A helper that one side inlined or lifted out leaves the two functions unlike although nothing else was done;
    with it in place they are alike again. Helpers of the same file are lowered in place (`Weighted.expanded`); those
    of other files are only put beside their caller. Overlap, bits and containment are those of the best view.

    Units:  shared in bits; overlap and containment 0..1. A function without shingles scores 0.
    Source: Broder 1997, section 2 (resemblance and containment), weighted by inverse document frequency.
    """
    own, counts = _shared(suspect.own, reference.own, weights, first, second)
    ours, theirs = suspect.totals[first], reference.totals[second]
    best = _Best(
        own.copy(),
        counts.copy(),
        _resemblance(own, ours, theirs),
        _resemblance(counts, suspect.own.counts(first), reference.own.counts(second)),
        np.divide(own, ours, out=np.zeros_like(own), where=ours > 0),
        _partial(own, ours, theirs),
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
    our_view = _inlined(suspect, weights, first[calls_ours])
    their_view = _inlined(reference, weights, second[calls_theirs])
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
    best.keep_where(_needs_caller(suspect, reference, first, second, alone.overlap, best.overlap), alone)
    overlap, plain, containment = (np.minimum(each, 1.0) for each in (best.overlap, best.plain, best.containment))
    return Pairs(first, second, best.shared, best.common, own, overlap, plain, containment, best.partial)


def _needs_caller(
    suspect: Weighted, reference: Weighted, first: Numbers, second: Numbers, alone: Floats, seen: Floats
) -> npt.NDArray[np.bool_]:
    """Whether a pair is more alike with helpers in place than each helper is alone: else it is the helper's match."""
    changed = np.flatnonzero(seen > alone)
    needed = np.ones(len(first), bool)
    if not len(changed):
        return needed
    shape = (suspect.matrix.shape[0], reference.matrix.shape[0])
    known = sparse.csr_matrix((alone, (first, second)), shape=shape)
    one, other = first[changed], second[changed]
    by_helper = _best_of_callees(suspect.callees, one, lambda helper, pair: known[helper, other[pair]])
    by_theirs = _best_of_callees(reference.callees, other, lambda helper, pair: known[one[pair], helper])
    needed[changed] = seen[changed] > np.maximum(by_helper, by_theirs)
    return needed


def _best_of_callees(
    callees: sparse.csr_matrix, functions: Numbers, look: Callable[[Numbers, Numbers], npt.ArrayLike]
) -> Floats:
    """The best value that any callee of each function has, looked up by callee and position; 0 without callees."""
    best = np.zeros(len(functions))
    counts = np.diff(callees.indptr)[functions]
    pair = np.repeat(np.arange(len(functions)), counts)
    if len(pair):
        firsts = np.repeat(callees.indptr[functions] - (np.cumsum(counts) - counts), counts)
        helpers = callees.indices[firsts + np.arange(len(pair))]
        np.maximum.at(best, pair, np.asarray(look(helpers, pair)).ravel())
    return best


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

    def keep_where(self, kept: npt.NDArray[np.bool_], other: _Best) -> None:
        """Take the other's values where this one's are not kept."""
        for each in fields(self):
            getattr(self, each.name)[~kept] = getattr(other, each.name)[~kept]

    def look(
        self, left: Rows, right: Rows, weights: Floats, first: Numbers, second: Numbers, chosen: Numbers, part: float
    ) -> None:
        """See the chosen pairs in one more view, of which a part counts."""
        if not len(chosen):
            return
        one, other = first[chosen], second[chosen]
        bits, number = _shared(left, right, weights, one, other)
        ours, theirs = left.totals[one], right.totals[other]
        seen = part * _resemblance(bits, ours, theirs)
        better = seen > self.overlap[chosen]
        winners = chosen[better]
        self.overlap[winners], self.shared[winners] = seen[better], bits[better]
        self.common[winners] = number[better]
        self.containment[winners] = part * bits[better] / ours[better]
        self.partial[chosen] = np.maximum(self.partial[chosen], part * _partial(bits, ours, theirs))
        alike = part * _resemblance(number, left.counts(one), right.counts(other))
        self.plain[chosen] = np.maximum(self.plain[chosen], alike)


def _calling(
    side: Weighted, functions: Numbers, own: Floats, totals: Floats
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which functions have helpers that can be put in place, and which call others that are only put beside them."""
    calls = np.diff(side.callees.indptr)[functions] > 0
    return side.is_expanded[functions], calls & (own >= np.maximum(OWN_PART * totals, LINKED_BITS))


def _inlined(side: Weighted, weights: Floats, functions: Numbers) -> Rows:
    """Some functions, in their places, with their helpers; those of other files beside them, one level deep."""
    is_asked = np.zeros(side.matrix.shape[0], np.float32)
    is_asked[functions] = 1
    asked = sparse.diags_array(is_asked * ~side.is_expanded).tocsr()
    in_place = sparse.diags_array(is_asked * side.is_expanded).tocsr()
    matrix = (asked @ side.matrix + (asked @ side.callees) @ side.matrix + in_place @ side.expanded.matrix).tocsr()
    matrix.data = np.ones_like(matrix.data)
    matrix.sort_indices()
    return Rows(matrix, matrix @ weights, row_sums(matrix.indices.astype(np.uint64), matrix.indptr))


def _shared(suspect: Rows, reference: Rows, weights: Floats, first: Numbers, second: Numbers) -> tuple[Floats, Floats]:
    """Weight and number of the shingles that both of each pair have; of pairs of the same two sets, one is computed."""
    chosen, kinds = grouped(mix(suspect.sets[first]) + reference.sets[second])
    one, other = first[chosen], second[chosen]
    shared = np.zeros((len(chosen), 2))
    columns = np.stack([weights, np.ones(len(weights))], 1)
    for start in range(0, len(chosen), PAIR_BLOCK):
        block = slice(start, start + PAIR_BLOCK)
        shared[block] = suspect.matrix[one[block]].multiply(reference.matrix[other[block]]) @ columns
    return shared[kinds, 0], shared[kinds, 1]


def _resemblance(shared: Floats, ours: Floats, theirs: Floats) -> Floats:
    union = ours + theirs - shared
    resemblance: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return resemblance


def _partial(shared: Floats, ours: Floats, theirs: Floats) -> Floats:
    """How much of the smaller of two functions is in the other: a piece lifted out, or a copy within something new."""
    smaller = np.minimum(ours, theirs)
    partial: Floats = shared * np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)
    return partial
