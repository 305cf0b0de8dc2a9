"""Files that can only be read from front to back: each is copied out once, when its inside is first asked for.

The copy is a nameless temporary file, which the system removes when it is closed, however the program ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, Generic, NamedTuple, TypeVar

from detector.read.limits import LEAST_FREE_BYTES, MAX_SPOOLED_BYTES
from detector.read.listing import CannotRead

Key = TypeVar("Key", bound=Hashable)
# So much is copied at once.
PIECE_BYTES = 1 << 16
GONE = "its temporary copy is gone"


class Stream(NamedTuple):
    """A file from front to back, and how long it says it is."""

    size_bytes: int
    pieces: Iterator[bytes]


class Spool:
    """One temporary file to which things are appended; there from its first use on."""

    def __init__(self, cleanup: ExitStack) -> None:
        self._cleanup = cleanup
        self._file: BinaryIO | None = None
        self._end = 0

    def append(self, stream: Stream) -> tuple[int, int]:
        """Copy something whole; where it begins here, and how long it is.

        Errors: CannotRead where there is no room for it.
        """
        room = min(MAX_SPOOLED_BYTES - self._end, shutil.disk_usage(tempfile.gettempdir()).free - LEAST_FREE_BYTES)
        if stream.size_bytes > room:
            raise CannotRead(_no_room(stream.size_bytes))
        begin = end = self._end
        try:
            file = self._file = self._file or self._opened()
            file.seek(begin)
            for piece in stream.pieces:
                end += len(piece)
                if end - begin > room:  # its size was a claim
                    raise CannotRead(_no_room(end - begin))
                file.write(piece)
            file.flush()
        except OSError as error:
            raise CannotRead(f"cannot copy it to a temporary file ({(error.strerror or str(error)).lower()})") from None
        self._end = end
        return begin, end - begin

    def _opened(self) -> BinaryIO:
        with ExitStack() as stack:
            file: BinaryIO = stack.enter_context(tempfile.TemporaryFile(prefix="detector-"))
            self._cleanup.push(stack.pop_all())
        return file

    def read(self, begin: int, size: int) -> bytes:
        """Read what was copied."""
        if self._file is None:
            raise CannotRead(GONE)
        self._file.seek(begin)
        return self._file.read(size)


class Unpacked(Generic[Key]):
    """Whole copies of files, by what stands for them."""

    def __init__(self, cleanup: ExitStack, stream: Callable[[Key], Stream]) -> None:
        """Nothing is copied yet; `stream` opens one file at its front."""
        self._spool = Spool(cleanup)
        self._stream = stream
        self._places: dict[Key, tuple[int, int]] = {}
        self._reasons: dict[Key, str] = {}  # what cannot be copied is not tried again

    def part(self, key: Key, begin: int, size: int) -> bytes:
        """Bytes from anywhere in a file.

        Errors: CannotRead.
        """
        if key in self._reasons:
            raise CannotRead(self._reasons[key])
        if key not in self._places:
            try:
                self._places[key] = self._spool.append(self._stream(key))
            except CannotRead as error:
                self._reasons[key] = str(error)
                raise
        first, length = self._places[key]
        return within(self._spool, first, length, begin, size)


def within(spool: Spool, first: int, length: int, begin: int, size: int) -> bytes:
    """A part of what lies in a temporary file from `first` on and is so long."""
    wanted = max(min(size, length - begin), 0)
    data = spool.read(first + begin, wanted) if wanted else b""
    if len(data) != wanted:
        raise CannotRead(GONE)
    return data


def _no_room(size: int) -> str:
    return f"no room for a temporary copy of {size:,} bytes: unpack it, and name the folder"
