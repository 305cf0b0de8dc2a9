"""The tables of partitions as Parquet: written with a checksum for each page, read as a stranger's.

What a footer claims is held against bounds before anything is unpacked. Of a table the first column is in order, and
groups of rows are found by what they hold of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from detector.code.sorting import Hashes, Numbers
from detector.distributed.folder import Folder
from detector.index.damage import Damaged
from detector.settings.distributed import (
    MOST_FOOTER_BYTES,
    MOST_GROUP_BYTES,
    MOST_GROUPS,
    MOST_RECEIPT_BYTES,
    MOST_ROW_BYTES,
    ROW_GROUP,
    WIDE_ROW_GROUP,
)

_NUMBER = pa.int64()
_OCTETS = pa.binary()
_KEYS = pa.list_(pa.uint64())
# Each table, the column that it is ordered by first.
TABLES: Mapping[str, pa.Schema] = {
    "postings": pa.schema([("key", _NUMBER), ("shape", _NUMBER)]),
    "shapes": pa.schema([("shape", _NUMBER), ("digest", _NUMBER), ("keys", _KEYS)]),
    "functions": pa.schema([("shape", _NUMBER), ("pack", _NUMBER), ("function", _NUMBER)]),
    "owners": pa.schema([("pack", _NUMBER), ("target", _NUMBER)]),
    "packs": pa.schema(
        [("pack", _NUMBER), ("blob", _OCTETS), ("context", _OCTETS), ("reason", _OCTETS), ("bytes", _OCTETS)]
        + [("text", _OCTETS)]
    ),
    "targets": pa.schema([("target", _NUMBER), ("about", _OCTETS), ("frequent", _OCTETS), ("past", _OCTETS)]),
    "places": pa.schema(
        [("target", _NUMBER), ("number", _NUMBER), ("path", _OCTETS), ("role", _OCTETS), ("pack", _NUMBER)]
        + [("first", _NUMBER), ("last", _NUMBER), ("came", _OCTETS)]
    ),
    "skipped": pa.schema(
        [("target", _NUMBER), ("number", _NUMBER), ("path", _OCTETS), ("reason", _OCTETS), ("is_listed", _NUMBER)]
    ),
    # While repositories are read by many: what each found, to be told from what others found.
    "same_shapes": pa.schema([("digest", _NUMBER), ("shape", _NUMBER)]),
    "same_packs": pa.schema([("begins", _NUMBER), ("name", _OCTETS), ("pack", _NUMBER)]),
    "moved": pa.schema([("source", _NUMBER), ("number", _NUMBER), ("was", _NUMBER)]),
    "pairs": pa.schema([("shape", _NUMBER), ("other", _NUMBER), ("shared", _NUMBER)]),
}
_WIDE = {"packs", "targets"}
_FAILURES = (OSError, ValueError, MemoryError, KeyError, IndexError, pa.ArrowException)
_TAIL = 8
_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Partition:
    """One file, as its receipt has it."""

    table: str
    name: str
    rows: int
    size_bytes: int
    sha256: str
    first: int  # what its first column goes from and to; 0 and -1 where it has no rows
    last: int


def partition_of(values: object) -> Partition:
    """A partition out of JSON.

    Errors: ValueError for anything else.
    """
    kinds = {"table": str, "name": str, "rows": int, "size_bytes": int, "sha256": str, "first": int, "last": int}
    if not isinstance(values, dict) or {name: type(value) for name, value in values.items()} != kinds:
        raise ValueError("a partition that is none")
    found = Partition(**values)
    if found.table not in TABLES or ".." in found.name or found.name.startswith("/") or found.rows < 0:
        raise ValueError("a partition that is none")
    return found


def values_of(partition: Partition) -> dict[str, Any]:
    """The inverse."""
    return asdict(partition)


def write(folder: Folder, table: str, name: str, groups: Sequence[pa.Table] | Iterator[pa.Table]) -> Partition:
    """Write a partition, then its receipt.

    groups: tables with the columns of the partition; each begins a group of rows.
    """
    counted = _Counted()
    rows, first, last = 0, 0, -1

    def put(file: BinaryIO) -> None:
        nonlocal rows, first, last
        counted.file = file
        with _writer(counted, table) as writer:
            for group in groups:
                writer.write_table(group, WIDE_ROW_GROUP if table in _WIDE else max(group.num_rows, 1))
                if group.num_rows and pa.types.is_int64(group.schema.field(0).type):
                    ordered = numbers(group, group.schema.names[0])
                    first, last = (first if rows else int(ordered[0])), int(ordered[-1])
                rows += group.num_rows

    folder.write(name, put)
    found = Partition(table, name, rows, counted.size, counted.digest.hexdigest(), first, last)
    write_json(folder, _receipt(name), values_of(found))
    return found


def _writer(file: Any, table: str) -> Any:
    schema = TABLES[table]
    columns = [field.name for field in schema]
    return parquet.ParquetWriter(
        pa.PythonFile(file, mode="w"),
        schema,
        compression="zstd",
        use_dictionary=False,
        # Ascending numbers are small steps, and the numbers beside them need no more bits than they have.
        column_encoding={
            "keys.list.element" if schema.field(name).type == _KEYS else name: _encoding(schema.field(name).type)
            for name in columns
        },
        write_statistics=[columns[0]],
        write_page_checksum=True,
        store_schema=False,
    )


def _encoding(kind: Any) -> str:
    if kind == _NUMBER:
        return "DELTA_BINARY_PACKED"
    return "PLAIN"


def _json(values: object) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


def _receipt(name: str) -> str:
    return f"{name}.json"


class _Counted:
    """A file that is written, with its length and its checksum."""

    def __init__(self) -> None:
        self.file: BinaryIO | None = None
        self.size = 0
        self.digest = hashlib.sha256()
        self.closed = False

    def write(self, data: bytes) -> int:
        assert self.file is not None
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def write_json(folder: Folder, name: str, values: object) -> None:
    """Write a small file."""
    folder.write(name, lambda file: file.write(_json(values)))


def receipt(folder: Folder, name: str) -> Partition:
    """What was written under a name, as its receipt has it.

    Errors: Damaged where there is none.
    """
    try:
        return partition_of(folder.json(_receipt(name), MOST_RECEIPT_BYTES))
    except ValueError:
        raise Damaged(f"{folder.told(name)}: its receipt is damaged or missing: write the partitions again") from None


def kept(folder: Folder, name: str) -> Partition | None:
    """What was written under a name, if it is there as it was written.

    Errors: Damaged where it is there, but not so.
    """
    try:
        found = partition_of(folder.json(_receipt(name), MOST_RECEIPT_BYTES))
    except ValueError:
        return None
    digest, size = hashlib.sha256(), 0
    if folder.has(name):
        with folder.reading(name) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
                size += len(piece)
    if found.name != name or (size, digest.hexdigest()) != (found.size_bytes, found.sha256):
        raise Damaged(f"{folder.told(name)}: not what was written there")
    return found


# --- reading -------------------------------------------------------------------------------------------------


class Reading:
    """An open partition."""

    def __init__(self, folder: Folder, partition: Partition, file: BinaryIO) -> None:
        self._told = folder.told(partition.name)
        self._schema = TABLES[partition.table]
        self._is_wide = partition.table in _WIDE
        with self._telling():
            self._check_tail(file, partition.size_bytes)
            self._file = parquet.ParquetFile(
                file,
                read_dictionary=[field.name for field in self._schema if field.type == _OCTETS],
                page_checksum_verification=True,
                thrift_string_size_limit=MOST_FOOTER_BYTES,
                thrift_container_size_limit=MOST_GROUPS * len(self._schema),
            )
            self._check_claims(partition)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except Damaged:
            raise
        except _FAILURES as error:
            why = str(error).partition("\n")[0][:200]
            raise Damaged(f"{self._told}: a damaged partition ({why}): write the partitions again") from None

    def _check_tail(self, file: BinaryIO, size: int) -> None:
        file.seek(0, 2)
        if file.tell() != size or size < 2 * _TAIL:
            raise ValueError("another length than was written")
        file.seek(size - _TAIL)
        tail = file.read(_TAIL)
        if tail[4:] != _MAGIC or int.from_bytes(tail[:4], "little") > min(MOST_FOOTER_BYTES, size):
            raise ValueError("a footer that cannot be")

    def _check_claims(self, partition: Partition) -> None:
        about = self._file.metadata
        names = [about.schema.column(place).path for place in range(about.num_columns)]
        expected = [_leaf(field) for field in self._schema]
        if names != expected or about.num_row_groups > MOST_GROUPS or about.num_rows != partition.rows:
            raise ValueError("other columns or rows than were written")
        for place, field in enumerate(self._schema):
            if about.schema.column(place).physical_type != ("BYTE_ARRAY" if field.type == _OCTETS else "INT64"):
                raise ValueError("columns of another kind")
        self.firsts, self.lasts = np.zeros((2, about.num_row_groups), np.int64)
        for place in range(about.num_row_groups):
            group = about.row_group(place)
            columns = [group.column(each) for each in range(about.num_columns)]
            self._check_group(group.num_rows, columns)
            known = columns[0].statistics
            if known is not None and known.has_min_max and type(known.min) is int:
                self.firsts[place], self.lasts[place] = known.min, known.max

    def _check_group(self, rows: int, columns: Sequence[Any]) -> None:
        most = MOST_GROUP_BYTES if rows > 1 else 2 * MOST_ROW_BYTES
        if sum(column.total_uncompressed_size for column in columns) > most:
            raise ValueError(f"a group of rows that unpacks to more than {most:,} bytes")
        if max(column.num_values for column in columns) * 8 > most:
            raise ValueError("a group of too many values")
        for column, field in zip(columns, self._schema, strict=True):
            # One text may otherwise stand for any number of rows.
            if field.type == _OCTETS and set(column.encodings) - {"PLAIN", "RLE", "BIT_PACKED"}:
                raise ValueError("texts as they are not written")

    def groups(self, first: int, last: int) -> Numbers:
        """Which groups of rows may hold something from first up to, not including, last."""
        return np.flatnonzero((self.firsts < last) & (self.lasts >= first))

    def groups_of(self, values: Numbers) -> Numbers:
        """Which groups of rows may hold one of the values, which are ascending."""
        return np.flatnonzero(np.searchsorted(values, self.firsts) < np.searchsorted(values, self.lasts, "right"))

    def rows_of(self, values: Numbers) -> pa.Table:
        """The rows whose first column is one of the values, which are ascending."""
        found = self.table(self.groups_of(values))
        first = numbers(found, self._schema.names[0])
        if (first[1:] < first[:-1]).any():
            raise Damaged(f"{self._told}: a damaged partition (not in order): write the partitions again")
        return found.filter(np.isin(first, values))

    def table(self, groups: Sequence[int] | Numbers, columns: Sequence[str] | None = None) -> pa.Table:
        """Some groups of rows."""
        with self._telling():
            found = self._file.read_row_groups([int(each) for each in groups], columns=columns, use_threads=False)
            if any(column.null_count for column in found.columns):
                raise ValueError("nothing where something should be")
            return found

    @property
    def row_groups(self) -> int:
        """How many there are."""
        return len(self.firsts)


def _leaf(field: Any) -> str:
    return f"{field.name}.list.element" if field.type == _KEYS else str(field.name)


@contextmanager
def opened(folder: Folder, partition: Partition) -> Iterator[Reading]:
    """Open a partition.

    Errors: Damaged where it is not what was written, as far as its length and its footer tell.
    """
    with folder.reading(partition.name) as file:
        yield Reading(folder, partition, file)


def within(folder: Folder, partition: Partition, first: int, last: int) -> pa.Table:
    """The rows of a partition whose first column is from first up to, not including, last."""
    with opened(folder, partition) as reading:
        found = reading.table(reading.groups(first, last))
    column = numbers(found, found.schema.names[0])
    return found.filter((column >= first) & (column < last))


# --- columns -------------------------------------------------------------------------------------------------


def table(name: str, *columns: npt.NDArray[Any] | Sequence[bytes] | tuple[Hashes, Numbers]) -> pa.Table:
    """Rows of a table; lists of keys are given as all of them and where those of each row begin."""
    schema = TABLES[name]
    arrays = [_array(field.type, column) for field, column in zip(schema, columns, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(kind: Any, column: Any) -> pa.Array:
    if kind == _KEYS:
        values, offsets = column
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, pa.uint64()))
    return pa.array(column, kind)


def grouped(name: str, whole: pa.Table) -> Iterator[pa.Table]:
    """Cut into groups of rows of the length that a table has."""
    size = WIDE_ROW_GROUP if name in _WIDE else ROW_GROUP
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
