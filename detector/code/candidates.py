"""Weighted functions of two sides -> the pairs that are worth an exact score.

What two functions nearly share in whole is found by MinHash, what they share of rare shingles by postings.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.match import Rows, Weighted, ones
from detector.code.pairs import Floats, Pairs
from detector.code.scoring import score
from detector.code.shingle import Shingles
from detector.code.signatures import bands, collisions, signatures
from detector.code.sorting import Hashes, Numbers, distinct, grouped
from detector.settings import CANDIDATE_SHARE, CANDIDATES_PER_FUNCTION, FEWEST_LSH_SHINGLES, LARGEST_POSTING


def pairs(suspect: Weighted, reference: Weighted, weights: Floats, ours: Shingles, theirs: Shingles) -> Pairs:
    """Find and score the candidate pairs of two sides."""
    # What is proposed for a function is proposed for all that have the same shingles.
    firsts, kinds = grouped(suspect.reach.sets)
    near = _near_copies(ours.take(firsts), theirs, reference.own.sets)
    rare = _sharing_rare(suspect.reach, firsts, reference.reach, weights)
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


def _sharing_rare(suspect: Rows, chosen: Numbers, reference: Rows, weights: Floats) -> tuple[Numbers, Numbers]:
    """Pairs that share rare shingles: for each chosen suspect the references it shares most weight with."""
    ours, totals = suspect.matrix[chosen], suspect.totals[chosen]
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
    return ones(found[kept], ends[matrix.indptr], width)
