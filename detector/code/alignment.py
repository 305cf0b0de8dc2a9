"""How alike the names of two functions are by the values that they stand for.

A name is worth what the nodes are worth that it stands for. What the same comparison tells of values that got or lost
a name, or changed places, comes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detector.code.flooding import Matrix, flood
from detector.code.traced import ARGUMENT_SLOT, FIRST_SLOT, OPEN, Name, Numbers, Traced
from detector.model import Lines

Places = tuple[tuple[Lines, ...], tuple[Lines, ...]]  # lines of the suspect, lines of the reference

# A node of this likeness, which its own operation alone can give it, is half as sure as one that all its neighbours
# confirm. Names below the least rival cannot come within a lead of any that is told.
HALF_STRENGTH, LEAST_RIVAL = 0.3, 0.1

# Names of one kind are more likely to be each other; equal and abbreviated names are more likely kept than swapped.
# These settle which of two symmetrical sides is which; against the evidence of values they do not stand.
OTHER_KIND, SAME_NAME, SHORT_FORM = 0.8, 1.4, 1.2

# A call with another number of arguments is seldom a call of the same function.
CALLED_OTHERWISE = 0.4

# The lead that the counterpart of a node must have over every rival.
LEAST_LEAD = 1.25

# Values that get and lose names, and change places, with the manner of writing a loop, a branch or an unpacking.
_MANNERS = frozenset({OPEN, "elem", "item", "phi", "collect", "dict", "list", "num", "str", "bool", "NoneType"})

_VALUES = frozenset({"parameter", "local", "own", "attribute", "global"})


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two functions' names, and how alike the values are that they stand for.

    Shapes: scores[name of the suspect, name of the reference]; pairs holds nodes that are clearly each other's.
    """

    suspect: tuple[Name, ...]
    reference: tuple[Name, ...]
    scores: Matrix
    pairs: tuple[tuple[int, int], ...]
    disguises: Mapping[str, Places]  # those that only the values tell, and where they show


def align(suspect: Traced, reference: Traced) -> Alignment:
    """Compare the values of two functions and what they are called."""
    if not suspect.keys or not reference.keys:
        empty = np.zeros((len(suspect.names), len(reference.names)), np.float32)
        return Alignment(suspect.names, reference.names, empty, (), {})
    likeness = flood(suspect, reference)
    pairs = _clear_nodes(suspect, reference, likeness)
    scores = np.zeros((len(suspect.names), len(reference.names)), np.float32)
    if suspect.names and reference.names:
        scores = _name_scores(suspect.names, reference.names, likeness) * _called_alike(suspect, reference)
    told = _moved(suspect, reference, pairs)
    return Alignment(suspect.names, reference.names, scores, tuple(sorted(pairs.items())), told)


def _called_alike(suspect: Traced, reference: Traced) -> Matrix:
    """What pairs of callees are worth by the number of their arguments; 1 for all other names.

    Shapes: (names of the suspect, names of the reference).
    """
    ours, theirs = [_arguments(side) for side in (suspect, reference)]
    factors = np.ones((len(ours), len(theirs)), np.float32)
    called = [(j, other) for j, other in enumerate(theirs) if other]
    for i, one in enumerate(ours):
        for j, other in called if one else ():
            if one.isdisjoint(other):
                factors[i, j] = CALLED_OTHERWISE
    return factors


def _arguments(side: Traced) -> list[set[int]]:
    """With how many arguments each name is called; empty for what is no callee."""
    counts = np.bincount(side.owners[side.slots == ARGUMENT_SLOT], minlength=len(side.keys))
    return [{int(counts[node]) for node in name.nodes} if name.kind == "callee" else set() for name in side.names]


def _name_scores(suspect: tuple[Name, ...], reference: tuple[Name, ...], likeness: Matrix) -> Matrix:
    scores = np.zeros((len(suspect), len(reference)), np.float32)
    # A node's likeness relative to its rivals: what a name is worth must not depend on how long the function is.
    rivals = np.maximum(likeness.max(axis=1, keepdims=True), likeness.max(axis=0, keepdims=True))
    strength = likeness / (likeness + HALF_STRENGTH)
    relative = strength * likeness / np.maximum(rivals, 1e-6)
    rows, row_starts, row_counts = _nodes(suspect)
    columns, column_starts, column_counts = _nodes(reference)
    nodes = relative[rows][:, columns]
    forth = np.add.reduceat(np.maximum.reduceat(nodes, column_starts, axis=1), row_starts, axis=0)
    back = np.add.reduceat(np.maximum.reduceat(nodes, row_starts, axis=0), column_starts, axis=1)
    means = (forth + back) / (row_counts[:, None] + column_counts[None, :])
    for i, j in np.argwhere(means >= LEAST_RIVAL).tolist():
        factor = _kinds_fit(suspect[i], reference[j])
        if factor:
            scores[i, j] = means[i, j] * factor * spelling(suspect[i].name, reference[j].name)
    return scores


def _nodes(names: tuple[Name, ...]) -> tuple[Numbers, Numbers, Numbers]:
    """All names' nodes in one row, where each name's begin, and how many they are."""
    counts = np.array([len(name.nodes) for name in names], np.int32)
    nodes = np.array([node for name in names for node in name.nodes], np.int32)
    return nodes, np.concatenate([[0], np.cumsum(counts[:-1])]).astype(np.int32), counts


def _kinds_fit(one: Name, other: Name) -> float:
    if one.kind == other.kind:
        return 1.0
    if {one.kind, other.kind} <= _VALUES:
        return OTHER_KIND
    return OTHER_KIND if {one.kind, other.kind} <= {"callee", "own"} else 0.0


def spelling(one: str, other: str) -> float:
    """What a pair of names counts for being equal, or the one short for the other."""
    if one == other:
        return SAME_NAME
    short, long = sorted((one.strip("_").lower(), other.strip("_").lower()), key=len)
    letters = iter(long)
    is_short_form = bool(short) and short[0] == long[0] and all(letter in letters for letter in short)
    return SHORT_FORM if is_short_form else 1.0


def _moved(suspect: Traced, reference: Traced, pairs: dict[int, int]) -> dict[str, Places]:
    """Disguises that the values tell: a value that lost or got its name, bindings in another order."""
    ours, theirs = set(suspect.bindings), set(reference.bindings)
    named = [
        {node for name in side.names if name.kind in _VALUES for node in name.nodes} for side in (suspect, reference)
    ]
    found: dict[str, list[tuple[int, int]]] = {}
    inlined = [(one, other) for one, other in pairs.items() if other in theirs and one not in named[0]]
    receivers = set(suspect.operands[suspect.slots == FIRST_SLOT].tolist())
    places = {node: place for place, node in reversed(list(enumerate(reference.bindings)))}
    bound = [(node, pairs[node]) for node in dict.fromkeys(suspect.bindings) if pairs.get(node) in places]
    found["inlined-temporary"] = inlined
    found["chained-call"] = [pair for pair in inlined if pair[0] in receivers]
    found["extracted-temporary"] = [
        (one, other) for one, other in pairs.items() if one in ours and other not in named[1]
    ]
    found["reordered-statements"] = [late for early, late in pairwise(bound) if places[early[1]] > places[late[1]]]
    return {
        name: (_lines(suspect, [one for one, _ in nodes]), _lines(reference, [other for _, other in nodes]))
        for name, nodes in found.items()
        if nodes
    }


def _lines(side: Traced, nodes: list[int]) -> tuple[Lines, ...]:
    return tuple((line, line) for line in sorted({side.lines[node] for node in nodes} - {0}))


def _clear_nodes(suspect: Traced, reference: Traced, likeness: Matrix) -> dict[int, int]:
    """Nodes that do the same and are each other's best with a clear lead."""
    pairs: dict[int, int] = {}
    columns = likeness.argmax(axis=1)
    rows = likeness.argmax(axis=0)
    seconds = [np.sort(likeness, axis=axis) for axis in (1, 0)]
    for one, other in enumerate(columns.tolist()):
        key = suspect.keys[one]
        if rows[other] != one or key != reference.keys[other] or key.partition(":")[0] in _MANNERS:
            continue
        rivals = [seconds[0][one, -2] if len(rows) > 1 else 0.0, seconds[1][-2, other] if len(columns) > 1 else 0.0]
        if likeness[one, other] >= LEAST_LEAD * max(rivals):
            pairs[one] = other
    return pairs
