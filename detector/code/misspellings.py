"""Words that are one slip of a finger away from a common word: `vison`, `recieve`, `lenght`."""

from __future__ import annotations

from collections.abc import Iterator, Set

from detector.settings import LONG_WORD

_ALPHABET = [bytes([code]) for code in range(ord("a"), ord("z") + 1)]

# Two ways to spell one word, neither of them a slip: normalise, colour, modelling, grey, acknowledgement.
_VARIANTS = frozenset([(b"s", b"z"), (b"", b"u"), (b"", b"l"), (b"a", b"e"), (b"", b"e")])


class Misspellings:
    """Tells slips from words.

    common: the words that can be meant, in lower case.
    """

    def __init__(self, common: Set[bytes]) -> None:
        self._common = common
        # Two words one slip apart have a form in common that lacks a letter of each: most words are told at that price.
        self._forms = {form for word in common for form in _shortened(word)}

    def meant(self, word: bytes) -> bytes:
        """The common word that a word is one slip away from, "" for none.

        A slip leaves a letter out, puts one in, changes two beside each other or, in a longer word, takes another
        letter: `swallow` is no misspelt `shallow`. At the first letter and at the last it is none: that is how naming
        and grammar make words (`xmask`, `masks`).
        Ties:   the first in the alphabet.
        Source: Damerau 1964; forms as in Garbe's SymSpell, 2012.
        """
        if word in self._common or self._forms.isdisjoint(_shortened(word)):
            return b""
        return min((known for known in _one_slip_away(word) if known in self._common), default=b"")


def _shortened(word: bytes) -> list[bytes]:
    """The word, and with each of its letters left out."""
    return [word, *[word[:place] + word[place + 1 :] for place in range(len(word))]]


def _one_slip_away(word: bytes) -> Iterator[bytes]:
    for place in range(1, len(word)):
        before, letter, after = word[:place], word[place : place + 1], word[place + 1 :]
        following = after[:1]
        if after and not _is_variant(letter, b""):
            yield before + after
        if len(after) > 1 and following != letter:
            yield before + following + letter + after[1:]
        for other in _ALPHABET:
            if after and len(word) >= LONG_WORD and other != letter and not _is_variant(letter, other):
                yield before + other + after
            if not _is_variant(b"", other):
                yield before + other + letter + after


def _is_variant(one: bytes, other: bytes) -> bool:
    return (one, other) in _VARIANTS or (other, one) in _VARIANTS
