"""Who derives from whom: members and ties in, descents and families out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detector.lineage.dates import born
from detector.lineage.declarations import declaration, relatives, unconfirmed
from detector.lineage.descending import descents
from detector.lineage.directions import ready
from detector.lineage.families import families
from detector.scanned import Component, Lineage, Member, Tie


def lineage(members: Sequence[Member], ties: Sequence[Tie]) -> Lineage:
    """Tell who derives from whom in each component: the tree of least distance that directions allow.

    Ties of members that are not listed are left out, and members without a name. Of several records of one member the
    last one seen counts.

    Stable: the same for members and ties in any order.
    """
    known = {member.name: member for member in sorted(members, key=_when_seen) if member.name}
    births = {name: born(member) for name, member in known.items()}
    of = {component: ready(ties, known, component) for component in Component}
    related = relatives(of.values())
    told, found = [], []
    for component, own in of.items():
        steps = descents(component, known, births, own)
        told += [replace(each, declaration=declaration(each, known, related).value) for each in steps]
        found += families(own, steps, component)
    order = list(Component)
    return Lineage(
        members=tuple(known[name] for name in sorted(known)),
        descents=tuple(told),
        families=tuple(sorted(found, key=lambda each: (-len(each.members), order.index(each.component), each.members))),
        ties=tuple(tie for own in of.values() for tie in own),
        unconfirmed=tuple(unconfirmed(known, related)),
    )


def _when_seen(member: Member) -> tuple[str, ...]:
    """The order of records of one member; of all fields, so that it never depends on that of the input."""
    return member.name, member.last_seen, member.first_seen, repr(member)
