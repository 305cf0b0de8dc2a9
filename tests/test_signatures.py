"""MinHash signatures and LSH bands against datasketch, which defines them, and against naive loops."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from detector.code.shingle import Shingles
from detector.code.signatures import bands, collisions, fold, signatures
from detector.code.sorting import Hashes
from detector.settings import (
    LARGEST_BUCKET,
    LSH_BANDS,
    LSH_ROWS,
    MINHASH_PERMUTATIONS,
    MINHASH_SCHEME,
    MINHASH_SEED,
    SIGNATURE_BLOCK,
)


def shingles(*sets: Hashes) -> Shingles:
    """Pack sets of hashes as the shingler does."""
    offsets = np.zeros(len(sets) + 1, np.int64)
    np.cumsum([len(each) for each in sets], out=offsets[1:])
    return Shingles(np.concatenate([np.zeros(0, np.uint64), *map(np.unique, sets)]), offsets)


def random_sets(seed: int, *sizes: int) -> list[Hashes]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 2**64, size, dtype=np.uint64) for size in sizes]


def overlapping_sets(seed: int, count: int) -> list[Hashes]:
    """Sets of which some are near copies of others."""
    rng = np.random.default_rng(seed)
    sets = random_sets(seed, *rng.integers(1, 60, count).tolist())
    for place in range(1, count, 2):
        kept = sets[place - 1][rng.random(len(sets[place - 1])) < rng.random()]
        sets[place] = np.concatenate([kept, sets[place][: rng.integers(0, 8)]])
    return sets


def oracle(hashes: Hashes) -> MinHash:
    """What datasketch makes of the same set."""
    minhash = MinHash(MINHASH_PERMUTATIONS, MINHASH_SEED, hashfunc=int, scheme=MINHASH_SCHEME)
    for value in fold(hashes).tolist():
        minhash.update(value)
    return minhash


SETS = {
    "random sets": random_sets(1, 1, 2, 3, 10, 57, 300, 1000),
    "no set at all": [],
    "one empty set": random_sets(2, 0),
    "empty sets at both ends and in between": random_sets(3, 0, 0, 5, 0, 7, 0, 0),
    "sets longer than a block": random_sets(4, SIGNATURE_BLOCK + 1, 3, 2 * SIGNATURE_BLOCK, 0, SIGNATURE_BLOCK, 1),
    "blocks that end exactly": random_sets(5, *[SIGNATURE_BLOCK // 4] * 9),
    "near copies": overlapping_sets(6, 60),
    "extreme hashes": [np.array([0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1], np.uint64), np.array([0], np.uint64)],
}


@pytest.mark.parametrize("name", SETS)
def test_a_signature_is_bit_for_bit_what_datasketch_computes(name: str) -> None:
    found = signatures(shingles(*SETS[name]))
    assert found.shape == (len(SETS[name]), MINHASH_PERMUTATIONS)
    for signature, hashes in zip(found, SETS[name], strict=True):
        assert np.array_equal(signature, oracle(hashes).hashvalues)


def test_equal_hashes_one_by_one_make_the_signature_of_their_union() -> None:
    one, other = random_sets(7, 20, 30)
    first, second, both = signatures(shingles(one, other, np.concatenate([one, other])))
    assert np.array_equal(np.minimum(first, second), both)


def test_the_share_of_equal_places_estimates_the_jaccard_similarity() -> None:
    (common, only_one, only_other) = random_sets(8, 600, 200, 200)
    one, other = signatures(shingles(np.concatenate([common, only_one]), np.concatenate([common, only_other])))
    assert abs(float(np.mean(one == other)) - 0.6) < 0.15


def band_keys(sets: list[Hashes]) -> Hashes:
    return bands(signatures(shingles(*sets)))


def found_pairs(suspects: list[Hashes], references: list[Hashes]) -> list[tuple[int, int]]:
    first, second = collisions(band_keys(suspects), band_keys(references))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def pairs_that_share_a_band(suspects: list[Hashes], references: list[Hashes]) -> set[tuple[int, int]]:
    """The naive loop over all pairs and bands."""
    ours, theirs = signatures(shingles(*suspects)), signatures(shingles(*references))
    return {
        (i, j)
        for i, one in enumerate(ours)
        for j, other in enumerate(theirs)
        if np.any(np.all((one == other)[: LSH_BANDS * LSH_ROWS].reshape(LSH_BANDS, LSH_ROWS), axis=1))
    }


def mixed_sides(seed: int) -> tuple[list[Hashes], list[Hashes]]:
    """Two sides, each with near copies of the other's sets."""
    sets = overlapping_sets(seed, 60)
    return sets[::2], sets[1::2]


@pytest.mark.parametrize("seed", range(4))
def test_collisions_are_exactly_the_pairs_that_share_a_band(seed: int) -> None:
    suspects, references = mixed_sides(seed)
    expected = pairs_that_share_a_band(suspects, references)
    assert 5 < len(expected) < len(suspects) * len(references) / 2
    assert found_pairs(suspects, references) == sorted(expected)


@pytest.mark.parametrize("seed", range(4, 7))
def test_collisions_are_exactly_the_pairs_that_datasketch_finds(seed: int) -> None:
    suspects, references = mixed_sides(seed)
    index = MinHashLSH(num_perm=MINHASH_PERMUTATIONS, params=(LSH_BANDS, LSH_ROWS))
    for number, reference in enumerate(references):
        index.insert(number, oracle(reference))
    expected = {(i, j) for i, suspect in enumerate(suspects) for j in index.query(oracle(suspect))}
    assert found_pairs(suspects, references) == sorted(expected)


def test_each_pair_comes_once_however_many_bands_it_shares() -> None:
    (one,) = random_sets(9, 40)
    assert found_pairs([one, one], [one]) == [(0, 0), (1, 0)]


def test_sides_may_be_empty() -> None:
    (one,) = random_sets(10, 5)
    assert found_pairs([one], []) == found_pairs([], [one]) == found_pairs([], []) == []


def test_of_a_bucket_with_too_many_references_the_first_stand_for_all() -> None:
    boilerplate, rare = random_sets(11, 30, 30)
    assert len(found_pairs([boilerplate], [boilerplate] * LARGEST_BUCKET)) == LARGEST_BUCKET
    found = found_pairs([boilerplate, rare], [boilerplate] * (LARGEST_BUCKET + 5) + [rare])
    assert found == [*((0, number) for number in range(LARGEST_BUCKET)), (1, LARGEST_BUCKET + 5)]


def test_bands_cover_the_whole_signature() -> None:
    assert LSH_BANDS * LSH_ROWS <= MINHASH_PERMUTATIONS
    keys = band_keys(overlapping_sets(12, 5))
    assert keys.shape == (LSH_BANDS, 5)
    assert keys.dtype == np.uint64
