"""Which files there are: the manifest, which is written last, and how ranges of numbers are cut into partitions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from detector.code.sorting import Numbers
from detector.distributed.folder import Folder
from detector.distributed.partitions import Partition, partition_of
from detector.distributed.tables import TABLES
from detector.index.damage import Damaged
from detector.index.schema import MADE_WITH
from detector.model import UserError
from detector.read.names import printable
from detector.settings.distributed import (
    MOST_MANIFEST_BYTES,
    PARTITION_FORMAT,
    PARTITION_PACKS,
    PARTITION_POSTINGS,
    PARTITION_SHAPES,
    PARTITION_TARGETS,
)
from detector.settings.postings import KEY_BITS

MANIFEST = "manifest.json"
PLAN = "plan.json"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Manifest:
    """All partitions of a whole."""

    partitions: tuple[Partition, ...]

    @cached_property
    def _by_table(self) -> Mapping[str, list[Partition]]:
        found: dict[str, list[Partition]] = {name: [] for name in TABLES}
        for each in sorted(self.partitions, key=lambda each: (each.table, each.first, each.name)):
            found[each.table].append(each)
        return found

    def of(self, table: str) -> Sequence[Partition]:
        """Those of a table that hold anything, in the order of their numbers."""
        return [each for each in self._by_table[table] if each.rows]

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return sum(each.rows for each in self._by_table[table])

    def size_bytes(self, table: str) -> int:
        """How long its files are."""
        return sum(each.size_bytes for each in self._by_table[table])

    def holding(self, table: str, values: Numbers) -> list[tuple[Partition, Numbers]]:
        """Partitions that may hold some of the values, which are ascending, and which these are."""
        found = []
        for each in self.of(table):
            begin, end = np.searchsorted(values, [each.first, each.last + 1])
            if begin < end:
                found.append((each, values[begin:end]))
        return found


def put_manifest(folder: Folder, partitions: Iterable[Partition]) -> Manifest:
    """Say that everything is there."""
    folder.sweep()
    found = Manifest(tuple(sorted(partitions, key=lambda each: each.name)))
    values = {**_made_with(), "partitions": [asdict(each) for each in found.partitions]}
    folder.write(MANIFEST, lambda file: file.write(_json(values)))
    return found


def manifest(folder: Folder) -> Manifest:
    """What is there.

    Errors: UserError where nothing whole is there, or nothing that this program can read.
    """
    values = folder.json(MANIFEST, MOST_MANIFEST_BYTES)
    if values is None:
        what = "begun, but not whole" if folder.has(PLAN) else "not there"
        raise UserError(
            f"{folder.told()}: partitions of an index are {what}: run `detector index partition` or `build`"
        )
    check_made_with(folder, values)
    try:
        return Manifest(tuple(partition_of(each) for each in values["partitions"]))
    except (ValueError, KeyError, TypeError):
        raise Damaged(f"{folder.told(MANIFEST)}: damaged: write the partitions again") from None


def check_made_with(folder: Folder, values: object) -> None:
    """Refuse what this program does not make so.

    Errors: UserError in one line.
    """
    if not isinstance(values, dict):
        raise Damaged(f"{folder.told()}: damaged: write the partitions again")
    for name, value in _made_with().items():
        if values.get(name) != value:
            was = printable(str(values.get(name, "unknown")))[:100]
            raise UserError(
                f"{folder.told()}: its {name} is {was}, this program's is {value}: write it again elsewhere"
            )


def _made_with() -> dict[str, object]:
    return {"format": PARTITION_FORMAT, **MADE_WITH}


def put_plan(folder: Folder, values: Mapping[str, object], whose: str) -> None:
    """Say what is begun, once; what was begun is gone on with.

    whose: what tells one plan from another.
    Errors: UserError where something else was begun there.
    """
    there = folder.json(PLAN, MOST_MANIFEST_BYTES)
    wanted = {**_made_with(), **values}
    if there is None:
        if not folder.is_empty():
            raise UserError(f"{folder.told()}: holds something else: name an empty folder, or one that is not there")
        folder.write(PLAN, lambda file: file.write(_json(wanted)))
        return
    check_made_with(folder, there)
    if there.get(whose) != json.loads(_json(wanted))[whose]:
        raise UserError(
            f"{folder.told()}: holds partitions of something else, or of an earlier state: name an empty folder"
        )


def _json(values: object) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


# --- ranges --------------------------------------------------------------------------------------------------

# What a table is cut by, and how many of that make one partition.
CUT_BY: Mapping[str, tuple[str, int]] = {
    "postings": ("postings", PARTITION_POSTINGS),
    "shapes": ("shapes", PARTITION_SHAPES),
    "functions": ("shapes", PARTITION_SHAPES),
    "packs": ("packs", PARTITION_PACKS),
    "owners": ("packs", PARTITION_PACKS * 16),
    "targets": ("targets", PARTITION_TARGETS),
    "places": ("targets", PARTITION_TARGETS),
    "skipped": ("targets", PARTITION_TARGETS),
}


def key_ranges(postings: int) -> list[tuple[int, int]]:
    """Ranges of keys with about as many postings each: keys are hashes, and spread evenly."""
    return shares(0, 1 << KEY_BITS, postings, PARTITION_POSTINGS)


def ranges(table: str, highest: int) -> list[tuple[int, int]]:
    """Ranges of the numbers from 0 up to the highest."""
    size = CUT_BY[table][1]
    return [(first, min(first + size, highest + 1)) for first in range(0, highest + 1, size)]


def shares(first: int, last: int, count: int, most: int) -> list[tuple[int, int]]:
    """A range of hashes cut evenly, so that each part has about so many of so many."""
    parts = max(-(-count // most), 1)
    return list(pairwise(first + (last - first) * place // parts for place in range(parts + 1)))


def name_of(table: str, *numbers: int) -> str:
    """What a partition is called."""
    return f"{table}/{'-'.join(f'{number:06}' for number in numbers)}.parquet"
