"""A part of a lineage: one component, or what is above and below one member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from detector.scanned import Component, Descent, Family, Lineage


def of_component(lineage: Lineage, component: Component) -> Lineage:
    """The same with one component alone; what is declared concerns all, and stays."""
    return replace(
        lineage,
        descents=tuple(each for each in lineage.descents if each.component is component),
        families=tuple(each for each in lineage.families if each.component is component),
        ties=tuple(each for each in lineage.ties if each.component is component),
    )


def of_member(lineage: Lineage, name: str) -> Lineage:
    """What a member comes from, and what comes from it, in each component.

    Other parents of what comes from it are listed as members and stand in no family.
    """
    kept = {component: _line(name, lineage.descents, component) for component in Component}
    descents = tuple(each for each in lineage.descents if each.child in kept[each.component])
    named = {name, *(parent for each in descents for parent in each.parents)}.union(*kept.values())
    families = (_narrowed(each, kept[each.component], descents) for each in lineage.families)
    return Lineage(
        members=tuple(each for each in lineage.members if each.name in named),
        descents=descents,
        families=tuple(each for each in families if len(each.members) > 1),
        ties=tuple(each for each in lineage.ties if {each.one, each.other} <= kept[each.component]),
        unconfirmed=tuple(each for each in lineage.unconfirmed if name in (each.member, each.declared)),
    )


def _line(name: str, descents: Iterable[Descent], component: Component) -> set[str]:
    """A member with everybody above it and everybody below."""
    parents: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    for each in descents:
        if each.component is component:
            for parent in each.parents:
                parents.setdefault(each.child, []).append(parent)
                children.setdefault(parent, []).append(each.child)
    return _reached(name, parents) | _reached(name, children)


def _reached(name: str, following: Mapping[str, Iterable[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        new = [each for each in following.get(waiting.pop(), ()) if each not in found]
        found.update(new)
        waiting += new
    return found


def _narrowed(family: Family, kept: set[str], descents: Iterable[Descent]) -> Family:
    members = tuple(each for each in family.members if each in kept)
    below = {each.child for each in descents if each.component is family.component and kept.intersection(each.parents)}
    return Family(family.component, members, tuple(each for each in members if each not in below))
