"""Weights, scores and candidates, against the definitions spelled out in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.code import rarity
from detector.code.background import Background
from detector.code.callgraph import Calls as CallGraph
from detector.code.callgraph import graph
from detector.code.candidates import pairs
from detector.code.exclusive import Other, common, exclusive_bits
from detector.code.match import Weighted, weigh
from detector.code.pairs import Pairs
from detector.code.scoring import score
from detector.code.shingle import Shingles, mix
from detector.settings import CANDIDATES_PER_FUNCTION, LEAST_WEIGHT, LINKED_BITS, OWN_PART, SMALLEST_WORLD

Function = frozenset[int]
Calls = Sequence[Sequence[int]]

profile = settings(max_examples=50, derandomize=True, deadline=None, database=None)
functions = st.lists(st.frozensets(st.integers(0, 40), max_size=12), min_size=1, max_size=6)


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[Function], Calls]:
    """Functions, and for each of them those of the same side that it calls."""
    found = draw(functions)
    others = st.integers(0, len(found) - 1)
    calls = [sorted(draw(st.sets(others, max_size=2)) - {number}) for number in range(len(found))]
    return found, calls


def _shingles(side: Sequence[Function]) -> Shingles:
    """Spread the numbers over 64 bits, as hashes are."""
    numbers = np.array([number for function in side for number in sorted(function)], np.uint64)
    offsets = np.cumsum([0, *map(len, side)]).astype(np.int64)
    return Shingles(mix(numbers + np.uint64(1)), offsets)


def _graph(calls: Calls) -> CallGraph:
    rows = [row for row, called in enumerate(calls) for _ in called]
    columns = [column for called in calls for column in called]
    return graph(len(calls), np.array(rows, np.int64), np.array(columns, np.int64))


def _nobody(side: Sequence[Function]) -> Calls:
    return [()] * len(side)


def _weighed(
    ours: Sequence[Function], theirs: Sequence[Function], our_calls: Calls = (), their_calls: Calls = ()
) -> tuple[Weighted, Weighted, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    graphs = [_graph(our_calls or _nobody(ours)), _graph(their_calls or _nobody(theirs))]
    (one, other), weights = weigh([_shingles(ours), _shingles(theirs)], graphs)
    return one, other, weights


def _all_pairs(ours: Sequence[Function], theirs: Sequence[Function], *calls: Calls) -> Pairs:
    one, other, weights = _weighed(ours, theirs, *calls)
    first, second = np.divmod(np.arange(len(ours) * len(theirs)), len(theirs))
    return score(one, other, weights, first, second)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_published() -> Iterator[None]:
    """A background that knows none of the shingles of these tests, of 64 packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rarity, "background", _published)
        yield


def _published(*known: tuple[int, int]) -> Background:
    """64 packages, of which so many have the shingle of each of these numbers."""
    counts = {int(mix(np.array([number + 1], np.uint64))[0]): count for number, count in known}
    hashes = np.array(sorted(counts), np.uint64)
    return Background(hashes, np.array([counts[each] for each in sorted(counts)], np.uint8), 64)


MOST = math.log2(64)


def _here(functions: int, count: int) -> float:
    """The bits of a shingle that so many of the functions compared have, and no published package."""
    world = max(functions, SMALLEST_WORLD)
    return max(min(MOST, math.log2(world / count) * MOST / math.log2(SMALLEST_WORLD / 2)), LEAST_WEIGHT)


def _bits(*everybody: Sequence[Function]) -> dict[int, float]:
    """The weight of every shingle."""
    frequency = Counter(number for side in everybody for function in side for number in function)
    total = sum(map(len, everybody))
    return {number: _here(total, count) for number, count in frequency.items()}


def _weight(function: Function, bits: dict[int, float]) -> float:
    return sum(bits[number] for number in function)


def _jaccard(one: Function, other: Function, bits: dict[int, float]) -> float:
    union = _weight(one | other, bits)
    return _weight(one & other, bits) / union if union else 0.0


def _inlined(number: int, side: Sequence[Function], calls: Calls) -> Function:
    return side[number].union(*(side[called] for called in calls[number]))


# --- weights -------------------------------------------------------------------------------------------------


@profile
@given(ours=functions, theirs=functions)
def test_a_function_weighs_the_bits_of_its_shingles(ours: list[Function], theirs: list[Function]) -> None:
    bits = _bits(ours, theirs)
    one, other, _ = _weighed(ours, theirs)
    assert one.totals.tolist() == pytest.approx([_weight(function, bits) for function in ours])
    assert other.totals.tolist() == pytest.approx([_weight(function, bits) for function in theirs])


def test_in_a_large_world_the_number_of_functions_counts() -> None:
    ours = [frozenset({0, 1}), *[frozenset({0})] * (SMALLEST_WORLD - 1)]
    theirs = [frozenset({0, 1})] * 100 + [frozenset({0})] * (SMALLEST_WORLD - 100)
    _, other, _ = _weighed(ours, theirs)
    assert set(other.totals[100:]) == {LEAST_WEIGHT}  # what everybody has says hardly anything
    assert other.totals[0] == pytest.approx(LEAST_WEIGHT + _here(2 * SMALLEST_WORLD, 101))


@profile
@given(ours=functions, theirs=functions)
def test_a_weight_is_never_nothing_and_never_more_than_the_world_can_tell(
    ours: list[Function], theirs: list[Function]
) -> None:
    _, _, weights = _weighed(ours * 10, theirs * 10)
    assert (weights >= LEAST_WEIGHT).all()
    assert (weights <= MOST).all()


def test_what_many_publish_weighs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rarity, "background", lambda: _published((1, 16), (2, 64), (3, 3)))
    side = [frozenset({number}) for number in range(4)]
    one, _, _ = _weighed(side, [frozenset({9})])
    assert one.totals.tolist() == pytest.approx([MOST, 2, LEAST_WEIGHT, math.log2(64 / 3)])


def test_three_sides_are_weighed_together() -> None:
    shared, own = frozenset({1}), frozenset({2})
    crowd = [shared] * 300
    all_sides = [[shared], crowd, [shared, own]]
    weighted, _ = weigh([_shingles(side) for side in all_sides], [_graph(_nobody(side)) for side in all_sides])
    assert weighted[0].totals.tolist() == pytest.approx([_here(303, 302)])
    assert weighted[2].totals.tolist() == pytest.approx([_here(303, 302), MOST])


# --- scores --------------------------------------------------------------------------------------------------


@profile
@given(ours=functions, theirs=functions)
def test_scores_are_those_of_the_definitions(ours: list[Function], theirs: list[Function]) -> None:
    bits = _bits(ours, theirs)
    found = _all_pairs(ours, theirs)
    for position, (i, j) in enumerate(zip(found.suspect.tolist(), found.reference.tolist(), strict=True)):
        shared, own = _weight(ours[i] & theirs[j], bits), _weight(ours[i], bits)
        assert found.shared[position] == pytest.approx(shared)
        assert found.containment[position] == pytest.approx(shared / own if own else 0)
        assert found.overlap[position] == pytest.approx(_jaccard(ours[i], theirs[j], bits))


@profile
@given(one=sides(), other=sides())
def test_overlap_is_the_best_of_the_views_with_helpers_inlined(
    one: tuple[list[Function], Calls], other: tuple[list[Function], Calls]
) -> None:
    (ours, our_calls), (theirs, their_calls) = one, other
    bits = _bits(ours, theirs)
    found = _all_pairs(ours, theirs, our_calls, their_calls)
    for position, (i, j) in enumerate(zip(found.suspect.tolist(), found.reference.tolist(), strict=True)):
        shared = _weight(ours[i] & theirs[j], bits)
        # On the border itself rounding decides.
        own_parts = [shared - OWN_PART * _weight(side, bits) for side in (ours[i], theirs[j])]
        if any(abs(part) < 1e-9 for part in own_parts):
            continue
        left, right = [ours[i]], [theirs[j]]
        is_enough = shared >= LINKED_BITS
        if our_calls[i] and own_parts[0] > 0 and is_enough:
            left.append(_inlined(i, ours, our_calls))
        if their_calls[j] and own_parts[1] > 0 and is_enough:
            right.append(_inlined(j, theirs, their_calls))
        alone = _jaccard(ours[i], theirs[j], bits)
        best = max(_jaccard(x, y, bits) for x in left for y in right)
        # What a helper matches by itself as well is its match, not its caller's.
        helpers = [_jaccard(ours[each], theirs[j], bits) for each in our_calls[i]]
        helpers += [_jaccard(ours[i], theirs[each], bits) for each in their_calls[j]]
        if any(abs(best - each) < 1e-9 for each in helpers):
            continue
        assert found.overlap[position] == pytest.approx(best if best > max(helpers, default=0) else alone)
        assert found.own[position] == pytest.approx(shared)


@profile
@given(one=sides(), other=sides())
def test_ratios_stay_within_0_and_1_and_bits_within_both_functions(
    one: tuple[list[Function], Calls], other: tuple[list[Function], Calls]
) -> None:
    found = _all_pairs(one[0], other[0], one[1], other[1])
    ours, theirs, _ = _weighed(one[0], other[0])
    for ratios in (found.overlap, found.containment):
        assert ((ratios >= 0) & (ratios <= 1)).all()
    smaller = np.minimum(ours.totals[found.suspect], theirs.totals[found.reference])
    assert (found.own <= smaller + 1e-9).all()
    assert (found.shared >= found.own - 1e-9).all()


@profile
@given(one=sides(), other=sides())
def test_swapping_sides_keeps_similarity_and_bits(
    one: tuple[list[Function], Calls], other: tuple[list[Function], Calls]
) -> None:
    there = _all_pairs(one[0], other[0], one[1], other[1])
    back = _all_pairs(other[0], one[0], other[1], one[1])
    place = {
        pair: position for position, pair in enumerate(zip(back.reference.tolist(), back.suspect.tolist(), strict=True))
    }
    turned = [place[pair] for pair in zip(there.suspect.tolist(), there.reference.tolist(), strict=True)]
    assert there.overlap.tolist() == pytest.approx(back.overlap[turned].tolist())
    assert there.shared.tolist() == pytest.approx(back.shared[turned].tolist())


def test_a_part_is_contained_in_the_whole_and_not_the_other_way() -> None:
    whole, part = frozenset(range(20)), frozenset(range(5))
    there, back = _all_pairs([part], [whole]), _all_pairs([whole], [part])
    assert there.containment.tolist() == pytest.approx([1])
    assert back.containment.tolist() == pytest.approx([5 * _here(2, 2) / (5 * _here(2, 2) + 15 * _here(2, 1))])
    assert there.overlap.tolist() == pytest.approx(back.overlap.tolist())


def test_a_function_without_shingles_is_like_nothing_not_even_itself() -> None:
    empty: Function = frozenset()
    found = _all_pairs([empty, frozenset({1})], [empty, frozenset({1})])
    assert found.overlap.tolist() == [0, 0, 0, 1]
    assert found.containment.tolist() == [0, 0, 0, 1]


def test_a_helper_says_nothing_where_the_function_itself_has_no_part() -> None:
    """Two functions that only call the same helper are not alike."""
    helper = frozenset(range(100, 130))
    ours, theirs = [frozenset(range(10)), helper], [frozenset(range(20, 30)), helper]
    found = _all_pairs(ours, theirs, [[1], []], [[1], []])
    assert found.overlap.tolist() == [0, 0, 0, 1]


def test_a_lifted_out_helper_makes_the_rest_alike_again() -> None:
    whole, rest, helper = frozenset(range(20)), frozenset(range(10)), frozenset(range(10, 20))
    found = _all_pairs([rest, helper], [whole], [[1], []], [[]])
    assert found.overlap[0] == pytest.approx(1)
    assert found.overlap[1] < 0.6
    assert found.containment.tolist() == pytest.approx([1, 1])


def test_helpers_lifted_out_at_different_places_are_alike_together() -> None:
    ours, theirs = [frozenset(range(14)), frozenset(range(14, 20))], [frozenset(range(8)), frozenset(range(8, 20))]
    found = _all_pairs(ours, theirs, [[1], []], [[1], []])
    assert found.overlap[0] == pytest.approx(1)
    assert found.containment[0] == pytest.approx(1)
    assert found.own[0] < 0.7 * found.shared[0]


@profile
@given(ours=functions, theirs=functions, another=functions, third=functions, data=st.data())
def test_exclusive_is_what_no_other_reference_has(
    ours: list[Function], theirs: list[Function], another: list[Function], third: list[Function], data: st.DataObject
) -> None:
    everybody = [_shingles(side) for side in (ours, theirs, another, third)]
    (suspect, reference), weights = weigh(everybody[:2], [_graph(_nobody(side)) for side in (ours, theirs)])
    first = np.arange(len(ours))
    second = np.array([data.draw(st.integers(0, len(theirs) - 1)) for _ in ours], np.int64)
    best = [
        {i: data.draw(st.integers(0, len(side) - 1)) for i in first.tolist() if data.draw(st.booleans())}
        for side in (another, third)
    ]
    bits = _bits(ours, theirs)
    expected = 0.0
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        known = (side[chosen[i]] for side, chosen in zip((another, third), best, strict=True) if i in chosen)
        expected += _weight((ours[i] & theirs[j]).difference(*known), bits)
    found = score(suspect, reference, weights, first, second)
    shared = common(found, suspect, weights, everybody[0], everybody[1])
    others = [
        Other(side, np.array([chosen.get(i, -1) for i in first.tolist()], np.int64))
        for side, chosen in zip(everybody[2:], best, strict=True)
    ]
    exclusive = exclusive_bits(shared, others)
    assert exclusive == pytest.approx(expected, abs=1e-6)


# --- candidates ----------------------------------------------------------------------------------------------


def _candidates(ours: Sequence[Function], theirs: Sequence[Function]) -> Pairs:
    one, other, weights = _weighed(ours, theirs)
    return pairs(one, other, weights, _shingles(ours), _shingles(theirs))


def _couples(found: Pairs) -> list[tuple[int, int]]:
    return list(zip(found.suspect.tolist(), found.reference.tolist(), strict=True))


@profile
@given(ours=functions, theirs=functions)
def test_candidates_come_once_each_by_suspect(ours: list[Function], theirs: list[Function]) -> None:
    couples = _couples(_candidates(ours, theirs))
    assert couples == sorted(set(couples))


@profile
@given(ours=functions, theirs=functions)
def test_whoever_shares_most_bits_is_a_candidate(ours: list[Function], theirs: list[Function]) -> None:
    bits = _bits(ours, theirs)
    couples = _couples(_candidates(ours, theirs))
    for i, suspect in enumerate(ours):
        shared = [_weight(suspect & reference, bits) for reference in theirs]
        if max(shared) > 0:
            assert any(shared[j] == pytest.approx(max(shared)) for i_, j in couples if i_ == i)


def test_what_shares_nothing_is_no_candidate() -> None:
    assert _couples(_candidates([frozenset({1, 2})], [frozenset({3, 4}), frozenset()])) == []
    assert _couples(_candidates([frozenset()], [frozenset({3, 4}), frozenset()])) == []


def test_copies_are_candidates_in_a_crowd_of_strangers() -> None:
    crowd = [frozenset(range(100 * number, 100 * number + 30)) for number in range(1, 200)]
    ours = [frozenset(range(100 * number, 100 * number + 25)) for number in range(50, 60)]
    assert _couples(_candidates(ours, crowd)) == [(number, 49 + number) for number in range(10)]


def test_no_function_has_endless_candidates() -> None:
    """A family of near-copies: as many as are kept, the most alike among them."""
    family = [frozenset({*range(10), 1000 + number}) for number in range(60)]
    family[40] = frozenset(range(10))
    found = _candidates(
        [frozenset(range(10))], [frozenset({*each, *range(500, 540)}) for each in family[:40]] + family[40:]
    )
    assert 1 <= len(_couples(found)) <= CANDIDATES_PER_FUNCTION + 20  # the signatures add the nearest ones
    assert (0, 40) in _couples(found)


def test_candidates_are_scored_as_all_pairs_are() -> None:
    ours = [frozenset(range(start, start + 15)) for start in range(0, 60, 7)]
    theirs = [frozenset(range(start, start + 12)) for start in range(3, 60, 5)]
    everything = _all_pairs(ours, theirs)
    known = dict(zip(_couples(everything), everything.overlap.tolist(), strict=True))
    found = _candidates(ours, theirs)
    assert len(found.suspect) > 10
    assert [known[couple] for couple in _couples(found)] == pytest.approx(found.overlap.tolist())


def test_pairs_can_be_taken_out() -> None:
    found = _all_pairs([frozenset({1, 2}), frozenset({3})], [frozenset({1}), frozenset({3})])
    kept = found.take(found.shared > 0)
    assert _couples(kept) == [(0, 0), (1, 1)]
    assert kept.overlap.tolist() == [found.overlap[0], found.overlap[3]]
    assert found.take(np.array([3], np.int64)).containment.tolist() == [1]
