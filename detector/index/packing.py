"""A corpus of one file <-> bytes: what every function of the file holds, without where the file is.

Distinct values are stored once and ascending, rows as the steps between their places, small numbers as planes of bytes:
what is left to zlib is mostly zeros and ones. What it cannot shorten, the lower bytes of hashes, stands behind that.
`unpacking.py` is the inverse.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detector.code.corpus import RUN_BITS, Corpus, Runs
from detector.code.shingle import joined
from detector.code.sorting import Hashes, Numbers, is_new, order
from detector.settings.index import MOST_PACK_BYTES, PACK_LEVEL

# Version, functions, whether there are wordings; bytes of the first part before and after compression.
HEADER = struct.Struct("<BIBII")
VERSION = 1
SHINGLE_BYTES = 8
RUN = np.dtype(f"<u{RUN_BITS // 8}")
_PLACE_BITS = 20  # of the place of a value within its file
_PLACES = np.uint64(_PLACE_BITS)
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Sets of values, one for each row.

    Shapes: row j is `values[places[offsets[j]:offsets[j + 1]]]`; values are distinct and ascending, a row's places too.
    """

    values: Hashes
    places: Numbers
    offsets: Numbers


class _Writer:
    """Collects what many packs hold: what is to be compressed, and what would not become shorter.

    One step for all of them: what numpy takes to begin is more than what one file needs.
    """

    def __init__(self, packs: int) -> None:
        self._small: list[list[bytes]] = [[] for _ in range(packs)]
        self._raw: list[list[bytes]] = [[] for _ in range(packs)]

    def numbers(self, numbers: npt.NDArray[np.integer], ends: Numbers) -> None:
        """Numbers from 0 on, those of each pack in as many planes of bytes as its largest needs."""
        bounds = ends.tolist()
        top = int(numbers.max(initial=0))
        planes = [((numbers >> (8 * place)) & 255).astype(np.uint8).tobytes() for place in range(_width(top))]
        wide = [numbers >= 1 << (8 * place) for place in range(1, len(planes))]
        counts = [np.concatenate([[0], np.cumsum(each)])[ends].tolist() for each in wide]
        for pack, (begin, end) in enumerate(pairwise(bounds)):
            small = self._small[pack]
            width = 1 + sum(each[pack + 1] > each[pack] for each in counts)
            if width == 1:
                plane = planes[0][begin:end] if planes else b""
                if plane.count(0) == len(plane):
                    small.append(b"\0")
                else:
                    small += (b"\1", plane)
            else:
                small += (bytes([width]), *[plane[begin:end] for plane in planes[:width]])

    def counts(self, counts: Numbers) -> None:
        """One number for each pack."""
        self.numbers(counts, np.arange(len(counts) + 1))

    def texts(self, texts: Sequence[str], ends: Numbers) -> None:
        """How long each text is, and all of them."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        self.numbers(np.fromiter(map(len, encoded), np.int64, len(encoded)), ends)
        for small, (begin, end) in zip(self._small, pairwise(ends.tolist()), strict=True):
            small.append(b"".join(encoded[begin:end]))

    def hashes(self, values: Hashes, ends: Numbers, width: int) -> None:
        """Ascending values: the steps of the highest byte are small, the bytes below are as good as random."""
        octets = values.astype("<u8").view(np.uint8).reshape(-1, 8)
        self.numbers(_steps(octets[:, width - 1].astype(np.int64), ends[:-1], 0), ends)
        self.raw(octets[:, : width - 1].tobytes(), ends * (width - 1))

    def raw(self, data: bytes, ends: Numbers) -> None:
        """Bytes that are not compressed."""
        for raw, (begin, end) in zip(self._raw, pairwise(ends.tolist()), strict=True):
            raw.append(data[begin:end])

    def rows(self, rows: Rows, row_ends: Numbers) -> None:
        """How many places each row has, and the steps between them.

        row_ends: which rows each pack has.
        """
        self.numbers(rows.offsets[1:] - rows.offsets[:-1], row_ends)
        self.numbers(_steps(rows.places, rows.offsets[:-1], -1), rows.offsets[row_ends])

    def finish(self, functions: Numbers, has_wordings: bool = False) -> list[bytes]:
        """All of them."""
        found = []
        for small, raw, count in zip(self._small, self._raw, functions.tolist(), strict=True):
            data = b"".join(small)
            if len(data) > MOST_PACK_BYTES:
                raise ValueError("more than one pack may hold")
            packed_data = zlib.compress(data, PACK_LEVEL)
            header = HEADER.pack(VERSION, count, has_wordings, len(data), len(packed_data))
            found.append(b"".join([header, packed_data, *raw]))
        return found


def _width(number: int) -> int:
    return (number.bit_length() + 7) // 8


def packed(corpus: Corpus) -> bytes:
    """What the functions of one file hold, as bytes. Shingles of a function are put in ascending order.

    Errors: ValueError for more than fits into one pack.
    """
    return packed_files(corpus, np.array([len(corpus.spans)]))[0]


def packed_files(corpus: Corpus, counts: Numbers) -> list[bytes]:
    """The same for several files, of which the corpus holds the functions one after the other.

    counts: how many functions each file has.
    """
    writer = _Writer(len(counts))
    ends = _ends(counts)
    writer.texts([span.qualname for span in corpus.spans], ends)
    firsts = np.array([span.first_line for span in corpus.spans], np.int64)
    lasts = np.array([span.last_line for span in corpus.spans], np.int64)
    steps = _steps(firsts, ends[:-1], 0)
    writer.numbers(np.where(steps < 0, -2 * steps - 1, 2 * steps), ends)
    writer.numbers(lasts - firsts, ends)
    _write_calls(writer, corpus.calls, ends)
    _write_shingles(writer, corpus, ends)
    wordings = corpus.wordings
    if wordings is not None:
        for runs in (wordings.words, wordings.shape):
            _write_runs(writer, runs, ends)
        writer.raw(wordings.forms.astype("<i8").tobytes(), ends * 8)
        writer.raw(wordings.texts.astype("<u8").tobytes(), ends * 8)
    return writer.finish(counts, wordings is not None)


def _write_calls(writer: _Writer, calls: Sequence[tuple[str, ...]], ends: Numbers) -> None:
    """The names that functions of a file call, each once, and which of these each function calls."""
    texts: list[str] = []
    counts, called = [], []
    bounds = ends.tolist()
    for begin, end in pairwise(bounds):
        names: dict[str, int] = {}
        found = [names.setdefault(name, len(names)) for each in calls[begin:end] for name in each]
        texts += names
        counts.append(len(names))
        called.append(found)
    lengths = np.array(list(map(len, called)), np.int64)
    writer.counts(np.array(counts, np.int64))
    writer.texts(texts, _ends(np.array(counts, np.int64)))
    writer.numbers(np.fromiter(map(len, calls), np.int64, len(calls)), ends)
    writer.counts(lengths)
    writer.numbers(np.array([number for each in called for number in each], np.int64), _ends(lengths))


def _write_shingles(writer: _Writer, corpus: Corpus, ends: Numbers) -> None:
    """The distinct shingles of each file; the rows of its functions, then those of their views."""
    views = (corpus.expanded, corpus.blind, corpus.blind_expanded)
    files = np.repeat(np.arange(len(ends) - 1), ends[1:] - ends[:-1])
    owners = [files, *(files[view.functions] for view in views)]
    everything = joined([corpus.shingles, *(view.shingles for view in views)])
    by_file = np.argsort(np.concatenate(owners), kind="stable")
    shingles = everything.take(by_file)
    of_row = np.concatenate(owners)[by_file]
    of_hash = np.repeat(of_row, shingles.offsets[1:] - shingles.offsets[:-1])
    row_ends = np.searchsorted(of_row, np.arange(len(ends)))
    for view, of_view in zip(views, owners[1:], strict=True):
        view_ends = np.searchsorted(of_view, np.arange(len(ends)))
        within = view.functions - ends[of_view]
        writer.counts(view_ends[1:] - view_ends[:-1])
        writer.numbers(_steps(within, view_ends[:-1], -1), view_ends)
    _write_rows(writer, shingles.hashes, shingles.offsets, of_hash, row_ends)


def _write_runs(writer: _Writer, runs: Runs, ends: Numbers) -> None:
    """How many runs each function has, and all of them: each once in a file would be no shorter, and takes longer."""
    writer.numbers(runs.offsets[1:] - runs.offsets[:-1], ends)
    writer.raw(runs.hashes.astype(RUN).tobytes(), runs.offsets[ends] * RUN.itemsize)


def _write_rows(writer: _Writer, values: Hashes, offsets: Numbers, files: Numbers, row_ends: Numbers) -> None:
    """The distinct values of each file, and its rows as places in these.

    files: of each value.
    """
    by_file = _sorted_within(values, offsets[row_ends])
    ordered, owners = values[by_file], files
    new = is_new(ordered) | is_new(owners)
    distinct = ordered[new]
    value_ends = np.searchsorted(owners[new], np.arange(len(row_ends)))
    numbers = np.empty(len(values), np.int64)
    numbers[by_file] = np.cumsum(new) - 1
    # Rows stand one after the other: sorting by row and number moves nothing out of its row.
    firsts = np.repeat(np.arange(len(offsets) - 1) * len(distinct), offsets[1:] - offsets[:-1])
    keys = firsts + numbers
    if not (keys[1:] > keys[:-1]).all():
        keys.sort(kind="stable")  # quick where most is in order
    places = keys - firsts - value_ends[files]
    writer.counts(value_ends[1:] - value_ends[:-1])
    writer.hashes(distinct, value_ends, SHINGLE_BYTES)
    writer.rows(Rows(distinct, places, offsets), row_ends)


def _sorted_within(values: Hashes, bounds: Numbers) -> Numbers:
    """Places of the values, file by file, ascending by value; equal ones in any order.

    bounds: where each file begins, and where the last one ends.
    """
    # A file is in the cache of the processor: sorted one by one, all take half the time. Value and place are one
    # integer; the lowest bits of the value are left out, and in the rare case that these matter all is done again.
    lengths = bounds[1:] - bounds[:-1]
    starts = np.repeat(bounds[:-1], lengths)
    places = np.arange(len(values)) - starts
    if int(lengths.max(initial=0)) < 1 << _PLACE_BITS:
        keys = values >> _PLACES << _PLACES | places.astype(np.uint64)
        for begin, end in pairwise(bounds.tolist()):
            keys[begin:end].sort()
        found: Numbers = starts + (keys & ((np.uint64(1) << _PLACES) - np.uint64(1))).astype(np.int64)
        ordered = values[found]
        if not ((ordered[1:] < ordered[:-1]) & (starts[1:] == starts[:-1])).any():
            return found
    return np.concatenate([_NONE, *(begin + order(values[begin:end]) for begin, end in pairwise(bounds.tolist()))])


def _ends(counts: Numbers) -> Numbers:
    """Where each of some runs of so many begins, and where the last one ends."""
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    return ends


def _steps(numbers: Numbers, begins: Numbers, first: int) -> Numbers:
    """From each number to the next; at the beginning of a run from `first` on."""
    steps = numbers.copy()
    steps[1:] -= numbers[:-1]
    begins = begins[begins < len(numbers)]
    steps[begins] = numbers[begins] - first
    return steps


def packed_counts(values: Hashes, counts: Numbers) -> bytes:
    """Distinct hashes, ascending, and a number for each, as bytes."""
    writer = _Writer(1)
    ends = np.array([0, len(values)])
    writer.hashes(values, ends, SHINGLE_BYTES)
    writer.numbers(counts, ends)
    return writer.finish(ends[1:])[0]
