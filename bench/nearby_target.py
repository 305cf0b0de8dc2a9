"""A target as an index knows it, and the candidates that it would propose at best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.quality import Files
from bench.wheels import InMemory
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, assembled
from detector.code.nearby import Nearby, nearby
from detector.code.pairs import scores
from detector.code.sorting import Hashes, Numbers
from detector.evidence import code
from detector.targets import SourceFile

FREQUENT = 4  # functions of a target that have a shingle: of such the index knows how many

Pairs = tuple[Numbers, Numbers]


def corpus_of(files: Files) -> tuple[Corpus, dict[str, bytes]]:
    """Read texts."""
    texts = {path: text.encode() for path, text in sorted(files.items())}
    held = InMemory([SourceFile(path, data) for path, data in texts.items()])
    return read_corpus(held, held.paths(), 1), texts


@dataclass(frozen=True, slots=True)
class Reference:
    """A target as an index knows it."""

    corpus: Corpus
    texts: Mapping[str, bytes]
    files: tuple[tuple[str, Corpus], ...]
    contents: Hashes  # equal for functions of the same shingles in all views
    frequent: tuple[Hashes, Numbers]

    @classmethod
    def of(cls, corpus: Corpus, texts: Mapping[str, bytes]) -> Reference:
        """Count what an index counts when it is filled."""
        contents = corpus.shingles.sums()
        for number, (shingles, functions) in enumerate(corpus.views, 1):
            contents[functions] += shingles.sums() * np.uint64(2 * number + 1)
        hashes, counts = np.unique(corpus.shingles.hashes, return_counts=True)
        is_frequent = counts >= FREQUENT
        frequent = hashes[is_frequent], counts[is_frequent]
        return cls(corpus, texts, tuple(corpus.by_file()), contents, frequent)

    def files_of(self, functions: Numbers) -> tuple[Corpus, Numbers]:
        """The whole files of these functions, and the number of each of their functions in the target."""
        paths = {self.corpus.spans[number].path for number in set(functions.tolist())}
        numbers = [number for number, span in enumerate(self.corpus.spans) if span.path in paths]
        return assembled([corpus for path, corpus in self.files if path in paths]), np.array(numbers, np.int64)


def compared(ours: Corpus, texts: Mapping[str, bytes], reference: Reference) -> code.Likeness:
    """What a comparison says."""
    reads = texts.__getitem__, reference.texts.__getitem__
    (likeness,) = code.find([ours], [reference.corpus], code.Gate(), [reads]).likenesses
    return likeness


def light(ours: Corpus, reference: Reference, pairs: Pairs) -> tuple[Nearby, Numbers]:
    """Decide by `code.nearby`; also the number in the target of each function of the files that it was given."""
    theirs, numbers = reference.files_of(pairs[1])
    within = pairs[0], np.searchsorted(numbers, pairs[1])
    return nearby(ours, theirs, within, reference.frequent, len(reference.corpus.spans)), numbers


def best(likeness: code.Likeness, reference: Reference, most: int) -> Pairs:
    """So many candidates of each function, by their exact scores: what an index would propose at best."""
    return _best(likeness, np.arange(len(reference.corpus.spans)), most)


def best_contents(likeness: code.Likeness, reference: Reference, most: int) -> Pairs:
    """The same, but functions that are equal count as one: an index knows them as one shape in several places."""
    return _best(likeness, np.unique(reference.contents, return_inverse=True)[1], most)


def _best(likeness: code.Likeness, kinds: Numbers, most: int) -> Pairs:
    pairs = likeness.pairs
    by_score = np.lexsort((pairs.reference, kinds[pairs.reference], -scores(pairs).round(9), pairs.suspect))
    suspects, found = pairs.suspect[by_score], kinds[pairs.reference[by_score]]
    is_first = np.diff(suspects, prepend=-1) != 0
    is_next = is_first | (np.diff(found, prepend=-1) != 0)
    rank = np.cumsum(is_next)
    within = rank - np.maximum.accumulate(np.where(is_first, rank, 0))
    kept = by_score[within < most]
    return pairs.suspect[kept], pairs.reference[kept]
