"""Tar archives: one pass from front to back, since a compressed tar has no other order.

Sorted order and reading a file again need random access, which would unpack the whole archive once per file; memory
must not grow with the archive either. So the Python members, and the beginnings of others that evidence is read from,
go to one nameless temporary file, which the system removes when it is closed, however the program ends.
What may be as large as a checkpoint is passed over. Where its inside is asked for, it is read in place if the tar is
not compressed; otherwise a second pass copies all files of its kind.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from detector.model import Skipped
from detector.read.limits import (
    MAX_ARCHIVE_OTHER_BYTES,
    MAX_ARCHIVE_PYTHON_BYTES,
    MAX_ARCHIVE_UNPACKED_BYTES,
    MAX_FILE_BYTES,
    MAX_HEAD_BYTES,
    MAX_MEMBERS,
    MAX_TAR_HEADER_BYTES,
    MAX_XZ_MEMORY_BYTES,
)
from detector.read.listing import TOO_LARGE, CannotRead, Found, Listing
from detector.read.names import TopFolder, inside, is_bulk_name, is_other_name, is_python_name, may_be_script
from detector.read.spool import GONE, Spool, Stream, within
from detector.targets import Head

_PIECE_BYTES = 1 << 16
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_DAMAGE = (zlib.error, lzma.LZMAError, tarfile.TarError, EOFError, ValueError, OSError)


class _Place(NamedTuple):
    """Where a member is."""

    offset: int  # in the temporary file of the first pass
    kept: int  # bytes that are there
    size: int  # of the whole
    begin: int  # in the tar, uncompressed
    kind: str  # members of one kind are copied in one pass


def listing(path: Path, cleanup: ExitStack) -> Listing[_Place]:
    """Go through a tar file once and keep its Python members at hand."""
    spool = cleanup.enter_context(tempfile.TemporaryFile(prefix="detector-"))  # noqa: SIM115 - closed by `cleanup`
    file = cleanup.enter_context(path.open("rb"))
    top = TopFolder()
    stream = _decompressed(file)
    try:
        found = list(_spooled(path.name, stream, spool, top))
    except (zlib.error, lzma.LZMAError) as error:
        raise tarfile.ReadError(str(error)) from None
    places = [each[2] for each in found if not isinstance(each, Skipped)]
    inner = _Inner(file, places, cleanup)

    def fetch(place: _Place, most_bytes: int) -> Head:
        wanted = min(place.size, most_bytes)
        return Head(fetch_part(place, 0, wanted), place.size)

    def fetch_part(place: _Place, begin: int, size: int) -> bytes:
        wanted = max(min(size, place.size - begin), 0)
        if begin + wanted > place.kept:
            return inner.part(place, begin, wanted)
        spool.seek(place.offset + begin)
        data = spool.read(wanted)
        if len(data) != wanted:
            raise CannotRead(GONE)
        return data

    return Listing(_below(top.prefix(), found), fetch, fetch_part)


def _spooled(
    archive_name: str, stream: IO[bytes], spool: BinaryIO, top: TopFolder
) -> Iterator[tuple[str, int, _Place] | Skipped]:
    """Copy what may be wanted: path, mode and place of each."""
    end = others = count = 0
    forward = _Forward(stream)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", forward), mode="r:") as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would remember every member; nothing here asks again
                if (count := count + 1) > MAX_MEMBERS:
                    yield Skipped(archive_name, f"more than {MAX_MEMBERS:,} members: the rest is not read")
                    return
                name = inside(member.name)
                if name is not None and not member.isdir():
                    top.see(name)
                shown = name or member.name
                # Whether all members share a folder is known at the end only: a note may lie one folder higher yet.
                if member.isdir() or not (_wanted(shown, member.mode) or is_other_name(shown.partition("/")[2])):
                    continue
                if is_python_name(shown) or may_be_script(shown, member.mode):
                    kept, reason = member.size, _refusal(member, name, end - others)
                else:
                    kept, reason = _most_kept(shown, member.size), _barrier(member, name)
                    others += kept
                    if others > MAX_ARCHIVE_OTHER_BYTES:
                        continue
                if reason is None:
                    end += _copy(archive, member, spool, kept)
                    yield shown, member.mode, _Place(end - kept, kept, member.size, member.offset_data, _kind(shown))
                elif is_python_name(shown):
                    yield Skipped(shown, reason)
    except _TooMuchError:
        yield Skipped(archive_name, f"unpacks to more than {MAX_ARCHIVE_UNPACKED_BYTES:,} bytes: the rest is not read")


def _refusal(member: tarfile.TarInfo, name: str | None, spooled_bytes: int) -> str | None:
    if (reason := _barrier(member, name)) is not None:
        return reason
    if member.size > MAX_FILE_BYTES:
        return TOO_LARGE
    if spooled_bytes + member.size > MAX_ARCHIVE_PYTHON_BYTES:
        return f"the archive holds more than {MAX_ARCHIVE_PYTHON_BYTES:,} bytes of Python"
    return None


def _barrier(member: tarfile.TarInfo, name: str | None) -> str | None:
    """Tell why a member cannot be read at all."""
    if name is None:
        return "its name points out of the archive"
    if member.issym() or member.islnk():
        return "a link"
    if not member.isreg() or member.issparse():
        return "not a regular file"
    return None


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, spool: BinaryIO, kept: int) -> int:
    file = archive.extractfile(member)
    left = kept
    while left:  # in pieces: a tokenizer may be larger than any header that is read at once
        data = file.read(min(left, _PIECE_BYTES)) if file is not None else b""
        if not data:
            raise tarfile.ReadError("it ends too early")
        left -= spool.write(data)
    return kept


class _Inner:
    """What the first pass did not keep."""

    def __init__(self, file: BinaryIO, places: list[_Place], cleanup: ExitStack) -> None:
        self._file = file
        self._left = sorted((place for place in places if place.kept < place.size), key=lambda place: place.begin)
        self._spool = Spool(cleanup)
        self._copied: dict[int, int | str] = {}  # where the tar has it -> where the temporary file has it, or why not

    def part(self, place: _Place, begin: int, size: int) -> bytes:
        """Read from the middle of a member."""
        try:
            if not _is_compressed(self._file):
                return _exactly(self._file, place.begin + begin, size)
            if place.begin not in self._copied:
                self._copy([each for each in self._left if each.kind == place.kind])
        except _TooMuchError:
            raise CannotRead(f"the archive unpacks to more than {MAX_ARCHIVE_UNPACKED_BYTES:,} bytes") from None
        except _DAMAGE as error:
            raise CannotRead(f"corrupt in the archive: {str(error) or type(error).__name__}") from None
        found = self._copied[place.begin]
        if isinstance(found, str):
            raise CannotRead(found)
        return within(self._spool, found, place.size, begin, size)

    def _copy(self, places: list[_Place]) -> None:
        """Go through the archive once more; of what cannot be copied the reason stays."""
        self._copied |= dict.fromkeys((place.begin for place in places), "it ends too early")
        self._file.seek(0)
        forward = _Forward(_decompressed(self._file))
        for place in places:
            forward.seek(place.begin)
            try:
                self._copied[place.begin] = self._spool.append(Stream(place.size, _pieces(forward, place.size)))[0]
            except CannotRead as error:
                self._copied[place.begin] = str(error)


def _pieces(stream: _Forward, size: int) -> Iterator[bytes]:
    while size:
        piece = stream.read(min(size, _PIECE_BYTES))
        if not piece:
            raise CannotRead("it ends too early")
        size -= len(piece)
        yield piece


def _exactly(file: BinaryIO, begin: int, size: int) -> bytes:
    file.seek(begin)
    data = file.read(size)
    if len(data) != size:
        raise EOFError("it ends too early")
    return data


def _most_kept(path: str, size: int) -> int:
    """How much of a file that is not Python the first pass keeps: of logs and foreign checkpoints nothing."""
    return 0 if is_bulk_name(path) and not path.lower().endswith(".safetensors") else min(size, MAX_HEAD_BYTES)


def _kind(path: str) -> str:
    return path.rpartition(".")[2].lower() if is_bulk_name(path) else ""


def _below(prefix: str, found: Iterable[tuple[str, int, _Place] | Skipped]) -> Iterator[Found[_Place] | Skipped]:
    """Call everything by its path below the shared folder, and leave out what is not wanted under that path."""
    for each in found:
        if isinstance(each, Skipped):
            yield Skipped(each.path.removeprefix(prefix), each.reason)
            continue
        path, mode, place = each
        path = path.removeprefix(prefix)
        if _wanted(path, mode):
            yield Found(path, place, may_be_script(path, mode))


def _wanted(path: str, mode: int) -> bool:
    return is_python_name(path) or is_other_name(path) or may_be_script(path, mode)


class _TooMuchError(Exception):
    """The archive unpacks to more than anyone wants to wait for."""


class _Forward:
    """A stream that counts, moves forward only, and refuses one enormous read.

    `tarfile` reads an extended header at once, whatever size it claims, and passes over contents by seeking.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Read like a file, up to the limit."""
        if not 0 <= size <= MAX_TAR_HEADER_BYTES:
            raise tarfile.ReadError("a header is too large")
        data = self._stream.read(size)
        self._position += len(data)
        if self._position > MAX_ARCHIVE_UNPACKED_BYTES:
            raise _TooMuchError
        return data

    def seek(self, position: int) -> int:
        """Move forward by reading; stays at the end of a stream that is shorter."""
        if position < self._position:
            raise tarfile.ReadError("a member lies before the one it follows")
        while self._position < position:
            if not self.read(min(_PIECE_BYTES, position - self._position)):
                break
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position


class _Xz(io.RawIOBase):
    """Decompress xz within bounded memory; `lzma.LZMAFile` takes whatever the header asks for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = self._new()

    def readable(self) -> bool:
        """Say that this stream is read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(buffer).cast("B")
        while True:
            rest = b""
            if self._decompressor.eof:
                rest = (self._decompressor.unused_data or self._file.read(_PIECE_BYTES)).lstrip(b"\0")
                if not rest:
                    return 0
                self._decompressor = self._new()  # another stream behind the first
            elif self._decompressor.needs_input and not (rest := self._file.read(_PIECE_BYTES)):
                raise EOFError("it ends too early")
            if data := self._decompressor.decompress(rest, len(view)):
                view[: len(data)] = data
                return len(data)

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_XZ_MEMORY_BYTES)


def _is_compressed(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(6).startswith(_COMPRESSED)


def _decompressed(file: BinaryIO) -> IO[bytes]:
    file.seek(0)
    head = file.read(6)
    file.seek(0)
    if head.startswith(_COMPRESSED[0]):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if head.startswith(_COMPRESSED[1]):
        return cast("IO[bytes]", bz2.BZ2File(file, "rb"))
    if head.startswith(_COMPRESSED[2]):
        return io.BufferedReader(_Xz(file), _PIECE_BYTES)
    return file
