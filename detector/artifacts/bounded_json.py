"""JSON of a stranger -> lists, mappings and scalars, within bounds that are checked before anything is built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate

# Escapes are skipped in pairs; a text without an end reaches to the end of the data, so that no byte is read twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# So many texts are taken out at once, that what is left of them takes no memory to speak of.
_STRETCH = re.compile(rb'(?:[^"]*+"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)){1,100000}+', re.DOTALL)
_ALL_BYTES = bytes(range(256))
_NOT_BRACKETS = bytes(set(_ALL_BYTES) - set(b"[]{}"))
_OPENING = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
# No number of an honest file comes near; int() takes quadratic time and refuses 4,300.
MOST_DIGITS = 400
# Looked for where digits begin alone: from each digit of many numbers that are almost as long it takes a minute.
_LONG_NUMBER = re.compile(rb"(?<![0-9])[0-9]{%d}" % (MOST_DIGITS + 1))
# Of a file that is read for a few of its keys: configurations of tokenizers with 2,000 tokens have 15,000 values.
MOST_SMALL_DEPTH = 64
MOST_SMALL_VALUES = 200_000
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
_UTF8_MARK = b"\xef\xbb\xbf"


class CannotParse(ValueError):  # noqa: N818 - said where it is caught: what cannot be parsed
    """The data is no JSON, or more than may be built of it; `reason` says which in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(data: bytes, most_depth: int, most_values: int) -> object:
    """Read one JSON document.

    UTF-8 with or without a mark is read, nothing else: what loads models reads nothing else either. `NaN` and
    `Infinity` are floats, as Python writes them. Of a key that stands twice the last one holds, as everywhere.
    A lone surrogate becomes U+FFFD, so that every text can be printed.
    Errors: CannotParse.
    """
    data = data.removeprefix(_UTF8_MARK)
    _check_size(data, most_depth, most_values)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise CannotParse("it is not UTF-8") from None
    try:
        found: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise CannotParse(f"it is no JSON: {error.msg.lower()} at line {error.lineno}") from None
    except (ValueError, RecursionError):
        raise CannotParse("it is no JSON that can be read") from None
    return _without_surrogates(found) if _SURROGATE_ESCAPE.search(data) is not None else found


def mapping(data: bytes) -> dict[str, object]:
    """A small file that is one JSON object, such as a configuration; empty if it is anything else, or too large."""
    try:
        found = parse(data, MOST_SMALL_DEPTH, MOST_SMALL_VALUES)
    except CannotParse:
        return {}
    return found if isinstance(found, dict) else {}


def _check_size(data: bytes, most_depth: int, most_values: int) -> None:
    """Count brackets and commas outside of texts: what is built is never more than these."""
    values, depth = 1, 0
    for bare in _without_texts(data):
        if _LONG_NUMBER.search(bare) is not None:
            raise CannotParse(f"it has a number of more than {MOST_DIGITS} digits")
        opened, closed = (bare.count(pair[:1]) + bare.count(pair[1:]) for pair in (b"[{", b"]}"))
        values += bare.count(b",") + opened
        if values > most_values:
            raise CannotParse(f"it has more than {most_values:,} values")
        if closed > depth + opened:
            raise CannotParse("it is no JSON: it closes more brackets than it opens")
        brackets = bare.translate(None, _NOT_BRACKETS)
        deepest = max(accumulate(map(_OPENING.__getitem__, brackets), initial=depth))
        depth += opened - closed
        if deepest > most_depth:
            raise CannotParse(f"it is nested more than {most_depth} levels deep")


def _without_texts(data: bytes) -> Iterator[bytes]:
    """The data without its texts, in stretches that end behind one."""
    start = 0
    while start < len(data):
        stretch = _STRETCH.match(data, start)
        end = stretch.end() if stretch is not None else len(data)
        yield _STRING.sub(b" ", data[start:end])
        start = end


def _without_surrogates(value: object) -> object:
    """Put U+FFFD in place of lone surrogates; depth is bounded by now."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return value
