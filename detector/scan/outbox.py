"""Occurrences on their way to webhooks: in order, each once, and where every hook stands."""

from __future__ import annotations

import sqlite3


def create(connection: sqlite3.Connection) -> None:
    """Make the table."""
    connection.execute("CREATE TABLE hook(id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT")
