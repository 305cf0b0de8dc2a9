"""Ties with directions -> from whom each member has one component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from detector.lineage.arborescence import ROOT, arborescence
from detector.lineage.dates import Born
from detector.lineage.directions import MEASURE, Direction, direction
from detector.lineage.families import parts
from detector.lineage.mixtures import Mixture, mixture
from detector.lineage.placing import Edge, placed
from detector.scanned import Component, Descent, Member, Tie
from detector.settings.lineage import DISTANCE_STEPS, EQUAL_DISTANCES, NOTHING_IN_COMMON

# Room below a step of distance for what decides among equal ones: the sum of so many ranks never reaches it.
_STEP = 1 << 64


@dataclass(frozen=True, slots=True)
class _Told:
    """The ties of one component, and what tells their directions."""

    members: Mapping[str, Member]
    births: Mapping[str, Born]
    near: Mapping[str, Mapping[str, Tie]]
    directions: Mapping[frozenset[str], Direction]

    def between(self, one: str, other: str) -> Direction:
        """What tells the direction between two tied members."""
        return self.directions[frozenset((one, other))]


def descents(
    component: Component, members: Mapping[str, Member], births: Mapping[str, Born], ties: Sequence[Tie]
) -> list[Descent]:
    """Tell the descent of every member that has a parent, in the order of their names."""
    told = _told(members, births, ties)
    mixed = _mixed(told, component)
    steps: list[Edge] = []
    for part in parts(ties):
        steps += _tree(part, told, mixed)
    standing = {edge.child: edge for edge in placed(steps, births)}
    above = {edge.child: edge.parent for edge in standing.values()}
    return [_descent(component, standing[child], mixed.get(child), above, told) for child in sorted(standing)]


def _told(members: Mapping[str, Member], births: Mapping[str, Born], ties: Sequence[Tie]) -> _Told:
    near: dict[str, dict[str, Tie]] = {}
    directions = {}
    for tie in ties:
        near.setdefault(tie.one, {})[tie.other] = tie
        near.setdefault(tie.other, {})[tie.one] = tie
        directions[frozenset((tie.one, tie.other))] = direction(tie, members, births)
    return _Told(members, births, near, directions)


def _mixed(told: _Told, component: Component) -> dict[str, Mixture]:
    """Members that are mixed of others whose direction is told: without, what lies between may be a step on the way."""
    found = {}
    for name in sorted(told.near):
        parents = [other for other in sorted(told.near[name]) if told.between(name, other).parent == other]
        if len(parents) > 1 and (mix := mixture(name, parents, told.near, component)) is not None:
            found[name] = mix
    return found


def _tree(part: Sequence[str], told: _Told, mixed: Mapping[str, Mixture]) -> list[Edge]:
    """The tree of least distance over one connected part; a mixture hangs below its largest share."""
    arcs = []
    for child in part:
        own = mixed[child].parents[:1] if child in mixed else sorted(told.near[child])
        arcs += [(parent, child) for parent in own if told.between(parent, child).allows(parent)]
    arcs.sort(key=lambda arc: _preference(arc, told))
    numbers = {name: number for number, name in enumerate(part, 1)}
    priced = [
        (round(told.near[child][parent].distance * DISTANCE_STEPS) * _STEP + rank, numbers[parent], numbers[child])
        for rank, (parent, child) in enumerate(arcs)
    ]
    nobody = round(NOTHING_IN_COMMON * DISTANCE_STEPS) * _STEP
    priced += [(nobody, ROOT, numbers[name]) for name in part]
    chosen = arborescence(len(part), priced)
    parents = {child: part[number - 1] for child in part if (number := chosen[numbers[child]]) != ROOT}
    _prefer(parents, arcs, told)
    return [
        Edge(parent, child, told.near[child][parent].distance, told.between(parent, child))
        for child, parent in parents.items()
    ]


def _prefer(parents: dict[str, str], arcs: Sequence[tuple[str, str]], told: _Told) -> None:
    """Where others are as near as measures tell, take the one that is declared, else the one from which all come."""
    possible: dict[str, set[str]] = {}
    for parent, child in arcs:
        possible.setdefault(child, set()).add(parent)
    for child in parents:
        nearest = told.near[child][parents[child]].distance * (1 + EQUAL_DISTANCES)
        equal = {name for name in possible[child] if told.near[child][name].distance <= nearest}
        declared = sorted(equal.intersection(told.members[child].declared) - {parents[child]})
        named = next((name for name in declared if child not in _above(name, parents)), "")
        if parents[child] in told.members[child].declared:
            continue
        parents[child] = named or _highest(parents[child], equal, parents, told)


def _highest(name: str, equal: Set[str], parents: Mapping[str, str], told: _Told) -> str:
    """From a parent up, as long as the steps are told and those above are as near."""
    while (above := parents.get(name, "")) in equal and told.between(name, above).by:
        name = above
    return name


def _above(name: str, parents: Mapping[str, str]) -> Iterator[str]:
    """A member's ancestors along the tree, itself first."""
    while name:
        yield name
        name = parents.get(name, "")


def _preference(arc: tuple[str, str], told: _Told) -> tuple[object, ...]:
    """Among parents that are equally near: one that is declared, one that is told, the older one, the first by name."""
    parent, child = arc
    is_declared = parent in told.members[child].declared
    birth = told.births[parent]
    return not is_declared, not told.between(parent, child).by, birth.last, birth.first, parent, child


def _descent(component: Component, edge: Edge, mix: Mixture | None, above: Mapping[str, str], told: _Told) -> Descent:
    """One descent. Parents of a mixture that stand below it are left out: what told their direction is contradicted."""
    mixed = () if mix is None else tuple(zip(mix.parents, mix.shares, strict=True))
    kept = [(parent, share) for parent, share in mixed if edge.child not in _above(parent, above)]
    parents: tuple[str, ...] = tuple(parent for parent, _ in kept)
    shares: tuple[float, ...] = tuple(round(share, 9) for _, share in kept)
    if len(kept) < 2:
        parents, shares = (edge.parent,), (1.0,)
    way = edge.direction
    against = {reason for parent in parents for reason in told.between(parent, edge.child).against}
    return Descent(
        component=component,
        child=edge.child,
        parents=parents,
        shares=shares,
        distance=min(told.near[edge.child][parent].distance for parent in parents),
        is_decided=bool(way.by),
        by=way.by,
        declaration="",
        why=told.near[edge.child][edge.parent].why if way.by == MEASURE else "",
        against=tuple(sorted(against | set(way.against))),
    )
