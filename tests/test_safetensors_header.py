"""Headers of safetensors files: read as the format has them, refused with a reason whatever a stranger writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.artifacts.checkpoints.safetensors_header import Header, Tensor, read_header
from detector.settings.config import MOST_HEADER_BYTES
from detector.targets import Head

HONEST = {
    "__metadata__": {"format": "pt"},
    "b": {"dtype": "F16", "shape": [2, 3], "data_offsets": [4, 16]},
    "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    "empty": {"dtype": "BF16", "shape": [0, 7], "data_offsets": [16, 16]},
    "scalar": {"dtype": "U8", "shape": [], "data_offsets": [16, 17]},
}
SCALAR = {"dtype": "U8", "shape": [], "data_offsets": [0, 1]}


def file(text: bytes, data_bytes: int = 0, length: int | None = None) -> Head:
    data = (len(text) if length is None else length).to_bytes(8, "little") + text
    return Head(data, len(data) + data_bytes)


def written(tree: Any, data_bytes: int = 0) -> Head:
    return file(json.dumps(tree).encode(), data_bytes)


def reason(head: Head) -> str:
    found = read_header(head)
    assert isinstance(found, str), "it was read"
    return found


def test_an_honest_header_is_read_in_the_order_of_its_bytes() -> None:
    found = read_header(written(HONEST, 17))
    assert isinstance(found, Header)
    assert [tensor.name for tensor in found.tensors] == ["a", "b", "empty", "scalar"]
    assert found.tensors[1] == Tensor("b", "F16", (2, 3), 4, 16)
    assert found.tensors[1].parameters == 6
    assert found.metadata == {"format": "pt"}
    assert found.data_begin == 8 + len(json.dumps(HONEST))


def test_spaces_that_fill_up_a_header_are_no_part_of_it() -> None:
    assert isinstance(read_header(file(json.dumps(HONEST).encode() + b" " * 7, 17)), Header)


def test_of_a_file_no_more_than_its_header_is_needed() -> None:
    whole = written(HONEST, 17)
    assert isinstance(read_header(Head(whole.data + b"x" * 5, whole.size_bytes)), Header)
    assert "could be read" in reason(Head(whole.data[:-1], whole.size_bytes))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (Head(b"", 0), "shorter"),
        (Head(b"\0" * 7, 7), "shorter"),
        (file(b""), "empty"),
        (file(b"{}", length=2**63), "claims"),
        (file(b"{}", length=3), "claims"),
        (Head((MOST_HEADER_BYTES + 1).to_bytes(8, "little"), 10**12), "at most"),
        (file(b"  {}"), "brace"),
        (file(b"[1, 2]"), "brace"),
        (file(b"{} {}"), "no JSON"),
        (file(b'{"a": "\xff"}'), "UTF-8"),
        (file(b"{" * 50), "nested"),
        (written({"__metadata__": {"a": 1}}), "texts"),
        (written({"__metadata__": [1]}), "texts"),
        (written({"a": 1}), "twice"),
        (written({"a": {"dtype": "U8", "shape": [], "data_offsets": [0, 1], "more": 1}}, 1), "fields"),
        (written({"a": {**SCALAR, "dtype": "U7"}}, 1), "type"),
        (written({"a": {**SCALAR, "dtype": ["U8"]}}, 1), "type"),
        (written({"a": {**SCALAR, "shape": [-1]}}, 1), "shape"),
        (written({"a": {**SCALAR, "shape": [1.0]}}, 1), "shape"),
        (written({"a": {**SCALAR, "shape": [True]}}, 1), "shape"),
        (written({"a": {**SCALAR, "shape": [2**62, 2**62, 0, 2**70]}}, 1), "shape"),
        (written({"a": {**SCALAR, "shape": [2**40] * 60}}, 1), "memory"),
        (written({"a": {**SCALAR, "shape": [1] * 65}}, 1), "shape"),
        (written({"a": {**SCALAR, "data_offsets": [1, 0]}}, 1), "fit"),
        (written({"a": {**SCALAR, "data_offsets": [0]}}, 1), "offsets"),
        (written({"a": {**SCALAR, "data_offsets": "01"}}, 1), "offsets"),
        (written({"a": {**SCALAR, "data_offsets": [0, 2]}}, 2), "fit"),
        (written({"a": SCALAR, "b": SCALAR}, 1), "overlap"),
        (written({"a": SCALAR, "b": {**SCALAR, "data_offsets": [2, 3]}}, 3), "no tensor"),
        (written({"a": SCALAR}, 5), "the file at 5"),
        (written({"a": SCALAR}, 0), "the file at 0"),
        (file(b'{"a": %s, "a": %s}' % ((json.dumps(SCALAR).encode(),) * 2), 1), "twice"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(head: Head, said: str) -> None:
    assert said in reason(head)


def test_a_header_of_too_many_tensors_is_refused_before_it_is_built() -> None:
    assert "values" in reason(file(b'{"a":{"shape":[' + b"0," * 3_300_000 + b"0]}}"))


def test_a_tensor_may_be_called_like_a_field() -> None:
    assert isinstance(read_header(written({"data_offsets": SCALAR}, 1)), Header)


ODD = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
TREES = st.dictionaries(
    st.sampled_from(["a", "b", "__metadata__", "data_offsets", "\ud800"]),
    st.dictionaries(
        st.sampled_from(["dtype", "shape", "data_offsets", "x"]),
        st.sampled_from(["F32", "U8", [1], [0, 1], [0, 4], [], [2**63]]) | ODD | st.lists(ODD, max_size=3),
        max_size=4,
    )
    | ODD,
    max_size=4,
)


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1), st.integers(0, 300))
def test_any_bytes_are_read_or_refused(text: bytes, length: int, data_bytes: int) -> None:
    assert isinstance(read_header(file(text, data_bytes)), Header | str)
    assert isinstance(read_header(file(text, data_bytes, length)), Header | str)
    assert isinstance(read_header(Head(text, len(text) + data_bytes)), Header | str)


@given(TREES, st.integers(0, 20))
def test_any_tree_is_read_or_refused(tree: Any, data_bytes: int) -> None:
    assert isinstance(read_header(written(tree, data_bytes)), Header | str)
