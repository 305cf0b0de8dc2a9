"""From a measured link to a relation and its strength."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.judge import Link, of_link, strength_of
from detector.model import Relation, Strength
from detector.settings import (
    DECLARED_SHARE,
    DERIVED_BITS,
    DERIVED_FUNCTIONS,
    DERIVED_SHARE,
    FEWEST_COMPARED_FUNCTIONS,
    IDENTICAL_SHARE,
    IDIOM_BITS,
    STRENGTH_BITS,
)

NOTHING = Link(
    bits=0.0,
    strong_functions=0,
    strong_bits=0.0,
    declared_bits=0.0,
    share_of_suspect=0.0,
    unchanged_share=0.0,
    suspect_functions=200,
    reference_functions=300,
)
COPY = replace(
    NOTHING, bits=9_000.0, strong_functions=40, strong_bits=8_000.0, share_of_suspect=0.6, unchanged_share=0.1
)
SCALE = list(Strength)

profile = settings(max_examples=200, derandomize=True, deadline=None, database=None)


@pytest.mark.parametrize(
    ("link", "relation", "strength"),
    [
        (NOTHING, Relation.INDEPENDENT, Strength.NONE),
        (COPY, Relation.DERIVED_UNDECLARED, Strength.VERY_STRONG),
        (replace(COPY, declared_bits=9_000.0), Relation.DERIVED_DECLARED, Strength.VERY_STRONG),
        (replace(COPY, unchanged_share=1.0), Relation.IDENTICAL, Strength.VERY_STRONG),
        # One large function that both took from somewhere.
        (
            replace(COPY, strong_functions=1, strong_bits=IDIOM_BITS + 1, bits=IDIOM_BITS + 1, share_of_suspect=0.01),
            Relation.SHARED_ANCESTOR,
            strength_of(IDIOM_BITS),
        ),
        # One small function that many write alike.
        (
            replace(COPY, strong_functions=1, strong_bits=40.0, bits=40.0, share_of_suspect=0.001),
            Relation.COMMON_IDIOM,
            Strength.WEAK,
        ),
        # The whole of a tiny suspect.
        (
            replace(
                COPY,
                suspect_functions=1,
                strong_functions=1,
                strong_bits=DERIVED_BITS,
                bits=DERIVED_BITS,
                share_of_suspect=0.9,
            ),
            Relation.DERIVED_UNDECLARED,
            strength_of(DERIVED_BITS),
        ),
    ],
)
def test_a_link_is_judged(link: Link, relation: Relation, strength: Strength) -> None:
    assert of_link(link) == (relation, strength)


@pytest.mark.parametrize("side", ["suspect_functions", "reference_functions"])
def test_too_little_to_compare_is_inconclusive(side: str) -> None:
    few = replace(NOTHING, **{side: FEWEST_COMPARED_FUNCTIONS - 1})
    enough = replace(NOTHING, **{side: FEWEST_COMPARED_FUNCTIONS})
    assert of_link(few) == (Relation.INCONCLUSIVE, Strength.NONE)
    assert of_link(enough) == (Relation.INDEPENDENT, Strength.NONE)


def test_a_small_side_that_does_match_is_judged_by_its_match() -> None:
    relation, strength = of_link(replace(COPY, reference_functions=1))
    assert (relation, strength) == (Relation.DERIVED_UNDECLARED, Strength.VERY_STRONG)


def test_weak_matches_alone_are_no_link() -> None:
    """Only what stands on its own links; any number of weaker matches does not."""
    assert of_link(replace(NOTHING, bits=1e6))[0] is Relation.INDEPENDENT


@pytest.mark.parametrize(
    ("field", "least"),
    [("strong_functions", DERIVED_FUNCTIONS), ("strong_bits", DERIVED_BITS), ("share_of_suspect", DERIVED_SHARE)],
)
def test_deriving_takes_breadth_weight_and_share(field: str, least: float) -> None:
    enough: dict[str, Any] = {field: least}
    short: dict[str, Any] = {field: least - (1 if isinstance(least, int) else least * 1e-6)}
    assert of_link(replace(COPY, **enough))[0] is Relation.DERIVED_UNDECLARED
    assert of_link(replace(COPY, **short))[0] in {Relation.SHARED_ANCESTOR, Relation.COMMON_IDIOM}


def test_what_is_declared_is_a_share_of_all_reported_bits() -> None:
    half = COPY.bits * DECLARED_SHARE
    assert of_link(replace(COPY, declared_bits=half))[0] is Relation.DERIVED_DECLARED
    assert of_link(replace(COPY, declared_bits=half - 1))[0] is Relation.DERIVED_UNDECLARED


def test_identical_leaves_room_for_a_changed_line_in_a_hundred_functions() -> None:
    assert of_link(replace(COPY, unchanged_share=IDENTICAL_SHARE))[0] is Relation.IDENTICAL
    assert of_link(replace(COPY, unchanged_share=IDENTICAL_SHARE - 0.01))[0] is Relation.DERIVED_UNDECLARED


def test_an_idiom_is_never_more_than_weak() -> None:
    idiom = replace(COPY, strong_functions=1, strong_bits=IDIOM_BITS - 0.1)
    ancestor = replace(COPY, strong_functions=1, strong_bits=IDIOM_BITS)
    assert of_link(idiom) == (Relation.COMMON_IDIOM, Strength.WEAK)
    assert of_link(ancestor)[0] is Relation.SHARED_ANCESTOR


def test_the_scale_rises_at_its_steps() -> None:
    steps = list(STRENGTH_BITS.values())
    assert steps == sorted(steps)
    assert list(STRENGTH_BITS) == [strength.value for strength in SCALE[1:]]
    assert strength_of(0) is Strength.NONE
    for strength, least in zip(SCALE[1:], steps, strict=True):
        assert strength_of(least) is strength
        assert SCALE.index(strength_of(least - 1e-6)) == SCALE.index(strength) - 1


links = st.builds(
    Link,
    bits=st.floats(0, 1e5),
    strong_functions=st.integers(0, 50),
    strong_bits=st.floats(0, 1e5),
    declared_bits=st.floats(0, 1e5),
    share_of_suspect=st.floats(0, 1),
    unchanged_share=st.floats(0, 1),
    suspect_functions=st.integers(0, 500),
    reference_functions=st.integers(0, 500),
)


@profile
@given(link=links, more=st.floats(0, 1e5))
def test_more_bits_never_lower_the_strength(link: Link, more: float) -> None:
    stronger = replace(link, bits=link.bits + more, strong_bits=link.strong_bits + more)
    assert SCALE.index(of_link(stronger)[1]) >= SCALE.index(of_link(link)[1])


@profile
@given(link=links, more=st.floats(0, 1e5), functions=st.integers(0, 50), share=st.floats(0, 1))
def test_more_likeness_never_makes_it_less_derived(link: Link, more: float, functions: int, share: float) -> None:
    order = [
        Relation.INCONCLUSIVE,
        Relation.INDEPENDENT,
        Relation.COMMON_IDIOM,
        Relation.SHARED_ANCESTOR,
        Relation.DERIVED_UNDECLARED,
        Relation.IDENTICAL,
    ]
    link = replace(link, declared_bits=0.0, bits=link.bits + 1)
    stronger = replace(
        link,
        strong_bits=link.strong_bits + more,
        strong_functions=link.strong_functions + functions,
        share_of_suspect=max(link.share_of_suspect, share),
    )
    assert order.index(of_link(stronger)[0]) >= order.index(of_link(link)[0])


@profile
@given(link=links)
def test_every_link_has_an_answer_and_only_a_link_has_strength(link: Link) -> None:
    relation, strength = of_link(link)
    is_linked = link.strong_functions > 0
    assert (relation in {Relation.INDEPENDENT, Relation.INCONCLUSIVE}) is not is_linked
    if not is_linked:
        assert strength is Strength.NONE
