"""What is read: a target, its files and its history. Everything is read lazily: memory must not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.model import Attribution, Depth, Lines, Match, Role, Skipped


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as read from a target; bytes, since its encoding is not known yet."""

    path: str  # POSIX, relative to the target's root
    data: bytes
    role: Role = Role.OWN


@dataclass(frozen=True, slots=True)
class Changed:
    """A file as it is after the change, and the lines that the change adds or alters, ascending."""

    file: SourceFile
    lines: tuple[Lines, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody is about to commit, push or merge."""

    target: str  # what was looked at, as the user would name it
    name: str  # of the project
    revision: str  # of the project with the change, "" where it has none
    about: str  # which change, in words: "staged", "main..topic"
    files: tuple[Changed, ...]
    skipped: tuple[Skipped, ...]
    paths: tuple[str, ...]  # of all Python files of the project
    # What the changed and deleted files were, read when it is asked for.
    before: Callable[[], Sequence[SourceFile]] = field(default=tuple, compare=False, repr=False)
    # Addresses of the repositories that this one is a copy of.
    remotes: Callable[[], Sequence[str]] = field(default=tuple, compare=False, repr=False)
    # All files of the project as they are after the change; None where nobody can tell which these are.
    project: Callable[[], Files | None] = field(default=lambda: None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, and how long the whole file is."""

    data: bytes
    size_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return len(self.data) == self.size_bytes


class Files(Protocol):
    """The files of a target, read lazily: the Python ones one after the other, the others when they are asked for."""

    def paths(self) -> Sequence[str]:
        """Paths of the Python files that iteration will yield, sorted; one may still turn out unreadable."""
        ...

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """Every Python file once, sorted by path; what cannot be read comes as `Skipped`."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of one file that iteration has yielded."""
        ...

    def notes(self) -> Mapping[str, bytes]:
        """What the project says of itself, by path: READMEs, notices, metadata."""
        ...

    def others(self) -> Sequence[str]:
        """Paths of all files that are not Python, notes included, sorted; what they hold is told by their names."""
        ...

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        """The beginning of any file, at most so many bytes of it; `Skipped` if it cannot be read."""
        ...

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        """`size` bytes of any file from byte `begin` on, fewer only where the file ends; `Skipped` if unreadable.

        Memory grows with `size` alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did at one path: the ids of the blob or tree before and after, "" where there was or is none."""

    path: str
    before: str
    after: str
    is_tree: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, by its own account: dates and messages are what whoever made it wrote there.

    Units: seconds since 1970 in UTC.
    """

    id: str
    parents: tuple[str, ...]
    authored: int
    committed: int
    message: str
    changes: tuple[Change, ...]  # against its first parent; of a root, everything


class History(Protocol):
    """The commits that lead to a target's revision, and the objects that they name."""

    def commits(self) -> Sequence[Commit]:
        """All of them, parents before children."""
        ...

    def skipped(self) -> Sequence[Skipped]:
        """What of the history could not be read, and why; known once `commits` was asked for."""
        ...

    def blob(self, blob: str, most_bytes: int) -> Head | None:
        """The beginning of one blob; None if this copy of the repository does not have it."""
        ...


@dataclass(frozen=True, slots=True)
class Repo:
    """A target that can be read: where it came from, what it is called, its files, its history if it has one."""

    target: str  # as the user named it
    name: str  # short and readable: the last part of the target
    revision: str  # full commit id, package version, or "" where there is none
    files: Files = field(repr=False, compare=False)
    history: History | None = field(default=None, repr=False, compare=False)
    is_remote: bool = False  # every part of a file is a request to somebody's server
    # What a listing tells of contents, by path: "git:" and the id of a blob, or "sha256:" and that of a large file.
    ids: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


Progress = Callable[[str, int, int], None]  # stage, done, total (0: unknown)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What every kind of evidence beside the code is looked for in."""

    suspect: Repo
    name: str  # of the suspect, as the report says it
    references: Mapping[str, Repo]  # by the names that the report gives them
    matches: tuple[Match, ...] = ()  # of each function of the suspect the one that counts, if code was compared
    attribution: tuple[Attribution, ...] = ()  # what the code of each reference explains, the nearest first
    bases: Mapping[str, Repo] = field(default_factory=dict)  # models that both sides may have started from, by name
    panel: Mapping[str, Repo] = field(default_factory=dict)  # models that only say what chance gives, by name
    depth: Depth = Depth.FITTING  # of what checkpoints hold
    progress: Progress | None = None

    def tell(self, stage: str) -> None:
        """Say what is being done now."""
        if self.progress is not None:
            self.progress(stage, 0, 0)
