"""Some targets of partitions -> an index of these alone, which everything that asks an index can ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from detector.code.sorting import Numbers, distinct
from detector.distributed import stored, tables
from detector.distributed.asking import Whole, rows_of
from detector.index import opening
from detector.index.damage import Damaged
from detector.index.filing import New, file_packs
from detector.index.past import unpacked as past_unpacked
from detector.index.records import (
    PlaceRow,
    SkippedRow,
    Target,
    inflated,
    put_blob,
    put_places,
    put_skipped,
    put_target,
    target_of,
    text,
)
from detector.index.sources import blob_id
from detector.index.store import Index
from detector.index.unpacking import unpacked, unpacked_counts
from detector.model import Role
from detector.settings.index import EXPORT_PACKS, MOST_TEXT_BYTES


def targets_of(whole: Whole, numbers: Sequence[int]) -> dict[int, Target]:
    """Targets by their numbers.

    Errors: Damaged where one is not there.
    """
    wanted = sorted(set(numbers))
    known = {each.number: each for each in targets_within(whole, np.array(wanted, np.int64))}
    if list(known) != wanted:
        raise Damaged(f"{whole.folder.told()}: damaged partitions (targets are missing): write the partitions again")
    return known


def targets_within(whole: Whole, numbers: Numbers) -> list[Target]:
    """Those that there are of these numbers, which are ascending."""
    return _targets(whole, rows_of(whole, "targets", numbers))


def all_targets(whole: Whole) -> list[Target]:
    """Everything that is known, by what it is called."""
    found: list[Target] = []
    for partition in whole.manifest.of("targets"):
        with stored.opened(whole.folder, partition) as reading:
            found += _targets(whole, reading.table(range(reading.row_groups), ["target", "about"]))
    return sorted(found, key=lambda each: (each.target, each.name, each.number))


def _targets(whole: Whole, found: pa.Table) -> list[Target]:
    with _checked(whole):
        rows = zip(tables.numbers(found, "target").tolist(), tables.octets(found, "about"), strict=True)
        return [target_of(number, about) for number, about in rows]


class Taking:
    """Takes targets out of partitions into an index, as strangers' who are believed nothing that can be checked."""

    def __init__(self, whole: Whole, index: Index) -> None:
        self._whole = whole
        self.index = index
        self.targets: dict[int, Target] = {}  # by their numbers in the whole, as the index has them
        self.packs: dict[int, int] = {}  # numbers of packs in the index by those in the whole

    def take(self, numbers: Sequence[int]) -> None:
        """Take in these targets, those that are not there yet, in this order."""
        new = [number for number in dict.fromkeys(numbers) if number not in self.targets]
        if not new:
            return
        wanted = np.array(sorted(new), np.int64)
        found = {name: rows_of(self._whole, name, wanted) for name in ("targets", "places", "skipped")}
        with _checked(self._whole), opening.transaction(self.index.connection):
            places = _places(found["places"])
            self._take_packs(sorted({row.pack for rows in places.values() for row in rows} - set(self.packs)))
            skipped = _skipped(found["skipped"])
            about = self._about(found["targets"])
            for number in new:
                self._put(number, *about[number], places[number], skipped[number])

    def _about(self, found: pa.Table) -> dict[int, tuple[bytes, bytes, bytes]]:
        columns = (tables.octets(found, name) for name in ("about", "frequent", "past"))
        return dict(zip(tables.numbers(found, "target").tolist(), zip(*columns, strict=True), strict=True))

    def _put(
        self,
        number: int,
        said: bytes,
        frequent: bytes,
        past: bytes,
        places: Sequence[PlaceRow],
        skipped: Sequence[SkippedRow],
    ) -> None:
        connection = self.index.connection
        own = connection.execute("SELECT coalesce(max(number), 0) FROM target").fetchone()[0] + 1
        target = target_of(own, said)
        unpacked_counts(frequent)
        if len(past_unpacked(past).commits if past else ()) != target.commits or len(places) != target.places:
            raise ValueError("a target of other places or another history")
        put_target(connection, target)
        put_places(connection, own, (row._replace(pack=self.packs[row.pack]) for row in places))
        put_skipped(connection, own, skipped)
        put_blob(connection, "frequent", own, frequent)
        if past:
            put_blob(connection, "past", own, past)
        self.targets[number] = target

    def _take_packs(self, numbers: Sequence[int]) -> None:
        for first in range(0, len(numbers), EXPORT_PACKS):
            wanted = np.array(numbers[first : first + EXPORT_PACKS], np.int64)
            found = rows_of(self._whole, "packs", wanted)
            if not np.array_equal(distinct(tables.numbers(found, "pack")), wanted):
                raise ValueError("packs are missing")
            columns = (tables.octets(found, name) for name in ("blob", "context", "reason", "bytes", "text"))
            new, texts = [], []
            for blob, context, reason, data, kept in zip(*columns, strict=True):
                if len(blob) != 20 or (kept and blob_id(inflated(kept, MOST_TEXT_BYTES)) != blob):
                    raise ValueError("a pack of another blob")
                names = frozenset(text(context).split(" ")) - {""}
                new.append(New(blob, names, unpacked(data, "", Role.OWN), text(reason), is_own=False))
                texts.append(kept)
            own = file_packs(self.index.connection, new)
            self.packs.update(zip(wanted.tolist(), own, strict=True))
            for number, kept in zip(own, texts, strict=True):
                if kept:
                    put_blob(self.index.connection, "text", number, kept)

    def led(self, packs: Mapping[int, int]) -> dict[int, int]:
        """How many functions led to packs, by their numbers in the index."""
        return {self.packs[number]: count for number, count in packs.items() if number in self.packs}


@contextmanager
def _checked(whole: Whole) -> Iterator[None]:
    """Say in one line what is not as it was written."""
    try:
        yield
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        why = str(error)[:100] or type(error).__name__
        raise Damaged(f"{whole.folder.told()}: damaged partitions ({why}): write the partitions again") from None


def _places(found: pa.Table) -> defaultdict[int, list[PlaceRow]]:
    rows: defaultdict[int, list[PlaceRow]] = defaultdict(list)
    columns = (
        tables.numbers(found, "number").tolist(),
        tables.octets(found, "path"),
        tables.octets(found, "role"),
        *(tables.numbers(found, name).tolist() for name in ("pack", "first", "last")),
        tables.octets(found, "came"),
    )
    for target, row in zip(tables.numbers(found, "target").tolist(), zip(*columns, strict=True), strict=True):
        number, path, role, pack, first, last, came = row
        rows[target].append(PlaceRow(number, text(path), Role(text(role)), pack, first, last, text(came)))
    return rows


def _skipped(found: pa.Table) -> defaultdict[int, list[SkippedRow]]:
    rows: defaultdict[int, list[SkippedRow]] = defaultdict(list)
    columns = (
        tables.numbers(found, "number").tolist(),
        tables.octets(found, "path"),
        tables.octets(found, "reason"),
        tables.numbers(found, "is_listed").tolist(),
    )
    for target, row in zip(tables.numbers(found, "target").tolist(), zip(*columns, strict=True), strict=True):
        number, path, reason, is_listed = row
        rows[target].append(SkippedRow(number, text(path), text(reason), bool(is_listed)))
    return rows
