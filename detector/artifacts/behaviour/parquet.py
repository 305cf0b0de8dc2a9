"""Parquet tables, group of rows by group of rows, and only the columns in question; pyarrow is asked for here alone.

What the footer claims is held against the bounds before anything is unpacked.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from detector.artifacts.behaviour.fields import Fields, choose
from detector.artifacts.behaviour.records import NoRecords, Record
from detector.model import Skipped
from detector.settings.behaviour import (
    MOST_FOOTER_BYTES,
    MOST_PARQUET_COLUMNS,
    MOST_ROW_GROUP_BYTES,
    MOST_ROW_GROUPS,
    PARQUET_BATCH_ROWS,
)
from detector.targets import Files

MAGIC = b"PAR1"
INSTALL = "reading Parquet takes pyarrow: pip install 'ml-plagiarism-detector[parquet]'"
_TAIL_BYTES = 8  # length of the footer, and the magic bytes
_LARGEST_TEXT = 2**20  # of the footer's own
_DEEPEST = 16


class Parquet:
    """Iterates over the records of a Parquet file, as `Records` does.

    Errors: NoRecords, when it begins; when a group of rows cannot be read, `cut` says so and the rest is left out.
    """

    def __init__(self, files: Files, path: str, size_bytes: int) -> None:
        self._source = _Source(files, path, size_bytes)
        self._size = size_bytes
        self.fields = Fields("", "", "")
        self.cut = ""

    def __iter__(self) -> Iterator[Record]:
        self._check_tail()
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise NoRecords(INSTALL) from None
        try:
            file = parquet.ParquetFile(
                pyarrow.PythonFile(self._source, mode="r"),
                pre_buffer=False,
                thrift_string_size_limit=_LARGEST_TEXT,
                thrift_container_size_limit=MOST_PARQUET_COLUMNS * _DEEPEST,
                schema_depth_limit=_DEEPEST,
            )
        except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
            raise NoRecords(f"it is no Parquet that can be read: {_first_line(error)}") from None
        yield from self._rows(file, pyarrow)

    def _check_tail(self) -> None:
        tail = self._source.at(max(0, self._size - _TAIL_BYTES), _TAIL_BYTES)
        if self._size < 2 * _TAIL_BYTES or tail[4:] != MAGIC:
            raise NoRecords("it is no Parquet file, or not all of it is there")
        if int.from_bytes(tail[:4], "little") > min(MOST_FOOTER_BYTES, self._size):
            raise NoRecords(f"its footer claims more than {MOST_FOOTER_BYTES:,} bytes, or than there are")

    def _rows(self, file: Any, pyarrow: Any) -> Iterator[Record]:
        names = file.schema_arrow.names
        fields = choose(names)
        if isinstance(fields, str):
            raise NoRecords(fields)
        self.fields = fields
        columns = [name for name in (fields.item, fields.answer, fields.label) if name]
        for name in columns:
            if not _is_plain(file.schema_arrow.field(names.index(name)).type, pyarrow.types):
                raise NoRecords(f"its column {name} holds neither texts nor numbers nor lists of numbers")
        for group in range(min(file.num_row_groups, MOST_ROW_GROUPS)):
            self.cut = self.cut or _claims(file.metadata.row_group(group), columns, self._size)
            if self.cut:
                return
            try:
                for batch in file.iter_batches(PARQUET_BATCH_ROWS, row_groups=[group], columns=columns):
                    found = {name: batch.column(name).to_pylist() for name in columns}
                    nothing = [None] * batch.num_rows
                    yield from zip(
                        found[fields.item], found[fields.answer], found.get(fields.label, nothing), strict=True
                    )
            except (OSError, ValueError, MemoryError, KeyError, pyarrow.ArrowException) as error:
                self.cut = f"group {group + 1} of its rows cannot be read: {_first_line(error)}"
                return


def _claims(group: Any, columns: list[str], size_bytes: int) -> str:
    """What is wrong with what one group of rows claims of itself, "" if nothing."""
    held = [group.column(place) for place in range(group.num_columns)]
    held = [column for column in held if column.path_in_schema.partition(".")[0] in columns]
    stored = sum(column.total_compressed_size for column in held)
    unpacked = sum(column.total_uncompressed_size for column in held)
    if stored > size_bytes or min([0, *(column.total_compressed_size for column in held)]) < 0:
        return "a group of its rows claims more bytes than the file has"
    if unpacked > MOST_ROW_GROUP_BYTES:
        return f"a group of its rows unpacks to more than {MOST_ROW_GROUP_BYTES:,} bytes"
    return ""


def _is_plain(kind: Any, types: Any, depth: int = 0) -> bool:
    """Whether values of this type are texts, numbers, or lists of numbers, one in another at most."""
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type, types, depth)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return depth < 2 and _is_plain(kind.value_type, types, depth + 1)
    is_text = types.is_string(kind) or types.is_large_string(kind)
    return bool(is_text or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


class _Source(io.RawIOBase):
    """A part-wise readable file as pyarrow wants one."""

    def __init__(self, files: Files, path: str, size_bytes: int) -> None:
        super().__init__()
        self._files = files
        self._path = path
        self._size = size_bytes
        self._place = 0

    def at(self, begin: int, size: int) -> bytes:
        """Bytes from anywhere."""
        found = self._files.part(self._path, begin, size)
        if isinstance(found, Skipped):
            raise NoRecords(found.reason)
        return found

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, begin + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._place)
        found = self._files.part(self._path, self._place, left if size < 0 else min(size, left))
        if isinstance(found, Skipped):
            raise OSError(found.reason)
        self._place += len(found)
        return found
