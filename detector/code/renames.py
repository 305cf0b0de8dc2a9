"""Which name of the suspect stands for which name of the reference.

A name is worth what the nodes are worth that it stands for, and only names that are each other's best, with a clear
lead over every rival, are told: a wrong name is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.flooding import Matrix, flood
from detector.code.traced import ARGUMENT_SLOT, FIRST_SLOT, OPEN, Name, Numbers, Traced

# The lead of a pair of names over each rival, and the least likeness of all.
LEAST_LEAD, LEAST_LIKENESS = 1.25, 0.35

# A node of this likeness, which its own operation alone can give it, is half as sure as one that all its neighbours
# confirm. Names below the least rival cannot come within a lead of any that is told.
HALF_STRENGTH, LEAST_RIVAL = 0.3, 0.1

# Names of one kind are more likely to be each other; equal and abbreviated names are more likely kept than swapped.
# These settle which of two symmetrical sides is which; against the evidence of values they do not stand.
OTHER_KIND, SAME_NAME, SHORT_FORM = 0.8, 1.4, 1.2

# A name of at least this many letters that both sides have is more likely kept than given to another value.
# Nothing that only a callee can be is given to another callee then: code was added, not renamed.
LEAST_TELLING, KEPT_ELSEWHERE = 4, 0.5

# A call with another number of arguments is seldom a call of the same function.
CALLED_OTHERWISE = 0.4

# Names that are told of the whole project take more: what stands in one place of either text may be new there.
LEAST_SHARED_LIKENESS = 0.5

# A pair of names that other functions of the two projects support, and one that they contradict.
MOST_KNOWN, CONTRADICTED = 0.5, 0.7

# Values that get and lose names, and change places, with the manner of writing a loop, a branch or an unpacking.
_MANNERS = frozenset({OPEN, "elem", "item", "phi", "collect", "dict", "list", "num", "str", "bool", "NoneType"})

_VALUES = frozenset({"parameter", "local", "own", "attribute", "global"})
_SHARED = frozenset({"own", "attribute", "global", "callee"})  # known all over a project, not in one function


@dataclass(frozen=True, slots=True)
class Rename:
    """A name of the suspect, its counterpart, what either is, and how well that is supported."""

    kind: str
    reference_kind: str
    suspect: str
    reference: str
    support: float

    @property
    def is_shared(self) -> bool:
        """Whether both names belong to the projects, not to one function."""
        return self.kind in _SHARED and self.reference_kind in _SHARED


class Known:
    """How well pairs of a project's own names are supported by all its functions together."""

    def __init__(self, support: Mapping[tuple[str, str], float]) -> None:
        self.support = support
        self.best: dict[str, float] = {}
        self.best_back: dict[str, float] = {}
        for (one, other), value in support.items():
            self.best[one] = max(value, self.best.get(one, 0.0))
            self.best_back[other] = max(value, self.best_back.get(other, 0.0))

    def factor(self, one: str, other: str) -> float:
        """What this pair's likeness is multiplied with."""
        support = self.support.get((one, other), 0.0)
        rival = max(self.best.get(one, 0.0), self.best_back.get(other, 0.0))
        if support >= rival:
            return 1.0 + MOST_KNOWN * support / (support + 1.0)
        return CONTRADICTED if rival >= 2 * support else 1.0


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two functions' names, and how alike the values are that they stand for.

    Shapes: scores and called[name of the suspect, name of the reference].
    """

    suspect: tuple[Name, ...]
    reference: tuple[Name, ...]
    scores: Matrix
    called: Matrix  # what pairs of callees are worth by the number of their arguments
    words: frozenset[str]  # written on both sides
    disguises: frozenset[str]  # those that only the values tell


def align(suspect: Traced, reference: Traced) -> Alignment:
    """Compare the values of two functions and what they are called."""
    words = suspect.words & reference.words
    if not suspect.names or not reference.names:
        empty = np.zeros((len(suspect.names), len(reference.names)), np.float32)
        return Alignment(suspect.names, reference.names, empty, empty, words, frozenset())
    likeness = flood(suspect, reference)
    scores = _name_scores(suspect.names, reference.names, likeness)
    called, moved = _called_alike(suspect, reference), frozenset(_moved(suspect, reference, likeness))
    return Alignment(suspect.names, reference.names, scores, called, words, moved)


def clear_renames(alignment: Alignment, known: Known) -> list[Rename]:
    """Pair the names of two functions as far as they are clear, given what is known of names elsewhere."""
    ours, theirs = alignment.suspect, alignment.reference
    scores = alignment.scores.copy()
    displaced = _displaced(ours, theirs, alignment.words)
    scores[displaced] *= KEPT_ELSEWHERE
    scores[displaced & _are_callees(ours)[:, None] & _are_callees(theirs)[None, :]] = 0.0
    is_known = np.zeros(scores.shape, bool)
    if known.support:
        shared = [np.array([name.kind in _SHARED for name in side], bool) for side in (ours, theirs)]
        least = LEAST_LIKENESS / LEAST_LEAD / (1.0 + MOST_KNOWN)  # less comes to nothing, not even as a rival
        for i, j in np.argwhere((scores >= least) & shared[0][:, None] & shared[1][None, :]).tolist():
            factor = known.factor(ours[i].name, theirs[j].name)
            scores[i, j] *= factor
            is_known[i, j] = factor > 1.0
    scores *= np.where(is_known, np.float32(1.0), alignment.called)
    return [
        Rename(ours[i].kind, theirs[j].kind, ours[i].name, theirs[j].name, float(scores[i, j]))
        for i, j in clear_pairs(scores)
        if is_known[i, j] or _is_told(ours[i], theirs[j], float(scores[i, j]))
    ]


def _is_told(one: Name, other: Name, score: float) -> bool:
    """Whether a clear pair is told; keywords are named like the parameters that they reach, which tell more."""
    if one.name == other.name:
        return True
    is_shared = one.kind in _SHARED and other.kind in _SHARED
    return one.kind != "keyword" and score >= (LEAST_SHARED_LIKENESS if is_shared else LEAST_LIKENESS)


def _displaced(ours: tuple[Name, ...], theirs: tuple[Name, ...], words: frozenset[str]) -> npt.NDArray[np.bool_]:
    """Pairs of different names one of which, a telling one, is written on both sides: it is more likely itself."""
    numbers: dict[str, int] = {}
    rows, columns = [
        np.array([numbers.setdefault(each.name, len(numbers)) for each in side], np.int32) for side in (ours, theirs)
    ]
    kept = [
        np.array([len(each.name) >= LEAST_TELLING and each.name in words for each in side], bool)
        for side in (ours, theirs)
    ]
    displaced: npt.NDArray[np.bool_] = (kept[0][:, None] | kept[1][None, :]) & (rows[:, None] != columns[None, :])
    return displaced


def _are_callees(names: tuple[Name, ...]) -> npt.NDArray[np.bool_]:
    return np.array([name.kind == "callee" for name in names], bool)


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


def clear_pairs(scores: Matrix) -> list[tuple[int, int]]:
    """Pairs that are each other's best with a clear lead; each pair taken makes room for the next.

    Ties: none is taken.
    """
    left = scores.copy()
    found: list[tuple[int, int]] = []
    while left.size:
        best = left.max(axis=1)
        rows = np.flatnonzero(best >= LEAST_LIKENESS)
        taken: list[tuple[int, int]] = []
        for row in rows.tolist():
            column = int(left[row].argmax())
            score = left[row, column]
            if left[:, column].max() > score:
                continue
            rival = max(_second(left[row]), _second(left[:, column]))
            if score >= LEAST_LEAD * rival:
                taken.append((row, column))
        if not taken:
            break
        for row, column in taken:
            left[row, :] = 0.0
            left[:, column] = 0.0
        found += taken
    return found


def _second(values: Matrix) -> float:
    return float(np.partition(values, -2)[-2]) if len(values) > 1 else 0.0


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
            scores[i, j] = means[i, j] * factor * _spelling(suspect[i].name, reference[j].name)
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


def _spelling(one: str, other: str) -> float:
    if one == other:
        return SAME_NAME
    short, long = sorted((one.strip("_").lower(), other.strip("_").lower()), key=len)
    letters = iter(long)
    is_short_form = bool(short) and short[0] == long[0] and all(letter in letters for letter in short)
    return SHORT_FORM if is_short_form else 1.0


def merge_names(found: Iterable[Rename]) -> dict[str, str]:
    """One counterpart for each plain name: the better supported one; names that changed come first.

    Ties: by name, so that the same pairs always give the same map.
    """
    support: dict[tuple[str, str], float] = {}
    for rename in found:
        pair = rename.suspect, rename.reference
        support[pair] = support.get(pair, 0.0) + rename.support
    best: dict[str, str] = {}
    for (name, counterpart), _ in sorted(support.items(), key=lambda entry: (-entry[1], entry[0])):
        best.setdefault(name, counterpart)
    return dict(sorted(best.items(), key=lambda entry: (entry[0] == entry[1], entry)))


def _moved(suspect: Traced, reference: Traced, likeness: Matrix) -> set[str]:
    """Disguises that the values tell: a value that lost or got its name, bindings in another order."""
    pairs = _clear_nodes(suspect, reference, likeness)
    found: set[str] = set()
    ours, theirs = set(suspect.bindings), set(reference.bindings)
    named = [
        {node for name in side.names if name.kind in _VALUES for node in name.nodes} for side in (suspect, reference)
    ]
    inlined = {one for one, other in pairs.items() if other in theirs and one not in named[0]}
    if inlined:
        found.add("inlined-temporary")
        receivers = suspect.operands[suspect.slots == FIRST_SLOT]
        found |= {"chained-call"} if inlined & set(receivers.tolist()) else set()
    if any(one in ours and other not in named[1] for one, other in pairs.items()):
        found.add("extracted-temporary")
    places = {node: place for place, node in reversed(list(enumerate(reference.bindings)))}
    order = [places[pairs[node]] for node in dict.fromkeys(suspect.bindings) if pairs.get(node) in places]
    if order != sorted(order):
        found.add("reordered-statements")
    return found


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
