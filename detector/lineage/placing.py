"""Which member of a family stands above all others, where ties alone do not tell, and what follows for the others.

A tie without direction is decided all the same where it lies between members that are told: every member below it would
have to be above somebody older. A tree has as many ways to stand as it has members; those that put nobody below
somebody younger are compared, and what they all have in common is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from detector.lineage.dates import Born
from detector.lineage.directions import DATE, POSITION, Direction


@dataclass(frozen=True, slots=True)
class Edge:
    """One step of descent, and what tells its direction."""

    parent: str
    child: str
    distance: float
    direction: Direction


@dataclass(slots=True)
class _Loose:
    """Members that hang together by ties without direction, with nobody above them."""

    near: dict[str, dict[str, float]] = field(default_factory=dict)  # member -> neighbours and their distances

    def below(self, root: str) -> Iterator[tuple[str, str]]:
        """(parent, child) from a root on, parents first."""
        stack = [(root, "")]
        while stack:
            node, above = stack.pop()
            for child in sorted(self.near[node], reverse=True):
                if child != above:
                    yield node, child
                    stack.append((child, node))


def placed(edges: Sequence[Edge], births: Mapping[str, Born]) -> list[Edge]:
    """Let the trees stand as dates want it, and say of every step what decides it.

    Shapes: one edge for each child, without cycles; the same again, with other directions among those that are open.
    """
    by_child = {edge.child: edge for edge in edges}
    tops = _loose(by_child)
    earliest = _earliest_below(by_child, births, {name for loose in tops for name in loose.near})
    for loose in tops:
        spreads = _spreads(loose)
        order = [(births[name].last, births[name].first, spreads[name], name) for name in loose.near]
        roots = [name for *_, name in sorted(order)]
        is_dated = any(births[name].first for name in roots)  # else nobody can stand below somebody younger
        fitting = [root for root in roots if _fits(loose, root, births, earliest)] if is_dated else roots
        root = (fitting or roots)[0]
        under = _counted_below(loose, root, fitting)
        for parent, child in loose.below(root):
            is_told = bool(fitting) and not under[child]
            direction = Direction(parent, POSITION) if is_told else Direction()
            by_child[child] = Edge(parent, child, loose.near[parent][child], direction)
        by_child.pop(root, None)
    return [_with_contradictions(edge, by_child, births) for _, edge in sorted(_positioned(by_child).items())]


def _loose(by_child: Mapping[str, Edge]) -> list[_Loose]:
    """The members at the top of every tree that no direction tells apart."""
    children: dict[str, list[Edge]] = {}
    for edge in by_child.values():
        children.setdefault(edge.parent, []).append(edge)
    found = []
    for top in sorted(children.keys() - by_child.keys()):
        loose, stack = _Loose({top: {}}), [top]
        while stack:
            node = stack.pop()
            for edge in children.get(node, ()):
                if not edge.direction.by:
                    loose.near[node][edge.child] = edge.distance
                    loose.near[edge.child] = {node: edge.distance}
                    stack.append(edge.child)
        if len(loose.near) > 1:
            found.append(loose)
    return found


def _earliest_below(by_child: Mapping[str, Edge], births: Mapping[str, Born], loose: Set[str]) -> dict[str, str]:
    """Of each member the latest time by which it was there, or somebody who derives from it however the top stands."""
    earliest = {name: births[name].last for edge in by_child.values() for name in (edge.parent, edge.child)}
    for child in by_child:
        time, step = births[child].last, by_child[child]
        while step.child not in loose and time < earliest[step.parent]:
            earliest[step.parent] = time
            if step.parent not in by_child:
                break
            step = by_child[step.parent]
    return earliest


def _fits(loose: _Loose, root: str, births: Mapping[str, Born], earliest: Mapping[str, str]) -> bool:
    """Whether nobody stands below somebody younger."""
    above = {root: ""}  # member -> the latest beginning of anybody above it
    for parent, child in loose.below(root):
        above[child] = max(above[parent], births[parent].first)
        if above[child] > earliest[child]:
            return False
    return True


def _counted_below(loose: _Loose, root: str, fitting: Sequence[str]) -> dict[str, int]:
    """How many of the fitting roots each member has below it, itself included."""
    counts = dict.fromkeys(loose.near, 0)
    for each in fitting:
        counts[each] = 1
    for parent, child in reversed(list(loose.below(root))):
        counts[parent] += counts[child]
    return counts


def _spreads(loose: _Loose) -> dict[str, float]:
    """How far all others are from each member, along the ties."""
    start = min(loose.near)
    steps = list(loose.below(start))
    sizes, far = dict.fromkeys(loose.near, 1), {start: 0.0}
    for parent, child in steps:
        far[child] = far[parent] + loose.near[parent][child]
    for parent, child in reversed(steps):
        sizes[parent] += sizes[child]
    spreads = {start: sum(far.values())}
    for parent, child in steps:  # one step further down: nearer to those below, further from all others
        spreads[child] = spreads[parent] + loose.near[parent][child] * (sizes[start] - 2 * sizes[child])
    return {name: round(spread, 9) for name, spread in spreads.items()}


def _positioned(by_child: Mapping[str, Edge]) -> dict[str, Edge]:
    """Decide what is open below somebody who has a parent: the one above cannot be below."""
    return {
        child: Edge(edge.parent, child, edge.distance, Direction(edge.parent, POSITION))
        if not edge.direction.by and edge.parent in by_child and _is_told_above(edge, by_child)
        else edge
        for child, edge in by_child.items()
    }


def _is_told_above(edge: Edge, by_child: Mapping[str, Edge]) -> bool:
    """Whether any step further up is told."""
    above = by_child.get(edge.parent)
    while above is not None and not above.direction.by:
        above = by_child.get(above.parent)
    return above is not None


def _with_contradictions(edge: Edge, by_child: Mapping[str, Edge], births: Mapping[str, Born]) -> Edge:
    """Say where somebody further up is younger."""
    above, last = by_child.get(edge.parent), births[edge.child].last
    is_against = births[edge.parent].first > last
    while above is not None and not is_against:
        is_against = births[above.parent].first > last
        above = by_child.get(above.parent)
    if not is_against or DATE in edge.direction.against:
        return edge
    told = edge.direction
    against = tuple(sorted({*told.against, DATE}))
    by = "" if told.by == POSITION else told.by  # dates that contradict each other decide nothing by themselves
    return Edge(edge.parent, edge.child, edge.distance, Direction(edge.parent if by else "", by, against))
