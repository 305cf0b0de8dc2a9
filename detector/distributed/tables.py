"""The tables that partitions hold, and their columns as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.code.sorting import Hashes, Numbers
from detector.settings.distributed import ROW_GROUP, WIDE_ROW_GROUP

NUMBER = pa.int64()
OCTETS = pa.binary()
KEYS = pa.list_(pa.uint64())
_KINDS = {
    **dict.fromkeys(("about", "blob", "bytes", "came", "context", "frequent", "name", "past"), OCTETS),
    **dict.fromkeys(("path", "reason", "role", "text"), OCTETS),
    "keys": KEYS,
}


def _schema(columns: str) -> Any:
    return pa.schema([(name, _KINDS.get(name, NUMBER)) for name in columns.split()])


# Each table; the first column is the one that it is ordered by.
TABLES: Mapping[str, Any] = {
    "postings": _schema("key shape"),
    "shapes": _schema("shape digest keys"),
    "functions": _schema("shape pack function"),
    "owners": _schema("pack target"),
    "packs": _schema("pack blob context reason bytes text"),
    "targets": _schema("target about frequent past"),
    "places": _schema("target number path role pack first last came"),
    "skipped": _schema("target number path reason is_listed"),
    # While repositories are read by many: what each found, to be told from what others found.
    "same_shapes": _schema("digest shape"),
    "same_packs": _schema("begins name pack"),
    "moved": _schema("source number was"),
    # Pairs of shapes, and how many keys they share.
    "pairs": _schema("shape other shared"),
}
WIDE = frozenset({"packs", "targets"})  # of which each row takes kilobytes


def table(name: str, *columns: npt.NDArray[Any] | Sequence[bytes] | tuple[Hashes, Numbers]) -> pa.Table:
    """Rows of a table; lists of keys are given as all of them and where those of each row begin."""
    schema = TABLES[name]
    arrays = [_array(field.type, column) for field, column in zip(schema, columns, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(kind: Any, column: Any) -> pa.Array:
    if kind == KEYS:
        values, offsets = column
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, pa.uint64()))
    return pa.array(column, kind)


def grouped(name: str, whole: pa.Table) -> Iterator[pa.Table]:
    """Cut into groups of rows of the length that a table has."""
    size = WIDE_ROW_GROUP if name in WIDE else ROW_GROUP
    for first in range(0, whole.num_rows, size):
        yield whole.slice(first, size)


def numbers(found: pa.Table, name: str) -> Numbers:
    """A column of numbers."""
    array: Numbers = found.column(name).to_numpy()
    return array


def octets(found: pa.Table, name: str) -> list[bytes]:
    """A column of bytes."""
    column = found.column(name)
    values: list[bytes] = []
    for chunk in column.chunks:
        if hasattr(chunk, "dictionary"):
            known = chunk.dictionary.to_pylist()
            values += [known[place] for place in chunk.indices.to_pylist()]
        else:
            values += chunk.to_pylist()
    return values


def keys(found: pa.Table, name: str) -> tuple[Hashes, Numbers]:
    """A column of lists: all of them, and where those of each row begin."""
    array = found.column(name).combine_chunks()
    if not isinstance(array, pa.ListArray):
        array = pa.concat_arrays(array.chunks)
    offsets = array.offsets.to_numpy().astype(np.int64)
    values: Hashes = array.values.to_numpy()[offsets[0] : offsets[-1]]
    return values, offsets - offsets[0]
