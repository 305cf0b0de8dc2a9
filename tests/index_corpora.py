"""Corpora for tests of the index, and whether two of them are the same."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from detector.code.bulk import read_corpus
from detector.code.corpus import RUN_BITS, Corpus, Runs, View, Wordings
from detector.code.shingle import Shingles
from detector.model import Span
from detector.read import open_target

ROOT = Path(__file__).parent.parent

_FUNCTION = """

def f{0}(x, w, mask=None):
    y = x @ w[{0}]
    for i in range({0}):
        y = y * {0} + w.sum(i) - mask.cumsum({0})
    z = y.softmax({0}).reshape({0}, -1)
    return helper{0}(z, y.transpose({0}, 1))


def helper{0}(a, b):
    return (a.exp() + b.log() / {0}).clamp(min={0})
"""


def source(*numbers: int) -> str:
    """Python with two functions for each number, which no other number gives."""
    return "".join(_FUNCTION.format(number) for number in numbers)


def project(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read(target: Path | str) -> Corpus:
    """What is read of a target itself."""
    with open_target(str(target)) as repo:
        return read_corpus(repo.files, repo.files.paths(), wordings=True)


def _sets(shingles: Shingles) -> list[list[int]]:
    """The shingles of each function, in an order of their own."""
    hashes, offsets = shingles.hashes.tolist(), shingles.offsets.tolist()
    return [sorted(hashes[begin:end]) for begin, end in pairwise(offsets)]


def told(corpus: Corpus) -> tuple[object, ...]:
    """All that a corpus says, to be compared: the order of the shingles of a function means nothing."""
    words = corpus.wordings
    return (
        corpus.spans,
        corpus.calls,
        corpus.files,
        corpus.skipped,
        _sets(corpus.shingles),
        [(_sets(shingles), functions.tolist()) for shingles, functions in corpus.views],
        None
        if words is None
        else [
            words.words.hashes.tolist(),
            words.words.offsets.tolist(),
            words.shape.hashes.tolist(),
            words.shape.offsets.tolist(),
            words.forms.tolist(),
            words.texts.tolist(),
        ],
    )


# --- corpora that nobody has written -------------------------------------------------------------------------

_HASHES = st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=9)
_RUNS = st.sets(st.integers(0, 2**RUN_BITS - 1) | st.integers(0, 3), max_size=9)
_NAMES = st.text(st.characters(codec=None), min_size=1, max_size=8)  # lone surrogates too


def _shingles(rows: Sequence[set[int]]) -> Shingles:
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return Shingles(np.array([each for row in rows for each in sorted(row)], np.uint64), offsets)


def _runs(rows: Sequence[set[int]]) -> Runs:
    shingles = _shingles(rows)
    return Runs(shingles.hashes.astype(np.uint16), shingles.offsets)


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Corpora of one file."""
    count = draw(st.integers(0, 6))

    def each(strategy: st.SearchStrategy[set[int]], length: int) -> list[set[int]]:
        return draw(st.lists(strategy, min_size=length, max_size=length))

    def view() -> View:
        functions = sorted(draw(st.sets(st.integers(0, count - 1), max_size=count))) if count else []
        return View(_shingles(each(_HASHES, len(functions))), np.array(functions, np.int64))

    spans = []
    for _ in range(count):
        first = draw(st.integers(1, 2**31 - 100))
        spans.append(Span("", draw(_NAMES), first, first + draw(st.integers(0, 99))))
    calls = tuple(tuple(draw(st.lists(_NAMES, max_size=3))) for _ in range(count))
    wordings = None
    if draw(st.booleans()):
        forms = draw(st.lists(st.integers(-1, 2**63 - 1), min_size=count, max_size=count))
        texts = draw(st.lists(st.integers(0, 2**64 - 1), min_size=count, max_size=count))
        wordings = Wordings(
            _runs(each(_RUNS, count)), _runs(each(_RUNS, count)), np.array(forms, np.int64), np.array(texts, np.uint64)
        )
    return Corpus(tuple(spans), calls, _shingles(each(_HASHES, count)), view(), view(), view(), 1, (), wordings)


# --- indexes -------------------------------------------------------------------------------------------------


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    environment = {name: value for name, value in os.environ.items() if name != "DETECTOR_INDEX"}
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-m", "detector", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    return done


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query gives."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def change(path: Path, *statements: str) -> None:
    """Change an index behind the program's back."""
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()
