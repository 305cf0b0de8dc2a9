"""Trace keys of all members, and which members they speak for: what is compared with what.

A key is a row, and who has it are rows of an inverted table. How many have it is counted where it is written, so that a
key that many have is passed over without a look at them. Putting a member again replaces what it had.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from detector.artifacts.keys.key import FileKeys, Key, Keys, Kind
from detector.scan.damage import Damaged
from detector.settings.config import MOST_RARITY_BITS, MOST_SIZE_BITS, RENAMING_COST
from detector.settings.scan import (
    FILE_MEMBERS,
    KNOWN_MEMBERS,
    LEAST_BITS,
    MOST_AUTO_MAP_BITS,
    MOST_DOCUMENT_BITS,
    MOST_HOLDERS,
    PAIR_MEMBERS,
)

_TABLES = """
CREATE TABLE IF NOT EXISTS keyed_members (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    member TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS key_origins (
    member INTEGER NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (member, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS key_origins_by_origin ON key_origins (origin, member);
CREATE TABLE IF NOT EXISTS trace_keys (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    hash INTEGER NOT NULL,
    bits REAL NOT NULL,
    holders INTEGER NOT NULL,
    UNIQUE (hash, kind)
) STRICT;
CREATE TABLE IF NOT EXISTS held_keys (
    member INTEGER NOT NULL,
    key INTEGER NOT NULL,
    PRIMARY KEY (member, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_holders (
    key INTEGER NOT NULL,
    member INTEGER NOT NULL,
    PRIMARY KEY (key, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file_keys (
    id TEXT PRIMARY KEY,
    told TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS probes (
    member INTEGER PRIMARY KEY,
    probe BLOB NOT NULL
) STRICT;
"""
# What a kind adds at most: choices that are made together, or that do not stand alone.
_MOST = {
    Kind.SIZE: MOST_SIZE_BITS,
    Kind.DOCUMENT: MOST_DOCUMENT_BITS,
    Kind.AUTO_MAP: MOST_AUTO_MAP_BITS,
}
_KINDS = frozenset(kind.value for kind in Kind)
# Keys with values; each may be among the values that count whatever their keys are called, with so many bits.
_OF_CONFIG = (Kind.CONFIG, Kind.SIZE)
_MOST_OF_VALUE = MOST_RARITY_BITS - RENAMING_COST
DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another member that a member is to be compared with."""

    member: str
    bits: float  # of the keys that both have
    kinds: tuple[str, ...]  # of keys that speak for it, those with most bits first; "declared" before all


@dataclass(frozen=True, slots=True)
class _Held:
    """A key that a member has, and who else has it."""

    kind: Kind
    bits: float
    holders: frozenset[int]


def create(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    for statement in _TABLES.split(";"):
        connection.execute(statement)


def put(connection: sqlite3.Connection, member: str, found: Keys, declared: Collection[str] = ()) -> None:
    """Keep the keys of a member in place of those that it had, and what its files told.

    declared: members that it says it derives from.
    """
    number = number_of(connection, member)
    if number is None:
        number = connection.execute("INSERT INTO keyed_members (member) VALUES (?)", (member,)).lastrowid
        assert number is not None  # an insert has one
    else:
        _clear(connection, number)
    origins = sorted(set(declared) - {member})
    connection.executemany("INSERT INTO key_origins VALUES (?, ?)", [(number, origin) for origin in origins])
    for key in found.keys:
        ((row,),) = connection.execute(
            "INSERT INTO trace_keys (kind, hash, bits, holders) VALUES (?, ?, ?, 1) ON CONFLICT (hash, kind) "
            "DO UPDATE SET holders = holders + 1, bits = max(bits, excluded.bits) RETURNING number",
            (key.kind.value, key.hash, key.bits),
        ).fetchall()
        connection.execute("INSERT INTO held_keys VALUES (?, ?)", (number, row))
        connection.execute("INSERT INTO key_holders VALUES (?, ?)", (row, number))
    connection.executemany(
        "INSERT OR IGNORE INTO file_keys VALUES (?, ?)", [(each.id, _to_text(each)) for each in found.files if each.id]
    )


def forget(connection: sqlite3.Connection, member: str) -> None:
    """Drop a member; what its files told is kept, others may have the same."""
    number = number_of(connection, member)
    if number is not None:
        _clear(connection, number)
        connection.execute("DELETE FROM keyed_members WHERE number = ?", (number,))


def told(connection: sqlite3.Connection, file: str) -> FileKeys | None:
    """What a file told when it was read, by its id: what `collected.keys` asks for.

    Errors: UserError where the store is damaged.
    """
    row = connection.execute("SELECT told FROM file_keys WHERE id = ?", (file,)).fetchone()
    return _from_text(file, row[0]) if row is not None else None


def candidates(connection: sqlite3.Connection, member: str, most: int) -> list[Candidate]:
    """Other members that have what few have, the likeliest first; then those that one of the two declares.

    most: of either; a declaration crowds nobody out.
    Ties: the member that was put first.
    """
    number = number_of(connection, member)
    if number is None:
        return []
    near = _declared(connection, number, member)
    scored = _scored(connection, number)
    ranked = sorted(scored, key=lambda other: (-scored[other][0], other))
    chance = _chance_bits(connection)
    reasons = (
        other
        for other in ranked
        if other not in near and _is_reason(connection, (number, other), scored[other][1], chance)
    )
    undeclared = list(islice(reasons, most))
    by_rank = {other: place for place, other in enumerate(ranked)}
    declared = sorted(near, key=lambda other: (by_rank.get(other, len(ranked)), other))[:most]
    found = []
    for other in (*undeclared, *declared):
        bits, of_kinds = scored.get(other, (0.0, {}))
        kinds = sorted(of_kinds, key=lambda kind: (-of_kinds[kind], kind))
        why = (*((DECLARED,) if other in near else ()), *(kind.value for kind in kinds))
        found.append(Candidate(name_of(connection, other), round(bits, 1), why))
    return found


def _chance_bits(connection: sqlite3.Connection) -> float:
    """What chance reaches with one of all other members: of n members log2(n) bits."""
    ((members,),) = connection.execute("SELECT count(*) FROM keyed_members").fetchall()
    return math.log2(max(members, 1))


def _is_reason(
    connection: sqlite3.Connection, pair: tuple[int, int], of_kinds: Mapping[Kind, float], chance: float
) -> bool:
    """Whether a kind has enough bits; names without shapes are asked where one of the two does not know its shapes.

    Equal files are no chance, however many members there are.
    """
    enough = {
        kind
        for kind, bits in of_kinds.items()
        if bits >= LEAST_BITS.get(kind.value, math.inf) + (0.0 if kind is Kind.FILE else chance)
    }
    if enough == {Kind.NAME}:
        return not all(_has_layout(connection, number) for number in pair)
    return bool(enough)


def _has_layout(connection: sqlite3.Connection, number: int) -> bool:
    row = connection.execute(
        "SELECT 1 FROM held_keys AS h JOIN trace_keys AS k ON k.number = h.key "
        "WHERE h.member = ? AND k.kind = ? LIMIT 1",
        (number, Kind.LAYOUT.value),
    ).fetchone()
    return row is not None


def _scored(connection: sqlite3.Connection, number: int) -> dict[int, tuple[float, dict[Kind, float]]]:
    """Bits of what each other member has in common with this one, altogether and by kind."""
    ((members,),) = connection.execute("SELECT count(*) FROM keyed_members").fetchall()
    shared: defaultdict[int, defaultdict[Kind, list[float]]] = defaultdict(lambda: defaultdict(list))
    families = _families(connection, number)
    for key in _held(connection, number):
        weight = _weight(key, members)
        if weight <= 0:
            continue
        explained = _explained(key.holders, number, families)
        for other in key.holders - explained - {number}:
            shared[other][key.kind].append(weight)
    return {other: _told(of_kinds) for other, of_kinds in shared.items()}


def _weight(key: _Held, members: int) -> float:
    """What a key says of two of its holders: what the package knows, or less where others have it, too.

    Formula: the share of members beyond these two that have it, with KNOWN_MEMBERS more of which 2^-bits have it.
    """
    beyond = max(len(key.holders) - (FILE_MEMBERS if key.kind is Kind.FILE else PAIR_MEMBERS), 0)
    share = (beyond + KNOWN_MEMBERS * 2.0**-key.bits) / (members + KNOWN_MEMBERS)
    return min(key.bits, -math.log2(share))


def _told(of_kinds: Mapping[Kind, Sequence[float]]) -> tuple[float, dict[Kind, float]]:
    """Bits of each kind, no more of one than it may say."""
    bits = {kind: min(sum(some), _MOST.get(kind, math.inf)) for kind, some in of_kinds.items()}
    settings = _settings(bits, sum(len(of_kinds.get(kind, ())) for kind in _OF_CONFIG))
    for kind in (*_OF_CONFIG, Kind.VALUE):
        bits.pop(kind, None)
    if settings > 0:
        bits[Kind.CONFIG] = settings
    if bits.get(Kind.MODULE, 0.0) >= bits.get(Kind.NAME, 0.0):  # the same names
        bits.pop(Kind.NAME, None)
    return sum(bits[kind] for kind in sorted(bits)), bits


def _settings(bits: Mapping[Kind, float], keys: int) -> float:
    """What a configuration agrees in: keys with their values, and values beyond those of these keys."""
    plain = sum(bits.get(kind, 0.0) for kind in _OF_CONFIG)
    renamed = max(bits.get(Kind.VALUE, 0.0) - keys * _MOST_OF_VALUE, 0.0)
    return max(plain + renamed, bits.get(Kind.VALUE, 0.0))


def _held(connection: sqlite3.Connection, number: int) -> Iterator[_Held]:
    """The keys of a member that some others have, and not too many."""
    rows = connection.execute(
        "SELECT k.kind, k.bits, h.key, h.member FROM held_keys AS own "
        "JOIN trace_keys AS k ON k.number = own.key JOIN key_holders AS h ON h.key = own.key "
        "WHERE own.member = ? AND k.holders BETWEEN 2 AND ? AND k.bits > 0 ORDER BY own.key",
        (number, MOST_HOLDERS),
    )
    for (kind, bits, _), some in groupby(rows, key=lambda row: row[:3]):
        if kind not in _KINDS:
            raise Damaged(f"a key of the kind {kind!r}")
        yield _Held(Kind(kind), bits, frozenset(row[3] for row in some))


@dataclass(frozen=True, slots=True)
class _Family:
    """Members that declare one origin, which may be a member itself."""

    origin: int | None
    children: frozenset[int]


def _families(connection: sqlite3.Connection, number: int) -> list[_Family]:
    """What a member declares, and who else declares that."""
    origins = connection.execute("SELECT origin FROM key_origins WHERE member = ?", (number,)).fetchall()
    return [
        _Family(
            number_of(connection, origin),
            frozenset(
                child for (child,) in connection.execute("SELECT member FROM key_origins WHERE origin = ?", (origin,))
            ),
        )
        for (origin,) in origins
    ]


def _explained(holders: frozenset[int], number: int, families: Sequence[_Family]) -> frozenset[int]:
    """Holders that have a key from an origin that they and this member declare.

    Where the origin was not scanned, what a third one has that declares it is taken to come from there.
    """
    found: frozenset[int] = frozenset()
    for family in families:
        siblings = holders & family.children - {number}
        if family.origin in holders or (family.origin is None and len(siblings) > 1):
            found |= siblings
    return found


def _declared(connection: sqlite3.Connection, number: int, member: str) -> set[int]:
    """Members that this one declares, or that declare it."""
    rows = connection.execute(
        "SELECT m.number FROM key_origins AS o JOIN keyed_members AS m ON m.member = o.origin WHERE o.member = ? "
        "UNION SELECT member FROM key_origins WHERE origin = ?",
        (number, member),
    )
    return {other for (other,) in rows}


def number_of(connection: sqlite3.Connection, member: str) -> int | None:
    """The number of a member; None if it has no keys."""
    row = connection.execute("SELECT number FROM keyed_members WHERE member = ?", (member,)).fetchone()
    return row[0] if row is not None else None


def name_of(connection: sqlite3.Connection, number: int) -> str:
    """The member of a number."""
    row = connection.execute("SELECT member FROM keyed_members WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise Damaged("a key of a member that is not there")
    return str(row[0])


def _clear(connection: sqlite3.Connection, number: int) -> None:
    connection.execute(
        "UPDATE trace_keys SET holders = holders - 1 WHERE number IN (SELECT key FROM held_keys WHERE member = ?)",
        (number,),
    )
    connection.execute(
        "DELETE FROM key_holders WHERE member = ? AND key IN (SELECT key FROM held_keys WHERE member = ?)",
        (number, number),
    )
    connection.execute(
        "DELETE FROM trace_keys WHERE holders < 1 AND number IN (SELECT key FROM held_keys WHERE member = ?)", (number,)
    )
    for table in ("held_keys", "key_origins", "probes"):
        connection.execute(f"DELETE FROM {table} WHERE member = ?", (number,))


def _to_text(told: FileKeys) -> str:
    keys = [[key.kind.value, key.hash, key.bits] for key in told.keys]
    shapes = None if told.shapes is None else [[list(shape), count] for shape, count in sorted(told.shapes.items())]
    return json.dumps([keys, shapes, told.reason], separators=(",", ":"))


def _from_text(file: str, text: str) -> FileKeys:
    try:
        rows, shapes, reason = json.loads(text)
        keys = tuple(Key(Kind(kind), _whole(hashed), float(bits)) for kind, hashed, bits in rows)
        found = None if shapes is None else {tuple(map(_whole, shape)): _whole(count) for shape, count in shapes}
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Damaged("what a file told") from None
    return FileKeys(file, keys, found, str(reason))


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return value
