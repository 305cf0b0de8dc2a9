"""What two histories hold byte for byte, and which of it the one had before the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.artifacts.histories.lives import Life, Window, files_at, introduced, window
from detector.artifacts.histories.past import Past
from detector.artifacts.histories.widely_owned import SMALLEST_BYTES, is_template, is_widely_owned
from detector.targets import Commit

# Folders whose files are counted, largest first: each asks for the tree of a commit.
_MOST_FOLDERS = 100
# What is so short in most projects that it counts only where its size is known.
_SHORT_NAMES = ("__init__.py",)


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One blob of both histories."""

    blob: str
    ours: Life
    theirs: Life
    size: int  # -1: neither copy of a repository holds it, their trees name it

    @property
    def is_older(self) -> bool:
        """Whether the other side had it first, by committer dates."""
        return self.theirs.date <= self.ours.date

    @property
    def is_python(self) -> bool:
        """Whether it is Python by its name."""
        return self.ours.path.endswith((".py", ".pyw"))


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """One tree of both histories."""

    tree: str
    ours: Life
    theirs: Life
    files: int  # that are shared and say something


@dataclass(frozen=True, slots=True)
class Shared:
    """What one history has in common with another, as far as the other had it first."""

    files: tuple[SharedFile, ...] = ()
    newer: tuple[SharedFile, ...] = ()  # that the other had later
    folders: tuple[SharedFolder, ...] = ()
    window: Window | None = None  # the commits of the other that hold most of the files
    brought: Commit | None = None  # the commit that brought most of them in


def shared_files(ours: Past, theirs: Past) -> list[SharedFile]:
    """The blobs of both histories that say something, by path."""
    found = []
    for blob in ours.blobs.keys() & theirs.blobs.keys():
        one, other = ours.blobs[blob], theirs.blobs[blob]
        if is_widely_owned(blob) or is_template(one.path) or is_template(other.path):
            continue
        size = _size(blob, ours, theirs)
        is_short = 0 <= size < SMALLEST_BYTES or (size < 0 and one.path.rpartition("/")[2] in _SHORT_NAMES)
        if not is_short:
            found.append(SharedFile(blob, one, other, size))
    return sorted(found, key=lambda each: (each.ours.path, each.blob))


def _size(blob: str, *pasts: Past) -> int:
    for past in pasts:
        head = past.history.blob(blob, SMALLEST_BYTES)
        if head is not None:
            return head.size_bytes
    return -1


def shared_folders(ours: Past, theirs: Past, files: Mapping[str, SharedFile]) -> list[SharedFolder]:
    """The trees of both histories that hold several such files, the outermost of each, by path."""
    both = sorted(ours.trees.keys() & theirs.trees.keys(), key=lambda tree: (ours.trees[tree].path, tree))
    found: list[SharedFolder] = []
    paths: set[str] = set()
    for tree in both[:_MOST_FOLDERS]:
        life = ours.trees[tree]
        if any(life.path.startswith(f"{path}/") for path in paths):
            continue
        listed = files_at(ours.by_id, life.commit)
        held = sum(path.startswith(f"{life.path}/") and blob in files for path, blob in listed.items())
        if held > 1:
            paths.add(life.path)
            found.append(SharedFolder(tree, life, theirs.trees[tree], held))
    return found


def shared(ours: Past, theirs: Past) -> Shared:
    """Files and folders of both histories, and the version of the other that holds most of them."""
    both = shared_files(ours, theirs)
    files = tuple(each for each in both if each.is_older)
    by_blob = {each.blob: each for each in files}
    folders = (each for each in shared_folders(ours, theirs, by_blob) if each.theirs.date <= each.ours.date)
    brought = introduced(ours.commits, {each.blob: each.ours for each in files})
    span = window(theirs.commits, by_blob, brought.committed) if brought is not None else None
    return Shared(files, tuple(each for each in both if not each.is_older), tuple(folders), span, brought)
