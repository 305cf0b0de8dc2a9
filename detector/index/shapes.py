"""Shapes: distinct contents of functions, which of them a pack's functions have, and which nothing has any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detector.code.corpus import Corpus
from detector.code.shingle import mix
from detector.code.sketch import sketches
from detector.code.sorting import Hashes, Numbers, grouped
from detector.index import postings
from detector.index.records import marks, some
from detector.settings.index import DEAD_SHARE

_VIEW = np.uint64(0x9E3779B97F4A7C15)


def digests(corpus: Corpus) -> Hashes:
    """A hash of what each function holds, over its views: equal for equal functions, whatever they are called."""
    found: Hashes = mix(corpus.shingles.sums())
    for kind, (shingles, functions) in enumerate(corpus.views, 1):
        found[functions] += mix(shingles.sums() ^ mix(np.full(1, kind, np.uint64) * _VIEW))
    mixed: Hashes = mix(found)
    return mixed


def signed(hashes: Hashes) -> list[int]:
    """Hashes as SQLite holds them."""
    found: list[int] = hashes.view(np.int64).tolist()
    return found


def shapes_of(connection: sqlite3.Connection, corpus: Corpus) -> Numbers:
    """The shape of each function, 0 for those that are too small to be posted; new ones are posted."""
    found = sketches(corpus)
    counts = np.diff(found.offsets)
    posted = np.flatnonzero(counts)
    contents = digests(corpus)[posted]
    firsts, kinds = grouped(contents)
    numbers, is_known = _known(connection, contents[firsts])
    new = np.flatnonzero(~is_known)
    following = int(connection.execute("SELECT value FROM meta WHERE name = 'shapes'").fetchone()[0])
    numbers[new] = following + 1 + np.arange(len(new))
    connection.execute("UPDATE meta SET value = ? WHERE name = 'shapes'", (str(following + len(new)),))
    rows = zip(numbers[new].tolist(), signed(contents[firsts[new]]), strict=True)
    connection.executemany("INSERT INTO shape VALUES (?, ?)", rows)
    if len(new):
        functions = posted[firsts[new]]
        lengths = counts[functions]
        starts = np.repeat(found.offsets[functions] - (np.cumsum(lengths) - lengths), lengths)
        keys = found.keys[np.arange(int(lengths.sum())) + starts]
        postings.insert(connection, keys, np.repeat(numbers[new], lengths))
    shapes = np.zeros(len(corpus.spans), np.int64)
    shapes[posted] = numbers[kinds]
    return shapes


def _known(connection: sqlite3.Connection, contents: Hashes) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Numbers of the shapes that are there already, and which are."""
    there: dict[int, int] = {}
    values = signed(contents)
    for part in some(values):
        there.update(connection.execute(f"SELECT digest, number FROM shape WHERE digest IN ({marks(part)})", part))
    numbers = np.array([there.get(value, 0) for value in values], np.int64)
    return numbers, numbers > 0


def forget_functions(connection: sqlite3.Connection, packs: Sequence[int]) -> set[int]:
    """Forget which shapes the functions of packs have, whatever the packs say of it themselves; gives these."""
    shapes: set[int] = set()
    for part in some(packs):
        rows = connection.execute(f"SELECT DISTINCT shape FROM shape_function WHERE pack IN ({marks(part)})", part)
        shapes.update(shape for (shape,) in rows)
        connection.execute(f"DELETE FROM shape_function WHERE pack IN ({marks(part)})", part)
    return shapes


def forget_shapes(connection: sqlite3.Connection, shapes: set[int]) -> None:
    """Remove those of the shapes that no function has, and postings of such where there are many."""
    dead = 0
    for part in some(sorted(shapes)):
        rows = connection.execute(f"SELECT DISTINCT shape FROM shape_function WHERE shape IN ({marks(part)})", part)
        used = {shape for (shape,) in rows}
        unused = [shape for shape in part if shape not in used]
        connection.execute(f"DELETE FROM shape WHERE number IN ({marks(unused)})", unused)
        dead += len(unused)
    dead += int(connection.execute("SELECT value FROM meta WHERE name = 'dead shapes'").fetchone()[0])
    alive = connection.execute("SELECT count(*) FROM shape").fetchone()[0]
    if dead and dead >= DEAD_SHARE * alive:
        postings.sweep(connection, lambda numbers: _are_alive(connection, numbers))
        dead = 0
    connection.execute("UPDATE meta SET value = ? WHERE name = 'dead shapes'", (str(dead),))


def _are_alive(connection: sqlite3.Connection, shapes: Numbers) -> npt.NDArray[np.bool_]:
    alive = np.array([number for (number,) in connection.execute("SELECT number FROM shape ORDER BY number")], np.int64)
    found: npt.NDArray[np.bool_] = np.isin(shapes, alive)
    return found
