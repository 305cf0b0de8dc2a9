"""The header of a GGUF file -> its tokenizer: llama.cpp's source archive carries those of many models."""

from __future__ import annotations

import struct
from typing import Any

from detector.artifacts.tokenizers.alphabet import from_letters, from_piece
from detector.artifacts.tokenizers.lists import merge_pairs
from detector.artifacts.tokenizers.part import AddedToken, Part, encoded

# Source: the specification of GGUF, version 3: type of a value -> its struct format.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
# llama.cpp's types of tokens.
_CONTROL, _USER_DEFINED, _UNUSED = 3, 4, 5


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def scalar(self, layout: str) -> Any:
        found = struct.unpack_from(f"<{layout}", self._data, self._at)[0]
        self._at += struct.calcsize(f"<{layout}")
        return found

    def text(self) -> str:
        size = self.scalar("Q")
        self._at += size
        return self._data[self._at - size : self._at].decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self.text()
        if kind == _ARRAY:
            item, count = self.scalar("I"), self.scalar("Q")
            return [self.value(item) for _ in range(count)]
        return self.scalar(_SCALARS[kind])


def header(data: bytes) -> dict[str, Any]:
    """All keys of the header and their values."""
    reader = _Reader(data)
    magic, version = reader.scalar("I"), reader.scalar("I")
    if magic != int.from_bytes(b"GGUF", "little") or version < 2:
        raise SystemExit("this is no GGUF file of version 2 or later")
    reader.scalar("Q")  # tensors
    return {reader.text(): reader.value(reader.scalar("I")) for _ in range(reader.scalar("Q"))}


def tokenizer(data: bytes) -> Part:
    """Its tokens as bytes, its merges, and as added those that are control tokens or defined by the user."""
    keys = header(data)
    tokens: list[str] = keys["tokenizer.ggml.tokens"]
    types: list[int] = keys.get("tokenizer.ggml.token_type") or [1] * len(tokens)
    to_bytes = from_letters if keys["tokenizer.ggml.model"] == "gpt2" else from_piece
    added = {
        number: AddedToken(token, ("special",) if kind == _CONTROL else ())
        for number, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (_CONTROL, _USER_DEFINED)
    }
    laid = [
        b"" if kind == _UNUSED else encoded(token) if number in added else to_bytes(token)
        for number, (token, kind) in enumerate(zip(tokens, types, strict=True))
    ]
    return Part("BPE", tuple(laid), merge_pairs(keys.get("tokenizer.ggml.merges", []), to_bytes), added)
