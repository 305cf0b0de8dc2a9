"""The commits behind a revision and what each of them changed, read when they are asked for.

`cat-file` reads the commits, which are walked and taken apart here: neither grafts nor replacements, caches of the
commit graph, mailmaps or formats of `git log` have a say in it, and a parent that is missing ends its line, not the
reading. `diff-tree` compares the trees, and needs no file to be there for that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from detector.model import Skipped
from detector.read.git import ABSENT, SILENT, Database
from detector.read.git_process import GitProcess
from detector.read.limits import (
    MAX_CHANGES,
    MAX_COMMIT_BYTES,
    MAX_COMMIT_CHANGES,
    MAX_COMMITS,
    MAX_GIT_STARTS,
    MAX_MESSAGE_BYTES,
    MAX_TREE_PATH_BYTES,
)
from detector.read.listing import CannotRead
from detector.read.names import printable
from detector.targets import Change, Commit, Head

# The tree without an entry, which every git knows by itself, under either kind of id.
_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_HEADER = re.compile(rb"(tree|parent) ([0-9a-f]{64}|[0-9a-f]{40})$")
# A name may hold anything but a newline; the time stands last. More digits than these are no time.
_DATE = re.compile(rb"(author|committer) .*?(?<![\d-])(-?\d{1,18}) [+-]\d+$", re.DOTALL)
_TREE_MODE, _SUBMODULE_MODE = b"040000", b"160000"
_CHUNK_BYTES = 1 << 16
_END = b"end\n"  # no pair of trees, so that `diff-tree` repeats it
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

    def commits(self) -> Sequence[Commit]:
        """All of them, parents before children, by committer date where there is a choice."""
        if self._commits is None:
            reason = self._bring() if self._bring is not None else ""
            if reason:
                self._skipped.append(Skipped(_HISTORY, reason))
            self._commits = () if reason else tuple(self._compared(self._in_order(self._walked())))
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
        cut = 0

        def see(name: str) -> bool:
            try:
                read = _parsed(name, self._database.object(name, b"commit", MAX_COMMIT_BYTES).data)
            except CannotRead as error:
                if str(error) != ABSENT:
                    self._skipped.append(Skipped(f"commit {name[:12]}", str(error)))
                return str(error) != ABSENT
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
            self._skipped.append(Skipped(_HISTORY, f"cut: {cut:,} parent commits are {ABSENT}"))
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
            yield read, first.tree if first is not None else _EMPTY_TREES[len(read.tree)]
            for child in children[name]:
                missing[child] -= 1
                if missing[child] == 0:
                    heappush(ready, (found[child].committed, child))

    def _compared(self, commits: Iterator[tuple[_Read, str]]) -> Iterator[Commit]:
        differences = _Differences(self._database)
        count = 0
        try:
            for read, before in commits:
                changes: tuple[Change, ...] = ()
                try:
                    changes = tuple(differences.of(before, read.tree))
                except CannotRead as error:
                    self._skipped.append(Skipped(f"commit {read.id[:12]}", f"its changes: {error}"))
                    if differences.has_given_up:
                        self._skipped.append(Skipped(_HISTORY, f"read up to commit {read.id[:12]}: {error}"))
                        return
                count += len(changes)
                if count > MAX_CHANGES:
                    reason = f"more than {MAX_CHANGES:,} changes: read up to commit {read.id[:12]}"
                    self._skipped.append(Skipped(_HISTORY, reason))
                    return
                yield Commit(read.id, read.parents, read.authored, read.committed, read.message, changes)
        finally:
            differences.close()


def _parsed(name: str, data: bytes) -> _Read:
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
    text = message[:MAX_MESSAGE_BYTES].decode("utf-8", "replace")
    return _Read(name, tree, tuple(parents), dates[b"author"], dates[b"committer"], text)


class _Differences:
    """Asks `diff-tree` in what two trees differ; starts it again when it ends over a missing tree."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._process: GitProcess | None = None
        self._starts = 0
        self._names: dict[str, str] = {}  # ids and paths come again and again: each is held once
        self.has_given_up = False

    def of(self, before: str, after: str) -> Iterator[Change]:
        """The changes between two trees, folders included.

        Errors: CannotRead when a tree is missing or lists without end, or git is silent.
        """
        if before == after:
            return
        if self._process is None:
            self._starts += 1
            self._process = self._database.tree_differences()
        header = self._process.ask(f"{before} {after}\n".encode("ascii") + _END.rstrip())
        if header == _END:
            raise CannotRead(f"a tree is {ABSENT}")
        if not header:
            raise CannotRead(self._ended())
        yield from self._listed(self._process)

    def _listed(self, process: GitProcess) -> Iterator[Change]:
        data, count = b"", 0
        while True:
            chunk = process.read_some(_CHUNK_BYTES)
            if not chunk:
                raise CannotRead(self._ended())
            *fields, data = (data + chunk).split(b"\0")
            if len(fields) % 2:  # the name of the last one is not there yet
                data = fields.pop() + b"\0" + data
            for about, path in zip(fields[::2], fields[1::2], strict=True):
                change = self._change(about, path)
                if change is not None:
                    count += 1
                    yield change
            if count > MAX_COMMIT_CHANGES or len(data) > MAX_TREE_PATH_BYTES:
                self._ended()
                raise CannotRead("it lists without end")
            if data == _END:
                return

    def _change(self, about: bytes, path: bytes) -> Change | None:
        """`:100644 100644 ID ID M` and a path; None for a change of the mode alone, and for submodules."""
        modes_and_ids = about[1:].split(b" ")
        if len(modes_and_ids) != 5:
            raise CannotRead(self._ended() or "git cannot compare it")
        mode, other_mode, before, after, _ = modes_and_ids
        ids = (
            self._name("" if each == _SUBMODULE_MODE or not each.strip(b"0") else name.decode("ascii"))
            for each, name in ((mode, before), (other_mode, after))
        )
        one, other = ids
        if one == other:
            return None
        shown = self._name(printable(path.decode("utf-8", "surrogateescape")))
        return Change(shown, one, other, _TREE_MODE in (mode, other_mode))

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, name)

    def _ended(self) -> str:
        """Close the process; why it has ended."""
        process, self._process = self._process, None
        has_timed_out = False
        if process is not None:
            has_timed_out = process.has_timed_out
            process.close()
        self.has_given_up = has_timed_out or self._starts >= MAX_GIT_STARTS
        return SILENT if has_timed_out else f"a tree is {ABSENT} or cannot be read"

    def close(self) -> None:
        """End the process."""
        self._ended()
