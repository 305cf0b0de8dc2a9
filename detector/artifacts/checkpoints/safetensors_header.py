"""The header of a safetensors file -> its tensors: names, types, shapes and where their bytes are.

Source: the format's description in the safetensors repository: eight bytes of length, a JSON object, the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.artifacts.bounded_json import CannotParse, parse
from detector.settings.config import MOST_HEADER_BYTES, MOST_TENSORS
from detector.targets import Head

LENGTH_BYTES = 8
# What a type takes, in bits: some take less than a byte.
BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E5M2FNUZ", "F8_E4M3FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
METADATA = "__metadata__"  # a key of the header that is no tensor
# Values that JSON needs for one tensor: its name, type, shape and offsets; shapes have some dimensions.
_VALUES_A_TENSOR = 16
_MOST_DEPTH = 4
_MOST_DIMENSIONS = 64
_MOST_SIZE = 2**63
_FIELDS = {"dtype", "shape", "data_offsets"}
# A quote inside of a text is escaped, so that this stands in the bytes for a key alone.
_OFFSETS_KEY = b'"data_offsets"'


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor. Its bytes are from `begin` to before `end`, counted from the first byte after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return _product(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds; the tensors' bytes follow each other from `data_begin` on, without holes."""

    tensors: tuple[Tensor, ...]  # in the order of their bytes
    metadata: Mapping[str, str]
    data_begin: int  # from the beginning of the file


def header_bytes(head: Head) -> int | str:
    """How much of the file `read_header` needs, from its first eight bytes; or why there is no header."""
    if len(head.data) < LENGTH_BYTES:
        return "shorter than the length of a header"
    length = int.from_bytes(head.data[:LENGTH_BYTES], "little")
    if length > head.size_bytes - LENGTH_BYTES:
        return f"the header claims {length:,} bytes, the file has {head.size_bytes - LENGTH_BYTES:,} after its length"
    if length > MOST_HEADER_BYTES:
        return f"the header has {length:,} bytes: at most {MOST_HEADER_BYTES:,} are read"
    if length < len("{}"):
        return "the header is empty"
    return LENGTH_BYTES + length


def read_header(head: Head) -> Header | str:
    """Read the header of a file; whatever is wrong with it comes back as a reason.

    head: at least as much of the file as `header_bytes` says.
    """
    needed = header_bytes(head)
    if isinstance(needed, str):
        return needed
    if len(head.data) < needed:
        return f"only {len(head.data):,} bytes could be read, the header has {needed - LENGTH_BYTES:,}"
    text = head.data[LENGTH_BYTES:needed]
    try:
        return _header(text, needed, head.size_bytes - needed)
    except CannotParse as error:
        return f"the header cannot be read: {error.reason}"


def _header(text: bytes, data_begin: int, data_bytes: int) -> Header:
    if not text.startswith(b"{"):
        raise CannotParse("it does not begin with a brace")
    tree = parse(text.rstrip(b" "), _MOST_DEPTH, MOST_TENSORS * _VALUES_A_TENSOR)
    assert isinstance(tree, dict)  # it begins with a brace
    metadata = _metadata(tree.pop(METADATA, {}))
    if len(tree) > MOST_TENSORS:
        raise CannotParse(f"it has more than {MOST_TENSORS:,} tensors")
    if text.count(_OFFSETS_KEY) != len(tree) + ("data_offsets" in tree):
        raise CannotParse("a name stands twice, or offsets stand where no tensor is")
    tensors = sorted((_tensor(name, said) for name, said in tree.items()), key=lambda each: (each.begin, each.end))
    _check_order(tensors, data_bytes)
    return Header(tuple(tensors), metadata, data_begin)


def _metadata(said: object) -> Mapping[str, str]:
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        raise CannotParse(f"{METADATA} is no table of texts")
    return said


def _tensor(name: str, said: object) -> Tensor:
    if not isinstance(said, dict) or said.keys() != _FIELDS:
        raise CannotParse("a tensor has other fields than type, shape and offsets")
    dtype, shape, offsets = said["dtype"], said["shape"], said["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise CannotParse("a tensor has a type that is not known")
    if not isinstance(shape, list) or len(shape) > _MOST_DIMENSIONS or not all(map(_is_size, shape)):
        raise CannotParse("a tensor has a shape that is none")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_size, offsets)):
        raise CannotParse("a tensor has offsets that are none")
    tensor = Tensor(name, dtype, tuple(shape), *offsets)
    if tensor.parameters >= _MOST_SIZE:
        raise CannotParse("a tensor has a shape that no memory holds")
    if tensor.parameters * BITS[dtype] != 8 * (tensor.end - tensor.begin):
        raise CannotParse("the bytes of a tensor do not fit its type and shape")
    return tensor


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_SIZE


def _product(shape: tuple[int, ...]) -> int:
    """Ends early: sixty-four large dimensions would make a number of a thousand digits."""
    if 0 in shape:
        return 0
    product = 1
    for size in shape:
        product *= size
        if product >= _MOST_SIZE:
            return _MOST_SIZE
    return product


def _check_order(tensors: list[Tensor], data_bytes: int) -> None:
    """Refuse tensors of which one does not begin where the one before it ended."""
    end = 0
    for tensor in tensors:
        if tensor.begin != end:
            raise CannotParse("tensors overlap" if tensor.begin < end else "there are bytes that belong to no tensor")
        end = tensor.end
    if end != data_bytes:
        raise CannotParse(f"its tensors end at byte {end:,} of the data, the file at {data_bytes:,}")
