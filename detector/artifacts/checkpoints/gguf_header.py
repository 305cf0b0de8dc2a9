"""The header of a GGUF file -> its tensors: names, types, shapes and where their bytes are.

Source: the specification of GGUF in the ggml repository, versions 2 and 3, which differ in byte order alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from detector.artifacts.bounded_json import CannotParse
from detector.settings.config import MOST_HEADER_BYTES, MOST_TENSORS
from detector.targets import Head

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
_ALIGNMENT_KEY = b"general.alignment"
_MOST_ALIGNMENT = 1 << 20
# Bytes of each type of value that has a fixed size.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_UINT32, _TEXT, _ARRAY = 4, 8, 9
# Arrays of arrays are allowed, and nobody writes them.
_MOST_DEPTH = 4
# ggml has tensors of at most four dimensions, and names of at most 64 bytes; converters write longer ones.
_MOST_DIMENSIONS = 4
_MOST_NAME_BYTES = 1_000
_MOST_SIZE = 2**63
# The shortest key with its value, and the shortest tensor: a count that the file has no room for is a lie.
_LEAST_KEY_BYTES, _LEAST_TENSOR_BYTES = 13, 24


@dataclass(frozen=True, slots=True)
class PackedTensor:
    """One tensor as ggml lays it out."""

    name: str
    kind: int  # ggml's number of its type
    shape: tuple[int, ...]  # as numpy reads it: ggml counts dimensions from the last
    begin: int  # from the first byte of the data


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a file holds."""

    tensors: tuple[PackedTensor, ...]  # in the order of the file
    data_begin: int


class _EndedError(Exception):
    """The data ends before the header does."""


class _Reader:
    """Reads from front to back; no count is believed beyond what the data holds."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def skip(self, size: int) -> int:
        """Pass over bytes; where they begin."""
        begin = self.at
        if size > len(self._data) - begin:
            raise _EndedError
        self.at = begin + size
        return begin

    def number(self, layout: struct.Struct) -> int:
        found: int = layout.unpack_from(self._data, self.skip(layout.size))[0]
        return found

    def text(self) -> bytes:
        size = self.number(_U64)
        begin = self.skip(size)
        return self._data[begin : begin + size]

    def pass_value(self, kind: int, depth: int = 0) -> None:
        """Pass over one value without building it."""
        if kind in _SIZES:
            self.skip(_SIZES[kind])
        elif kind == _TEXT:
            self.skip(self.number(_U64))
        elif kind == _ARRAY and depth < _MOST_DEPTH:
            item, count = self.number(_U32), self.number(_U64)
            if item in _SIZES:
                self.skip(count * _SIZES[item])
                return
            for _ in range(count):  # ends with the data: each takes eight bytes at least
                self.pass_value(item, depth + 1)
        else:
            raise CannotParse("a value has a type that is not known, or is nested too deep")


_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")


def read_header(head: Head) -> GgufHeader | str | None:
    """Read the header from the beginning of a file; a reason if that cannot be; None if it takes more of the file."""
    if not head.data.startswith(MAGIC):
        return "it does not begin as GGUF does"
    try:
        return _header(_Reader(head.data), head.size_bytes)
    except CannotParse as error:
        return f"the header cannot be read: {error.reason}"
    except _EndedError:
        if head.is_whole:
            return "the header cannot be read: the file ends before it does"
        return f"the header has more than {MOST_HEADER_BYTES:,} bytes" if len(head.data) >= MOST_HEADER_BYTES else None


def _header(reader: _Reader, size_bytes: int) -> GgufHeader:
    reader.skip(len(MAGIC))
    version = reader.number(_U32)
    if version not in _VERSIONS:
        raise CannotParse("its version is another than 2 or 3, or its bytes are in the order of other machines")
    tensors, keys = reader.number(_U64), reader.number(_U64)
    if tensors > MOST_TENSORS:
        raise CannotParse(f"it claims more than {MOST_TENSORS:,} tensors")
    if tensors * _LEAST_TENSOR_BYTES + keys * _LEAST_KEY_BYTES > size_bytes:
        raise CannotParse("it claims more keys than the file has room for")
    alignment = _DEFAULT_ALIGNMENT
    for _ in range(keys):
        is_alignment, kind = reader.text() == _ALIGNMENT_KEY, reader.number(_U32)
        if is_alignment and kind == _UINT32:
            alignment = reader.number(_U32)
        else:
            reader.pass_value(kind)
    if not 0 < alignment <= _MOST_ALIGNMENT:
        raise CannotParse("its alignment is none")
    found = tuple(_tensor(reader) for _ in range(tensors))
    if len({tensor.name for tensor in found}) < len(found):
        raise CannotParse("a name stands twice")
    return GgufHeader(found, -(-reader.at // alignment) * alignment)


def _tensor(reader: _Reader) -> PackedTensor:
    name = reader.text()
    if len(name) > _MOST_NAME_BYTES:
        raise CannotParse("the name of a tensor is too long")
    dimensions = reader.number(_U32)
    if dimensions > _MOST_DIMENSIONS:
        raise CannotParse("a tensor has a shape that is none")
    shape = tuple(reader.number(_U64) for _ in range(dimensions))[::-1]
    product = 1
    for size in shape:
        product *= size
    if product >= _MOST_SIZE:
        raise CannotParse("a tensor has a shape that no memory holds")
    return PackedTensor(name.decode("utf-8", "replace"), reader.number(_U32), shape, reader.number(_U64))
