"""JSON of a stranger: read within bounds, refused with a reason, never an exception of another kind."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.artifacts.bounded_json import MOST_DIGITS, CannotParse, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def reason(data: bytes, depth: int = 20, values: int = 1000) -> str:
    with pytest.raises(CannotParse) as error:
        parse(data, depth, values)
    return error.value.reason


def is_read_or_refused(data: bytes) -> bool:
    try:
        parse(data, 10, 100)
    except CannotParse as error:
        return bool(error.reason)
    return True


@given(JSON)
def test_what_python_writes_is_read_back_as_it_was(value: object) -> None:
    assert parse(json.dumps(value).encode(), 100, 1000) == value


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    assert is_read_or_refused(data)


@given(st.text(alphabet='"\\[]{},:0123456789 \n', max_size=200))
def test_anything_that_looks_like_json_is_read_or_refused_with_a_reason(text: str) -> None:
    assert is_read_or_refused(text.encode())


def test_nesting_is_refused_before_it_is_built() -> None:
    assert "nested" in reason(b"[" * 100_000, values=1_000_000)
    assert "nested" in reason(b"[" * 21 + b"]" * 21)
    assert parse(b"[" * 20 + b"]" * 20, 20, 1000) is not None


def test_too_many_values_are_refused_before_they_are_built() -> None:
    assert "values" in reason(b"[" + b"[]," * 5_000 + b"[]]")
    assert "values" in reason(b"[" + b"1," * 5_000 + b"1]")


def test_brackets_and_commas_in_texts_count_for_nothing() -> None:
    text = "[{," * 5_000 + '\\"'
    assert parse(json.dumps([text]).encode(), 2, 4) == [text]


def test_numbers_of_any_length_are_refused_but_their_texts_are_not() -> None:
    assert "digits" in reason(b"1" * (MOST_DIGITS + 1))
    assert "digits" in reason(b"1" * 10_000)
    assert parse(b'"' + b"1" * 10_000 + b'"', 1, 2) == "1" * 10_000


def test_other_encodings_are_refused_and_a_mark_is_passed_over() -> None:
    assert reason('{"a": 1}'.encode("utf-16"))
    assert reason(b'{"a": "\xff"}') == "it is not UTF-8"
    assert parse(b'\xef\xbb\xbf{"a": 1}', 2, 9) == {"a": 1}


def test_lone_surrogates_become_a_replacement_and_pairs_stay() -> None:
    assert parse(b'{"\\ud800": ["\\uDFFFx", "\\ud83d\\ude00"]}', 3, 9) == {"\ufffd": ["\ufffdx", "\U0001f600"]}


def test_of_a_key_that_stands_twice_the_last_one_holds() -> None:
    assert parse(b'{"a": 1, "a": 2}', 2, 9) == {"a": 2}


def test_what_python_calls_infinite_and_no_number_is_a_float() -> None:
    found = parse(b"[NaN, -Infinity, 1e999]", 2, 9)
    assert isinstance(found, list)
    assert math.isnan(found[0])
    assert found[1:] == [-math.inf, math.inf]


def test_many_texts_without_an_end_take_no_longer_than_their_length() -> None:
    assert reason(b'["' + b'\\"' * 500_000)
