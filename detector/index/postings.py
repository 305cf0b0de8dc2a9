"""Keys of sketches -> the shapes that have them, in an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from detector.code.sorting import Hashes, Numbers


def create(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    connection.execute("CREATE TABLE posting(key INTEGER, shape INTEGER, PRIMARY KEY(key, shape)) WITHOUT ROWID")


def insert(connection: sqlite3.Connection, keys: Hashes, shapes: Numbers) -> None:
    """Post keys, each with its shape."""
    rows = zip(keys.view(np.int64).tolist(), shapes.tolist(), strict=True)
    connection.executemany("INSERT OR IGNORE INTO posting VALUES (?, ?)", rows)


def lookup(connection: sqlite3.Connection, keys: Hashes) -> tuple[Numbers, Numbers]:
    """Places in the keys, and the shapes that have these."""
    found = [
        (place, shape)
        for place, key in enumerate(keys.view(np.int64).tolist())
        for (shape,) in connection.execute("SELECT shape FROM posting WHERE key = ?", (key,))
    ]
    numbers = np.array(found, np.int64).reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]


def sweep(connection: sqlite3.Connection, alive: Callable[[Numbers], npt.NDArray[np.bool_]]) -> None:
    """Drop the postings of shapes that are gone."""
    shapes = np.array([shape for (shape,) in connection.execute("SELECT DISTINCT shape FROM posting")], np.int64)
    dead = shapes[~alive(shapes)]
    connection.executemany("DELETE FROM posting WHERE shape = ?", ((shape,) for shape in dead.tolist()))


def verify(connection: sqlite3.Connection) -> Iterator[str]:
    """Say what is damaged: here nothing can be told."""
    wrong = connection.execute("SELECT count(*) FROM posting WHERE typeof(key) || typeof(shape) != 'integerinteger'")
    if wrong.fetchone()[0]:
        yield "postings that are no numbers"
