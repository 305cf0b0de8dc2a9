"""Weights that a stranger made: whatever files claim or hold, comparing ends within bounds and tells what it left."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.weights.files import cast, header, packed, save
from detector.compare import compare
from detector.model import Depth, Report, UserError
from detector.options import Options
from detector.read import open_target
from detector.settings.mapping import MOST_COMPARED, MOST_LEFT

Tensors = dict[str, NDArray[Any]]
FILE = "model.safetensors"
MOST_MEMORY = 400_000_000


def _model(seed: int, layers: int = 3, width: int = 48) -> Tensors:
    draw = np.random.default_rng(seed)
    found: Tensors = {"embed.weight": draw.standard_normal((200, width), np.float32)}
    for number in range(layers):
        found[f"layers.{number}.in.weight"] = draw.standard_normal((2 * width, width), np.float32)
        found[f"layers.{number}.out.weight"] = draw.standard_normal((width, 2 * width), np.float32)
        found[f"layers.{number}.norm.weight"] = 1 + draw.standard_normal(width, np.float32) / 10
    return found


def _noised(tensors: Mapping[str, NDArray[Any]]) -> Tensors:
    draw = np.random.default_rng(99)
    return {name: value + draw.standard_normal(value.shape, np.float32) / 50 for name, value in tensors.items()}


def _put(folder: Path, data: bytes | Mapping[str, NDArray[Any]], name: str = FILE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else packed(data))
    return folder


def _compared(suspect: Path, reference: Path, depth: Depth = Depth.FULL) -> Report:
    with open_target(str(suspect)) as ours, open_target(str(reference)) as theirs:
        return compare(ours, [theirs], Options(kinds=frozenset({"weights"}), depth=depth))


def _lines(report: Report) -> list[str]:
    """What is said to be in common, whatever its strength is."""
    return [line.name for line in report.evidence]


def _with_header(fields: object, data: bytes = b"") -> bytes:
    text = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return len(text).to_bytes(8, "little") + text + data


def _field(dtype: str, shape: list[Any], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


LYING = {
    "a length beyond the file": (10**15).to_bytes(8, "little") + b"{}",
    "the largest length": b"\xff" * 8 + b"{}",
    "no bytes at all": b"",
    "half of a length": b"\x10\0\0",
    "no JSON": _with_header(b"\x80\x04pickle"),
    "deeply nested": _with_header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a list": _with_header([1, 2]),
    "tensors that overlap": _with_header({"a": _field("F32", [4], 0, 16), "b": _field("F32", [4], 8, 24)}, bytes(24)),
    "a hole": _with_header({"a": _field("F32", [4], 0, 16), "b": _field("F32", [4], 32, 48)}, bytes(48)),
    "an end before the beginning": _with_header({"a": _field("F32", [4], 16, 0)}, bytes(16)),
    "offsets beyond the file": _with_header({"a": _field("F32", [1 << 40], 0, 1 << 42)}, bytes(16)),
    "a shape that does not fit its bytes": _with_header({"a": _field("F32", [1 << 30, 1 << 30], 0, 16)}, bytes(16)),
    "a shape whose product overflows": _with_header({"a": _field("F32", [1 << 62] * 40, 0, 16)}, bytes(16)),
    "a negative shape": _with_header({"a": _field("F32", [-4], 0, 16)}, bytes(16)),
    "a shape of texts": _with_header({"a": _field("F32", ["4"], 0, 16)}, bytes(16)),
    "a type that does not exist": _with_header({"a": _field("F128", [1], 0, 16)}, bytes(16)),
    "a name twice": _with_header(
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
        bytes(16),
    ),
    "infinite offsets": _with_header(b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,Infinity]}}', bytes(16)),
}


@pytest.mark.parametrize("how", LYING)
def test_a_header_that_lies_is_skipped_with_a_reason_and_the_file_beside_it_is_compared(
    how: str, tmp_path: Path
) -> None:
    original = _model(1)
    suspect = _put(_put(tmp_path / "suspect", _noised(original)), LYING[how], "other.safetensors")
    found = _compared(suspect, _put(tmp_path / "reference", original))
    (skipped,) = [each for each in found.skipped if each.path.endswith("other.safetensors")]
    assert skipped.reason
    assert "Traceback" not in skipped.reason
    assert _lines(found)


@pytest.mark.parametrize("how", LYING)
def test_where_only_lies_are_there_one_line_says_that_nothing_can_be_compared(how: str, tmp_path: Path) -> None:
    suspect = _put(tmp_path / "suspect", LYING[how])
    with pytest.raises(UserError) as refused:
        _compared(suspect, _put(tmp_path / "reference", _model(1)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_noised_copy_in_which_some_values_are_no_numbers_is_still_found(bad: float, tmp_path: Path) -> None:
    original = _model(1)
    copy = _noised(original)
    for value in copy.values():
        value.flat[::37] = bad
    found = _compared(_put(tmp_path / "suspect", copy), _put(tmp_path / "reference", original))
    assert _lines(found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 1.0, 3e38])
def test_tensors_of_one_value_whatever_it_is_have_no_line(bad: float, tmp_path: Path) -> None:
    empty = {name: np.full_like(value, bad) for name, value in _model(1).items()}
    found = _compared(_put(tmp_path / "suspect", empty), _put(tmp_path / "reference", empty | {"more": np.ones(9)}))
    assert _lines(found) == []


def test_values_beyond_32_bits_are_compared_without_an_error(tmp_path: Path) -> None:
    original = {name: value.astype(np.float64) * 1e300 for name, value in _model(1).items()}
    _compared(_put(tmp_path / "suspect", original), _put(tmp_path / "reference", original | {"more": np.ones(9)}))
    tiny = {name: value.astype(np.float64) * 1e-300 for name, value in _model(1).items()}
    _compared(_put(tmp_path / "suspect", tiny), _put(tmp_path / "reference", tiny | {"more": np.ones(9)}))


def test_tensors_without_values_and_single_numbers_are_no_obstacle(tmp_path: Path) -> None:
    nothing: Tensors = {
        "a.none": np.zeros((0,), np.float32),
        "b.none": np.zeros((0, 7), np.float32),
        "c.none": np.zeros((7, 0, 3), np.float16),
        "d.one": np.array(3.5, np.float32),
        "e.one": np.array([[[2.0]]], np.float32),
    }
    original = _model(1)
    found = _compared(_put(tmp_path / "s", nothing | _noised(original)), _put(tmp_path / "r", original | nothing))
    assert _lines(found)
    alone = _compared(_put(tmp_path / "s", nothing), _put(tmp_path / "r", nothing | {"more": np.ones(9)}))
    assert _lines(alone) == []


def test_types_that_pack_values_and_whole_numbers_are_left_out(tmp_path: Path) -> None:
    fields = {
        "packed": _field("F4", [64, 64], 0, 2048),
        "mask": _field("BOOL", [64, 64], 2048, 6144),
        "count": _field("I64", [64], 6144, 6656),
        "wave": _field("C64", [64], 6656, 7168),
        "eight": _field("F8_E4M3", [64, 64], 7168, 11264),
    }
    data = _with_header(fields, bytes(range(256)) * 44)
    found = _compared(_put(tmp_path / "s", data), _put(tmp_path / "r", data))
    assert found.suspect.name == "s"


def test_tables_that_a_formula_makes_are_in_common_with_everybody(tmp_path: Path) -> None:
    places, rates = np.arange(128)[:, None], 10_000.0 ** (-np.arange(32) / 32)
    public: Tensors = {
        "position.table": np.concatenate([np.sin(places * rates), np.cos(places * rates)], 1).astype(np.float32),
        "rotary.inv_freq": rates.astype(np.float32),
        "attention.bias": np.tril(np.ones((128, 128), np.float32)),
        "slopes": (2.0 ** -np.arange(1, 65)).astype(np.float32),
        "norm.weight": np.ones(64, np.float32),
    }
    mine, its = ({f"own.{name}": value for name, value in _model(seed).items()} for seed in (1, 2))
    found = _compared(_put(tmp_path / "s", public | mine), _put(tmp_path / "r", public | its))
    assert _lines(found) == []


@pytest.mark.parametrize("depth", [Depth.HEADER, Depth.SAMPLE])
def test_a_sparse_file_that_claims_a_terabyte_costs_no_more_than_a_small_one(depth: Depth, tmp_path: Path) -> None:
    claimed = {f"layers.{number}.weight": ("F32", (1 << 18, 1 << 18)) for number in range(4)}
    begin = header(claimed)
    for side in ("suspect", "reference"):
        path = _put(tmp_path / side, begin) / FILE
        with path.open("r+b") as file:
            try:
                file.truncate(len(begin) + 4 * (1 << 38))
            except OSError:
                pytest.skip("this disk has no files of a terabyte")
    tracemalloc.start()
    try:
        found = _compared(tmp_path / "suspect", tmp_path / "reference", depth)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    assert _lines(found) == []


def test_one_row_as_long_as_the_file_is_read_in_pieces(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    row = {"row": draw.standard_normal((1, 20_000_000), np.float32)}
    column = {"row": row["row"].reshape(-1, 1)}
    save(tmp_path / "s" / FILE, row)
    save(tmp_path / "r" / FILE, column)
    del row, column
    tracemalloc.start()
    try:
        _compared(tmp_path / "s", tmp_path / "r")
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


# More than are compared of one shape; more than are looked for in other arrangements, and than are assigned as a whole;
# and some whose rows and columns are long enough to be looked for one by one.
@pytest.mark.parametrize(
    ("shape", "count"), [((0,), MOST_COMPARED + 1_000), ((2, 2), MOST_LEFT + 1_000), ((16, 16), 1_000)]
)
def test_very_many_tensors_of_one_shape_end(shape: tuple[int, ...], count: int, tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for side in ("s", "r"):
        many = {f"expert.{number}": draw.standard_normal(shape, np.float32) for number in range(count)}
        _put(tmp_path / side, many)
    assert _lines(_compared(tmp_path / "s", tmp_path / "r")) == []


def test_as_many_shapes_as_tensors_end(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for side in ("s", "r"):
        _put(tmp_path / side, {f"t.{size}": draw.standard_normal(size, np.float32) for size in range(4_000)})
    assert _lines(_compared(tmp_path / "s", tmp_path / "r")) == []


def test_names_that_command_a_terminal_or_are_no_text_are_only_names(tmp_path: Path) -> None:
    original = _model(1)
    odd = ["\x1b[31m", "\u202e", "a\nb|c`d", "</script>", "\ud800", "x" * 10_000, "", ".", "..", "a." * 500]
    names = dict(zip(original, odd * 2, strict=False))
    renamed = {f"{names[name]}{number}": value for number, (name, value) in enumerate(_noised(original).items())}
    found = _compared(_put(tmp_path / "s", renamed), _put(tmp_path / "r", original))
    assert _lines(found)


def test_an_index_that_names_files_elsewhere_reads_none_of_them(tmp_path: Path) -> None:
    original = _model(1)
    secret = _put(tmp_path / "secret", original)
    index = {
        "metadata": {"total_size": -1},
        "weight_map": {
            "a": f"../secret/{FILE}",
            "b": str(secret / FILE),
            "c": "absent.safetensors",
            "d": FILE,
            "embed.weight": "other.safetensors",
        },
    }
    suspect = _put(tmp_path / "s", _model(2))
    (suspect / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    found = _compared(suspect, _put(tmp_path / "r", original))
    assert _lines(found) == []


def test_shards_that_hold_one_tensor_twice_are_told_and_the_first_counts(tmp_path: Path) -> None:
    original = _model(1)
    _put(tmp_path / "s", _noised(original), "model-00001-of-00002.safetensors")
    _put(tmp_path / "s", _model(3), "model-00002-of-00002.safetensors")
    found = _compared(tmp_path / "s", _put(tmp_path / "r", original))
    assert any("first" in each.reason for each in found.skipped)
    assert _lines(found)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_models_without_a_common_source_have_no_line_in_any_type(dtype: Any, tmp_path: Path) -> None:
    one, other = (_put(tmp_path / str(seed), cast(_model(seed), dtype)) for seed in (1, 2))
    assert _lines(_compared(one, other)) == []
