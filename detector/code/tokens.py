"""The texts of functions -> what texts are compared by: hashes of runs of tokens, and of the whole.

Everything is made of hashes of single tokens, so that a function has the same whoever it is compared with.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
import numpy.typing as npt
import xxhash

from detector.code.corpus import RUN_BITS, Runs, Wordings
from detector.code.shingle import mix, row_sums
from detector.code.sorting import Hashes, Numbers, distinct, grouped
from detector.model import Span, UserError
from detector.settings import TOKENS_TOGETHER, WORDS_TOGETHER

Texts = tuple[Sequence[Span], Callable[[str], bytes]]  # the functions of a side, and how to read its files

_KEYWORDS = frozenset(word.encode() for word in keyword.kwlist)
# Comments and longer strings are tokens that are left out: they go first when code is copied. A string that is not
# closed ends with its line: looking for its end again from each of its quotes would be quadratic.
_TOKEN = re.compile(
    rb"""\s*+([A-Za-z_]\w*+|[^\s\w"'#]|\d[\w.]*+|#[^\n]*+|"{3}[\s\S]*?(?:"{3}|\Z)|'{3}[\s\S]*?(?:'{3}|\Z)"""
    rb"""|"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?)"""
)
# A string in either quotes whose text may stand in the other ones.
_PLAIN_STRING = re.compile(rb"'([^'\"\\\n]*+)'\Z")
_FLOAT = re.compile(rb"\d{1,40}(?:\.\d{0,40}(?:[eE]\d{1,3})?|[eE]\d{1,3})\Z")
# What is left of a token without its name.
_LEFT_OUT, _NAME, _NUMBER, _STRING, _COMMA, _CLOSING, _FIRST = range(7)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BITS = np.uint64(RUN_BITS)


class _Tokens:
    """Numbers tokens as they come; of each number the hash, and what is left of the token without its name."""

    def __init__(self) -> None:
        self.numbers: defaultdict[bytes, int] = defaultdict(count(_FIRST).__next__)

    def hashes(self) -> Hashes:
        """By number: a hash of the token; which quotes a string has, and how a float is written, is layout.

        Stable: equal across processes, machines and versions.
        """
        found = np.zeros(len(self.numbers) + _FIRST, np.uint64)
        found[_FIRST:] = [xxhash.xxh3_64_intdigest(_spelled(token)) for token in self.numbers]
        return found

    def bare(self) -> Numbers:
        """By number: that of the token with names, numbers and strings made alike."""
        bare = np.zeros(len(self.numbers) + _FIRST, np.int64)
        for token, number in self.numbers.items():
            first = token[:1]
            if first.isalpha() or first == b"_":
                bare[number] = number if token in _KEYWORDS else _NAME
            elif first.isdigit():
                bare[number] = _NUMBER
            elif first == b"#" or token[:3] in {b'"""', b"'''"}:
                bare[number] = _LEFT_OUT
            elif first in {b'"', b"'"}:
                bare[number] = _STRING
            elif first in {b")", b"]", b"}"}:
                bare[number] = _CLOSING
            else:
                bare[number] = _COMMA if first == b"," else number
        return bare

    def is_word(self, bare: Numbers) -> npt.NDArray[np.bool_]:
        """By number: whether the token is a word of any kind."""
        found: npt.NDArray[np.bool_] = (bare == _NAME) | (bare == _NUMBER) | (bare == _STRING)
        found[[self.numbers[word] for word in _KEYWORDS if word in self.numbers]] = True
        return found


@dataclass(frozen=True, slots=True)
class _Text:
    """Tokens of some texts, one after the other.

    Shapes: `rows[i]` is the text that `tokens[i]` stands in, ascending.
    """

    rows: Numbers
    tokens: Numbers
    texts: int

    def only(self, chosen: npt.NDArray[np.bool_]) -> _Text:
        """The tokens whose number is chosen."""
        kept = chosen[self.tokens]
        return _Text(self.rows[kept], self.tokens[kept], self.texts)

    def without_hints(self, numbers: Mapping[bytes, int]) -> _Text:
        """Leave out the hints of the parameters and of what is returned: they go first when code is copied.

        numbers: of the tokens.
        """

        def one_of(*tokens: bytes) -> npt.NDArray[np.bool_]:
            is_one = np.zeros(len(numbers) + _FIRST, bool)
            is_one[[numbers[token] for token in tokens if token in numbers]] = True
            return is_one[self.tokens]

        places = np.arange(len(self.tokens))
        starts = np.searchsorted(self.rows, np.arange(self.texts + 1))
        is_colon, closes = one_of(b":"), one_of(b")", b"]", b"}")
        steps = one_of(b"(", b"[", b"{").astype(np.int64) - closes
        depth = np.cumsum(steps)
        depth -= np.concatenate([[0], depth])[starts[:-1]][self.rows]
        # The header ends with the first colon outside of brackets; a text without one has no header.
        colons = np.append(np.flatnonzero(is_colon & (depth == 0)), len(places))
        ends = colons[np.searchsorted(colons, starts[:-1])]
        is_header = places < np.where(ends < starts[1:], ends, starts[:-1])[self.rows]
        is_arrow = one_of(b">") & (depth == 0)
        is_arrow[1:] &= one_of(b"-")[:-1]
        begins = is_header & ((is_colon & (depth == 1)) | is_arrow)
        arrow = np.maximum.accumulate(np.where(is_header & is_arrow, places, -1))
        is_parameter = arrow < starts[:-1][self.rows]
        is_event = begins | is_parameter & ((depth == 1) & one_of(b",", b"=") | (depth == 0) & closes)
        before_event = np.maximum.accumulate(np.where(is_event, places, -1))
        is_hint = is_header & begins[before_event] & (before_event >= starts[:-1][self.rows])
        is_hint[:-1] |= is_header[:-1] & is_arrow[1:]
        return _Text(self.rows[~is_hint], self.tokens[~is_hint], self.texts)

    def without_layout(self, bare: Numbers) -> _Text:
        """The tokens that layout does not change: no comments, and no commas that end a list."""
        there = np.flatnonzero(bare[self.tokens] != _LEFT_OUT)
        tokens = bare[self.tokens[there]]
        is_last = np.zeros(len(tokens), bool)
        is_last[:-1] = (tokens[:-1] == _COMMA) & (tokens[1:] == _CLOSING)
        kept = there[~is_last]
        return _Text(self.rows[kept], self.tokens[kept], self.texts)

    def forms(self, bare: Numbers, hashes: Hashes) -> Numbers:
        """A hash of each text with each name as the number of its first use: equal for renamed copies.

        Not negative, but -1 for a text without tokens.
        """
        rows, tokens = self.rows, self.tokens
        starts = self.starts()
        names = np.flatnonzero(bare[tokens] == _NAME)
        firsts, kinds = grouped((rows[names] << 32) | tokens[names])
        places = np.sort(firsts)  # of first uses, among names; rows are ascending, so each row's come together
        uses = np.searchsorted(places, firsts[kinds])
        before = np.searchsorted(places, np.searchsorted(names, starts[:-1]))
        codes = hashes[tokens] & ~np.uint64(1)
        codes[names] = ((uses - before[rows[names]]).astype(np.uint64) << np.uint64(1)) | np.uint64(1)
        sums = self._sums(codes)
        return np.where(np.diff(starts) > 0, (sums >> np.uint64(1)).astype(np.int64), -1)

    def whole(self, hashes: Hashes) -> Hashes:
        """A hash of each text; 0 for one without tokens."""
        return np.where(np.diff(self.starts()) > 0, self._sums(hashes[self.tokens]) | np.uint64(1), np.uint64(0))

    def _sums(self, codes: Hashes) -> Hashes:
        """A hash of the codes of each text, in their order."""
        starts = self.starts()
        position = (np.arange(len(self.rows)) - starts[self.rows] + 1).astype(np.uint64)
        return row_sums(mix(codes) + position * _SPREAD, starts)

    def starts(self) -> Numbers:
        """The first place of each text, and the end of the last."""
        found: Numbers = np.searchsorted(self.rows, np.arange(self.texts + 1))
        return found

    def runs(self, length: int, hashes: Hashes) -> Runs:
        """Hashes of so many tokens in a row, within one text.

        hashes: by number of a token.
        """
        codes = hashes[self.tokens]
        end = max(len(codes) - length + 1, 0)
        summed = np.zeros(end, np.uint64)
        for place in range(length):
            summed = (summed + codes[place : place + end]) * _SPREAD
            summed ^= summed >> np.uint64(29)
        keys = (self.rows[:end].astype(np.uint64) << _BITS) | (summed >> (np.uint64(64) - _BITS))
        keys = distinct(keys[self.rows[:end] == self.rows[length - 1 :]]) if end else keys
        columns = (keys & ((np.uint64(1) << _BITS) - np.uint64(1))).astype(np.uint16)
        counts = np.bincount((keys >> _BITS).astype(np.int64), minlength=self.texts)
        return Runs(columns, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _spelled(token: bytes) -> bytes:
    """One spelling of a string in either quotes, and of a float."""
    if _FLOAT.match(token):
        return repr(float(token)).encode()
    return _PLAIN_STRING.sub(rb'"\1"', token)


def wordings_of(functions: Numbers, texts: Texts) -> Wordings:
    """What the texts of these functions are compared by; the other functions of their side have none."""
    reading = Reading()
    rows = np.full(len(texts[0]), reading.row([], 1, 0))
    rows[functions] = reading.rows(functions, texts)
    return reading.wordings().take(rows)


class Reading:
    """The texts of functions; of those of the same text, which are many in a copy, once."""

    def __init__(self) -> None:
        self.tokens = _Tokens()
        self.known: dict[bytes, int] = {}  # text -> its row
        self.found: list[list[int]] = []  # by row

    def rows(self, wanted: Numbers, texts: Texts) -> Numbers:
        """Read functions, and give the row of each."""
        spans, read = texts
        functions = distinct(wanted)
        rows = np.empty(len(functions), np.int64)
        by_path: defaultdict[str, list[int]] = defaultdict(list)
        for place, function in enumerate(functions.tolist()):
            by_path[spans[function].path].append(place)
        for path, places in by_path.items():
            try:
                lines = read(path).split(b"\n")
            except (UserError, FileNotFoundError):  # gone since it was read: its words agree with nothing
                lines = []
            for place in places:
                span = spans[int(functions[place])]
                rows[place] = self.row(lines, span.first_line, span.last_line)
        return rows[np.searchsorted(functions, wanted)]

    def row(self, lines: Sequence[bytes], first: int, last: int) -> int:
        """The row of the text from one line to another, counted from 1, both included."""
        text = b"\n".join(lines[first - 1 : last])
        row = self.known.get(text)
        if row is None:
            row = self.known[text] = len(self.found)
            self.found.append(list(map(self.tokens.numbers.__getitem__, _TOKEN.findall(text))))
        return row

    def wordings(self) -> Wordings:
        """Of every row, what its text is compared by."""
        lengths = np.array([len(each) for each in self.found], np.int64)
        flat = np.fromiter(chain.from_iterable(self.found), np.int64, int(lengths.sum()))
        bare, hashes = self.tokens.bare(), self.tokens.hashes()
        text = _Text(np.repeat(np.arange(len(lengths)), lengths), flat, len(lengths))
        text = text.without_hints(self.tokens.numbers)
        words = text.only(self.tokens.is_word(bare)).runs(WORDS_TOGETHER, hashes)
        text = text.without_layout(bare)
        # What is alike has the hash of its kind, anything else its own.
        alike = np.where(bare < _FIRST, mix(bare.astype(np.uint64)), hashes[bare])
        return Wordings(words, text.runs(TOKENS_TOGETHER, alike), text.forms(bare, hashes), text.whole(hashes))
