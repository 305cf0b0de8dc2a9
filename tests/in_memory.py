"""Files that are held already, under any names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from detector.model import Skipped
from detector.targets import Head, SourceFile


class InMemory:
    """The files of a target, all of them Python."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(sorted(files.items()))

    def paths(self) -> list[str]:
        """All paths."""
        return list(self._files)

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """All files."""
        return (SourceFile(path, data) for path, data in self._files.items())

    def read(self, path: str) -> bytes:
        """One file."""
        return self._files[path]

    def notes(self) -> dict[str, bytes]:
        """None."""
        return {}

    def others(self) -> list[str]:
        """None."""
        return []

    def head(self, path: str, most_bytes: int) -> Head:
        """The beginning of one file."""
        return Head(self._files[path][:most_bytes], len(self._files[path]))

    def part(self, path: str, begin: int, size: int) -> bytes:
        """Some bytes of one file."""
        return self._files[path][begin : begin + size]
