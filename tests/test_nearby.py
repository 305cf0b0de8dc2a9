"""Light scoring: what a comparison with the whole target says, from a few files of it and without sparse matrices."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest

from detector.code.bulk import read_corpus
from detector.code.callgraph import callees, graph
from detector.code.candidates import pairs
from detector.code.corpus import RUN_BITS, Corpus, Runs, View, Wordings, assembled
from detector.code.match import weigh
from detector.code.nearby import Nearby, nearby
from detector.code.pairs import Pairs
from detector.code.sets import resemblances, sides
from detector.code.shingle import Shingles, mix
from detector.code.sorting import Hashes, Numbers
from detector.code.views import lay_out
from detector.evidence import code
from detector.model import Span
from detector.settings import MOST_BESIDE, SHINGLES_TOGETHER, WORDING
from tests.repositories import ANNEAL, BEAMS, ROUTE, SPECTRUM, WARP, InMemory, fixture_files

FREQUENT = 4
NOTHING_FREQUENT = np.zeros(0, np.uint64), np.zeros(0, np.int64)
NO_NUMBERS = np.zeros(0, np.int64)
HELD = ("shared", "common", "own", "overlap", "plain", "containment", "partial")

EXTRACTED = """
from .parts import spread

def mixed(tokens, gates, capacity):
    scores = gates(tokens).softmax(dim=-1).cumsum(dim=1)
    return spread(scores.topk(3, dim=-1), capacity) * tokens.mean(dim=1, keepdim=True)
"""
PARTS = """
def spread(found, capacity):
    values, places = found
    kept = places < capacity // 2
    return values.masked_fill(~kept, 0.25).scatter(1, places, values.exp()) / (1 + values.sum(dim=1))
"""
WRITTEN_OUT = """
def mixed(tokens, gates, capacity):
    scores = gates(tokens).softmax(dim=-1).cumsum(dim=1)
    values, places = scores.topk(3, dim=-1)
    kept = places < capacity // 2
    found = values.masked_fill(~kept, 0.25).scatter(1, places, values.exp()) / (1 + values.sum(dim=1))
    return found * tokens.mean(dim=1, keepdim=True)
"""


def _corpus(files: Mapping[str, str | bytes]) -> Corpus:
    held = InMemory(files)
    return read_corpus(held, held.paths())


def _gone(path: str) -> bytes:
    raise FileNotFoundError(path)


def _compared(ours: Corpus, theirs: Corpus) -> code.Likeness:
    (found,) = code.find([ours], [theirs], code.Gate(), [(_gone, _gone)]).likenesses
    return found


def _frequent(corpus: Corpus, least: int = FREQUENT) -> tuple[Hashes, Numbers]:
    hashes, counts = np.unique(corpus.shingles.hashes, return_counts=True)
    return hashes[counts >= least], counts[counts >= least]


def _every(ours: Corpus, theirs: Corpus) -> tuple[Numbers, Numbers]:
    first, second = np.divmod(np.arange(len(ours.spans) * len(theirs.spans)), len(theirs.spans))
    return first, second


def _near(ours: Corpus, theirs: Corpus) -> Nearby:
    return nearby(ours, theirs, _every(ours, theirs), _frequent(theirs), len(theirs.spans))


def _same(one: Pairs, other: Pairs) -> None:
    assert one.suspect.tolist() == other.suspect.tolist()
    assert one.reference.tolist() == other.reference.tolist()
    for name in HELD:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-9), name


def _equal(one: Nearby, other: Nearby) -> bool:
    values = [(getattr(one.pairs, each.name), getattr(other.pairs, each.name)) for each in fields(Pairs)]
    names = ("similarity", "rates", "chosen", "is_strong", "is_believed")
    values += [(getattr(one, name), getattr(other, name)) for name in names]
    return one.bases == other.bases and all(np.array_equal(a, b) for a, b in values)


@pytest.fixture(scope="module")
def fixtures() -> dict[str, Corpus]:
    return {name: _corpus(fixture_files(name)) for name in ("rebadged", "original", "cited", "independent")}


@pytest.mark.parametrize("reference", ["original", "cited", "independent"])
def test_with_all_counts_at_hand_every_score_is_that_of_a_comparison(
    fixtures: dict[str, Corpus], reference: str
) -> None:
    ours, theirs = fixtures["rebadged"], fixtures[reference]
    (one, other), weights = weigh(
        [ours.shingles, theirs.shingles],
        [callees(each.spans, each.calls) for each in (ours, theirs)],
        [ours.views, theirs.views],
    )
    compared = pairs(one, other, weights, ours.shingles, theirs.shingles)
    found = nearby(ours, theirs, (compared.suspect, compared.reference), _frequent(theirs, 1), len(theirs.spans))
    _same(found.pairs, compared)


@pytest.mark.parametrize("reference", ["original", "cited", "independent"])
def test_a_few_files_of_the_target_give_the_decision_of_the_whole(fixtures: dict[str, Corpus], reference: str) -> None:
    ours, target = fixtures["rebadged"], fixtures[reference]
    likeness = _compared(ours, target)
    paths = {target.spans[number].path for number in likeness.pairs.reference.tolist()}
    kept = np.array([number for number, span in enumerate(target.spans) if span.path in paths], np.int64)
    theirs = assembled([part for path, part in target.by_file() if path in paths])
    within = likeness.pairs.suspect, np.searchsorted(kept, likeness.pairs.reference)
    found = nearby(ours, theirs, within, _frequent(target), len(target.spans))
    chosen, compared = found.pairs.take(found.chosen), likeness.pairs.take(likeness.chosen)
    assert chosen.suspect.tolist() == compared.suspect.tolist()
    assert found.is_strong.tolist() == likeness.is_strong.tolist()
    assert found.is_believed.tolist() == likeness.is_believed.tolist()
    assert list(found.bases.values()) == list(likeness.bases.values())
    assert chosen.shared == pytest.approx(compared.shared, rel=0.02, abs=0.5)
    assert found.similarity[found.chosen] == pytest.approx(likeness.similarity[likeness.chosen], abs=0.01)
    assert found.link_bits == pytest.approx(likeness.link_bits, rel=0.02)
    is_same = kept[chosen.reference] == compared.reference
    assert np.count_nonzero(is_same & likeness.is_believed) >= 0.95 * np.count_nonzero(likeness.is_believed)


def test_a_helper_of_another_file_counts_beside_its_caller() -> None:
    split = _corpus({"m/a.py": EXTRACTED, "m/parts.py": PARTS, "m/__init__.py": ""})
    whole = _corpus({"n/b.py": WRITTEN_OUT})
    for ours, theirs in ((split, whole), (whole, split)):
        found = nearby(ours, theirs, _every(ours, theirs), _frequent(theirs, 1), len(theirs.spans))
        alone = nearby(
            replace(ours, calls=((),) * len(ours.spans)),
            replace(theirs, calls=((),) * len(theirs.spans)),
            _every(ours, theirs),
            _frequent(theirs, 1),
            len(theirs.spans),
        )
        assert found.pairs.overlap.max() > alone.pairs.overlap.max() + 0.05
        compared = _compared(ours, theirs).pairs
        assert found.pairs.overlap.max() == pytest.approx(compared.overlap.max(), abs=1e-9)


def test_what_the_target_repeats_weighs_less_although_its_other_files_are_not_at_hand() -> None:
    ours, theirs = _corpus({"a.py": WARP}), _corpus({"b.py": WARP})
    rare = nearby(ours, theirs, _every(ours, theirs), NOTHING_FREQUENT, 5_000)
    hashes = np.sort(theirs.shingles.hashes)
    common = nearby(ours, theirs, _every(ours, theirs), (hashes, np.full(len(hashes), 4_000)), 5_000)
    assert rare.is_strong.all()
    assert common.pairs.shared[0] < rare.pairs.shared[0] / 2
    assert not common.is_strong.any()


def test_a_target_of_more_functions_makes_what_it_repeats_rarer() -> None:
    ours, theirs = _corpus({"a.py": WARP}), _corpus({"b.py": WARP})
    hashes = np.sort(theirs.shingles.hashes)
    small, large = (
        nearby(ours, theirs, _every(ours, theirs), (hashes, np.full(len(hashes), 50)), functions).pairs.shared[0]
        for functions in (5_000, 500_000)
    )
    assert large > small


def test_of_two_files_that_hold_the_same_the_first_is_chosen_in_whatever_order_pairs_are_given() -> None:
    files = {"a.py": WARP, "b.py": ROUTE, "c.py": ANNEAL, "d.py": BEAMS, "e.py": SPECTRUM}
    ours = _corpus({f"x/{path}": text for path, text in files.items()})
    target = _corpus({f"{folder}/{path}": text for folder in ("one", "two") for path, text in files.items()})
    first, second = _every(ours, target)
    found = _near(ours, target)
    chosen = found.pairs.reference[found.chosen]
    assert {target.spans[number].path.split("/")[0] for number in chosen.tolist()} == {"one"}
    assert found.is_believed.all()
    for order in (slice(None, None, -1), np.argsort(mix(np.arange(len(first), dtype=np.uint64)))):
        again = nearby(ours, target, (first[order], second[order]), _frequent(target), len(target.spans))
        assert _equal(found, again)
    twice = np.concatenate([first, first]), np.concatenate([second, second])
    assert _equal(found, nearby(ours, target, twice, _frequent(target), len(target.spans)))


def test_two_copies_of_one_function_each_get_a_reference_of_their_own() -> None:
    ours = _corpus({"a.py": WARP + WARP.replace("def warp", "def bend")})
    theirs = _corpus({"b.py": WARP + WARP.replace("def warp", "def fold")})
    found = _near(ours, theirs)
    assert sorted(found.pairs.reference[found.chosen].tolist()) == [0, 1]


def test_functions_without_candidates_are_not_among_the_chosen(fixtures: dict[str, Corpus]) -> None:
    ours, theirs = fixtures["rebadged"], fixtures["original"]
    found = nearby(ours, theirs, (np.array([3]), np.array([2])), NOTHING_FREQUENT, len(theirs.spans))
    assert found.pairs.suspect[found.chosen].tolist() == [3]
    for one in (ours, _corpus({})):
        nothing = nearby(one, theirs, (NO_NUMBERS, NO_NUMBERS), NOTHING_FREQUENT, len(theirs.spans))
        assert (len(nothing.chosen), len(nothing.is_believed), nothing.bases, nothing.link_bits) == (0, 0, {}, 0.0)
    assert len(nearby(ours, _corpus({}), (NO_NUMBERS, NO_NUMBERS), NOTHING_FREQUENT, 0).chosen) == 0


def test_a_function_that_computes_nothing_is_like_nothing() -> None:
    ours, theirs = _corpus({"a.py": "def f(): pass\n"}), _corpus({"b.py": "def g(): pass\n" + WARP})
    found = _near(ours, theirs)
    assert found.pairs.shared.tolist() == found.pairs.overlap.tolist() == [0, 0]
    assert not found.is_believed.any()


# --- texts ---------------------------------------------------------------------------------------------------


def _worded(corpus: Corpus, words: list[list[int]], forms: list[int]) -> Corpus:
    hashes = np.array([each for one in words for each in sorted(one)], np.uint16)
    runs = Runs(hashes, np.cumsum([0, *map(len, words)]))
    return replace(corpus, wordings=Wordings(runs, runs, np.array(forms), np.zeros(len(words), np.uint64)))


def test_texts_that_agree_settle_between_equal_flows() -> None:
    ours, theirs = _corpus({"a.py": WARP}), _corpus({"b.py": WARP, "c.py": WARP})
    by_flow = _near(ours, theirs)
    assert by_flow.pairs.reference[by_flow.chosen].tolist() == [0]
    words = [[1, 2, 3, 2**RUN_BITS - 1]], [[4, 5], [2, 3, 7, 2**RUN_BITS - 1]]
    by_text = _near(_worded(ours, words[0], [9]), _worded(theirs, words[1], [-1, 9]))
    assert by_text.pairs.reference[by_text.chosen].tolist() == [1]
    assert by_text.similarity.max() > by_flow.similarity.max()


def test_references_that_differ_only_in_names_do_not_compete() -> None:
    ours, theirs = _corpus({"a.py": WARP}), _corpus({"b.py": WARP, "c.py": WARP})
    apart, copies = (
        _near(_worded(ours, [[1]], [5]), _worded(theirs, [[1], [1]], forms)).similarity for forms in ([6, 7], [5, 5])
    )
    assert apart.min() < apart.max()
    assert copies.min() == copies.max() == apart.max()


def test_where_one_side_has_no_texts_they_agree_in_nothing() -> None:
    ours, theirs = _corpus({"a.py": WARP}), _corpus({"b.py": WARP})
    without = _near(ours, theirs).similarity
    assert _near(_worded(ours, [[1]], [5]), theirs).similarity == without
    assert _near(_worded(ours, [[1]], [5]), _worded(theirs, [[1]], [5])).similarity > without / (1 - WORDING)


def test_resemblance_of_runs_is_their_jaccard() -> None:
    one = Runs(np.array([1, 2, 3, 8], np.uint16), np.array([0, 3, 3, 4]))
    other = Runs(np.array([2, 3, 4, 5, 1], np.uint16), np.array([0, 4, 4, 5]))
    found = resemblances(one, other, np.array([0, 0, 1, 2, 0]), np.array([0, 1, 1, 2, 2]))
    assert found.tolist() == pytest.approx([2 / 5, 0, 0, 0, 1 / 3])


# --- what it needs, and what it withstands -------------------------------------------------------------------


def test_it_waits_for_numpy_and_for_nothing_heavier() -> None:
    heavy = ("scipy", "datasketch", "networkx", "libcst", "git", "rich", "typer", "tree_sitter", "multiprocessing")
    asked = f"import sys, detector.code.nearby; print(sorted(set(sys.modules) & {set(heavy)!r}))"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def _made(sizes: list[int], seed: int, path: str) -> Corpus:
    """Functions of so many shingles, the first ones the same for every seed."""
    parts = [mix(np.arange(size, dtype=np.uint64) + np.uint64(10**9 * number)) for number, size in enumerate(sizes)]
    for part in parts:
        part[len(part) // 2 :] += np.uint64(seed)
    shingles = Shingles(np.concatenate(parts), np.cumsum([0, *sizes]))
    spans = tuple(Span(path, f"f{number}", 1, 2) for number in range(len(sizes)))
    nothing = View(Shingles(np.zeros(0, np.uint64), np.zeros(1, np.int64)), np.zeros(0, np.int64))
    return Corpus(spans, ((),) * len(sizes), shingles, nothing, nothing, nothing, 1, ())


def test_a_function_of_a_hundred_thousand_shingles_costs_its_partners_no_more_than_they_have() -> None:
    ours, theirs = (_made([*[30] * 200, 100_000, 90_000], seed, path) for seed, path in ((1, "a.py"), (2, "b.py")))
    every = _every(ours, theirs)
    chosen = (every[0] >= 200) | (every[1] >= 200)
    tracemalloc.start()
    found = nearby(ours, theirs, (every[0][chosen], every[1][chosen]), NOTHING_FREQUENT, 1_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    large = (found.pairs.suspect == 200) & (found.pairs.reference == 200)
    assert found.pairs.common[large].tolist() == [50_000]
    small = found.pairs.suspect != found.pairs.reference
    assert not found.pairs.common[small].any()
    assert peak < 150e6  # the shingles of all those pairs would take 1.2 GB


def test_more_shingles_than_are_looked_up_at_once_are_all_counted() -> None:
    size = SHINGLES_TOGETHER // 10
    ours, theirs = _made([size] * 12, 1, "a.py"), _made([size] * 12, 2, "b.py")
    numbers = np.arange(12)
    found = nearby(ours, theirs, (numbers, numbers), NOTHING_FREQUENT, 100)
    assert found.pairs.common.tolist() == [size / 2] * 12


def test_many_callers_of_one_huge_helper_do_not_each_hold_it() -> None:
    count, size = 200, 100_000
    assert count * size > 2 * MOST_BESIDE
    made = _made([*[30] * count, size], 1, "a.py")
    laid = lay_out([made.shingles, made.shingles])
    calls = graph(count + 1, np.arange(count), np.full(count, count))
    one, _ = sides(laid, np.ones(len(laid.shingles)), (calls, calls), (count + 1, count + 1))
    inlined = one.inlined(np.ones(len(laid.shingles)), np.arange(count))
    assert inlined.totals[0] == size + 30
    assert inlined.totals[count - 1] == 30
    assert len(inlined.sets.numbers) <= MOST_BESIDE + 30 * count
