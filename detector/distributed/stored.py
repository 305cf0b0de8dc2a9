"""Partitions as they are read: as a stranger's, whatever wrote them.

What a footer claims is held against bounds before anything is unpacked, and pages against their checksums. Groups of
rows are found by what they hold of the first column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from detector.code.sorting import Numbers
from detector.distributed.folder import Folder
from detector.distributed.partitions import Partition
from detector.distributed.tables import KEYS, OCTETS, TABLES, numbers
from detector.index.damage import Damaged
from detector.settings.distributed import MOST_FOOTER_BYTES, MOST_GROUP_BYTES, MOST_GROUPS, MOST_ROW_BYTES

_FAILURES = (OSError, ValueError, MemoryError, KeyError, IndexError, pa.ArrowException)
_TAIL = 8
_MAGIC = b"PAR1"


class Reading:
    """An open partition."""

    def __init__(self, folder: Folder, partition: Partition, file: BinaryIO) -> None:
        self._told = folder.told(partition.name)
        self._schema = TABLES[partition.table]
        with self._telling():
            self._check_tail(file, partition.size_bytes)
            self._file = parquet.ParquetFile(
                file,
                read_dictionary=[field.name for field in self._schema if field.type == OCTETS],
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
            if about.schema.column(place).physical_type != ("BYTE_ARRAY" if field.type == OCTETS else "INT64"):
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
            if field.type == OCTETS and set(column.encodings) - {"PLAIN", "RLE", "BIT_PACKED"}:
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
            if sum(map(_spelled, found.columns)) > MOST_GROUP_BYTES * max(len(groups), 1):
                raise ValueError("texts that are longer than they may be")
            return found

    @property
    def row_groups(self) -> int:
        """How many there are."""
        return len(self.firsts)


def _spelled(column: Any) -> int:
    """How long the texts of a column are, each written out."""
    lengths = 0
    for chunk in column.chunks:
        if hasattr(chunk, "dictionary"):
            each = compute.binary_length(chunk.dictionary).to_numpy().astype(np.int64)
            lengths += int(each[chunk.indices.to_numpy()].sum())
    return lengths


def _leaf(field: Any) -> str:
    return f"{field.name}.list.element" if field.type == KEYS else str(field.name)


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
