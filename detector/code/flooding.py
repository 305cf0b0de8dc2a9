"""Align two value-flow graphs: which node of one does what a node of the other does.

Two nodes are alike when they do the same, and when what they use and what uses them is alike; so likeness is passed
along equal edges of both graphs, round after round, and after each round a node's likeness counts relative to its
best rival.

Source: Melnik, Garcia-Molina and Rahm 2002, "Similarity flooding", section 3; here with both directions apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.code.traced import OPEN, OWN_CALL, TYPED, Numbers, Traced

Matrix = npt.NDArray[np.float32]

# Rounds of flooding: evidence travels this many operations. Names in modeling code lie within three of a constant or
# a library call that tells them apart; more rounds let a pair that became clear settle its neighbours.
ROUNDS = 5

# How well nodes go together that do not do the same: an input may stand for anything that was computed elsewhere,
# a call of the project's own for what it returns, and any two operations may be one name before and after an edit.
OPEN_FIT, OWN_FIT, ANY_FIT = 0.6, 0.3, 0.1

# What a node brings along before its neighbours are asked, and what its uses and its operands count.
OWN_WEIGHT, USE_WEIGHT, OPERAND_WEIGHT = 0.3, 1.0, 1.0


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
