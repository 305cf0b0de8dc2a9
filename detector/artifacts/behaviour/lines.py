"""The lines of a file of any size, one after the other, within bounds."""

from __future__ import annotations

from collections.abc import Iterator

from detector.model import Skipped
from detector.settings.behaviour import LOG_BLOCK_BYTES, LONGEST_LINE_BYTES, MOST_LOG_BYTES
from detector.targets import Files


class Lines:
    """Iterates over the lines of one file, without their ends; a line that is too long comes as None.

    `cut` says afterwards why the rest was not read, "" if everything was.
    Memory: a block and a line.
    """

    def __init__(self, files: Files, path: str, size_bytes: int) -> None:
        self._files = files
        self._path = path
        self._size = size_bytes
        self.cut = ""

    def __iter__(self) -> Iterator[bytes | None]:
        rest, is_too_long = b"", False
        for block in self._blocks():
            first, *others = block.split(b"\n")
            if not is_too_long:
                rest += first
            if not others:
                is_too_long |= len(rest) > LONGEST_LINE_BYTES
                rest = b"" if is_too_long else rest
                continue
            yield None if is_too_long or len(rest) > LONGEST_LINE_BYTES else rest.rstrip(b"\r")
            rest, is_too_long = others.pop(), False
            for line in others:
                yield None if len(line) > LONGEST_LINE_BYTES else line.rstrip(b"\r")
        if rest or is_too_long:
            yield None if is_too_long or len(rest) > LONGEST_LINE_BYTES else rest.rstrip(b"\r")

    def _blocks(self) -> Iterator[bytes]:
        end = min(self._size, MOST_LOG_BYTES)
        begin = 0
        while begin < end:
            block = self._files.part(self._path, begin, min(LOG_BLOCK_BYTES, end - begin))
            if isinstance(block, Skipped):
                self.cut = f"only its first {begin:,} bytes were read: {block.reason}" if begin else block.reason
                return
            if not block:
                break
            yield block if begin else block.removeprefix(b"\xef\xbb\xbf")
            begin += len(block)
        if end < self._size:
            self.cut = f"only its first {MOST_LOG_BYTES:,} bytes were read"
