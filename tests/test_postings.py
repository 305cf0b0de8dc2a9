"""Postings against a dictionary; what is damaged is told; the work that a hostile index can make is bounded."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.code.sketch import Sketches
from detector.code.sorting import Hashes, Numbers
from detector.index import candidates as choosing
from detector.index import postings
from detector.index.candidates import Candidates, candidates
from detector.index.damage import Damaged
from detector.model import UserError
from detector.settings.postings import (
    BLOCK_POSTINGS,
    KEY_BITS,
    LARGEST_POSTING,
    LOOKED_UP,
    MOST_HITS,
    SHAPE_BITS,
)

Pairs = list[tuple[int, int]]
BLOCK = 4  # postings of one block in tests that need many
TABLES = ("posting_run", "posting_block")


@contextmanager
def index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        postings.create(connection)
        yield connection


@contextmanager
def small_blocks() -> Iterator[None]:
    """Everything small, so that a few postings make many blocks and runs."""
    changed = {"BLOCK_POSTINGS": BLOCK, "_WHOLE": BLOCK * 8, "LARGEST_POSTING": BLOCK, "MERGED_BLOCKS": 3}
    with ExitStack() as patches:
        for name, value in changed.items():
            patches.enter_context(patch.object(postings, name, value))
        patches.enter_context(patch.object(choosing, "LARGEST_POSTING", BLOCK))
        yield


def insert(connection: sqlite3.Connection, pairs: Pairs) -> None:
    keys, shapes = _columns(pairs)
    postings.insert(connection, keys, shapes)


def _columns(pairs: Pairs) -> tuple[Hashes, Numbers]:
    return np.array([key for key, _ in pairs], np.uint64), np.array([shape for _, shape in pairs], np.int64)


def looked_up(connection: sqlite3.Connection, keys: list[int], *, common: bool) -> tuple[list[int], list[list[int]]]:
    """The count of each key, and its shapes."""
    found = postings.lookup(connection, np.array(keys, np.uint64), common=common)
    places, shapes = found.shapes(np.arange(len(keys)))
    lists: list[list[int]] = [[] for _ in keys]
    for place, shape in zip(places.tolist(), shapes.tolist(), strict=True):
        lists[place].append(shape)
    return found.counts.tolist(), [sorted(each) for each in lists]


def contents(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [connection.execute(f"SELECT * FROM {table} ORDER BY number").fetchall() for table in TABLES]


# --- against a dictionary ---

numbers = st.integers(0, 12)
some_pairs = st.lists(st.tuples(st.integers(0, 9) | st.integers(0, 2**KEY_BITS - 1), numbers), max_size=40)
changes = st.lists(
    st.tuples(st.just("insert"), some_pairs)
    | st.tuples(st.just("sweep"), st.sets(numbers))
    | st.tuples(st.just("settle"), some_pairs)
    | st.tuples(st.just("undone"), some_pairs)
    | st.tuples(st.just("undone sweep"), st.sets(numbers)),
    max_size=9,
)


# All between the blocks that are needed are read, and none is counted twice.
_DENSE = [("insert", [(0, 0), *((1, shape + 1) for shape in range(count))]) for count in (1, 2, 3, 3)]


@settings(max_examples=150, deadline=None)
@given(changes)
@example(_DENSE)
def test_what_is_found_is_what_a_dictionary_holds(done: list[tuple[str, object]]) -> None:
    known: defaultdict[int, set[int]] = defaultdict(set)
    following = 0
    with small_blocks(), index() as connection:
        for what, given_ in done:
            if what in ("insert", "settle", "undone"):
                pairs = [(key, following + number) for key, number in given_]  # type: ignore[attr-defined]
                following += 13  # a shape is posted once
                connection.execute("BEGIN")
                insert(connection, pairs)
                if what == "settle":
                    postings.settle(connection)
                connection.execute("ROLLBACK" if what == "undone" else "COMMIT")
                if what != "undone":
                    for key, shape in pairs:
                        known[key].add(shape)
            else:
                gone = {number for number in range(following) if number % 13 in given_}  # type: ignore[operator]
                before = contents(connection)
                connection.execute("BEGIN")
                postings.sweep(connection, lambda shapes, gone=gone: ~np.isin(shapes, sorted(gone)))  # type: ignore[misc]
                connection.execute("COMMIT" if what == "sweep" else "ROLLBACK")
                if what == "sweep":
                    known = defaultdict(set, {key: shapes - gone for key, shapes in known.items()})
                else:
                    assert contents(connection) == before
            assert list(postings.verify(connection)) == []
        keys = sorted({*known, 0, 3, 2**KEY_BITS - 1})
        shapes = [sorted(known[key]) for key in keys]
        counts, found = looked_up(connection, keys, common=True)
        assert counts == [len(each) for each in shapes]
        assert found == [each[:BLOCK] for each in shapes]
        counts, found = looked_up(connection, keys, common=False)
        for count, some, every in zip(counts, found, shapes, strict=True):
            assert min(count, BLOCK + 1) == min(len(every), BLOCK + 1)
            assert some == every or len(every) > BLOCK


def test_nothing_is_found_in_an_empty_index() -> None:
    with index() as connection:
        assert looked_up(connection, [5], common=True) == ([0], [[]])
        assert looked_up(connection, [], common=False) == ([], [])
        assert list(postings.verify(connection)) == []
        postings.sweep(connection, lambda shapes: np.ones(len(shapes), bool))
        insert(connection, [])
        assert contents(connection) == [[], []]


def test_an_insert_that_is_undone_leaves_every_byte_as_it_was() -> None:
    rng = np.random.default_rng(1)
    with index() as connection:
        postings.insert(connection, rng.integers(0, 2**KEY_BITS, 5000, dtype=np.uint64), np.arange(5000))
        before = contents(connection)
        connection.execute("BEGIN")
        postings.insert(connection, rng.integers(0, 2**KEY_BITS, 9000, dtype=np.uint64), 5000 + np.arange(9000))
        connection.execute("ROLLBACK")
        assert contents(connection) == before


def test_there_are_never_more_than_a_few_runs_and_their_room_is_used_again() -> None:
    rng = np.random.default_rng(2)
    most = 0
    with index() as connection:
        for number in range(150):
            size = int(rng.integers(1, 3000))
            keys = rng.integers(0, 2**KEY_BITS, size, dtype=np.uint64)
            postings.insert(connection, keys, number * 3000 + np.arange(size))
            most = max(most, connection.execute("SELECT count(*) FROM posting_run").fetchone()[0])
        total = connection.execute("SELECT sum(postings) FROM posting_run").fetchone()[0]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    assert most <= 5
    assert pages * 4096 < 1.25 * total * 8


def test_settling_leaves_one_run_or_a_large_and_a_small_one() -> None:
    rng = np.random.default_rng(3)
    added = 0

    def add(connection: sqlite3.Connection, *sizes: int) -> list[int]:
        nonlocal added
        for size in sizes:
            keys = rng.integers(0, 2**KEY_BITS, size, dtype=np.uint64)
            postings.insert(connection, keys, added + np.arange(size))
            added += size
        return [run.postings for run in postings.runs_of(connection)]

    with index() as connection:
        postings.settle(connection)
        assert add(connection, 8_000, 2_000, 600) == [8_000, 2_000, 600]
        postings.settle(connection)
        assert add(connection) == [10_600]
        assert add(connection, 400, 100, 30) == [10_600, 400, 100, 30]
        postings.settle(connection)
        assert add(connection) == [10_600, 530]
        before = contents(connection)
        postings.settle(connection)
        assert contents(connection) == before
        assert add(connection, 150) == [10_600, 530, 150]
        postings.settle(connection)
        assert add(connection) == [11_280]
        assert list(postings.verify(connection)) == []


def test_a_sweep_drops_what_is_gone_and_asks_once() -> None:
    asked: list[Numbers] = []

    def alive(shapes: Numbers) -> npt.NDArray[np.bool_]:
        asked.append(shapes)
        return np.equal(shapes % 2, 0)

    with small_blocks(), index() as connection:
        insert(connection, [(key, shape) for key in range(20) for shape in range(3)])
        insert(connection, [(7, 9), (8, 12)])
        postings.sweep(connection, alive)
        assert [each.tolist() for each in asked] == [[0, 1, 2, 9, 12]]
        assert looked_up(connection, [6, 7, 8], common=True) == ([2, 2, 3], [[0, 2], [0, 2], [0, 2, 12]])
        before = contents(connection)
        postings.sweep(connection, alive)
        assert contents(connection) == before
        postings.sweep(connection, lambda shapes: np.zeros(len(shapes), bool))
        assert contents(connection) == [[], []]


def test_shapes_that_no_longer_fit_are_refused_in_words() -> None:
    with index() as connection:
        insert(connection, [(1, 2**SHAPE_BITS - 1)])
        with pytest.raises(UserError, match="begin another one"):
            insert(connection, [(1, 2**SHAPE_BITS)])
        for pair in ((2**KEY_BITS, 1), (1, -1)):
            with pytest.raises(ValueError, match="does not fit"):
                insert(connection, [pair])
        assert looked_up(connection, [1], common=True) == ([1], [[2**SHAPE_BITS - 1]])


# --- damage ---


def _damaged_index(connection: sqlite3.Connection) -> Pairs:
    pairs = [(key * 7919, key % 50) for key in range(60)] + [(77, shape) for shape in range(100, 115)]
    insert(connection, pairs)
    insert(connection, [(77, 200), (7919, 201)])
    return [*pairs, (77, 200), (7919, 201)]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_flipped_bit_is_told_and_never_gives_a_wrong_answer(data: st.DataObject) -> None:
    with small_blocks(), index() as connection:
        pairs = _damaged_index(connection)
        table = data.draw(st.sampled_from(TABLES))
        rows = connection.execute(f"SELECT number FROM {table}").fetchall()
        number = data.draw(st.sampled_from([row[0] for row in rows]))
        columns = ("first", "postings", "fences", "checksum") if table == "posting_run" else ("bytes", "checksum")
        column = data.draw(st.sampled_from(columns))
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE number = ?", (number,)).fetchone()
        flipped: int | bytes
        if isinstance(value, bytes):
            place = data.draw(st.integers(0, len(value) - 1))
            flipped = value[:place] + bytes([value[place] ^ (1 << data.draw(st.integers(0, 7)))]) + value[place + 1 :]
        else:
            flipped = value ^ (1 << data.draw(st.integers(0, 40)))
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE number = ?", (flipped, number))
        told = list(postings.verify(connection))
        assert told
        assert all("the index is damaged" in each and "\n" not in each for each in told)
        key = data.draw(st.sampled_from([key for key, _ in pairs]))
        right = sorted(shape for other, shape in pairs if other == key)
        try:
            counts, found = looked_up(connection, [key], common=True)
        except Damaged:
            return
        assert (counts, found) == ([len(right)], [right[:BLOCK]])


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM posting_block WHERE number = 3",
        "UPDATE posting_block SET bytes = (SELECT bytes FROM posting_block WHERE number = 4), "
        "checksum = (SELECT checksum FROM posting_block WHERE number = 4) WHERE number = 3",
        "UPDATE posting_block SET bytes = 'text' WHERE number = 3",
        "UPDATE posting_block SET bytes = x'' WHERE number = 3",
        "UPDATE posting_block SET bytes = 17 WHERE number = 3",
        "UPDATE posting_block SET checksum = 'text' WHERE number = 3",
        "UPDATE posting_block SET checksum = 1e300 WHERE number = 3",
        "UPDATE posting_run SET fences = 'text'",
        "UPDATE posting_run SET fences = x'00'",
        "UPDATE posting_run SET fences = x''",
        "UPDATE posting_run SET first = 9223372036854775807",
        "UPDATE posting_run SET first = 'text'",
        "UPDATE posting_run SET postings = 1.5",
        "UPDATE posting_run SET number = 12 WHERE number = 1",
    ],
)
def test_rows_that_are_not_what_was_written_are_told(change: str) -> None:
    with small_blocks(), index() as connection:
        pairs = _damaged_index(connection)
        connection.execute(change)
        assert list(postings.verify(connection))
        with pytest.raises(Damaged, match="restore it from a copy"):
            looked_up(connection, sorted({key for key, _ in pairs}), common=True)
        with pytest.raises(Damaged):
            insert(connection, [(1, number) for number in range(300, 400)])


def test_blocks_that_belong_to_no_run_are_told() -> None:
    with index() as connection:
        insert(connection, [(1, 2)])
        connection.execute("INSERT INTO posting_block VALUES (99, x'00', 0)")
        (told,) = postings.verify(connection)
        assert "2 blocks in place of 1" in told


# --- candidates ---


def asked(*functions: list[int]) -> Sketches:
    keys = np.array([key for each in functions for key in each], np.uint64)
    return Sketches(keys, np.cumsum([0, *map(len, functions)]).astype(np.int64))


def listed(found: Candidates) -> list[tuple[int, int, int]]:
    return list(zip(found.function.tolist(), found.shape.tolist(), found.shared.tolist(), strict=True))


def test_the_shape_that_shares_most_comes_first_and_ties_go_to_the_lower_number() -> None:
    with index() as connection:
        insert(connection, [(key, 5) for key in range(10)] + [(key, shape) for shape in (3, 2) for key in range(4)])
        insert(connection, [(50, 9)])
        found = listed(candidates(connection, asked(list(range(10)), [], [50], [777]), 8))
        assert found == [(0, 5, 10), (0, 2, 4), (0, 3, 4), (2, 9, 1)]
        assert listed(candidates(connection, asked(list(range(10)), [50]), 2)) == [(0, 5, 10), (0, 2, 4), (1, 9, 1)]


def test_a_rare_key_outweighs_a_frequent_one() -> None:
    with index() as connection:
        insert(connection, [(1, shape) for shape in range(100)] + [(2, 300)])
        assert listed(candidates(connection, asked([1, 2]), 2)) == [(0, 300, 1), (0, 0, 1)]


def test_candidates_are_the_same_however_the_index_came_about() -> None:
    rng = np.random.default_rng(3)
    keys = np.minimum(rng.geometric(0.02, 4000), 300).astype(np.uint64)
    shapes = np.repeat(np.arange(400), 10)
    functions = asked(*(rng.integers(1, 300, 8).tolist() for _ in range(40)))
    found = []
    for parts in (1, 7, 60):
        with small_blocks(), index() as connection:
            for chosen in np.array_split(np.arange(400), parts):
                is_chosen = np.isin(shapes, chosen)
                postings.insert(connection, keys[is_chosen], shapes[is_chosen])
            found.append(listed(candidates(connection, functions, 5)))
    assert found[0] == found[1] == found[2]
    assert found[0]


def test_functions_beyond_one_batch_are_found_as_in_it() -> None:
    with index() as connection:
        insert(connection, [(key, key % 97) for key in range(2000)])
        functions = [[key, key + 1] for key in range(LOOKED_UP + 40)]
        every = listed(candidates(connection, asked(*functions), 3))
        assert every[-1][0] == LOOKED_UP + 39
        last = listed(candidates(connection, asked(functions[-1]), 3))
        assert [row[1:] for row in every if row[0] == LOOKED_UP + 39] == [row[1:] for row in last]


def test_of_common_keys_alone_a_function_is_found_and_beside_a_rare_one_they_do_not_count() -> None:
    many = LARGEST_POSTING + 3
    with index() as connection:
        insert(connection, [(key, shape) for key in (1, 2) for shape in range(many)] + [(3, many + 5)])
        found = listed(candidates(connection, asked([1, 2], [1, 2, 3]), 4))
        assert found == [(0, 0, 2), (0, 1, 2), (0, 2, 2), (0, 3, 2), (1, many + 5, 1)]


def test_a_key_that_everything_has_costs_a_lookup_no_more_than_three_blocks_of_a_run() -> None:
    read: list[int] = []
    checked = postings._checked

    def counting(run: object, numbers: list[int], rows: list[tuple[object, ...]]) -> Sequence[bytes]:
        read.append(len(rows))
        return checked(run, numbers, rows)  # type: ignore[arg-type]

    with index() as connection:
        insert(connection, [(40, shape) for shape in range(100 * BLOCK_POSTINGS)] + [(9, 1), (80, 2)])
        with patch.object(postings, "_checked", counting):
            found = listed(candidates(connection, asked([40]), 1000))
            assert len(found) == LARGEST_POSTING
            assert sum(read) <= 3
            read.clear()
            assert listed(candidates(connection, asked([9, 40]), 1000)) == [(0, 1, 1)]
            assert sum(read) <= 2
        assert looked_up(connection, [40], common=True)[0] == [100 * BLOCK_POSTINGS]


def test_of_many_keys_that_many_have_the_rarest_count() -> None:
    with index() as connection:
        pairs = [(key, 1000 * key + shape) for key in range(1, 23) for shape in range(100 + key)]
        insert(connection, pairs)
        found = candidates(connection, asked(list(range(1, 23))), 10**6)
        assert MOST_HITS <= len(found.shape) <= MOST_HITS + LARGEST_POSTING
        assert sorted(set((found.shape // 1000).tolist())) == [1, 2, 3]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=9, unique=True), min_size=1, max_size=25),
    st.lists(st.lists(st.integers(0, 30), max_size=9, unique=True), max_size=6),
)
def test_shared_keys_are_counted_as_sets_do(shapes: list[list[int]], functions: list[list[int]]) -> None:
    with index() as connection:
        for number, keys in enumerate(shapes):
            insert(connection, [(key, number) for key in keys])
        for function, shape, shared in listed(candidates(connection, asked(*functions), 25)):
            assert shared == len(set(functions[function]) & set(shapes[shape]))
        given_ = {(function, shape) for function, shape, _ in listed(candidates(connection, asked(*functions), 25))}
        assert given_ == {
            (function, shape)
            for function, wanted in enumerate(functions)
            for shape, keys in enumerate(shapes)
            if set(wanted) & set(keys)
        }
