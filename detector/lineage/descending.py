"""Ties with directions -> from whom each member has one component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from detector.lineage.arborescence import ROOT, arborescence
from detector.lineage.dates import Born, tightened
from detector.lineage.directions import MEASURE, Direction, direction, other_end
from detector.lineage.families import parts
from detector.lineage.grafting import above, graft
from detector.lineage.mixtures import Mixture, is_between, mixture
from detector.lineage.placing import Edge, placed
from detector.scanned import Component, Descent, Member, Tie
from detector.settings.lineage import DISTANCE_STEPS, EQUAL_DISTANCES, EQUAL_MODELS, NOTHING_IN_COMMON

# Room below a step of distance for what decides among equal ones: the sum of so many ranks never reaches it.
_STEP = 1 << 64


@dataclass(frozen=True, slots=True)
class _Told:
    """The ties of one component, and what tells their directions."""

    members: Mapping[str, Member]
    births: Mapping[str, Born]
    near: Mapping[str, Mapping[str, Tie]]
    directions: Mapping[frozenset[str], Direction]

    def possible(self, child: str) -> list[str]:
        """Who can be its parent, as far as ties tell, by name."""
        return [other for other in sorted(self.near[child]) if self.between(child, other).allows(other)]

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
    standing = {edge.child: edge for edge in placed(steps, told.births)}
    parents = {edge.child: edge.parent for edge in standing.values()}
    return [_descent(component, standing[child], mixed.get(child), parents, told) for child in sorted(standing)]


def _told(members: Mapping[str, Member], births: Mapping[str, Born], ties: Sequence[Tie]) -> _Told:
    near: dict[str, dict[str, Tie]] = {}
    directions = {}
    births = tightened(births, _origins(ties))
    for tie in ties:
        near.setdefault(tie.one, {})[tie.other] = tie
        near.setdefault(tie.other, {})[tie.one] = tie
        directions[frozenset((tie.one, tie.other))] = direction(tie, members, births)
    return _Told(members, births, near, directions)


def _origins(ties: Sequence[Tie]) -> dict[str, list[str]]:
    """From whom each member comes as the measure tells; several, if they are so alike that it may be any of them."""
    told: dict[str, list[Tie]] = {}
    for tie in ties:
        if tie.derived:
            told.setdefault(tie.derived, []).append(tie)
    origins = {}
    for child, own in told.items():
        limit = min(tie.distance for tie in own) * (1 + EQUAL_DISTANCES)
        origins[child] = [other_end(tie) for tie in own if tie.distance <= limit]
    return origins


def _mixed(told: _Told, component: Component) -> dict[str, Mixture]:
    """Members that are mixed of others whose direction is told: without, what lies between may be a step on the way."""
    found = {}
    for name in sorted(told.near):
        parents = [other for other in sorted(told.near[name]) if told.between(name, other).parent == other]
        if len(parents) > 1 and (mix := mixture(name, parents, told.near, component)) is not None:
            found[name] = replace(mix, parents=tuple(_first_of(each, mix, name, parents, told) for each in mix.parents))
    return found


def _first_of(parent: str, mix: Mixture, child: str, possible: Sequence[str], told: _Told) -> str:
    """Of possible parents that are as near as one the declared one, else the one from which it comes itself."""
    near, own = told.near[parent], told.near[child]
    limit = own[parent].distance * EQUAL_DISTANCES
    equal = [each for each in possible if each in near and abs(own[each].distance - own[parent].distance) <= limit]
    alike = [each for each in equal if near[each].distance <= own[parent].distance * EQUAL_MODELS]
    free = [each for each in alike if each not in mix.parents]
    declared = told.members[child].declared
    if parent in declared:
        return parent
    named = [each for each in free if each in declared]
    origins = [each for each in free if told.between(parent, each).parent == each]
    return min(named or origins or [parent], key=lambda name: (near[name].distance if name in near else 0.0, name))


def _tree(part: Sequence[str], told: _Told, mixed: Mapping[str, Mixture]) -> list[Edge]:
    """The tree of least distance over one connected part, with its mixtures grafted into it."""
    under = _under_mixtures(part, told, mixed)
    plain = [name for name in part if name not in mixed and name not in under]
    kept = set(plain)
    arcs = [(parent, child) for child in plain for parent in told.possible(child) if parent in kept]
    arcs.sort(key=lambda arc: _preference(arc, told))
    numbers = {name: number for number, name in enumerate(plain, 1)}
    priced = [
        (round(told.near[child][parent].distance * DISTANCE_STEPS) * _STEP + rank, numbers[parent], numbers[child])
        for rank, (parent, child) in enumerate(arcs)
    ]
    nobody = round(NOTHING_IN_COMMON * DISTANCE_STEPS) * _STEP
    priced += [(nobody, ROOT, numbers[name]) for name in plain]
    chosen = arborescence(len(plain), priced)
    parents = {child: plain[number - 1] for child in plain if (number := chosen[numbers[child]]) != ROOT}
    own = {name: mixed[name] for name in part if name in mixed}
    graft(plain, parents, own, under, lambda one, other: told.near[one][other].distance, told.possible)
    _prefer({child: parent for child, parent in parents.items() if child not in own}, parents, told)
    return [
        Edge(parent, child, told.near[child][parent].distance, told.between(parent, child))
        for child, parent in parents.items()
    ]


def _under_mixtures(part: Sequence[str], told: _Told, mixed: Mapping[str, Mixture]) -> dict[str, str]:
    """Members that are nearest to a mixture, or to one of these, and come from it for certain; and from whom."""
    under: dict[str, str] = {}
    tops = {name: name for name in part if name in mixed}  # member -> the mixture that it comes from
    nearest = {
        child: min(possible, key=lambda name: (told.near[child][name].distance, name))
        for child in part
        if child not in mixed and (possible := told.possible(child))
    }
    while further := {
        child: parent
        for child, parent in nearest.items()
        if child not in under
        and parent in tops
        and (told.between(parent, child).by or is_between(child, mixed[tops[parent]], told.near))
    }:
        under |= further
        tops |= {child: tops[parent] for child, parent in further.items()}
    return under


def _prefer(chosen: Mapping[str, str], parents: dict[str, str], told: _Told) -> None:
    """Where others are as near as measures tell, take the one that is declared, else the one from which all come."""
    for child, parent in chosen.items():
        nearest = told.near[child][parent].distance * (1 + EQUAL_DISTANCES)
        equal = {name for name in told.possible(child) if told.near[child][name].distance <= nearest}
        declared = equal.intersection(told.members[child].declared)
        if parent not in declared:
            named = next((name for name in sorted(declared) if child not in above(name, parents)), "")
            parents[child] = named or _highest(parent, equal, parents, told)


def _highest(name: str, equal: Set[str], parents: Mapping[str, str], told: _Told) -> str:
    """From a parent up, as long as the steps are told and those above are as near."""
    while (higher := parents.get(name, "")) in equal and told.between(name, higher).by:
        name = higher
    return name


def _preference(arc: tuple[str, str], told: _Told) -> tuple[object, ...]:
    """Among parents that are equally near: one that is declared, one that is told, the older one, the first by name."""
    parent, child = arc
    is_declared = parent in told.members[child].declared
    birth = told.births[parent]
    return not is_declared, not told.between(parent, child).by, birth.last, birth.first, parent, child


def _descent(component: Component, edge: Edge, mix: Mixture | None, tree: Mapping[str, str], told: _Told) -> Descent:
    """One descent. Parents of a mixture that stand below it are left out: what told their direction is contradicted."""
    mixed = () if mix is None else tuple(zip(mix.parents, mix.shares, strict=True))
    kept = [(parent, share) for parent, share in mixed if edge.child not in above(parent, tree)]
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
