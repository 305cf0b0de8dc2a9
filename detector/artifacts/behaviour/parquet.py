"""Parquet tables, group of rows by group of rows, and only the columns in question; pyarrow is asked for here alone.

What the footer claims is held against the bounds before anything is unpacked.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from detector.artifacts.behaviour.fields import Fields, choose
from detector.artifacts.behaviour.records import NoRecords, Record
from detector.model import Skipped
from detector.settings.behaviour import (
    MOST_FOOTER_BYTES,
    MOST_LOG_BYTES,
    MOST_PARQUET_COLUMNS,
    MOST_PARQUET_ROWS,
    MOST_PARQUET_VALUES,
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
_NUMBER_BYTES = 32  # of a number in a list, as an object


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
            names = self._open(pyarrow, parquet).schema_arrow
            columns = _columns(names, pyarrow.types)
            file = self._open(pyarrow, parquet, [name for name, is_text in columns.items() if is_text])
        except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
            raise NoRecords(f"it is no Parquet that can be read: {_first_line(error)}") from None
        self.fields = _chosen(names.names)
        yield from self._rows(file, list(columns), pyarrow.ArrowException)

    def _open(self, pyarrow: Any, parquet: Any, texts: Sequence[str] = ()) -> Any:
        """Open the file; texts stay dictionaries, since one text may stand for any number of rows."""
        return parquet.ParquetFile(
            pyarrow.PythonFile(self._source, mode="r"),
            read_dictionary=list(texts),
            pre_buffer=False,
            thrift_string_size_limit=_LARGEST_TEXT,
            thrift_container_size_limit=MOST_PARQUET_COLUMNS * _DEEPEST,
            schema_depth_limit=_DEEPEST,
        )

    def _check_tail(self) -> None:
        tail = self._source.at(max(0, self._size - _TAIL_BYTES), _TAIL_BYTES)
        if self._size < 2 * _TAIL_BYTES or tail[4:] != MAGIC:
            raise NoRecords("it is no Parquet file, or not all of it is there")
        if int.from_bytes(tail[:4], "little") > min(MOST_FOOTER_BYTES, self._size):
            raise NoRecords(f"its footer claims more than {MOST_FOOTER_BYTES:,} bytes, or than there are")

    def _rows(self, file: Any, columns: list[str], failure: type[Exception]) -> Iterator[Record]:
        fields = self.fields
        characters = rows = 0
        for group in range(min(file.num_row_groups, MOST_ROW_GROUPS)):
            self.cut = _claims(file.metadata.row_group(group), columns, self._size)
            if self.cut:
                return
            try:
                for batch in file.iter_batches(PARQUET_BATCH_ROWS, row_groups=[group], columns=columns):
                    rows += batch.num_rows
                    characters += sum(_characters(batch.column(name)) for name in columns)
                    if rows > MOST_PARQUET_ROWS or characters > MOST_LOG_BYTES:
                        self.cut = f"only its first {rows - batch.num_rows:,} rows were read"
                        return
                    found = {name: _values(batch.column(name)) for name in columns}
                    nothing = [None] * batch.num_rows
                    label = found.get(fields.label, nothing)
                    yield from zip(found[fields.item], found[fields.answer], label, strict=True)
            except (OSError, ValueError, MemoryError, KeyError, IndexError, failure) as error:
                self.cut = f"group {group + 1} of its rows cannot be read: {_first_line(error)}"
                return


def _chosen(names: Sequence[str]) -> Fields:
    fields = choose(names)
    if isinstance(fields, str):
        raise NoRecords(fields)
    return fields


def _columns(schema: Any, types: Any) -> dict[str, bool]:
    """The columns in question, and which of them hold texts."""
    fields = _chosen(schema.names)
    found = {}
    for name in (fields.item, fields.answer, fields.label):
        if name:
            kind = schema.field(schema.names.index(name)).type
            if not _is_plain(kind, types):
                raise NoRecords(f"its column {name} holds neither texts nor numbers nor lists of numbers")
            found[name] = bool(types.is_string(kind) or types.is_large_string(kind))
    return found


def _characters(column: Any) -> int:
    """How much the values of a column come to as Python objects, before they are made."""
    if hasattr(column, "dictionary"):
        lengths = [len(value or "") for value in column.dictionary.to_pylist()]
        return sum(lengths[place] for place in column.indices.to_pylist() if place is not None)
    return len(column.flatten()) * _NUMBER_BYTES if hasattr(column, "flatten") else len(column)


def _values(column: Any) -> list[object]:
    if not hasattr(column, "dictionary"):
        return list(column.to_pylist())
    texts = column.dictionary.to_pylist()
    return [None if place is None else texts[place] for place in column.indices.to_pylist()]


def _claims(group: Any, columns: list[str], size_bytes: int) -> str:
    """What is wrong with what one group of rows claims of itself, "" if nothing."""
    held = [group.column(place) for place in range(group.num_columns)]
    held = [column for column in held if column.path_in_schema.partition(".")[0] in columns]
    stored = sum(column.total_compressed_size for column in held)
    unpacked = sum(column.total_uncompressed_size for column in held)
    if stored > size_bytes or min([0, *(column.total_compressed_size for column in held)]) < 0:
        return "a group of its rows claims more bytes than the file has"
    if max([0, *(column.num_values for column in held)]) > MOST_PARQUET_VALUES:
        return f"a group of its rows has more than {MOST_PARQUET_VALUES:,} values"
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
