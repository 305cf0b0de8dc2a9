"""The few shingles by which a function is found in an index: in each of its views the rarest, on both sides alike.

Source: bottom-k sketches; Broder 1997, section 4; Cohen and Kaplan 2007. Rare first: what few packages have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.code.background import background
from detector.code.corpus import Corpus
from detector.code.shingle import Shingles, mix
from detector.code.sorting import Hashes, Numbers, is_new
from detector.settings.postings import (
    ASKED_KEYS,
    COMMON_PACKAGES,
    FEWEST_COMMON_KEYS,
    FEWEST_SKETCHED,
    KEY_BITS,
    MOST_POSTED_KEYS,
    POSTED_KEYS,
    POSTED_PART,
    SKETCH_BLOCK,
)

_KEY = np.uint64((1 << KEY_BITS) - 1)
_CUT = np.uint64(64 - KEY_BITS)
_HIGHEST = 63  # packages: more make nothing more common, and the number of a function fits beside it
_RANK_BITS = np.uint64(KEY_BITS + 6)


@dataclass(frozen=True, slots=True)
class Sketches:
    """Keys of many functions.

    Shapes: `keys[offsets[j]:offsets[j + 1]]` are those of function j, the rarest first; below 2 ** KEY_BITS.
    """

    keys: Hashes
    offsets: Numbers

    def part(self, first: int, last: int) -> Sketches:
        """Those of functions from `first` up to, not including, `last`."""
        begin = self.offsets[first]
        return Sketches(self.keys[begin : self.offsets[last]], self.offsets[first : last + 1] - begin)

    def of(self, functions: Numbers) -> Sketches:
        """Those of some functions."""
        taken = Shingles(self.keys, self.offsets).take(functions)
        return Sketches(taken.hashes, taken.offsets)


def sketches(corpus: Corpus) -> Sketches:
    """The keys under which every function is posted.

    Empty:  a function of fewer than FEWEST_SKETCHED shingles has none.
    Stable: the keys of a function do not depend on other functions, nor on the order of its shingles.
    """
    return _sketched(corpus, np.arange(len(corpus.spans)), POSTED_KEYS, POSTED_PART)


def questions(corpus: Corpus, asked: Numbers | None = None) -> Sketches:
    """The keys by which functions are looked up: the rarest of those under which each would be posted.

    asked: numbers of functions; None asks for all.
    Shapes: row i is of asked[i].
    """
    if asked is None:
        return _sketched(corpus, np.arange(len(corpus.spans)), ASKED_KEYS, 0.0)
    return _sketched(corpus, asked, ASKED_KEYS, 0.0).of(asked)


def _sketched(corpus: Corpus, asked: Numbers, counts: Sequence[int], part: float) -> Sketches:
    """Keys of all functions; those that are not asked for have none."""
    functions = len(corpus.spans)
    is_large = np.zeros(functions, bool)
    is_large[asked] = np.diff(corpus.shingles.offsets)[asked] >= FEWEST_SKETCHED
    seen = ((corpus.shingles, np.arange(functions)), *corpus.views)
    keys, lengths = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for first in range(0, functions, SKETCH_BLOCK):
        last = min(first + SKETCH_BLOCK, functions)
        chosen = []
        for (shingles, numbers), count in zip(seen, counts, strict=True):
            begin, end = np.searchsorted(numbers, [first, last])
            rows = np.flatnonzero(is_large[numbers[begin:end]]) + begin
            chosen.append(_rarest(shingles.take(rows), numbers[rows] - first, count, part))
        found = np.sort(np.concatenate(chosen))
        found = found[is_new(found)]
        keys.append(found & _KEY)
        lengths.append(np.bincount((found >> _RANK_BITS).astype(np.int64), minlength=last - first))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return Sketches(np.concatenate(keys), offsets.astype(np.int64))


def _rarest(shingles: Shingles, numbers: Numbers, count: int, part: float) -> Hashes:
    """The rarest of each row: its number, then how many packages have the shingle, then the key, in one integer.

    Ties: the lower key.
    """
    lengths = np.diff(shingles.offsets)
    packages = np.minimum(background().frequency(shingles.hashes), _HIGHEST).astype(np.uint64)
    owners = np.repeat(numbers.astype(np.uint64), lengths)
    keys = mix(shingles.hashes) >> _CUT
    ranked = np.sort(owners << _RANK_BITS | packages << np.uint64(KEY_BITS) | keys)
    most = np.minimum(np.maximum(np.ceil(part * lengths), count), max(MOST_POSTED_KEYS, count))
    place = np.arange(len(ranked)) - np.repeat(shingles.offsets[:-1], lengths)
    is_common = (ranked >> np.uint64(KEY_BITS)) % np.uint64(_HIGHEST + 1) >= COMMON_PACKAGES
    return ranked[(place < np.repeat(most, lengths)) & (~is_common | (place < FEWEST_COMMON_KEYS))]
