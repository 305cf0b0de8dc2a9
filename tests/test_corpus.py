"""A corpus is its files: cut into them and put together again it is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, Runs, Wordings, assembled
from detector.model import Role
from detector.read import open_target

FIXTURE = Path(__file__).parent.parent / "fixtures" / "original" / "heronvl"


def _corpus() -> Corpus:
    with open_target(str(FIXTURE)) as repo:
        return read_corpus(repo.files, repo.files.paths())


def _with_wordings(corpus: Corpus) -> Corpus:
    count = len(corpus.spans)
    runs = Runs(np.arange(2 * count, dtype=np.uint16), np.arange(0, 2 * count + 1, 2))
    return replace(
        corpus, wordings=Wordings(runs, runs, np.arange(count), np.arange(count, dtype=np.uint64) + np.uint64(1))
    )


def _same(one: Corpus, other: Corpus) -> bool:
    arrays = []
    for corpus in (one, other):
        views = [
            each for shingles, functions in corpus.views for each in (shingles.hashes, shingles.offsets, functions)
        ]
        worded = corpus.wordings
        words = [] if worded is None else [worded.words.hashes, worded.words.offsets, worded.shape.hashes, worded.forms]
        arrays.append([corpus.shingles.hashes, corpus.shingles.offsets, *views, *words])
    return (
        one.spans == other.spans
        and one.calls == other.calls
        and all(np.array_equal(a, b) for a, b in zip(*arrays, strict=True))
    )


def test_a_corpus_cut_into_its_files_and_put_together_is_the_same() -> None:
    for corpus in (_corpus(), _with_wordings(_corpus())):
        parts = [part for _, part in corpus.by_file()]
        assert len(parts) > 3
        assert any(len(part.expanded.functions) for part in parts)
        assert any(len(part.blind.functions) for part in parts)
        assert _same(assembled(parts), corpus)


def test_the_digest_of_a_function_is_that_of_its_part() -> None:
    corpus = _corpus()
    digests = [part.digest(j) for _, part in corpus.by_file() for j in range(len(part.spans))]
    assert digests == [corpus.digest(j) for j in range(len(corpus.spans))]


def test_a_file_that_was_moved_holds_the_same() -> None:
    _, part = next(_corpus().by_file())
    moved = part.at("elsewhere/x.py", Role.VENDORED)
    assert {(span.path, span.role) for span in moved.spans} == {("elsewhere/x.py", Role.VENDORED)}
    assert [moved.digest(j) for j in range(len(moved.spans))] == [part.digest(j) for j in range(len(part.spans))]


def test_nothing_is_a_corpus_too() -> None:
    nothing = assembled([])
    assert nothing.spans == ()
    assert nothing.comparable == 0
    assert list(nothing.by_file()) == []
