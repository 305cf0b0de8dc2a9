"""The bytes of a pack -> the corpus of one file.

Whatever the bytes are, reading them gives a corpus that is sound in itself or `ValueError`, in memory bounded by them.
"""

from __future__ import annotations

import zlib
from itertools import accumulate, pairwise

import numpy as np

from detector.code.corpus import RUN_BITS, Corpus, Runs, View, Wordings
from detector.code.shingle import Shingles
from detector.code.sorting import Hashes, Numbers
from detector.index.packing import HEADER, RUN, SHINGLE_BYTES, VERSION, Rows
from detector.model import Role, Skipped, Span
from detector.settings.index import MOST_PACK_BYTES

LINES = 1 << 31  # no file that is read has as many


class _Reader:
    """Takes a pack apart, and believes nothing."""

    def __init__(self, data: bytes) -> None:
        if len(data) < HEADER.size:
            raise ValueError("a pack that is too short")
        version, self.functions, has_wordings, size, packed_size = HEADER.unpack_from(data)
        if version != VERSION or has_wordings > 1:
            raise ValueError("a pack of another version")
        if size > MOST_PACK_BYTES or self.functions > size + 1 or packed_size > len(data) - HEADER.size:
            raise ValueError("a pack whose sizes cannot be")
        self.has_wordings = bool(has_wordings)
        unpacking = zlib.decompressobj()
        end = HEADER.size + packed_size
        try:
            self._small = unpacking.decompress(data[HEADER.size : end], size + 1)
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

    def rows(self, values: Hashes, count: int) -> Rows:
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
        return Rows(values, places, offsets)

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
    steps = reader.numbers(count, 2 * LINES)
    firsts = np.cumsum(np.where(steps & 1, -((steps + 1) >> 1), steps >> 1))
    lasts = firsts + reader.numbers(count, LINES)
    if count and (int(firsts.min()) < 0 or int(lasts.max()) >= LINES):
        raise ValueError("a pack with lines that cannot be")
    spans = tuple([Span(path, *each, role) for each in zip(names, firsts.tolist(), lasts.tolist(), strict=True)])
    calls = _read_calls(reader, count)
    functions = [_functions(reader, count) for _ in range(3)]
    values = reader.hashes(reader.count(), SHINGLE_BYTES)
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
    values = reader.hashes(reader.functions, SHINGLE_BYTES)
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


def _shingles(rows: Rows, first: int, last: int) -> Shingles:
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
    counts = reader.numbers(count, 1 << RUN_BITS)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    total = int(offsets[-1])
    hashes = np.frombuffer(reader.take_raw(total * RUN.itemsize), RUN).astype(np.uint16)
    begins = np.zeros(total + 1, bool)
    begins[offsets] = True
    if ((hashes[1:] <= hashes[:-1]) & ~begins[1:total]).any():
        raise ValueError("a pack whose runs are not in order")
    return Runs(hashes, offsets)
