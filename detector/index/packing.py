"""A corpus of one file <-> bytes: what every function of the file holds, without where the file is.

Distinct values are stored once and ascending, rows as the steps between their places, small numbers as planes of bytes:
what is left to zlib is mostly zeros and ones. What it cannot shorten, the lower bytes of hashes, stands behind that.
Whatever the bytes are, reading them gives a corpus that is sound in itself or `ValueError`, in memory bounded by them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from detector.code.corpus import Corpus, Runs, View, Wordings
from detector.code.shingle import Shingles, joined
from detector.code.sorting import Hashes, Numbers, is_new, order
from detector.model import Role, Skipped, Span
from detector.settings.index import MOST_PACK_BYTES, PACK_LEVEL

# Version, functions, whether there are wordings; bytes of the first part before and after compression.
_HEADER = struct.Struct("<BIBII")
_VERSION = 1
_SHINGLE_BYTES, _RUN_BYTES = 8, 3
_ONE = np.uint64(1)
_NONE = np.zeros(0, np.int64)
_LINES = 1 << 31  # no file that is read has as many


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sets of values, one for each row.

    Shapes: row j is `values[places[offsets[j]:offsets[j + 1]]]`; values are distinct and ascending, a row's places too.
    """

    values: Hashes
    places: Numbers
    offsets: Numbers


# --- writing -------------------------------------------------------------------------------------------------


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

    def rows(self, rows: _Rows, row_ends: Numbers) -> None:
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
            header = _HEADER.pack(_VERSION, count, has_wordings, len(data), len(packed_data))
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
        files = np.repeat(np.arange(len(counts)), counts)
        for runs in (wordings.words, wordings.shape):
            owners = np.repeat(files, runs.offsets[1:] - runs.offsets[:-1])
            _write_rows(writer, runs.hashes.astype(np.uint64), runs.offsets, owners, ends, _RUN_BYTES)
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
    _write_rows(writer, shingles.hashes, shingles.offsets, of_hash, row_ends, _SHINGLE_BYTES)


def _write_rows(
    writer: _Writer, values: Hashes, offsets: Numbers, files: Numbers, row_ends: Numbers, width: int
) -> None:
    """The distinct values of each file, and its rows as places in these.

    files: of each value.
    """
    # A file's values fit into the processor's cache: sorted one by one, all files take half the time.
    bounds = offsets[row_ends].tolist()
    by_file = np.concatenate([_NONE, *(begin + order(values[begin:end]) for begin, end in pairwise(bounds))])
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
    writer.hashes(distinct, value_ends, width)
    writer.rows(_Rows(distinct, places, offsets), row_ends)


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
    writer.hashes(values, ends, _SHINGLE_BYTES)
    writer.numbers(counts, ends)
    return writer.finish(ends[1:])[0]


# --- reading -------------------------------------------------------------------------------------------------


class _Reader:
    """Takes a pack apart, and believes nothing."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER.size:
            raise ValueError("a pack that is too short")
        version, self.functions, has_wordings, size, packed_size = _HEADER.unpack_from(data)
        if version != _VERSION or has_wordings > 1:
            raise ValueError("a pack of another version")
        if size > MOST_PACK_BYTES or self.functions > size + 1 or packed_size > len(data) - _HEADER.size:
            raise ValueError("a pack whose sizes cannot be")
        self.has_wordings = bool(has_wordings)
        unpacking = zlib.decompressobj()
        end = _HEADER.size + packed_size
        try:
            self._small = unpacking.decompress(data[_HEADER.size : end], size + 1)
        except zlib.error:
            raise ValueError("a pack that cannot be unpacked") from None
        if len(self._small) != size or not unpacking.eof or unpacking.unused_data:
            raise ValueError("a pack that is not as long as it says")
        self._raw = memoryview(data)[end:]
        self._at = self._raw_at = 0

    def _take(self, size: int) -> bytes:
        part = self._small[self._at : self._at + size]
        if len(part) != size:
            raise ValueError("a pack that ends too early")
        self._at += size
        return part

    def take_raw(self, size: int) -> memoryview:
        """So many bytes of what was not compressed."""
        part = self._raw[self._raw_at : self._raw_at + size]
        if len(part) != size:
            raise ValueError("a pack that ends too early")
        self._raw_at += size
        return part

    def numbers(self, count: int, below: int) -> Numbers:
        """So many numbers, each from 0 on and below a limit, which no sum of them may pass what 63 bits hold."""
        width = self._take(1)[0]
        if width == 0:
            if count > len(self._small):  # zeros cost a pack nothing, and must not cost memory more than it has
                raise ValueError("a pack whose counts cannot be")
            return np.zeros(count, np.int64)
        if width > 8:
            raise ValueError("a pack with numbers too wide")
        planes = np.frombuffer(self._take(width * count), np.uint8)
        if width == 1:
            found = planes.astype(np.int64)
        else:
            planes = planes.reshape(width, count)
            octets = np.zeros((count, 8), np.uint8)
            octets[:, :width] = planes.T
            found = octets.view("<i8").reshape(count).astype(np.int64, copy=False)
        if count and (int(found.max()) >= below or (width == 8 and int(found.min()) < 0)):
            raise ValueError("a pack with numbers that cannot be")
        return found

    def number(self, below: int) -> int:
        """One number."""
        return int(self.numbers(1, below)[0])

    def count(self) -> int:
        """How many of something follow, each of which takes a byte at least, or is bounded by what does."""
        return self.number(len(self._small) + 1)

    def texts(self, count: int) -> list[str]:
        """So many texts."""
        lengths = self.numbers(count, len(self._small) + 1).tolist()
        size = sum(lengths)
        octets = self._take(size)
        ends = [0, *accumulate(lengths)]
        return [octets[begin:end].decode("utf-8", "surrogatepass") for begin, end in pairwise(ends)]

    def hashes(self, count: int, width: int) -> Hashes:
        """So many distinct values, ascending."""
        highest = np.cumsum(self.numbers(count, 256))
        octets = np.zeros((count, 8), np.uint8)
        raw = np.frombuffer(self.take_raw(count * (width - 1)), np.uint8)
        octets[:, : width - 1] = raw.reshape(count, width - 1)
        if count and highest[-1] > 255:
            raise ValueError("a pack with values that cannot be")
        octets[:, width - 1] = highest
        found = octets.view("<u8").reshape(count).astype(np.uint64, copy=False)
        if (found[1:] <= found[:-1]).any():
            raise ValueError("a pack whose values are not in order")
        return found

    def rows(self, values: Hashes, count: int) -> _Rows:
        """So many rows of places in the values."""
        counts = self.numbers(count, len(values) + 1)
        offsets = np.zeros(count + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        total = int(offsets[-1])
        if total > len(self._small):
            raise ValueError("a pack whose counts cannot be")
        steps = self.numbers(total, len(values) + 1)
        sums = np.cumsum(steps)
        begins = np.concatenate([np.zeros(1, np.int64), sums])[offsets[:-1]]
        places = sums - np.repeat(begins, counts) - 1
        if total and (int(steps.min()) < 1 or int(places.max()) >= len(values)):
            raise ValueError("a pack with rows that cannot be")
        return _Rows(values, places, offsets)

    def finish(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._small) or self._raw_at != len(self._raw):
            raise ValueError("a pack with more than it says")


def unpacked(data: bytes, path: str, role: Role, reason: str = "") -> Corpus:
    """The corpus of one file, in its place.

    reason: why something in the file could not be read.
    Errors: ValueError for anything that `packed` would not have written.
    """
    reader = _Reader(data)
    count = reader.functions
    names = reader.texts(count)
    steps = reader.numbers(count, 2 * _LINES)
    firsts = np.cumsum(np.where(steps & 1, -((steps + 1) >> 1), steps >> 1))
    lasts = firsts + reader.numbers(count, _LINES)
    if count and (int(firsts.min()) < 0 or int(lasts.max()) >= _LINES):
        raise ValueError("a pack with lines that cannot be")
    spans = tuple([Span(path, *each, role) for each in zip(names, firsts.tolist(), lasts.tolist(), strict=True)])
    calls = _read_calls(reader, count)
    functions = [_functions(reader, count) for _ in range(3)]
    values = reader.hashes(reader.count(), _SHINGLE_BYTES)
    ends = [0, *accumulate([count, *map(len, functions)])]
    rows = reader.rows(values, ends[-1])
    own, *seen = [_shingles(rows, first, last) for first, last in pairwise(ends)]
    views = [View(shingles, numbers) for shingles, numbers in zip(seen, functions, strict=True)]
    wordings = _read_wordings(reader, count) if reader.has_wordings else None
    reader.finish()
    skipped = (Skipped(path, reason),) if reason else ()
    return Corpus(spans, calls, own, views[0], views[1], views[2], 1, skipped, wordings)


def unpacked_counts(data: bytes) -> tuple[Hashes, Numbers]:
    """The inverse.

    Errors: ValueError for anything that `packed_counts` would not have written.
    """
    reader = _Reader(data)
    values = reader.hashes(reader.functions, _SHINGLE_BYTES)
    counts = reader.numbers(reader.functions, 1 << 40)
    reader.finish()
    return values, counts


def _read_calls(reader: _Reader, count: int) -> tuple[tuple[str, ...], ...]:
    names = reader.texts(reader.count())
    counts = reader.numbers(count, 1 << 32)
    total = reader.count()
    if int(counts.sum()) != total:
        raise ValueError("a pack whose counts cannot be")
    called = iter(reader.numbers(total, len(names)).tolist())
    return tuple([tuple([names[next(called)] for _ in range(number)]) if number else () for number in counts.tolist()])


def _functions(reader: _Reader, count: int) -> Numbers:
    """Which functions a view is of."""
    steps = reader.numbers(reader.number(count + 1), count + 1)
    found = np.cumsum(steps) - 1
    if len(found) and (int(steps.min()) < 1 or int(found[-1]) >= count):
        raise ValueError("a pack with views of nothing")
    return found


def _shingles(rows: _Rows, first: int, last: int) -> Shingles:
    begin, end = rows.offsets[first], rows.offsets[last]
    return Shingles(rows.values[rows.places[begin:end]], rows.offsets[first : last + 1] - begin)


def _read_wordings(reader: _Reader, count: int) -> Wordings:
    words, shape = _read_runs(reader, count), _read_runs(reader, count)
    forms = np.frombuffer(reader.take_raw(8 * count), "<i8").astype(np.int64)
    texts = np.frombuffer(reader.take_raw(8 * count), "<u8").astype(np.uint64)
    if count and int(forms.min()) < -1:
        raise ValueError("a pack with forms that cannot be")
    return Wordings(words, shape, forms, texts)


def _read_runs(reader: _Reader, count: int) -> Runs:
    rows = reader.rows(reader.hashes(reader.count(), _RUN_BYTES), count)
    return Runs(rows.values[rows.places].astype(np.uint32), rows.offsets)
