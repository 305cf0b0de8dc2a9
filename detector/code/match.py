"""Shingles of two sides -> scored pairs: candidates, then similarity, containment and bits of each.

Weighted sets as sparse matrices: functions x shingles. What two functions share is a dot product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.background import background
from detector.code.shingle import Shingles, joined, mix, row_sums
from detector.code.signatures import bands, collisions, signatures
from detector.code.sorting import Hashes, Numbers, distinct, grouped
from detector.settings import (
    CANDIDATE_SHARE,
    CANDIDATES_PER_FUNCTION,
    FEWEST_LSH_SHINGLES,
    LARGEST_POSTING,
    LEAST_WEIGHT,
    LINKED_BITS,
    OWN_PART,
    PAIR_BLOCK,
    SETTLED,
    SMALLEST_WORLD,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weighted:
    """The functions of one side over the shingles of the whole comparison.

    Shapes: `matrix` functions x shingles, 0/1; `totals` the weight of each function, in bits; `sets` equal where
    the shingles of two functions are: what has the same is compared once.
    """

    matrix: sparse.csr_matrix
    totals: Floats
    sets: Hashes
    callees: sparse.csr_matrix  # functions x functions: who calls whom


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scored pairs of functions: suspect[i] with reference[i], ordered by suspect."""

    suspect: Numbers
    reference: Numbers
    shared: Floats  # bits: weight of what both have
    similarity: Floats  # weighted Jaccard, 0..1
    containment: Floats  # share of the suspect that the reference has, 0..1

    def take(self, chosen: npt.NDArray[np.bool_] | Numbers) -> Pairs:
        """The chosen pairs."""
        return Pairs(
            self.suspect[chosen],
            self.reference[chosen],
            self.shared[chosen],
            self.similarity[chosen],
            self.containment[chosen],
        )


def weigh(sides: Sequence[Shingles], calls: Sequence[sparse.csr_matrix]) -> tuple[list[Weighted], Floats]:
    """Weigh every shingle by how rare it is in published code, and in the code compared."""
    everything = joined(sides)
    firsts, kinds = grouped(everything.sums())
    sets = everything.take(firsts)
    places, numbers = grouped(sets.hashes)
    counts = np.diff(sets.offsets)
    frequency = np.bincount(numbers, np.repeat(np.bincount(kinds), counts)).astype(np.int64)
    weights = _rarity(sets.hashes[places], frequency, len(kinds))
    matrix = _ones(numbers.astype(np.int32), sets.offsets, len(frequency))
    matrix.sort_indices()  # rows in order are multiplied several times faster
    totals = matrix @ weights
    weighted: list[Weighted] = []
    start = 0
    for callees in calls:
        own = kinds[start : start + callees.shape[0]]
        start += len(own)
        weighted.append(Weighted(matrix[own], totals[own], own.astype(np.uint64), callees))
    return weighted, weights


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


def pairs(suspect: Weighted, reference: Weighted, weights: Floats, ours: Shingles, theirs: Shingles) -> Pairs:
    """Find and score the candidate pairs of two sides."""
    # What is proposed for a function is proposed for all that have the same shingles.
    firsts, kinds = grouped(suspect.sets)
    near = _near_copies(ours.take(firsts), theirs, reference.sets)
    rare = _sharing_rare(suspect.matrix[firsts], suspect.totals[firsts], reference, weights)
    width = max(reference.matrix.shape[0], 1)
    code = distinct(np.concatenate([near[0] * width + near[1], rare[0] * width + rare[1]]))
    start = np.searchsorted(code, np.arange(len(firsts) + 1) * width)
    counts = np.diff(start)[kinds]
    rows = np.repeat(np.arange(len(kinds)), counts)
    places = np.arange(len(rows)) + np.repeat(start[kinds] - (np.cumsum(counts) - counts), counts)
    return score(suspect, reference, weights, rows, code[places] % width)


def _near_copies(ours: Shingles, theirs: Shingles, their_sets: Hashes) -> tuple[Numbers, Numbers]:
    """Pairs whose signatures share an LSH band; very small functions are left to the postings."""
    firsts, kinds = grouped(their_sets)
    mine, other = bands(signatures(ours)), bands(signatures(theirs.take(firsts)))[:, kinds]
    first, second = collisions(mine, other)
    is_large = (np.diff(ours.offsets)[first] >= FEWEST_LSH_SHINGLES) & (
        np.diff(theirs.offsets)[second] >= FEWEST_LSH_SHINGLES
    )
    return first[is_large], second[is_large]


def _sharing_rare(
    ours: sparse.csr_matrix, totals: Floats, reference: Weighted, weights: Floats
) -> tuple[Numbers, Numbers]:
    """Pairs that share rare shingles: for each suspect function the references it shares most weight with."""
    postings = np.bincount(reference.matrix.indices, minlength=len(weights))
    held = np.bincount(ours.indices, minlength=len(weights))
    rare = np.flatnonzero((postings > 0) & (postings <= LARGEST_POSTING) & (held > 0))
    places = np.full(len(weights), -1, np.int32)
    places[rare] = np.arange(len(rare))
    left, right = _columns(ours, places, len(rare)), _columns(reference.matrix, places, len(rare))
    left.data = weights[rare].astype(np.float32)[left.indices]
    shared = (left @ right.T).tocsr()
    counts = np.diff(shared.indptr)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return filled, filled
    least = CANDIDATE_SHARE * np.maximum.reduceat(shared.data, shared.indptr[filled])
    kept = np.flatnonzero(shared.data >= np.repeat(least, counts[filled]))
    rows, columns = np.repeat(np.arange(len(counts)), counts)[kept], shared.indices[kept].astype(np.int64)
    # Similarity prefers references of the suspect's size, containment does not: half of each decides.
    weight, size = shared.data[kept], totals[rows]
    appeal = weight / (size + reference.totals[columns]) + weight / np.maximum(size, 1e-9)
    # One integer key sorts by row, then by appeal (at most 2), then by column: five times faster than lexsort.
    rank = (2**20 - 1) - np.minimum(appeal * 2**18, 2**20 - 1).astype(np.int64)
    by_appeal = np.argsort((rows << 44) | (rank << 24) | columns)
    rows, columns = rows[by_appeal], columns[by_appeal]
    starts = np.searchsorted(rows, np.arange(len(counts)), "left")
    is_near_top = np.arange(len(rows)) - starts[rows] < CANDIDATES_PER_FUNCTION
    return rows[is_near_top], columns[is_near_top]


def _columns(matrix: sparse.csr_matrix, places: npt.NDArray[np.int32], width: int) -> sparse.csr_matrix:
    """Some columns of a matrix of ones: column j becomes places[j], or is left out where that is negative."""
    found = places[matrix.indices]
    kept = found >= 0
    ends = np.zeros(len(found) + 1, np.int32)
    np.cumsum(kept, out=ends[1:])
    return _ones(found[kept], ends[matrix.indptr], width)


def _ones(columns: npt.NDArray[np.int32], offsets: Numbers | npt.NDArray[np.int32], width: int) -> sparse.csr_matrix:
    """The matrix that has ones in these columns of each row."""
    shape = (len(offsets) - 1, width)
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, offsets), shape=shape)


def score(suspect: Weighted, reference: Weighted, weights: Floats, first: Numbers, second: Numbers) -> Pairs:
    """Score pairs exactly, as they stand and with the helpers of either side inlined.

    A helper that one side inlined or lifted out leaves the two functions unlike although nothing else was done;
    together with what they call they are alike again. Similarity is the best of the views; shared bits and
    containment stay those of the functions themselves.

    Units:  shared in bits; similarity and containment 0..1. A function without shingles scores 0.
    Source: Broder 1997, section 2 (resemblance and containment), weighted by inverse document frequency.
    """
    shared = _shared(suspect, reference, weights, first, second)
    ours, theirs = suspect.totals[first], reference.totals[second]
    similarity = _resemblance(shared, ours, theirs)
    containment = np.divide(shared, ours, out=np.zeros_like(shared), where=ours > 0)
    # A view counts where the function itself is in the match too, not only what it calls.
    is_open = (shared >= LINKED_BITS) & (similarity < SETTLED)
    calls_ours = is_open & (np.diff(suspect.callees.indptr)[first] > 0) & (shared >= OWN_PART * ours)
    calls_theirs = is_open & (np.diff(reference.callees.indptr)[second] > 0) & (shared >= OWN_PART * theirs)
    our_view = _inlined(suspect, weights, first[calls_ours])
    their_view = _inlined(reference, weights, second[calls_theirs])
    for left, right, applies in (
        (our_view, reference, calls_ours),
        (suspect, their_view, calls_theirs),
        (our_view, their_view, calls_ours & calls_theirs),
    ):
        chosen = np.flatnonzero(applies)
        if len(chosen):
            one, other = first[chosen], second[chosen]
            both = _shared(left, right, weights, one, other)
            seen = _resemblance(both, left.totals[one], right.totals[other])
            similarity[chosen] = np.maximum(similarity[chosen], seen)
    return Pairs(first, second, shared, np.minimum(similarity, 1.0), np.minimum(containment, 1.0))


def _inlined(side: Weighted, weights: Floats, functions: Numbers) -> Weighted:
    """Some functions, in their places, together with those they call, one level deep."""
    is_asked = np.zeros(side.matrix.shape[0], np.float32)
    is_asked[functions] = 1
    asked = sparse.diags_array(is_asked).tocsr()
    matrix = (asked @ side.matrix + (asked @ side.callees) @ side.matrix).tocsr()
    matrix.data = np.ones_like(matrix.data)
    matrix.sort_indices()
    sums = row_sums(matrix.indices.astype(np.uint64), matrix.indptr)
    return Weighted(matrix, matrix @ weights, sums, side.callees)


def _shared(suspect: Weighted, reference: Weighted, weights: Floats, first: Numbers, second: Numbers) -> Floats:
    """The weight that both functions of each pair have; of pairs of the same two sets, one is computed."""
    chosen, kinds = grouped(mix(suspect.sets[first]) + reference.sets[second])
    one, other = first[chosen], second[chosen]
    shared = np.zeros(len(chosen))
    for start in range(0, len(chosen), PAIR_BLOCK):
        block = slice(start, start + PAIR_BLOCK)
        shared[block] = suspect.matrix[one[block]].multiply(reference.matrix[other[block]]) @ weights
    return shared[kinds]


def _resemblance(shared: Floats, ours: Floats, theirs: Floats) -> Floats:
    union = ours + theirs - shared
    resemblance: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return resemblance


def exclusive_bits(
    suspect: Weighted,
    reference: Weighted,
    weights: Floats,
    found: Pairs,
    others: Sequence[tuple[Weighted, Mapping[int, int]]],
) -> float:
    """Sum the weight that pairs share and that no other reference's best function for the same suspect has.

    others: each other reference with its best function for each suspect function.
    Units:  bits.
    """
    common = suspect.matrix[found.suspect].multiply(reference.matrix[found.reference]).tocsr()
    for other, best in others:
        rows = np.array([row for row, function in enumerate(found.suspect.tolist()) if function in best], np.int64)
        columns = np.array([best[function] for function in found.suspect[rows].tolist()], np.int64)
        if len(rows):
            explained = common[rows].multiply(other.matrix[columns]).tocoo()
            placed = (explained.data, (rows[explained.row], explained.col))
            common = (common - sparse.csr_matrix(placed, shape=common.shape)).tocsr()
    return max(float((common @ weights).sum()), 0.0)
