"""A member's weights beside those of the same layout: a few values of each, fetched only where there is a mate."""

from __future__ import annotations

import sqlite3

from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.probe import Probe, largest, probe
from detector.artifacts.weights.probed_kin import kin
from detector.model import UserError
from detector.read import open_target
from detector.scan import members, probes
from detector.scanned import Component, Listed, Member, Tie
from detector.settings.scanning import MOST_PROBED_LATER
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
    weights = largest(open_weights(repo.files).found)
    return probe(weights) if weights is not None else None


def ties(connection: sqlite3.Connection, member: str) -> list[Tie]:
    """How near a member's weights are to those of each other that has a probe, where chance does not explain it."""
    mine = probes.probe_of(connection, member)
    if mine is None:
        return []
    found = []
    for mate in probes.layout_mates(connection, member):
        theirs = probes.probe_of(connection, mate.member) if mate.has_probe else None
        near = kin(mine, theirs) if theirs is not None else None
        if near is not None:
            derived = {"one": member, "other": mate.member}.get(near.derived, "")
            distance = round(min(near.distance, 1.0), 6)
            found.append(Tie(Component.WEIGHTS, member, mate.member, distance, derived, near.why))
    return found
