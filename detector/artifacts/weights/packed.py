"""Values that are packed together: GGUF's blocks, which are unpacked, and packed integers, which are only told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from detector.artifacts.checkpoints.gguf_header import GgufHeader, PackedTensor
from detector.artifacts.weights.stored import DTYPES, Blocks, CannotReadValues, Stored, Values, stored_bytes

# The last part of a name whose integers are packed -> a part that stands beside it then, and who packs so.
_PACKED = {
    "qweight": ("scales", "GPTQ or AWQ"),
    "weight_packed": ("weight_scale", "compressed-tensors"),
    "weight": ("weight.absmax", "bitsandbytes"),
}
# Values that are unpacked at once: what the library builds on the way takes some twenty bytes for each.
_AT_ONCE = 1 << 20


def told(tensors: Mapping[str, Stored]) -> tuple[dict[str, Stored], str]:
    """Say of tensors of packed integers that they are such; and who packs so, "" where nobody does."""
    found: dict[str, Stored] = {}
    packers: dict[str, None] = {}
    for name, tensor in tensors.items():
        above, _, last = name.rpartition(".")
        beside, packer = _PACKED.get(last, ("", ""))
        is_packed = tensor.dtype in ("I32", "U8", "I8") and beside and f"{above}.{beside}" in tensors
        found[name] = replace(tensor, packer=packer) if is_packed else tensor
        if is_packed:
            packers[packer] = None
    return found, ", ".join(packers)


def in_gguf(path: str, header: GgufHeader, size_bytes: int) -> dict[str, Stored] | str:
    """The tensors of a GGUF file by name; a reason if their bytes are not where the header says."""
    try:
        import gguf
    except ImportError:
        return "GGUF is read where the library for it is installed: pip install gguf"
    tensors: dict[str, Stored] = {}
    for each in header.tensors:
        try:
            kind = gguf.GGMLQuantizationType(each.kind)
        except ValueError:
            return f"a tensor is of ggml's type {each.kind}, which the installed gguf library does not know"
        blocks = None
        if kind.name not in DTYPES:
            values, size = gguf.GGML_QUANT_SIZES[kind]
            if not each.shape or each.shape[-1] % values:
                return "the header cannot be read: a tensor has rows that are no whole blocks"
            blocks = Blocks(values, size, partial(_unpacked, each.kind))
        tensors[each.name] = Stored(each.name, kind.name, each.shape, path, header.data_begin + each.begin, blocks)
    return _disorder(header.tensors, tensors, size_bytes) or tensors


def _disorder(order: tuple[PackedTensor, ...], tensors: Mapping[str, Stored], size_bytes: int) -> str:
    """Why the bytes of the tensors cannot be where the header says."""
    end = 0
    for tensor in sorted((tensors[each.name] for each in order), key=lambda tensor: (tensor.begin, tensor.name)):
        if tensor.begin < end:
            return "the header cannot be read: tensors overlap"
        end = tensor.begin + stored_bytes(tensor)
    return f"its tensors end at byte {end:,}, the file at {size_bytes:,}" if end > size_bytes else ""


def _unpacked(kind: int, data: bytes, size: int) -> Values:
    """Values of whole blocks, each `size` bytes long."""
    import gguf

    step = max(_AT_ONCE // gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)][0], 1) * size
    raw = np.frombuffer(data, np.uint8)
    try:
        with np.errstate(all="ignore"):  # a stranger's scales may be anything
            found = [
                gguf.quants.dequantize(raw[at : at + step].reshape(1, -1), gguf.GGMLQuantizationType(kind)).ravel()
                for at in range(0, len(raw), step)
            ]
    except NotImplementedError:
        name = gguf.GGMLQuantizationType(kind).name
        raise CannotReadValues(f"values of type {name} are not read") from None
    return np.concatenate(found).astype(np.float32, copy=False) if found else np.zeros(0, np.float32)
