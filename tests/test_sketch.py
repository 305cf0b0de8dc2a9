"""Sketches: a few keys for each function, chosen alike whatever else there is."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.code import sketch
from detector.code.background import background
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, View, assembled
from detector.code.shingle import Shingles
from detector.code.sketch import Sketches, questions, sketches
from detector.model import Role, Span
from detector.read import open_target
from detector.settings.postings import (
    ASKED_KEYS,
    COMMON_PACKAGES,
    FEWEST_COMMON_KEYS,
    FEWEST_SKETCHED,
    KEY_BITS,
    MOST_POSTED_KEYS,
    POSTED_KEYS,
)

FIXTURE = Path(__file__).parent.parent / "fixtures" / "original" / "heronvl"
HEAVY = ("scipy", "datasketch", "libcst", "networkx", "git", "rich", "typer")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    with open_target(str(FIXTURE)) as repo:
        return read_corpus(repo.files, repo.files.paths())


def made(*functions: list[int], blind: dict[int, list[int]] | None = None) -> Corpus:
    """Functions of these shingles, and what some have blind."""
    spans = tuple(Span("m.py", f"f{number}", 1, 2, Role.OWN) for number in range(len(functions)))
    seen = blind or {}
    nothing = View(_shingles([]), np.zeros(0, np.int64))
    view = View(_shingles([seen[each] for each in sorted(seen)]), np.array(sorted(seen), np.int64))
    return Corpus(spans, ((),) * len(spans), _shingles(list(functions)), nothing, view, nothing, 1, ())


def _shingles(sets: list[list[int]]) -> Shingles:
    flat = np.array([value for each in sets for value in each], np.uint64)
    return Shingles(flat, np.cumsum([0, *map(len, sets)]).astype(np.int64))


def rows(found: Sketches) -> list[list[int]]:
    return [found.keys[a:b].tolist() for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def test_a_function_has_the_same_keys_whatever_stands_around_it(corpus: Corpus) -> None:
    for make in (sketches, questions):
        whole = rows(make(corpus))
        alone = [row for _, part in corpus.by_file() for row in rows(make(part))]
        assert whole == alone
        assert rows(make(assembled([corpus, corpus]))) == whole * 2
        with patch.object(sketch, "SKETCH_BLOCK", 7):
            assert rows(make(corpus)) == whole


def test_what_is_asked_for_is_posted_and_there_is_less_of_it(corpus: Corpus) -> None:
    posted, asked = rows(sketches(corpus)), rows(questions(corpus))
    assert all(set(few) <= set(many) for few, many in zip(asked, posted, strict=True))
    assert sum(map(len, asked)) < 0.7 * sum(map(len, posted))
    assert max(map(len, asked)) <= sum(ASKED_KEYS)
    assert max(map(len, posted)) <= 4 * MOST_POSTED_KEYS


def test_keys_fit_into_their_bits_and_none_comes_twice(corpus: Corpus) -> None:
    found = sketches(corpus)
    assert int(found.keys.max()) < 1 << KEY_BITS
    assert all(len(set(row)) == len(row) for row in rows(found))
    assert len(found.offsets) == len(corpus.spans) + 1


def test_a_function_that_is_too_small_has_no_keys() -> None:
    small, large = list(range(1, FEWEST_SKETCHED)), list(range(1, FEWEST_SKETCHED + 1))
    counts = [len(row) for row in rows(sketches(made(small, large, [])))]
    assert counts == [0, FEWEST_SKETCHED, 0]
    assert rows(sketches(made())) == []


def test_a_view_has_keys_of_its_own() -> None:
    rng = np.random.default_rng(5)
    own, other, blind = (rng.integers(1, 2**63, 20).tolist() for _ in range(3))
    one, two = made(own, blind={0: blind}), made(other, blind={0: blind})
    (mine,), (theirs,) = rows(questions(one)), rows(questions(two))
    assert len(set(mine) & set(theirs)) == ASKED_KEYS[2]


def test_what_many_packages_have_is_a_key_only_of_what_has_nothing_rarer() -> None:
    known = background()
    common = known.hashes[known.counts >= COMMON_PACKAGES][:30].tolist()
    rng = np.random.default_rng(6)
    rare = rng.integers(1, 2**63, 3).tolist()
    (bare,), (mixed,), (unmixed,) = (rows(sketches(made(each))) for each in (common, common + rare, rare))
    assert len(bare) == FEWEST_COMMON_KEYS
    assert mixed == unmixed


def test_the_rarest_come_first() -> None:
    known = background()
    of_three = known.hashes[known.counts == 3][:2].tolist()
    of_ten = known.hashes[known.counts == 10][:2].tolist()
    unknown = [11, 12]
    found = rows(sketches(made(of_ten + of_three + unknown)))[0]
    expected = [rows(sketches(made(each)))[0] for each in (unknown, of_three, of_ten)]
    assert found == [key for each in expected for key in each]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(1, 2**64 - 1), max_size=90), st.randoms(use_true_random=False))
def test_the_order_of_shingles_does_not_matter(chosen: set[int], draw: object) -> None:
    shuffled = list(chosen)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rows(sketches(made(sorted(chosen)))) == rows(sketches(made(shuffled)))


def test_two_functions_that_share_half_of_what_they_have_share_keys() -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        pool = rng.integers(1, 2**63, 60).tolist()
        posted, asked = rows(sketches(made(pool[:40])))[0], rows(questions(made(pool[20:])))[0]
        assert set(posted) & set(asked)


def test_parts_of_sketches_are_those_of_parts(corpus: Corpus) -> None:
    found = sketches(corpus)
    assert rows(found.part(3, 9)) == rows(found)[3:9]
    assert rows(found.part(4, 4)) == []


def test_more_keys_are_posted_of_larger_functions() -> None:
    rng = np.random.default_rng(8)
    counts = [len(rows(sketches(made(rng.integers(1, 2**63, size).tolist())))[0]) for size in (12, 60, 1000)]
    assert counts == [POSTED_KEYS[0], 24, MOST_POSTED_KEYS]


def test_looking_up_needs_none_of_the_heavy_libraries() -> None:
    program = (
        "import sys; import detector.index.candidates, detector.code.sketch; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wordings_do_not_matter(corpus: Corpus) -> None:
    assert rows(sketches(replace(corpus, wordings=None))) == rows(sketches(corpus))
