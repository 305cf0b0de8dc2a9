"""Occurrences: what those who watch are told, numbered without holes, each with the finding as it was then."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from detector.report import scan_documents
from detector.scan.damage import Damaged
from detector.scan.finding_rows import packed, time, unpacked
from detector.scanned import OCCURRENCES, OF_FINDINGS, Finding, Occurrence
from detector.settings.watching import MOST_LINES_BYTES

STORE_BYTES = 8  # of a store's name: two of a million have the same once in 40 million worlds
_TABLES = (
    """CREATE TABLE occurrence(sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL,
      subject BLOB NOT NULL, text BLOB NOT NULL, finding BLOB NOT NULL) STRICT""",
    "CREATE TABLE store_name(name TEXT PRIMARY KEY) STRICT",
)


@dataclass(frozen=True, slots=True)
class Told:
    """An occurrence, and the finding that it is about as it was then."""

    occurrence: Occurrence
    id: str  # the same whenever and to whomever it is told
    finding: Finding | None


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, and a name for this store, by which its occurrences differ from those of others."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO store_name VALUES (?)", (secrets.token_hex(STORE_BYTES),))


def store_name(connection: sqlite3.Connection) -> str:
    """The name of this store.

    Errors: Damaged.
    """
    found = connection.execute("SELECT name FROM store_name").fetchone()
    name = found[0] if found else ""
    if not isinstance(name, str) or len(name) != 2 * STORE_BYTES or not set(name) <= set("0123456789abcdef"):
        raise Damaged("it has no name")
    return name


def tell(
    connection: sqlite3.Connection, at: str, kind: str, subject: str, text: str, finding: Finding | None = None
) -> None:
    """Tell those who watch that something occurred.

    kind: one of OCCURRENCES. subject: the id of a finding, which is given too, or a member.
    """
    if kind not in OCCURRENCES or (kind in OF_FINDINGS) is not (finding is not None):
        raise ValueError(kind)
    document = scan_documents.dumps(scan_documents.finding(finding)) if finding else ""
    connection.execute(
        "INSERT INTO occurrence SELECT coalesce(max(sequence), 0) + 1, ?, ?, ?, ?, ? FROM occurrence",
        (at, kind, packed(subject), packed(text), packed(document)),
    )


def occurrences(connection: sqlite3.Connection, after: int = 0) -> list[Occurrence]:
    """Occurrences in their order, those after a number.

    Errors: Damaged.
    """
    return [each.occurrence for each in told(connection, after)]


def told(connection: sqlite3.Connection, after: int = 0) -> Iterator[Told]:
    """The same with what they are about.

    Errors: Damaged.
    """
    store = store_name(connection)
    rows = connection.execute(
        "SELECT sequence, at, kind, subject, text, finding FROM occurrence WHERE sequence > ? ORDER BY sequence",
        (after,),
    )
    for number, (sequence, at, kind, subject, text, document) in enumerate(rows.fetchall(), max(after, 0) + 1):
        what = f"occurrence {number}"
        if sequence != number:
            raise Damaged(f"{what} is missing")
        if kind not in OCCURRENCES:
            raise Damaged(f"{what} is of no kind")
        occurrence = Occurrence(number, time(at, what), kind, unpacked(subject, what), unpacked(text, what))
        finding = _finding(unpacked(document, what), what) if kind in OF_FINDINGS else None
        yield Told(occurrence, f"{store}_{number}", finding)


def last(connection: sqlite3.Connection) -> int:
    """The number of the last occurrence, 0 if there is none."""
    return int(connection.execute("SELECT coalesce(max(sequence), 0) FROM occurrence").fetchone()[0])


def _finding(text: str, what: str) -> Finding:
    if len(text) > MOST_LINES_BYTES:
        raise Damaged(f"{what} has too much of a finding")
    try:
        return scan_documents.read_finding(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Damaged(f"{what} has no finding") from None
