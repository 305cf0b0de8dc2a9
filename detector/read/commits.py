"""The commits behind a revision and what each of them changed, read when they are asked for.

`cat-file` reads commits and trees, which are walked, taken apart and compared here: neither grafts nor replacements,
caches of the commit graph, mailmaps or formats of `git log` have a say in it, a parent that is missing ends its line,
not the reading, and no file has to be there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from detector.model import Skipped
from detector.read.git import ABSENT, SILENT, Database
from detector.read.limits import (
    MAX_CHANGES,
    MAX_COMMIT_BYTES,
    MAX_COMMITS,
    MAX_MESSAGE_BYTES,
    MAX_MESSAGES_BYTES,
    MAX_TOLD_COMMITS,
)
from detector.read.listing import CannotRead
from detector.read.trees import Trees
from detector.targets import Commit, Head

_HEADER = re.compile(rb"(tree|parent) ([0-9a-f]{64}|[0-9a-f]{40})$")
# A name may hold anything but a newline; the time stands last. More digits than these are no time.
_DATE = re.compile(rb"(author|committer) .*?(?<![\d-])(-?\d{1,18}) [+-]\d+$", re.DOTALL)
_HISTORY = "history"  # where no single commit is meant


@dataclass(frozen=True, slots=True)
class _Read:
    """One commit as it stands in the object database."""

    id: str
    tree: str
    parents: tuple[str, ...]
    authored: int
    committed: int
    message: str


class GitHistory:
    """The history of one commit."""

    def __init__(self, database: Database, commit: str, bring: Callable[[], str] | None = None) -> None:
        """Nothing is read yet.

        bring: what fetches the history first, where it is elsewhere; gives the reason if it cannot.
        """
        self._database = database
        self._commit = commit
        self._bring = bring
        self._commits: tuple[Commit, ...] | None = None
        self._skipped: list[Skipped] = []
        self._damaged = 0  # commits that could not be read, or not whole

    def commits(self) -> Sequence[Commit]:
        """All of them, parents before children, by committer date where there is a choice."""
        if self._commits is None:
            reason = self._bring() if self._bring is not None else ""
            if reason:
                self._skipped.append(Skipped(_HISTORY, reason))
            self._commits = () if reason else tuple(self._compared(self._in_order(self._walked())))
            if self._damaged > MAX_TOLD_COMMITS:
                more = self._damaged - MAX_TOLD_COMMITS
                self._skipped.append(Skipped(_HISTORY, f"more commits that could not be read whole: {more:,}"))
        return self._commits

    def skipped(self) -> Sequence[Skipped]:
        """What of the history could not be read, and why."""
        return tuple(self._skipped)

    def blob(self, blob: str, most_bytes: int) -> Head | None:
        """The beginning of one blob; None if this copy of the repository does not have it."""
        try:
            return self._database.blob(blob, most_bytes)
        except CannotRead:
            return None

    def _walked(self) -> dict[str, _Read]:
        """The commits by id, read from the newest on."""
        found: dict[str, _Read] = {}
        waiting: list[tuple[int, str, _Read]] = []
        seen = {self._commit}
        cut = message_bytes = 0

        def see(name: str) -> bool:
            """Read one commit; whether it is there."""
            nonlocal message_bytes
            most = MAX_MESSAGE_BYTES if message_bytes < MAX_MESSAGES_BYTES else 0
            try:
                read = _parsed(name, self._database.object(name, b"commit", MAX_COMMIT_BYTES).data, most)
            except CannotRead as error:
                if str(error) != ABSENT:
                    self._skip(name, str(error))
                return str(error) != ABSENT
            message_bytes += len(read.message)
            heappush(waiting, (-read.committed, name, read))
            return True

        see(self._commit)
        while waiting and len(found) < MAX_COMMITS:
            _, name, read = heappop(waiting)
            found[name] = read
            for parent in read.parents:
                if parent not in seen:
                    seen.add(parent)
                    cut += not see(parent)
        if cut:
            self._skipped.append(Skipped(_HISTORY, f"cut: {cut:,} parent commits are missing (a shallow clone?)"))
        if waiting:
            self._skipped.append(Skipped(_HISTORY, f"only the newest {MAX_COMMITS:,} commits are read"))
        return found

    def _in_order(self, found: Mapping[str, _Read]) -> Iterator[tuple[_Read, str]]:
        """Parents before children, the oldest of those that may come next first; with the tree each is compared to."""
        children: defaultdict[str, list[str]] = defaultdict(list)
        missing = {}
        for read in found.values():
            known = {parent for parent in read.parents if parent in found}
            missing[read.id] = len(known)
            for parent in known:
                children[parent].append(read.id)
        ready = [(found[name].committed, name) for name, count in missing.items() if count == 0]
        heapify(ready)
        while ready:
            _, name = heappop(ready)
            read = found[name]
            first = found.get(read.parents[0]) if read.parents else None
            yield read, first.tree if first is not None else ""
            for child in children[name]:
                missing[child] -= 1
                if missing[child] == 0:
                    heappush(ready, (found[child].committed, child))

    def _compared(self, commits: Iterator[tuple[_Read, str]]) -> Iterator[Commit]:
        trees = Trees(self._database)
        for read, before in commits:
            try:
                changes = tuple(trees.changes(before, read.tree))
            except CannotRead as error:
                changes = ()  # a part would be another commit
                self._skip(read.id, f"its changes: {error}")
            missing = trees.forget_missing()
            if missing:
                self._skip(read.id, f"folders that are {ABSENT}: {missing:,}")
            if trees.listed > MAX_CHANGES or self._database.has_given_up:
                reason = SILENT if self._database.has_given_up else f"more than {MAX_CHANGES:,} changes"
                self._skipped.append(Skipped(_HISTORY, f"{reason}: read up to commit {read.id[:12]}"))
                return
            yield Commit(read.id, read.parents, read.authored, read.committed, read.message, changes)

    def _skip(self, commit: str, reason: str) -> None:
        self._damaged += 1
        if self._damaged <= MAX_TOLD_COMMITS:
            self._skipped.append(Skipped(f"commit {commit[:12]}", reason))


def _parsed(name: str, data: bytes, most_message: int) -> _Read:
    """Take a commit apart.

    Errors: CannotRead when it names no tree; a date that is none counts as the beginning of 1970.
    """
    head, _, message = data.partition(b"\n\n")
    tree, parents, dates = "", [], {b"author": 0, b"committer": 0}
    for line in head.split(b"\n"):
        found = _HEADER.match(line)
        dated = None if found else _DATE.match(line)
        if found and found[1] == b"tree":
            tree = tree or found[2].decode("ascii")
        elif found:
            parents.append(found[2].decode("ascii"))
        elif dated:
            dates[dated[1]] = int(dated[2])
        elif line.startswith((b"gpgsig", b"mergetag", b"encoding")):
            break
    if not tree:
        raise CannotRead("git cannot read this object")
    text = message[:most_message].decode("utf-8", "replace")
    return _Read(name, tree, tuple(parents), dates[b"author"], dates[b"committer"], text)
