"""Probes of checkpoints in the store, and which members they speak for: of one layout, who has the same values."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from detector.artifacts.keys.key import Kind
from detector.artifacts.weights.alike import Likeness, is_explained, likeness, likeness_since, may_be_alike
from detector.artifacts.weights.probe import Probe, mean
from detector.artifacts.weights.probe_bytes import from_bytes, to_bytes
from detector.scan.damage import Damaged
from detector.scan.keys import number_of
from detector.settings.scan import FEWEST_SIBLINGS, MOST_MATES, MOST_SIBLINGS, NEAREST_BY_PROBE


@dataclass(frozen=True, slots=True)
class Mate:
    """Another member with a checkpoint of the same layout."""

    member: str
    layouts: int  # keys of layouts that both have
    has_probe: bool


@dataclass(frozen=True, slots=True)
class Alike:
    """Another member whose values are alike beyond chance, and whom no base that both declare explains."""

    member: str
    likeness: Likeness


def put_probe(connection: sqlite3.Connection, member: str, probe: Probe) -> None:
    """Keep the probe of a member that has keys; keys of a new revision forget it."""
    number = number_of(connection, member)
    if number is not None:
        connection.execute("INSERT OR REPLACE INTO probes VALUES (?, ?)", (number, to_bytes(probe)))


def probe_of(connection: sqlite3.Connection, member: str) -> Probe | None:
    """The probe of a member; None if it was not read.

    Errors: UserError where the store is damaged.
    """
    number = number_of(connection, member)
    return _probe(connection, number) if number is not None else None


def layout_mates(connection: sqlite3.Connection, member: str) -> list[Mate]:
    """Members that have a layout of this one's checkpoints, those with most first, at most MOST_MATES.

    Without any there is nothing to probe.
    Ties: the member that was put first.
    """
    rows = connection.execute(
        "SELECT m.member, count(*) AS layouts, p.member IS NOT NULL "
        "FROM keyed_members AS me JOIN held_keys AS own ON own.member = me.number "
        "JOIN trace_keys AS k ON k.number = own.key JOIN key_holders AS h ON h.key = own.key "
        "JOIN keyed_members AS m ON m.number = h.member LEFT JOIN probes AS p ON p.member = h.member "
        "WHERE me.member = ? AND k.kind = ? AND h.member <> me.number "
        "GROUP BY h.member ORDER BY layouts DESC, h.member LIMIT ?",
        (member, Kind.LAYOUT.value, MOST_MATES),
    )
    return [Mate(str(other), int(layouts), bool(has_probe)) for other, layouts, has_probe in rows]


def alike(connection: sqlite3.Connection, member: str) -> list[Alike]:
    """Members whose probes are like this one's, the nearest first, at most NEAREST_BY_PROBE.

    Those that one of the two declares are left out: they are candidates by that, and take no other one's place. Two
    that declare one base are told apart by what they changed of it; where it was not scanned the mean of those who
    declare it stands for it.
    Ties: the one of more layouts, then the one that was put first.
    """
    ours = probe_of(connection, member)
    if ours is None:
        return []
    origins = _origins(connection, member)
    declared = {*origins, *_children(connection, member)}
    bases: dict[str, Probe | None] = {}
    near: list[tuple[float, int, Alike]] = []
    for place, mate in enumerate(layout_mates(connection, member)):
        is_told = mate.member in declared  # it is a candidate anyway
        theirs = probe_of(connection, mate.member) if mate.has_probe and not is_told else None
        if theirs is None or not may_be_alike(ours, theirs):
            continue
        found = likeness(ours, theirs)
        if found.is_beyond_chance:
            near.append((round(found.distance, 6), place, Alike(mate.member, found)))
    kept: list[Alike] = []
    for _, _, each in sorted(near, key=lambda row: row[:2]):
        if len(kept) == NEAREST_BY_PROBE:
            break
        shared = [origin for origin in origins if origin in _origins(connection, each.member)]
        for origin in shared:
            if origin not in bases:
                bases[origin] = _base(connection, origin)
        known = [base for origin in shared if (base := bases[origin]) is not None]
        theirs = probe_of(connection, each.member)
        if theirs is not None and not any(is_explained(likeness_since(ours, theirs, base)) for base in known):
            kept.append(each)
    return kept


def _base(connection: sqlite3.Connection, origin: str) -> Probe | None:
    """The probe of a base, or the mean of those who declare it if these are enough."""
    itself = probe_of(connection, origin)
    if itself is not None:
        return itself
    rows = connection.execute(
        "SELECT o.member FROM key_origins AS o JOIN probes AS p ON p.member = o.member WHERE o.origin = ? "
        "ORDER BY o.member LIMIT ?",
        (origin, MOST_SIBLINGS),
    ).fetchall()
    found = [probe for (number,) in rows if (probe := _probe(connection, number)) is not None]
    return mean(found) if len(found) >= FEWEST_SIBLINGS else None


def _origins(connection: sqlite3.Connection, member: str) -> Sequence[str]:
    rows = connection.execute(
        "SELECT o.origin FROM key_origins AS o JOIN keyed_members AS m ON m.number = o.member WHERE m.member = ? "
        "ORDER BY o.origin",
        (member,),
    )
    return [str(origin) for (origin,) in rows]


def _children(connection: sqlite3.Connection, member: str) -> Sequence[str]:
    rows = connection.execute(
        "SELECT m.member FROM key_origins AS o JOIN keyed_members AS m ON m.number = o.member WHERE o.origin = ?",
        (member,),
    )
    return [str(child) for (child,) in rows]


def _probe(connection: sqlite3.Connection, number: int) -> Probe | None:
    row = connection.execute("SELECT probe FROM probes WHERE member = ?", (number,)).fetchone()
    if row is None:
        return None
    try:
        return from_bytes(row[0])
    except ValueError:
        raise Damaged("a probe") from None
