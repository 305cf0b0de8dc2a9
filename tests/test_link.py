"""Two levels of score: what is believed of a single function, given what links the two projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pytest
from scipy import sparse

from detector.code import link
from detector.code.callgraph import graph
from detector.code.link import Belief, believe, groups
from detector.code.match import Rows, Weighted
from detector.code.null import Null, null
from detector.code.pairs import Pairs, scores
from detector.model import Basis, Span
from detector.settings import FEWEST_REPORT_SHINGLES, LINKED_BITS, LOWERING_VERSION, PARTIAL_PART, REPORT_SCORE

FUNCTIONS = 1_000
LARGE = 400.0  # bits


@pytest.fixture(autouse=True)
def a_plain_null(monkeypatch: pytest.MonkeyPatch) -> None:
    """One function in s^2 reaches a score of s."""
    plain = Null(np.array([1.0, 1_000.0]), np.array([1.0, 1e-6]), 10**6, 100, np.full(20, 0.05))
    monkeypatch.setattr(link, "null", lambda: plain)


def _span(number: int, homes: Mapping[int, str]) -> Span:
    """A function of a file of its own, or of `path Class`."""
    path, _, klass = homes.get(number, f"{number}.py").partition(" ")
    return Span(path, f"{klass}.f{number}" if klass else f"f{number}", 1, 9)


def _side(calls: Sequence[tuple[int, int]] = ()) -> Weighted:
    shingles = np.full(FUNCTIONS, FEWEST_REPORT_SHINGLES)
    matrix = sparse.csr_matrix(
        (np.ones(shingles.sum()), np.zeros(shingles.sum(), np.int32), np.cumsum([0, *shingles])), shape=(FUNCTIONS, 1)
    )
    own = Rows(matrix, np.full(FUNCTIONS, 100.0), np.arange(FUNCTIONS, dtype=np.uint64))
    callers, called = np.array(calls, np.int64).reshape(-1, 2).T
    callees = graph(FUNCTIONS, callers, called)
    nothing = np.zeros(FUNCTIONS, bool)
    return Weighted(own, own, own, own, own, nothing, nothing, callees, np.zeros(1, np.uint64))


def _believed(
    found: Mapping[tuple[int, int], float],
    ours: Mapping[int, str] = {},
    theirs: Mapping[int, str] = {},
    calls: Sequence[tuple[int, int]] = (),
    bits: float = LARGE,
    agreement: float = 0.0,
) -> dict[int, Basis | None]:
    """What each suspect function's match rests on; found: (suspect, reference) -> score."""
    ends = sorted(found)
    suspect, reference = (np.array(side, np.int64) for side in zip(*ends, strict=True))
    shared = np.full(len(ends), bits)
    overlap = np.array([found[end] for end in ends]) / bits
    pairs = Pairs(suspect, reference, shared, shared, shared, overlap, overlap, overlap, np.zeros(len(ends)))
    spans = [[_span(number, homes) for number in range(FUNCTIONS)] for homes in (ours, theirs)]
    belief: Belief = believe(pairs, np.full(len(ends), agreement), spans[0], spans[1], _side(calls), _side())
    return dict(zip(suspect.tolist(), cast("list[Basis | None]", belief.bases.tolist()), strict=True))


def _strong(count: int) -> dict[tuple[int, int], float]:
    return {(number, number): REPORT_SCORE + 1 for number in range(count)}


WEAK = (900, 900)


def test_what_scores_high_stands_alone() -> None:
    assert _believed(_strong(1)) == {0: Basis.ALONE}
    assert _believed({(0, 0): REPORT_SCORE - 1}) == {0: None}


def test_two_strong_matches_link_nothing() -> None:
    homes = {0: "a.py K", 1: "a.py K", 900: "a.py K"}
    found = _believed(_strong(2) | {WEAK: 20.0}, homes, homes)
    assert found[900] is None


@pytest.mark.parametrize(("copied", "expected"), [(5, None), (600, Basis.PROJECT)])
def test_the_share_of_the_project_that_matches_decides_how_much_is_needed(copied: int, expected: Basis | None) -> None:
    assert _believed(_strong(copied) | {WEAK: 12.0})[900] is expected


def test_a_file_of_which_nothing_matches_is_no_part_of_what_was_copied() -> None:
    homes = dict.fromkeys(range(600), "a.py") | dict.fromkeys(range(895, 900), "new.py")
    alone, among = homes | {900: "b.py"}, homes | {900: "new.py"}
    assert _believed(_strong(600) | {WEAK: 12.0}, alone)[900] is Basis.PROJECT
    assert _believed(_strong(600) | {WEAK: 12.0}, among)[900] is None
    assert _believed(_strong(600) | {WEAK: 28.0}, among)[900] is Basis.PROJECT


def test_chance_is_no_share() -> None:
    """Of a thousand functions several reach a score that one in a hundred reaches: that is no link."""
    chance = {(number, number): 13.0 for number in range(10, 16)}
    assert _believed(_strong(3) | chance | {WEAK: 12.0})[900] is None


@pytest.mark.parametrize(("home", "basis"), [("a.py", Basis.FILE), ("a.py K", Basis.CLASS)])
def test_in_a_file_or_class_that_matches_little_is_needed(home: str, basis: Basis) -> None:
    homes = dict.fromkeys((*range(4), 900), home)
    assert _believed(_strong(4) | {WEAK: 12.0})[900] is None
    assert _believed(_strong(4) | {WEAK: 12.0}, homes, homes)[900] is basis


def test_of_several_that_are_enough_the_narrowest_is_told() -> None:
    homes = {number: "a.py K" if number < 6 or number == 900 else "a.py" for number in (*range(500), 900)}
    calls = [(0, 900)]
    found = _believed(_strong(500) | {(900, 0): 20.0}, homes, homes, calls)
    assert found[900] is Basis.CLASS


def test_names_that_agree_count_within_a_link_and_nothing_without() -> None:
    assert _believed(_strong(100) | {WEAK: 16.0})[900] is None
    assert _believed(_strong(100) | {WEAK: 16.0}, agreement=1.0)[900] is Basis.PROJECT
    assert _believed(_strong(2) | {WEAK: 16.0}, agreement=1.0)[900] is None


def test_a_match_into_another_file_gains_nothing() -> None:
    homes = dict.fromkeys((*range(4), 900), "a.py")
    assert _believed(_strong(4) | {WEAK: 12.0}, homes, dict.fromkeys(range(4), "b.py"))[900] is None


def test_one_match_makes_no_context() -> None:
    homes = dict.fromkeys((0, 900), "a.py")
    assert _believed(_strong(4) | {WEAK: 12.0}, homes, homes)[900] is None


def test_what_a_believed_function_calls_may_be_a_piece_of_it() -> None:
    assert _believed(_strong(4) | {(900, 2): 12.0}, calls=[(2, 900)])[900] is Basis.CALLER
    assert _believed(_strong(4) | {(900, 2): 12.0}, calls=[(3, 900)])[900] is None


def test_a_few_bits_are_never_believed() -> None:
    homes = dict.fromkeys((*range(4), 900), "a.py K")
    found = _believed({(number, number): LINKED_BITS / 2 for number in homes}, homes, homes, bits=LINKED_BITS - 0.1)
    assert set(found.values()) == {None}


def test_a_score_is_the_better_of_the_whole_and_a_part() -> None:
    ones = np.ones(2)
    pairs = Pairs(np.arange(2), np.arange(2), 100 * ones, ones, ones, np.array([0.5, 0.1]), ones, ones, 40 * ones)
    assert scores(pairs).tolist() == pytest.approx([50, PARTIAL_PART * 40])


def test_methods_belong_to_their_class_and_functions_to_their_file() -> None:
    spans = [Span("a", "f", 1, 1), Span("a", "C.f", 1, 1), Span("a", "C.g", 1, 1), Span("b", "C.f", 1, 1)]
    assert groups(spans, by_class=True).tolist() == [0, 1, 1, 2]
    assert groups(spans, by_class=False).tolist() == [0, 0, 0, 1]


# --- the null that ships -------------------------------------------------------------------------------------


def test_the_null_falls_with_the_score_and_says_what_it_was_measured_on() -> None:
    shipped = null()
    assert (np.diff(shipped.scores) > 0).all()
    assert (np.diff(shipped.rates) <= 0).all()
    assert 0 < shipped.rates[-1] < shipped.rates[0] < 1
    assert shipped.functions > 40_000
    assert shipped.comparisons >= 80


def test_the_place_of_a_score_lies_between_its_neighbours() -> None:
    shipped = null()
    between = np.sqrt(shipped.scores[5] * shipped.scores[6])
    low, place, high = shipped.rate(np.array([shipped.scores[5], between, shipped.scores[6]]))
    assert low >= place >= high
    assert shipped.rate(np.array([0.0])).tolist() == [1.0]
    assert shipped.rate(np.array([1e9])).tolist() == pytest.approx([shipped.rates[-1]])


def test_one_in_ten_thousand_reaches_what_stands_alone() -> None:
    assert null().rate(np.array([REPORT_SCORE]))[0] < 5e-4


def test_a_null_of_another_lowering_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.code.null.LOWERING_VERSION", LOWERING_VERSION + 1)
    with pytest.raises(ValueError, match="lowering"):
        null.__wrapped__()
