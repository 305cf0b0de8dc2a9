"""Which names can be put back without making two names one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple


class Variable(NamedTuple):
    """A name where it is decided as one: `owner` keeps apart what may be decided differently."""

    role: str
    owner: str
    name: str


def uncaptured(targets: Mapping[Variable, str], spaces: Iterable[Collection[Variable]]) -> dict[Variable, str]:
    """Drop the targets by which two names of one space would become one.

    A name that stays may be what another one was to become, which then stays too.
    Ties: of several names with one target none is put back; the order in which anything is given does not matter.
    """
    kept = dict(targets)
    groups: dict[tuple[int, str], set[Variable]] = defaultdict(set)
    homes: dict[Variable, list[int]] = defaultdict(list)
    for number, space in enumerate(spaces):
        for variable in set(space):
            groups[number, kept.get(variable, variable.name)].add(variable)
            if variable in kept:
                homes[variable].append(number)
    pending = [variable for group in groups.values() for variable in _colliding(group, kept)]
    while pending:
        variable = pending.pop()
        if kept.pop(variable, None) is None:
            continue
        for number in homes[variable]:
            group = groups[number, variable.name]
            group.add(variable)
            pending += _colliding(group, kept)
    return kept


def _colliding(group: Collection[Variable], kept: Mapping[Variable, str]) -> list[Variable]:
    """Those of a group with one target that must not have it."""
    if len({variable.name for variable in group}) < 2:
        return []
    return [variable for variable in group if variable in kept]
