"""Value flow -> weighted shingles, for a whole batch of functions at once in numpy.

A shingle is the hash of a node with its operands to a certain depth (Merkle 1987: the hash of a node is made of
its label and its operands' hashes). A function's shingles are a multiset; the second and third occurrence of one
hash become hashes of their own, so that a set intersection counts them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.lowering.flow import (
    ATTRIBUTE,
    CALL,
    FIRST,
    FIRST_PARAMETER,
    LOCAL_CALL,
    OWN_METHOD,
    PRESET_LABELS,
    SELF,
)
from detector.code.lowering.labels import COMMUTATIVE, INPUTS, LABELS, SAME_AS
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
    if not sides:
        return Shingles(np.zeros(0, np.uint64), np.zeros(1, np.int64))
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


# Calls of something that the function was given: of a value, of a method of an object.
_APPLIED = frozenset({"call", "call.own"})


_ATTRIBUTE_OF = re.compile(r"input\?(\d+)\.")


class _LabelTable:
    """Hash and kind of every label, grown as labels are interned.

    blind: hashes without what an attribute of the object is known to hold.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.hashes = np.zeros(0, np.uint64)
        self.blind = np.zeros(0, np.uint64)
        self.is_applied = np.zeros(0, bool)  # blind, the node is a call of something unknown
        self.is_input = np.zeros(0, bool)
        self.is_operation = np.zeros(0, bool)  # of a library, however called
        self.attribute_of = np.zeros(0, np.int64)  # the parameter that an input is an attribute of, -1 for none
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
        hashes = np.array(LABELS.hashes[known:], np.uint64)
        is_applied = [text[:6] in {"apply:", SAME_AS} or text in _APPLIED for text in texts]
        blind = hashes.copy()
        blind[is_applied] = LABELS.hashes[LOCAL_CALL]
        blind[[text[:5] == "self:" for text in texts]] = LABELS.hashes[INPUTS["x"]]
        self.hashes = np.concatenate([self.hashes[:known], hashes])
        self.blind = np.concatenate([self.blind[:known], blind])
        self.is_applied = _extend(self.is_applied, known, is_applied)
        is_input = [text[:5] in {"input", "self:"} or text == "self" for text in texts]
        self.is_input = _extend(self.is_input, known, is_input)
        self.is_operation = _extend(self.is_operation, known, [text[:3] == "op." for text in texts])
        parameters = [_ATTRIBUTE_OF.match(text) for text in texts]
        found = np.array([int(match[1]) if match else -1 for match in parameters], np.int64)
        self.attribute_of = np.concatenate([self.attribute_of[:known], found])
        self.is_root = _extend(self.is_root, known, [text[:5] == "root " for text in texts])
        self.is_unordered = _extend(self.is_unordered, known, [text in COMMUTATIVE for text in texts])
        self.is_keyword = _extend(self.is_keyword, known, [text[:3] == "kw:" for text in texts])


def _extend(flags: npt.NDArray[np.bool_], known: int, more: list[bool]) -> npt.NDArray[np.bool_]:
    return np.concatenate([flags[:known], np.array(more, bool)])


_LABEL_TABLE = _LabelTable()


@dataclass(frozen=True, slots=True)
class Shingled:
    """What a batch gives.

    Shapes: `blind` holds, for the units whose numbers are in `blinded`, the shingles without what an attribute is
            known to hold: those of other units are the same either way.
    """

    shingles: Shingles
    blind: Shingles
    blinded: Numbers


def shingle(batch: Batch) -> Shingled:
    """Hash every live node of a batch to each depth and gather the distinct hashes of each function.

    A second time without knowing what the attributes of an object hold: a class whose constructor stands elsewhere,
    or a method that became a free function, does not know it either.
    """
    if not batch.units:
        nothing = Shingles(np.zeros(0, np.uint64), np.zeros(1, np.int64))
        return Shingled(nothing, nothing, np.zeros(0, np.int64))
    _LABEL_TABLE.refresh()
    nodes = _flatten(batch)
    live = _live(nodes)
    ends = np.array(batch.ends, np.int64)
    owners = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    hashes, places = _hash(nodes, live, _LABEL_TABLE.hashes[nodes.labels], nodes.multipliers)
    found = _gather(hashes, owners[places - FIRST], len(ends))
    labels, multipliers, changed = _blind(nodes, live, owners)
    is_blinded = np.zeros(len(ends), bool)
    is_blinded[owners[np.flatnonzero(changed[FIRST:] & live[FIRST:])]] = True
    is_kept = is_blinded[owners[places - FIRST]]
    hashes, _ = _hash(nodes, live, labels, multipliers)
    blind = _gather(hashes[is_kept], owners[places[is_kept] - FIRST], len(ends))
    blinded = np.flatnonzero(is_blinded)
    return Shingled(found, blind.take(blinded), blinded)


def node_hashes(batch: Batch) -> list[tuple[int, int]]:
    """The shingles of a batch of one function with the node that each belongs to, without what attributes hold."""
    _LABEL_TABLE.refresh()
    nodes = _flatten(batch)
    live = _live(nodes)
    labels, multipliers, _ = _blind(nodes, live, np.zeros(len(batch.lengths), np.int64))
    hashes, places = _hash(nodes, live, labels, multipliers)
    return list(zip(hashes.tolist(), places.tolist(), strict=True))


def _blind(
    nodes: _Nodes, live: npt.NDArray[np.bool_], functions: Numbers
) -> tuple[Hashes, Hashes, npt.NDArray[np.bool_]]:
    """Label hashes of nodes and multipliers of edges without knowing what objects hold, and the nodes that change.

    What is called on the object, or on one that the function was given, is a call of something unknown: it is not
    among the operands, and these have no order.
    """
    table = _LABEL_TABLE
    labels = table.blind[nodes.labels]
    is_applied = table.is_applied[nodes.labels]
    first = nodes.operands[nodes.firsts]
    is_object = first == SELF
    is_object[nodes.parents >= FIRST] |= _objects(nodes, live, functions)
    own = nodes.parents[is_object & table.is_operation[nodes.labels[nodes.parents]]]
    is_applied[own] = True
    labels[own] = LABELS.hashes[LOCAL_CALL]
    multipliers = nodes.multipliers.copy()
    multipliers[is_applied[nodes.owners]] = _ANY_ORDER
    kinds = nodes.labels[nodes.parents]
    is_called = (kinds == CALL) | (kinds == OWN_METHOD)
    # What the function was given; a value that it has made stays an operand.
    dropped = is_called & table.is_input[nodes.labels[first]] | is_object & is_applied[nodes.parents]
    multipliers[nodes.firsts[dropped]] = np.uint64(0)
    return labels, multipliers, labels != table.hashes[nodes.labels]


def _objects(nodes: _Nodes, live: npt.NDArray[np.bool_], functions: Numbers) -> npt.NDArray[np.bool_]:
    """Which nodes have as first operand a parameter that is an object: only its attributes and methods are used.

    Shapes: along `nodes.parents` from FIRST on.
    """
    table = _LABEL_TABLE
    count = int(functions[-1]) + 1 if len(functions) else 0
    is_used = live[nodes.owners] & (nodes.operands >= FIRST_PARAMETER) & (nodes.operands < FIRST)
    edges = np.flatnonzero(is_used)
    owners, parameters = nodes.owners[edges], nodes.operands[edges]
    keys = functions[owners - FIRST] * FIRST + parameters
    kinds = nodes.labels[owners]
    is_first = np.zeros(len(nodes.operands), bool)
    is_first[nodes.firsts] = True
    is_own = (kinds == OWN_METHOD) | (kinds == ATTRIBUTE)
    is_bare = ~is_first[edges] | ~(is_own | table.is_operation[kinds])
    has_own, has_bare = np.zeros(count * FIRST, bool), np.zeros(count * FIRST, bool)
    has_own[keys[is_own]] = True
    has_bare[keys[is_bare]] = True
    attributes = np.flatnonzero(live & (table.attribute_of[nodes.labels] >= 0))
    attributes = attributes[attributes >= FIRST]
    has_own[functions[attributes - FIRST] * FIRST + table.attribute_of[nodes.labels[attributes]]] = True
    parents = nodes.parents[nodes.parents >= FIRST]
    first = nodes.operands[nodes.firsts[nodes.parents >= FIRST]]
    is_parameter = (first >= FIRST_PARAMETER) & (first < FIRST)
    keys = functions[parents - FIRST] * FIRST + np.where(is_parameter, first, 0)
    found: npt.NDArray[np.bool_] = is_parameter & has_own[keys] & ~has_bare[keys]
    return found


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


def _hash(nodes: _Nodes, live: npt.NDArray[np.bool_], labels: Hashes, multipliers: Hashes) -> tuple[Hashes, Numbers]:
    """The shingles of all live nodes to each depth, and the node that each belongs to."""
    own = mix(labels)
    deep = own
    height = np.zeros(len(own), np.int8)
    seeded = own[nodes.parents] * _LABEL
    hashes: list[Hashes] = []
    places: list[Numbers] = []
    for depth in range(1, max(SHINGLE_DEPTHS) + 1):
        sums = np.add.reduceat(deep[nodes.operands] * multipliers, nodes.firsts)
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


def _gather(hashes: Hashes, functions: Numbers, count: int) -> Shingles:
    """Sort by function and hash; the n-th occurrence of a hash in a function is a shingle of its own."""
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
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(functions, minlength=count), out=offsets[1:])
    return Shingles(hashes, offsets)
