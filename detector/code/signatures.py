"""MinHash signatures of many functions at once, bit-identical to `datasketch.MinHash`, and their LSH bands.

Source: Broder 1997 (MinHash); Indyk and Motwani 1998 (LSH); datasketch 2, scheme "affine32", which defines the
permutations and is the oracle in the tests.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from detector.code.shingle import Shingles, mix
from detector.code.sorting import Hashes, Numbers, distinct, order
from detector.settings import (
    LARGEST_BUCKET,
    LSH_BANDS,
    LSH_ROWS,
    MINHASH_PERMUTATIONS,
    MINHASH_SCHEME,
    MINHASH_SEED,
    SIGNATURE_BLOCK,
)

Signatures = npt.NDArray[np.uint32]

# The 32-bit finalizer of MurmurHash3 (Appleby 2011), with which datasketch mixes its input first.
_FMIX = (np.uint32(16), np.uint32(0x85EBCA6B), np.uint32(13), np.uint32(0xC2B2AE35), np.uint32(16))
_EMPTY = np.uint32(0xFFFFFFFF)  # datasketch's value for a set without elements


@cache
def _permutations() -> tuple[Signatures, Signatures]:
    from datasketch import MinHash

    a, b = MinHash(num_perm=MINHASH_PERMUTATIONS, seed=MINHASH_SEED, scheme=MINHASH_SCHEME).permutations
    return a, b


def fold(hashes: Hashes) -> npt.NDArray[np.uint32]:
    """The 32-bit element value of each shingle, as `datasketch.MinHash.update` would get it from its hashfunc."""
    return (hashes >> np.uint64(32)).astype(np.uint32)


def signatures(shingles: Shingles) -> Signatures:
    """Compute every function's MinHash signature.

    Shapes: (functions, permutations). A function without shingles gets datasketch's empty signature.
    """
    a, b = _permutations()
    values = fold(shingles.hashes)
    s1, m1, s2, m2, s3 = _FMIX
    values = (values ^ (values >> s1)) * m1
    values = (values ^ (values >> s2)) * m2
    values = values ^ (values >> s3)
    offsets = shingles.offsets
    functions = len(offsets) - 1
    result = np.full((functions, len(a)), _EMPTY, np.uint32)
    start = 0
    while start < functions:
        # Blocks of about SIGNATURE_BLOCK shingles stay in the cache; a longer function is a block by itself.
        end = int(np.searchsorted(offsets, offsets[start] + SIGNATURE_BLOCK, side="right")) - 1
        end = min(max(end, start + 1), functions)
        filled = np.flatnonzero(np.diff(offsets[start : end + 1])) + start
        if len(filled):
            block = values[offsets[start] : offsets[end]]
            permuted = a[:, None] * block + b[:, None]
            result[filled] = np.minimum.reduceat(permuted, offsets[filled] - offsets[start], axis=1).T
        start = end
    return result


def bands(signatures_: Signatures) -> Hashes:
    """Hash each LSH band of each signature.

    Shapes: (bands, functions).
    """
    functions = len(signatures_)
    rows = signatures_[:, : LSH_BANDS * LSH_ROWS].reshape(functions, LSH_BANDS, LSH_ROWS).astype(np.uint64)
    keys = np.zeros((functions, LSH_BANDS), np.uint64)
    for row in range(LSH_ROWS):
        keys = mix(keys ^ rows[:, :, row])
    return np.ascontiguousarray(keys.T)


def collisions(suspects: Hashes, references: Hashes) -> tuple[Numbers, Numbers]:
    """Pairs of functions that share at least one band.

    Shapes: bands x functions in; two equally long arrays of function numbers out, each pair once.
    """
    codes: list[Numbers] = []
    width = references.shape[1]
    for ours, theirs in zip(suspects, references, strict=True):
        places, rows = order(theirs), order(ours)
        keys, wanted = theirs[places], ours[rows]
        low, high = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
        # Of a larger bucket the first members stand for all: they differ in nothing that would rank them.
        counts = np.minimum(high - low, LARGEST_BUCKET)
        hits = np.flatnonzero(counts)
        repeats = counts[hits]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        codes.append(np.repeat(rows[hits] * width, repeats) + places[np.repeat(low[hits], repeats) + within])
    if not codes:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    code = distinct(np.concatenate(codes))
    return code // width, code % width
