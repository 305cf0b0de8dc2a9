"""A whole index of many functions that somebody might have written: real ones, changed a little, filed like any target.

Only reading and lowering is left out: what they would give is given.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from detector.code.corpus import Corpus
from detector.index import adding
from detector.index.sources import Source
from detector.index.store import open_index
from detector.model import Role, Skipped
from detector.targets import Head, Repo, SourceFile


class Made:
    """The files of a target whose functions are known; what each holds is found by its bytes."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpora = dict(corpus.by_file())

    def paths(self) -> list[str]:
        """All of them."""
        return sorted(self.corpora)

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """Each file, which holds its path."""
        return iter([SourceFile(path, path.encode(), Role.OWN) for path in self.paths()])

    def read(self, path: str) -> bytes:
        """What stands in for the file."""
        return path.encode()

    def notes(self) -> Mapping[str, bytes]:
        """None."""
        return {}

    def others(self) -> list[str]:
        """None."""
        return []

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        """The same as `read`."""
        return Head(path.encode()[:most_bytes], len(path))

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        """The same as `read`."""
        return path.encode()[begin : begin + size]


@dataclass(frozen=True, slots=True)
class Filed:
    """What filing targets cost."""

    functions: int
    targets: int
    seconds: float  # of CPU, after lowering
    size_bytes: int

    @property
    def rate(self) -> float:
        """Functions a CPU second."""
        return self.functions / self.seconds

    @property
    def bytes_each(self) -> float:
        """Of a function."""
        return self.size_bytes / self.functions


def build(path: Path, targets: Iterator[Corpus]) -> Filed:
    """File each target in a transaction of its own, and settle the index: `detector index add` without the lowering.

    Units: CPU seconds and bytes are those of these targets; what the file held before is not counted.
    """
    before = path.stat().st_size if path.exists() else 0
    functions = number = 0
    spent = 0.0
    with open_index(path, create=True) as index:
        for number, corpus in enumerate(targets, 1):
            files = Made(corpus)

            def lowered(
                sources: Sequence[Source], *_: object, known: Mapping[str, Corpus] = files.corpora
            ) -> list[Corpus]:
                return [known[(source.data or b"").decode()] for source in sources]

            started = time.process_time()
            with mock.patch.object(adding, "_lowered", lowered):
                index.add(Repo(f"made-{number}", f"made-{number}", "", files))
            spent += time.process_time() - started
            functions += len(corpus.spans)
        started = time.process_time()
        index.settle()
        spent += time.process_time() - started
    return Filed(functions, number, spent, path.stat().st_size - before)
