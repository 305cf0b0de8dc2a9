"""What must not change the flow of any program, and what must: over generated programs in two spellings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from detector.code.parse import shingles_of
from tests.generate import programs
from tests.programs import Binary, Expr, Function, Library, Literal, Program, Var
from tests.spelling import DIMENSIONS, Spelling
from tests.writing import write

# The committed run is short and always the same; a longer, random one: PROPERTY_EXAMPLES=3000 pytest ...
_EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
settings.register_profile(
    "properties",
    max_examples=_EXAMPLES or 30,
    derandomize=not _EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
profile = settings.get_profile("properties")
PLAIN = Spelling()
T = TypeVar("T")
SEEDS = st.integers(0, 999)


def flows(program: Program, spelling: Spelling) -> tuple[str, list[frozenset[int]]]:
    """The text of the program, and the shingle set of each of its functions."""
    text, qualnames = write(program, spelling)
    found = shingles_of(text.encode())
    return text, [found[name] for name in qualnames]


def assert_same_flow(program: Program, one: Spelling, other: Spelling) -> None:
    left, expected = flows(program, one)
    right, found = flows(program, other)
    assert found == expected, f"\n{left}\n# --- against\n{right}"


@pytest.mark.parametrize("dimension", DIMENSIONS)
@profile
@given(program=programs(), seed=SEEDS)
def test_one_way_of_spelling_does_not_change_the_flow(dimension: str, program: Program, seed: int) -> None:
    assert_same_flow(program, PLAIN, Spelling(((dimension, seed),)))


@profile
@given(program=programs(), seed=SEEDS, other=SEEDS)
def test_all_ways_of_spelling_together_do_not_change_the_flow(program: Program, seed: int, other: int) -> None:
    one = Spelling(tuple((dimension, seed) for dimension in DIMENSIONS))
    assert_same_flow(program, one, Spelling(tuple((dimension, other) for dimension in DIMENSIONS)))


@profile
@given(program=programs())
def test_every_generated_function_has_a_flow(program: Program) -> None:
    text, found = flows(program, PLAIN)
    empty = [name for name, shingles in zip(write(program, PLAIN)[1], found, strict=True) if not shingles]
    assert not [name for name in empty if not name.endswith("__init__")], text


def two_of(values: Sequence[T]) -> st.SearchStrategy[list[T]]:
    """Two different ones."""
    return st.lists(st.sampled_from(values), min_size=2, max_size=2, unique=True)


def _with_result(program: Program, result: Expr) -> Program:
    function: Function = replace(program.functions[0], result=result)
    return Program((function, *program.functions[1:]), program.classes)


def _results(program: Program, *results: Expr) -> list[frozenset[int]]:
    return [flows(_with_result(program, result), PLAIN)[1][0] for result in results]


@profile
@given(
    program=programs(),
    operators=st.lists(st.sampled_from(["%", "<<", ">>", "|", "&", "^"]), min_size=2, max_size=2, unique=True),
)
def test_another_operator_changes_the_flow(program: Program, operators: list[str]) -> None:
    value = program.functions[0].result
    first, second = _results(program, *(Binary(operator, value, Literal(3)) for operator in operators))
    assert first != second


@profile
@given(program=programs(), numbers=two_of([100, 101, 0.125, 10**20, 2**70]))
def test_another_constant_changes_the_flow(program: Program, numbers: list[float]) -> None:
    value = program.functions[0].result
    first, second = _results(program, *(Binary("*", value, Literal(number)) for number in numbers))
    assert first != second


@profile
@given(program=programs(), names=two_of(["erf", "lgamma", "sinc"]))
def test_another_library_function_changes_the_flow(program: Program, names: list[str]) -> None:
    value = program.functions[0].result
    first, second = _results(program, *(Library(f"torch.special.{name}", (value,)) for name in names))
    assert first != second


@profile
@given(program=programs(), operator=st.sampled_from(["-", "/", "//", "@", "%", "<<"]))
def test_exchanged_operands_change_the_flow(program: Program, operator: str) -> None:
    value = program.functions[0].result
    sides = Library("torch.erf", (value,)), Library("torch.lgamma", (Var(0),))
    first, second = _results(program, Binary(operator, *sides), Binary(operator, *sides[::-1]))
    assert first != second


@profile
@given(program=programs())
def test_exchanged_arguments_of_a_library_function_change_the_flow(program: Program) -> None:
    value = program.functions[0].result
    sides = Library("torch.erf", (value,)), Library("torch.lgamma", (Var(0),))
    first, second = _results(program, Library("torch.hypot", sides), Library("torch.hypot", sides[::-1]))
    assert first != second
