"""In what two trees of a git repository differ; only what differs is read, and only folders are.

git's own comparison collects everything before it answers, so that a few small trees which name each other would take
all memory there is. Here a limit ends it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

from detector.read.git import SUBMODULE, Database
from detector.read.limits import (
    MAX_COMMIT_CHANGES,
    MAX_FOLDER_BYTES,
    MAX_HELD_ENTRIES,
    MAX_PATH_BYTES,
    ORDINARY_PATH_BYTES,
)
from detector.read.listing import CannotRead
from detector.read.names import printable
from detector.targets import Change

# Entries of a folder by name: whether it is a folder again, and its id.
Entries = dict[bytes, tuple[bool, bytes]]

# An id has 20 bytes, in newer repositories 32; a name anything but a zero.
_ENTRY = {length: re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{%d})" % length, re.DOTALL) for length in (20, 32)}
_FOLDER = 0o040000


class Trees:
    """Reads trees and compares them; those read last are kept, since the next commit has most of them again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: OrderedDict[str, Entries] = OrderedDict()
        self._held_entries = 0
        self._names: dict[str, str] = {}  # ids and paths come again and again: each is held once
        self._missing = 0
        self.listed = 0  # changes in all; one with a very long path counts for several

    def forget_missing(self) -> int:
        """How many folders could not be read since this was last asked."""
        missing, self._missing = self._missing, 0
        return missing

    def changes(self, before: str, after: str) -> Iterator[Change]:
        """The changes from one tree to another ("" for none), folders included, by path; a mode alone is none.

        A folder below that is missing is passed over, and counted.
        Errors: CannotRead when a top tree is missing, or the changes end nowhere.
        """
        waiting = [(b"", before, after)]
        start = self.listed
        while waiting:
            path, one, other = waiting.pop()
            try:
                ours, theirs = self._entries(one), self._entries(other)
            except CannotRead:
                if not path or self._database.has_given_up:
                    raise
                self._missing += 1
                continue
            below = []
            for name, was, now in _differing(ours, theirs):
                where = path + name
                for change in self._changes(where, was, now):
                    self.listed += 1 + len(where) // ORDINARY_PATH_BYTES
                    yield change
                folders = [entry[1].hex() if entry and entry[0] else "" for entry in (was, now)]
                if any(folders):
                    below.append((where + b"/", folders[0], folders[1]))
            if self.listed - start > MAX_COMMIT_CHANGES or len(path) > MAX_PATH_BYTES:
                raise CannotRead("they end nowhere")
            waiting += reversed(below)

    def _changes(self, path: bytes, was: tuple[bool, bytes] | None, now: tuple[bool, bytes] | None) -> Iterator[Change]:
        """One change, or two where a file becomes a folder."""
        shown = self._name(printable(path.decode("utf-8", "surrogateescape")))
        before, after = (self._name(entry[1].hex()) if entry else "" for entry in (was, now))
        if was and now and was[0] != now[0]:
            yield Change(shown, before, "", was[0])
            yield Change(shown, "", after, now[0])
        else:
            yield Change(shown, before, after, bool((was and was[0]) or (now and now[0])))

    def _entries(self, tree: str) -> Entries:
        if not tree:
            return {}
        held = self._held.get(tree)
        if held is not None:
            self._held.move_to_end(tree)
            return held
        head = self._database.object(tree, b"tree", MAX_FOLDER_BYTES)
        if not head.is_whole:
            raise CannotRead("a folder has too many entries")
        found = _parsed(head.data, len(tree) // 2)
        self._held[tree] = found
        self._held_entries += len(found)
        while self._held_entries > MAX_HELD_ENTRIES and len(self._held) > 2:
            self._held_entries -= len(self._held.popitem(last=False)[1])
        return found

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, name)


def _differing(
    ours: Entries, theirs: Entries
) -> Iterator[tuple[bytes, tuple[bool, bytes] | None, tuple[bool, bytes] | None]]:
    for name in sorted({name for name, _ in ours.items() ^ theirs.items()}):
        yield name, ours.get(name), theirs.get(name)


def _parsed(data: bytes, id_bytes: int) -> Entries:
    """The entries of a tree but for submodules, whose ids are those of another repository.

    Errors: CannotRead when it is no tree from its first byte to its last.
    """
    found = _ENTRY[id_bytes].findall(data)
    if sum(len(mode) + len(name) + 2 + id_bytes for mode, name, _ in found) != len(data):
        raise CannotRead("git cannot read this object")
    entries = ((name, int(mode, 8), entry) for mode, name, entry in found)
    return {name: (mode == _FOLDER, entry) for name, mode, entry in entries if mode != SUBMODULE}
