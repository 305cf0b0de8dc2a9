"""How far the texts of two functions agree: in words, and in the order of tokens without names."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np
import pytest

from detector.code.pairs import Pairs
from detector.code.wording import Agreement, agreement
from detector.model import Span, UserError

LAYER = """def attend(query, key, value, rate=0.5):
    scores = query @ key.transpose(-1, -2) * rate
    if rate > 1:
        scores = scores.clamp(min=-1)
    return scores.softmax(dim=-1) @ value
"""
RENAMED = """def f(q, k, v, r=0.5):
    s = q @ k.transpose(-1, -2) * r
    if r > 1:
        s = s.clamp(min=-1)
    return s.softmax(dim=-1) @ v
"""


def _pairs(suspect: list[int], reference: list[int]) -> Pairs:
    nothing = np.zeros(len(suspect))
    return Pairs(np.array(suspect), np.array(reference), *[nothing] * 7)


def _spans(texts: Mapping[str, str]) -> list[Span]:
    return [
        Span(path, node.name, node.lineno, node.end_lineno or node.lineno)
        for path, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    ]


def _agreement(suspect: Mapping[str, str], reference: Mapping[str, str], is_asked: bool = True) -> Agreement:
    """Of every function of the one with every function of the other."""
    ours, theirs = _spans(suspect), _spans(reference)
    pairs = _pairs([i for i in range(len(ours)) for _ in theirs], list(range(len(theirs))) * len(ours))
    asked = np.full(len(pairs.suspect), is_asked)
    return agreement(
        pairs, asked, (ours, lambda path: suspect[path].encode()), (theirs, lambda path: reference[path].encode())
    )


def _both(one: str, other: str) -> tuple[float, float]:
    found = _agreement({"a.py": one}, {"b.py": other})
    return float(found.words[0]), float(found.shape[0])


def test_the_same_text_agrees_in_both() -> None:
    assert _both(LAYER, LAYER) == (1, 1)


def test_renaming_takes_the_words_and_leaves_the_shape() -> None:
    words, shape = _both(LAYER, RENAMED)
    assert shape == 1
    assert words < 0.2


@pytest.mark.parametrize(
    "other",
    [
        LAYER.replace("\n    if", "  # scores above one\n    if"),
        LAYER.replace(":\n    scores =", ':\n    """Attend.\n\n    "quoted", too.\n    """\n    scores =', 1),
        LAYER.replace("(query, key, value, rate=0.5)", "(\n    query,\n    key,\n    value,\n    rate=0.5,\n)"),
    ],
    ids=["comment", "docstring", "layout with a last comma"],
)
def test_comments_docstrings_and_layout_have_no_part(other: str) -> None:
    assert other != LAYER
    assert _both(LAYER, other) == (1, 1)


HINTED = """def attend(query: Tensor, key: dict[str, T], *, rate: float = 0.5, fit=lambda x: x) -> Tuple[Tensor, int]:
    scores = query[1:2] @ key  # of each
    return scores.softmax(dim=-1) if rate > 1 else fit(scores)
"""
BARE = """def attend(query, key, *, rate=0.5, fit=lambda x: x):
    scores = query[1:2] @ key
    return scores.softmax(dim=-1) if rate > 1 else fit(scores)
"""


def test_hints_have_no_part() -> None:
    assert _both(HINTED.replace(", fit=lambda x: x", ""), BARE.replace(", fit=lambda x: x", "")) == (1, 1)
    words, shape = _both(HINTED, BARE)  # what a lambda in a default gives is taken for a hint
    assert words > 0.6
    assert shape > 0.6


def _forms(*texts: str) -> list[int]:
    """Of several references of one suspect."""
    found: list[int] = _agreement({"a.py": LAYER}, {f"{i}.py": text for i, text in enumerate(texts)}).forms.tolist()
    return found


def test_renamed_copies_have_one_form() -> None:
    one, other, third = _forms(LAYER, RENAMED, RENAMED.replace("    s = q", "    # first\n    s = q"))
    assert one == other == third
    hinted = RENAMED.replace("(q, k, v, r=0.5)", "(q: Tensor, k: Tensor, v, r: float = 0.5) -> Tensor")
    assert hinted != RENAMED
    assert len(set(_forms(LAYER, hinted))) == 1


@pytest.mark.parametrize(
    "change",
    [("0.5", "0.75"), ("q @ k", "k @ q"), ("min=-1", "-1"), ("if r", "if s"), ("dim=-1", "r=-1"), ("@ v", "* v")],
)
def test_another_number_order_or_use_of_names_is_another_form(change: tuple[str, str]) -> None:
    assert RENAMED.replace(*change) != RENAMED
    assert len(set(_forms(LAYER, RENAMED.replace(*change)))) == 2


def test_functions_in_one_file_have_forms_of_their_own() -> None:
    other = BARE.replace("attend", "other")
    found = _agreement({"a.py": LAYER}, {"b.py": LAYER + other + RENAMED, "c.py": other})
    one, second, third, fourth = found.forms.tolist()
    assert one == third != second == fourth


def test_what_is_not_read_is_of_no_known_form() -> None:
    def gone(path: str) -> bytes:
        raise FileNotFoundError(path)

    spans = [Span("b.py", "f", 1, 5), Span("b.py", "g", 7, 9)]
    pairs, ours = _pairs([0, 0], [0, 1]), ([Span("a.py", "f", 1, 5)], lambda path: LAYER.encode())
    for is_asked in (True, False):
        first, second = agreement(pairs, np.full(2, is_asked), ours, (spans, gone)).forms.tolist()
        assert first != second


def test_by_keyword_or_by_position_is_another_shape() -> None:
    words, shape = _both(RENAMED, RENAMED.replace("min=-1", "-1"))
    assert 0.5 < shape < 1
    assert 0.5 < words < 1


def test_keywords_are_not_names() -> None:
    _, shape = _both("def f(x):\n    return not x.a and x.b\n", "def f(x):\n    return not x.a or x.b\n")
    assert shape < 1


def test_numbers_and_strings_are_words_and_no_shape() -> None:
    words, shape = _both(RENAMED, RENAMED.replace("0.5", "0.75"))
    assert shape == 1
    assert words < 1


def test_each_pair_has_its_own_agreement_and_functions_do_not_run_together() -> None:
    two = {"a.py": LAYER + RENAMED}
    found = _agreement(two, {"b.py": RENAMED, "c.py": LAYER})
    assert found.words.tolist() == pytest.approx([found.words[0], 1, 1, found.words[0]])
    assert found.words[0] < 0.2
    assert found.shape.tolist() == [1, 1, 1, 1]


def test_only_what_is_asked_for_is_read() -> None:
    def unread(path: str) -> bytes:
        raise AssertionError(path)

    span = [Span("a.py", "f", 1, 5)]
    found = agreement(_pairs([0], [0]), np.array([False]), (span, unread), (span, unread))
    assert (found.words.tolist(), found.shape.tolist()) == ([0], [0])


@pytest.mark.parametrize("error", [UserError("cannot read"), FileNotFoundError("a.py")])
def test_a_file_that_is_gone_agrees_with_nothing(error: Exception) -> None:
    def gone(path: str) -> bytes:
        raise error

    span = [Span("a.py", "f", 1, 5)]
    found = agreement(_pairs([0], [0]), np.array([True]), (span, gone), (span, lambda path: LAYER.encode()))
    assert (found.words.tolist(), found.shape.tolist()) == ([0], [0])


@pytest.mark.parametrize(
    "line", ['"' * 300_000, '\\"' * 150_000, "\\" * 300_000, "'\\'" * 100_000, ", " * 150_000, '"""' * 9]
)
def test_text_that_is_no_text_costs_no_more_than_its_length(line: str) -> None:
    span = [Span("a.py", "f", 1, 2)]
    texts = span, lambda path: b"def f():\n    " + line.encode() + b"\n"
    found = agreement(_pairs([0], [0]), np.array([True]), texts, (span, lambda path: b"\xff\x00" * 9))
    assert found.words.tolist() == [0]
