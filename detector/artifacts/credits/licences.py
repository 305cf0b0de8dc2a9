"""Copyright lines, SPDX and REUSE tags -> who holds what: of headers of files, and of a project's licence files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from detector.artifacts.credits.manifests import read_toml
from detector.settings.declared import HEADER_BYTES, HEADER_LINES, MOST_MANIFEST_ENTRIES

_LICENCE_NAME = re.compile(
    r"(?:^|/)(?:(?:LICEN[CS]ES?|COPYING|COPYRIGHT|NOTICES?|AUTHORS|THIRD[-_]?PARTY)[\w.-]*|REUSE\.toml)$"
    r"|(?:^|/)LICEN[CS]ES/[^/]+$|(?:^|/)\.reuse/dep5$|\.license$",
    re.IGNORECASE,
)
# Where a project's own licence stands: at its top, or in what a wheel is packed with.
_OWN = re.compile(r"[^/]+|(?:LICEN[CS]ES|\.reuse)/[^/]+|[^/]+\.dist-info/(?:[^/]+|licen[cs]es/[^/]+)", re.IGNORECASE)
# A copyright line begins with its mark: `copyright = "2020, X"` is code, "the copyright notice above" is prose.
_MARKS = r"^[ \t]*(?:#+|//+|/?\*+|--|;+|\"\"\"|'''|<!--|%+|\.\.)?[ \t]*"
_COPYRIGHT = re.compile(
    _MARKS + r"(?:portions[ \t]+|modifications[ \t]+)?(?:(?:SPDX-FileCopyrightText:|copyright\b:?)"
    r"[ \t]*(?:(?:\(c\)|©|&copy;)[ \t]*)?"
    r"|(?:\(c\)|©)[ \t]*(?=(?:copyright|\d{4})))(?:copyright[ \t]*)?(?P<rest>\S[^\n]{1,200})$",
    re.IGNORECASE,
)
_YEAR = r"(?:19|20)\d\d"
_YEARS = re.compile(
    rf"\b{_YEAR}(?:[ ]?[-–,/][ ]?(?:{_YEAR}|\d\d|present|now|today)|-)*(?:[ ]and[ ]{_YEAR})?[,.:]?", re.I
)
_TEMPLATE = re.compile(
    r"[\[<{](?:yyyy|year|name|fullname|copyright)|\byyyy\b|name of (?:the )?(?:author|copyright)", re.I
)
# What is longer is no notice, but a data set or a licence on one line.
_LONGEST_LINE = 400
# Whom the texts of licences themselves name.
_OF_LICENCES = re.compile(r"free software foundation|creative commons|open source initiative", re.I)
_NOISE = re.compile(
    r"all rights? (?:are )?reserved|rights reserved|licensed? under.*|released under.*|<[^>]{0,100}>|\(?\S+@\S+\)?"
    r"|https?://\S+|\(c\)|©|&copy;|\bcopyright\b|\bet al\b|\b(?:and|or)(?:/or)? (?:its |their )?affiliates\b"
    r"|\b(?:the|by|and other)\b|\bauthors?\b|\bcontributors?\b|\bteam\b|\binc\b|\bltd\b|\bllc\b|\bcorp(?:oration)?\b",
    re.I,
)
_SPDX = re.compile(_MARKS + r"SPDX-License-Identifier:[ \t]*(?P<id>[\w.+() -]{1,100}?)[ \t]*(?:\*/|-->)?$", re.I)
# What no copyright line goes on with: it is a sentence about copyright.
_PROSE = re.compile(
    r"(?:notice|holders?|owners?|law|laws|licen[cs]e|statement|and|or|is|in|on|of|to|infring\w+|doctrine)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One line that names a holder or a licence."""

    line: int
    text: str
    holder: str  # plain; "" of a licence tag
    licence: str  # SPDX expression; "" of a copyright line


def is_licence_name(path: str) -> bool:
    """Whether a file holds a licence, a notice or REUSE tags, by its name."""
    return _LICENCE_NAME.search(path) is not None


def is_own(path: str) -> bool:
    """Whether a file of licences or notices is about the project itself, by where it stands."""
    return _OWN.fullmatch(path) is not None


def header(data: bytes) -> tuple[Notice, ...]:
    """What the head of a file says of its holders and its licence: above all code, or in its first lines."""
    text = data[:HEADER_BYTES].decode("utf-8", "replace")
    return tuple(_notices(islice(re.split(r"\r\n|\r|\n", text), HEADER_LINES)))


def notices(path: str, data: bytes) -> tuple[Notice, ...]:
    """What a licence file, a notice or a file of REUSE tags says."""
    text = data.decode("utf-8", "replace")
    name = path.rpartition("/")[2]
    lines = re.split(r"\r\n|\r|\n", text)[:MOST_MANIFEST_ENTRIES]
    if name == "REUSE.toml":
        return tuple(_of_reuse(text))
    if name == "dep5":
        lines = [re.sub(r"^\s*Copyright:\s*", "Copyright ", line) for line in lines]
    return tuple(_notices(lines))


def _notices(lines: Iterator[str] | list[str]) -> Iterator[Notice]:
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if len(line) > _LONGEST_LINE:
            continue
        found = _COPYRIGHT.match(line)
        holder = _holder(found["rest"]) if found else ""
        if holder:
            yield Notice(number, line[:200], holder, "")
            continue
        tag = _SPDX.match(line)
        if tag:
            yield Notice(number, line[:200], "", tag["id"])


def _of_reuse(text: str) -> Iterator[Notice]:
    document = read_toml(text)
    tables = document.get("annotations")
    for table in tables[:MOST_MANIFEST_ENTRIES] if isinstance(tables, list) else ():
        if not isinstance(table, dict):
            continue
        given = table.get("SPDX-FileCopyrightText")
        for each in given if isinstance(given, list) else [given]:
            holder = _holder(each) if isinstance(each, str) else ""
            if isinstance(each, str) and holder:
                yield Notice(0, each[:200], holder, "")


def _holder(rest: str) -> str:
    """The holder of a copyright line, plain; "" if it names none."""
    if _PROSE.match(rest) or _TEMPLATE.search(rest) or _OF_LICENCES.search(rest):
        return ""
    text = _NOISE.sub(" ", _YEARS.sub(" ", rest))
    words = re.findall(r"[^\W_]+", text.lower())
    return " ".join(words[:8]) if words and any(len(word) > 1 for word in words) else ""
