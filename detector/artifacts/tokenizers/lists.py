"""Vocabularies and merges that are plain lists: vocab.json, vocab.txt, merges.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers.alphabet import from_letters, from_piece, is_byte_level, is_pieces
from detector.artifacts.tokenizers.part import Part, encoded, is_id, ordered
from detector.settings.tokenizer import MOST_MERGES, MOST_TOKENS

# A `vocab.txt` without one of these is a list of something else.
_WORD_PIECES = frozenset({"[UNK]", "[CLS]", "[PAD]", "<unk>", "<pad>", "<s>"})
FEWEST_LINES = 16


def spelling(tokens: Mapping[str, object]) -> Callable[[str], bytes]:
    """How a vocabulary writes bytes."""
    if is_byte_level(tokens):
        return from_letters
    return from_piece if is_pieces(tokens) else encoded


def from_ids(vocabulary: object) -> tuple[tuple[bytes, ...], Callable[[str], bytes]]:
    """A vocabulary that maps tokens to ids, and how it writes bytes; what is no id is left out.

    Errors: CannotParse.
    """
    if not isinstance(vocabulary, dict):
        raise CannotParse("its vocabulary maps no tokens to ids")
    to_bytes = spelling(vocabulary)
    return ordered((number, to_bytes(token)) for token, number in vocabulary.items() if is_id(number)), to_bytes


def merge_pairs(entries: Iterable[object], to_bytes: Callable[[str], bytes]) -> tuple[bytes, ...]:
    """Merges in both spellings: "a b" and ["a", "b"]; what is neither keeps its rank and equals nothing."""
    merges = []
    for entry in entries:
        pair = entry.split(" ") if isinstance(entry, str) else entry
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(half, str) for half in pair):
            merges.append(to_bytes(pair[0]) + b"\0" + to_bytes(pair[1]))
        else:
            merges.append(b"")
    return tuple(merges)


def read_vocabulary(found: object) -> Part:
    """`vocab.json`.

    Errors: CannotParse.
    """
    tokens, _ = from_ids(found)
    if len(tokens) < FEWEST_LINES:
        raise CannotParse("it has hardly any tokens")
    return Part("", tokens)


def read_merges(data: bytes) -> Part:
    """`merges.txt`: a line of version, then a pair on each line.

    Errors: CannotParse.
    """
    if data.count(b"\n") > MOST_MERGES:
        raise CannotParse(f"it has more than {MOST_MERGES:,} merges")
    lines = [line for line in data.decode("utf-8", "replace").split("\n") if line and not line.startswith("#version")]
    letters = {half: 0 for line in lines for half in line.split(" ")}
    return Part("BPE", merges=merge_pairs(lines, from_piece if is_pieces(letters) else from_letters))


def read_lines(data: bytes) -> Part | None:
    """`vocab.txt`: a token on each line; None if it is a list of something else.

    Errors: CannotParse.
    """
    if data.count(b"\n") > MOST_TOKENS:
        raise CannotParse(f"it has more than {MOST_TOKENS:,} tokens")
    lines = [line.rstrip("\r") for line in data.decode("utf-8", "replace").split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) < FEWEST_LINES or not _WORD_PIECES.intersection(lines):
        return None
    return Part("WordPiece" if "[UNK]" in lines else "", tuple(map(encoded, lines)))
