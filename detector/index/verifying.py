"""Whether an index holds what was written to it: every checksum, every reference from one table to another."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from detector.code.sorting import Numbers
from detector.index import postings
from detector.index.past import past_of
from detector.index.records import (
    PACK_COLUMNS,
    PLACE_COLUMNS,
    PackRow,
    PlaceRow,
    Target,
    blob,
    blob_of,
    checksum,
    inflated,
    number,
    pack_of,
    place_of,
    skipped_of,
    target_of,
)
from detector.index.shapes import digests
from detector.index.sources import blob_id
from detector.index.unpacking import unpacked_counts
from detector.model import Role, UserError
from detector.settings.index import MOST_TEXT_BYTES, MOST_TOLD_DAMAGE


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is damaged."""

    what: str
    targets: tuple[str, ...]  # that it concerns; none: the index as a whole


def verify(connection: sqlite3.Connection, is_quick: bool = False) -> Iterator[Finding]:
    """Look at everything; quickly: at what the file system may have damaged, not at what packs say.

    A table that SQLite cannot read is told, and the next one looked at.
    """
    pragma = "quick_check" if is_quick else "integrity_check"
    try:
        for (message,) in connection.execute(f"PRAGMA {pragma}({MOST_TOLD_DAMAGE})"):
            if message != "ok":
                yield Finding(f"pages: {message}", ())
    except sqlite3.DatabaseError as error:
        yield Finding(f"pages: {error}", ())
    # One state of the index, whatever a writer does meanwhile.
    connection.execute("BEGIN")
    try:
        for look in _Looking(connection, is_quick).everything():
            try:
                yield from look
            except sqlite3.DatabaseError as error:  # the other tables may still be sound
                yield Finding(f"a table that cannot be read: {error}", ())
    finally:
        with suppress(sqlite3.DatabaseError):
            connection.execute("COMMIT")


class _Looking:
    """Looks at the tables one after the other, and remembers who needs what."""

    def __init__(self, connection: sqlite3.Connection, is_quick: bool) -> None:
        self._connection = connection
        self._is_quick = is_quick
        self._targets: dict[int, Target] = {}
        self._users: defaultdict[int, set[int]] = defaultdict(set)  # targets by pack
        self._functions: Counter[int] = Counter()  # of each target, at its revision
        self._shapes: dict[int, Numbers] = {}  # by pack

    def everything(self) -> Iterator[Iterator[Finding]]:
        """All tables, one after the other."""
        yield self._look_at_targets()
        yield self._look_at_places()
        yield self._look_at_packs()
        yield self._look_at_shapes()
        yield self._look_at_texts()
        yield (Finding(message, ()) for message in postings.verify(self._connection))

    def _told(self, what: str, targets: set[int]) -> Finding:
        return Finding(what, tuple(sorted(self._targets[each].target for each in targets if each in self._targets)))

    def _look_at_targets(self) -> Iterator[Finding]:
        for key, data, crc in self._connection.execute("SELECT number, about, crc FROM target"):
            try:
                if checksum(blob(data)) != crc:
                    raise ValueError("its checksum is another")
                self._targets[number(key)] = target_of(number(key), blob(data))
            except ValueError as error:
                yield Finding(f"target {key}: {error}", ())
        for key, target in self._targets.items():
            try:
                data = blob_of(self._connection, "frequent", key)
                unpacked_counts(data or b"")
            except ValueError as error:
                yield self._told(f"frequent shingles: {error}", {key})
            past = past_of(self._connection, target)
            if (len(past.commits) if past else 0) != target.commits:
                yield self._told("history: not what was stored", {key})
            try:
                skipped_of(self._connection, target)
            except UserError as error:
                yield self._told(str(error), {key})

    def _look_at_places(self) -> Iterator[Finding]:
        counts: Counter[int] = Counter()
        for row in self._connection.execute(f"SELECT {PLACE_COLUMNS} FROM place"):
            try:
                place: PlaceRow = place_of(row)
            except ValueError as error:
                yield self._told(f"place {row[1]}: {error}", {row[0]})
                continue
            target = self._targets.get(row[0])
            if target is None:
                yield Finding(f"place {row[1]}: of a target that is not there", ())
                continue
            counts[row[0]] += 1
            self._users[place.pack].add(row[0])
            if place.first <= target.commits <= place.last:
                self._functions[row[0]] += self._functions_of(place.pack)
        for key, target in self._targets.items():
            if counts[key] != target.places:
                yield self._told(f"{counts[key]} places where there were {target.places}", {key})
            elif self._functions[key] != target.functions:
                yield self._told(f"{self._functions[key]} functions where there were {target.functions}", {key})

    def _functions_of(self, pack: int) -> int:
        row = self._connection.execute("SELECT functions FROM pack WHERE number = ?", (pack,)).fetchone()
        return row[0] if row is not None and isinstance(row[0], int) else 0

    def _look_at_packs(self) -> Iterator[Finding]:
        there: set[int] = set()
        for row in self._connection.execute(f"SELECT {PACK_COLUMNS} FROM pack ORDER BY number"):
            users = self._users.get(row[0], set())
            there.add(row[0])
            try:
                pack = pack_of(row)
                self._shapes[pack.number] = pack.shapes
                if not users:
                    raise ValueError("no target has it")
                if not self._is_quick:
                    self._check_contents(pack)
            except ValueError as error:
                yield self._told(f"pack {row[0]}: {error}", users)
        for missing in sorted(self._users.keys() - there):
            yield self._told(f"pack {missing}: missing", self._users[missing])

    def _check_contents(self, pack: PackRow) -> None:
        corpus = pack.corpus("", Role.OWN)
        posted = pack.shapes > 0
        numbers = dict(zip(pack.shapes[posted].tolist(), digests(corpus)[posted].view(np.int64).tolist(), strict=True))
        for shape, digest in numbers.items():
            row = self._connection.execute("SELECT digest FROM shape WHERE number = ?", (shape,)).fetchone()
            if row is None or row[0] != digest:
                raise ValueError("a function whose shape is another")

    def _look_at_shapes(self) -> Iterator[Finding]:
        rows = self._connection.execute("SELECT shape, pack, function FROM shape_function")
        stored = {row for row in rows if row[1] in self._shapes}
        expected = set()
        for pack, shapes in self._shapes.items():
            for function in np.flatnonzero(shapes).tolist():
                expected.add((int(shapes[function]), pack, function))
        if stored != expected:
            missing, extra = len(expected - stored), len(stored - expected)
            yield Finding(f"functions by shape: {missing} missing, {extra} that should not be there", ())
        count = self._connection.execute("SELECT count(*) FROM shape_function").fetchone()[0]
        if count != len(stored):
            yield Finding(f"functions by shape: {count - len(stored)} of packs that are damaged or not there", ())
        used = {shape for shape, _, _ in expected}
        there = {shape for (shape,) in self._connection.execute("SELECT number FROM shape")}
        if there != used:
            yield Finding(f"shapes: {len(used - there)} missing, {len(there - used)} that nothing has", ())

    def _look_at_texts(self) -> Iterator[Finding]:
        rows = self._connection.execute("SELECT text.pack, blob FROM text LEFT JOIN pack ON number = text.pack")
        for pack, name in rows.fetchall():
            try:
                data = inflated(blob_of(self._connection, "text", pack) or b"", MOST_TEXT_BYTES)
                if blob_id(data) != name:
                    raise ValueError("not the text of its pack")
            except ValueError as error:
                yield self._told(f"text of pack {pack}: {error}", self._users.get(pack, set()))
