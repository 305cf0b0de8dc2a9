"""Write a SentencePiece model: the few fields of its protocol buffer that a small vocabulary needs."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from bench.fixture_files.byte_pairs import Pair

_VARINT, _BYTES, _FLOAT = 0, 2, 5
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_BPE = 2
SPECIAL = ("<unk>", "<s>", "</s>", "\x03")  # unknown, begin, end, and what ends an answer


def pieces(made: Sequence[Pair], letters: Sequence[str]) -> list[tuple[str, float, int]]:
    """Every piece with its score and type: special ones, bytes, merges, then single letters."""
    special = [(text, 0.0, _UNKNOWN if text == "<unk>" else _CONTROL) for text in SPECIAL]
    of_bytes = [(f"<0x{byte:02X}>", 0.0, _BYTE) for byte in range(256)]
    words = ["".join(pair) for pair in made] + list(letters)
    return [*special, *of_bytes, *((word, -float(rank), _NORMAL) for rank, word in enumerate(words))]


def model(made: Sequence[Pair], letters: Sequence[str]) -> bytes:
    """The whole file. Source: sentencepiece_model.proto of SentencePiece 0.2."""
    listed = pieces(made, letters)
    data = b"".join(
        _field(1, _field(1, text.encode()) + _number(2, score) + _field(3, kind)) for text, score, kind in listed
    )
    trainer = _field(3, _BPE) + _field(4, len(listed)) + _field(35, 1)  # kind of model, size, falls back to bytes
    trainer += _field(40, 0) + _field(41, 1) + _field(42, 2)  # ids of unknown, begin, end
    normaliser = _field(1, b"identity") + _field(3, 1) + _field(4, 0) + _field(5, 1)  # blanks: led, kept, marked
    return data + _field(2, trainer) + _field(3, normaliser)


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _number(number: int, value: float) -> bytes:
    return _varint(number << 3 | _FLOAT) + struct.pack("<f", value)


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])
