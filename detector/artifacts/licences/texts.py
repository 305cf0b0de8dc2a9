"""The text of a licence file -> which licences it holds, and how surely: by phrases, and by what is left over."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from detector.artifacts.licences.expressions import Meant
from detector.settings.licences import LIKE_SHARE, MOST_LICENCE_BYTES, SPARE_SHARE, SPARE_WORDS

_WORD = re.compile(r"[^\W_]+|\+")
# What begins a line of a text that stands in comments.
_MARKS = re.compile(r"^[ \t]*(?:#+|//+|/?\*+|--|;+|>|\.\.)[ \t]*", re.MULTILINE)
# What a permissive text says only where somebody added a condition of their own.
_RESTRICTION = re.compile(r" (?:non ?commercial|(?:commercial|research|academic) (?:use|purposes?)) ")
# ... and these by themselves; so do all texts that are longer than Apache's.
_SPEAK_OF_COMMERCE = ("BUSL-", "CC-", "LicenseRef-")
_LONGEST_PERMISSIVE = 2_000  # words


@dataclass(frozen=True, slots=True)
class Phrases:
    """By what one licence is told from the others."""

    has: Sequence[str]
    words: int
    lacks: Sequence[str] = ()
    needs: Sequence[str] = ()  # one of these
    open: Sequence[str] = ()
    is_vague: bool = False

    def share(self, text: str) -> float:
        """The share of its phrases that a text has; none if it has one of its relatives'."""
        if any(f" {each} " in text for each in self.lacks):
            return 0.0
        if self.needs and not any(f" {each} " in text for each in self.needs):
            return 0.0
        return sum(f" {each} " in text for each in self.has) / len(self.has)


@dataclass(frozen=True, slots=True)
class Recognised:
    """One licence whose text a file holds."""

    licence: str  # an SPDX identifier, or a LicenseRef- of ours
    meant: Meant  # expressions, one of which it stands for
    share: float  # of its phrases
    is_sure: bool  # all phrases, and little else in the file


@cache
def known() -> Mapping[str, Phrases]:
    """The phrases of every known licence."""
    text = (resources.files("detector.artifacts.licences") / "texts.toml").read_text("utf-8")
    return {name: Phrases(**given) for name, given in tomllib.loads(text).items()}


def plain(text: str) -> str:
    """The words of a text in lower case, a blank around each."""
    return f" {' '.join(_WORD.findall(_MARKS.sub('', text).lower())).replace('+', 'plus')} "


def recognised(data: bytes) -> tuple[Recognised, ...]:
    """Licences whose texts a file holds, the one that begins first at the head.

    Ties: of texts that have most phrases of several licences, those of which they have all; of relatives without a
    difference, the first in the table.
    """
    text = plain(data[:MOST_LICENCE_BYTES].decode("utf-8", "replace"))
    shares = {name: phrases.share(text) for name, phrases in known().items()}
    whole = [name for name, share in shares.items() if share == 1]
    if not whole:
        best = max(shares.values(), default=0.0)
        return tuple(
            Recognised(name, _meant(name), round(share, 2), False)
            for name, share in shares.items()
            if share == best >= LIKE_SHARE
        )[:1]
    expected = sum(known()[name].words for name in whole)
    is_all = text.count(" ") - 1 <= expected * (1 + SPARE_SHARE) + SPARE_WORDS and len(data) <= MOST_LICENCE_BYTES
    is_permissive = expected < _LONGEST_PERMISSIVE and not any(name.startswith(_SPEAK_OF_COMMERCE) for name in whole)
    is_restricted = is_permissive and _RESTRICTION.search(text) is not None
    found = sorted(whole, key=lambda name: min(text.find(f" {phrase} ") for phrase in known()[name].has))
    return tuple(
        Recognised(name, _meant(name), 1.0, is_all and not (known()[name].is_vague or is_restricted)) for name in found
    )


def _meant(name: str) -> Meant:
    return frozenset(known()[name].open or [name])
