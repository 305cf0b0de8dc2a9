"""How far the texts of two functions agree, where their flows hardly tell which of several is the source.

Words only order what is found: a copy without its names is found all the same, and stands a trace behind one that
has them.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.match import Floats, Pairs
from detector.code.sorting import Numbers, distinct, grouped
from detector.model import Span, UserError
from detector.settings import PAIR_BLOCK, TOKENS_TOGETHER, WORDS_TOGETHER

Texts = tuple[Sequence[Span], Callable[[str], bytes]]  # the functions of a side, and how to read its files

_KEYWORDS = frozenset(word.encode() for word in keyword.kwlist)
# Comments and docstrings go first when code is copied, layout too: neither takes part, nor do commas that end a list.
_NO_CODE = re.compile(rb"#[^\n]*|(\"\"\"|''')[\s\S]*?\1|,(?=\s*[)\]}])")
# A string that is not closed ends with its line: looking for its end again from each of its quotes would be quadratic.
_TOKEN = re.compile(rb"""[A-Za-z_]\w*|\d[\w.]*|"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?|[^\s\w]""")
_NAME, _NUMBER, _STRING = 1, 2, 3


class _Tokens:
    """Numbers tokens, and says of each number what is left of it without its name."""

    def __init__(self) -> None:
        self.numbers: defaultdict[bytes, int] = defaultdict(count(8).__next__)

    def bare(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """By number: the token with names, numbers and strings made alike; whether it is a word of any kind."""
        bare = np.zeros(len(self.numbers) + 8, np.uint64)
        is_word = np.zeros(len(bare), bool)
        for token, number in self.numbers.items():
            first = token[:1]
            is_name = first.isalpha() or first == b"_"
            is_word[number] = is_name or first.isdigit() or (first in b"\"'" and len(token) > 1)
            if is_name:
                bare[number] = number if token in _KEYWORDS else _NAME
            elif is_word[number]:
                bare[number] = _NUMBER if first.isdigit() else _STRING
            else:
                bare[number] = number
        return bare, is_word


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the texts of two functions agree, for each pair, 0..1; 0 where it was not asked for."""

    words: Floats  # names, numbers and strings in their order
    shape: Floats  # what is left without them


def agreement(pairs: Pairs, is_asked: npt.NDArray[np.bool_], suspect: Texts, reference: Texts) -> Agreement:
    """Compare the texts of the pairs that are asked for.

    Units:  plain Jaccard of runs of three words, and of five tokens of which names, numbers and strings are alike.
    Source: word n-grams as in Broder 1997, section 2; tokens without names as in Schleimer et al. 2003 (MOSS).
    """
    words, shape = np.zeros(len(pairs.suspect)), np.zeros(len(pairs.suspect))
    asked = np.flatnonzero(is_asked)
    if len(asked):
        tokens = _Tokens()
        one, ours = _read(pairs.suspect[asked], suspect, tokens)
        other, theirs = _read(pairs.reference[asked], reference, tokens)
        bare, is_word = tokens.bare()
        named = [text.only(is_word) for text in (ours, theirs)]
        words[asked] = _jaccard(named[0].runs(WORDS_TOGETHER), named[1].runs(WORDS_TOGETHER), one, other)
        plain = [text.replaced(bare) for text in (ours, theirs)]
        shape[asked] = _jaccard(plain[0].runs(TOKENS_TOGETHER), plain[1].runs(TOKENS_TOGETHER), one, other)
    return Agreement(words, shape)


@dataclass(frozen=True, slots=True)
class _Text:
    """Tokens of some functions, one after the other.

    Shapes: `rows[i]` is the function that `tokens[i]` stands in, ascending.
    """

    rows: Numbers
    tokens: npt.NDArray[np.uint64]
    functions: int

    def only(self, chosen: npt.NDArray[np.bool_]) -> _Text:
        """The tokens whose number is chosen."""
        kept = chosen[self.tokens]
        return _Text(self.rows[kept], self.tokens[kept], self.functions)

    def replaced(self, by: npt.NDArray[np.uint64]) -> _Text:
        """Other numbers for the tokens."""
        return _Text(self.rows, by[self.tokens], self.functions)

    def runs(self, length: int) -> _Text:
        """Hashes of so many tokens in a row, within one function."""
        end = max(len(self.tokens) - length + 1, 0)
        codes = np.zeros(end, np.uint64)
        for place in range(length):
            codes = codes * np.uint64(0x9E3779B97F4A7C15) + self.tokens[place : place + end]
        is_whole = self.rows[:end] == self.rows[length - 1 :] if end else np.zeros(0, bool)
        return _Text(self.rows[:end][is_whole], codes[is_whole], self.functions)


def _read(wanted: Numbers, texts: Texts, tokens: _Tokens) -> tuple[Numbers, _Text]:
    """The row of each function that is wanted, and the tokens of all rows."""
    spans, read = texts
    functions = distinct(wanted)
    by_path: defaultdict[str, list[int]] = defaultdict(list)
    for row, number in enumerate(functions.tolist()):
        by_path[spans[number].path].append(row)
    found: list[list[int]] = [[]] * len(functions)
    numbers = tokens.numbers
    for path, rows in by_path.items():
        try:
            lines = read(path).split(b"\n")
        except (UserError, FileNotFoundError):  # gone since it was read: its words agree with nothing
            continue
        for row in rows:
            span = spans[int(functions[row])]
            text = _NO_CODE.sub(b" ", b"\n".join(lines[span.first_line - 1 : span.last_line]))
            found[row] = [numbers[token] for token in _TOKEN.findall(text)]
    lengths = np.array([len(each) for each in found])
    flat = np.array([number for each in found for number in each], np.uint64)
    return np.searchsorted(functions, wanted), _Text(np.repeat(np.arange(len(found)), lengths), flat, len(found))


def _jaccard(ours: _Text, theirs: _Text, one: Numbers, other: Numbers) -> Floats:
    """Of each pair of functions."""
    _, columns = grouped(np.concatenate([ours.tokens, theirs.tokens]))
    width = int(columns.max(initial=0)) + 1
    left = _matrix(ours.rows, columns[: len(ours.rows)], ours.functions, width)
    right = _matrix(theirs.rows, columns[len(ours.rows) :], theirs.functions, width)
    sizes, others = np.diff(left.indptr)[one], np.diff(right.indptr)[other]
    shared = np.zeros(len(one))
    for start in range(0, len(one), PAIR_BLOCK):
        block = slice(start, start + PAIR_BLOCK)
        shared[block] = np.asarray(left[one[block]].multiply(right[other[block]]).sum(axis=1)).ravel()
    found: Floats = shared / np.maximum(sizes + others - shared, 1)
    return found


def _matrix(rows: Numbers, columns: Numbers, height: int, width: int) -> sparse.csr_matrix:
    found = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(height, width))
    found.data = np.ones_like(found.data)
    found.sort_indices()
    return found
