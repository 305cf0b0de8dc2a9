"""Which rare literals two repositories share, and in which pairs of files to look for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.code.literal_background import literal_background
from detector.code.literals import KINDS, LENGTHS, Literals, key_of
from detector.code.match import Floats
from detector.code.sorting import Hashes, Numbers
from detector.settings import (
    LEAST_TRACE_BITS,
    LENGTH_PART,
    MOST_TRACE_FILES,
    MOST_TRACE_PLACES,
    SHORT_PART,
)


@dataclass(frozen=True, slots=True)
class Rarity:
    """How many packages have a literal, and what it says that two projects have it."""

    packages: int
    bits: float


@dataclass(frozen=True, slots=True)
class FilePair:
    """Two files and the rare literals that both have."""

    suspect: str
    reference: str
    keys: frozenset[int]
    bits: float


def rarity(keys: Hashes) -> tuple[Numbers, Floats]:
    """How many packages have each literal, and its bits.

    Units:  log2((P + 1) / (n + 1)) for n of P packages, times a part that grows with the length of the literal.
    """
    known = literal_background()
    packages = known.frequency(keys)
    bits = np.log2((known.packages + 1) / (packages + 1)) * _PARTS[(keys & np.uint64(0xFF)).astype(np.int64)]
    return packages, bits


def rarity_of(key: int) -> Rarity:
    """The same of one literal."""
    packages, bits = rarity(np.array([key], np.uint64))
    return Rarity(int(packages[0]), float(bits[0]))


def _parts() -> Floats:
    """The part of its rarity that a literal counts, by the low byte of its key."""
    parts = np.ones(256)
    for kind, name in enumerate(KINDS):
        for length in range(LENGTHS):
            if name in LENGTH_PART:
                parts[key_of(kind, length, b"") & 0xFF] = SHORT_PART + LENGTH_PART[name] * length
    return parts


_PARTS = _parts()


def shared(suspect: Literals, reference: Literals) -> list[FilePair]:
    """Pairs of files by the bits of the rare literals that both have, each literal in one pair; the strongest.

    Ties: a literal that stands in several files goes to the pair that shares most; equal ones by path.
    """
    both = np.intersect1d(suspect.keys, reference.keys)
    bits = rarity(both)[1]
    both, bits = both[bits >= LEAST_TRACE_BITS], bits[bits >= LEAST_TRACE_BITS]
    ours, theirs = _places(suspect, both), _places(reference, both)
    totals: defaultdict[tuple[int, int], float] = defaultdict(float)
    pairs = [[(one, other) for one in ours[number] for other in theirs[number]] for number in range(len(both))]
    for each, its_bits in zip(pairs, bits.tolist(), strict=True):
        for pair in each:
            totals[pair] += its_bits
    chosen: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for number, each in enumerate(pairs):
        chosen[max(each, key=lambda pair: (totals[pair], -pair[0], -pair[1]))].append(number)
    found = [
        FilePair(
            suspect.paths[one],
            reference.paths[other],
            frozenset(both[numbers].tolist()),
            float(bits[numbers].sum()),
        )
        for (one, other), numbers in chosen.items()
    ]
    return sorted(found, key=lambda pair: (-pair.bits, pair.suspect, pair.reference))[:MOST_TRACE_FILES]


def _places(literals: Literals, keys: Hashes) -> list[list[int]]:
    """For each key the first files that have it."""
    order = np.argsort(literals.keys, kind="stable")
    known = literals.keys[order]
    firsts, lasts = np.searchsorted(known, keys), np.searchsorted(known, keys, "right")
    lasts = np.minimum(lasts, firsts + MOST_TRACE_PLACES)
    files = literals.files[order]
    return [files[first:last].tolist() for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]


def having(literals: Literals, keys: Sequence[int]) -> frozenset[int]:
    """Which of the keys a repository has."""
    wanted = np.array(keys, np.uint64)
    return frozenset(wanted[np.isin(wanted, literals.keys)].tolist())
