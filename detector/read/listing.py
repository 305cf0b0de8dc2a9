"""The files of any target: paths at hand, contents fetched one at a time, and no more of them than is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

from detector.model import Skipped, UserError
from detector.read.limits import HEAD_BYTES, MAX_FILE_BYTES, MAX_NOTE_BYTES, MAX_NOTE_TRIES, MAX_NOTES
from detector.read.names import has_python_shebang, is_note_name, is_other_name, is_python_name, printable
from detector.read.roles import role_of
from detector.targets import Head, SourceFile

Key = TypeVar("Key")

SHEBANG_BYTES = 256
TOO_LARGE = f"larger than {MAX_FILE_BYTES:,} bytes"


class CannotRead(Exception):  # noqa: N818 - it becomes a `Skipped`, not an error
    """One file whose content is not to be had; the message is the reason that the report shows."""


class Found(NamedTuple, Generic[Key]):
    """A file that was listed, and what stands for it."""

    path: str
    key: Key
    may_be_script: bool = False  # its first line decides whether it is Python


class Listing(Generic[Key]):
    """Files by path; `fetch` turns what stands for a file (a path, a blob id, a member) into its first bytes.

    fetch_part: the same for bytes from anywhere in it, fewer only where it ends.
    Memory: paths and keys only.
    """

    def __init__(
        self,
        found: Iterable[Found[Key] | Skipped],
        fetch: Callable[[Key, int], Head],
        fetch_part: Callable[[Key, int, int], bytes],
    ) -> None:
        self._fetch = fetch
        self._fetch_part = fetch_part
        self._keys: dict[str, Key] = {}
        self._others: dict[str, Key] = {}
        self._skipped: list[Skipped] = []
        for each in found:
            if isinstance(each, Skipped):
                self._skipped.append(Skipped(printable(each.path), each.reason))
                continue
            path = printable(each.path)
            is_script = each.may_be_script and not is_note_name(path) and self._is_script(each.key)
            if not (is_python_name(path) or is_script):
                if is_other_name(path):
                    self._others.setdefault(path, each.key)
            elif path in self._keys:
                self._skipped.append(Skipped(path, "a second file of the same name: the first one is read"))
            else:
                self._keys[path] = each.key
        self._skipped.sort(key=lambda skipped: (skipped.path, skipped.reason))

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """Every Python file once, sorted by path; what cannot be read comes as `Skipped`."""
        skipped = iter(self._skipped)
        upcoming = next(skipped, None)
        for path in self.paths():
            while upcoming is not None and upcoming.path < path:
                yield upcoming
                upcoming = next(skipped, None)
            yield self._file(path)
        while upcoming is not None:
            yield upcoming
            upcoming = next(skipped, None)

    def read(self, path: str) -> bytes:
        """The bytes of one file that iteration has yielded."""
        if path not in self._keys:
            raise FileNotFoundError(path)
        try:
            return self._whole(self._keys[path])
        except CannotRead as error:
            raise UserError(f"{path}: {error}: it changed while it was compared: compare again") from None

    def paths(self) -> list[str]:
        """Paths of the Python files that iteration will yield, sorted; one may still turn out unreadable."""
        return sorted(self._keys)

    def notes(self) -> dict[str, bytes]:
        """What the project says of itself, by path: READMEs and notices, those nearest to the top first.

        At most MAX_NOTES of them and MAX_NOTE_BYTES of each. One that cannot be read is left out and takes no other
        one's place, unless MAX_NOTE_TRIES of them have been asked for.
        """
        found: dict[str, bytes] = {}
        notes = sorted(filter(is_note_name, self._others), key=lambda path: (path.count("/"), path))
        for path in notes[:MAX_NOTE_TRIES]:
            if len(found) == MAX_NOTES:
                break
            with suppress(CannotRead):
                found[path] = self._whole(self._others[path])[:MAX_NOTE_BYTES]
        return found

    def others(self) -> list[str]:
        """Paths of the files that are not Python and that some kind of evidence reads, notes included, sorted."""
        return sorted(self._others)

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        """The beginning of any file, at most so many bytes of it; `Skipped` if it cannot be read."""
        try:
            return self._fetch(self._key(path), most_bytes)
        except CannotRead as error:
            return Skipped(path, str(error))

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        """`size` bytes of any file from byte `begin` on, fewer only where the file ends; `Skipped` if unreadable."""
        key = self._key(path)
        try:
            return self._fetch_part(key, begin, size)
        except CannotRead as error:
            return Skipped(path, str(error))

    def _key(self, path: str) -> Key:
        key = self._others[path] if path in self._others else self._keys.get(path)
        if key is None:
            raise FileNotFoundError(path)
        return key

    def _whole(self, key: Key) -> bytes:
        head = self._fetch(key, MAX_FILE_BYTES)
        if not head.is_whole:
            raise CannotRead(TOO_LARGE)
        return head.data

    def _file(self, path: str) -> SourceFile | Skipped:
        try:
            data = self._whole(self._keys[path])
        except CannotRead as error:
            return Skipped(path, str(error))
        return SourceFile(path, data, role_of(path, data[:HEAD_BYTES]))

    def _is_script(self, key: Key) -> bool:
        try:
            return has_python_shebang(self._fetch(key, SHEBANG_BYTES).data)
        except CannotRead:
            return False  # and nobody called it Python
