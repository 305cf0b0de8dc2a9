"""Members that are mixed of several, told by where they lie.

Weights: a mixture lies between its parents. Squared distances give the angles between models as seen from one of them,
and with these the shares of the mixture of some that comes nearest to another, and what it leaves. Training moves at
right angles to all that was there before, so what it made is nowhere near a mixture.

Code: a member that has some of two others which have nothing in common themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from detector.scanned import Component, Tie
from detector.settings.lineage import (
    BETWEEN,
    ENOUGH_LEFT,
    LEAST_GAIN,
    LEAST_MIXED_DISTANCE,
    LEAST_SHARE,
    MOST_LEFT,
    MOST_NEIGHBOURS,
    MOST_PARENTS,
)

Ties = Mapping[str, Mapping[str, Tie]]  # member -> neighbour -> their tie
# A pivot that is this small beside the squared distances: two parents of a mixture that are the same.
_SINGULAR = 1e-12


@dataclass(frozen=True, slots=True)
class Mixture:
    """Of whom a member is mixed, the largest share first, and what share of the squared distance that leaves."""

    parents: tuple[str, ...]
    shares: tuple[float, ...]
    left: float


def mixture(member: str, parents: Sequence[str], ties: Ties, component: Component) -> Mixture | None:
    """Tell of which of its possible parents a member is mixed; None where one alone explains it as well.

    Ties: by what is left, then by name.
    """
    near = sorted(parents, key=lambda name: (ties[member][name].distance, name))[:MOST_NEIGHBOURS]
    if component is Component.WEIGHTS:
        return _interpolated(member, near, ties)
    return _pieced(member, near, ties) if component is Component.CODE else None


def is_between(member: str, mix: Mixture, ties: Ties) -> bool:
    """Whether a member lies between two parents of a mixture, so near to it that it cannot be what these come from.

    Seen from what two models come from they are at right angles, and from what comes from one of them at less.
    """
    own = ties[member]
    for one, other in combinations(sorted(mix.parents), 2):
        if one in own and other in own and other in ties[one]:
            near, far, across = own[one].distance, own[other].distance, ties[one][other].distance
            if near * far > 0 and (near**2 + far**2 - across**2) / (2 * near * far) <= BETWEEN:
                return True
    return False


# --- code ---


def _pieced(member: str, near: Sequence[str], ties: Ties) -> Mixture | None:
    shares = {name: share for name in near if (share := _share(member, ties[member][name])) >= LEAST_SHARE}
    chosen: list[str] = []
    for name in sorted(shares, key=lambda each: (-shares[each], each)):
        if len(chosen) < MOST_PARENTS and not any(name in ties[each] for each in chosen):
            chosen.append(name)
    if len(chosen) < 2:
        return None
    found = tuple(shares[name] for name in chosen)
    return Mixture(tuple(chosen), found, max(0.0, 1 - sum(found)))


def _share(member: str, tie: Tie) -> float:
    """How much of a member the other one has."""
    if tie.shares is None:
        return 1 - tie.distance
    return tie.shares[0] if tie.one == member else tie.shares[1]


# --- weights ---


def _interpolated(member: str, near: Sequence[str], ties: Ties) -> Mixture | None:
    if len(near) < 2 or ties[member][near[0]].distance < LEAST_MIXED_DISTANCE:
        return None
    nearest = ties[member][near[0]].distance ** 2
    tied = [[one, other] for one, other in combinations(near, 2) if other in ties[one]]
    left, chosen = min(((_fit(member, pair, ties)[1], pair) for pair in tied), default=(nearest, near[:1]))
    while ENOUGH_LEFT * nearest < left < nearest and len(chosen) < MOST_PARENTS:
        others = [name for name in near if name not in chosen and all(name in ties[each] for each in chosen)]
        best, name = min(((_fit(member, [*chosen, name], ties)[1], name) for name in others), default=(left, ""))
        if best > (1 - LEAST_GAIN) * left or not name:
            break
        left, chosen = best, [*chosen, name]
    return _settled(member, chosen, ties, nearest)


def _settled(member: str, chosen: Sequence[str], ties: Ties, nearest: float) -> Mixture | None:
    """The mixture without those whose share is small, if it is one then."""
    shares, left = _fit(member, chosen, ties)
    while shares and min(shares) < LEAST_SHARE:
        chosen = [name for name, share in zip(chosen, shares, strict=True) if share != min(shares)]
        shares, left = _fit(member, chosen, ties)
    if len(shares) < 2 or left > MOST_LEFT * nearest:
        return None
    order = sorted(zip(shares, chosen, strict=True), key=lambda pair: (-round(pair[0], 9), pair[1]))
    return Mixture(tuple(name for _, name in order), tuple(share for share, _ in order), max(left, 0.0) / nearest)


def _fit(member: str, names: Sequence[str], ties: Ties) -> tuple[list[float], float]:
    """Shares, none below nothing and one in sum, of the mixture that is nearest to a member; its squared distance."""
    kept = list(range(len(names)))
    while len(kept) > 1:
        solved = _solved(member, [names[each] for each in kept], ties)
        if solved is None:
            kept.pop()
        elif min(solved[0]) < 0:
            del kept[solved[0].index(min(solved[0]))]
        else:
            shares = [0.0] * len(names)
            for each, share in zip(kept, solved[0], strict=True):
                shares[each] = share
            return shares, solved[1]
    if not kept:
        return [], 1.0
    shares = [float(each == kept[0]) for each in range(len(names))]
    return shares, ties[member][names[kept[0]]].distance ** 2


def _solved(member: str, names: Sequence[str], ties: Ties) -> tuple[list[float], float] | None:
    """Least squares with shares that sum to one. None where two of the parents are the same.

    Formula: with o = names[0], <p - o, q - o> = (d(o,p)^2 + d(o,q)^2 - d(p,q)^2) / 2.
    """
    origin, others = names[0], names[1:]
    own = ties[member]
    squares = {name: ties[origin][name].distance ** 2 for name in others}
    start = own[origin].distance ** 2
    goal = [(squares[name] + start - own[name].distance ** 2) / 2 for name in others]
    angles = [
        [
            squares[name] if name == other else (squares[name] + squares[other] - ties[name][other].distance ** 2) / 2
            for other in others
        ]
        for name in others
    ]
    solution = _eliminated(angles, goal)
    if solution is None:
        return None
    left = start - sum(share * each for share, each in zip(solution, goal, strict=True))
    return [1 - sum(solution), *solution], left


def _eliminated(matrix: Sequence[Sequence[float]], goal: Sequence[float]) -> list[float] | None:
    """Solve a few linear equations by elimination with the largest pivots first."""
    rows = [[*row, value] for row, value in zip(matrix, goal, strict=True)]
    count = len(rows)
    for column in range(count):
        pivot = max(range(column, count), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) <= _SINGULAR:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(count):
            if row != column:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [one - factor * other for one, other in zip(rows[row], rows[column], strict=True)]
    return [rows[row][count] / rows[row][row] for row in range(count)]
