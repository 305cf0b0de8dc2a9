"""Train small byte pair vocabularies on a text, the same from the same text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

Pair = tuple[str, str]

# How texts are cut before merging: digits in threes, a word with the blank before it. ASCII: so are the texts.
CUT = r" ?[A-Za-z]+| ?[0-9]{1,3}| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # what stands for a blank in SentencePiece


def alphabet() -> dict[int, str]:
    """The printable character for each byte, in the order that all byte-level vocabularies begin with.

    Source: Radford et al. 2019, `bytes_to_unicode`: bytes that print stand for themselves, others come from 256 on.
    """
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def byte_level_words(text: str) -> Counter[str]:
    """Words of a text as byte-level vocabularies see them."""
    letters = alphabet()
    return Counter("".join(letters[byte] for byte in word.encode()) for word in re.findall(CUT, text))


def blank_led_words(text: str) -> Counter[str]:
    """Words of a text as SentencePiece sees them: between blanks, each led by the mark of a blank."""
    return Counter(SPACE + word for word in text.split())


def merges(words: Counter[str], count: int) -> list[Pair]:
    """So many merges, each of the pair that stands most often beside each other.

    Ties: the pair that sorts first.
    """
    split = [(list(word), times) for word, times in sorted(words.items())]
    counts: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[int]] = defaultdict(set)
    for number, (parts, times) in enumerate(split):
        for pair in _pairs(parts):
            counts[pair] += times
            holders[pair].add(number)
    made: list[Pair] = []
    while len(made) < count:
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        made.append(best)
        for number in sorted(holders.pop(best)):
            parts, times = split[number]
            for pair in _pairs(parts):
                counts[pair] -= times
            joined = _joined(parts, best)
            split[number] = joined, times
            for pair in _pairs(joined):
                counts[pair] += times
                holders[pair].add(number)
        del counts[best]
    return made


def _pairs(parts: list[str]) -> Iterable[Pair]:
    return pairwise(parts)


def _joined(parts: list[str], pair: Pair) -> list[str]:
    joined: list[str] = []
    place = 0
    while place < len(parts):
        if tuple(parts[place : place + 2]) == pair:
            joined.append("".join(pair))
            place += 2
        else:
            joined.append(parts[place])
            place += 1
    return joined
