"""The few shingles of each function that stand for it in an index: a bottom-k sketch (Broder 1997)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.code.corpus import Corpus
from detector.code.shingle import mix
from detector.code.sorting import Hashes, Numbers, is_new

SKETCH_KEYS = 16
FEWEST_SKETCHED = 4


@dataclass(frozen=True, slots=True)
class Sketches:
    """Keys of many functions.

    Shapes: `keys[offsets[j]:offsets[j + 1]]` are those of function j.
    """

    keys: Hashes
    offsets: Numbers


def sketches(corpus: Corpus, most: int = SKETCH_KEYS) -> Sketches:
    """Of all shingles of a function, over its views, those with the lowest hashes."""
    count = len(corpus.spans)
    seen = [(corpus.shingles, np.arange(count)), *corpus.views]
    hashes = np.concatenate([shingles.hashes for shingles, _ in seen])
    owners = np.concatenate([np.repeat(numbers, np.diff(shingles.offsets)) for shingles, numbers in seen])
    by_key = np.lexsort((mix(hashes), owners))
    hashes, owners = hashes[by_key], owners[by_key]
    kept = is_new(hashes) | is_new(owners)
    hashes, owners = hashes[kept], owners[kept]
    counts = np.bincount(owners, minlength=count)
    starts = np.concatenate([[0], np.cumsum(counts)])
    kept = (np.arange(len(owners)) - starts[owners] < most) & (counts >= FEWEST_SKETCHED)[owners]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners[kept], minlength=count))])
    return Sketches(hashes[kept], offsets)
