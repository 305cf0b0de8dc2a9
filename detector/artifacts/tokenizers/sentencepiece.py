"""Models of SentencePiece: the pieces of a protobuf message, read without its schema's library."""

from __future__ import annotations

from collections.abc import Iterator

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers.alphabet import from_piece
from detector.artifacts.tokenizers.part import AddedToken, Part, encoded
from detector.settings.tokenizer import MOST_TOKENS

# Source: sentencepiece_model.proto, ModelProto and TrainerSpec.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_PIECE_TEXT, _PIECE_TYPE = 1, 3
_MODEL_TYPE = 3
_NORMALIZER_NAME = 1
_MODELS = {1: "Unigram", 2: "BPE", 3: "Word", 4: "Char"}
_BYTE = 6
# Control pieces and those that the user defined: what other formats list as added tokens.
_ADDED = {3: ("special",), 4: ()}
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT_BYTES = 10
# Fields of all messages together, those of half a million pieces: a piece is one, and its text, score and type are.
# A file of 64 MB may have thirty million that are empty.
_MOST_FIELDS = 2_000_000


def is_sentencepiece(data: bytes) -> bool:
    """Whether a file begins with a piece: a message that begins with a text that fits into it."""
    return (
        len(data) > 4
        and data[0] == _PIECES << 3 | _LENGTH
        and data[2] == _PIECE_TEXT << 3 | _LENGTH
        and data[3] < data[1] < 0x80
    )


def read(data: bytes) -> Part:
    """Read pieces in their order, the kind of model and the name of the normaliser.

    Errors: CannotParse.
    """
    pieces: list[bytes] = []
    added: dict[int, AddedToken] = {}
    model, normalizer = "", ""
    budget = iter(range(_MOST_FIELDS))
    for field, wire, start, end in _fields(data, 0, len(data), budget):
        if wire != _LENGTH:
            continue
        if field == _PIECES:
            text, kind = _piece(data, start, end, budget)
            if kind in _ADDED:
                added[len(pieces)] = AddedToken(text, _ADDED[kind])
            is_piece = kind == _BYTE or (kind not in _ADDED and not text.startswith("<0x"))
            pieces.append(from_piece(text) if is_piece else encoded(text))
            if len(pieces) > MOST_TOKENS:
                raise CannotParse(f"it has more than {MOST_TOKENS:,} tokens")
        elif field == _TRAINER:
            found = _fields(data, start, end, budget)
            kinds = [at for name, kind, at, _ in found if (name, kind) == (_MODEL_TYPE, _VARINT)]
            model = _MODELS.get(kinds[-1], "") if kinds else "Unigram"
        elif field == _NORMALIZER:
            names = [
                data[at:to]
                for name, kind, at, to in _fields(data, start, end, budget)
                if (name, kind) == (_NORMALIZER_NAME, _LENGTH)
            ]
            normalizer = names[-1].decode("utf-8", "replace") if names else ""
    if not pieces:
        raise CannotParse("it has no pieces")
    return Part(model, tuple(pieces), added=added, steps={"normalizer": f'"{normalizer}"'} if normalizer else {})


def _piece(data: bytes, start: int, end: int, budget: Iterator[int]) -> tuple[str, int]:
    """The text of a piece, and its type."""
    text, piece_type = b"", 1
    for field, wire, at, to in _fields(data, start, end, budget):
        if (field, wire) == (_PIECE_TEXT, _LENGTH):
            text = data[at:to]
        elif (field, wire) == (_PIECE_TYPE, _VARINT):
            piece_type = at
    return text.decode("utf-8", "replace"), piece_type


def _fields(data: bytes, start: int, end: int, budget: Iterator[int]) -> Iterator[tuple[int, int, int, int]]:
    """Every field of a message, each for one of the budget.

    Shapes: number, wire type, then where its bytes begin and end, or its value twice if it is a varint.
    Errors: CannotParse for lengths that do not fit, for what no message has, and when nothing is left of the budget.
    """
    at = start
    while at < end:
        if next(budget, None) is None:
            raise CannotParse(f"it has more than {_MOST_FIELDS:,} fields")
        tag, at = _varint(data, at, end)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at, end)
            yield field, wire, value, value
            continue
        if wire == _LENGTH:
            length, at = _varint(data, at, end)
        elif wire in _FIXED:
            length = _FIXED[wire]
        else:
            raise CannotParse("it is no protobuf message")
        if length > end - at:
            raise CannotParse("a length in it reaches beyond its end")
        yield field, wire, at, at + length
        at += length


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(end, at + _MOST_VARINT_BYTES)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise CannotParse("a number in it has no end")
