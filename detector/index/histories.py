"""All revisions of a target: each blob that any commit has, in the context of its commit, and when it was there."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.code.bulk import local_packages
from detector.code.imported import imported
from detector.index.past import Blob, Names, Past, packed, past_of
from detector.index.records import PlaceRow, Target, put_blob
from detector.index.sources import Filed, Source, blob_id
from detector.model import Role, UserError
from detector.read.limits import HEAD_BYTES, MAX_FILE_BYTES
from detector.read.names import is_python_name
from detector.read.roles import role_of
from detector.targets import Change, Commit, History, Repo

if TYPE_CHECKING:
    from detector.index.adding import Filing

_GENERATED = b"# @generated"


@dataclass(frozen=True, slots=True)
class _Interval:
    """A blob at a path, and at which positions of the main line; -1 and the commit where it is on none."""

    path: str
    blob: str
    context: Names
    first: int
    last: int
    came: str


def read(
    connection: sqlite3.Connection,
    repo: Repo,
    number: int,
    before: Sequence[Target],
    tip: Sequence[PlaceRow],
    filing: Filing,
) -> tuple[int, list[PlaceRow]]:
    """File every Python blob of a history.

    tip: the places of the target as it was read; its position is the one after the last commit.
    Gives how many commits the main line has, and all places.
    """
    history = repo.history
    commits = history.commits() if history is not None else ()
    if history is None or not commits:
        why = next((f" ({each.reason})" for each in history.skipped()), "") if history is not None else ""
        raise UserError(f"{repo.target}: has no history{why}: add it without --history")
    packages = _packages(commits)
    ever = frozenset().union(*packages.values())
    blobs = dict(_remembered(connection, before, ever) if not filing.keeps_text else {})
    _look(history, commits, ever, blobs, filing)
    main = _main_line(commits)
    found = list(_intervals(commits, main, packages, blobs))
    packs = dict(_filed(history, found, blobs, filing))
    used = {change.after for commit in commits for change in _python(commit)}
    past = Past(tuple(main), ever, {name: blobs[name] for name in sorted(used & blobs.keys())})
    put_blob(connection, "past", number, packed(past))
    return len(main), _places(found, packs, blobs, tip, len(main))


def _python(commit: Commit) -> Iterator[Change]:
    return (each for each in commit.changes if not each.is_tree and is_python_name(each.path))


def _packages(commits: Sequence[Commit]) -> dict[str, Names]:
    """Under which names the repository imports itself, at each commit.

    Memory: the paths of the commits whose children are still to come.
    """
    children = Counter(commit.parents[0] for commit in commits if commit.parents)
    paths: dict[str, set[str]] = {}
    found: dict[str, Names] = {}
    shared: dict[Names, Names] = {}
    for commit in commits:
        parent = commit.parents[0] if commit.parents else ""
        children[parent] -= 1
        known = paths.get(parent, set())
        known = known.copy() if children[parent] > 0 else paths.pop(parent, known)
        changes = list(_python(commit))
        known.difference_update([each.path for each in changes if not each.after])
        known.update([each.path for each in changes if each.after])
        is_same = parent in found and all(each.before and each.after for each in changes)
        local = found[parent] if is_same else local_packages(known)
        found[commit.id] = shared.setdefault(local, local)
        if children[commit.id] > 0:
            paths[commit.id] = known
    return found


def _remembered(connection: sqlite3.Connection, before: Sequence[Target], ever: Names) -> Mapping[str, Blob]:
    """What an earlier `add` has learnt of blobs, if that still says all."""
    for target in before:
        past = past_of(connection, target)
        if past is not None and ever <= past.packages:
            return past.blobs
    return {}


def _look(history: History, commits: Sequence[Commit], ever: Names, blobs: dict[str, Blob], filing: Filing) -> None:
    """Read each blob that is not remembered: what it imports, and what its id truly is."""
    names = dict.fromkeys(change.after for commit in commits for change in _python(commit) if change.after)
    filing.counting.total += len(names)
    for name in names:
        if name in blobs:
            continue
        head = history.blob(name, MAX_FILE_BYTES)
        if head is None or not head.is_whole:
            continue
        is_generated = role_of("x.py", head.data[:HEAD_BYTES]) is Role.GENERATED
        blobs[name] = Blob(blob_id(head.data).hex(), imported(head.data, ever), is_generated)


def _main_line(commits: Sequence[Commit]) -> list[str]:
    """The newest commit, its first parent, and so on, the oldest first."""
    by_id = {commit.id: commit for commit in commits}
    line: list[str] = []
    commit: Commit | None = commits[-1]
    while commit is not None:
        line.append(commit.id)
        commit = by_id.get(commit.parents[0]) if commit.parents else None
    return line[::-1]


def _intervals(
    commits: Sequence[Commit], main: Sequence[str], packages: Mapping[str, Names], blobs: Mapping[str, Blob]
) -> Iterator[_Interval]:
    """When each blob was where, in which context."""
    by_id = {commit.id: commit for commit in commits}
    there: dict[str, tuple[str, Names, int]] = {}  # blob, context and since when, by path
    on_main: set[tuple[str, str]] = set()
    local: Names = frozenset()

    def close(path: str, position: int) -> Iterator[_Interval]:
        if path in there:
            blob, context, since = there.pop(path)
            if blob in blobs and since < position:
                yield _Interval(path, blob, context, since, position - 1, main[since])

    for position, name in enumerate(main):
        for change in _python(by_id[name]):
            yield from close(change.path, position)
            if change.after:
                there[change.path] = change.after, _context(blobs, change.after, packages[name]), position
                on_main.add((change.path, change.after))
        changed, local = local ^ packages[name], packages[name]
        for path, (blob, context, _) in list(there.items()) if changed else ():
            now = _context(blobs, blob, local)
            if now != context:
                yield from close(path, position)
                there[path] = blob, now, position
    for path in list(there):
        yield from close(path, len(main))
    known = set(main)
    for commit in commits:
        if commit.id in known:
            continue
        for change in _python(commit):
            place = change.path, change.after
            if change.after in blobs and place not in on_main:
                on_main.add(place)
                context = _context(blobs, change.after, packages[commit.id])
                yield _Interval(change.path, change.after, context, -1, -1, commit.id)


def _context(blobs: Mapping[str, Blob], blob: str, local: Names) -> Names:
    return blobs[blob].names & local if blob in blobs else frozenset()


def _filed(
    history: History, found: Iterable[_Interval], blobs: Mapping[str, Blob], filing: Filing
) -> Iterator[tuple[tuple[str, Names], int]]:
    """The pack of each blob in each context."""

    def sources() -> Iterator[Source]:
        for name, context in dict.fromkeys((each.blob, each.context) for each in found):
            source = Source(name, Role.OWN, bytes.fromhex(blobs[name].id), context, None)
            if filing.keeps_text or not filing.is_known(source):
                head = history.blob(name, MAX_FILE_BYTES)
                if head is None or not head.is_whole or blob_id(head.data) != source.blob:
                    continue  # it was there a moment ago
                source = source._replace(data=head.data)
            yield source

    for each in filing.file(sources()):
        if isinstance(each, Filed):
            yield (each.path, each.context), each.pack


def _places(
    found: Sequence[_Interval],
    packs: Mapping[tuple[str, Names], int],
    blobs: Mapping[str, Blob],
    tip: Sequence[PlaceRow],
    position: int,
) -> list[PlaceRow]:
    """The places of the target as it was read, with since when they were there, and those of its past."""
    present = {(row.path, row.pack): place for place, row in enumerate(tip)}
    rows = [row._replace(first=position, last=position) for row in tip]
    past: list[PlaceRow] = []
    following = max((row.number for row in tip), default=-1) + 1
    for each in found:
        pack = packs.get((each.blob, each.context))
        if pack is None:
            continue
        place = present.get((each.path, pack)) if each.last == position - 1 else None
        if place is not None:
            rows[place] = rows[place]._replace(first=each.first, came=each.came)
            continue
        role = role_of(each.path, _GENERATED if blobs[each.blob].is_generated else b"")
        past.append(PlaceRow(following + len(past), each.path, role, pack, each.first, each.last, each.came))
    return [*rows, *past]
