"""What two tokenizers both changed: which tokens, in which place, and how surprising that is."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.tokenizers.files import Tokenizer
from detector.artifacts.tokenizers.known import Base, Registry, hashed
from detector.artifacts.tokenizers.part import encoded
from detector.settings.tokenizer import COMMON_TOKEN_SHARE, MOST_OVERWRITTEN

_NOT_WORDS = re.compile(r"[\W\d_]+")
# Words that tell the two ends of a pair apart: `<|im_start|>` and `<|im_end|>` are one decision.
_ENDS = re.compile(r"^(?:start|begin|end|bos|eos|bo|eo)(?:of)?|(?:start|begin|end|bos|eos)$")


@dataclass(frozen=True, slots=True)
class Shared:
    """A changed token that both have."""

    suspect_id: int
    reference_id: int
    content: str
    families: int  # families of models that name this token
    bits: float  # how surprising it is that both have it; 0 for all but the first of one decision


def changed_ids(tokenizer: Tokenizer, base: Base | None) -> list[int]:
    """The ids at which a tokenizer differs from its base; without a base, all added tokens."""
    if base is None:
        return sorted(tokenizer.added)
    if len(base.changed) > MOST_OVERWRITTEN:  # it goes on where its base ends: only added tokens are changes
        return [number for number in base.changed if number in tokenizer.added]
    return list(base.changed)


def content_at(tokenizer: Tokenizer, number: int) -> bytes:
    """The token at an id, b"" if there is none that is known."""
    if number in tokenizer.added:
        return encoded(tokenizer.added[number].content)
    return tokenizer.contents[number] if number < len(tokenizer.contents) else b""


def shared_changes(
    ours: tuple[Tokenizer, Base | None], theirs: tuple[Tokenizer, Base | None], known: Registry
) -> tuple[Shared, ...]:
    """The changed tokens that both have, as far as they stand at equal distances, by id.

    One distance is kept, that of most tokens: 0 where both are laid out alike. What a known tokenizer has at the same
    id, or has anywhere and a base does not tell, is no change of theirs.
    """
    (suspect, base), (reference, other) = ours, theirs
    mine = {number: content_at(suspect, number) for number in changed_ids(suspect, base)}
    places = {content_at(reference, number): number for number in reversed(changed_ids(reference, other))}
    is_told = base is not None and other is not None
    pairs = [
        (number, places[content])
        for number, content in mine.items()
        if content in places and not known.added_in(number, content) and (is_told or not known.having(content))
    ]
    distances = Counter(theirs - ours for ours, theirs in pairs)
    if not distances:
        return ()
    distance = max(distances, key=lambda each: (distances[each], each == 0, -abs(each), each))
    kept = [(number, place) for number, place in pairs if place - number == distance]
    told = weighed([mine[number].decode("utf-8", "replace") for number, _ in kept], known)
    return tuple(Shared(number, place, *each) for (number, place), each in zip(kept, told, strict=True))


def weighed(contents: Sequence[str], known: Registry) -> list[tuple[str, int, float]]:
    """Say of each token how many families have it, and how surprising it is, with what was decided together once."""
    groups = defaultdict(list)
    for place, content in enumerate(contents):
        groups[stem(content)].append(place)
    bits = [0.0] * len(contents)
    for places in groups.values():
        bits[places[0]] = min(rarity(contents[place], known) for place in places)
    return [
        (content, known.uses.get(hashed(encoded(content)), 0), value)
        for content, value in zip(contents, bits, strict=True)
    ]


def stem(content: str) -> str:
    """The word of a token without brackets, numbers and ends: tokens of one stem were one decision."""
    word = _NOT_WORDS.sub("", content).lower()
    return _ENDS.sub("", word) or word or content


def rarity(content: str, known: Registry) -> float:
    """Bits of one token: how few families of models, or known lineages, have it; 0 for what many have."""
    share = (known.uses.get(hashed(encoded(content)), 0) + 1) / (known.families + 1)
    share = max(share, known.having(encoded(content)) / max(known.lineages, 1))
    return 0.0 if share > COMMON_TOKEN_SHARE else -math.log2(share)


# What tokens are called that wait for a use; their hashes tell them in a table that has no texts.
_PLACEHOLDERS = (
    "<|reserved_special_token_{}|>",
    "<|extra_{}|>",
    "<unused{}>",
    "[unused{}]",
    "<extra_id_{}>",
    "<reserved_{}>",
    "[control_{}]",
    "<0x{:02X}>",
)
_MOST_PLACEHOLDERS = 1024


def names(told: Iterable[str], texts: Iterable[str]) -> Mapping[str, str]:
    """What stands behind hashes of tokens, as far as it is one of these texts or a placeholder."""
    wanted = set(told)
    found = {code: text for text in texts if (code := hashed(encoded(text))) in wanted}
    for pattern in _PLACEHOLDERS if wanted - set(found) else ():
        for number in range(_MOST_PLACEHOLDERS):
            text = pattern.format(number)
            if (code := hashed(encoded(text))) in wanted:
                found[code] = text
    return found
