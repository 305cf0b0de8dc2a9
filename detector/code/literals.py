"""The bytes of one file -> keys of what its author wrote by hand: comments, strings, numbers, words.

A scanner of tokens, not a parser: it reads what Python rejects as well as what it accepts, in one pass that never looks
at a byte more than a few times. A key is a hash of a literal in its normal form, which layout does not change; texts
and places are read from the file again (`Scanner`) where a key was found on both sides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import xxhash

from detector.code.literal_background import literal_background
from detector.code.misspellings import Misspellings
from detector.code.sorting import Hashes, Numbers
from detector.model import Skipped
from detector.settings import (
    FEWEST_COMMENT_WORDS,
    FEWEST_DIGITS,
    LEAST_COMMENT,
    LONGEST_LITERAL,
    LONGEST_WORD,
    MOST_FILE_LITERALS,
    MOST_MEMO_LITERALS,
    SHORTEST_WORD,
)
from detector.targets import SourceFile

COMMENT, STRING, NUMBER, WORD, UNUSED_IMPORT, UNUSED_NAME, UNREACHABLE = range(7)
KINDS = ("comment", "string", "number", "misspelling", "unused-import", "unused-name", "unreachable-code")

# The low byte of a key: three bits of kind, three of length; what is left is the hash.
_KIND_BITS = 3
LENGTHS = 8
_LENGTH_STEP = 8  # characters of one step of length
_HASH = ~0xFF & 0xFFFFFFFFFFFFFFFF

# A text without an end is one up to the end of its line, or of the file: whatever follows, nothing is scanned twice.
_TEXT = (
    rb"""(?:\"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+(?:\"""|\Z)"""
    rb"""|'''[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+(?:'''|\Z)"""
    rb"""|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?"""
    rb"""|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'?)"""
)
_TOKEN = re.compile(
    rb"#[^\n]*+"
    # Texts beside each other are one: that is how long messages are laid out.
    rb"|" + _TEXT + rb"(?:[\s\\]*+[fFrRbBuU]{0,2}" + _TEXT + rb")*+"
    # A digit, and no letter or dot before it: `conv2d` and `a.b1` hold no numbers.
    rb"|\d(?<![\w.]\d)[\w.]*+(?:(?<=[eE])[+-]\d++)?"
    rb"|\.\d(?<![\w.)\]]\.\d)\w*+(?:(?<=[eE])[+-]\d++)?",
    re.DOTALL,
)
_PIECE = re.compile(_TEXT, re.DOTALL)
# How far before a text it is looked what it stands behind; a file may be one line.
_LOOK_BACK = 200
_TRIPLE = (b'"""', b"'''")
_HASH_SIGN = ord("#")
_QUOTES = frozenset(b"\"'")
# What a text is an operand or an argument of, where it stands at the beginning of a line.
_OPEN = frozenset(b"([{,=+\\%")

_ENDS = b" \t\r\f\v#-=*_~:;,.!?'\"`()[]{}<>|/\\+"
_PLACEHOLDER = re.compile(rb"\{[^{}]*+\}|%(?:\(\w*+\))?[-+ #0]*+\d*+(?:\.\d++)?[diouxXeEfFgGcrsa]")
_ESCAPE = re.compile(rb"\\(\n|.)", re.DOTALL)
_ESCAPES = {b"\n": b"", b"n": b"\n", b"t": b" ", b"r": b" ", b"\\": b"\\", b'"': b'"', b"'": b"'"}

# Letters stay, and so do bytes of other scripts, so that no word is cut at an accent; all else parts words.
_WORDS = bytes([code if chr(code).isalpha() or code > 127 else 32 for code in range(256)])
_CAMEL = re.compile(rb"[A-Z]?[a-z]++|[A-Z]++(?![a-z])")


@dataclass(frozen=True, slots=True)
class Literals:
    """What the files of one repository say.

    Shapes: file files[i] of `paths` has keys[i]; ascending by file, then by key, each once in a file.
    """

    paths: tuple[str, ...] = ()
    files: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    keys: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))

    @classmethod
    def of(cls, paths: Sequence[str], keys: Sequence[Hashes]) -> Literals:
        """Put the keys of files together."""
        if not paths:
            return cls()
        files = np.repeat(np.arange(len(paths)), [len(each) for each in keys])
        return cls(tuple(paths), files, np.concatenate(keys))


def read_literals(files: Iterable[SourceFile | Skipped]) -> Literals:
    """Read the keys of every file, also of one that cannot be parsed."""
    texts = [(file.path, scanner().keys(file.data)) for file in files if isinstance(file, SourceFile)]
    return Literals.of([path for path, _ in texts], [keys for _, keys in texts])


class Literal(NamedTuple):
    """One literal where it stands."""

    key: int
    text: str  # in its normal form
    line: int  # from 1


def kind_of(key: int) -> int:
    """Which kind of literal a key is of."""
    return key & ((1 << _KIND_BITS) - 1)


def key_of(kind: int, length: int, text: bytes) -> int:
    """Make a key.

    Stable: xxh3 of the text, equal across processes and machines.
    """
    length = 0 if length < 0 else LENGTHS - 1 if length >= LENGTHS else length
    return xxhash.xxh3_64_intdigest(text, seed=kind) & _HASH | length << _KIND_BITS | kind


class _Memo(dict[bytes, tuple[int, ...]]):
    """Token -> its keys, each worked out once: what one file says, its neighbours repeat."""

    def __missing__(self, token: bytes) -> tuple[int, ...]:
        read = self.read(token)
        found = tuple([key for key, _ in read]) if read else ()
        if len(token) <= LONGEST_LITERAL:  # what is longer is no repetition, and would fill the memory
            if len(self) >= MOST_MEMO_LITERALS:
                self.clear()
            self[token] = found
        return found

    def read(self, token: bytes) -> list[tuple[int, bytes]]:
        """Keys and normal forms of the literals in one token."""
        raise NotImplementedError


class _Comments(_Memo):
    """Lines of comments and of docstrings."""

    def read(self, token: bytes) -> list[tuple[int, bytes]]:
        # Half of all misses, and most of these say nothing: told before anything is made of them.
        if len(token) < LEAST_COMMENT or token.count(b" ") < FEWEST_COMMENT_WORDS - 1:
            return []
        text = b" ".join(token[:LONGEST_LITERAL].split()).strip(_ENDS).lower()
        if not _is_prose(text):
            return []
        return [(key_of(COMMENT, (len(text) - LEAST_COMMENT) // _LENGTH_STEP, text), text)]


class _Strings(_Memo):
    """Texts that are values: each of their lines, with `{}` for what is put in.

    Not single words: they are keys and names of libraries as often as not, and the value flow counts them.
    """

    def read(self, token: bytes) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        if len(token) < LEAST_COMMENT or token.count(b" ") < FEWEST_COMMENT_WORDS - 1:
            return found
        for line in _content(token).split(b"\n"):
            text = _normal(_PLACEHOLDER.sub(b"{}", line) if b"{" in line or b"%" in line else line)
            if _is_prose(text):
                found.append((key_of(STRING, (len(text) - LEAST_COMMENT) // _LENGTH_STEP, text), text))
        return found


class _Numbers(_Memo):
    """Numbers of some digits, by value: `1e4` and `10_000.0` are one."""

    def read(self, token: bytes) -> list[tuple[int, bytes]]:
        value = _number(token.decode("latin-1").replace("_", ""))
        if value is None:
            return []
        text = repr(int(value) if float(value).is_integer() else value)
        digits = text.partition("e")[0].replace(".", "").strip("0")
        if len(digits) < FEWEST_DIGITS or _is_round_in_binary(value):
            return []
        return [(key_of(NUMBER, len(digits) - FEWEST_DIGITS, text.encode()), text.encode())]


class _Slips(_Memo):
    """The words of a name or text that are one slip away from a common word: `VisonTower` holds `vison`."""

    def __init__(self, misspellings: Misspellings) -> None:
        super().__init__()
        self._misspellings = misspellings

    def read(self, token: bytes) -> list[tuple[int, bytes]]:
        return [(key_of(WORD, 0, word), word) for word in _words_in(token) if self._misspellings.meant(word)]


class Scanner:
    """Reads the literals of files.

    common: words that everybody uses, in lower case; what is one slip away from them is a misspelling.
    """

    def __init__(self, common: frozenset[bytes]) -> None:
        self._comments, self._strings, self._numbers = _Comments(), _Strings(), _Numbers()
        self._common = common
        self._slips = _Slips(Misspellings(common))

    def keys(self, data: bytes) -> Hashes:
        """The distinct keys of a file, ascending; of one that holds too many, a table of data, only the lowest."""
        comments: list[bytes] = []
        strings: list[bytes] = []
        numbers: list[bytes] = []
        for match in _TOKEN.finditer(data):
            token = match[0]
            if token[0] == _HASH_SIGN:
                comments.append(token)
            elif token[0] not in _QUOTES:
                numbers.append(token)
            elif _is_docstring(data, match.start(), token):
                comments += token.split(b"\n")
            else:
                strings.append(token)
        words = set(data.translate(_WORDS).split()) - self._common
        found: set[int] = set()
        for memo, tokens in (
            (self._comments, set(comments)), (self._strings, set(strings)), (self._numbers, set(numbers)),
            (self._slips, words),
        ):  # fmt: skip
            found.update(chain.from_iterable(map(memo.__getitem__, tokens)))
        return np.sort(np.fromiter(found, np.uint64, len(found)))[:MOST_FILE_LITERALS]

    def read(self, data: bytes, wanted: frozenset[int]) -> Iterator[Literal]:
        """The literals of a file whose keys are wanted, wherever they stand, in the order of the text.

        Words come last, each at the first line that has it.
        """
        line, counted = 1, 0
        for match in _TOKEN.finditer(data):
            token, start = match[0], match.start()
            memo: _Memo
            tokens = [token]
            if token[0] == _HASH_SIGN:
                memo = self._comments
            elif token[0] not in _QUOTES:
                memo = self._numbers
            elif _is_docstring(data, start, token):
                memo, tokens = self._comments, token.split(b"\n")
            else:
                memo = self._strings
            for number, each in enumerate(tokens):
                if not wanted.isdisjoint(memo[each]):
                    line, counted = line + data.count(b"\n", counted, start), start
                    yield from _wanted(memo.read(each), line + number, wanted)
        for word in sorted(set(data.translate(_WORDS).split()) - self._common):
            if not wanted.isdisjoint(self._slips[word]):
                yield from _wanted(self._slips.read(word), data.count(b"\n", 0, data.find(word)) + 1, wanted)


def words_of(data: bytes) -> set[bytes]:
    """The distinct words of a file, in lower case: of names, texts and comments."""
    return {word for token in set(data.translate(_WORDS).split()) for word in _words_in(token)}


def _words_in(token: bytes) -> Iterator[bytes]:
    for part in _CAMEL.findall(token) if token.isascii() else ():
        if SHORTEST_WORD <= len(part) <= LONGEST_WORD:
            yield part.lower()


def _wanted(found: list[tuple[int, bytes]], line: int, wanted: frozenset[int]) -> Iterator[Literal]:
    for key, text in found:
        if key in wanted:
            yield Literal(key, text.decode("utf-8", "replace"), line)


@cache
def scanner() -> Scanner:
    """The scanner of this process, with the common words of the background."""
    return Scanner(literal_background().common)


def _is_docstring(data: bytes, start: int, token: bytes) -> bool:
    """Whether a text stands for itself, at the beginning of a line, and is an operand of nothing."""
    nearest = max(start - _LOOK_BACK, 0)
    line = data.rfind(b"\n", nearest, start) + 1
    if (line == 0 and nearest) or data[line:start].strip(b" \trRuU"):
        return False
    above = data[max(line - _LOOK_BACK, 0) : line].rstrip()
    if not above:
        return True
    return above[-1] not in _OPEN and (token[:3] in _TRIPLE or above.endswith(b":"))


def _normal(text: bytes) -> bytes:
    """One blank between words, no punctuation at the ends, lower case; what is too long is cut."""
    return b" ".join(text[:LONGEST_LITERAL].split()).strip(_ENDS).lower()


def _is_prose(text: bytes) -> bool:
    """Whether a line has the words to say something."""
    return len(text) >= LEAST_COMMENT and text.count(b" ") >= FEWEST_COMMENT_WORDS - 1


def _content(token: bytes) -> bytes:
    """What one text or several beside each other say, without quotes and escapes."""
    pieces = _PIECE.findall(token) if token.count(token[:1]) > 2 else [token]
    content = b"".join([_unquoted(piece) for piece in pieces])
    if b"\\" in content:
        content = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), content)
    return content


def _unquoted(piece: bytes) -> bytes:
    quote = piece[:3] if piece[:3] in _TRIPLE else piece[:1]
    return piece[len(quote) :].removesuffix(quote)


def _number(text: str) -> int | float | None:
    """The value of a number, None for what is none or is endless."""
    text = text.rstrip("jJlL") if text[:2].lower() != "0x" else text
    try:
        value = int(text[:40], 16) if text[:2].lower() == "0x" else float(text[:40])
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(text) if text.isdecimal() and len(text) < 40 else value


def _is_round_in_binary(value: int | float) -> bool:
    """Whether a number is a power of two, or one beside it."""
    if not float(value).is_integer():
        return False
    whole = int(value)
    return any(each & (each - 1) == 0 for each in (whole - 1, whole, whole + 1))
