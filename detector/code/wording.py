"""How far the texts of two functions agree, where their flows hardly tell which of several is the source.

Words only order what is found: a copy without its names is found all the same, and stands a trace behind one that
has them.
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
from scipy import sparse

from detector.code.pairs import Floats, Pairs
from detector.code.shingle import mix, row_sums
from detector.code.sorting import Numbers, distinct, grouped
from detector.model import Span, UserError
from detector.settings import PAIR_BLOCK, TOKENS_TOGETHER, WORDS_TOGETHER

Texts = tuple[Sequence[Span], Callable[[str], bytes]]  # the functions of a side, and how to read its files

_KEYWORDS = frozenset(word.encode() for word in keyword.kwlist)
# Comments and longer strings are tokens that are left out: they go first when code is copied. A string that is not
# closed ends with its line: looking for its end again from each of its quotes would be quadratic.
_TOKEN = re.compile(
    rb"""\s*+([A-Za-z_]\w*+|[^\s\w"'#]|\d[\w.]*+|#[^\n]*+|"{3}[\s\S]*?(?:"{3}|\Z)|'{3}[\s\S]*?(?:'{3}|\Z)"""
    rb"""|"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?)"""
)
# What is left of a token without its name.
_LEFT_OUT, _NAME, _NUMBER, _STRING, _COMMA, _CLOSING, _FIRST = range(7)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
# Hashes of runs are cut to this many bits, so that one key holds them behind the number of their text.
_RUN_BITS = np.uint64(24)


class _Tokens:
    """Numbers tokens, and says of each number what is left of it without its name."""

    def __init__(self) -> None:
        self.numbers: defaultdict[bytes, int] = defaultdict(count(_FIRST).__next__)

    def bare(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """By number: the token with names, numbers and strings made alike; whether it is a word of any kind."""
        bare = np.zeros(len(self.numbers) + _FIRST, np.uint64)
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
        keywords = [self.numbers[word] for word in _KEYWORDS if word in self.numbers]
        is_word = np.isin(bare, [_NAME, _NUMBER, _STRING])
        is_word[keywords] = True
        return bare, is_word


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the texts of two functions agree, for each pair, 0..1; 0 where it was not asked for."""

    words: Floats  # names, numbers and strings in their order
    shape: Floats  # what is left without them
    forms: Numbers  # of the reference: the same number for those whose texts differ only in names, as far as known


def agreement(pairs: Pairs, is_asked: npt.NDArray[np.bool_], suspect: Texts, reference: Texts) -> Agreement:
    """Compare the texts of the pairs that are asked for.

    Units:  plain Jaccard of runs of three words, and of five tokens of which names, numbers and strings are alike.
    Source: word n-grams as in Broder 1997, section 2; tokens without names as in Schleimer et al. 2003 (MOSS).
    """
    words, shape = np.zeros(len(pairs.suspect)), np.zeros(len(pairs.suspect))
    forms = np.arange(int(pairs.reference.max(initial=-1)) + 1)
    asked = np.flatnonzero(is_asked)
    if len(asked):
        reading = _Reading()
        one = reading.rows(pairs.suspect[asked], suspect)
        other = reading.rows(pairs.reference[asked], reference)
        bare, is_word = reading.tokens.bare()
        text = reading.text().without_hints(reading.tokens.numbers)
        words[asked] = _jaccard(text.only(is_word).runs(WORDS_TOGETHER), one, other)
        shape[asked] = _jaccard(text.without_names(bare).runs(TOKENS_TOGETHER), one, other)
        form = text.forms(bare)[other]
        forms[pairs.reference[asked[form >= 0]]] = form[form >= 0]
        _, forms = grouped(forms.astype(np.uint64))
    return Agreement(words, shape, forms[pairs.reference])


@dataclass(frozen=True, slots=True)
class _Text:
    """Tokens of some texts, one after the other.

    Shapes: `rows[i]` is the text that `tokens[i]` stands in, ascending.
    """

    rows: Numbers
    tokens: npt.NDArray[np.uint64]
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
            found: npt.NDArray[np.bool_] = np.isin(self.tokens, [numbers.get(token, 0) for token in tokens])
            return found

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

    def without_names(self, bare: npt.NDArray[np.uint64]) -> _Text:
        """What is left of each token, without comments and without commas that end a list: layout puts them there."""
        kept = self._kept(bare)
        return _Text(self.rows[kept], bare[self.tokens[kept]], self.texts)

    def _kept(self, bare: npt.NDArray[np.uint64]) -> Numbers:
        """Places of the tokens that layout does not change."""
        there = np.flatnonzero(bare[self.tokens] != _LEFT_OUT)
        tokens = bare[self.tokens[there]]
        is_last = np.zeros(len(tokens), bool)
        is_last[:-1] = (tokens[:-1] == _COMMA) & (tokens[1:] == _CLOSING)
        return there[~is_last]

    def forms(self, bare: npt.NDArray[np.uint64]) -> Numbers:
        """A hash of each text with each name as the number of its first use: equal for renamed copies.

        Not negative, but -1 for a text without tokens.
        """
        kept = self._kept(bare)
        rows, tokens = self.rows[kept], self.tokens[kept]
        starts = np.searchsorted(rows, np.arange(self.texts + 1))
        names = np.flatnonzero(bare[tokens] == _NAME)
        firsts, kinds = grouped((rows[names].astype(np.uint64) << np.uint64(32)) | tokens[names])
        places = np.sort(firsts)  # of first uses, among names; rows are ascending, so each row's come together
        uses = np.searchsorted(places, firsts[kinds])
        before = np.searchsorted(places, np.searchsorted(names, starts[:-1]))
        codes = tokens << np.uint64(1)
        codes[names] = ((uses - before[rows[names]]).astype(np.uint64) << np.uint64(1)) | np.uint64(1)
        position = (np.arange(len(rows)) - starts[rows] + 1).astype(np.uint64)
        sums = row_sums(mix(codes) + position * _SPREAD, starts)
        return np.where(np.diff(starts) > 0, (sums >> np.uint64(1)).astype(np.int64), -1)

    def runs(self, length: int) -> sparse.csr_matrix:
        """Hashes of so many tokens in a row, within one text.

        Shapes: texts x hashes, 1 where the text has such a run.
        """
        end = max(len(self.tokens) - length + 1, 0)
        codes = np.zeros(end, np.uint64)
        for place in range(length):
            codes = (codes + self.tokens[place : place + end]) * _SPREAD
            codes ^= codes >> np.uint64(29)
        keys = (self.rows[:end].astype(np.uint64) << _RUN_BITS) | (codes >> (np.uint64(64) - _RUN_BITS))
        keys = distinct(keys[self.rows[:end] == self.rows[length - 1 :]]) if end else keys
        columns = (keys & ((np.uint64(1) << _RUN_BITS) - np.uint64(1))).astype(np.int32)
        counts = np.bincount((keys >> _RUN_BITS).astype(np.int64), minlength=self.texts)
        ends = np.zeros(self.texts + 1, np.int32)
        np.cumsum(counts, out=ends[1:])
        shape = (self.texts, 1 << int(_RUN_BITS))
        return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=shape)


class _Reading:
    """Tokens of the functions that are asked for; of those of the same text, which are many in a copy, once."""

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
                rows[place] = self._row(b"\n".join(lines[span.first_line - 1 : span.last_line]))
        return rows[np.searchsorted(functions, wanted)]

    def _row(self, text: bytes) -> int:
        row = self.known.get(text)
        if row is None:
            row = self.known[text] = len(self.found)
            self.found.append(list(map(self.tokens.numbers.__getitem__, _TOKEN.findall(text))))
        return row

    def text(self) -> _Text:
        """All that was read."""
        lengths = np.array([len(each) for each in self.found])
        flat = np.fromiter(chain.from_iterable(self.found), np.uint64, int(lengths.sum()))
        return _Text(np.repeat(np.arange(len(lengths)), lengths), flat, len(lengths))


def _jaccard(runs: sparse.csr_matrix, one: Numbers, other: Numbers) -> Floats:
    """Of each pair of rows."""
    sizes = np.diff(runs.indptr)
    firsts, kinds = grouped(one * len(sizes) + other)
    one, other = one[firsts], other[firsts]
    shared = np.zeros(len(one))
    for start in range(0, len(one), PAIR_BLOCK):
        block = slice(start, start + PAIR_BLOCK)
        shared[block] = np.asarray(runs[one[block]].multiply(runs[other[block]]).sum(axis=1)).ravel()
    found: Floats = shared / np.maximum(sizes[one] + sizes[other] - shared, 1)
    return found[kinds]
