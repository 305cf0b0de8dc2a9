"""Which name of the suspect stands for which name of the reference.

The two value-flow graphs are aligned by similarity flooding: two nodes are alike when they do the same and when what
they use and what uses them is alike. A name is worth what its nodes are worth, and only mutual best names with a
clear lead over every rival are told: a wrong name is worse than none.

Source: Melnik, Garcia-Molina and Rahm 2002, "Similarity flooding", section 3; here with both directions kept apart
and each node's likeness taken relative to its best rival after every round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.traced import OPEN, OWN_CALL, TYPED, Name, Numbers, Traced

Matrix = npt.NDArray[np.float32]

# Rounds of flooding: evidence travels this many operations. Names in modeling code lie within three of a constant or
# a library call that tells them apart; one more lets a pair that became clear settle its neighbours.
ROUNDS = 5

# How well nodes go together that do not do the same: an input may stand for anything that was computed elsewhere,
# a call of the project's own for what it returns, and any two operations may be one name before and after an edit.
OPEN_FIT, OWN_FIT, ANY_FIT = 0.6, 0.3, 0.1

# What a node brings along before its neighbours are asked, and what its uses and its operands count.
OWN_WEIGHT, USE_WEIGHT, OPERAND_WEIGHT = 0.3, 1.0, 1.0

# The lead of a pair of names over each rival, and the least likeness of all.
LEAST_LEAD, LEAST_LIKENESS = 1.25, 0.35

# Names of one kind are more likely to be each other; equal and abbreviated names are more likely kept than swapped.
# These settle ties (which of two symmetrical sides is which) and nothing else: each is less than LEAST_LEAD squared.
OTHER_KIND, SAME_NAME, SHORT_FORM = 0.8, 1.4, 1.2

_VALUES = frozenset({"parameter", "local", "own", "attribute", "global"})


@dataclass(frozen=True, slots=True)
class Rename:
    """A name of the suspect, its counterpart and how well that is supported."""

    kind: str
    suspect: str
    reference: str
    support: float


def match_names(suspect: Traced, reference: Traced, known: Mapping[tuple[str, str], float]) -> list[Rename]:
    """Pair the names of two functions by the values that they stand for.

    known: (suspect name, reference name) -> factor, for names paired elsewhere already.
    """
    if not suspect.names or not reference.names:
        return []
    scores = _name_scores(suspect, reference, flood(suspect, reference), known)
    return [
        Rename(suspect.names[i].kind, suspect.names[i].name, reference.names[j].name, float(scores[i, j]))
        for i, j in clear_pairs(scores)
    ]


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


def flood(suspect: Traced, reference: Traced) -> Matrix:
    """How alike each node of one graph is to each node of the other.

    Shapes: (nodes of the suspect, nodes of the reference). Units: about 0..2, comparable within a pair.
    """
    fit, rarity = _fits(suspect.keys, reference.keys)
    uses = [_Joint(*_sides(suspect, reference, "use")), _Joint(*_sides(suspect, reference, "operand"))]
    likeness = fit * (OWN_WEIGHT + rarity)
    for _ in range(ROUNDS):
        rivals = np.maximum(likeness.max(axis=1, keepdims=True), likeness.max(axis=0, keepdims=True))
        relative = likeness * likeness / np.maximum(rivals, 1e-6) / np.maximum(likeness.max(), 1e-6)
        used, made = (joint.gather(relative) for joint in uses)
        likeness = fit * (OWN_WEIGHT * rarity + USE_WEIGHT * used + OPERAND_WEIGHT * made)
    return likeness


def _fits(suspect: tuple[str, ...], reference: tuple[str, ...]) -> tuple[Matrix, Matrix]:
    """How well two nodes' own operations go together, and how rare that operation is in the two functions."""
    numbers: dict[str, int] = {}
    ours, theirs = (np.array([numbers.setdefault(key, len(numbers)) for key in keys]) for keys in (suspect, reference))
    same = ours[:, None] == theirs[None, :]
    kinds = [np.array([_openness(key) for key in keys], np.float32) for keys in (suspect, reference)]
    fit = np.maximum(np.maximum(kinds[0][:, None], kinds[1][None, :]), np.float32(ANY_FIT))
    fit = np.where(same, np.float32(1.0), fit).astype(np.float32)
    counts = [np.bincount(each, minlength=len(numbers)).astype(np.float32) for each in (ours, theirs)]
    rarity = np.where(same, 1.0 / np.sqrt(counts[0][ours][:, None] * counts[1][theirs][None, :]), 0.0)
    return fit, rarity.astype(np.float32)


def _openness(key: str) -> float:
    if key == OPEN:
        return OPEN_FIT
    if key.startswith(TYPED) and not key.endswith("()"):
        return OPEN_FIT / 2
    return OWN_FIT if key == OWN_CALL else 0.0


class _Joint:
    """Pairs of edges in one slot, summed over: from what uses two nodes, or from what they are made of."""

    def __init__(self, ours: _Edges, theirs: _Edges) -> None:
        self.ours, self.theirs = ours, theirs
        norm = np.sqrt(np.maximum(ours.degrees, 1)[:, None] * np.maximum(theirs.degrees, 1)[None, :])
        self.scale = (1.0 / norm).astype(np.float32)

    def gather(self, likeness: Matrix) -> Matrix:
        """Sum over the far ends' likeness, scaled by how many far ends there are."""
        total = np.zeros_like(likeness)
        for slot, (near, far, starts) in self.ours.slots.items():
            if slot not in self.theirs.slots:
                continue
            other_near, other_far, other_starts = self.theirs.slots[slot]
            block = likeness[far][:, other_far]
            block = np.add.reduceat(np.add.reduceat(block, starts, axis=0), other_starts, axis=1)
            total[np.ix_(near, other_near)] += block
        scaled: Matrix = total * self.scale
        return scaled


class _Edges:
    """Edges of one graph by slot, sorted by their near end."""

    def __init__(self, near: Numbers, far: Numbers, slots: Numbers, nodes: int) -> None:
        self.degrees = np.bincount(near, minlength=nodes).astype(np.float32)
        self.slots: dict[int, tuple[Numbers, Numbers, npt.NDArray[np.int64]]] = {}
        order = np.lexsort((far, near, slots))
        near, far, slots = near[order], far[order], slots[order]
        for slot in np.unique(slots).tolist():
            chosen = slots == slot
            nodes_here, starts = np.unique(near[chosen], return_index=True)
            self.slots[slot] = (nodes_here, far[chosen], starts)


def _sides(suspect: Traced, reference: Traced, direction: str) -> tuple[_Edges, _Edges]:
    def edges(side: Traced) -> _Edges:
        near, far = (side.operands, side.owners) if direction == "use" else (side.owners, side.operands)
        return _Edges(near, far, side.slots, len(side.keys))

    return edges(suspect), edges(reference)


def _name_scores(
    suspect: Traced, reference: Traced, likeness: Matrix, known: Mapping[tuple[str, str], float]
) -> Matrix:
    scores = np.zeros((len(suspect.names), len(reference.names)), np.float32)
    # A node's likeness relative to its rivals: what a name is worth must not depend on how long the function is.
    rivals = np.maximum(likeness.max(axis=1, keepdims=True), likeness.max(axis=0, keepdims=True))
    strength = likeness / (likeness + 0.3)
    relative = strength * likeness / np.maximum(rivals, 1e-6)
    for i, one in enumerate(suspect.names):
        rows = relative[list(one.nodes)]
        for j, other in enumerate(reference.names):
            factor = _kinds_fit(one, other)
            if not factor:
                continue
            block = rows[:, list(other.nodes)]
            total = block.max(axis=1).sum() + block.max(axis=0).sum()
            score = total / (len(one.nodes) + len(other.nodes))
            scores[i, j] = score * factor * _spelling(one.name, other.name) * known.get((one.name, other.name), 1.0)
    return scores


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
    support: Counter[tuple[str, str]] = Counter()
    for rename in found:
        support[rename.suspect, rename.reference] += rename.support  # type: ignore[assignment]
    best: dict[str, str] = {}
    for (name, counterpart), _ in sorted(support.items(), key=lambda entry: (-entry[1], entry[0])):
        best.setdefault(name, counterpart)
    return dict(sorted(best.items(), key=lambda entry: (entry[0] == entry[1], entry)))
