"""What is known already: targets whose functions an index holds, and the index as a comparison sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from detector.code.bulk import packages_of
from detector.code.corpus import Corpus
from detector.targets import Files, Repo

# Why evidence beside the code is not looked for.
NOT_ITS_FILES = "an index holds hashes of code, not its files"


@runtime_checkable
class KnownFiles(Files, Protocol):
    """The files of a target as an index holds them: what a comparison needs of its code, and whatever else is kept.

    `others`, `notes` and `head` give what is kept beside the code, if anything is; `head` of a file that is not kept is
    `Skipped`. With texts, iteration and `read` give the Python files as they were; without, nothing asks for them.
    """

    @property
    def corpus(self) -> Corpus:
        """All functions, with wordings; lowered with the target's own packages. Asked for more than once."""
        ...

    @property
    def packages(self) -> frozenset[str]:
        """Top-level packages (`bulk.packages_of` all of its paths): what a suspect may import them by."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """Names by which a comment may call the target (`credits.naming.names_of`)."""
        ...

    @property
    def has_texts(self) -> bool:
        """Whether the Python files themselves are kept."""
        ...


class KnownTarget(Protocol):
    """One target of an index."""

    @property
    def functions(self) -> int:
        """How many functions of it are known."""
        ...


class Known(Protocol):
    """An index, as a comparison sees it."""

    def targets(self) -> Sequence[KnownTarget]:
        """Everything that is known."""
        ...

    def packages(self) -> frozenset[str]:
        """Top-level packages of all targets."""
        ...

    def references(self, corpus: Corpus) -> Sequence[Repo]:
        """Targets in which a function of the corpus has a candidate, the strongest first, with `KnownFiles`."""
        ...


def known_files(repo: Repo) -> KnownFiles | None:
    """The files of a target as an index holds them; None if they are read from the target itself."""
    return repo.files if isinstance(repo.files, KnownFiles) else None


def has_texts(repo: Repo) -> bool:
    """Whether the texts of a target can be read."""
    known = known_files(repo)
    return known is None or known.has_texts


def packages(repo: Repo) -> frozenset[str]:
    """The top-level packages of a target."""
    known = known_files(repo)
    return packages_of(repo.files.paths()) if known is None else known.packages
