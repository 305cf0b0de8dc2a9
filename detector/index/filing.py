"""Packs that are new to an index, many at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detector.code.corpus import Corpus, assembled
from detector.code.sorting import order
from detector.index.packing import packed_files
from detector.index.records import PackRow
from detector.index.shapes import forget_functions, forget_shapes, shapes_of


@dataclass(frozen=True, slots=True)
class New:
    """What one file holds, to be filed."""

    blob: bytes
    context: frozenset[str]
    corpus: Corpus  # of this file alone
    reason: str
    is_own: bool = True
    replaces: int = 0  # number of the pack whose content it takes the place of


def file_packs(connection: sqlite3.Connection, new: Sequence[New]) -> list[int]:
    """File packs, each under a number of its own; gives the numbers.

    Errors: ValueError for a file of more than fits into a pack.
    """
    if not new:
        return []
    everything = assembled([each.corpus for each in new])
    counts = np.array([len(each.corpus.spans) for each in new])
    ends = np.cumsum([0, *counts])
    packs = packed_files(everything, counts)
    shapes = shapes_of(connection, everything)
    forgotten = forget_functions(connection, [each.replaces for each in new if each.replaces])
    numbers = list(_numbers(connection, new))
    rows = []
    for place, (number, each) in enumerate(zip(numbers, new, strict=True)):
        begin, end = int(ends[place]), int(ends[place + 1])
        of_pack = shapes[begin:end]
        row = PackRow(number, each.blob, each.context, each.is_own, end - begin, each.reason, of_pack, packs[place])
        rows.append(row.stored())
    connection.executemany("INSERT OR REPLACE INTO pack VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    owners = np.repeat(np.array(numbers, np.int64), counts)
    functions = np.arange(len(shapes)) - np.repeat(ends[:-1], counts)
    by_shape = order(shapes)
    by_shape = by_shape[shapes[by_shape] > 0]
    functions_rows = zip(*(each[by_shape].tolist() for each in (shapes, owners, functions)), strict=True)
    connection.executemany("INSERT INTO shape_function VALUES (?, ?, ?)", functions_rows)
    if forgotten:
        forget_shapes(connection, forgotten)
    return numbers


def _numbers(connection: sqlite3.Connection, new: Sequence[New]) -> Iterator[int]:
    following = connection.execute("SELECT coalesce(max(number), 0) FROM pack").fetchone()[0] + 1
    for each in new:
        yield each.replaces or following
        following += not each.replaces
