"""Which targets of an index a suspect is to be compared with: those that most of its functions may come from."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from detector.code.corpus import Corpus
from detector.code.sketch import questions
from detector.code.sorting import Numbers, distinct, is_new
from detector.index.candidates import Candidates, candidates
from detector.index.records import marks, some
from detector.settings.index import FEWEST_SHARED_KEYS, SHAPES_PER_FUNCTION


@dataclass(frozen=True, slots=True)
class Chosen:
    """Targets by number, those with most of a suspect first; and how many of its functions led to each pack."""

    targets: tuple[int, ...]
    packs: Mapping[int, int]


Pairs = Callable[[Numbers], tuple[Numbers, Numbers]]  # distinct keys -> each with what belongs to it, by key


def choose(connection: sqlite3.Connection, corpus: Corpus) -> Chosen:
    """Find the targets of an index that have shapes like those of the suspect's functions, as `chosen` does."""
    return of_candidates(connection, candidates(connection, questions(corpus), SHAPES_PER_FUNCTION))


def of_candidates(connection: sqlite3.Connection, found: Candidates) -> Chosen:
    """Find the targets of an index that have its candidates."""
    return chosen(
        found,
        lambda shapes: _pairs(connection, "SELECT DISTINCT shape, pack FROM shape_function WHERE shape IN", shapes),
        lambda packs: _pairs(connection, "SELECT DISTINCT pack, target FROM place WHERE pack IN", packs),
    )


def chosen(found: Candidates, packs_of: Pairs, targets_of: Pairs) -> Chosen:
    """Find the targets that have the candidates.

    Of each function and target the shape that shares most keys counts; a target's strength is the sum over functions.
    Ties: by number.
    """
    kept = found.shared >= FEWEST_SHARED_KEYS
    functions, shapes, shared = found.function[kept], found.shape[kept], found.shared[kept]
    known = distinct(shapes)
    of_shape = packs_of(known)
    packs = distinct(of_shape[1])
    in_target = _distinct_pairs(_joined(of_shape, targets_of(packs)))
    rows, targets = _matched(shapes, in_target)
    by_function = np.lexsort((-shared[rows], functions[rows], targets))
    ordered = targets[by_function], functions[rows][by_function]
    best = is_new(ordered[0]) | is_new(ordered[1])
    numbers, places = np.unique(ordered[0][best], return_inverse=True)
    strength = np.bincount(places, shared[rows][by_function][best], minlength=len(numbers))
    order = np.lexsort((numbers, -strength))
    # A revision is told from another by what is nearest to each function.
    most = np.zeros(int(functions.max(initial=-1)) + 1, np.int64)
    np.maximum.at(most, functions, shared)
    leads = np.bincount(np.searchsorted(known, shapes[shared == most[functions]]), minlength=len(known))
    counts = np.zeros(len(packs), np.int64)
    np.add.at(counts, np.searchsorted(packs, of_shape[1]), leads[np.searchsorted(known, of_shape[0])])
    led = counts > 0
    return Chosen(tuple(numbers[order].tolist()), dict(zip(packs[led].tolist(), counts[led].tolist(), strict=True)))


def _pairs(connection: sqlite3.Connection, query: str, keys: Numbers) -> tuple[Numbers, Numbers]:
    """What a query gives for keys, by key."""
    rows: list[tuple[int, int]] = []
    for part in some(keys.tolist()):
        rows += connection.execute(f"{query} ({marks(part)})", part)
    return _columns(sorted(rows))


def _columns(rows: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    table = np.array(list(rows), np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _matched(keys: Numbers, pairs: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """Join keys with pairs that are sorted by key: places in the keys, and the other sides of the pairs."""
    begins, ends = (np.searchsorted(pairs[0], keys, side=side) for side in ("left", "right"))
    counts = ends - begins
    places = np.repeat(np.arange(len(keys)), counts)
    within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    return places, pairs[1][np.repeat(begins, counts) + within]


def _joined(one: tuple[Numbers, Numbers], other: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    places, found = _matched(one[1], other)
    return one[0][places], found


def _distinct_pairs(pairs: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    by_both = np.lexsort((pairs[1], pairs[0]))
    one, other = pairs[0][by_both], pairs[1][by_both]
    kept = is_new(one) | is_new(other)
    return one[kept], other[kept]
