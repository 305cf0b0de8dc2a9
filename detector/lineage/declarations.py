"""What members declare, held against what was measured."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence

from detector.lineage.families import parts
from detector.scanned import Descent, Member, Standing, Tie, Unconfirmed


class Declaration(enum.StrEnum):
    """What a member says of a descent that was measured."""

    DECLARED = "declared"  # it names a parent
    UNDECLARED = "undeclared"  # it names nobody, or somebody further off
    CONTRADICTED = "contradicted"  # it names others that nothing was measured to join it with, or a parent names it


Relatives = Mapping[str, frozenset[int]]  # member -> numbers of the parts that it hangs together with


def relatives(ties: Iterable[Sequence[Tie]]) -> Relatives:
    """Number the parts of all components: who has a number in common has a chain of ties in one component.

    Shapes: the ties of each component.
    """
    found: dict[str, frozenset[int]] = {}
    for number, part in enumerate(part for some in ties for part in parts(some)):
        for name in part:
            found[name] = found.get(name, frozenset()) | {number}
    return found


def _are_relatives(one: str, other: str, related: Relatives) -> bool:
    return not related.get(one, frozenset()).isdisjoint(related.get(other, frozenset()))


def declaration(descent: Descent, members: Mapping[str, Member], related: Relatives) -> Declaration:
    """Hold what a member and its parents declare against its descent.

    Members that were not looked at contradict nothing.
    """
    child = members[descent.child]
    if set(descent.parents) & set(child.declared):
        return Declaration.DECLARED
    if any(child.name in members[parent].declared for parent in descent.parents):
        return Declaration.CONTRADICTED
    looked_at = [name for name in child.declared if name in members and members[name].standing is Standing.DONE]
    is_other = bool(looked_at) and not any(_are_relatives(child.name, name, related) for name in looked_at)
    return Declaration.CONTRADICTED if is_other else Declaration.UNDECLARED


def unconfirmed(members: Mapping[str, Member], related: Relatives) -> Iterator[Unconfirmed]:
    """Tell which declared origins no measure confirms, of members that were looked at."""
    for name, member in sorted(members.items()):
        if member.standing is not Standing.DONE:
            continue
        for declared in sorted(set(member.declared) - {name}):
            other = members.get(declared)
            if other is None:
                yield Unconfirmed(name, declared, "not scanned")
            elif not _are_relatives(name, declared, related):
                is_done = other.standing is Standing.DONE
                yield Unconfirmed(name, declared, "nothing in common" if is_done else other.standing.value)
