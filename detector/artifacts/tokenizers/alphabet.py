"""Spellings of bytes in vocabularies: GPT-2's alphabet, and that of SentencePiece -> the bytes that are meant."""

from __future__ import annotations

import re
from collections.abc import Collection

from detector.artifacts.tokenizers.part import encoded


def _alphabet() -> dict[str, int]:
    """Source: GPT-2's `bytes_to_unicode`: printable bytes stand for themselves, the others from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    letters.update({chr(0x100 + place): byte for place, byte in enumerate(others)})
    return letters


ALPHABET = _alphabet()
# What a byte-level vocabulary has at least: some trainers leave bytes out that UTF-8 never has.
FEWEST_LETTERS = 180
_TABLE = str.maketrans({letter: chr(byte) for letter, byte in ALPHABET.items()})
_LETTERS = frozenset(ALPHABET)
_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
SPACE = "▁"  # of SentencePiece


def is_byte_level(tokens: Collection[str]) -> bool:
    """Whether a vocabulary is written in GPT-2's alphabet: its letters are tokens, those beyond ASCII too."""
    return sum(letter in tokens for letter in ALPHABET) >= FEWEST_LETTERS and "Ġ" in tokens


def is_pieces(tokens: Collection[str]) -> bool:
    """Whether a vocabulary writes spaces as SentencePiece does."""
    return SPACE in tokens or any(token.startswith(SPACE) for token in tokens)


def from_letters(token: str) -> bytes:
    """The bytes of a token in GPT-2's alphabet; what has other letters stands for itself."""
    if _LETTERS.issuperset(token):
        return token.translate(_TABLE).encode("latin-1")
    return encoded(token)


def from_piece(piece: str) -> bytes:
    """The bytes of a piece of SentencePiece."""
    if len(piece) == 6 and (byte := _PIECE.fullmatch(piece)) is not None:
        return bytes.fromhex(byte[1])
    return encoded(piece.replace(SPACE, " "))
