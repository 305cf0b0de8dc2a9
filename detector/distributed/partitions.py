"""Partitions as they are written: Parquet with a checksum for each page, then a receipt that says it is whole."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from detector.distributed.folder import Folder
from detector.distributed.tables import KEYS, NUMBER, TABLES, WIDE, numbers
from detector.index.damage import Damaged
from detector.settings.distributed import MOST_RECEIPT_BYTES, WIDE_ROW_GROUP

_NAME = re.compile(r"([a-z0-9_]+/){1,3}[0-9-]+\.parquet")


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
    numbers_fit = all(-(1 << 63) <= each < (1 << 63) - 1 for each in (found.first, found.last))
    if found.table not in TABLES or not _NAME.fullmatch(found.name) or found.rows < 0 or not numbers_fit:
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
                writer.write_table(group, WIDE_ROW_GROUP if table in WIDE else max(group.num_rows, 1))
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
            "keys.list.element" if schema.field(name).type == KEYS else name: _encoding(schema.field(name).type)
            for name in columns
        },
        write_statistics=[columns[0]],
        write_page_checksum=True,
        store_schema=False,
    )


def _encoding(kind: Any) -> str:
    if kind == NUMBER:
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
