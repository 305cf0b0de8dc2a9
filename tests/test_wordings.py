"""What texts are compared by, kept in place of the texts: the same numbers, whoever asks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.code.bulk import read_corpus
from detector.code.corpus import RUN_BITS, Corpus
from detector.code.pairs import Pairs
from detector.code.tokens import Reading
from detector.code.wording import Agreement, Worded, agreement
from detector.read import open_target
from detector.targets import Repo
from tests.repositories import FIXTURES, cached

ROOT = Path(__file__).parent.parent
PACKAGES = ["vit-pytorch==1.6.5", "timm==0.9.16"]


def _sides(target: Path) -> tuple[Corpus, dict[str, bytes]]:
    with open_target(str(target)) as repo:
        corpus = read_corpus(repo.files, repo.files.paths(), wordings=True)
        return corpus, {path: repo.files.read(path) for path in {span.path for span in corpus.spans}}


def _agreements(ours: Corpus, theirs: Corpus, sides: tuple[Worded, Worded]) -> Agreement:
    """Of each function with a few, near and far."""
    count = len(ours.spans)
    suspect = np.repeat(np.arange(count), 3)
    reference = (suspect + np.tile([0, 1, 17], count)) % len(theirs.spans)
    pairs = Pairs(suspect, reference, *[np.zeros(len(suspect))] * 7)
    return agreement(pairs, np.arange(len(suspect)) % 5 > 0, *sides)


def _hold_equal(one: Path, other: Path) -> None:
    (ours, our_texts), (theirs, their_texts) = _sides(one), _sides(other)
    assert ours.wordings is not None
    assert theirs.wordings is not None
    texts = (ours.spans, our_texts.__getitem__), (theirs.spans, their_texts.__getitem__)
    expected = _agreements(ours, theirs, texts)
    assert 0 < np.count_nonzero(expected.words) < len(expected.words)
    mixed: list[tuple[Worded, Worded]] = [
        (ours.wordings, theirs.wordings),
        (ours.wordings, texts[1]),
        (texts[0], theirs.wordings),
    ]
    for sides in mixed:
        found = _agreements(ours, theirs, sides)
        assert found.words.tolist() == expected.words.tolist()
        assert found.shape.tolist() == expected.shape.tolist()
        assert found.forms.tolist() == expected.forms.tolist()


def test_texts_and_wordings_of_the_fixtures_agree_equally() -> None:
    _hold_equal(FIXTURES / "rebadged", FIXTURES / "original")


@pytest.mark.parametrize("package", PACKAGES)
def test_texts_and_wordings_of_published_packages_agree_equally(package: str) -> None:
    _hold_equal(cached(package), FIXTURES / "original")
    _hold_equal(cached(package), cached(package))


def test_a_corpus_holds_wordings_only_where_they_are_asked_for() -> None:
    with open_target(str(FIXTURES / "cited")) as repo:
        assert _read(repo, wordings=False).wordings is None
        found = _read(repo, wordings=True)
    assert found.wordings is not None
    assert len(found.wordings.forms) == len(found.wordings.texts) == len(found.spans)
    assert len(found.wordings.words.offsets) == len(found.wordings.shape.offsets) == len(found.spans) + 1


def _read(repo: Repo, *, wordings: bool) -> Corpus:
    return read_corpus(repo.files, repo.files.paths(), wordings=wordings)


def _wordings(*texts: str) -> Reading:
    reading = Reading()
    for text in texts:
        reading.row(text.encode().split(b"\n"), 1, text.count("\n") + 1)
    return reading


ONE = "def f(x):\n    return x.mean(-1) + 1.0 + len('a')"


def test_runs_are_distinct_ascending_and_of_so_many_bits() -> None:
    found = _wordings(ONE, ONE * 5, "").wordings()
    for runs in (found.words, found.shape):
        assert runs.hashes.dtype == np.uint16
        for first, last in zip(runs.offsets[:-1], runs.offsets[1:], strict=True):
            row = runs.hashes[first:last].astype(np.int64)
            assert (np.diff(row) > 0).all()
        assert runs.hashes.max() < 2**RUN_BITS


@pytest.mark.parametrize(
    "other",
    [
        ONE.replace("\n    ", "\n\n        "),
        ONE.replace("\n", "  # remark\n"),
        ONE.replace("(x)", "(x: Tensor) -> Tensor"),
        ONE.replace("(-1)", "(\n        -1,\n    )"),
        ONE.replace("1.0", "1.").replace("'a'", '"a"'),
    ],
)
def test_texts_that_differ_in_layout_are_equal(other: str) -> None:
    first, second = _wordings(ONE, other).wordings().texts.tolist()
    assert first == second != 0


@pytest.mark.parametrize("other", [ONE.replace("x", "y"), ONE.replace("-1", "-2"), ONE + "\n    pass"])
def test_texts_that_differ_in_more_are_not(other: str) -> None:
    first, second = _wordings(ONE, other).wordings().texts.tolist()
    assert first != second


def test_a_function_without_a_text_has_no_form_and_no_hash() -> None:
    found = _wordings("", "# nothing").wordings()
    assert found.forms.tolist() == [-1, -1]
    assert found.texts.tolist() == [0, 0]


def test_a_function_has_the_same_wordings_whatever_stands_beside_it() -> None:
    alone, beside = _wordings(ONE).wordings(), _wordings("def g(z):\n    return z", ONE).wordings()
    assert alone.words.hashes.tolist() == beside.take(np.array([1])).words.hashes.tolist()
    assert alone.shape.hashes.tolist() == beside.take(np.array([1])).shape.hashes.tolist()
    assert alone.forms[0] == beside.forms[1]
    assert alone.texts[0] == beside.texts[1]
    # Stored: another value is another format.
    assert (int(alone.forms[0]), int(alone.texts[0])) == (1896625270342884069, 3619915968551010329)
    assert (int(alone.words.hashes[0]), int(alone.shape.hashes[0])) == (18571, 7954)


@pytest.mark.parametrize("module", ["tokens", "corpus", "bulk", "held", "known", "clone_types", "imported"])
def test_reading_code_needs_no_matrices(module: str) -> None:
    """What a hook imports: it has no time for more."""
    code = f"import sys, detector.code.{module}; print(sorted({{each.partition('.')[0] for each in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "detector" in done.stdout
    assert not {"scipy", "datasketch", "libcst", "networkx", "git", "rich"} & set(ast.literal_eval(done.stdout))
    assert module != "imported" or "'numpy'" not in done.stdout
