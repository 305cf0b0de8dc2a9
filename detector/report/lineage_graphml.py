"""Lineages for programs that draw graphs: GraphML, an edge from each parent to its child, and the door to networkx."""

from __future__ import annotations

import networkx as nx

from detector.report import rounding
from detector.report.names import visible
from detector.scanned import Lineage


def render(lineage: Lineage) -> str:
    """Write a lineage as GraphML with a final newline.

    Nodes are numbered, and their names an attribute in which everything that XML has no character for is escaped.
    Who is undecided has its edge all the same, with `decided` false.

    Stable: members and descents in the order of the lineage.
    """
    graph = nx.MultiDiGraph()
    numbers: dict[str, str] = {}
    families: dict[str, dict[str, int]] = {}
    for number, family in enumerate(lineage.families, 1):
        for name in family.members:
            families.setdefault(name, {})[f"{family.component.value}_family"] = number
    created = {member.name: member.created for member in lineage.members}
    named = [name for each in lineage.descents for name in (each.child, *each.parents)]
    for name in dict.fromkeys((*created, *named)):
        numbers[name] = f"m{len(numbers) + 1}"
        shown = {"name": visible(name), "created": visible(created.get(name, ""))}
        graph.add_node(numbers[name], **shown, **families.get(name, {}))
    for descent in lineage.descents:
        for parent, share in zip(descent.parents, descent.shares, strict=True):
            graph.add_edge(
                numbers[parent],
                numbers[descent.child],
                key=f"{descent.component.value}-{graph.number_of_edges() + 1}",
                component=descent.component.value,
                distance=rounding.measure(descent.distance),
                share=rounding.ratio(share),
                decided=descent.is_decided,
                by=visible(descent.by),
                why=visible(descent.why),
                against=visible(", ".join(descent.against)),
                declaration=visible(descent.declaration),
            )
    return "\n".join(nx.generate_graphml(graph)) + "\n"
