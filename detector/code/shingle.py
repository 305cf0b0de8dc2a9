"""Value flow -> weighted shingles, for a whole batch of functions at once in numpy.

A shingle is the hash of a node with its operands to a certain depth (Merkle 1987: the hash of a node is made of
its label and its operands' hashes). A function's shingles are a multiset; the second and third occurrence of one
hash become hashes of their own, so that a set intersection counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.lowering.flow import FIRST, PRESET_LABELS
from detector.code.lowering.labels import COMMUTATIVE, LABELS
from detector.code.lowering.python import Batch
from detector.code.sorting import Hashes, Numbers, distinct, is_new
from detector.settings import MOST_OCCURRENCES, MOST_PEELINGS, SHINGLE_DEPTHS

# Odd 64-bit constants of splitmix64 (Steele, Lea, Flood 2014) and of xxHash's primes.
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_S24, _S40 = np.uint64(24), np.uint64(40)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_LABEL = np.uint64(0xC2B2AE3D27D4EB4F)
_ANY_ORDER = np.uint64(0x165667B19E3779F9)  # for operands whose order means nothing: commutative ones and keywords


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingles of many functions.

    Shapes: `hashes[offsets[j]:offsets[j + 1]]` are the distinct shingles of function j, in no particular order.
    """

    hashes: Hashes
    offsets: Numbers

    def take(self, functions: Numbers) -> Shingles:
        """Those of some functions."""
        starts = self.offsets[functions]
        counts = self.offsets[functions + 1] - starts
        offsets = np.zeros(len(functions) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
        return Shingles(self.hashes[places], offsets)

    def sums(self) -> Hashes:
        """A hash of each function's set of shingles, whatever their order."""
        return row_sums(self.hashes, self.offsets)


def joined(sides: Sequence[Shingles]) -> Shingles:
    """The functions of several repositories, one after the other."""
    starts = np.cumsum([0, *(len(side.hashes) for side in sides)])
    offsets = [side.offsets[:-1] + start for side, start in zip(sides, starts.tolist(), strict=False)]
    return Shingles(np.concatenate([side.hashes for side in sides]), np.concatenate([*offsets, starts[-1:]]))


def row_sums(values: Hashes, offsets: npt.NDArray[np.integer]) -> Hashes:
    """A hash of the values of each row, from offsets[j] to offsets[j + 1], whatever their order.

    Stable: a sum of their mixed hashes.
    """
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(mix(values + _ONE), out=sums[1:])  # mix(0) is 0
    differences: Hashes = sums[offsets[1:]] - sums[offsets[:-1]]
    return differences


def mix(values: Hashes) -> Hashes:
    """Scramble 64-bit values.

    Source: the finalizer of splitmix64; Steele, Lea and Flood 2014, figure 17 (variant 13 of Stafford).
    """
    values = (values ^ (values >> _S30)) * _M1
    values = (values ^ (values >> _S27)) * _M2
    mixed: Hashes = values ^ (values >> _S31)
    return mixed


def _position_multipliers(count: int) -> Hashes:
    return mix(np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN) | np.uint64(1)


_PRESET_LABELS = np.array(PRESET_LABELS, np.int64)
_POSITIONS = _position_multipliers(256)  # operands beyond the 256th share the last place


class _LabelTable:
    """Hash and kind of every label, grown as labels are interned."""

    def __init__(self) -> None:
        self.generation = 0
        self.hashes = np.zeros(0, np.uint64)
        self.is_root = np.zeros(0, bool)
        self.is_unordered = np.zeros(0, bool)  # the node's operands have no order
        self.is_keyword = np.zeros(0, bool)  # the node may stand anywhere among its siblings

    def refresh(self) -> None:
        """Take in labels interned since the last call, or start over when some were forgotten."""
        known = len(self.hashes) if self.generation == LABELS.generation else min(len(self.hashes), LABELS.fixed)
        self.generation = LABELS.generation
        if known == len(LABELS.texts):
            return
        texts = LABELS.texts[known:]
        self.hashes = np.concatenate([self.hashes[:known], np.array(LABELS.hashes[known:], np.uint64)])
        self.is_root = _extend(self.is_root, known, [text[:5] == "root " for text in texts])
        self.is_unordered = _extend(self.is_unordered, known, [text in COMMUTATIVE for text in texts])
        self.is_keyword = _extend(self.is_keyword, known, [text[:3] == "kw:" for text in texts])


def _extend(flags: npt.NDArray[np.bool_], known: int, more: list[bool]) -> npt.NDArray[np.bool_]:
    return np.concatenate([flags[:known], np.array(more, bool)])


_LABEL_TABLE = _LabelTable()


def shingle(batch: Batch) -> Shingles:
    """Hash every live node of a batch to each depth and gather the distinct hashes of each function."""
    if not batch.units:
        return Shingles(np.zeros(0, np.uint64), np.zeros(1, np.int64))
    _LABEL_TABLE.refresh()
    nodes = _flatten(batch)
    live = _live(nodes)
    emitted = _hash(nodes, live)
    return _gather(*emitted, batch)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """A batch's graph as arrays; the presets come first, so a node's id is its place."""

    labels: Numbers  # of each node
    owners: Numbers  # of each edge: the node that has the operand
    operands: Numbers  # of each edge: the operand
    multipliers: Hashes  # of each edge: by position, or one for all where order means nothing
    parents: Numbers  # nodes that have operands, ascending
    firsts: Numbers  # of each parent: its first edge


def _flatten(batch: Batch) -> _Nodes:
    arity = np.fromiter(batch.lengths, np.int64, len(batch.lengths)) - 1
    words = np.fromiter(batch.words, np.int64, len(batch.words))
    firsts = np.cumsum(arity) - arity  # edges before this record
    starts = firsts + np.arange(len(arity))
    labels = np.concatenate([_PRESET_LABELS, words[starts]])
    is_operand = np.ones(len(words), bool)
    is_operand[starts] = False
    operands = words[is_operand]
    rows = np.repeat(np.arange(len(arity)), arity)
    owners = rows + FIRST
    positions = np.arange(len(operands)) - firsts[rows]
    multipliers = _POSITIONS[np.minimum(positions, len(_POSITIONS) - 1)]
    in_any_order = _LABEL_TABLE.is_unordered[labels[owners]] | _LABEL_TABLE.is_keyword[labels[operands]]
    multipliers[in_any_order] = _ANY_ORDER
    has_operands = arity > 0
    return _Nodes(labels, owners, operands, multipliers, np.flatnonzero(has_operands) + FIRST, firsts[has_operands])


def _live(nodes: _Nodes) -> npt.NDArray[np.bool_]:
    """Nodes that a root reaches, found by peeling off what nothing live consumes."""
    uses = np.bincount(nodes.operands, minlength=len(nodes.labels))
    live = (uses > 0) | _LABEL_TABLE.is_root[nodes.labels]
    ends = np.append(nodes.firsts[1:], len(nodes.operands))
    dead = np.flatnonzero(~live[nodes.parents])  # numbers of parents
    for _ in range(MOST_PEELINGS):
        if not len(dead):
            break
        counts = ends[dead] - nodes.firsts[dead]
        edges = np.arange(counts.sum()) + np.repeat(nodes.firsts[dead] - (np.cumsum(counts) - counts), counts)
        freed = nodes.operands[edges]
        np.subtract.at(uses, freed, 1)
        freed = freed[(uses[freed] == 0) & live[freed] & ~_LABEL_TABLE.is_root[nodes.labels[freed]]]
        live[freed] = False
        freed = distinct(freed)
        places = np.searchsorted(nodes.parents, freed)
        places = np.minimum(places, len(nodes.parents) - 1)
        dead = places[nodes.parents[places] == freed]
    return live


def _hash(nodes: _Nodes, live: npt.NDArray[np.bool_]) -> tuple[Hashes, Numbers]:
    """The shingles of all live nodes to each depth, and the node that each belongs to."""
    own = mix(_LABEL_TABLE.hashes[nodes.labels])
    deep = own
    height = np.zeros(len(own), np.int8)
    seeded = own[nodes.parents] * _LABEL
    hashes: list[Hashes] = []
    places: list[Numbers] = []
    for depth in range(1, max(SHINGLE_DEPTHS) + 1):
        sums = np.add.reduceat(deep[nodes.operands] * nodes.multipliers, nodes.firsts)
        below = np.maximum.reduceat(height[nodes.operands], nodes.firsts) if len(nodes.firsts) else height[:0]
        deep = own.copy()
        deep[nodes.parents] = mix(seeded + sums)
        reaches = below >= depth - 1
        height[nodes.parents[reaches]] = depth
        if depth in SHINGLE_DEPTHS:
            chosen = nodes.parents[reaches & live[nodes.parents]]
            hashes.append(deep[chosen])
            places.append(chosen)
    return np.concatenate(hashes), np.concatenate(places)


def _gather(hashes: Hashes, places: Numbers, batch: Batch) -> Shingles:
    """Sort by function and hash; the n-th occurrence of a hash in a function is a shingle of its own."""
    ends = np.array(batch.ends, np.int64)
    functions = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))[places - FIRST]
    # One key sorts by function, then hash; 40 bits of hash are plenty within one function.
    key = (functions.astype(np.uint64) << _S40) | (hashes >> _S24)
    by_key = np.argsort(key)
    key, hashes, functions = key[by_key], hashes[by_key], functions[by_key]
    is_kept = is_new(key)
    repeated = np.flatnonzero(~is_kept)
    if len(repeated):
        place = np.arange(len(key))
        occurrence = repeated - np.maximum.accumulate(np.where(is_kept, place, 0))[repeated]
        hashes[repeated] = mix(hashes[repeated] + occurrence.astype(np.uint64) * _GOLDEN)
        is_kept[repeated[occurrence < MOST_OCCURRENCES]] = True
        hashes, functions = hashes[is_kept], functions[is_kept]
    offsets = np.zeros(len(ends) + 1, np.int64)
    np.cumsum(np.bincount(functions, minlength=len(ends)), out=offsets[1:])
    return Shingles(hashes, offsets)
