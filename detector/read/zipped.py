"""Zip archives and wheels: any member is at hand, so nothing is kept but the directory.

Of a compressed member whose inside is asked for there is a temporary copy, since it has no other order than its own.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, BinaryIO, cast

from detector.model import Skipped
from detector.read.limits import (
    MAX_ARCHIVE_PYTHON_BYTES,
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    MAX_RATIO,
    MAX_ZIP_DIRECTORY_BYTES,
    RATIO_MATTERS_FROM_BYTES,
)
from detector.read.listing import TOO_LARGE, CannotRead, Found, Listing
from detector.read.names import TopFolder, inside, is_other_name, is_python_name, may_be_script
from detector.read.spool import PIECE_BYTES, Stream, Unpacked
from detector.targets import Head

# Decompressors of bzip2 and xz members give back all that a piece holds: pieces stay small, so does the worst answer.
_PIECE_BYTES = 4096
_ENCRYPTED = 0x1
# Source: PKWARE's APPNOTE, 4.3.7: signature, and lengths of name and extra field, which the data follows.
_LOCAL_HEADER = struct.Struct("<4s22x2H")
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError)


def listing(path: Path, cleanup: ExitStack, *, strip_top_folder: bool) -> Listing[zipfile.ZipInfo]:
    """List a zip file's Python members; they are read from it one at a time."""
    file = cleanup.enter_context(path.open("rb"))
    archive = cleanup.enter_context(zipfile.ZipFile(cast("IO[bytes]", _DirectoryLimit(file))))
    members = [(member, inside(member.filename.replace("\\", "/"))) for member in archive.infolist()[:MAX_MEMBERS]]
    top = TopFolder()
    for member, name in members:
        if name is not None and not member.is_dir():
            top.see(name)
    prefix = top.prefix() if strip_top_folder else ""
    found = list(_files(members, prefix))
    if len(archive.infolist()) > MAX_MEMBERS:
        found.append(Skipped(path.name, f"more than {MAX_MEMBERS:,} members: the rest is not read"))
    unpacked = Unpacked[zipfile.ZipInfo](cleanup, lambda member: _stream(archive, member))

    def fetch_part(member: zipfile.ZipInfo, begin: int, size: int) -> bytes:
        if member.compress_type == zipfile.ZIP_STORED:
            return _stored_part(file, member, begin, size)
        return unpacked.part(member, begin, size)

    return Listing(found, lambda member, most_bytes: _fetch(archive, member, most_bytes), fetch_part)


class _DirectoryLimit:
    """An archive file that refuses one enormous read: `zipfile` reads the directory at once, whatever its size."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        """Read like a file, up to the limit."""
        if size > MAX_ZIP_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its directory is too large")
        return self._file.read(size)


def _files(
    members: list[tuple[zipfile.ZipInfo, str | None]], prefix: str
) -> Iterator[Found[zipfile.ZipInfo] | Skipped]:
    total = 0
    for member, name in members:
        mode = member.external_attr >> 16
        shown = (name or member.filename).removeprefix(prefix)
        if member.is_dir():
            continue
        if not (is_python_name(shown) or may_be_script(shown, mode)):
            # What is no file is no evidence; a file that cannot be read is said by whoever would read it.
            if name is not None and is_other_name(shown) and stat.S_IFMT(mode) in {0, stat.S_IFREG}:
                yield Found(shown, member)
            continue
        reason = _refusal(member, name, mode)
        if reason is None and (total := total + member.file_size) > MAX_ARCHIVE_PYTHON_BYTES:
            reason = f"the archive holds more than {MAX_ARCHIVE_PYTHON_BYTES:,} bytes of Python"
        if reason is None:
            yield Found(shown, member, not is_python_name(shown))
        elif is_python_name(shown):
            yield Skipped(shown, reason)


def _refusal(member: zipfile.ZipInfo, name: str | None, mode: int) -> str | None:
    """Tell why a member is not read as Python, by what the directory says of it."""
    if (reason := _barrier(member, name, mode)) is not None:
        return reason
    return TOO_LARGE if member.file_size > MAX_FILE_BYTES else None


def _barrier(member: zipfile.ZipInfo, name: str | None, mode: int) -> str | None:
    """Tell why a member cannot be read at all."""
    if name is None:
        return "its name points out of the archive"
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
    if member.flag_bits & _ENCRYPTED:
        return "encrypted"
    if member.file_size > RATIO_MATTERS_FROM_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        return f"compressed more than {MAX_RATIO} times, as source code never is"
    return None


def _check_readable(member: zipfile.ZipInfo) -> None:
    if (reason := _barrier(member, member.filename, member.external_attr >> 16)) is not None:
        raise CannotRead(reason)


def _fetch(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> Head:
    _check_readable(member)
    pieces: list[bytes] = []
    size = 0
    try:
        with archive.open(member) as file:
            while size <= most_bytes and (piece := file.read(_PIECE_BYTES)):
                pieces.append(piece)
                size += len(piece)
    except _DAMAGE as error:
        raise CannotRead(_corrupt(error)) from None
    data = b"".join(pieces)
    # What the directory says of the size is a claim; what came out is more.
    return Head(data[:most_bytes], max(member.file_size if len(data) > most_bytes else 0, len(data)))


def _stream(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Stream:
    _check_readable(member)
    return Stream(member.file_size, _pieces(archive, member))


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    piece_bytes = PIECE_BYTES if member.compress_type == zipfile.ZIP_DEFLATED else _PIECE_BYTES
    try:
        with archive.open(member) as file:
            while piece := file.read(piece_bytes):
                yield piece
    except _DAMAGE as error:
        raise CannotRead(_corrupt(error)) from None


def _stored_part(file: BinaryIO, member: zipfile.ZipInfo, begin: int, size: int) -> bytes:
    """Bytes of a member that is not compressed, from where they are in the archive."""
    _check_readable(member)
    try:
        file.seek(member.header_offset)
        signature, *lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        if signature != b"PK\x03\x04" or member.compress_size != member.file_size:
            raise zipfile.BadZipFile("the directory and the member disagree")
        file.seek(member.header_offset + _LOCAL_HEADER.size + sum(lengths) + begin)
        wanted = max(min(size, member.file_size - begin), 0)
        data = file.read(wanted)
    except _DAMAGE as error:
        raise CannotRead(_corrupt(error)) from None
    if len(data) != wanted:
        raise CannotRead("corrupt in the archive: it ends too early")
    return data


def _corrupt(error: Exception) -> str:
    return f"corrupt in the archive: {str(error) or type(error).__name__}"
