"""An index as one compressed stream that another machine takes in: `detector index export` and `import`.

Of the tables only what cannot be computed: packs by blob and context, then each target with its places in them.
Sketches, shapes and postings are made anew by whoever takes it in, who thereby reads every pack as a stranger's.
Equal contents are equal bytes: everything is sorted by what it is, and numbers of rows are left out.
"""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from detector.index import removing
from detector.index.filing import New, file_packs
from detector.index.opening import Tell, transaction
from detector.index.past import unpacked as past_unpacked
from detector.index.records import (
    PACK_COLUMNS,
    PlaceRow,
    SkippedRow,
    Target,
    about,
    blob_of,
    context_bytes,
    inflated,
    octets,
    pack_of,
    places_of,
    put_blob,
    put_places,
    put_skipped,
    put_target,
    skipped_of,
    target_of,
    targets,
    text,
)
from detector.index.schema import MADE_WITH
from detector.index.sources import blob_id
from detector.index.unpacking import unpacked, unpacked_counts
from detector.model import Role, UserError
from detector.read.names import printable
from detector.settings.index import EXPORT_PACKS, INDEX_FORMAT, MOST_EXPORT_ROW_BYTES, MOST_TEXT_BYTES, PACK_LEVEL

_MAGIC = b"detector-index-export\n"
_LENGTH = struct.Struct("<cI")
_PIECE = 1 << 16
# Kinds of record, in the order in which they come: what it was made with, packs, texts, targets, the end.
_HEAD, _PACK, _TEXT, _TARGET, _END = b"h", b"p", b"x", b"t", b"e"


def export(connection: sqlite3.Connection, path: Path) -> int:
    """Write everything to a file, whole or not at all; gives how many bytes it has.

    Errors: UserError where the file cannot be written, or the index is damaged.
    """
    shown = printable(str(path))
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:64]}.", suffix=".tmp", dir=path.absolute().parent)
    except (OSError, ValueError) as error:
        raise UserError(f"{shown}: cannot write there ({_why(error)}): name another place") from None
    try:
        with os.fdopen(handle, "wb") as file:
            _write(connection, file)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        os.replace(beside, path)
    except OSError as error:
        raise UserError(f"{shown}: cannot write it ({_why(error)}): make room or name another place") from None
    finally:
        with suppress(OSError):
            os.unlink(beside)
    return size


def _why(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__).lower()


def _write(connection: sqlite3.Connection, file: BinaryIO) -> None:
    packing = zlib.compressobj(PACK_LEVEL)

    def put(kind: bytes, data: bytes) -> None:
        file.write(packing.compress(_LENGTH.pack(kind, len(data)) + data))

    file.write(_MAGIC)
    connection.execute("BEGIN")  # one state, whatever a writer does meanwhile
    try:
        put(_HEAD, _json({"format": INDEX_FORMAT, **MADE_WITH}))
        places: dict[int, int] = {}  # of each pack in the order of the export, by its number
        for row in connection.execute(f"SELECT {PACK_COLUMNS} FROM pack ORDER BY blob, context"):
            try:
                pack = pack_of(row)
            except ValueError as error:
                raise UserError(f"the index is damaged ({error}): run `detector index verify`") from None
            places[pack.number] = len(places)
            put(_PACK, pack.blob + _joined(context_bytes(pack.context), octets(pack.reason), pack.bytes))
            data = blob_of(connection, "text", pack.number)
            if data is not None:
                put(_TEXT, data)
        for target in targets(connection):
            put(_TARGET, _target(connection, target, places))
        put(_END, b"")
    finally:
        connection.execute("COMMIT")
    file.write(packing.flush())


def _target(connection: sqlite3.Connection, target: Target, places: dict[int, int]) -> bytes:
    """A target with its places, by the places of its packs in the export."""
    rows = [row._replace(pack=places[row.pack]) for row in places_of(connection, target)]
    try:
        frequent, past = (blob_of(connection, table, target.number) for table in ("frequent", "past"))
    except ValueError as error:
        raise UserError(f"the index is damaged ({error}): run `detector index verify`") from None
    where = _json({"places": rows, "skipped": skipped_of(connection, target)})
    return _joined(about(target), where, frequent or b"", past or b"")


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _joined(*parts: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


# --- taking in -----------------------------------------------------------------------------------------------


def take_in(connection: sqlite3.Connection, path: Path, tell: Tell | None = None) -> list[Target]:
    """Take in what was exported, all of it or nothing; targets replace those of the same names.

    Errors: UserError for a file that is no export, is cut or damaged, or made by another lowering.
    """
    shown = printable(str(path))
    try:
        with path.open("rb") as file, transaction(connection, tell):
            if file.read(len(_MAGIC)) != _MAGIC:
                raise UserError(f"{shown}: not an export of an index: name what `detector index export` has written")
            try:
                return _taken(connection, _records(file), shown)
            except (ValueError, KeyError, TypeError, IndexError, RecursionError, struct.error, zlib.error) as error:
                why = printable(str(error))[:100] or type(error).__name__
                raise UserError(f"{shown}: a damaged export ({why}): nothing was taken in: export it again") from None
    except OSError as error:
        raise UserError(f"{shown}: cannot read it ({_why(error)}): check the path and its permissions") from None


def _records(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The records of an export, each bounded; the end has to be there."""
    unpacking = zlib.decompressobj()
    held = bytearray()

    def fill(size: int) -> None:
        while len(held) < size:
            piece = unpacking.unconsumed_tail or file.read(_PIECE)
            found = unpacking.decompress(piece, _PIECE)
            if not piece and not found:
                raise ValueError("it ends too early")
            held.extend(found)

    while True:
        fill(_LENGTH.size)
        kind, size = _LENGTH.unpack_from(held)
        if size > MOST_EXPORT_ROW_BYTES:
            raise ValueError("a record that is too long")
        fill(_LENGTH.size + size)
        data = bytes(held[_LENGTH.size : _LENGTH.size + size])
        del held[: _LENGTH.size + size]
        yield kind, data
        if kind == _END:
            while not unpacking.eof and not held:
                held.extend(unpacking.decompress(unpacking.unconsumed_tail or file.read(_PIECE) or b"\0", _PIECE))
            if held or unpacking.unused_data or file.read(1):
                raise ValueError("more behind its end")
            return


def _taken(connection: sqlite3.Connection, records: Iterator[tuple[bytes, bytes]], shown: str) -> list[Target]:
    kind, data = next(records)
    made = json.loads(data)
    if kind != _HEAD or not isinstance(made, dict):
        raise ValueError("no beginning")
    for name, value in {"format": INDEX_FORMAT, **MADE_WITH}.items():
        if made.get(name) != value:
            was = printable(str(made.get(name, "unknown")))[:100]
            raise UserError(f"{shown}: its {name} is {was}, this program's is {value}: export it again by this version")
    taking = _Taking(connection)
    found: list[Target] = []
    for kind, data in records:
        if kind == _PACK:
            taking.pack(data)
        elif kind == _TEXT:
            taking.text(data)
        elif kind == _TARGET:
            found.append(taking.target(data))
        elif kind != _END:
            raise ValueError("a record of another kind")
    taking.finish()
    return found


class _Taking:
    """Files what comes; packs that are there already stay as they are."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: list[New] = []
        self._at: list[int] = []  # places in `_numbers` of those that wait
        self._numbers: list[int] = []  # of each pack of the export
        self._blobs: list[bytes] = []
        self._functions: list[int] = []
        self._texts: list[tuple[int, bytes]] = []
        self._used: set[int] = set()

    def pack(self, data: bytes) -> None:
        """One pack."""
        name, rest = data[:20], data[20:]
        context, reason, packed = _split(rest, 3)
        key = name, frozenset(text(context).split(" ")) - {""}
        if len(name) != 20 or context_bytes(key[1]) != context:
            raise ValueError("a pack of no blob")
        corpus = unpacked(packed, "", Role.OWN)
        row = self._connection.execute(
            "SELECT number FROM pack WHERE blob = ? AND context = ?", (name, context)
        ).fetchone()
        if row is None:
            self._waiting.append(New(*key, corpus, text(reason), is_own=False))
            self._at.append(len(self._numbers))
        self._numbers.append(row[0] if row else 0)
        self._blobs.append(name)
        self._functions.append(len(corpus.spans))
        if len(self._waiting) >= EXPORT_PACKS:
            self._file()

    def text(self, data: bytes) -> None:
        """The text of the last pack."""
        if not self._blobs or blob_id(inflated(data, MOST_TEXT_BYTES)) != self._blobs[-1]:
            raise ValueError("a text that is not its blob's")
        self._texts.append((len(self._numbers) - 1, data))

    def target(self, data: bytes) -> Target:
        """One target, in place of those that are called alike."""
        self._file()
        said, where, frequent, past = _split(data, 4)
        number = self._connection.execute("SELECT coalesce(max(number), 0) FROM target").fetchone()[0] + 1
        target = target_of(number, said)
        values = json.loads(where)
        rows = [self._place(each) for each in values["places"]]
        skipped = [_skipped(each) for each in values["skipped"]]
        present = [row for row in rows if row.first <= target.commits <= row.last]
        functions = sum(self._functions[row.pack] for row in present)
        if len({row.number for row in rows}) != target.places or functions != target.functions:
            raise ValueError("a target of other counts")
        unpacked_counts(frequent)
        if len(past_unpacked(past).commits if past else ()) != target.commits:
            raise ValueError("a target of another history")
        before = [
            each for each in targets(self._connection) if (each.target, each.name) == (target.target, target.name)
        ]
        put_target(self._connection, target)
        put_places(self._connection, number, (row._replace(pack=self._numbers[row.pack]) for row in rows))
        put_skipped(self._connection, number, skipped)
        put_blob(self._connection, "frequent", number, frequent)
        if past:
            put_blob(self._connection, "past", number, past)
        self._used.update(row.pack for row in rows)
        for each in before:
            removing.forget(self._connection, each)
        return target

    def finish(self) -> None:
        """Nothing may be left that no target has."""
        if self._waiting or len(self._used) != len(self._numbers):
            raise ValueError("packs that no target has")

    def _file(self) -> None:
        for place, number in zip(self._at, file_packs(self._connection, self._waiting), strict=True):
            self._numbers[place] = number
        self._waiting, self._at = [], []
        for place, data in self._texts:
            put_blob(self._connection, "text", self._numbers[place], data)
        self._texts = []

    def _place(self, values: Sequence[object]) -> PlaceRow:
        number, path, role, pack, first, last, came = values
        counts = (number, pack, first, last)
        if not all(type(each) is int and -1 <= each < 1 << 40 for each in counts):
            raise ValueError("a place that is none")
        if not (isinstance(path, str) and isinstance(role, str) and isinstance(came, str)):
            raise ValueError("a place that is none")
        if not 0 <= int(str(pack)) < len(self._numbers):
            raise ValueError("a place of no pack")
        return PlaceRow(int(str(number)), path, Role(role), int(str(pack)), int(str(first)), int(str(last)), came)


def _skipped(values: Sequence[object]) -> SkippedRow:
    number, path, reason, is_listed = values
    if type(number) is not int or not isinstance(path, str) or not isinstance(reason, str):
        raise ValueError("a skipped file that is none")
    return SkippedRow(number, path, reason, bool(is_listed))


def _split(data: bytes, count: int) -> list[bytes]:
    """The inverse of `_joined`."""
    parts, at = [], 0
    for _ in range(count):
        (size,) = struct.unpack_from("<I", data, at)
        part = data[at + 4 : at + 4 + size]
        if len(part) != size:
            raise ValueError("a record that is cut")
        parts.append(part)
        at += 4 + size
    if at != len(data):
        raise ValueError("a record with more than it says")
    return parts
