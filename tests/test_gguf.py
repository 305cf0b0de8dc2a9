"""GGUF files: values as the library itself unpacks them, and headers that lie."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.artifacts.checkpoints.gguf_header import GgufHeader, read_header
from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.stored import CannotReadValues, Weights, stored_bytes
from detector.compare import compare
from detector.options import Options
from detector.read import open_target
from detector.targets import Head
from tests.models import model as model_of
from tests.repositories import InMemory, repo
from tests.tensors import safetensors

gguf = pytest.importorskip("gguf")

RANDOM = np.random.default_rng(2)
VALUES = RANDOM.standard_normal((24, 512)).astype(np.float32)
KINDS = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]
UNQUANTISABLE = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]  # by the library: bytes at random


def packed(kind: str) -> Any:
    if kind in UNQUANTISABLE:
        values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
        return RANDOM.integers(0, 256, (24, 512 // values * size), dtype=np.uint8)
    return gguf.quants.quantize(VALUES, gguf.GGMLQuantizationType[kind])


def written(path: Path) -> Path:
    """A model with a tensor of each type, and a tokenizer before them."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list([f"{i} " * 200 for i in range(1_500)])  # longer than what is read first
    writer.add_token_scores([0.5] * 1_500)
    for kind in [*KINDS, *UNQUANTISABLE]:
        writer.add_tensor(f"of.{kind}", packed(kind), raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.add_tensor("count", np.arange(5, dtype=np.int32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("gguf") / "model.gguf")


def opened(path: Path) -> Weights:
    with open_target(str(path)) as repo:
        result = open_weights(repo.files)
        assert result.skipped == ()
        return result.found[0]


@pytest.fixture(scope="module")
def expected(model: Path) -> dict[str, Any]:
    """All values as the library itself reads them."""
    with np.errstate(all="ignore"):
        return {
            each.name: (np.asarray(gguf.quants.dequantize(np.array(each.data), each.tensor_type)).ravel(), each.n_bytes)
            for each in gguf.GGUFReader(model).tensors
            if each.name != "count"
        }


@pytest.mark.parametrize("kind", [*KINDS, *UNQUANTISABLE])
def test_any_run_of_values_is_what_the_library_reads(kind: str, model: Path, expected: dict[str, Any]) -> None:
    whole, size_bytes = expected[f"of.{kind}"]
    weights = opened(model)
    tensor = weights.tensors[f"of.{kind}"]
    assert (tensor.shape, tensor.is_weight, stored_bytes(tensor)) == ((24, 512), True, size_bytes)
    for begin, count in [(0, 24 * 512), (0, 1), (31, 2), (255, 258), (700, 0), (24 * 512 - 1, 1)]:
        found = weights.values(f"of.{kind}", begin, count)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, whole[begin : begin + count])


def test_counters_are_no_weights(model: Path) -> None:
    weights = opened(model)
    assert not weights.tensors["count"].is_weight
    assert weights.raw("count", 1, 3).tolist() == [1, 2, 3]


def test_of_packed_values_only_their_blocks_are_read(model: Path) -> None:
    weights = opened(model)
    weights.values("of.Q8_0", 40, 8)
    assert weights.bytes_read == 34


def test_parts_of_one_model_are_put_together(tmp_path: Path) -> None:
    for number in (1, 2):
        writer = gguf.GGUFWriter(tmp_path / f"m-0000{number}-of-00002.gguf", "llama")
        writer.add_tensor(f"part.{number}", VALUES)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    with open_target(str(tmp_path)) as repo:
        (weights,) = open_weights(repo.files).found
    assert list(weights.tensors) == ["part.1", "part.2"]


def test_without_the_library_it_is_said_what_to_install(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with open_target(str(model)) as repo:
        result = open_weights(repo.files)
    assert result.found == ()
    assert "pip install gguf" in result.skipped[0].reason


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def header(tensors: int, keys: int, rest: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + rest


def tensor(name: bytes, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def array(item: int, count: int) -> bytes:
    return text(b"k") + struct.pack("<IIQ", 9, item, count)


HOSTILE = {
    "counts of keys": header(0, 2**60),
    "counts of tensors": header(2**60, 0),
    "counts that fit and lie": header(0, 4, text(b"k") + struct.pack("<II", 4, 1) + b"\0" * 30),
    "an array without end": header(0, 1, array(4, 2**60)),
    "an array of texts without end": header(0, 1, array(8, 2**60) + b"\0" * 80_000),
    "arrays of arrays": header(0, 1, text(b"k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50_000),
    "many empty arrays": header(0, 1, array(9, 100_000) + struct.pack("<IQ", 4, 0) * 100_000),
    "a text without end": header(0, 1, struct.pack("<Q", 2**63)),
    "a type that is none": header(0, 1, text(b"k") + struct.pack("<I", 77)),
    "another version": header(0, 0, version=9),
    "the other byte order": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "no alignment": header(0, 1, text(b"general.alignment") + struct.pack("<II", 4, 0)),
    "a shape too large": header(1, 0, tensor(b"a", (2**40, 2**40))),
    "many dimensions": header(1, 0, text(b"a") + struct.pack("<I", 2**31)),
    "a name too long": header(1, 0, tensor(b"a" * 5_000, (1,))),
    "a name twice": header(2, 0, tensor(b"a", (1,)) * 2 + b"\0" * 64),
    "overlap": header(2, 0, tensor(b"a", (8,)) + tensor(b"b", (8,), offset=16) + b"\0" * 128),
    "past the end": header(1, 0, tensor(b"a", (8,), offset=2**62)),
    "half a block": header(1, 0, tensor(b"a", (31,), kind=8) + b"\0" * 128),
    "an unknown type": header(1, 0, tensor(b"a", (32,), kind=9_999) + b"\0" * 128),
    "nothing": b"",
    "something else": b"PK\3\4" * 20,
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5\n",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_header_that_lies_is_skipped_with_a_reason(data: bytes) -> None:
    result = open_weights(InMemory({"model.gguf": data}))
    assert result.found == () or result.found[0].tensors == {}
    assert [bool(each.reason) for each in result.skipped] == [True] or data == HOSTILE["many empty arrays"]


def test_a_header_longer_than_any_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Endless(InMemory):
        def head(self, path: str, most_bytes: int) -> Head:
            asked.append(most_bytes)
            return Head(header(0, 1, array(0, 2**50))[:most_bytes].ljust(most_bytes, b"\0"), 2**55)

    monkeypatch.setattr("detector.artifacts.weights.opened.MOST_HEADER_BYTES", 5_000_000)
    result = open_weights(Endless({"model.gguf": b""}))
    assert result.skipped[0].reason.startswith("the header has more than")
    assert asked == [1_000_000, 5_000_000]


def test_values_of_a_type_that_cannot_be_unpacked_are_told(model: Path) -> None:
    kind = gguf.GGMLQuantizationType.Q8_K
    values, size = gguf.GGML_QUANT_SIZES[kind]
    data = header(1, 0, tensor(b"a", (values,), kind=int(kind)))
    data = data.ljust(-(-len(data) // 32) * 32, b"\0") + b"\0" * size
    (weights,) = open_weights(InMemory({"model.gguf": data})).found
    with pytest.raises(CannotReadValues, match="a: values of type Q8_K"):
        weights.values("a", 0, 5)


@given(st.binary(max_size=200), st.integers(0, 3), st.integers(0, 3))
def test_any_bytes_are_read_or_refused(rest: bytes, tensors: int, keys: int) -> None:
    found = read_header(Head(header(tensors, keys, rest), len(rest) + 24))
    assert isinstance(found, (GgufHeader, str))


@pytest.mark.parametrize(("kind", "bits"), [("Q8_0", 8), ("Q4_0", 4)])
def test_a_quantised_model_under_other_names_is_told_as_such(kind: str, bits: int, tmp_path: Path) -> None:
    original = model_of(1)
    writer = gguf.GGUFWriter(tmp_path / "copy.gguf", "llama")
    for number, (_, values) in enumerate(sorted(original.items())):
        if values.ndim == 2:
            quantised = gguf.quants.quantize(values.astype(np.float32), gguf.GGMLQuantizationType[kind])
            writer.add_tensor(f"blk.{number}", quantised, raw_dtype=gguf.GGMLQuantizationType[kind])
        elif values.dtype.kind == "f":
            writer.add_tensor(f"blk.{number}", values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    reference = repo("reference", {"model.safetensors": safetensors(original)})
    with open_target(str(tmp_path / "copy.gguf")) as suspect:
        (line,) = compare(suspect, [reference], Options(kinds=frozenset({"weights"}))).evidence
    assert line.name == "quantised-copy"
    assert f"at most {bits} bits" in line.claim
