"""When the objects of a history were there: since when each, and which commits held most of some of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from detector.targets import Commit


@dataclass(frozen=True, slots=True)
class Life:
    """The first time that a blob or a tree was in a history, by committer date."""

    path: str
    commit: str
    date: int


@dataclass(frozen=True, slots=True)
class Window:
    """The commits whose trees hold most of the objects asked for."""

    first: Commit  # the oldest by its date
    last: Commit  # the newest
    commits: int
    held: frozenset[str]  # of the objects, by the first of them


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a file: since which commit, and the date of the one that ended it; None while it lasts."""

    path: str
    blob: str
    commit: str
    since: int
    until: int | None


def lives(commits: Sequence[Commit], *, trees: bool = False) -> dict[str, Life]:
    """The first time of every blob, or of every tree; of equal dates the one whose commit comes first."""
    found: dict[str, Life] = {}
    for commit in commits:
        for change in commit.changes:
            if change.is_tree is trees and change.after:
                known = found.get(change.after)
                if known is None or commit.committed < known.date:
                    found[change.after] = Life(change.path, commit.id, commit.committed)
    return found


def versions(commits: Sequence[Commit], endings: tuple[str, ...]) -> list[Version]:
    """Every state of every file with such an ending, by path and date."""
    since: dict[tuple[str, str], tuple[int, str]] = {}
    until: dict[tuple[str, str], int] = {}
    for commit in commits:
        for change in commit.changes:
            if change.is_tree or not change.path.endswith(endings):
                continue
            for blob, ends in ((change.before, True), (change.after, False)):
                key = change.path, blob
                if not blob:
                    continue
                if ends:
                    until[key] = max(until.get(key, commit.committed), commit.committed)
                else:
                    until.pop(key, None)
                    since[key] = min(since.get(key, (commit.committed, commit.id)), (commit.committed, commit.id))
    found = [Version(*key, commit, date, until.get(key)) for key, (date, commit) in since.items()]
    return sorted(found, key=lambda each: (each.path, each.since, each.blob))


def window(commits: Sequence[Commit], wanted: Collection[str], before: int) -> Window | None:
    """Find the commits up to a date whose trees hold most of the objects; None if none holds any.

    What a tree holds is what its first parent's holds, but for its changes. A state is one bit for each path and
    object, so that it is copied only where it changes.
    """
    bits: dict[tuple[str, str], int] = {}
    masks: defaultdict[str, int] = defaultdict(int)
    states: dict[str, tuple[int, int]] = {}  # commit -> its bits, and how many objects they are
    wanted = frozenset(wanted)
    best = 0
    holding: list[Commit] = []
    for commit in commits:
        state, count = states.get(commit.parents[0], (0, 0)) if commit.parents else (0, 0)
        for change in commit.changes:
            for blob, comes in ((change.before, False), (change.after, True)):
                if blob not in wanted:
                    continue
                bit = bits.setdefault((change.path, blob), 1 << len(bits))
                masks[blob] |= bit
                was_there = state & masks[blob]
                state = state | bit if comes else state & ~bit
                count += bool(state & masks[blob]) - bool(was_there)
        states[commit.id] = state, count
        if commit.committed <= before and count >= max(best, 1):
            holding = [*holding, commit] if count == best else [commit]
            best = count
    if not holding:
        return None
    first = min(holding, key=lambda each: each.committed)
    state = states[first.id][0]
    held = frozenset(blob for blob, mask in masks.items() if state & mask)
    return Window(first, max(holding, key=lambda each: each.committed), len(holding), held)


def introduced(commits: Sequence[Commit], wanted: Mapping[str, Life]) -> Commit | None:
    """The commit that brought most of the objects in; the first of several."""
    counts: defaultdict[str, int] = defaultdict(int)
    for life in wanted.values():
        counts[life.commit] += 1
    return max(commits, key=lambda commit: counts[commit.id], default=None) if counts else None


def files_at(commits: Mapping[str, Commit], name: str) -> dict[str, str]:
    """Paths and blobs of a commit's tree: what its line of first parents made of them."""
    line = []
    commit = commits.get(name)
    while commit is not None:
        line.append(commit)
        commit = commits.get(commit.parents[0]) if commit.parents else None
    found: dict[str, str] = {}
    for commit in reversed(line):
        for change in commit.changes:
            if not change.is_tree:
                found.pop(change.path, None)
                if change.after:
                    found[change.path] = change.after
    return found
