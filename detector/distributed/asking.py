"""Keys, shapes and packs -> what partitions have of them: one task for each partition that may have something."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.code.sketch import Sketches
from detector.code.sorting import Hashes, Numbers, distinct, is_new
from detector.distributed import tables
from detector.distributed.folder import Folder
from detector.distributed.layout import Manifest
from detector.distributed.partitions import Partition, partition_of, values_of
from detector.distributed.stored import opened
from detector.distributed.tasks import Mapped, Task, here
from detector.index.candidates import Candidates, ranked
from detector.index.damage import Damaged
from detector.index.postings import Found
from detector.model import UserError
from detector.settings.distributed import RANKED_FUNCTIONS, ROUND_FUNCTIONS
from detector.settings.postings import LARGEST_POSTING, SHAPE_BITS


@dataclass(frozen=True, slots=True)
class Whole:
    """Partitions, and what asks them."""

    folder: Folder
    manifest: Manifest
    mapped: Mapped


def candidates(whole: Whole, sketches: Sketches, most: int) -> Candidates:
    """What `index.candidates.candidates` gives for an index with the same in it: the same shapes in the same order.

    Errors: Damaged where a partition that is asked is not what was written.
    """
    functions = len(sketches.offsets) - 1
    parts = []
    for first in range(0, functions, ROUND_FUNCTIONS):
        last = min(first + ROUND_FUNCTIONS, functions)
        parts.append(_round(whole, sketches.part(first, last), most, first))
    found = [np.concatenate([np.zeros(0, np.int64), *columns]) for columns in zip(*parts, strict=True)] or [
        np.zeros(0, np.int64)
    ] * 3
    return Candidates(found[0], found[1], found[2])


def rows_of(whole: Whole, table: str, values: Numbers) -> pa.Table:
    """The rows of a table whose first column is one of the values, in order.

    values: ascending, each once.
    """
    tasks = [_order(whole, partition, values=held) for partition, held in whole.manifest.holding(table, values)]
    found = [part for part in mapped(whole, _rows_of, tasks) if part.num_rows]
    if not found:
        return tables.TABLES[table].empty_table()
    name = tables.TABLES[table].names[0]
    return pa.concat_tables(sorted(found, key=lambda part: int(tables.numbers(part, name)[0])))


def pairs_of(whole: Whole, table: str, values: Numbers) -> tuple[Numbers, Numbers]:
    """The first two columns of such rows, ordered by both, each pair once."""
    found = rows_of(whole, table, values)
    one, other = (tables.numbers(found, name) for name in found.schema.names[:2])
    by_both = np.lexsort((other, one))
    one, other = one[by_both], other[by_both]
    kept = is_new(one) | is_new(other)
    return one[kept], other[kept]


# --- postings ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """What is behind keys: ascending ones, with so many postings each, of which the lowest shapes are at hand."""

    keys: Numbers
    counts: Numbers
    offsets: Numbers
    shapes: Numbers

    def part(self, keys: Numbers) -> _Held:
        """What is behind some of them; those that nothing is behind are left out."""
        places = np.flatnonzero(np.isin(self.keys, keys))
        taken = self.offsets[places + 1] - self.offsets[places]
        offsets = np.concatenate([[0], np.cumsum(taken)])
        starts = np.repeat(self.offsets[places] - offsets[:-1], taken)
        return _Held(self.keys[places], self.counts[places], offsets, self.shapes[np.arange(int(offsets[-1])) + starts])


def _round(whole: Whole, sketches: Sketches, most: int, start: int) -> tuple[Numbers, Numbers, Numbers]:
    """The candidates of some functions, which are numbered from `start` on."""
    asked = distinct(sketches.keys.astype(np.int64))
    held = _held(whole, asked)
    postings = whole.manifest.rows("postings")
    orders = []
    functions = len(sketches.offsets) - 1
    for first in range(0, functions, RANKED_FUNCTIONS):
        part = sketches.part(first, min(first + RANKED_FUNCTIONS, functions))
        own = held.part(distinct(part.keys.astype(np.int64)))
        orders.append(
            row(
                part_keys=part.keys.astype(np.int64),
                part_offsets=part.offsets,
                keys=own.keys,
                counts=own.counts,
                offsets=own.offsets,
                shapes=own.shapes,
                numbers=np.array([start + first, postings, most]),
            )
        )
    found = sorted(
        (part for part in mapped(whole, _rank, orders) if part.num_rows),
        key=lambda part: int(tables.numbers(part, "function")[0]),
    )
    columns = [
        np.concatenate([np.zeros(0, np.int64), *(tables.numbers(part, name) for part in found)])
        for name in ("function", "shape", "shared")
    ]
    return columns[0], columns[1], columns[2]


def _held(whole: Whole, keys: Numbers) -> _Held:
    orders = [_order(whole, partition, values=held) for partition, held in whole.manifest.holding("postings", keys)]
    found = [part for part in mapped(whole, _look, orders) if part.num_rows]
    found.sort(key=lambda part: int(tables.numbers(part, "key")[0]))
    nothing = np.zeros(0, np.int64)
    counts = np.concatenate([nothing, *(tables.numbers(part, "count") for part in found)])
    behind = [lists(part, "shapes") for part in found]
    lengths = np.concatenate([nothing, *(np.diff(offsets) for _, offsets in behind)])
    return _Held(
        np.concatenate([nothing, *(tables.numbers(part, "key") for part in found)]),
        counts,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([nothing, *(values for values, _ in behind)]),
    )


def _look(table: pa.Table) -> pa.Table:
    """Tasks: how many postings one partition has of keys, and their lowest shapes."""
    folder, partition, keys = _ordered(table)
    with opened(folder, partition) as reading:
        found = reading.table(reading.groups_of(keys))
    key, shape = tables.numbers(found, "key"), tables.numbers(found, "shape")
    if ((key[1:] < key[:-1]) | ((key[1:] == key[:-1]) & (shape[1:] <= shape[:-1]))).any():
        raise Damaged(f"{folder.told(partition.name)}: a damaged partition (not in order): write the partitions again")
    left, right = np.searchsorted(key, keys), np.searchsorted(key, keys, "right")
    there = np.flatnonzero(right > left)
    counts = (right - left)[there]
    taken = np.minimum(counts, LARGEST_POSTING)
    offsets = np.concatenate([[0], np.cumsum(taken)])
    shapes = shape[np.arange(int(offsets[-1])) + np.repeat(left[there] - offsets[:-1], taken)]
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(shapes, pa.int64()))
    return pa.table({"key": keys[there], "count": counts, "shapes": lists})


def _rank(table: pa.Table) -> pa.Table:
    """Tasks: the candidates of functions, out of what is behind their keys."""
    held = _Held(*(_value(table, name) for name in ("keys", "counts", "offsets", "shapes")))
    start, postings, most = _value(table, "numbers").tolist()
    # Shapes as they are numbered among these: in the same order, and few enough to be ranked as those of one index.
    known = distinct(held.shapes)
    if len(known) >> SHAPE_BITS:
        raise UserError("too many shapes are behind the keys of these functions: ask for fewer at once")
    local = np.searchsorted(known, held.shapes).astype(np.uint64)

    def look(keys: Hashes, *, common: bool) -> Found:
        places = np.searchsorted(held.keys, keys.astype(np.int64))
        there = np.append(held.keys, -1)[places] == keys.astype(np.int64)
        counts = np.where(there, np.append(held.counts, 0)[places], 0)
        begins = held.offsets[np.where(there, places, 0)]
        ends = np.where(there, held.offsets[np.minimum(places + 1, len(held.offsets) - 1)], begins)
        if not common:
            ends = np.where(counts > LARGEST_POSTING, begins, ends)
        return Found(counts, postings, (local,), (begins,), (ends,))

    sketches = Sketches(_value(table, "part_keys").astype(np.uint64), _value(table, "part_offsets"))
    found = ranked(look, sketches, most)
    return pa.table({"function": found.function + start, "shape": known[found.shape], "shared": found.shared})


def _rows_of(table: pa.Table) -> pa.Table:
    """Tasks: the rows of one partition whose first column is one of the values."""
    folder, partition, values = _ordered(table)
    with opened(folder, partition) as reading:
        return plain(reading.rows_of(values))


def plain(table: pa.Table) -> pa.Table:
    """The same without dictionaries, so that tables can be joined."""
    kinds = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.schema.names, kinds, strict=True))))


# --- orders as tables of one row -----------------------------------------------------------------------------


def mapped(whole: Whole, task: Task, orders: Sequence[pa.Table]) -> list[pa.Table]:
    """One task alone is done here: nothing is gained by sending it away."""
    do = here if len(orders) < 2 else whole.mapped
    return list(do(task, orders))


def _order(whole: Whole, partition: Partition, values: Numbers) -> pa.Table:
    about = json.dumps({"folder": whole.folder.address, "partition": values_of(partition)})
    return row(values=values).append_column("about", pa.array([about]))


def _ordered(table: pa.Table) -> tuple[Folder, Partition, Numbers]:
    about = json.loads(table.column("about")[0].as_py())
    return Folder(about["folder"]), partition_of(about["partition"]), _value(table, "values")


def row(**columns: npt.NDArray[np.int64]) -> pa.Table:
    """A table of one row, in which each column is a list."""
    return pa.table(
        {
            name: pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), pa.array(values, pa.int64()))
            for name, values in columns.items()
        }
    )


def _value(table: pa.Table, name: str) -> Numbers:
    return lists(table, name)[0]


def lists(table: pa.Table, name: str) -> tuple[Numbers, Numbers]:
    """A column of lists: all values, and where those of each row begin."""
    values, offsets = tables.keys(table, name)
    return values.view(np.int64), offsets
