"""One reference function for each suspect function: by likeness and company, near ties without using any twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.code import assign as module
from detector.code.assign import assign
from detector.code.callgraph import Calls, graph
from detector.code.fitting import company, fit, name_agreement, neighbours, similarity
from detector.code.pairs import Pairs
from detector.compare import compare
from detector.model import Span
from detector.options import Options
from detector.settings import COMPANY_WEIGHT, FEW_SHINGLES, NEAR_FIT, NEAR_TIE, OTHER_SOURCE
from tests.repositories import ANNEAL, BEAMS, WARP, by_ends, repo

Score = tuple[int, int, float]  # suspect, reference, similarity

profile = settings(max_examples=150, derandomize=True, deadline=None, database=None)


def _pairs(scores: Sequence[Score], bits: Sequence[float] = ()) -> Pairs:
    ordered = sorted(range(len(scores)), key=lambda each: scores[each][:2])
    columns = np.array([scores[each] for each in ordered], float).reshape(-1, 3)
    shared = np.array([bits[each] if len(bits) else 100 * scores[each][2] for each in ordered], float)
    suspect, reference = columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64)
    return Pairs(suspect, reference, shared, shared, shared, columns[:, 2], columns[:, 2], columns[:, 2], shared)


def _chosen(scores: Sequence[Score], bits: Sequence[float] = ()) -> dict[int, int]:
    pairs = _pairs(scores, bits)
    positions = assign(pairs, pairs.overlap, *np.zeros((2, len(pairs.suspect))))
    assert pairs.suspect[positions].tolist() == sorted(set(pairs.suspect.tolist()))
    return dict(zip(pairs.suspect[positions].tolist(), pairs.reference[positions].tolist(), strict=True))


# --- which pair ----------------------------------------------------------------------------------------------


def test_every_suspect_gets_its_most_similar_reference() -> None:
    assert _chosen([(0, 0, 0.5), (0, 1, 0.9), (3, 0, 0.7), (3, 2, 0.2)]) == {0: 1, 3: 0}


def test_no_pairs_choose_nothing() -> None:
    assert len(assign(_pairs([]), np.zeros(0), *np.zeros((2, 0)))) == 0


def test_of_equals_the_one_that_shares_more_is_chosen_then_the_first() -> None:
    assert _chosen([(0, 0, 0.8), (0, 1, 0.8)], [10, 11]) == {0: 1}
    assert _chosen([(0, 4, 0.8), (0, 7, 0.8)], [10, 10]) == {0: 4}


@pytest.mark.parametrize("count", [2, 3, 7])
def test_twins_on_both_sides_are_paired_one_to_one(count: int) -> None:
    everyone = range(count)
    found = _chosen([(i, j, 1.0) for i in everyone for j in everyone])
    assert sorted(found) == sorted(found.values()) == list(everyone)


def test_a_near_tie_is_given_up_so_that_both_have_a_reference() -> None:
    close = 0.5 * NEAR_TIE + 0.01
    assert _chosen([(0, 0, 0.5), (0, 1, close), (1, 0, 0.5)]) == {0: 1, 1: 0}
    close = 0.95 - 0.05 * NEAR_FIT + 0.001
    assert _chosen([(0, 0, 0.95), (0, 1, close), (1, 0, 0.95)]) == {0: 1, 1: 0}


def test_what_is_clearly_best_is_not_given_up() -> None:
    apart = 0.5 * NEAR_TIE - 0.01
    assert _chosen([(0, 0, 0.5), (0, 1, apart), (1, 0, 0.5)]) == {0: 0, 1: 0}


def test_where_the_best_fits_nearly_wholly_little_tells_it_from_others() -> None:
    apart = 0.95 - 0.05 * NEAR_FIT - 0.001
    assert apart > 0.95 * NEAR_TIE
    assert _chosen([(0, 0, 0.95), (0, 1, apart), (1, 0, 0.95)]) == {0: 0, 1: 0}
    assert _chosen([(0, 0, 1.0), (0, 1, 0.999), (1, 0, 1.0)]) == {0: 0, 1: 0}


def test_the_sum_of_likeness_decides_among_near_ties() -> None:
    found = _chosen([(0, 0, 0.5), (0, 1, 0.49), (1, 0, 0.5), (1, 1, 0.46)])
    assert found == {0: 1, 1: 0}  # .99 against .96


def test_three_copies_of_one_function_share_it() -> None:
    assert _chosen([(0, 5, 1.0), (1, 5, 1.0), (2, 5, 1.0)]) == {0: 5, 1: 5, 2: 5}


def test_more_copies_than_references_use_each_at_least_once() -> None:
    found = _chosen([(i, j, 1.0) for i in range(5) for j in range(3)])
    assert set(found) == set(range(5))
    assert set(found.values()) == {0, 1, 2}


def test_a_chain_of_near_ties_is_settled_as_a_whole() -> None:
    chain = [(i, j, 0.5 - 0.01 * (j > i)) for i in range(20) for j in (i, i + 1)]
    assert _chosen(chain) == {i: i for i in range(20)}
    shifted = [*chain, (20, 0, 0.5)]  # takes the first one's place: everybody moves up
    found = _chosen(shifted)
    assert sorted(found.values()) == list(range(21))


scores = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    st.sampled_from([0.1, 0.25, 0.455, 0.475, 0.5, 0.95, 0.975, 1.0]),
    max_size=25,
)


def _least_tied(best: float) -> float:
    return max(NEAR_TIE * best, best - NEAR_FIT * (1 - best)) - 1e-9


@profile
@given(scores=scores)
def test_nobody_gets_what_is_not_nearly_its_best(scores: dict[tuple[int, int], float]) -> None:
    found = _chosen([(i, j, score) for (i, j), score in scores.items()])
    for i in {i for i, _ in scores}:
        best = max(score for (other, _), score in scores.items() if other == i)
        assert scores[i, found[i]] >= _least_tied(best)


@profile
@given(scores=scores)
def test_of_those_that_share_a_reference_one_at_most_had_a_free_one(scores: dict[tuple[int, int], float]) -> None:
    """The one that keeps it; whoever else shares it has nothing free that is nearly as good."""
    found = _chosen([(i, j, score) for (i, j), score in scores.items()])
    best = {i: max(score for (other, _), score in scores.items() if other == i) for i in found}
    free = {
        i: [j for (other, j), score in scores.items() if other == i and score >= _least_tied(best[i])] for i in found
    }
    for reference in set(found.values()):
        sharing = [i for i in found if found[i] == reference]
        with_choice = [i for i in sharing if not set(free[i]) <= set(found.values())]
        assert len(sharing) == 1 or len(with_choice) <= 1


@profile
@given(scores=scores)
def test_the_exact_and_the_greedy_matching_cover_the_same_suspects(scores: dict[tuple[int, int], float]) -> None:
    listed = [(i, j, score) for (i, j), score in scores.items()]
    exact = _chosen(listed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGEST_COMPONENT", 0)
        greedy = _chosen(listed)
    assert exact.keys() == greedy.keys()
    assert len(set(greedy.values())) <= len(listed)
    for i, j in greedy.items():
        assert scores[i, j] >= _least_tied(max(score for (other, _), score in scores.items() if other == i))


def test_a_component_too_large_for_the_exact_matching_is_still_one_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_COMPONENT", 3)
    found = _chosen([(i, j, 1.0) for i in range(6) for j in range(6)])
    assert sorted(found.values()) == list(range(6))


# --- company -------------------------------------------------------------------------------------------------


def _spans(*places: str) -> list[Span]:
    return [Span(path, qualname, 1, 2) for path, _, qualname in (place.partition(":") for place in places)]


def _calls(size: int, *edges: tuple[int, int]) -> Calls:
    rows, columns = [row for row, _ in edges], [column for _, column in edges]
    return graph(size, np.array(rows, np.int64), np.array(columns, np.int64))


def _company(
    scores: Sequence[Score], ours: list[Span], theirs: list[Span], sizes: Sequence[float], *edges: tuple[int, int]
) -> dict[tuple[int, int], float]:
    pairs = _pairs(scores)
    found = company(pairs, ours, theirs, np.array(sizes, float), _calls(len(ours), *edges))
    return dict(zip(zip(pairs.suspect.tolist(), pairs.reference.tolist(), strict=True), found.tolist(), strict=True))


def test_company_is_how_well_the_rest_of_the_class_matches() -> None:
    ours, theirs = _spans("a:A.one", "a:A.two", "a:A.three"), _spans("b:B.one", "b:B.two")
    found = _company([(0, 0, 0.5), (1, 1, 0.8), (2, 1, 0.4)], ours, theirs, [10, 30, 10])
    assert found[0, 0] == pytest.approx((0.8 * 30 + 0.4 * 10) / 40)
    assert found[1, 1] == pytest.approx((0.5 * 10 + 0.4 * 10) / 20)


def test_methods_of_other_classes_are_no_company() -> None:
    ours, theirs = _spans("a:A.one", "a:B.two"), _spans("b:X.one", "b:X.two")
    assert _company([(0, 0, 0.5), (1, 1, 1.0)], ours, theirs, [10, 10]) == {(0, 0): 0, (1, 1): 0}


def test_one_company_is_kept_with_one_class_of_the_reference() -> None:
    ours, theirs = _spans("a:A.one", "a:A.two"), _spans("b:X.one", "b:X.two", "b:Y.one")
    found = _company([(0, 0, 0.5), (0, 2, 0.5), (1, 1, 1.0)], ours, theirs, [10, 10])
    assert (found[0, 0], found[0, 2]) == (1, 0)


def test_free_functions_keep_the_company_of_their_file() -> None:
    ours, theirs = _spans("a:one", "a:two", "c:three"), _spans("b:one", "b:two")
    found = _company([(0, 0, 0.5), (1, 1, 0.7), (2, 1, 0.9)], ours, theirs, [10, 10, 10])
    assert found == {(0, 0): 0.7, (1, 1): 0.5, (2, 1): 0}


def test_a_function_alone_has_no_company_and_nothing_is_divided_by_zero() -> None:
    assert _company([(0, 0, 0.5)], _spans("a:one"), _spans("b:one"), [10]) == {(0, 0): 0}
    assert _company([(0, 0, 0.5)], _spans("a:one", "a:two"), _spans("b:one"), [0, 0]) == {(0, 0): 0}
    assert _company([], [], [], []) == {}


def test_a_piece_keeps_the_company_of_its_caller() -> None:
    """What was lifted out of a function is called by what is left of it, and both match the same reference."""
    ours, theirs = _spans("a:A.rest", "c:piece", "c:stranger"), _spans("b:whole")
    scores = [(0, 0, 0.8), (1, 0, 0.3), (2, 0, 0.3)]
    found = _company(scores, ours, theirs, [30, 10, 10], (0, 1))
    assert found[1, 0] == pytest.approx(0.8)
    assert found[2, 0] == pytest.approx(0.3)  # its file alone: the piece beside it


def test_the_best_of_several_callers_counts() -> None:
    ours, theirs = _spans("a:one", "b:two", "c:piece"), _spans("d:whole")
    found = _company([(0, 0, 0.4), (1, 0, 0.9), (2, 0, 0.2)], ours, theirs, [10, 10, 10], (0, 2), (1, 2))
    assert found[2, 0] == pytest.approx(0.9)


@profile
@given(
    scores=scores,
    homes=st.lists(st.sampled_from("AB"), min_size=14, max_size=14),
    sizes=st.lists(st.integers(0, 9), min_size=7, max_size=7),
)
def test_company_is_that_of_the_definition(
    scores: dict[tuple[int, int], float], homes: list[str], sizes: list[int]
) -> None:
    ours, theirs = (_spans(*(f"f:{home}.m{n}" for n, home in enumerate(part))) for part in (homes[:7], homes[7:]))
    found = _company([(i, j, score) for (i, j), score in scores.items()], ours, theirs, sizes)
    for (i, j), value in found.items():
        group = [other for other in range(7) if homes[other] == homes[i] and other != i]
        best = [
            max([score for (s, r), score in scores.items() if s == other and homes[7 + r] == homes[7 + j]], default=0)
            for other in group
        ]
        total = sum(sizes[other] for other in group)
        expected = sum(b * sizes[other] for b, other in zip(best, group, strict=True)) / total if total else 0
        assert value == pytest.approx(expected)


def test_of_a_file_all_others_are_neighbours() -> None:
    ours, theirs = _spans("a.py:K.f", "a.py:K.g", "a.py:L.f"), _spans("x.py:K.f", "x.py:M.g", "x.py:N.f")
    pairs = _pairs([(0, 0, 0.5), (1, 1, 0.8), (2, 2, 0.2)])
    sizes = np.array([10.0, 30.0, 10.0])
    assert neighbours(pairs, ours, theirs, sizes, by_class=True).tolist() == [0, 0, 0]
    found = neighbours(pairs, ours, theirs, sizes, by_class=False).tolist()
    assert found == pytest.approx([(0.8 * 30 + 0.2 * 10) / 40, (0.5 + 0.2) / 2, (0.5 * 10 + 0.8 * 30) / 40])


@pytest.mark.parametrize("bonus", ["names", "files"])
def test_names_and_files_decide_between_equals(bonus: str) -> None:
    pairs = _pairs([(0, 0, 0.9), (0, 1, 0.9)], [20, 10])
    given = {"names": np.zeros(2), "files": np.zeros(2), bonus: np.array([0.0, 1.0])}
    assert pairs.reference[assign(pairs, pairs.overlap, **given)].tolist() == [1]
    worse = _pairs([(0, 0, 0.9), (0, 1, 0.7)], [20, 10])
    assert worse.reference[assign(worse, worse.overlap, **given)].tolist() == [0]


def test_names_agree_by_halves() -> None:
    ours = _spans("a.py:Pool.glean", "a.py:Pool.forward", "b.py:glean", "b.py:Other.glean")
    theirs = _spans("x.py:Pool.glean", "b.py:forward")
    scores = [(i, j, 0.5) for i in range(4) for j in range(2)]
    found = name_agreement(_pairs(scores), ours, theirs).reshape(4, 2)
    assert found[:, 0].tolist() == [1, 0.5, 0.5, 0.5]
    # `forward` is what the framework prescribes; the file's name counts where there is no class.
    assert found[:, 1].tolist() == [0, 0, 0.5, 0]
    without = name_agreement(_pairs(scores), ours, theirs, of_files=False).reshape(4, 2)
    assert without[:, 1].tolist() == [0, 0, 0, 0]
    assert without[:, 0].tolist() == found[:, 0].tolist()


def test_company_only_ever_raises_the_fit() -> None:
    pairs = _pairs([(0, 0, 0.4), (1, 1, 1.0)], [1023, 1023])
    alone = fit(pairs, np.zeros(2))
    assert alone.tolist() == pytest.approx([0.4, 1.0], abs=1e-6)
    beside = fit(pairs, np.array([0.5, 0.5]))
    assert beside.tolist() == pytest.approx([0.4 + COMPANY_WEIGHT * 0.5 * 0.6, 1.0], abs=1e-6)


def test_what_shares_few_shingles_or_bits_fits_less() -> None:
    large, slight, trivial = fit(_pairs([(0, 0, 0.8), (1, 1, 0.8), (2, 2, 0.8)], [1023, 20, FEW_SHINGLES]), np.zeros(3))
    assert large > slight > trivial
    assert trivial == pytest.approx(0.4, rel=0.05)  # as many as count half


def test_a_pair_with_another_source_has_a_part_of_its_similarity() -> None:
    pairs = _pairs([(0, 0, 1.0), (0, 1, 0.9), (0, 2, 0.8), (1, 1, 0.7)])
    fits = np.array([1.0, 0.9, 0.8, 0.7])
    found = similarity(pairs, fits, np.arange(4), np.array([0, 3]))
    assert found.tolist() == pytest.approx([1.0, 0.9 * OTHER_SOURCE, 0.8 * OTHER_SOURCE, 0.7])


def test_copies_of_one_function_do_not_compete() -> None:
    pairs = _pairs([(0, 0, 1.0), (0, 1, 0.9), (0, 2, 0.95), (1, 0, 0.6), (1, 1, 0.7)])
    fits = np.array([1.0, 0.9, 0.95, 0.6, 0.7])
    found = similarity(pairs, fits, np.array([5, 5, 8, 5, 5]), np.array([0, 4]))
    assert found.tolist() == pytest.approx([1.0, 1.0, 0.95 * OTHER_SOURCE, 0.7, 0.7])


# --- on code -------------------------------------------------------------------------------------------------


def test_the_same_function_in_two_classes_is_matched_class_by_class() -> None:
    def text(*names: str) -> str:
        method = "    def shrink(self, x):\n        return x.mean(-1).clamp(0.25, 0.75).sqrt().log1p() * self.rate\n\n"
        others = (
            "    def spin(self, x):\n        return x.roll(3, 0).cumsum(1).diff() / x.norm(dim=1).exp()\n\n",
            "    def fold(self, x):\n        return x.unfold(1, 5, 2).amax(-1).topk(7).values.tanh().flip(0)\n\n",
        )
        return "".join(f"class {name}:\n{method}{other}\n" for name, other in zip(names, others, strict=True))

    mine, theirs = repo("mine", {"a.py": text("P", "Q")}), repo("theirs", {"b.py": text("Spin", "Fold")})
    report = compare(mine, [theirs], Options(min_similarity=0.5))
    found = {ours[1]: theirs[1] for ours, _, theirs in by_ends(report)}
    assert found == {
        "P.shrink": "Spin.shrink",
        "P.spin": "Spin.spin",
        "Q.shrink": "Fold.shrink",
        "Q.fold": "Fold.fold",
    }


@pytest.mark.parametrize("names", [{"warp": "a.py", "beams": "b.py"}, {"warp": "b.py", "beams": "a.py"}])
def test_of_equal_classes_in_two_files_each_goes_to_its_own(names: dict[str, str]) -> None:
    layer = (
        "\n\nclass Layer:\n    def __init__(self, width):\n        self.gain = width.log1p().cumsum(0)\n\n"
        "    def pool(self, x):\n        return x.unfold(1, 5, 2).amax(-1).topk(7).values.tanh().flip(0) * self.gain\n"
    )
    texts = {"warp": WARP, "beams": BEAMS}
    theirs = repo("theirs", {f"{name}.py": text + layer for name, text in texts.items()})
    mine = repo("mine", {names[name]: text + layer.replace("Layer", "Bed") for name, text in texts.items()})
    found = [(ours, theirs) for ours, _, theirs in by_ends(compare(mine, [theirs])) if "Bed" in ours[1]]
    assert len(found) == 4
    assert all(ours[0] == names[theirs[0].removesuffix(".py")] for ours, theirs in found)


def test_a_function_copied_three_times_gives_three_matches() -> None:
    copies = {f"{name}.py": WARP.replace("def warp", f"def {name}") for name in ("one", "two", "three")}
    report = compare(repo("mine", copies), [repo("theirs", {"b.py": WARP + BEAMS})])
    found = [(ours[1], theirs[1]) for ours, _, theirs in by_ends(report)]
    assert sorted(found) == [("one", "warp"), ("three", "warp"), ("two", "warp")]


def test_two_equal_functions_on_both_sides_are_each_used_once() -> None:
    twice = {"one.py": ANNEAL, "two.py": ANNEAL.replace("anneal", "decay")}
    other = {"x.py": ANNEAL.replace("anneal", "cool"), "y.py": ANNEAL.replace("anneal", "fade")}
    report = compare(repo("mine", twice), [repo("theirs", other)])
    assert sorted(theirs[1] for _, _, theirs in by_ends(report)) == ["cool", "fade"]


PIECES = WARP.replace("def warp", "def place").split("    grid = ")[0] + (
    "    return rows, columns\n\n"
    "def bend(frames, field, scale):\n"
    "    rows, columns = place(frames, field, scale)\n"
    "    grid = torch.stack((columns, rows), dim=-1) + field.permute(0, 2, 3, 1) * scale\n"
    "    return torch.nn.functional.grid_sample(frames, grid.clamp(-1.25, 1.25), align_corners=False)\n"
)


def test_a_lifted_out_piece_shares_the_reference_with_its_caller() -> None:
    mine = repo("mine", {"a.py": PIECES, "anneal.py": ANNEAL, "beams.py": BEAMS})
    report = compare(mine, [repo("theirs", {"b.py": WARP, "c.py": ANNEAL, "d.py": BEAMS})], Options(min_bits=1))
    found = {ours[1]: (theirs[1], match.similarity) for (ours, _, theirs), match in by_ends(report).items()}
    assert found["place"][0] == found["bend"][0] == "warp"
    assert found["bend"][1] > 0.75  # with the piece inlined it is nearly all there again
