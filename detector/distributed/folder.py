"""A folder anywhere that fsspec reaches: files that are there whole or not at all. fsspec is asked for here alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from detector.model import UserError
from detector.read.names import printable


class Folder:
    """A folder by its path or address."""

    def __init__(self, address: str) -> None:
        """Errors: UserError for an address that nothing installed here reaches."""
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError, OSError) as error:
            raise UserError(f"{printable(address)}: cannot be reached ({_why(error)}): name another place") from None
        self.is_local = isinstance(self._files, LocalFileSystem)
        # Workers stand in folders of their own.
        self.address = str(self._root) if self.is_local else address
        self._root = str(self._root).rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def told(self, name: str = "") -> str:
        """A file as it is shown."""
        return printable(f"{self.address.rstrip('/')}/{name}" if name else self.address)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        with self._telling(name):
            return bool(self._files.isfile(self._path(name)))

    def is_empty(self) -> bool:
        """Whether nothing is in it, or it is not there."""
        with self._telling(""):
            self._files.invalidate_cache()
            return not self._files.exists(self._root) or not self._files.ls(self._root)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        with self._telling(name):
            self._files.invalidate_cache()
            return int(self._files.size(self._path(name)) or 0)

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """Open a file anywhere in it."""
        with self._telling(name), self._files.open(self._path(name), "rb") as file:
            yield file

    def read(self, name: str, most: int) -> bytes | None:
        """All of a file, None where it is not there.

        Errors: UserError for one that is longer than it may be.
        """
        try:
            with self._files.open(self._path(name), "rb") as file:
                data: bytes = file.read(most + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"{self.told(name)}: cannot read it ({_why(error)}): check it and try again") from None
        if len(data) > most:
            raise UserError(f"{self.told(name)}: longer than such a file can be: write the partitions again")
        return data

    def json(self, name: str, most: int) -> Any:
        """What a file holds as JSON; None where it is not there or none."""
        data = self.read(name, most)
        try:
            return None if data is None else json.loads(data)
        except (ValueError, RecursionError):
            return None

    def write(self, name: str, put: Callable[[Any], None]) -> None:
        """Write a file: under its name it is there whole or not at all.

        put: writes to what it is given. On a disk that has another name until it is done; an object store shows nothing
             before.
        """
        path = self._path(name)
        with self._telling(name):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            if not self.is_local:
                with self._files.open(path, "wb") as file:
                    put(file)
                return
            beside = f"{path}.{uuid4().hex}.tmp"
            try:
                with Path(beside).open("wb") as local:
                    put(local)
                    local.flush()
                    os.fsync(local.fileno())
                os.replace(beside, path)
            finally:
                with suppress(OSError):
                    os.unlink(beside)

    def take(self, path: Path, name: str) -> None:
        """Write a file that is on this machine."""

        def put(file: BinaryIO) -> None:
            with path.open("rb") as source:
                while piece := source.read(1 << 20):
                    file.write(piece)

        self.write(name, put)

    def bring(self, name: str, path: Path) -> None:
        """Put a file on this machine."""
        with self.reading(name) as file, path.open("wb") as target:
            while piece := file.read(1 << 20):
                target.write(piece)

    def sweep(self) -> None:
        """Remove what runs that were killed have left behind under names of no file."""
        if self.is_local:
            with self._telling(""):
                for left in Path(self._root).rglob("*.tmp"):
                    left.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        with self._telling(name), suppress(FileNotFoundError):
            self._files.rm(self._path(name), recursive=True)

    @contextmanager
    def _telling(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise UserError(f"{self.told(name)}: there is no such file: write the partitions again") from None
        except OSError as error:
            raise UserError(f"{self.told(name)}: {_why(error)}: check the place and its permissions") from None


def _why(error: Exception) -> str:
    said = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return printable(said.partition("\n")[0][:200].lower())
