"""From a measured link to a relation and its strength."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.judge import DECLARATIONS, Link, judge, nearest_reference, of_link, strength_of
from detector.model import Attribution, Evidence, Relation, Strength
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


# --- with what stands beside the code -----------------------------------------------------------------------------

ANCESTOR = replace(COPY, strong_functions=2, strong_bits=IDIOM_BITS + 1, bits=IDIOM_BITS + 1, share_of_suspect=0.01)
MODERATE, STRONG = Strength.MODERATE, Strength.STRONG


def _line(pattern: str, strength: Strength, reference: str = "theirs") -> Evidence:
    kind, name = pattern.split("/")
    return Evidence(kind, name, reference, strength, "claim", "innocent")


BLOBS, TOKENS, TENSORS, DANGLING = (
    _line(pattern, MODERATE)
    for pattern in (
        "history/same-blobs",
        "tokenizer/same-changes",
        "structure/same-tensors",
        "dangling/missing-module",
    )
)


@pytest.mark.parametrize(
    ("link", "lines", "relation", "strength"),
    [
        (NOTHING, [], Relation.INDEPENDENT, Strength.NONE),
        (None, [], Relation.INCONCLUSIVE, Strength.NONE),
        # One cluster that is moderate points to a source in common; two to a derivation.
        (NOTHING, [TOKENS], Relation.SHARED_ANCESTOR, MODERATE),
        (None, [TOKENS], Relation.SHARED_ANCESTOR, MODERATE),
        (NOTHING, [TOKENS, BLOBS], Relation.DERIVED_UNDECLARED, MODERATE),
        # One kind by itself is a common source, such as a base model, however strong it is; but for a shared history.
        (None, [replace(TOKENS, strength=STRONG)], Relation.SHARED_ANCESTOR, STRONG),
        (None, [replace(BLOBS, strength=STRONG)], Relation.DERIVED_UNDECLARED, STRONG),
        (ANCESTOR, [TOKENS], Relation.DERIVED_UNDECLARED, MODERATE),
        (NOTHING, [replace(TOKENS, strength=Strength.WEAK)], Relation.COMMON_IDIOM, Strength.WEAK),
        # Two lines of one cluster depend on each other.
        (NOTHING, [TOKENS, TENSORS], Relation.SHARED_ANCESTOR, MODERATE),
        # A name that leads elsewhere is no likeness by itself, but counts for its cluster.
        (NOTHING, [DANGLING], Relation.COMMON_IDIOM, Strength.WEAK),
        (NOTHING, [DANGLING, TOKENS], Relation.DERIVED_UNDECLARED, MODERATE),
        # Traces hang on the code: alone they tell nothing of the relation.
        (NOTHING, [_line("traces/same-comment", MODERATE)], Relation.INDEPENDENT, Strength.NONE),
        (COPY, [_line("code/renamed-function", Strength.VERY_STRONG), TOKENS], Relation.DERIVED_UNDECLARED, SCALE[-1]),
    ],
)
def test_lines_beside_the_code_raise_a_relation_only_together_or_by_a_shared_history(
    link: Link | None, lines: list[Evidence], relation: Relation, strength: Strength
) -> None:
    verdict = judge(link, lines)
    assert (verdict.relation, verdict.strength) == (relation, strength)


@pytest.mark.parametrize("name", sorted(DECLARATIONS))
def test_what_is_declared_makes_a_derivation_a_declared_one_and_nothing_else(name: str) -> None:
    declared = _line(f"declared/{name}", Strength.NONE)
    code = _line("code/renamed-function", Strength.VERY_STRONG)
    assert judge(COPY, [code, declared]).relation is Relation.DERIVED_DECLARED
    assert judge(replace(COPY, unchanged_share=1.0), [code, declared]).relation is Relation.DERIVED_DECLARED
    assert judge(NOTHING, [declared]).relation is Relation.INDEPENDENT
    assert judge(ANCESTOR, [declared]).relation is Relation.SHARED_ANCESTOR


def test_of_each_cluster_the_strongest_line_speaks_and_nothing_is_multiplied() -> None:
    code = [_line("code/same-function", Strength.NONE), _line("code/renamed-function", Strength.WEAK)]
    verdict = judge(COPY, [*code, BLOBS, TOKENS, TENSORS])
    assert [(each.name, each.strength, each.line) for each in verdict.clusters] == [
        ("text", Strength.VERY_STRONG, "code/renamed-function"),
        ("checkpoint", MODERATE, "tokenizer/same-changes"),
    ]
    assert verdict.strength is Strength.VERY_STRONG


@given(
    lines=st.lists(
        st.builds(
            _line,
            st.sampled_from(["history/a", "dangling/b", "config/c", "structure/d", "tokenizer/e", "traces/f"]),
            st.sampled_from(Strength),
        ),
        max_size=6,
    ),
    link=st.sampled_from([None, NOTHING, ANCESTOR, COPY]),
)
@profile
def test_another_line_never_lowers_what_was_concluded(lines: list[Evidence], link: Link | None) -> None:
    less, more = judge(link, lines[1:]), judge(link, lines)
    assert SCALE.index(more.strength) >= SCALE.index(less.strength)


def test_the_nearest_reference_is_the_codes_unless_code_tells_little() -> None:
    names = ["one", "two"]
    little, much = (Attribution("one", bits, bits, 3, 0.1) for bits in (STRENGTH_BITS["weak"], 5_000.0))
    none = Attribution("two", 0.0, 0.0, 0, 0.0)
    token = _line("tokenizer/same-changes", MODERATE, "two")
    assert nearest_reference([much, none], [token], names) == "one"
    assert nearest_reference([little, none], [token], names) == "two"
    assert nearest_reference([little, none], [], names) == "one"
    assert nearest_reference([], [token], names) == "two"
    assert nearest_reference([], [], names) == "one"
    assert nearest_reference([], [], []) == ""
