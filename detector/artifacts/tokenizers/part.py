"""What one file says of a tokenizer, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from detector.artifacts.bounded_json import CannotParse
from detector.settings.tokenizer import MOST_TOKENS

# A vocabulary may leave ids free: those that a model's matrix is padded by, or that added tokens fill.
MOST_GAPS = 70_000


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that was put beside the trained ones."""

    content: str
    flags: tuple[str, ...] = ()  # those that are set: "special", "lstrip", ...


@dataclass(frozen=True, slots=True)
class Part:
    """What one file says.

    Shapes: tokens by id, as bytes; b"" where the vocabulary leaves an id free.
    """

    model: str = ""  # "BPE", "Unigram", "WordPiece", "" if it does not say
    tokens: tuple[bytes, ...] = ()
    merges: tuple[bytes, ...] = ()  # the two halves with a zero byte between them
    added: Mapping[int, AddedToken] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)  # "normalizer", "pre_tokenizer", ... -> canonical JSON
    templates: Mapping[str, str] = field(default_factory=dict)  # name -> Jinja
    names: Mapping[str, str] = field(default_factory=dict)  # "tokenizer_class", "auto_map.AutoTokenizer", "bos_token"


def ordered(entries: Iterable[tuple[int, bytes]]) -> tuple[bytes, ...]:
    """Lay tokens out by their ids; of an id that is given twice the first one holds.

    Errors: CannotParse for ids that cannot be those of a vocabulary.
    """
    by_id: dict[int, bytes] = {}
    for number, token in entries:
        by_id.setdefault(number, token)
    if not by_id:
        return ()
    if min(by_id) < 0 or max(by_id) >= min(MOST_TOKENS, len(by_id) + MOST_GAPS):
        raise CannotParse("its ids are not those of a vocabulary")
    return tuple(by_id.get(number, b"") for number in range(max(by_id) + 1))


def overlaid(tokens: Sequence[bytes], added: Mapping[int, AddedToken]) -> tuple[bytes, ...]:
    """Put the added tokens at their ids; those that are far beyond the others do not lengthen the list.

    Empty: of no trained tokens; added ones alone are no vocabulary.
    """
    if not tokens:
        return ()
    end = max([len(tokens), *(number + 1 for number in added if number < len(tokens) + MOST_GAPS)])
    laid = [*tokens, *(b"" for _ in range(end - len(tokens)))]
    for number, token in added.items():
        if number < end:
            laid[number] = encoded(token.content)
    return tuple(laid)


def encoded(text: str) -> bytes:
    """A token's text as bytes; a lone surrogate, which no text has, counts as three bytes."""
    return text.encode("utf-8", "surrogatepass")


def is_id(value: object) -> bool:
    """Whether a value can be a token's id: a whole number, no truth value."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_TOKENS
