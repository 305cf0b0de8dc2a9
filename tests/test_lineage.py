"""Who derives from whom: trees of least distance, directions, mixtures, families, and what is declared."""

from __future__ import annotations

import math
import random
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import lineage as planted
from detector.lineage import around, lineage
from detector.lineage.arborescence import arborescence
from detector.lineage.dates import Born, born
from detector.scanned import Component, Lineage, Member, Standing, Tie
from detector.settings.lineage import LARGE_FAMILY
from tests import lineages
from tests.lineages import descents, member, placed, tie

OLD, MIDDLE, NEW = "2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z", "2025-01-01T00:00:00Z"


# --- the tree ---


@given(
    st.integers(1, 9).flatmap(
        lambda nodes: st.tuples(
            st.just(nodes), st.lists(st.tuples(st.integers(0, 6), st.integers(1, nodes), st.integers(1, nodes)))
        )
    )
)
@settings(deadline=None)
def test_the_tree_costs_as_much_as_the_one_that_networkx_finds(
    given_arcs: tuple[int, list[tuple[int, int, int]]],
) -> None:
    nodes, some = given_arcs
    arcs = [arc for arc in some if arc[1] != arc[2]] + [(5, 0, node) for node in range(1, nodes + 1)]
    graph = nx.DiGraph()
    for cost, parent, child in sorted(arcs, reverse=True):
        graph.add_edge(parent, child, weight=cost)
    parents = arborescence(nodes, arcs)
    assert nx.is_arborescence(nx.DiGraph((parent, child) for child, parent in parents.items()))
    least = sum(data["weight"] for *_, data in nx.minimum_spanning_arborescence(graph).edges(data=True))
    assert sum(graph[parent][child]["weight"] for child, parent in parents.items()) == least


def test_each_member_hangs_below_the_nearest_that_is_older() -> None:
    members = [member("base", OLD), member("tuned", MIDDLE), member("again", NEW)]
    found = descents(
        lineage(members, [tie("base", "tuned", 0.1), tie("tuned", "again", 0.1), tie("base", "again", 0.14)])
    )
    assert found["tuned"].parents == ("base",)
    assert found["again"].parents == ("tuned",)
    assert {each.by for each in found.values()} == {"date"}


def test_without_dates_noise_or_declarations_the_direction_is_open_and_the_step_is_there() -> None:
    (found,) = lineage([member("b"), member("a")], [tie("b", "a", 0.2)]).descents
    assert (found.child, found.parents, found.is_decided, found.by) == ("b", ("a",), False, "")


@pytest.mark.parametrize("times", [(OLD, OLD), ("2024-01-01", "2024-01-01T12:00:00Z"), ("soon", "later"), ("", OLD)])
def test_dates_that_are_equal_or_tell_nothing_decide_nothing(times: tuple[str, str]) -> None:
    one, other = times
    (found,) = lineage([member("a", one), member("b", other)], [tie("a", "b", 0.2)]).descents
    assert not found.is_decided


def test_what_was_changed_for_the_last_time_before_another_was_created_is_older() -> None:
    (found,) = lineage([member("a", NEW), member("b", modified=OLD)], [tie("a", "b", 0.2)]).descents
    assert (found.child, found.by) == ("a", "date")


def test_noise_tells_more_than_dates_and_dates_that_speak_against_it_are_told() -> None:
    (found,) = lineage([member("a", NEW), member("b", OLD)], [tie("a", "b", 0.2, derived="b")]).descents
    assert (found.child, found.by, found.against, found.why) == ("b", "measure", ("date",), "noise")


def test_dates_tell_more_than_what_is_declared() -> None:
    (found,) = lineage([member("a", OLD, "b"), member("b", NEW)], [tie("a", "b", 0.2)]).descents
    assert (found.child, found.by, found.against, found.declaration) == ("b", "date", ("declaration",), "contradicted")


def test_a_declaration_tells_the_direction_where_nothing_else_does() -> None:
    (found,) = lineage([member("a", "", "b"), member("b")], [tie("a", "b", 0.2)]).descents
    assert (found.child, found.by, found.declaration) == ("a", "declaration", "declared")


def test_two_that_declare_each_other_are_open() -> None:
    (found,) = lineage([member("a", "", "b"), member("b", "", "a")], [tie("a", "b", 0.2)]).descents
    assert not found.is_decided


def test_a_step_is_told_where_it_lies_between_others_that_are_told() -> None:
    """Whatever stands on top: the one between them is above the younger, or it is below the older."""
    members = [member("old", OLD), member("between"), member("young", NEW)]
    found = descents(
        lineage(members, [tie("old", "between", 0.1), tie("between", "young", 0.1), tie("old", "young", 0.14)])
    )
    assert (found["young"].parents, found["young"].by) == (("between",), "position")
    assert not found["between"].is_decided


def test_what_hangs_below_a_told_step_is_told() -> None:
    members = [member("a", OLD), member("b", NEW), member("c")]
    found = descents(lineage(members, [tie("a", "b", 0.1), tie("b", "c", 0.1), tie("a", "c", 0.14)]))
    assert (found["c"].parents, found["c"].by) == (("b",), "position")


def test_hints_that_go_round_in_a_circle_give_a_tree_all_the_same() -> None:
    ties = [tie("a", "b", 0.1, "b"), tie("b", "c", 0.1, "c"), tie("a", "c", 0.2, "a")]
    found = lineage([member(name) for name in "abc"], ties)
    assert {each.child: each.parents for each in found.descents} == {"b": ("a",), "c": ("b",)}
    assert len(found.ties) == 3


def test_of_equally_near_parents_the_declared_one_counts_then_the_one_from_which_all_come() -> None:
    ties = [tie("base", "copy", 0.0), tie("base", "tuned", 0.2), tie("copy", "tuned", 0.2)]
    own = [member("base", OLD), member("copy", MIDDLE)]
    assert descents(lineage([*own, member("tuned", NEW)], ties))["tuned"].parents == ("base",)
    assert descents(lineage([*own, member("tuned", NEW, "copy")], ties))["tuned"].parents == ("copy",)


def test_what_is_nearer_by_less_than_measures_tell_comes_from_where_both_come_from() -> None:
    ties = [tie("base", "cast", 0.002, "cast"), tie("base", "tuned", 0.2001), tie("cast", "tuned", 0.2)]
    members = [member("base"), member("cast", OLD), member("tuned", NEW)]
    assert descents(lineage(members, ties))["tuned"].parents == ("base",)


def test_ties_of_strangers_with_oneself_and_of_nothing_are_left_out() -> None:
    ties = [tie("a", "nobody", 0.1), tie("a", "a", 0.1), tie("a", "b", 1.0), tie("a", "b", math.nan)]
    found = lineage([member("a"), member("b")], ties)
    assert not found.descents
    assert not found.ties
    assert not found.families


def test_who_has_no_name_is_no_member() -> None:
    assert not lineage([member(""), member("a")], [tie("", "a", 0.1)]).descents


def test_of_several_ties_of_a_pair_the_nearest_counts_and_they_tell_a_direction_only_together() -> None:
    members = [member("a"), member("b")]
    (found,) = lineage(members, [tie("a", "b", 0.3, "b"), tie("b", "a", 0.2)]).descents
    assert (found.distance, found.child, found.by) == (0.2, "b", "measure")
    (found,) = lineage(members, [tie("a", "b", 0.3, "b"), tie("b", "a", 0.2, "a")]).descents
    assert not found.is_decided


def test_components_are_told_apart() -> None:
    ties = [tie("a", "b", 0.2), tie("a", "c", 0.3, component=Component.CODE)]
    found = lineage([member("a", OLD), member("b", NEW), member("c", NEW)], ties)
    assert [(each.component, each.child) for each in found.descents] == [
        (Component.CODE, "c"),
        (Component.WEIGHTS, "b"),
    ]


@given(lineages.members, lineages.ties, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_members_and_ties_changes_nothing(
    members: list[Member], ties: list[Tie], dice: random.Random
) -> None:
    found = lineage(members, ties)
    others, between = list(members), list(ties)
    dice.shuffle(others)
    dice.shuffle(between)
    assert lineage(others, between) == found


@given(lineages.members, lineages.ties)
@settings(deadline=None)
def test_everybody_has_one_descent_in_a_component_at_most_and_nobody_is_above_itself(
    members: list[Member], ties: list[Tie]
) -> None:
    found = lineage(members, ties)
    for component in Component:
        own = [each for each in found.descents if each.component is component]
        assert len({each.child for each in own}) == len(own)
        graph = nx.DiGraph((parent, each.child) for each in own for parent in each.parents)
        assert nx.is_directed_acyclic_graph(graph)
        tied = {frozenset((each.one, each.other)) for each in found.ties if each.component is component}
        assert all(frozenset((each.child, parent)) in tied for each in own for parent in each.parents)
        assert all(len(each.shares) == len(each.parents) for each in own)


@pytest.mark.parametrize("seed", [0, 5, 23, 48])
def test_planted_families_are_told_exactly(seed: int) -> None:
    made = planted.planted(seed)
    counts = planted.outcomes(made, lineage(made.members(), list(planted.ties(made.models))))
    assert counts["told"] == counts["tellable"] > 20
    assert counts["left open"] == counts["open"]
    assert (counts["joined"], counts["mixtures told"], counts["mixtures made up"]) == (0, 1, 0)


# --- dates ---


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-05-28T00:30:32Z", "2024-05-28T00:30:32", "2024-05-28T00:30:32"),
        ("2024-05-28T00:30:32.123Z", "2024-05-28T00:30:32", "2024-05-28T00:30:32"),
        ("2024-05-28T00:30+00:00", "2024-05-28T00:30:00", "2024-05-28T00:30:59"),
        ("2024-05-28", "2024-05-28T00:00:00", "2024-05-28T23:59:59"),
        ("2024-05-28T00:30:32+02:00", "", "~"),
        ("yesterday", "", "~"),
    ],
)
def test_times_are_read_as_far_as_they_are_told(text: str, first: str, last: str) -> None:
    assert born(member("a", text)) == Born(first, last)


# --- mixtures ---


def test_a_mixture_has_all_its_parents_and_their_shares() -> None:
    points = {"base": (0.0, 0.0), "one": (0.3, 0.0), "other": (0.0, 0.3), "mixed": (0.2, 0.1)}
    dates = {"base": OLD, "one": MIDDLE, "other": MIDDLE, "mixed": NEW}
    found = descents(lineage([member(name, dates[name]) for name in points], placed(points)))
    assert found["mixed"].parents == ("one", "other")
    assert found["mixed"].shares == pytest.approx((2 / 3, 1 / 3))
    assert found["one"].parents == found["other"].parents == ("base",)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_mixture_of_up_to_five_is_told(count: int) -> None:
    def axis(number: int, size: float) -> list[float]:
        return [size * (place == number) for place in range(count)]

    points = {"base": axis(-1, 0.0), "mixed": [0.3 / count] * count} | {f"p{n}": axis(n, 0.3) for n in range(count)}
    dates = {"base": OLD, "mixed": NEW}
    found = descents(lineage([member(name, dates.get(name, MIDDLE)) for name in points], placed(points)))
    assert set(found["mixed"].parents) == {f"p{n}" for n in range(count)}
    assert found["mixed"].shares == pytest.approx([1 / count] * count)


def test_a_step_of_training_is_no_mixture() -> None:
    points = {"base": (0.0, 0.0, 0.0), "one": (0.3, 0.0, 0.0), "next": (0.3, 0.2, 0.0), "last": (0.3, 0.2, 0.1)}
    dates = dict(zip(points, ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], strict=True))
    found = descents(lineage([member(name, dates[name]) for name in points], placed(points)))
    assert [found[name].parents for name in ("one", "next", "last")] == [("base",), ("one",), ("next",)]


def test_what_lies_between_two_without_dates_may_be_a_step_on_the_way_and_has_one_parent() -> None:
    points = {"a": (0.0,), "b": (0.1,), "c": (0.2,)}
    assert all(len(each.parents) == 1 for each in lineage([member(name) for name in points], placed(points)).descents)


def test_what_comes_from_a_mixture_hangs_below_it_and_what_it_comes_from_does_not() -> None:
    points = {
        "base": (0.0, 0.0, 0.0),
        "one": (0.3, 0.0, 0.0),
        "other": (0.0, 0.3, 0.0),
        "mixed": (0.15, 0.15, 0.0),
        "child": (0.15, 0.15, 0.05),
    }
    dates = {"one": MIDDLE, "other": MIDDLE, "mixed": NEW}  # the base and the child have none
    found = descents(lineage([member(name, dates.get(name, "")) for name in points], placed(points)))
    assert found["mixed"].parents == ("one", "other")
    assert found["child"].parents == ("mixed",)
    assert all("mixed" not in each.parents for name, each in found.items() if name != "child")


def test_code_of_two_that_have_nothing_in_common_is_mixed_of_both() -> None:
    members = [member("vision", OLD), member("language", OLD), member("both", NEW)]
    between = [
        tie("both", "language", 0.8, component=Component.CODE, shares=(0.6, 0.2)),
        tie("both", "vision", 0.7, component=Component.CODE, shares=(0.3, 0.9)),
    ]
    (found,) = lineage(members, between).descents
    assert (found.parents, found.shares) == (("language", "vision"), (0.6, 0.3))


# --- families ---


def _bunch(name: str, count: int) -> tuple[list[Member], list[Tie]]:
    names = [f"{name}{number:03}" for number in range(count)]
    return [member(each) for each in names], [tie(one, other, 0.1) for one, other in combinations(names, 2)]


def test_members_that_hang_together_are_a_family_and_the_largest_comes_first() -> None:
    (few, between), (many, among) = _bunch("a", 2), _bunch("b", 3)
    found = lineage([*few, *many, member("alone")], [*between, *among])
    assert [each.members for each in found.families] == [("b000", "b001", "b002"), ("a000", "a001")]
    assert all(len(each.roots) == 1 for each in found.families)


def test_a_large_part_is_cut_where_it_hangs_together_least() -> None:
    size = LARGE_FAMILY // 2 + 5
    (one, between), (other, among) = _bunch("a", size), _bunch("b", size)
    found = lineage([*one, *other], [*between, *among, tie("a000", "b000", 0.9)])
    assert [len(each.members) for each in found.families] == [size, size]
    assert {each.members[0][0] for each in found.families} == {"a", "b"}


def test_nobody_is_a_family_of_one() -> None:
    members, between = _bunch("a", LARGE_FAMILY + 5)
    tails = [tie(f"a{number:03}", f"tail{number}", 0.95) for number in range(5)]
    found = lineage([*members, *(member(f"tail{number}") for number in range(5))], [*between, *tails])
    assert min(len(each.members) for each in found.families) > 1
    assert sum(len(each.members) for each in found.families) == LARGE_FAMILY + 10


# --- declarations ---

STORY = [tie("base", "tuned", 0.1), tie("tuned", "copy", 0.1), tie("base", "copy", 0.14)]


def _copy(*declared: str, others: list[Member] | None = None) -> tuple[str, Lineage]:
    members = [member("base", OLD), member("tuned", MIDDLE, "base"), member("copy", NEW, *declared), *(others or [])]
    found = lineage(members, STORY)
    return descents(found)["copy"].declaration, found


def test_who_names_a_parent_declares_it() -> None:
    assert _copy("tuned")[0] == "declared"


@pytest.mark.parametrize("declared", [(), ("base",), ("nobody",)])
def test_who_names_nobody_or_somebody_further_up_or_somebody_who_is_not_scanned_does_not_declare(
    declared: tuple[str, ...],
) -> None:
    assert _copy(*declared)[0] == "undeclared"


def test_who_names_somebody_with_whom_it_has_nothing_in_common_is_contradicted() -> None:
    declaration, found = _copy("other", others=[member("other", OLD)])
    assert declaration == "contradicted"
    assert [(each.member, each.declared, each.why) for each in found.unconfirmed] == [
        ("copy", "other", "nothing in common")
    ]


@pytest.mark.parametrize("standing", [Standing.GATED, Standing.VANISHED, Standing.FAILED, Standing.WAITING])
def test_what_was_not_looked_at_contradicts_nothing_and_is_told(standing: Standing) -> None:
    declaration, found = _copy("other", others=[member("other", standing=standing)])
    assert declaration == "undeclared"
    assert [each.why for each in found.unconfirmed] == [standing.value]


def test_a_base_that_is_confirmed_in_one_component_contradicts_in_none() -> None:
    members = [member("base", OLD), member("code", OLD), member("copy", NEW, "base")]
    ties = [tie("base", "copy", 0.1), tie("code", "copy", 0.3, component=Component.CODE)]
    assert [each.declaration for each in lineage(members, ties).descents] == ["undeclared", "declared"]


def test_a_declared_base_that_is_not_scanned_is_told() -> None:
    assert [each.why for each in _copy("nobody")[1].unconfirmed] == ["not scanned"]


# --- parts ---


def test_the_part_around_a_member_has_what_is_above_and_below_and_nobody_beside() -> None:
    points = {"base": (0.0, 0.0), "one": (0.3, 0.0), "other": (0.0, 0.3), "below": (0.3, 0.1)}
    dates = {"base": OLD, "one": MIDDLE, "other": MIDDLE, "below": NEW}
    found = around.of_member(lineage([member(name, dates[name]) for name in points], placed(points)), "one")
    assert [each.name for each in found.members] == ["base", "below", "one"]
    assert [each.child for each in found.descents] == ["below", "one"]
    assert [each.members for each in found.families] == [("base", "below", "one")]


def test_the_part_of_one_component_has_no_other() -> None:
    whole = lineage([member("a"), member("b")], [tie("a", "b", 0.1), tie("a", "b", 0.1, component=Component.CODE)])
    found = around.of_component(whole, Component.CODE)
    kinds = {each.component for some in (found.descents, found.families, found.ties) for each in some}
    assert kinds == {Component.CODE}
