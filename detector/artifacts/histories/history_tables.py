"""Findings about histories as tables and dated events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from detector.artifacts.histories.dates import apart, iso
from detector.artifacts.histories.lives import Version, Window
from detector.artifacts.histories.past import Past
from detector.artifacts.histories.removals import Removal
from detector.artifacts.histories.renamings import Renaming
from detector.artifacts.histories.residue import Dated, Left
from detector.artifacts.histories.shared_files import Shared, SharedFile, SharedFolder
from detector.model import Event, Exhibit
from detector.settings.history import MOST_HISTORY_EVENTS, MOST_HISTORY_ROWS
from detector.targets import Commit

Row = tuple[float | int | str, ...]
# A file, the version that it is nearest to, how near, and how near the newest version of that file is.
Near = tuple[Version, Version, float, float]
SHORT = 12  # digits of a commit, as git shows them


@dataclass(frozen=True, slots=True)
class Versions:
    """Edited files beside the versions that they are nearest to."""

    nearest: tuple[Near, ...] = ()
    newer: tuple[Near, ...] = ()  # nearer ones that were not there yet
    bits: float = 0.0  # shared with the nearest
    ungated_bits: float = 0.0  # the same if dates did not count


@dataclass(frozen=True, slots=True)
class Found:
    """What two histories have in common, and what of the suspect's leads to the reference."""

    common: frozenset[str]  # commits of both
    shared: Shared
    versions: Versions
    renamed: tuple[Renaming, ...]
    spoken: frozenset[str]  # names of the reference
    removed: tuple[Removal, ...]
    left: tuple[Left, ...]
    dated: tuple[Dated, ...]


def exhibits(found: Found, name: str) -> Iterator[Exhibit]:
    """All tables about one reference."""
    title = "Files that both histories hold byte for byte, the reference first"
    yield from same_files(name, found.shared.files, "same-blobs", title)
    yield from same_folders(name, found.shared.folders)
    title = "Files that both histories hold byte for byte, the suspect first: not counted"
    yield from same_files(name, found.shared.newer, "newer-blobs", title)
    title = "Edited Python files and the older version of the reference that each is nearest to"
    yield from nearest(name, found.versions.nearest, "nearest-versions", title)
    title = "Python files and a nearer version of the reference that was not there yet: not counted"
    yield from nearest(name, found.versions.newer, "newer-versions", title)
    yield from renamed(name, found.renamed, found.spoken)
    yield from removed(name, found.removed)
    yield from left(name, found.left)
    yield from dated(found.dated)


def events(found: Found, ours: Past, theirs: Past) -> Iterator[Event]:
    """Both timelines, and what links them."""
    yield from timeline(ours)
    yield from timeline(theirs)
    yield from happened(ours.name, found.renamed, found.removed, found.dated)
    yield from left_events(ours.name, theirs.name, found.left)
    if found.shared.window is not None and found.shared.brought is not None:
        both = found.shared.window, found.shared.brought
        yield from copied_version(theirs.name, ours.name, *both, len(found.shared.files))


def _table(name: str, reference: str, title: str, columns: Sequence[str], rows: Iterable[Row]) -> Iterable[Exhibit]:
    listed = list(rows)
    if listed:
        kept = tuple(listed[:MOST_HISTORY_ROWS])
        yield Exhibit("history", name, reference, title, tuple(columns), kept, len(listed) - len(kept))


def same_files(reference: str, files: Sequence[SharedFile], name: str, title: str) -> Iterable[Exhibit]:
    """Shared files with both of their dates."""
    columns = ("file", "first there", "file of the reference", "first there (reference)", "bytes", "blob")
    rows = (
        (
            each.ours.path,
            iso(each.ours.date),
            each.theirs.path,
            iso(each.theirs.date),
            each.size if each.size >= 0 else "in no copy",
            each.blob,
        )
        for each in files
    )
    return _table(name, reference, title, columns, rows)


def same_folders(reference: str, folders: Sequence[SharedFolder]) -> Iterable[Exhibit]:
    """Shared folders with both of their dates."""
    columns = ("folder", "first there", "folder of the reference", "first there (reference)", "files", "tree")
    rows = (
        (each.ours.path, iso(each.ours.date), each.theirs.path, iso(each.theirs.date), each.files, each.tree)
        for each in folders
    )
    return _table("same-trees", reference, "Folders that both histories hold, byte for byte", columns, rows)


def nearest(reference: str, found: Sequence[Near], name: str, title: str) -> Iterable[Exhibit]:
    """Edited files and the versions that they are nearest to, the nearest first."""
    columns = (
        "file",
        "first there",
        "file of the reference",
        "version since",
        "until",
        "similarity",
        "newest version's",
    )
    rows = (
        (
            file.path,
            iso(file.since),
            version.path,
            iso(version.since),
            iso(version.until) if version.until is not None else "its end",
            round(similarity, 4),
            round(latest, 4),
        )
        for file, version, similarity, latest in sorted(found, key=lambda each: (-each[2], each[0].path))
    )
    return _table(name, reference, title, columns, rows)


def renamed(reference: str, found: Sequence[Renaming], spoken: frozenset[str]) -> Iterable[Exhibit]:
    """What renaming commits put for what."""
    columns = ("commit", "date", "before", "after", "places", "name of the reference")
    title = "Names that a commit of the suspect put for names, by places"
    rows: list[Row] = [
        (each.commit.id[:SHORT], iso(each.commit.committed), one, other, places, "yes" if one in spoken else "no")
        for each in found
        for one, other, places in each.found.pairs
    ]
    if not reference:
        return _table("renamed-names", reference, title, columns[:-1], [row[:-1] for row in rows])
    return _table("renamed-names", reference, title, columns, rows)


def removed(reference: str, found: Sequence[Removal]) -> Iterable[Exhibit]:
    """Mentions that are gone."""
    columns = ("commit", "date", "file", "mention", "how")
    rows = (
        (
            each.commit.id[:SHORT],
            iso(each.commit.committed),
            each.path,
            each.spelled,
            "the file was deleted" if each.is_whole_file else "the text was changed",
        )
        for each in found
    )
    return _table("removed-mentions", reference, "Mentions that the suspect's history removed", columns, rows)


def left(reference: str, found: Sequence[Left]) -> Iterable[Exhibit]:
    """Paths that lead to the reference."""
    columns = ("file", "first there", "path", "source written", "source bytes", "a file of the reference has that size")
    rows = (
        (
            each.file,
            iso(each.life.date),
            each.path,
            iso(each.written) if each.written is not None else "",
            each.source_bytes if each.source_bytes is not None else "",
            "yes" if each.is_same_size else "",
        )
        for each in found
    )
    return _table("residue", reference, "Paths that builds and tools left in the suspect's history", columns, rows)


def dated(found: Sequence[Dated]) -> Iterable[Exhibit]:
    """Compiled files beside the commits that their dates support."""
    columns = ("compiled file", "source written", "source bytes", "commit", "its date", "apart")
    rows = (
        (
            each.compiled.path,
            iso(each.written),
            each.compiled.header.source_bytes or 0,
            each.version.commit[:SHORT],
            iso(each.version.since),
            apart(each.written, each.version.since),
        )
        for each in found
    )
    return _table("compiled", "", "Compiled Python files that support the dates of commits", columns, rows)


def _events(side: str, kind: str, rows: Iterable[tuple[int, str, str]]) -> list[Event]:
    """Dates, texts, commits; what claims a date that is none is left out."""
    events = [Event(iso(date), side, kind, text, commit) for date, text, commit in rows if iso(date)]
    return sorted(events, key=lambda each: (each.at, each.text))[:MOST_HISTORY_EVENTS]


def timeline(past: Past) -> list[Event]:
    """How long a history is, by its own account."""
    if not past.commits:
        return []
    first = min(past.commits, key=lambda each: each.committed)
    last = max(past.commits, key=lambda each: each.committed)
    count = f"the last of {len(past.commits):,} commits" if len(past.commits) > 1 else "its only commit"
    return [
        *_events(past.name, "first-commit", [(first.committed, "its first commit", first.id)]),
        *_events(past.name, "last-commit", [(last.committed, count, last.id)]),
    ]


def happened(
    side: str, renaming: Sequence[Renaming], removal: Sequence[Removal], found: Sequence[Dated]
) -> list[Event]:
    """What the suspect's own history did."""
    by_commit: dict[str, list[Removal]] = {}
    for each in removal:
        by_commit.setdefault(each.commit.id, []).append(each)
    renames = (
        (
            each.commit.committed,
            f"puts names for names in {each.found.explained:,} places, first of all {one} -> {other}",
            each.commit.id,
        )
        for each in renaming
        for one, other, _ in each.found.pairs[:1]
    )
    removes = (
        (group[0].commit.committed, f"removes {listed(sorted({each.spelled for each in group}))}", commit)
        for commit, group in by_commit.items()
    )
    writes = (
        (each.written, f"the source of {each.compiled.path} was written, by its compiled file", each.version.commit)
        for each in found
    )
    return [
        *_events(side, "renaming", renames),
        *_events(side, "removal", removes),
        *_events(side, "residue", writes),
    ]


def left_events(side: str, reference: str, found: Sequence[Left]) -> list[Event]:
    """When the sources of the reference were written on the machine that compiled them: the first of each time."""
    rows = {each.written: each for each in reversed(found) if each.written is not None}
    told_of = (
        (written, f"{each.path} was written there, by {each.file}: a path that leads to {reference}", "")
        for written, each in rows.items()
        if written is not None
    )
    return _events(side, "residue", told_of)


def copied_version(reference: str, suspect: str, span: Window, brought: Commit, shared: int) -> list[Event]:
    """The version that was copied, and the commit that brought most of it in."""
    held = f"{len(span.held):,} of {shared:,} shared files"
    return [
        *_events(reference, "copied-version", [(span.first.committed, f"from here on it holds {held}", span.first.id)]),
        *_events(
            reference,
            "copied-version-end",
            [(span.last.committed, f"the last commit that holds {held}", span.last.id)],
        ),
        *_events(
            suspect,
            "import",
            [(brought.committed, f"brings in most of what is shared with {reference}", brought.id)],
        ),
    ]


def listed(names: Sequence[str], most: int = 3) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
