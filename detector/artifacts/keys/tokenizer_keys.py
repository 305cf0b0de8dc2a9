"""A file of a tokenizer -> keys of what no known tokenizer explains of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b

from detector.artifacts.keys.key import Key, Kind, key
from detector.artifacts.tokenizers.changes import changed_ids, content_at, rarity, stem
from detector.artifacts.tokenizers.files import BESIDE, NAMES, Tokenizer, group, merged, parse
from detector.artifacts.tokenizers.known import Base, Registry, base_of
from detector.artifacts.tokenizers.part import overlaid
from detector.artifacts.tokenizers.templates import statements
from detector.settings.scan import LEAST_VOCABULARY_BYTES, TEMPLATE_BITS, VOCABULARY_BITS, VOCABULARY_MINIMA
from detector.settings.tokenizer import FEWEST_SAME_TOKENS, MOST_OVERWRITTEN

_MERGES = frozenset({"merges.txt", "vocab.bpe"})


def chosen(paths: Iterable[str], size: Callable[[str], int]) -> list[str]:
    """Of each tokenizer the files that are read: one with a vocabulary, the best told, and the small ones beside it.

    size: of a file in bytes; one that is too small for a vocabulary has none, whatever it is called.
    """
    groups: dict[str, list[tuple[int, str]]] = {}
    for path in paths:
        found = group(path)
        if found is not None and found[1] not in _MERGES:
            rank = NAMES.index(found[1]) if found[1] in NAMES else len(NAMES)
            groups.setdefault(found[0], []).append((rank, path))
    wanted = []
    for place in sorted(groups, key=lambda place: (place.count("/"), place)):
        files = sorted(groups[place])
        whole = [path for rank, path in files if rank == len(NAMES) or NAMES[rank] not in BESIDE]
        whole = [path for path in whole if size(path) >= LEAST_VOCABULARY_BYTES]
        wanted += [path for _, path in files if path not in whole[1:]]
    return wanted


def of(path: str, data: bytes, known: Registry) -> list[Key]:
    """Tokens that were added or changed, a vocabulary of its own, statements of a template.

    Errors: CannotParse.
    """
    grouped = group(path)
    part = parse(grouped[1], data) if grouped is not None else None
    if part is None:
        return []
    whole = merged([part])
    tokenizer = Tokenizer(path, (), whole, overlaid(whole.tokens, whole.added))
    base = base_of(tokenizer, known)
    found = [*_tokens(tokenizer, base, known), *_vocabulary(tokenizer, base)]
    for template in whole.templates.values():
        own = [code for code in statements(template) if code not in known.statements]
        found += [key(Kind.TEMPLATE, code, TEMPLATE_BITS) for code in own]
    return found


def _tokens(tokenizer: Tokenizer, base: Base | None, known: Registry) -> Iterator[Key]:
    """Each change that some known tokenizer does not have at its place; tokens of one stem share their bits."""
    changes = {number: content_at(tokenizer, number) for number in changed_ids(tokenizer, base)}
    own = {
        content: content.decode("utf-8", "replace")
        for number, content in changes.items()
        if content and not known.added_in(number, content) and (base is not None or not known.having(content))
    }
    stems = Counter(stem(text) for text in own.values())
    for content, text in own.items():
        bits = rarity(text, known) / stems[stem(text)]
        if bits > 0:
            yield key(Kind.TOKEN, content, bits)


def _vocabulary(tokenizer: Tokenizer, base: Base | None) -> Iterator[Key]:
    """Minima over the tokens beyond a known base with their ids; single bytes stand in one order in many.

    Source: Li, Owen and Zhang 2012 (one permutation hashing): one hash of each, the least of each class of hashes.
    """
    contents = tokenizer.contents
    ids: Sequence[int] = range(len(contents)) if base is None else base.changed
    if base is not None and len(ids) <= MOST_OVERWRITTEN:
        return
    hashes = {
        int.from_bytes(blake2b(b"%d %b" % (number, contents[number]), digest_size=8).digest(), "big")
        for number in ids
        if number < len(contents) and len(contents[number]) > 1 and number not in tokenizer.added
    }
    if len(hashes) < FEWEST_SAME_TOKENS:
        return
    least: dict[int, int] = {}
    for each in hashes:
        place = each % VOCABULARY_MINIMA
        least[place] = min(each, least.get(place, each))
    for place in sorted(least):
        yield key(Kind.VOCABULARY, b"%d %d" % (place, least[place]), VOCABULARY_BITS)
