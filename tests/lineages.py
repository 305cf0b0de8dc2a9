"""Members, ties and whole lineages for tests, and strategies that make any of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

from hypothesis import strategies as st

from detector.lineage import lineage
from detector.scanned import Component, Descent, Lineage, Member, Standing, Tie

NAMES = ("hf:a/base", "hf:b/tuned", "hf:c/merged", "git:https://d.example/code", "e", "f")
HOSTILE = ("\x1b[31mred", "a\u202eb", "\ud800", "</script><svg onload=alert(1)>", "a|b`c`", "x" * 5000, "名" * 300)


def member(
    name: str, created: str = "", *declared: str, standing: Standing = Standing.DONE, modified: str = ""
) -> Member:
    return Member(name, "", created, modified, declared, standing)


def tie(
    one: str,
    other: str,
    distance: float,
    derived: str = "",
    *,
    component: Component = Component.WEIGHTS,
    shares: tuple[float, float] | None = None,
) -> Tie:
    return Tie(component, one, other, distance, derived, "noise" if derived else "", shares)


def placed(places: Mapping[str, Sequence[float]]) -> list[Tie]:
    """Ties of the weights of models that are points."""
    return [tie(one, other, math.dist(places[one], places[other])) for one, other in combinations(places, 2)]


def descents(found: Lineage) -> dict[str, Descent]:
    return {each.child: each for each in found.descents}


names = st.sampled_from(NAMES)
times = st.sampled_from(["", "2024-01-01", "2024-01-01T00:00:00Z", "2024-02-01T10:00:00.000Z", "2025-01-01", "soon"])
members = st.lists(
    st.builds(
        member,
        names,
        times,
        names,
        standing=st.sampled_from(Standing),
        modified=times,
    ),
    max_size=8,
    unique_by=lambda each: each.name,
)
ties = st.lists(
    st.builds(
        tie,
        names,
        names,
        st.sampled_from([0.0, 0.1, 0.100001, 0.3, 0.5, 0.9, 1.0, 2.0, -1.0, math.nan]),
        st.sampled_from(["", "hf:a/base", "hf:b/tuned", "nobody"]),
        component=st.sampled_from(Component),
        shares=st.sampled_from([None, (0.2, 0.5)]),
    ),
    max_size=20,
)


def hostile(name: str) -> Lineage:
    """A lineage in which strangers have chosen every text."""
    ones = [name, f"{name}2", f"{name}3"]
    found = [
        Member(each, name, "2024-01-01T00:00:00Z" if number else name, name, (f"{name}4",), Standing.DONE, name)
        for number, each in enumerate(ones)
    ]
    between = [Tie(Component.CODE, one, other, 0.25, other, name) for one, other in combinations(ones, 2)]
    return lineage(found, between)
