"""Keys of sketches -> the shapes that have them: sorted runs of postings, in blocks, as rows of two tables.

Every insert writes one run and merges it with those before it that are not much larger, so that there are few. A
posting is its key and its shape in one integer; a run is these in ascending order, cut into blocks; its fences are the
first posting of each. All of it belongs to the caller's transaction.

Source: O'Neil, Cheng, Gawlick and O'Neil 1996 (log-structured merge trees).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from detector.code.sorting import Hashes, Numbers, is_new
from detector.index.damage import Damaged
from detector.model import UserError
from detector.settings.postings import (
    BLOCK_POSTINGS,
    DENSE,
    KEY_BITS,
    LARGEST_POSTING,
    MERGED_BLOCKS,
    RUN_RATIO,
    SHAPE_BITS,
    SMALL_PART,
)

_BYTES = np.dtype("<u8")
_SHAPE = np.uint64((1 << SHAPE_BITS) - 1)
_SHIFT = np.uint64(SHAPE_BITS)
_WHOLE = BLOCK_POSTINGS * _BYTES.itemsize


@dataclass(frozen=True, slots=True)
class Found:
    """What is behind keys, before shapes are taken out of it.

    Shapes: counts[k] postings are there of key k; of a common key that was not asked for LARGEST_POSTING + 1, whatever
            there are. Of run r, held[r] has those of key k, not more than LARGEST_POSTING, from begins[r][k] up to, not
            including, ends[r][k].
    """

    counts: Numbers
    postings: int  # in the index in all
    held: tuple[Hashes, ...]
    begins: tuple[Numbers, ...]
    ends: tuple[Numbers, ...]

    def shapes(self, chosen: Numbers) -> tuple[Numbers, Numbers]:
        """Places in `chosen`, which are numbers of keys, and the shapes that these keys lead to.

        Ties: of a key with more than LARGEST_POSTING postings, those of the lowest numbers.
        """
        places, shapes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for held, begins, ends in zip(self.held, self.begins, self.ends, strict=True):
            counts = (ends - begins)[chosen]
            places.append(np.repeat(np.arange(len(chosen)), counts))
            starts = begins[chosen] - (np.cumsum(counts) - counts)
            shapes.append((held[np.repeat(starts, counts) + np.arange(len(places[-1]))] & _SHAPE).astype(np.int64))
        place, shape = np.concatenate(places), np.concatenate(shapes)
        return (place, shape) if len(self.held) < 2 else _lowest(place, shape, len(chosen))


@dataclass(frozen=True, slots=True)
class Run:
    """Ascending postings in blocks of consecutive numbers; all but the last are full."""

    number: int
    first: int  # number of its first block
    postings: int
    fences: Hashes

    def checksum(self) -> int:
        """Of everything that stands in its row."""
        told = f"{self.first} {self.postings} "
        data = self.fences.astype(_BYTES, copy=False).tobytes()
        return _checksums([data], _checksums([told.encode()], [self.number]))[0]

    @property
    def rest(self) -> int:
        """Bytes of its last block."""
        return (self.postings - (len(self.fences) - 1) * BLOCK_POSTINGS) * _BYTES.itemsize

    @property
    def last(self) -> int:
        """Number of its last block."""
        return self.first + len(self.fences) - 1


def create(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    connection.execute(
        "CREATE TABLE posting_run(number INTEGER PRIMARY KEY, first INTEGER NOT NULL, postings INTEGER NOT NULL, "
        "fences BLOB NOT NULL, checksum INTEGER NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE posting_block(number INTEGER PRIMARY KEY, bytes BLOB NOT NULL, checksum INTEGER NOT NULL)"
    )


def insert(connection: sqlite3.Connection, keys: Hashes, shapes: Numbers) -> None:
    """Post shapes under keys. A shape is posted once, when it is new.

    Shapes: equally long.
    Errors: UserError when the numbers of shapes are used up.
    """
    if not len(keys):
        return
    if int(keys.max()) >> KEY_BITS or int(shapes.min()) < 0:
        raise ValueError("a key or a shape that does not fit into a posting")
    if int(shapes.max()) >> SHAPE_BITS:
        raise UserError(f"an index holds at most {1 << SHAPE_BITS:,} distinct functions: begin another one")
    posted = np.sort(keys << _SHIFT | shapes.astype(np.uint64))
    posted = posted[is_new(posted)]
    runs = runs_of(connection)
    merged: list[Run] = []
    size = len(posted)
    while runs and runs[-1].postings < RUN_RATIO * size:
        merged.append(runs.pop())
        size += merged[-1].postings
    _write(connection, _merged([*(_taken(connection, run) for run in merged), iter([posted])]), merged)


def lookup(connection: sqlite3.Connection, keys: Hashes, *, common: bool, runs: Sequence[Run] | None = None) -> Found:
    """Find what is behind keys: ascending, each once.

    common: whether to look for the shapes of keys that more than LARGEST_POSTING have.
    runs:   those of `runs_of`, where they are at hand.
    Errors: Damaged when a block or a run that is needed is not what was written.
    """
    low = keys << _SHIFT
    high = low | _SHAPE
    runs = runs_of(connection) if runs is None else runs
    spans = [_span(run, low, high) for run in runs]
    # What fills a block, with one on either side, is more than LARGEST_POSTING.
    is_long = np.logical_or.reduce([end - begin > 1 for begin, end in spans] or [np.zeros(len(keys), bool)])
    read = np.arange(len(keys)) if common else np.flatnonzero(~is_long)
    counts = np.where(is_long, LARGEST_POSTING + 1, 0)
    counts[read] = 0
    parts = []
    for run, (begin, end) in zip(runs, spans, strict=True):
        needed = np.zeros(len(run.fences) + 1, bool)  # the last stands for none
        for blocks in (begin, np.minimum(begin + 1, end), end):
            needed[blocks[read]] = True
        blocks = np.flatnonzero(needed[:-1])
        if len(blocks) * DENSE > len(run.fences):  # all between are read, too
            blocks = np.arange(blocks[0], blocks[-1] + 1)
        held = _some_blocks(connection, run, blocks)
        left, right = np.zeros((2, len(keys)), np.int64)
        left[read], right[read] = np.searchsorted(held, low[read]), np.searchsorted(held, high[read], "right")
        # What was left out in between are whole blocks of one key.
        left_out = end - begin + 1 - (np.searchsorted(blocks, end, "right") - np.searchsorted(blocks, begin))
        counts[read] += (right - left + left_out * BLOCK_POSTINGS)[read]
        parts.append((held, left, np.minimum(right, left + LARGEST_POSTING)))
    held_, begins, ends = zip(*parts, strict=True) if parts else ((), (), ())
    return Found(counts, sum(run.postings for run in runs), held_, begins, ends)


def between(connection: sqlite3.Connection, first: int, last: int) -> Hashes:
    """All postings of keys from `first` up to, not including, `last`: ascending, each once.

    Errors: Damaged, as `lookup`.
    """
    low, high = (np.uint64(each) for each in (first << SHAPE_BITS, (last << SHAPE_BITS) - 1))
    parts = [np.zeros(0, np.uint64)]
    for run in runs_of(connection):
        begin, end = _span(run, np.array([low]), np.array([high]))
        held = _some_blocks(connection, run, np.arange(begin[0], end[0] + 1))
        parts.append(held[np.searchsorted(held, low) : np.searchsorted(held, high, "right")])
    ordered = np.sort(np.concatenate(parts), kind="stable")  # which merges what is in order already
    return ordered[is_new(ordered)]


def chunks(connection: sqlite3.Connection) -> Iterator[Hashes]:
    """All postings, some blocks at a time; one run after the other, each ascending.

    Errors: Damaged, as `lookup`.
    """
    for run in runs_of(connection):
        yield from _chunks(connection, run)


def _span(run: Run, low: Hashes, high: Hashes) -> tuple[Numbers, Numbers]:
    """The first and the last block of a run that may have postings from low to high; the last is -1 where none has."""
    begin = np.maximum(np.searchsorted(run.fences, low, "right") - 1, 0)
    return begin, np.searchsorted(run.fences, high, "right") - 1


def _lowest(places: Numbers, shapes: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """Of each place the lowest shapes, LARGEST_POSTING at most."""
    is_long = (np.bincount(places, minlength=count) > LARGEST_POSTING)[places]
    if not is_long.any():
        return places, shapes
    ordered = np.sort(places[is_long] << SHAPE_BITS | shapes[is_long])
    place, shape = ordered >> SHAPE_BITS, ordered & int(_SHAPE)
    kept = np.arange(len(place)) - np.searchsorted(place, place) < LARGEST_POSTING
    return np.concatenate([places[~is_long], place[kept]]), np.concatenate([shapes[~is_long], shape[kept]])


def settle(connection: sqlite3.Connection) -> None:
    """Leave fewer runs to look up in: one, where the others are not small beside the largest, or else two."""
    runs = runs_of(connection)
    largest, small = sum(run.postings for run in runs[:1]), sum(run.postings for run in runs[1:])
    merged = runs[1:] if small < SMALL_PART * largest else runs
    if len(merged) > 1:
        _write(connection, _merged([_taken(connection, run) for run in merged]), merged)


def sweep(connection: sqlite3.Connection, alive: Callable[[Numbers], npt.NDArray[np.bool_]]) -> None:
    """Drop the postings of shapes that are gone, and merge all runs.

    alive: is asked once, of all shapes that are posted, ascending.
    """
    runs = runs_of(connection)
    seen = np.zeros(0, bool)
    for run in runs:
        for postings in _chunks(connection, run):
            shapes = (postings & _SHAPE).astype(np.int64)
            most = int(shapes.max()) + 1
            if most > len(seen):
                seen = np.concatenate([seen, np.zeros(2 * most - len(seen), bool)])
            seen[shapes] = True
    posted = np.flatnonzero(seen)
    is_alive = alive(posted)
    if is_alive.all():
        return
    seen[posted] = is_alive
    merged = _merged([_taken(connection, run) for run in runs])
    _write(connection, (part[seen[(part & _SHAPE).astype(np.int64)]] for part in merged), runs)


def verify(connection: sqlite3.Connection) -> Iterator[str]:
    """Say what is damaged: every run, every block, and what belongs to none."""
    try:
        runs = runs_of(connection)
    except Damaged as error:
        yield str(error)
        return
    for run in runs:
        before = -1
        try:
            for postings in _chunks(connection, run):
                if not (postings[1:] > postings[:-1]).all() or int(postings[0]) <= before:
                    raise _damaged(f"run {run.number} is not in order")
                before = int(postings[-1])
        except Damaged as error:
            yield str(error)
    blocks = sum(len(run.fences) for run in runs)
    there = connection.execute("SELECT count(*) FROM posting_block").fetchone()[0]
    if there != blocks:
        yield str(_damaged(f"{there:,} blocks in place of {blocks:,}"))


def _damaged(what: str) -> Damaged:
    return Damaged(f"the index is damaged (postings: {what}): restore it from a copy, or build it again")


def runs_of(connection: sqlite3.Connection) -> list[Run]:
    """All runs, the oldest and largest first."""
    runs: list[Run] = []
    rows = connection.execute("SELECT number, first, postings, fences, checksum FROM posting_run ORDER BY number")
    for number, first, postings, fences, checksum in rows:
        if not _is_row((number, first, postings, checksum), fences):
            raise _damaged(f"run {number} is none")
        run = Run(number, first, postings, np.frombuffer(fences, _BYTES).astype(np.uint64, copy=False))
        if run.checksum() != checksum or not 0 < run.rest <= _WHOLE:
            raise _damaged(f"the checksum of run {number} is another")
        runs.append(run)
    return runs


def _is_row(numbers: Iterable[object], data: object) -> bool:
    """Whether a row holds what its table should: a stranger's file may hold anything anywhere."""
    return isinstance(data, bytes) and len(data) % _BYTES.itemsize == 0 and all(type(each) is int for each in numbers)


def _some_blocks(connection: sqlite3.Connection, run: Run, blocks: Numbers) -> Hashes:
    """The postings of some blocks of a run, ascending."""
    numbers = (blocks + run.first).tolist()
    query = "SELECT number, bytes, checksum FROM posting_block WHERE number"
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        rows = connection.execute(f"{query} BETWEEN ? AND ? ORDER BY number", (numbers[0], numbers[-1]))
    else:
        listed = json.dumps(numbers)
        rows = connection.execute(f"{query} IN (SELECT value FROM json_each(?)) ORDER BY number", (listed,))
    return _joined(_checked(run, numbers, rows.fetchall()))


def _checked(run: Run, numbers: Sequence[int], rows: Sequence[tuple[Any, Any, Any]]) -> Sequence[bytes]:
    """The bytes of blocks: complete, unaltered, and in the places where they were written."""
    there, blocks, written = zip(*rows, strict=True) if rows else ((), (), ())
    if list(there) != numbers:
        raise _damaged(f"run {run.number} lacks blocks")
    if set(map(type, blocks)) - {bytes}:  # a stranger's file may hold anything anywhere
        raise _damaged(f"run {run.number} has a block that is none")
    sums = _checksums(blocks, numbers)
    if sums != list(written):
        number = next(number for number, one, other in zip(numbers, sums, written, strict=True) if one != other)
        raise _damaged(f"block {number} is not what was written")
    last = run.rest if numbers[-1:] == [run.last] else _WHOLE
    if set(map(len, blocks[:-1])) - {_WHOLE} or set(map(len, blocks[-1:])) - {last}:
        raise _damaged(f"run {run.number} has blocks of another length")
    return blocks


def _checksums(blocks: Sequence[bytes], numbers: Iterable[int]) -> list[int]:
    """Of each block, where it stands under this number; of as many bits as SQLite holds."""
    return [found >> 1 for found in map(xxh3_64_intdigest, blocks, numbers)]


def _joined(blocks: Sequence[bytes]) -> Hashes:
    return np.frombuffer(b"".join(blocks), _BYTES).astype(np.uint64, copy=False)


def _chunks(connection: sqlite3.Connection, run: Run) -> Iterator[Hashes]:
    """All postings of a run, some blocks at a time."""
    for first in range(run.first, run.last + 1, MERGED_BLOCKS):
        numbers = list(range(first, min(first + MERGED_BLOCKS, run.last + 1)))
        query = "SELECT number, bytes, checksum FROM posting_block WHERE number BETWEEN ? AND ? ORDER BY number"
        rows = connection.execute(query, (numbers[0], numbers[-1])).fetchall()
        postings = _joined(_checked(run, numbers, rows))
        if not np.array_equal(postings[::BLOCK_POSTINGS], run.fences[first - run.first :][: len(numbers)]):
            raise _damaged(f"run {run.number} has other fences than blocks")
        yield postings


def _taken(connection: sqlite3.Connection, run: Run) -> Iterator[Hashes]:
    """All postings of a run, whose blocks are deleted as soon as they are read: their room is used again."""
    done = run.first
    for postings in _chunks(connection, run):
        blocks = -(-len(postings) // BLOCK_POSTINGS)
        query = "DELETE FROM posting_block WHERE number BETWEEN ? AND ?"
        connection.execute(query, (done, done + blocks - 1))
        done += blocks
        yield postings


def _merged(sources: Sequence[Iterator[Hashes]]) -> Iterator[Hashes]:
    """Ascending postings out of several sources, each once."""
    held = [(source, part) for source in sources for part in [next(source, None)] if part is not None]
    while held:
        # Up to here nothing can come any more that is not there yet.
        limit = min(part[-1] for _, part in held)
        ends = [int(np.searchsorted(part, limit, "right")) for _, part in held]
        ready = np.concatenate([part[:end] for (_, part), end in zip(held, ends, strict=True)])
        ready = np.sort(ready, kind="stable")  # which merges what is in order already
        yield ready[is_new(ready)]
        rest = []
        for (source, part), end in zip(held, ends, strict=True):
            left = part[end:] if end < len(part) else next(source, None)
            if left is not None:
                rest.append((source, left))
        held = rest


def _write(connection: sqlite3.Connection, parts: Iterable[Hashes], replaced: Sequence[Run]) -> None:
    """Write one run in place of others; of no postings, none."""
    number, first = (
        1 + (connection.execute(f"SELECT max(number) FROM {table}").fetchone()[0] or 0)
        for table in ("posting_run", "posting_block")
    )
    fences, postings, block = [], 0, first
    rest = np.zeros(0, np.uint64)
    for part in parts:
        rest = np.concatenate([rest, part])
        whole = len(rest) // BLOCK_POSTINGS
        if whole >= MERGED_BLOCKS:
            fences.append(_write_blocks(connection, block, rest[: whole * BLOCK_POSTINGS]))
            block += whole
            postings += whole * BLOCK_POSTINGS
            rest = rest[whole * BLOCK_POSTINGS :]
    fences.append(_write_blocks(connection, block, rest))
    postings += len(rest)
    connection.executemany("DELETE FROM posting_run WHERE number = ?", [(run.number,) for run in replaced])
    if postings:
        run = Run(number, first, postings, np.concatenate(fences))
        row = (number, first, postings, run.fences.astype(_BYTES).tobytes(), run.checksum())
        connection.execute("INSERT INTO posting_run VALUES (?, ?, ?, ?, ?)", row)


def _write_blocks(connection: sqlite3.Connection, first: int, postings: Hashes) -> Hashes:
    """Write blocks from a number on; gives their fences."""
    data = postings.astype(_BYTES, copy=False).tobytes()
    pieces = [data[start : start + _WHOLE] for start in range(0, len(data), _WHOLE)]
    numbers = range(first, first + len(pieces))
    rows = zip(numbers, pieces, _checksums(pieces, numbers), strict=True)
    connection.executemany("INSERT INTO posting_block VALUES (?, ?, ?)", rows)
    return postings[::BLOCK_POSTINGS].copy()
