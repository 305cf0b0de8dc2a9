"""Which rare literals two repositories share, and in which pairs of files to look for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from detector.code.literal_background import literal_background
from detector.code.literals import KINDS, LENGTHS, Literals, key_of
from detector.code.pairs import Floats
from detector.code.sorting import Hashes, Numbers
from detector.settings import LEAST_TRACE_BITS, LENGTH_PART, MOST_TRACE_FILES, MOST_TRACE_PLACES, SHORT_PART


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


def rarity(keys: Hashes) -> tuple[Numbers, Floats]:
    """How many packages have each literal, and its bits.

    Units:  log2((P + 1) / (n + 1)) for n of P packages, times a part that grows with the length of the literal.
    """
    known = literal_background()
    packages = known.frequency(keys)
    bits = np.log2((known.packages + 1) / (packages + 1)) * _PARTS[(keys & np.uint64(0xFF)).astype(np.int64)]
    return packages, bits


def rarities(keys: Iterable[int]) -> dict[int, Rarity]:
    """The same of each of some literals."""
    given = list(keys)
    packages, bits = rarity(np.array(given, np.uint64))
    return dict(zip(given, map(Rarity, packages.tolist(), bits.tolist()), strict=True))


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
    # Every file of the suspect that has a literal, with every file of the reference that has it.
    rows = np.repeat(np.arange(len(ours.numbers)), theirs.counts[ours.numbers])
    numbers = ours.numbers[rows]
    others = theirs.files[(np.cumsum(theirs.counts) - theirs.counts)[numbers] + _counted(theirs.counts[ours.numbers])]
    pairs, kinds = np.unique(ours.files[rows] * max(len(reference.paths), 1) + others, return_inverse=True)
    totals = np.bincount(kinds, weights=bits[numbers], minlength=len(pairs))
    order = np.lexsort((kinds, -totals[kinds], numbers))
    best = order[np.unique(numbers[order], return_index=True)[1]]  # of each literal
    strongest = np.bincount(kinds[best], weights=bits[numbers[best]], minlength=len(pairs))
    found = []
    for kind in np.argsort(-strongest, kind="stable")[:MOST_TRACE_FILES].tolist():
        one, other = divmod(int(pairs[kind]), max(len(reference.paths), 1))
        keys = frozenset(both[numbers[best[kinds[best] == kind]]].tolist())
        if keys:
            found.append(FilePair(suspect.paths[one], reference.paths[other], keys))
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """The first files that have each literal.

    Shapes: counts[n] rows of `files` belong to literal n, ascending; `numbers` says of each row which literal.
    """

    files: Numbers
    numbers: Numbers
    counts: Numbers


def _places(literals: Literals, keys: Hashes) -> _Places:
    order = np.argsort(literals.keys, kind="stable")
    known = literals.keys[order]
    firsts = np.searchsorted(known, keys)
    counts = np.minimum(np.searchsorted(known, keys, "right") - firsts, MOST_TRACE_PLACES)
    numbers = np.repeat(np.arange(len(keys)), counts)
    return _Places(literals.files[order][firsts[numbers] + _counted(counts)], numbers, counts)


def _counted(counts: Numbers) -> Numbers:
    """0, 1, ... for each count, one after the other."""
    found: Numbers = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return found


def having(literals: Literals, keys: Sequence[int]) -> frozenset[int]:
    """Which of the keys a repository has."""
    wanted = np.array(keys, np.uint64)
    return frozenset(wanted[np.isin(wanted, literals.keys)].tolist())
