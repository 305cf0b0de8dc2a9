"""Words that are one slip of a finger away from a common word: `vison`, `recieve`, `lenght`."""

from __future__ import annotations

from collections.abc import Iterator, Set

_ALPHABET = [bytes([code]) for code in range(ord("a"), ord("z") + 1)]

# Letters that one of two good spellings lacks: colour, modelling, acknowledgement.
_SILENT = frozenset([b"u", b"l", b"e"])


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

        A slip leaves a letter out, puts one in or changes two beside each other. Another letter in place of one is
        none: `friction` is no misspelt `fraction`. Nor is anything at the first letter or at the last two: that is how
        naming and grammar make words (`xmask`, `masks`, `retrievers`).
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
    for place in range(1, len(word) - 1):
        before, letter, after = word[:place], word[place : place + 1], word[place + 1 :]
        if len(after) > 1:
            if letter not in _SILENT:
                yield before + after
            if letter + after[:1] != b"re" and letter + after[:1] != b"er":  # metres
                yield before + after[:1] + letter + after[1:]
        for other in _ALPHABET:
            if other not in _SILENT:
                yield before + other + letter + after
