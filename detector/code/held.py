"""The suspect as it is held against each reference: what it imports from that one counts as its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from detector.code.bulk import Progress, Work, comparable_names, local_packages, read
from detector.code.corpus import Corpus, spliced
from detector.model import Skipped
from detector.targets import SourceFile


class PythonFiles(Protocol):
    """What is read of a suspect's files, as of `targets.Files`."""

    def paths(self) -> Sequence[str]:
        """Of all Python files: they tell under which names the suspect imports itself."""
        ...

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """The files that are compared."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of one of these."""
        ...


class Held:
    """Reads a suspect once, and again only those of its files that import what only some references are called."""

    def __init__(
        self,
        files: PythonFiles,
        first: frozenset[str],
        others: Iterable[frozenset[str]] = (),
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Read all files, as they are held against a reference of these packages.

        first, others: packages of the references.
        """
        paths = files.paths()
        self.files = files
        self.jobs = jobs
        self.own = local_packages(paths)
        self.first = self._foreign(first)
        foreign = {self.first, *map(self._foreign, others)}
        # Held against one reference, or several of one name, there is nothing to tell apart.
        asked = frozenset().union(*foreign) if len(foreign) > 1 else frozenset[str]()
        reading = read(files, Work(self.local(first), asked), len(paths), jobs, progress)
        self.corpus = reading.corpus
        self.imports = reading.imports
        self.known = {self._told(self.first): reading.corpus}  # by those of the names that any file imports

    def local(self, packages: frozenset[str]) -> frozenset[str]:
        """Names that count as the suspect's own when it is held against a reference of these packages."""
        return self.own | self._foreign(packages)

    def against(self, packages: frozenset[str]) -> Corpus:
        """The suspect's functions, held against a reference of these packages.

        packages: no others than were named at first.
        """
        foreign = self._foreign(packages)
        told = self._told(foreign)
        if told not in self.known:
            changed = [path for path, found in self.imports.items() if found & foreign != found & self.first]
            again = read(self._files(changed), Work(self.own | foreign), len(changed), self.jobs).corpus
            self.known[told] = spliced(self.corpus, again)
        return self.known[told]

    def _foreign(self, packages: frozenset[str]) -> frozenset[str]:
        return comparable_names(packages) - self.own

    def _told(self, foreign: frozenset[str]) -> frozenset[str]:
        """Of the names, those that any file imports."""
        return foreign & frozenset().union(*self.imports.values())

    def _files(self, paths: Sequence[str]) -> Iterator[SourceFile | Skipped]:
        roles = {span.path: span.role for span in self.corpus.spans}
        return (SourceFile(path, self.files.read(path), roles[path]) for path in paths if path in roles)
