"""Rows of an index <-> nouns, each with its checksum."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np

from detector.code.corpus import Corpus
from detector.code.sorting import Numbers
from detector.index.damage import Damaged
from detector.index.unpacking import unpacked
from detector.model import Role
from detector.read.names import printable
from detector.settings.index import MOST_PACK_BYTES

T = TypeVar("T")
# SQLite takes 32,766 parameters of one statement at most, older ones 999.
PARAMETERS = 900


@dataclass(frozen=True, slots=True)
class Target:
    """What was added to an index, as it was then."""

    number: int
    target: str  # as the user named it
    name: str
    revision: str
    licence: str  # an SPDX expression, "" where none is told
    packages: frozenset[str]  # by which others import it
    called: frozenset[str]  # by which others call it
    addresses: frozenset[str]  # owner/name, as hosting sites have them
    functions: int  # at its revision
    files: int
    places: int  # files at all revisions
    commits: int  # of its history that were read; 0 where none was asked for
    has_texts: bool

    @property
    def has_history(self) -> bool:
        """Whether all revisions are known."""
        return self.commits > 0


_STRINGS = ("target", "name", "revision", "licence")
_SETS = ("packages", "called", "addresses")
_COUNTS = ("functions", "files", "places", "commits")


class PlaceRow(NamedTuple):
    """One file of a target, as it is stored.

    first, last: positions among the commits of the main line at which it is there; the number of commits is the
    position of what was read as the target itself. Off the main line both are -1, and `came` is the commit.
    """

    number: int
    path: str
    role: Role
    pack: int
    first: int
    last: int
    came: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function of a shape stands: in which file of which target, and at which of its revisions."""

    shape: int
    target: Target
    path: str
    role: Role
    pack: int
    function: int  # its number in the pack
    revision: str


def checksum(*values: object) -> int:
    """A CRC over values out of a row, which tells where one ends and the next begins."""
    crc = 0
    for value in values:
        data = value if isinstance(value, bytes) else octets(str(value))
        crc = zlib.crc32(data, zlib.crc32(b"%d:" % len(data), crc))
    return crc


def octets(text: str) -> bytes:
    """Any text as bytes, lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def text(data: object) -> str:
    """The inverse.

    Errors: ValueError for anything else.
    """
    if not isinstance(data, bytes):
        raise ValueError("no text where one should be")
    return data.decode("utf-8", "surrogatepass")


def number(value: object) -> int:
    """A number out of a row.

    Errors: ValueError for anything else.
    """
    if not isinstance(value, int):
        raise ValueError("no number where one should be")
    return value


def blob(value: object) -> bytes:
    """Bytes out of a row.

    Errors: ValueError for anything else.
    """
    if not isinstance(value, bytes):
        raise ValueError("no bytes where some should be")
    return value


def some(values: Iterable[T], size: int = PARAMETERS) -> Iterator[list[T]]:
    """As many values as one statement takes, and again, until all are told."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def marks(values: Sequence[object]) -> str:
    """A parameter of a statement for each value."""
    return ", ".join("?" * len(values))


# --- targets -------------------------------------------------------------------------------------------------


def about(target: Target) -> bytes:
    """What is stored of a target."""
    values = {field.name: getattr(target, field.name) for field in fields(target) if field.name != "number"}
    values |= {name: sorted(values[name]) for name in _SETS}
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


def target_of(key: int, data: bytes) -> Target:
    """The inverse.

    Errors: ValueError for anything else.
    """
    try:
        values = json.loads(data)
        if not isinstance(values, dict) or set(values) != {*_STRINGS, *_SETS, *_COUNTS, "has_texts"}:
            raise ValueError("a target with other fields")
    except RecursionError:
        raise ValueError("a target that is none") from None
    if not all(isinstance(values[name], str) for name in _STRINGS):
        raise ValueError("a target whose name is none")
    for name in _SETS:
        if not isinstance(values[name], list) or not all(isinstance(each, str) for each in values[name]):
            raise ValueError("a target whose names are none")
        values[name] = frozenset(values[name])
    if not all(type(values[name]) is int and 0 <= values[name] < 1 << 40 for name in _COUNTS):
        raise ValueError("a target whose counts are none")
    if not isinstance(values["has_texts"], bool):
        raise ValueError("a target that says nothing of its texts")
    return Target(number=key, **values)


def targets(connection: sqlite3.Connection, numbers: Collection[object] | None = None) -> list[Target]:
    """Targets, all or those of some numbers, by what they are called."""
    columns = "SELECT number, about, crc FROM target"
    if numbers is None:
        rows = connection.execute(columns).fetchall()
    else:
        rows = []
        for part in some(numbers):
            rows += connection.execute(f"{columns} WHERE number IN ({marks(part)})", part)
    found = []
    for key, data, crc in rows:
        try:
            if checksum(blob(data)) != crc:
                raise ValueError("its checksum is another")
            found.append(target_of(number(key), blob(data)))
        except ValueError as error:
            raise Damaged(
                f"target {number(key)} of the index is damaged ({error}): run `detector index verify`"
            ) from None
    return sorted(found, key=lambda target: (target.target, target.name, target.number))


def put_target(connection: sqlite3.Connection, target: Target) -> None:
    """Store what is known of a target, in place of what was."""
    data = about(target)
    connection.execute("INSERT OR REPLACE INTO target VALUES (?, ?, ?)", (target.number, data, checksum(data)))


# --- places --------------------------------------------------------------------------------------------------


def put_places(connection: sqlite3.Connection, target: int, rows: Iterable[PlaceRow]) -> None:
    """Store where a target has which pack."""
    connection.executemany(
        "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (target, *stored, checksum(target, *stored))
            for stored in ((row[0], octets(row[1]), row[2].value, *row[3:6], octets(row[6])) for row in rows)
        ),
    )


PLACE_COLUMNS = "target, number, path, role, pack, first, last, came, crc"


def place_of(row: Sequence[object]) -> PlaceRow:
    """A place out of its row.

    Errors: ValueError where it is not what was stored.
    """
    *stored, crc = row
    owner, key, path, role, pack, first, last, came = stored
    if not isinstance(role, str) or checksum(*stored) != crc:
        raise ValueError("the checksum of a place is another")
    place = PlaceRow(number(key), text(path), Role(role), number(pack), number(first), number(last), text(came))
    if number(owner) < 0:
        raise ValueError("a place of nothing")
    return place


def places_of(connection: sqlite3.Connection, target: Target) -> list[PlaceRow]:
    """All places of a target, in the order of its files, checked.

    Errors: Damaged where one is not what was stored, or is missing.
    """
    rows = connection.execute(f"SELECT {PLACE_COLUMNS} FROM place WHERE target = ? ORDER BY number", (target.number,))
    try:
        found = [place_of(row) for row in rows]
        if len(found) != target.places:
            raise ValueError("some places are missing")
    except ValueError as error:
        raise damaged(target, str(error)) from None
    return found


def damaged(target: Target, why: str) -> Damaged:
    """What to do where a target is damaged."""
    shown = printable(target.target)
    return Damaged(f"what the index holds of {shown} is damaged ({why}): add it again with `detector index add`")


class SkippedRow(NamedTuple):
    """One file of a target that could not be read, as it is stored."""

    number: int  # in the order of its files
    path: str
    reason: str
    is_listed: bool  # whether it is among the target's paths


def put_skipped(connection: sqlite3.Connection, target: int, rows: Iterable[SkippedRow]) -> None:
    """Store what could not be read."""
    connection.executemany(
        "INSERT INTO skipped VALUES (?, ?, ?, ?, ?, ?)",
        (
            (target, *stored, checksum(target, *stored))
            for stored in ((row.number, octets(row.path), octets(row.reason), int(row.is_listed)) for row in rows)
        ),
    )


def skipped_of(connection: sqlite3.Connection, target: Target) -> list[SkippedRow]:
    """What of a target could not be read, checked.

    Errors: Damaged where it is not what was stored.
    """
    found = []
    rows = connection.execute(
        "SELECT target, number, path, reason, is_listed, crc FROM skipped WHERE target = ? ORDER BY number",
        (target.number,),
    )
    try:
        for *stored, crc in rows:
            if checksum(*stored) != crc:
                raise ValueError("the checksum of a skipped file is another")
            found.append(SkippedRow(number(stored[1]), text(stored[2]), text(stored[3]), bool(stored[4])))
    except ValueError as error:
        raise damaged(target, str(error)) from None
    return found


# --- packs ---------------------------------------------------------------------------------------------------

PACK_COLUMNS = "number, blob, context, is_own, functions, reason, shapes, bytes, crc"


@dataclass(frozen=True, slots=True)
class PackRow:
    """What one file holds, as it is stored."""

    number: int
    blob: bytes  # its id, twenty bytes
    context: frozenset[str]
    is_own: bool  # lowered here, not imported
    functions: int
    reason: str  # why something in the file could not be read
    shapes: Numbers  # of each function, 0 for none
    bytes: bytes

    def stored(self) -> tuple[object, ...]:
        """As a row, in the order of the table's columns."""
        shapes = self.shapes.astype("<u4").tobytes()
        values = (self.blob, context_bytes(self.context), int(self.is_own), self.functions, octets(self.reason))
        return (self.number, *values, checksum(*values, shapes, self.bytes), shapes, self.bytes)

    def corpus(self, path: str, role: Role) -> Corpus:
        """What it holds, in a place.

        Errors: ValueError where it is not what is written there.
        """
        found = unpacked(self.bytes, path, role, self.reason)
        if len(found.spans) != self.functions:
            raise ValueError("a pack of another number of functions")
        return found


def context_bytes(context: frozenset[str]) -> bytes:
    """The names of a context, sorted; identifiers hold no blanks."""
    return octets(" ".join(sorted(context)))


def pack_of(row: Sequence[object]) -> PackRow:
    """A pack out of its row.

    Errors: ValueError where it is not what was stored.
    """
    key, *stored, crc = row
    if checksum(*stored) != crc:
        raise ValueError("the checksum of a pack is another")
    name, context, is_own, functions, reason, shapes, data = stored
    found = np.frombuffer(blob(shapes), "<u4").astype(np.int64)
    if number(functions) != len(found) or len(blob(name)) != 20:
        raise ValueError("a pack whose counts cannot be")
    names = frozenset(text(context).split(" ")) - {""}
    return PackRow(
        number(key), blob(name), names, bool(number(is_own)), number(functions), text(reason), found, blob(data)
    )


def pack_row(connection: sqlite3.Connection, key: int) -> PackRow:
    """One pack.

    Errors: ValueError where it is not what was stored, or not there.
    """
    row = connection.execute(f"SELECT {PACK_COLUMNS} FROM pack WHERE number = ?", (key,)).fetchone()
    if row is None:
        raise ValueError("a pack is missing")
    return pack_of(row)


# --- other blobs ---------------------------------------------------------------------------------------------


def put_blob(connection: sqlite3.Connection, table: str, key: int, data: bytes) -> None:
    """Store bytes of a target or a pack, in place of what was."""
    connection.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", (key, data, checksum(data)))


def blob_of(connection: sqlite3.Connection, table: str, key: int) -> bytes | None:
    """Bytes of a target or a pack; None where there are none.

    Errors: ValueError where they are not what was stored.
    """
    column = "pack" if table == "text" else "target"
    row = connection.execute(f"SELECT bytes, crc FROM {table} WHERE {column} = ?", (key,)).fetchone()
    if row is None:
        return None
    if checksum(blob(row[0])) != row[1]:
        raise ValueError("a checksum is another")
    return blob(row[0])


def inflated(data: bytes, most: int = MOST_PACK_BYTES) -> bytes:
    """Undo zlib, to at most so many bytes.

    Errors: ValueError for anything longer, or that zlib has not made.
    """
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(data, most + 1)
    except zlib.error:
        raise ValueError("cannot be unpacked") from None
    if len(found) > most or not unpacking.eof or unpacking.unused_data:
        raise ValueError("cannot be unpacked")
    return found
