"""Take a target out of an index, and with it what nothing else uses."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from detector.index.opening import Tell, transaction
from detector.index.records import PACK_COLUMNS, Target, marks, pack_of, some
from detector.index.shapes import forget_functions, forget_shapes
from detector.settings.index import FREE_SHARE, LEAST_FREE_BYTES


@dataclass(frozen=True, slots=True)
class Removed:
    """What removing a target came to."""

    target: Target
    packs: int  # that nothing else had


def remove(connection: sqlite3.Connection, target: Target, tell: Tell | None = None) -> Removed:
    """Remove a target; all of it or nothing."""
    with transaction(connection, tell):
        return forget(connection, target)


def forget(connection: sqlite3.Connection, target: Target) -> Removed:
    """Remove a target within a transaction."""
    rows = connection.execute("SELECT DISTINCT pack FROM place WHERE target = ?", (target.number,))
    packs = [pack for (pack,) in rows]
    for table, column in (
        ("place", "target"),
        ("skipped", "target"),
        ("frequent", "target"),
        ("past", "target"),
        ("target", "number"),
    ):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (target.number,))
    return Removed(target, _forget_packs(connection, packs))


def _forget_packs(connection: sqlite3.Connection, packs: list[int]) -> int:
    """Remove those of the packs that stand nowhere any more, and shapes that nothing has."""
    gone = 0
    shapes: set[int] = set()
    for part in some(packs):
        used = {pack for (pack,) in connection.execute(f"SELECT pack FROM place WHERE pack IN ({marks(part)})", part)}
        unused = [pack for pack in part if pack not in used]
        shapes |= _forget_functions(connection, unused)
        for table, column in (("pack", "number"), ("text", "pack")):
            connection.execute(f"DELETE FROM {table} WHERE {column} IN ({marks(unused)})", unused)
        gone += len(unused)
    forget_shapes(connection, shapes)
    return gone


def _forget_functions(connection: sqlite3.Connection, packs: list[int]) -> set[int]:
    """Forget which shapes the functions of packs have; gives these shapes."""
    shapes: set[int] = set()
    damaged: list[int] = []
    pairs: list[tuple[int, int]] = []
    rows = connection.execute(f"SELECT {PACK_COLUMNS} FROM pack WHERE number IN ({marks(packs)})", packs)
    for row in rows.fetchall():
        try:
            found = set(pack_of(row).shapes.tolist()) - {0}
        except ValueError:
            damaged.append(row[0])
            continue
        shapes |= found
        pairs += [(shape, row[0]) for shape in found]
    connection.executemany("DELETE FROM shape_function WHERE shape = ? AND pack = ?", pairs)
    return shapes | forget_functions(connection, damaged)


def free_bytes(connection: sqlite3.Connection) -> int:
    """How much of the file holds nothing."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    return int(pages * size)


def tidy(connection: sqlite3.Connection) -> int:
    """Write the file anew where much of it holds nothing; gives how many bytes shorter it is."""
    free = free_bytes(connection)
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if free < LEAST_FREE_BYTES or free < FREE_SHARE * pages * size:
        return 0
    connection.execute("VACUUM")
    return free
