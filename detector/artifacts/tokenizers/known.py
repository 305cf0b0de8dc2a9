"""Tokenizers that many projects build on, as hashes: which one is a tokenizer's base, and what it changes."""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from detector.artifacts.tokenizers.files import Tokenizer
from detector.artifacts.tokenizers.part import AddedToken, encoded
from detector.settings.tokenizer import BASE_ADDED_SHARE, BASE_SHARE, FEWEST_BASE_ADDED, KNOWN_TOKENIZERS_VERSION

# Ids that are looked at before a whole vocabulary is: one in so many.
_SAMPLE = 64


@dataclass(frozen=True, slots=True)
class Known:
    """One known tokenizer.

    Shapes: `marks` has one byte for each id, the first of its token's hash; 0 where the id is free.
    """

    name: str
    source: str  # the package that has it, with its version
    lineage: str  # tokenizers of one lineage were made from each other
    digest: str  # of all tokens in their order
    marks: bytes = field(repr=False)
    added: Mapping[int, str] = field(repr=False)  # id -> hash of the content


@dataclass(frozen=True, slots=True)
class Registry:
    """All that is known."""

    tokenizers: tuple[Known, ...]
    families: int  # families of models whose sources were read for their tokens
    uses: Mapping[str, int] = field(repr=False)  # hash of a token -> families that name it
    statements: frozenset[str] = field(repr=False)  # hashes of the statements of known chat templates
    files: frozenset[str]  # "sha256:..." of files of known tokenizers
    holders: Mapping[str, frozenset[str]] = field(repr=False)  # hash of an added token -> lineages that have it
    lineages: int

    def added_in(self, number: int, content: bytes) -> bool:
        """Whether a known tokenizer has this added token at this id."""
        told = hashed(content)
        return told in self.holders and any(each.added.get(number) == told for each in self.tokenizers)

    def having(self, content: bytes) -> int:
        """How many lineages of known tokenizers have an added token of this content, wherever."""
        return len(self.holders.get(hashed(content), ()))


def assembled(
    tokenizers: Iterable[Known],
    families: int,
    uses: Mapping[str, int],
    statements: Iterable[str] = (),
    files: Iterable[str] = (),
) -> Registry:
    """Put together what is known."""
    known = tuple(tokenizers)
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for each in known:
        for told in each.added.values():
            holders[told].add(each.lineage)
    whole = {told: frozenset(lineages) for told, lineages in holders.items()}
    lineages = len({each.lineage for each in known})
    return Registry(known, families, uses, frozenset(statements), frozenset(files), whole, lineages)


@dataclass(frozen=True, slots=True)
class Base:
    """The known tokenizer that one is built on, and where it differs from it."""

    known: Known
    is_by_vocabulary: bool  # else by its added tokens alone
    changed: tuple[int, ...]  # ids whose token the base has otherwise or not at all, ascending
    missing: int = 0  # ids of the base that are free here

    def says(self) -> str:
        """Put it in words."""
        count = len(self.changed) + self.missing
        if count == 0:
            return f"{self.known.name}, unchanged"
        return f"{self.known.name} + {count:,} change{'' if count == 1 else 's'}"


def hashed(content: bytes) -> str:
    """The hash by which the table knows a token: 48 bits in hexadecimal."""
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def marks(contents: Sequence[bytes]) -> bytes:
    """One byte for each id; 0 only where it is free."""
    return bytes(_mark(token) for token in contents)


def _mark(token: bytes) -> int:
    return hashlib.blake2b(token, digest_size=1).digest()[0] or 1 if token else 0


def digest(contents: Sequence[bytes]) -> str:
    """One hash of all tokens in their order."""
    whole = hashlib.sha256()
    for token in contents:
        whole.update(b"%d:%b" % (len(token), token))
    return whole.hexdigest()[:32]


@cache
def registry() -> Registry:
    """The table that ships with the package; `python -m bench.known_tokenizers --write` rebuilds it."""
    folder = resources.files("detector.artifacts.tokenizers")
    return loaded(
        json.loads((folder / "known.json").read_text("utf-8")), lzma.decompress((folder / "known.bin").read_bytes())
    )


def loaded(table: dict[str, Any], every_mark: bytes) -> Registry:
    """Put the table together."""
    if table["version"] != KNOWN_TOKENIZERS_VERSION:
        raise ValueError("the table of known tokenizers has another version: python -m bench.known_tokenizers --write")
    found, at = [], 0
    for row in table["tokenizers"]:
        its_marks = every_mark[at : at + row["size"]]
        at += row["size"]
        added = {int(number): told for number, told in row["added"].items()}
        found.append(Known(row["name"], row["source"], row["lineage"], row["digest"], its_marks, added))
    return assembled(found, table["families"], table["uses"], table["statements"], table["files"])


def base_of(tokenizer: Tokenizer, known: Registry) -> Base | None:
    """The known tokenizer that this one changes least; None if it is built on none of them.

    Ties: the first of the table.
    """
    bases = _by_vocabulary(tokenizer, known) if tokenizer.contents else _by_added(tokenizer.added, known)
    return min(bases, key=lambda base: len(base.changed) + base.missing, default=None)


def _by_vocabulary(tokenizer: Tokenizer, known: Registry) -> list[Base]:
    ours, told = marks(tokenizer.contents), digest(tokenizer.contents)
    bases = []
    for each in known.tokenizers:
        if each.digest == told:
            return [Base(each, True, ())]
        if equal_share(ours[::_SAMPLE], each.marks[::_SAMPLE]) < BASE_SHARE / 2:
            continue
        if equal_share(ours, each.marks) >= BASE_SHARE:
            bases.append(Base(each, True, *_changes(each, ours, tokenizer.contents)))
    return bases


def _changes(known: Known, ours: bytes, contents: Sequence[bytes]) -> tuple[tuple[int, ...], int]:
    """The ids that hold another token than the known one has, and how many trained tokens of it are gone."""
    theirs = known.marks + bytes(max(0, len(ours) - len(known.marks)))
    changed = {number for number, mark in enumerate(ours) if mark and mark != theirs[number]}
    for number, told in known.added.items():  # of these more than a byte is known
        if number < len(contents) and contents[number] and hashed(contents[number]) != told:
            changed.add(number)
    gone = [number for number, mark in enumerate(theirs) if mark and not (number < len(ours) and ours[number])]
    return tuple(sorted(changed)), sum(number not in known.added for number in gone)


def equal_share(ours: bytes, theirs: bytes) -> float:
    """The share of the known tokenizer's ids at which both have the same."""
    equal = sum(mark == other and mark != 0 for mark, other in zip(ours, theirs, strict=False))
    return equal / max(len(theirs) - theirs.count(0), 1)


def _by_added(added: Mapping[int, AddedToken], known: Registry) -> list[Base]:
    told = {number: hashed(encoded(token.content)) for number, token in added.items()}
    bases = []
    for each in known.tokenizers:
        equal = sum(each.added.get(number) == content for number, content in told.items())
        if equal < max(FEWEST_BASE_ADDED, BASE_ADDED_SHARE * len(each.added)):
            continue
        changed = sorted(number for number, content in told.items() if each.added.get(number) != content)
        bases.append(Base(each, False, tuple(changed)))
    return bases
