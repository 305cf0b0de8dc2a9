"""Families: members that hang together, and the door to networkx.

Up to what a page shows at once a connected part is one family. Larger ones are cut by Louvain's method, which takes
seconds for a hundred thousand ties; greedy modularity takes minutes, and finds the same planted communities.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import networkx as nx

from detector.scanned import Component, Descent, Family, Tie
from detector.settings.lineage import COMMUNITY_SEED, LARGE_FAMILY


def parts(ties: Sequence[Tie]) -> list[list[str]]:
    """Members that hang together by any chain of ties; each part sorted, the parts by their first members."""
    return sorted(sorted(part) for part in nx.connected_components(nx.Graph((tie.one, tie.other) for tie in ties)))


def families(ties: Sequence[Tie], descents: Iterable[Descent], component: Component) -> list[Family]:
    """The families of one component.

    Stable: depends on what is tied and how near, not on the order.
    """
    parents = {descent.child: descent.parents for descent in descents}
    return [
        Family(component, tuple(members), tuple(_roots(members, parents)))
        for part in parts(ties)
        for members in (_communities(part, ties) if len(part) > LARGE_FAMILY else [part])
    ]


def _roots(members: Sequence[str], parents: Mapping[str, Sequence[str]]) -> Iterator[str]:
    own = set(members)
    return (member for member in members if not own.intersection(parents.get(member, ())))


def _communities(part: Sequence[str], ties: Sequence[Tie]) -> list[list[str]]:
    """Cut a large part where it hangs together least; none of the pieces falls apart, none is one member alone."""
    numbers = {name: number for number, name in enumerate(part)}  # sets of numbers have the same order everywhere
    graph = nx.Graph()
    graph.add_nodes_from(range(len(part)))
    graph.add_weighted_edges_from(
        (numbers[tie.one], numbers[tie.other], 1 - tie.distance) for tie in ties if tie.one in numbers
    )
    found = nx.community.louvain_communities(graph, weight="weight", seed=COMMUNITY_SEED)
    pieces = [sorted(piece) for each in found for piece in nx.connected_components(graph.subgraph(each))]
    return sorted([part[number] for number in piece] for piece in _without_single(pieces, graph))


def _without_single(pieces: Iterable[list[int]], graph: nx.Graph) -> list[list[int]]:
    """Put whoever is alone to whom it is nearest."""
    ordered = sorted(pieces)
    larger = [piece for piece in ordered if len(piece) > 1] or ordered[:1]
    home = {node: number for number, piece in enumerate(larger) for node in piece}
    waiting = [node for piece in ordered for node in piece if node not in home]
    while waiting:
        node = next(each for each in waiting if any(other in home for other in graph[each]))
        near = max((other for other in sorted(graph[node]) if other in home), key=lambda o: graph[node][o]["weight"])
        home[node] = home[near]
        larger[home[near]].append(node)
        waiting.remove(node)
    return [sorted(piece) for piece in larger]
