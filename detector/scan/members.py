"""What was listed and what became of it: sources with their cursors, members as a queue, runs."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.model import UserError
from detector.scanned import Listed, Member, Run, Standing
from detector.settings.scanning import MOST_TRIES

_TABLES = """
CREATE TABLE source (
    number INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    cursor TEXT NOT NULL
) STRICT;
CREATE TABLE member (
    name TEXT PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    revision TEXT NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    declared TEXT NOT NULL,
    standing TEXT NOT NULL,
    why TEXT NOT NULL,
    tries INTEGER NOT NULL,
    done TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL
) STRICT;
CREATE INDEX member_by_standing ON member (standing, source);
CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    listed INTEGER NOT NULL,
    done INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    counts TEXT NOT NULL
) STRICT
"""
TIME = "%Y-%m-%dT%H:%M:%SZ"
_COLUMNS = "name, revision, created, modified, declared, standing, why, first_seen, last_seen"


def create(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    for statement in _TABLES.split(";"):
        connection.execute(statement)


# --- sources ---


def source(connection: sqlite3.Connection, identity: str) -> tuple[int, str]:
    """The number of a source, and its cursor: what was changed before was listed."""
    connection.execute("INSERT OR IGNORE INTO source (identity, cursor) VALUES (?, '')", (identity,))
    number, cursor = connection.execute("SELECT number, cursor FROM source WHERE identity = ?", (identity,)).fetchone()
    return int(number), str(cursor)


def cursor(connection: sqlite3.Connection, identity: str) -> str:
    """The cursor of a source; "" if it was never listed."""
    row = connection.execute("SELECT cursor FROM source WHERE identity = ?", (identity,)).fetchone()
    return str(row[0]) if row is not None else ""


def move(connection: sqlite3.Connection, number: int, cursor: str) -> None:
    """Remember how far a source was listed; never back."""
    connection.execute("UPDATE source SET cursor = max(cursor, ?) WHERE number = ?", (cursor, number))


# --- members ---


def put(connection: sqlite3.Connection, number: int, at: str, listed: Iterable[Listed]) -> int:
    """Queue what is new or changed; gives how many. What is listed again as it was stays as it is."""
    queued = 0
    for each in listed:
        row = connection.execute(
            "SELECT revision, standing, created FROM member WHERE name = ?", (each.member,)
        ).fetchone()
        is_same = row is not None and row[0] == each.revision and row[1] != Standing.VANISHED
        if is_same:
            connection.execute(
                "UPDATE member SET last_seen = ?, modified = ? WHERE name = ?", (at, each.modified, each.member)
            )
            continue
        queued += 1
        declared = json.dumps(each.declared)
        if row is None:
            connection.execute(
                "INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, 'waiting', '', 0, '', ?, ?)",
                (each.member, number, each.revision, each.created, each.modified, declared, at, at),
            )
        else:
            # What was known of when it began stays where the source does not tell.
            connection.execute(
                "UPDATE member SET source = ?, revision = ?, created = ?, modified = ?, declared = ?,"
                " standing = 'waiting', why = '', tries = 0, last_seen = ? WHERE name = ?",
                (number, each.revision, each.created or row[2], each.modified, declared, at, each.member),
            )
    return queued


def missing(connection: sqlite3.Connection, number: int, present: Iterable[str]) -> list[str]:
    """Members of a source that it does not list any more."""
    there = set(present)
    query = "SELECT name FROM member WHERE source = ? AND standing != 'vanished' ORDER BY name"
    return [name for (name,) in connection.execute(query, (number,)) if name not in there]


def waiting(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[Listed]:
    """What is to be looked at: the oldest first, so that an original comes before what is made of it.

    Ties: by when it was changed, then by name.
    """
    chosen = sorted(numbers)
    query = (
        "SELECT name, revision, modified, created, declared FROM member WHERE (standing = 'waiting' OR"
        f" (standing = 'failed' AND tries < ?)) AND source IN ({', '.join('?' * len(chosen))})"
        " ORDER BY CASE WHEN created = '' THEN modified ELSE created END, modified, name"
    )
    rows = connection.execute(query, (MOST_TRIES, *chosen))
    return [Listed(name, revision, modified, created, _names(said)) for name, revision, modified, created, said in rows]


def settle(connection: sqlite3.Connection, name: str, standing: Standing, why: str = "") -> None:
    """Say what became of a member."""
    tried = int(standing is Standing.FAILED)
    connection.execute(
        "UPDATE member SET standing = ?, why = ?, tries = tries + ?,"
        " done = CASE WHEN ? = 'done' THEN revision ELSE done END WHERE name = ?",
        (standing.value, why[:500], tried, standing.value, name),
    )


def amend(connection: sqlite3.Connection, name: str, created: str, declared: Iterable[str]) -> None:
    """Remember what reading a member told beyond its listing: when it began, what it says that it is made from."""
    connection.execute(
        "UPDATE member SET declared = ?, created = CASE WHEN created = '' THEN ? ELSE created END WHERE name = ?",
        (json.dumps(list(declared)), created, name),
    )


def member(connection: sqlite3.Connection, name: str) -> Member | None:
    """A member by its name."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM member WHERE name = ?", (name,)).fetchone()
    return _member(row) if row is not None else None


def members(connection: sqlite3.Connection) -> Iterator[Member]:
    """All members, by name."""
    for row in connection.execute(f"SELECT {_COLUMNS} FROM member ORDER BY name"):
        yield _member(row)


def done_revision(connection: sqlite3.Connection, name: str) -> str:
    """The revision at which a member was last looked at; "" if it never was."""
    row = connection.execute("SELECT done FROM member WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row is not None else ""


def standings(connection: sqlite3.Connection) -> Mapping[str, int]:
    """How many members there are of each standing."""
    return dict(connection.execute("SELECT standing, count(*) FROM member GROUP BY standing ORDER BY standing"))


def _member(row: tuple[str, ...]) -> Member:
    name, revision, created, modified, declared, standing, why, first, last = row
    try:
        stands = Standing(standing)
    except ValueError:
        raise UserError("the store is damaged (a standing that is none): restore it from a copy") from None
    return Member(name, revision, created, modified, _names(declared), stands, why, first, last)


def _names(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise UserError("the store is damaged (a list of names that is none): restore it from a copy")
    return tuple(found)


# --- runs ---


@dataclass(frozen=True, slots=True)
class Begun:
    """A run, and whether it is another one than the last."""

    run: Run
    is_new: bool


def begin(connection: sqlite3.Connection, at: str) -> Begun:
    """Begin a run; one that was cut off is gone on with.

    Each has a time of its own, by which what it tells and finds is told from the run before.
    """
    last = next(iter(runs(connection, 1)), None)
    if last is not None and not last.ended:
        return Begun(last, False)
    if last is not None and at <= last.started:
        at = later_by_a_second(last.started)
    number = connection.execute(
        "INSERT INTO run (started, ended, listed, done, requests, bytes, counts) VALUES (?, '', 0, 0, 0, 0, '{}')",
        (at,),
    ).lastrowid
    return Begun(Run(int(number or 0), at, ""), True)


def later_by_a_second(at: str) -> str:
    """The next time that can be told.

    Errors: UserError where that is none: the store is damaged.
    """
    try:
        return (datetime.strptime(at, TIME) + timedelta(seconds=1)).strftime(TIME)
    except (ValueError, OverflowError):
        raise UserError("the store is damaged (a time that is none): restore it from a copy") from None


def note(connection: sqlite3.Connection, run: Run) -> None:
    """Remember how far a run is."""
    connection.execute(
        "UPDATE run SET ended = ?, listed = ?, done = ?, requests = ?, bytes = ?, counts = ? WHERE number = ?",
        (run.ended, run.listed, run.done, run.requests, run.bytes, json.dumps(dict(run.counts)), run.number),
    )


def runs(connection: sqlite3.Connection, most: int = 1_000) -> list[Run]:
    """Runs, the last one first."""
    query = "SELECT number, started, ended, listed, done, requests, bytes, counts FROM run ORDER BY number DESC LIMIT ?"
    rows = connection.execute(query, (most,)).fetchall()
    return [
        Run(number, started, ended, listed, done, requests, size, _counts(counts))
        for number, started, ended, listed, done, requests, size, counts in rows
    ]


def _counts(text: str) -> Mapping[str, int]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, int) for each in found.values()):
        raise UserError("the store is damaged (counts that are none): restore it from a copy")
    return Counter(found)
