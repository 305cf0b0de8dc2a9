"""What one index holds, a range at a time, as tables of partitions, under numbers that are one index's among many."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from detector.code.sorting import Numbers
from detector.distributed import tables
from detector.index import postings
from detector.index.damage import Damaged
from detector.index.records import (
    PACK_COLUMNS,
    Target,
    about,
    blob_of,
    context_bytes,
    octets,
    pack_of,
    places_of,
    skipped_of,
)
from detector.index.records import targets as targets_of
from detector.settings.distributed import WIDE_ROW_GROUP
from detector.settings.postings import KEY_BITS, SHAPE_BITS

NAME_BYTES = 7  # of the name of a pack, as a number that is not negative
SOURCE_BITS = 32  # of a number: what it is in the index where it stands first; above them which index that is
_LOCAL = (1 << SOURCE_BITS) - 1
_SHAPE = np.uint64((1 << SHAPE_BITS) - 1)


def _none() -> Numbers:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers of one index among those of many: higher than those of all indexes before it, in the same order.

    shapes, packs: those that an index before it has, ascending; was_shapes, was_packs: what they are there.
    """

    source: int = 0
    shapes: Numbers = field(default_factory=_none)
    was_shapes: Numbers = field(default_factory=_none)
    packs: Numbers = field(default_factory=_none)
    was_packs: Numbers = field(default_factory=_none)

    def shape(self, numbers: Numbers) -> Numbers:
        """Shapes as they are numbered among all."""
        return self._numbered(numbers, self.shapes, self.was_shapes)

    def pack(self, numbers: Numbers) -> Numbers:
        """Packs as they are numbered among all."""
        return self._numbered(numbers, self.packs, self.was_packs)

    def target(self, numbers: Numbers) -> Numbers:
        """Targets as they are numbered among all."""
        return numbers | self.source << SOURCE_BITS

    def _numbered(self, numbers: Numbers, known: Numbers, were: Numbers) -> Numbers:
        found: Numbers = numbers | self.source << SOURCE_BITS
        if len(known):
            places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
            found = np.where(known[places] == numbers, were[places], found)
        return found


@dataclass(frozen=True, slots=True)
class Extent:
    """How much an index holds: the numbers that its tables go up to, and how many postings it has."""

    postings: int
    shapes: int
    packs: int
    targets: int


def extent(connection: sqlite3.Connection) -> Extent:
    """How much an index holds."""
    highest = [
        int(connection.execute(f"SELECT coalesce(max(number), 0) FROM {table}").fetchone()[0])
        for table in ("shape", "pack", "target")
    ]
    if max(highest) > _LOCAL:
        raise Damaged("the index is damaged (numbers that it does not give): run `detector index verify`")
    return Extent(sum(run.postings for run in postings.runs_of(connection)), *highest)


def fingerprint(connection: sqlite3.Connection) -> str:
    """What changes whenever the index does."""
    told = hashlib.sha256()
    for query in (
        "SELECT number, first, postings, checksum FROM posting_run ORDER BY number",
        "SELECT number, crc FROM target ORDER BY number",
        "SELECT count(*), max(number), sum(crc) FROM pack",
    ):
        for row in connection.execute(query):
            told.update(repr(row).encode("ascii", "replace"))
    return told.hexdigest()


def of_range(
    connection: sqlite3.Connection, name: str, first: int, last: int, numbering: Numbering
) -> Iterator[pa.Table]:
    """The rows of a table whose first column, as this index numbers it, is from first up to, not including, last.

    Ties: ordered by all columns of numbers.
    """
    if name in _WHOLE:
        yield from tables.grouped(name, _WHOLE[name](connection, first, last, numbering))
    else:
        yield from _PIECES[name](connection, first, last, numbering)


def _postings(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> pa.Table:
    """Of shapes that are first seen here."""
    found = postings.between(connection, first, last)
    shapes = (found & _SHAPE).astype(np.int64)
    kept = numbering.shape(shapes) == shapes | numbering.source << SOURCE_BITS
    keys = (found[kept] >> np.uint64(SHAPE_BITS)).astype(np.int64)
    # In order as they are: numbers keep theirs.
    return tables.table("postings", keys, shapes[kept] | numbering.source << SOURCE_BITS)


def _functions(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> pa.Table:
    """Of packs that are first seen here."""
    query = "SELECT shape, pack, function FROM shape_function WHERE shape >= ? AND shape < ?"
    shapes, packs, functions = _columns(connection, query, first, last, 3)
    kept = numbering.pack(packs) == packs | numbering.source << SOURCE_BITS
    return sorted_by("functions", numbering.shape(shapes[kept]), numbering.pack(packs[kept]), functions[kept])


def _owners(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> pa.Table:
    query = "SELECT DISTINCT pack, target FROM place WHERE pack >= ? AND pack < ?"
    packs, targets = _columns(connection, query, first, last, 2)
    return sorted_by("owners", numbering.pack(packs), numbering.target(targets))


def _shapes(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> pa.Table:
    """Those that are first seen here, with their keys."""
    query = "SELECT number, digest FROM shape WHERE number >= ? AND number < ? ORDER BY number"
    shapes, digests = _columns(connection, query, first, last, 2)
    kept = numbering.shape(shapes) == shapes | numbering.source << SOURCE_BITS
    shapes, digests = shapes[kept], digests[kept]
    parts = [np.zeros(0, np.uint64)]
    for part in postings.chunks(connection):
        of_shape = (part & _SHAPE).astype(np.int64)
        inside = (of_shape >= first) & (of_shape < last)
        parts.append(part[inside])
    found = np.concatenate(parts)
    # By shape, then by key: what was low becomes high.
    turned = np.sort((found & _SHAPE) << np.uint64(KEY_BITS) | found >> np.uint64(SHAPE_BITS))
    owners = (turned >> np.uint64(KEY_BITS)).astype(np.int64)
    of_kept = np.isin(owners, shapes)
    turned, owners = turned[of_kept], owners[of_kept]
    offsets = np.searchsorted(owners, np.append(shapes, last))
    keys = turned & np.uint64((1 << KEY_BITS) - 1)
    return tables.table("shapes", numbering.shape(shapes), digests, (keys, offsets))


def _packs(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> Iterator[pa.Table]:
    """Those that are first seen here."""
    waiting: list[tuple[object, ...]] = []
    query = f"SELECT {PACK_COLUMNS} FROM pack WHERE number >= ? AND number < ? ORDER BY number"
    for row in connection.execute(query, (first, last)):
        try:
            pack = pack_of(row)
            text = blob_of(connection, "text", pack.number) or b""
        except ValueError as error:
            raise Damaged(f"pack {row[0]} of the index is damaged ({error}): run `detector index verify`") from None
        number = int(numbering.pack(np.array([pack.number]))[0])
        if number != pack.number | numbering.source << SOURCE_BITS:
            continue
        about_pack = (number, pack.blob, context_bytes(pack.context), octets(pack.reason))
        waiting.append((*about_pack, pack.bytes, text))
        if len(waiting) == WIDE_ROW_GROUP:
            yield _table("packs", waiting)
            waiting = []
    if waiting:
        yield _table("packs", waiting)


def _known(connection: sqlite3.Connection, first: int, last: int) -> list[Target]:
    known = [each for each in targets_of(connection) if first <= each.number < last]
    return sorted(known, key=lambda each: each.number)


def _targets(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> Iterator[pa.Table]:
    for each in _known(connection, first, last):
        try:
            frequent, past = (blob_of(connection, name, each.number) or b"" for name in ("frequent", "past"))
        except ValueError as error:
            raise Damaged(f"target {each.number} of the index is damaged ({error})") from None
        number = int(numbering.target(np.array([each.number]))[0])
        yield _table("targets", [(number, about(each), frequent, past)])


def _places(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> Iterator[pa.Table]:
    """Each target begins a group of rows."""
    for each in _known(connection, first, last):
        places = places_of(connection, each)
        packs = numbering.pack(np.array([place.pack for place in places], np.int64))
        number = int(numbering.target(np.array([each.number]))[0])
        rows: list[tuple[object, ...]] = [
            (number, row.number, octets(row.path), octets(row.role.value), pack, row.first, row.last, octets(row.came))
            for row, pack in zip(places, packs.tolist(), strict=True)
        ]
        if rows:
            yield from tables.grouped("places", _table("places", rows))


def _skipped(connection: sqlite3.Connection, first: int, last: int, numbering: Numbering) -> Iterator[pa.Table]:
    for each in _known(connection, first, last):
        number = int(numbering.target(np.array([each.number]))[0])
        rows: list[tuple[object, ...]] = [
            (number, row.number, octets(row.path), octets(row.reason), int(row.is_listed))
            for row in skipped_of(connection, each)
        ]
        if rows:
            yield from tables.grouped("skipped", _table("skipped", rows))


_WHOLE = {"postings": _postings, "functions": _functions, "owners": _owners, "shapes": _shapes}
_PIECES = {"packs": _packs, "targets": _targets, "places": _places, "skipped": _skipped}


def sorted_by(name: str, *columns: Numbers) -> pa.Table:
    """Rows of numbers, each once, ordered by their columns."""
    by_all = np.lexsort(columns[::-1]) if len(columns[0]) else _none()
    ordered = [column[by_all] for column in columns]
    new = np.ones(len(by_all), bool)
    if len(by_all):
        new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in ordered])
    return tables.table(name, *(column[new] for column in ordered))


def same_shapes(connection: sqlite3.Connection) -> pa.Table:
    """Every shape by its digest."""
    query = "SELECT number, digest FROM shape WHERE number >= ? AND number < ?"
    shapes, digests = _columns(connection, query, 0, 1 << SOURCE_BITS, 2)
    by_digest = np.argsort(digests, kind="stable")
    return tables.table("same_shapes", digests[by_digest], shapes[by_digest])


def same_packs(connection: sqlite3.Connection) -> pa.Table:
    """Every pack by what it is of, the beginning of that first, as a number."""
    rows: list[tuple[object, ...]] = [
        (int.from_bytes(blob[:NAME_BYTES], "big"), blob + context, number)
        for blob, context, number in connection.execute("SELECT blob, context, number FROM pack")
    ]
    return _table("same_packs", sorted(rows))


def _table(name: str, rows: list[tuple[object, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(tables.TABLES[name])
    return tables.table(name, *(list(column) for column in columns))


def _columns(connection: sqlite3.Connection, query: str, first: int, last: int, count: int) -> tuple[Numbers, ...]:
    rows = connection.execute(query, (first, last)).fetchall()
    try:
        found = np.array(rows, np.int64).reshape(-1, count)
    except (ValueError, TypeError, OverflowError):
        raise Damaged("the index is damaged (a number that is none): run `detector index verify`") from None
    return tuple(np.ascontiguousarray(found[:, place]) for place in range(count))
