"""Comments and docstrings of Python -> what they say the code beside them comes from; never strings of the code.

A scanner of tokens, not a parser: it reads what Python rejects as well, in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from detector.artifacts.credits.denials import NEGATION
from detector.artifacts.credits.naming import words
from detector.artifacts.python_tokens import TEXT

_CLAIM = re.compile(
    r"\b(?:copied|copy|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked)\s+"
    r"(?:\w+\s+){0,3}?(?:from|on|of)\b(?P<source>[^\n]{0,300}(?:\n[^\n]{0,300})?)",
    re.IGNORECASE,
)
_CLAIM_BYTES = re.compile(
    rb"\b(?:copied|copy|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked)\b", re.IGNORECASE
)
_DENIAL = re.compile(rf"\b{NEGATION}\b[\w ]*$", re.IGNORECASE)
# How far before the word a denial still belongs to it.
_DENIAL_REACH = 40
_COMMENT_MARKS = re.compile(r"^[ \t#]+", re.MULTILINE)

# A comment with those that stand right below it, or a text.
_TOKEN = re.compile(rb"#[^\n]*+(?:\n[ \t]*+#[^\n]*+)*+|" + TEXT, re.DOTALL)
# What a text that is an operand or an argument stands behind.
_OPEN = frozenset(b"([{,=+\\%")
_LOOK_BACK = 200


class Remark(NamedTuple):
    """A comment block or a docstring, and the line that it begins in."""

    line: int
    text: str


def may_claim(data: bytes) -> bool:
    """Whether any word of a claim occurs at all, comment or not."""
    return _CLAIM_BYTES.search(data) is not None


def may_claim_from(data: bytes, names: Collection[str]) -> bool:
    """Whether anything in a file reads like a claim that names one of these, comment or not."""
    if not may_claim(data):
        return False
    known = frozenset(names)
    text = _COMMENT_MARKS.sub("", data.decode("utf-8", "replace"))
    found = _CLAIM.search(text)
    while found is not None:
        if words(found["source"]) & known:
            return True
        found = _CLAIM.search(text, found.start("source"))
    return False


def claims_from(text: str, names: Collection[str]) -> bool:
    """Whether a comment or docstring claims that something comes from one of these."""
    known = frozenset(names)
    return any(words(claim.source) & known for claim in claims(text))


class RemarkedClaim(NamedTuple):
    """What a remark says, and where in it."""

    start: int
    said: str
    source: str


def claims(text: str) -> Iterator[RemarkedClaim]:
    """Every claim of a comment or docstring that is not denied."""
    for found in _CLAIM.finditer(text):
        if not _DENIAL.search(text, max(found.start() - _DENIAL_REACH, 0), found.start()):
            yield RemarkedClaim(found.start(), found[0], found["source"])


def remarks(data: bytes) -> Iterator[Remark]:
    """Comments and docstrings of a file, in its order; comments without their marks."""
    line, counted = 1, 0
    for found in _TOKEN.finditer(data):
        start = found.start()
        line, counted = line + data.count(b"\n", counted, start), start
        is_comment = data[start] == _HASH
        if not is_comment and not (found[0][:3] in _TRIPLE and _is_statement(data, start)):
            continue
        text = found[0].decode("utf-8", "replace")
        yield Remark(line, _COMMENT_MARKS.sub("", text) if is_comment else text.strip("\"'"))


_HASH = ord("#")
_TRIPLE = (b'"""', b"'''")


def _is_statement(data: bytes, start: int) -> bool:
    """Whether a text stands by itself: a docstring, or what is used as one."""
    before = data[max(start - _LOOK_BACK, 0) : start].rstrip(b"rRuUbBfF")
    margin = before.rpartition(b"\n")[2]
    if margin.strip():
        return False
    last = before.rstrip()[-1:]
    return last in (b":", b"") or last[0] not in _OPEN


def code_of(data: bytes) -> bytes:
    """The code alone: comments and texts are blanked, lines stay where they are."""
    return _TOKEN.sub(lambda found: b"\n" * found[0].count(b"\n"), data)


def without_remarks(data: bytes) -> bytes:
    """Code and the texts that it uses: comments and docstrings are blanked, lines stay where they are."""

    def kept(found: re.Match[bytes]) -> bytes:
        text = found[0]
        is_remark = text[0] == _HASH or (text[:3] in _TRIPLE and _is_statement(data, found.start()))
        return b"\n" * text.count(b"\n") if is_remark else text

    return _TOKEN.sub(kept, data)
