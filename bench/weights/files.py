"""Files of tensors, written and read without a library: the bytes depend on nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

Tensors = Mapping[str, NDArray[Any]]
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
TYPES: Mapping[np.dtype[Any], str] = {
    np.dtype(np.float64): "F64",
    np.dtype(np.float32): "F32",
    np.dtype(np.float16): "F16",
    BFLOAT16: "BF16",
    np.dtype(ml_dtypes.float8_e4m3fn): "F8_E4M3",
    np.dtype(np.int64): "I64",
    np.dtype(np.int8): "I8",
}
_DTYPES = {name: dtype for dtype, name in TYPES.items()}
_ALIGNMENT = 8  # the header is filled with blanks to a multiple of it, as the format's own library does


def header(shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> bytes:
    """What a file of tensors with these types and shapes begins with.

    Source: the format's description in the safetensors repository.
    """
    fields: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, (dtype, shape) in shapes.items():
        end = place + math.prod(shape) * _DTYPES[dtype].itemsize
        fields[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(fields, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def packed(tensors: Tensors) -> bytes:
    """A file of these tensors, in their order and types."""
    return b"".join(_parts(tensors))


def save(path: Path, tensors: Tensors) -> None:
    """Write a file of these tensors, in their order and types."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(_parts(tensors))


def _parts(tensors: Tensors) -> Iterator[bytes]:
    yield header({name: (TYPES[value.dtype], value.shape) for name, value in tensors.items()})
    for value in tensors.values():
        yield value.tobytes()


def load(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors of a file that `save` has written, or another that is known to be sound."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    fields = json.loads(data[8:begin])
    fields.pop("__metadata__", None)
    found = {}
    for name, each in fields.items():
        first, last = each["data_offsets"]
        found[name] = np.frombuffer(data[begin + first : begin + last], _DTYPES[each["dtype"]]).reshape(each["shape"])
    return found


def cast(tensors: Tensors, dtype: DTypeLike) -> dict[str, NDArray[Any]]:
    """The same values in another type; whole numbers stay what they are."""
    return {name: value.astype(dtype) if is_weight(value) else value for name, value in tensors.items()}


def is_weight(value: NDArray[Any]) -> bool:
    """Whether these are no counters or positions."""
    return value.dtype.kind != "i"
