"""Align two value-flow graphs: which node of one does what a node of the other does.

Two nodes are alike when they do the same, and when what they use and what uses them is alike; so likeness is passed
along equal edges of both graphs, round after round, and after each round a node's likeness counts relative to its
best rival.

Source: Melnik, Garcia-Molina and Rahm 2002, "Similarity flooding", section 3; here with both directions apart.
"""

from __future__ import annotations

from dataclasses import dataclass

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

# Pairs of edges that are summed in one go, those of different slots blanked out; beyond it slot by slot.
MOST_AT_ONCE = 100_000

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
        norm = np.sqrt(np.maximum(ours.degrees, 1)[:, None] * np.maximum(theirs.degrees, 1)[None, :])
        self.scale = (1.0 / norm).astype(np.float32)
        if len(ours.slots) * len(theirs.slots) <= MOST_AT_ONCE:
            same_slot = (ours.slots[:, None] == theirs.slots[None, :]).astype(np.float32)
            self.groups: list[tuple[_Group, _Group, Matrix | None]] = [(ours.group(), theirs.group(), same_slot)]
        else:
            both = np.intersect1d(ours.slots, theirs.slots).tolist()
            self.groups = [(ours.group(slot), theirs.group(slot), None) for slot in both]

    def gather(self, likeness: Matrix) -> Matrix:
        """Sum over the far ends' likeness, scaled by how many far ends there are."""
        total = np.zeros_like(likeness)
        for ours, theirs, same_slot in self.groups:
            if not len(ours.far) or not len(theirs.far):
                continue
            block = likeness[ours.far][:, theirs.far]
            if same_slot is not None:
                block *= same_slot
            block = np.add.reduceat(np.add.reduceat(block, ours.starts, axis=0), theirs.starts, axis=1)
            total[ours.near[:, None], theirs.near] += block
        total *= self.scale
        return total


@dataclass(frozen=True, slots=True)
class _Group:
    """Edges sorted by their near end: the distinct near ends, where each one's edges begin, and their far ends."""

    near: Numbers
    starts: npt.NDArray[np.int64]
    far: Numbers


class _Edges:
    """Edges of one graph, sorted by their near end."""

    def __init__(self, near: Numbers, far: Numbers, slots: Numbers, nodes: int) -> None:
        self.degrees = np.bincount(near, minlength=nodes).astype(np.float32)
        order = np.lexsort((far, near))
        self.near, self.far, self.slots = near[order], far[order], slots[order]

    def group(self, slot: int | None = None) -> _Group:
        """All edges, or those in one slot."""
        chosen = slice(None) if slot is None else self.slots == slot
        near, starts = np.unique(self.near[chosen], return_index=True)
        return _Group(near, starts, self.far[chosen])


def _sides(suspect: Traced, reference: Traced, direction: str) -> tuple[_Edges, _Edges]:
    def edges(side: Traced) -> _Edges:
        near, far = (side.operands, side.owners) if direction == "use" else (side.owners, side.operands)
        return _Edges(near, far, side.slots, len(side.keys))

    return edges(suspect), edges(reference)
