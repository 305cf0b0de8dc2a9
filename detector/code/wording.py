"""How far the words of two functions agree, where their flows hardly tell which of several is the source.

Words only order what is found: a copy without its names is found all the same, and stands a trace behind one that
has them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.match import Floats, Pairs
from detector.code.sorting import Numbers, distinct, grouped
from detector.model import Span, UserError
from detector.settings import PAIR_BLOCK, WORDS_TOGETHER

Texts = tuple[Sequence[Span], Callable[[str], bytes]]  # the functions of a side, and how to read its files

_WORD = re.compile(rb"[A-Za-z_]\w*")
# Comments and docstrings go first when code is copied.
_NO_CODE = re.compile(rb"#[^\n]*|(\"\"\"|''')[\s\S]*?\1")


def agreement(pairs: Pairs, is_asked: npt.NDArray[np.bool_], suspect: Texts, reference: Texts) -> Floats:
    """The share of runs of three words that both functions of each pair that is asked for have, 0 for the others.

    Units:  plain Jaccard, 0..1.
    Source: word n-grams as in Broder 1997, section 2, over identifiers and keywords in the order of the text.
    """
    found = np.zeros(len(pairs.suspect))
    asked = np.flatnonzero(is_asked)
    if not len(asked):
        return found
    numbers: defaultdict[bytes, int] = defaultdict(count(1).__next__)
    ours, one = _runs(distinct(pairs.suspect[asked]), pairs.suspect[asked], suspect, numbers)
    theirs, other = _runs(distinct(pairs.reference[asked]), pairs.reference[asked], reference, numbers)
    _, columns = grouped(np.concatenate([ours[1], theirs[1]]))
    width = int(columns.max(initial=0)) + 1
    left = _matrix(ours[0], columns[: len(ours[0])], int(one.max()) + 1, width)
    right = _matrix(theirs[0], columns[len(ours[0]) :], int(other.max()) + 1, width)
    sizes, others = np.diff(left.indptr)[one], np.diff(right.indptr)[other]
    shared = np.zeros(len(asked))
    for start in range(0, len(asked), PAIR_BLOCK):
        block = slice(start, start + PAIR_BLOCK)
        shared[block] = np.asarray(left[one[block]].multiply(right[other[block]]).sum(axis=1)).ravel()
    found[asked] = shared / np.maximum(sizes + others - shared, 1)
    return found


def _runs(
    functions: Numbers, wanted: Numbers, texts: Texts, numbers: defaultdict[bytes, int]
) -> tuple[tuple[Numbers, npt.NDArray[np.uint64]], Numbers]:
    """Row and hash of every run of words of some functions, and the row of each function that is wanted."""
    spans, read = texts
    by_path: defaultdict[str, list[int]] = defaultdict(list)
    for row, number in enumerate(functions.tolist()):
        by_path[spans[number].path].append(row)
    words: list[list[int]] = [[]] * len(functions)
    for path, rows in by_path.items():
        try:
            lines = read(path).split(b"\n")
        except (UserError, FileNotFoundError):  # gone since it was read: its words agree with nothing
            continue
        for row in rows:
            span = spans[int(functions[row])]
            text = _NO_CODE.sub(b" ", b"\n".join(lines[span.first_line - 1 : span.last_line]))
            words[row] = [numbers[word] for word in _WORD.findall(text)]
    lengths = np.array([len(each) for each in words])
    flat = np.array([number for each in words for number in each], np.uint64)
    starts = np.repeat(np.arange(len(words)), lengths)
    end = max(len(flat) - WORDS_TOGETHER + 1, 0)
    codes = np.zeros(end, np.uint64)
    for place in range(WORDS_TOGETHER):
        codes = codes * np.uint64(0x9E3779B97F4A7C15) + flat[place : place + end]
    is_whole = starts[:end] == starts[WORDS_TOGETHER - 1 :] if end else np.zeros(0, bool)
    return (starts[:end][is_whole], codes[is_whole]), np.searchsorted(functions, wanted)


def _matrix(rows: Numbers, columns: Numbers, height: int, width: int) -> sparse.csr_matrix:
    found = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(height, width))
    found.data = np.ones_like(found.data)
    found.sort_indices()
    return found
