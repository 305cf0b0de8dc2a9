"""Findings as rows of the store and back. The store may come from a stranger: what is read is checked."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from detector.model import Relation, Strength
from detector.scan.damage import Damaged
from detector.scanned import Finding, Line, State
from detector.settings.watching import MOST_LINES_BYTES, MOST_REPORT_BYTES, REPORT_LEVEL

# Names and texts come from strangers and are bytes: what SQLite takes for text cannot hold all of them.
TABLES = (
    """CREATE TABLE finding(id TEXT PRIMARY KEY, suspect BLOB NOT NULL, reference BLOB NOT NULL,
      suspect_revision BLOB NOT NULL, reference_revision BLOB NOT NULL, relation TEXT NOT NULL, strength TEXT NOT NULL,
      lines BLOB NOT NULL, more_lines INTEGER NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
      state TEXT NOT NULL, reason BLOB NOT NULL, moved TEXT NOT NULL, told BLOB NOT NULL) STRICT""",
    "CREATE INDEX finding_of_suspect ON finding(suspect)",
    "CREATE INDEX finding_of_reference ON finding(reference)",
    "CREATE TABLE finding_report(id TEXT PRIMARY KEY, bytes BLOB NOT NULL, crc INTEGER NOT NULL) STRICT",
)
COLUMNS = (
    "id, suspect, reference, suspect_revision, reference_revision, relation, strength, lines, more_lines, "
    "first_seen, last_seen, state, reason, moved, told"
)
ID = re.compile(r"[0-9a-f]{16}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


@dataclass(frozen=True, slots=True)
class Told:
    """What those who watch know of a finding: all that they were told of it since it was found or returned."""

    relation: Relation
    strength: Strength
    lines: frozenset[str]  # "weights/same-values", those that support something


@dataclass(frozen=True, slots=True)
class Row:
    """A finding as the store keeps it."""

    finding: Finding
    moved: str  # time of the last occurrence about it
    told: Told


def select(connection: sqlite3.Connection, where: str = "1", values: Sequence[object] = ()) -> list[Row]:
    """Read the findings for which a condition of SQL holds.

    Errors: Damaged.
    """
    rows = connection.execute(f"SELECT {COLUMNS} FROM finding WHERE {where}", values)
    return [_row(row) for row in rows]


def put(connection: sqlite3.Connection, row: Row) -> None:
    """Write a finding, or write it anew."""
    found = row.finding
    lines = [[line.kind, line.name, line.strength.value, line.claim, line.innocent] for line in found.lines]
    told = [row.told.relation.value, row.told.strength.value, sorted(row.told.lines)]
    connection.execute(
        f"INSERT OR REPLACE INTO finding({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            found.id,
            *map(packed, (found.suspect, found.reference, found.suspect_revision, found.reference_revision)),
            found.relation.value,
            found.strength.value,
            json.dumps(lines).encode("ascii"),
            found.more_lines,
            found.first_seen,
            found.last_seen,
            found.state.value,
            packed(found.reason),
            row.moved,
            json.dumps(told).encode("ascii"),
        ),
    )


def put_report(connection: sqlite3.Connection, finding_id: str, text: str) -> None:
    """Keep the report of a finding, in place of an earlier one."""
    data = zlib.compress(text.encode("utf-8", "surrogatepass"), REPORT_LEVEL)
    connection.execute("INSERT OR REPLACE INTO finding_report VALUES (?,?,?)", (finding_id, data, zlib.crc32(data)))


def report(connection: sqlite3.Connection, finding_id: str) -> str:
    """Read the report of a finding as it was kept.

    Errors: Damaged.
    """
    found = connection.execute("SELECT bytes, crc FROM finding_report WHERE id = ?", (finding_id,)).fetchone()
    if found is None or not isinstance(found[0], bytes) or zlib.crc32(found[0]) != found[1]:
        raise Damaged(f"the report of finding {finding_id} is not what was kept")
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(found[0], MOST_REPORT_BYTES)
        if not unpacker.eof:
            raise Damaged(f"the report of finding {finding_id} has more than {MOST_REPORT_BYTES >> 20} MB, or no end")
        return data.decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError):
        raise Damaged(f"the report of finding {finding_id} cannot be unpacked") from None


def packed(text: str) -> bytes:
    """A text as the store keeps it: a name may hold what is no text in UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def unpacked(value: object, what: str) -> str:
    """The inverse of `packed`.

    Errors: Damaged.
    """
    if not isinstance(value, bytes):
        raise Damaged(f"{what} is no text")
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Damaged(f"{what} is no text") from None


def time(value: object, what: str) -> str:
    """A time as runs have it.

    Errors: Damaged.
    """
    if not isinstance(value, str) or TIME.fullmatch(value) is None:
        raise Damaged(f"{what} is no time")
    return value


def _row(row: Sequence[object]) -> Row:
    finding_id, *ends = row[:5]
    relation, strength, lines, more, first, last, state, reason, moved, told = row[5:]
    if not isinstance(finding_id, str) or ID.fullmatch(finding_id) is None:
        raise Damaged("a finding has no id")
    what = f"finding {finding_id}"
    if not isinstance(more, int) or more < 0:
        raise Damaged(f"{what} has no number of lines")
    suspect, reference, suspect_revision, reference_revision = (unpacked(end, what) for end in ends)
    try:
        found = Finding(
            finding_id,
            suspect,
            reference,
            suspect_revision,
            reference_revision,
            relation=Relation(str(relation)),
            strength=Strength(str(strength)),
            is_declared=relation == Relation.DERIVED_DECLARED,
            lines=tuple(map(_line, _array(lines))),
            first_seen=time(first, what),
            last_seen=time(last, what),
            state=State(str(state)),
            reason=unpacked(reason, what),
            more_lines=more,
        )
        return Row(found, time(moved, what), _told(_array(told)))
    except (ValueError, TypeError):  # a word that is none of an enumeration, or another shape
        raise Damaged(f"{what} is not as it was written") from None


def _array(value: object) -> list[object]:
    if not isinstance(value, bytes) or len(value) > MOST_LINES_BYTES:
        raise ValueError
    try:
        found = json.loads(value)
    except RecursionError:
        raise ValueError from None
    if not isinstance(found, list):
        raise ValueError
    return found


def _line(value: object) -> Line:
    kind, name, strength, claim, innocent = _texts(value)
    return Line(kind, name, Strength(str(strength)), claim, innocent)


def _told(value: list[object]) -> Told:
    relation, strength, names = value
    return Told(Relation(str(relation)), Strength(str(strength)), frozenset(_texts(names)))


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError
    return value
