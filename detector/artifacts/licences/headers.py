"""The head of a file, or a sentence -> the licence that it says it stands under, in the words that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detector.artifacts.licences.expressions import (
    Meant,
    Several,
    defined,
    joined,
    kept,
    key,
    meant,
    narrowest,
    spellings,
    tree,
    written,
)
from detector.artifacts.licences.texts import plain, recognised
from detector.settings.declared import HEADER_BYTES, HEADER_LINES

_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n]{1,500}?)[ \t]*(?:\*/|-->|\"\"\"|''')?$", re.MULTILINE)
_TEXT_BEGINS = re.compile(r"[rRuU]?(\"\"\"|''')")
# Above these a header may go on; everything else is code, and what stands in its texts is none.
_LEADING_CODE = re.compile(r"(?:import|from)[ \t]|__\w+__[ \t]*=")
# Words after which a licence is named, in the plain form of `texts.plain`.
_UNDER = re.compile(
    r"(?<! not)(?: dual| double)? (?:"
    r"(?:licensed|licenced|released|distributed|redistribute it|available|provided|published|covered)"
    r"(?: and or modify it)?(?: to you| here)? (?:under|by)"
    r"(?: the| a| an)?(?: (?:terms|conditions)(?: and conditions)? of)?"
    r"|governed by|subject to the terms of|licen[sc]e is)(?: either)?(?: of)?(?: both)?(?: the| a| an)? "
)
_GNU = re.compile(
    r" gnu (?P<kind>lesser |library |affero )?general public license(?: gpl| lgpl| agpl)?"
    r"(?: as published by the free software foundation)?(?: either)? v(?:ersion)? ?(?P<major>\d)(?: (?P<minor>[01]))?"
    r"(?: of the license)?(?: as published by the free software foundation)?(?: of the license)?"
    r"(?P<later>(?: or)?(?: at your option)?(?: or)? (?:any )?later| or plus| plus)?\b"
)
_GNU_KINDS = {"": "GPL", "lesser ": "LGPL", "library ": "LGPL", "affero ": "AGPL"}
_JOINT = re.compile(r"(and or|and|or|plus) (?:the |a |an )?(?:terms of the )?")
_LONGEST_NAME = 12  # words
_LINE = re.compile(r"(?:@?licen[cs]e(?:d under)?|licensed under(?: the)?)[ \t]*:[ \t]*", re.IGNORECASE)
_LONGEST_LINE = 120


def of_file(data: bytes) -> str:
    """The SPDX expression of what the head of a Python file says of its licence, "" if it says nothing definite.

    Several tags all hold (REUSE 3.3). A licence that is named but known under no such name is kept as a LicenseRef-.
    """
    lines = list(head(data))
    text = "\n".join(lines)
    tags = [_TAG.search(line) for line in lines] if "SPDX-License-Identifier" in text else []
    said = [found[1] for found in tags if found]
    if said:
        return joined([defined(each) or kept(each) for each in said])
    return narrowest(stated(text)) if re.search(r"licen[cs]|permission", text, re.IGNORECASE) else ""


def head(data: bytes) -> Iterator[str]:
    """Comments and the docstring above the code of a file, line by line, without marks."""
    end = ""
    for raw in re.split(r"\r\n|\r|\n", data[:HEADER_BYTES].decode("utf-8", "replace"))[:HEADER_LINES]:
        line = raw.strip()
        if end:
            yield line.partition(end)[0]
            end = "" if end in line else end
        elif line.startswith("#"):
            yield line.lstrip("# \t")
        elif opening := _TEXT_BEGINS.match(line):
            rest = line[opening.end() :]
            yield rest.partition(opening[1])[0]
            end = "" if opening[1] in rest else opening[1]
        elif line and not (_LEADING_CODE.match(line) and '"""' not in line and "'''" not in line):
            return


def stated(text: str) -> Meant:
    """What a header, or a section of a README, says of the licence; empty if it says none, or several."""
    found = [each for each in _stated(text) if each]
    first, *others = list(dict.fromkeys(found)) or [frozenset()]
    for each in others:  # said twice, once with more and once with less: "MIT License" above "BSD-style" says neither
        first = first & each
    return first


def _stated(text: str) -> Iterator[Meant]:
    for line in text.split("\n"):
        if re.search(r"licen[cs]e", line, re.IGNORECASE) and len(line) <= _LONGEST_LINE:
            yield meant(_LINE.sub("", line.strip("# \t*_.-=:")).strip(" *_`."))
    words = plain(text)
    for whole in recognised(text.encode("utf-8", "replace")):
        if whole.share == 1 and not whole.is_sure and len(words) > 4 * HEADER_BYTES:
            continue
        if whole.share == 1:
            yield whole.meant
    gnu = _GNU.search(words)
    if gnu:
        yield _of_gnu(gnu)
    for found in _UNDER.finditer(words):
        yield _named(words[found.end() :].split(" "))


def _of_gnu(found: re.Match[str]) -> Meant:
    kind = _GNU_KINDS[found["kind"] or ""]
    minor = found["minor"] if kind == "LGPL" and found["minor"] else "0"
    return frozenset([f"{kind}-{found['major']}.{minor}-{'or-later' if found['later'] else 'only'}"])


def _named(words: list[str]) -> Meant:
    """The licence that a list of words begins with, and the one joined to it."""
    first, used = _longest(words)
    more = _JOINT.match(" ".join(words[used : used + 6]) + " ") if first else None
    if more is None:
        return first
    second, _ = _longest(words[used + len(more[0].split()) :])
    both = [tree(narrowest(each)) for each in (first, second)]
    parts = [each for each in both if each is not None]
    if not second or len(parts) < len(both):
        return first if not second else frozenset()
    # "and" between two names says as often that one may choose: only "or" is plain.
    return frozenset([written(Several(True, tuple(parts)))]) if more[1] == "or" else frozenset()


def _longest(words: list[str]) -> tuple[Meant, int]:
    """What the longest beginning of a list of words that is a licence's name means, and how many words it takes."""
    for count in range(min(_LONGEST_NAME, len(words)), 0, -1):
        found = spellings().get(key(" ".join(words[:count]).replace("plus", "+")))
        if found:
            return found, count
    return frozenset(), 0
