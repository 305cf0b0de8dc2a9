"""Tensors as they are stored: what they are called, and their values, a slice at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from detector.artifacts.checkpoints.safetensors_header import BITS, Header, Tensor
from detector.model import Skipped

Values = NDArray[np.float32]
Part = Callable[[str, int, int], bytes | Skipped]  # path, begin, size: of `Files.part`
# Types by the names that the format gives them; those that share bytes between values are left to whoever packs them.
DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "F8_E8M0": np.dtype(ml_dtypes.float8_e8m0fnu),
    "F8_E4M3FNUZ": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "F8_E5M2FNUZ": np.dtype(ml_dtypes.float8_e5m2fnuz),
}
# Types of weights; others are counters, positions and masks ...
FLOATS = frozenset(name for name in DTYPES if "F" in name)
# ... but for matrices of small integers, which stand for weights up to a factor for each row or tensor.
_SCALED = frozenset({"I8", "U8"})


class CannotReadValues(Exception):  # noqa: N818 - it becomes a `Skipped`, not an error
    """A slice that is not to be had; the message is the reason that the report shows."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """How values are packed that share bytes: runs of so many in so many bytes, in the order of the rows."""

    values: int
    size: int
    unpack: Callable[[bytes, int], Values] = field(repr=False, compare=False)  # whole blocks, and their size


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor, and where its bytes are."""

    name: str
    dtype: str  # as safetensors calls it, or ggml
    shape: tuple[int, ...]
    path: str  # of the file
    begin: int  # of its first byte in the file
    blocks: Blocks | None = None
    packer: str = ""  # what has packed several values into each of its integers, so that they are none

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def is_weight(self) -> bool:
        """Whether it holds real numbers that can be read one by one, or integers in their proportion."""
        if self.packer:
            return False
        is_matrix = len(self.shape) > 1 and min(self.shape) > 1
        return self.dtype in FLOATS or self.blocks is not None or (self.dtype in _SCALED and is_matrix)

    def span(self, begin: int, count: int) -> tuple[int, int]:
        """Where `count` values from `begin` on are, in the order of the rows: first byte in the file, and bytes.

        Errors: CannotReadValues.
        """
        if self.blocks is not None:
            first, last = begin // self.blocks.values, -(-(begin + count) // self.blocks.values)
            return self.begin + first * self.blocks.size, (last - first) * self.blocks.size
        dtype = DTYPES.get(self.dtype)
        if dtype is None:
            raise CannotReadValues(f"{self.name}: values of type {self.dtype} are not read")
        return self.begin + begin * dtype.itemsize, count * dtype.itemsize

    def decoded(self, data: bytes, begin: int, count: int) -> NDArray[Any]:
        """The values of which `data` holds the span, in their own type; of blocks as 32-bit numbers.

        Errors: CannotReadValues.
        """
        if self.blocks is None:
            return np.frombuffer(data, DTYPES[self.dtype], count)
        start = begin % self.blocks.values
        try:
            return self.blocks.unpack(data, self.blocks.size)[start : start + count]
        except CannotReadValues as error:
            raise CannotReadValues(f"{self.name}: {error}") from None


@dataclass(slots=True)
class Weights:
    """The tensors of one checkpoint, read a slice at a time.

    Memory: names, shapes and places only.
    """

    path: str  # of the index, or of the one file
    tensors: Mapping[str, Stored]
    part: Part = field(repr=False)
    bytes_read: int = 0

    def raw(self, name: str, begin: int, count: int) -> NDArray[Any]:
        """Values of a tensor in its own type, `count` of them in the order of the rows, from `begin` on.

        Those that are packed in blocks come as 32-bit numbers.
        Errors: CannotReadValues.
        """
        stored = self.tensors[name]
        place, size = stored.span(begin, count)
        data = self.part(stored.path, place, size)
        if isinstance(data, Skipped):
            raise CannotReadValues(f"{name}: {data.reason}")
        if len(data) != size:
            raise CannotReadValues(f"{name}: the file ends before its values do")
        self.bytes_read += size
        return stored.decoded(data, begin, count)

    def values(self, name: str, begin: int, count: int) -> Values:
        """The same as 32-bit numbers."""
        raw = self.raw(name, begin, count)
        with np.errstate(over="ignore", invalid="ignore"):
            return raw.astype(np.float32, copy=False)


def stored(path: str, header: Header) -> dict[str, Stored]:
    """The tensors of one file by name."""
    return {tensor.name: _stored(path, header.data_begin, tensor) for tensor in header.tensors}


def _stored(path: str, data_begin: int, tensor: Tensor) -> Stored:
    return Stored(tensor.name, tensor.dtype, tensor.shape, path, data_begin + tensor.begin)


def stored_bytes(tensor: Stored) -> int:
    """How many bytes a tensor takes."""
    if tensor.blocks is not None:
        return tensor.parameters // tensor.blocks.values * tensor.blocks.size
    return tensor.parameters * BITS[tensor.dtype] // 8
