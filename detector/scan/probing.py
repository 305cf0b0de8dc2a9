"""A member's weights beside those of the same layout: a few values of each, fetched only where there is a mate."""

from __future__ import annotations

import sqlite3

import numpy as np

from detector.artifacts.weights.alike import Likeness, likeness
from detector.artifacts.weights.kinship import kinship
from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.probe import Probe, probe, values
from detector.model import UserError
from detector.read import open_target
from detector.scan import members, probes
from detector.scanned import Component, Listed, Member, Tie
from detector.settings.scanning import MOST_PROBED_LATER, SAME_ORDER
from detector.targets import Repo


def read(connection: sqlite3.Connection, me: Member, repo: Repo) -> dict[str, Probe]:
    """Probe a member that has mates, and those of its mates that had none when they were looked at: by member.

    A mate that cannot be opened any more has no probe, and is no candidate by its weights.
    """
    mates = probes.layout_mates(connection, me.name)
    if not mates:
        return {}
    mine = _probe(repo)
    if mine is None:
        return {}
    found = {me.name: mine}
    for mate in [each for each in mates if not each.has_probe][:MOST_PROBED_LATER]:
        theirs = _of_member(connection, mate.member)
        if theirs is not None:
            found[mate.member] = theirs
    return found


def keep(connection: sqlite3.Connection, found: dict[str, Probe]) -> None:
    """Store probes."""
    for member, each in found.items():
        probes.put_probe(connection, member, each)


def _of_member(connection: sqlite3.Connection, name: str) -> Probe | None:
    member = members.member(connection, name)
    if member is None:
        return None
    revision = members.done_revision(connection, name) or member.revision
    try:
        with open_target(Listed(name, revision).target) as repo:
            return _probe(repo)
    except UserError:
        return None


def _probe(repo: Repo) -> Probe | None:
    """The probe of the largest checkpoint that a repository has."""
    found = open_weights(repo.files).found
    if not found:
        return None
    largest = max(found, key=lambda weights: sum(tensor.parameters for tensor in weights.tensors.values()))
    return probe(largest)


def ties(connection: sqlite3.Connection, member: str) -> list[Tie]:
    """How near a member's weights are to those of each other that has a probe, where chance does not explain it."""
    mine = probes.probe_of(connection, member)
    if mine is None:
        return []
    found = []
    for mate in probes.layout_mates(connection, member):
        theirs = probes.probe_of(connection, mate.member) if mate.has_probe else None
        if theirs is not None and (like := likeness(mine, theirs)).is_beyond_chance:
            found.append(_tie(member, mate.member, mine, theirs, like))
    return found


def _tie(one: str, other: str, mine: Probe, theirs: Probe, like: Likeness) -> Tie:
    """The distance by value, tensor by tensor; of tensors that a copy has put in another order, what is best."""
    ours, its = values(mine), values(theirs)
    both = sorted(name for name in ours.keys() & its.keys() if len(ours[name]) == len(its[name]))
    kin = kinship(
        np.concatenate([ours[name] for name in both] or [np.zeros(0, np.float32)]),
        np.concatenate([its[name] for name in both] or [np.zeros(0, np.float32)]),
        [len(ours[name]) for name in both],
    )
    if not both or kin.distance > like.distance + SAME_ORDER:
        return Tie(Component.WEIGHTS, one, other, round(like.distance, 6))
    derived = {"one": one, "other": other}.get(kin.derived, "")
    return Tie(Component.WEIGHTS, one, other, round(min(kin.distance, 1.0), 6), derived, kin.why)
