"""Targets as an index holds them, and an index, both in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from detector.artifacts.credits.naming import names_of
from detector.code.bulk import packages_of, read_corpus
from detector.code.corpus import Corpus
from detector.model import Skipped
from detector.targets import Files, Head, Repo, SourceFile

NOT_KEPT = "not kept"


class Remembered:
    """The files of a target that were read once."""

    def __init__(self, repo: Repo, *, has_texts: bool = False, has_notes: bool = False) -> None:
        self._files: Files | None = repo.files if has_texts else None
        self._noted: Files | None = repo.files if has_notes else None
        self._paths = tuple(repo.files.paths())
        self.corpus = read_corpus(repo.files, self._paths, wordings=True)
        self.packages = packages_of(self._paths)
        self.names = names_of(repo).names
        self.has_texts = has_texts

    def paths(self) -> Sequence[str]:
        return self._paths

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        assert self._files is not None, "nobody may ask for texts"
        return iter(self._files)

    def read(self, path: str) -> bytes:
        assert self._files is not None, f"nobody may ask for {path}"
        return self._files.read(path)

    def notes(self) -> Mapping[str, bytes]:
        return self._noted.notes() if self._noted is not None else {}

    def others(self) -> Sequence[str]:
        return self._noted.others() if self._noted is not None else ()

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        if self._noted is None or path not in self._noted.others():
            return Skipped(path, NOT_KEPT)
        return self._noted.head(path, most_bytes)

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        return Skipped(path, NOT_KEPT)


def remembered(repo: Repo, *, has_texts: bool = False, has_notes: bool = False) -> Repo:
    """The same target out of an index."""
    return replace(repo, files=Remembered(repo, has_texts=has_texts, has_notes=has_notes), history=None)


@dataclass(frozen=True)
class Target:
    """One target of an index."""

    functions: int


@dataclass
class Memory:
    """An index that gives the targets that share any shingle with the corpus."""

    repos: Sequence[Repo]
    asked: list[Corpus] = field(default_factory=list)

    def targets(self) -> list[Target]:
        return [Target(len(_known(repo).corpus.spans)) for repo in self.repos]

    def packages(self) -> frozenset[str]:
        return frozenset().union(*(_known(repo).packages for repo in self.repos))

    def references(self, corpus: Corpus) -> list[Repo]:
        self.asked.append(corpus)
        ours = set(corpus.shingles.hashes.tolist())
        shared = {repo.target: len(ours & set(_known(repo).corpus.shingles.hashes.tolist())) for repo in self.repos}
        found = [repo for repo in self.repos if shared[repo.target] > 20]
        return sorted(found, key=lambda repo: (-shared[repo.target], repo.target))


def _known(repo: Repo) -> Remembered:
    assert isinstance(repo.files, Remembered)
    return repo.files
