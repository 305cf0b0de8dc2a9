"""The files of any target: paths at hand, contents fetched one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from detector.model import Skipped, SourceFile, UserError
from detector.read.limits import HEAD_BYTES, MAX_FILE_BYTES, MAX_NOTE_BYTES, MAX_NOTE_TRIES, MAX_NOTES
from detector.read.names import has_python_shebang, is_note_name, is_python_name, printable
from detector.read.roles import role_of

Key = TypeVar("Key")

TOO_LARGE = f"larger than {MAX_FILE_BYTES:,} bytes"


class CannotRead(Exception):  # noqa: N818 - it becomes a `Skipped`, not an error
    """One file whose content is not to be had; the message is the reason that the report shows."""


class Listing(Generic[Key]):
    """Files by path; `fetch` turns what stands for a file (a path, a blob id, a member) into its bytes.

    Memory: paths and keys only.
    """

    def __init__(self, found: Iterable[tuple[str, Key] | Skipped], fetch: Callable[[Key], bytes]) -> None:
        self._fetch = fetch
        self._keys: dict[str, Key] = {}
        self._notes: dict[str, Key] = {}
        self._skipped: list[Skipped] = []
        for each in found:
            if isinstance(each, Skipped):
                self._skipped.append(Skipped(printable(each.path), each.reason))
                continue
            path = printable(each[0])
            if is_note_name(path):
                self._notes.setdefault(path, each[1])
                continue
            if not (is_python_name(path) or self._is_script(each[1])):
                continue
            if path in self._keys:
                self._skipped.append(Skipped(path, "a second file of the same name: the first one is read"))
            else:
                self._keys[path] = each[1]
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
            return self._fetch(self._keys[path])
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
        for path in sorted(self._notes, key=lambda path: (path.count("/"), path))[:MAX_NOTE_TRIES]:
            if len(found) == MAX_NOTES:
                break
            with suppress(CannotRead):
                found[path] = self._fetch(self._notes[path])[:MAX_NOTE_BYTES]
        return found

    def _file(self, path: str) -> SourceFile | Skipped:
        try:
            data = self._fetch(self._keys[path])
        except CannotRead as error:
            return Skipped(path, str(error))
        return SourceFile(path, data, role_of(path, data[:HEAD_BYTES]))

    def _is_script(self, key: Key) -> bool:
        try:
            return has_python_shebang(self._fetch(key))
        except CannotRead:
            return False  # and nobody called it Python
