"""Measured likenesses of members, kept for their lineage."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator

from detector.model import UserError
from detector.scanned import Component, Tie

_TABLE = """
CREATE TABLE tie (
    component TEXT NOT NULL,
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    distance REAL NOT NULL,
    derived TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (component, one, other)
) STRICT, WITHOUT ROWID
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the table."""
    connection.execute(_TABLE)
    connection.execute("CREATE INDEX tie_by_other ON tie (other)")


def replace(connection: sqlite3.Connection, member: str, ties: Iterable[Tie]) -> None:
    """Keep the ties of a member in place of all that it had: it was looked at anew."""
    connection.execute("DELETE FROM tie WHERE one = ? OR other = ?", (member, member))
    for tie in ties:
        one, other = sorted((tie.one, tie.other))
        connection.execute(
            "INSERT OR REPLACE INTO tie VALUES (?, ?, ?, ?, ?, ?)",
            (tie.component.value, one, other, tie.distance, tie.derived, tie.why),
        )


def ties(connection: sqlite3.Connection) -> Iterator[Tie]:
    """All of them, by component and members."""
    for component, one, other, distance, derived, why in connection.execute(
        "SELECT component, one, other, distance, derived, why FROM tie ORDER BY component, one, other"
    ):
        try:
            found = Component(component)
        except ValueError:
            found = None
        if found is None or not math.isfinite(distance) or derived not in ("", one, other):
            raise UserError("the store is damaged (a tie that is none): restore it from a copy")
        yield Tie(found, one, other, distance, derived, why)
