"""An index in memory, for tests of what is asked of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.code.bulk import packages_of, read_corpus
from detector.code.corpus import Corpus
from detector.code.sorting import Hashes, Numbers
from detector.indexed import Scored
from detector.model import Basis, Role
from detector.targets import SourceFile


@dataclass(frozen=True)
class KnownTarget:
    """One target of it."""

    number: int
    target: str
    name: str
    revision: str
    licence: str
    packages: frozenset[str]
    called: frozenset[str]
    addresses: frozenset[str]
    functions: int
    files: int


@dataclass(frozen=True)
class KnownPlace:
    """Where a shape stands."""

    shape: int
    target: KnownTarget
    path: str
    role: Role
    pack: int
    function: int
    revision: str


@dataclass
class InMemoryIndex:
    """All of it: a shape for each set of shingles, all of which are looked up."""

    sources: list[KnownTarget] = field(default_factory=list)
    packs: list[Corpus] = field(default_factory=list)
    standing: list[KnownPlace] = field(default_factory=list)
    shapes: dict[frozenset[int], int] = field(default_factory=dict)

    def add(
        self, name: str, files: Mapping[str, str | bytes], *, target: str = "", licence: str = "", revision: str = "1.0"
    ) -> None:
        """Add a target made of texts by path."""
        sources = [
            SourceFile(path, text.encode() if isinstance(text, str) else text) for path, text in sorted(files.items())
        ]
        corpus = read_corpus(sources, list(files))
        number = len(self.sources)
        called = frozenset({name.lower().replace("_", "-")})
        counts = len(corpus.spans), len(files)
        packages = packages_of(files)
        added = KnownTarget(number, target or name, name, revision, licence, packages, called, frozenset(), *counts)
        self.sources.append(added)
        for path, part in corpus.by_file():
            self.packs.append(part)
            for function in range(len(part.spans)):
                shape = self.shapes.setdefault(_content(part, function), len(self.shapes))
                role = part.spans[function].role
                self.standing.append(KnownPlace(shape, added, path, role, len(self.packs) - 1, function, revision))

    def targets(self) -> Sequence[KnownTarget]:
        """All of them."""
        return self.sources

    def candidates(self, corpus: Corpus, functions: Sequence[int], most: int) -> list[tuple[int, int, int]]:
        """By how many shingles they share."""
        found = []
        for function in functions:
            ours = _content(corpus, function)
            ranked = sorted((-len(ours & theirs), shape) for theirs, shape in self.shapes.items() if ours & theirs)
            found += [(function, shape, -shared) for shared, shape in ranked[:most]]
        return found

    def places(self, shapes: Sequence[int]) -> list[KnownPlace]:
        """Where they stand."""
        wanted = set(shapes)
        return [place for place in self.standing if place.shape in wanted]

    def pack(self, number: int, path: str, role: Role) -> Corpus:
        """One file."""
        return self.packs[number].at(path, role)

    def frequent(self, target: object) -> tuple[Hashes, Numbers]:
        """None: the targets of tests are small."""
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)


def _content(corpus: Corpus, function: int) -> frozenset[int]:
    first, last = corpus.shingles.offsets[function : function + 2]
    return frozenset(corpus.shingles.hashes[first:last].tolist())


def plainly_scored(
    ours: Corpus,
    theirs: Corpus,
    pairs: Sequence[tuple[int, int]],
    frequent: tuple[Hashes, Numbers],
    functions: int,
) -> list[Scored]:
    """Pairs that share half of their shingles: for tests of all that surrounds the scores."""
    found = []
    for function, reference in pairs:
        one, other = _content(ours, function), _content(theirs, reference)
        overlap = len(one & other) / max(len(one | other), 1)
        if overlap >= 0.5:
            bits = 8.0 * len(one & other)
            found.append(Scored(function, reference, overlap, overlap, overlap, bits, bits, 0.0, Basis.ALONE))
    return found
