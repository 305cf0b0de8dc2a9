"""The tables of an index, what it was made with, and whether this program can read that."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import cache

from detector.code.corpus import RUN_BITS
from detector.index import postings
from detector.model import UserError
from detector.settings import (
    LOWERING_VERSION,
    MINHASH_PERMUTATIONS,
    MINHASH_SCHEME,
    MINHASH_SEED,
    TOKENS_TOGETHER,
    WORDS_TOGETHER,
)
from detector.settings.index import APPLICATION_ID, INDEX_FORMAT
from detector.settings.postings import KEY_BITS, POSTED_KEYS, POSTED_PART

# Names, paths and reasons come from strangers and are bytes: what SQLite takes for text cannot hold all of them.
_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE target(number INTEGER PRIMARY KEY, about BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE frequent(target INTEGER PRIMARY KEY, bytes BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE past(target INTEGER PRIMARY KEY, bytes BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE place(target INTEGER NOT NULL, number INTEGER NOT NULL, path BLOB NOT NULL, role TEXT NOT NULL,
  pack INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, came BLOB NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY(target, number)) WITHOUT ROWID;
CREATE INDEX place_of_pack ON place(pack);
CREATE TABLE skipped(target INTEGER NOT NULL, number INTEGER NOT NULL, path BLOB NOT NULL, reason BLOB NOT NULL,
  is_listed INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY(target, number)) WITHOUT ROWID;
CREATE TABLE pack(number INTEGER PRIMARY KEY, blob BLOB NOT NULL, context BLOB NOT NULL, is_own INTEGER NOT NULL,
  functions INTEGER NOT NULL, reason BLOB NOT NULL, crc INTEGER NOT NULL, shapes BLOB NOT NULL, bytes BLOB NOT NULL);
CREATE UNIQUE INDEX pack_of_blob ON pack(blob, context);
CREATE TABLE text(pack INTEGER PRIMARY KEY, bytes BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE shape(number INTEGER PRIMARY KEY, digest INTEGER NOT NULL);
CREATE UNIQUE INDEX shape_of_digest ON shape(digest);
CREATE TABLE shape_function(shape INTEGER NOT NULL, pack INTEGER NOT NULL, function INTEGER NOT NULL,
  PRIMARY KEY(shape, pack, function)) WITHOUT ROWID;
"""

# What must be equal on both sides before hashes are compared.
MADE_WITH: Mapping[str, str] = {
    "lowering": str(LOWERING_VERSION),
    "wording": f"runs of {WORDS_TOGETHER} words and {TOKENS_TOGETHER} tokens, {RUN_BITS} bits",
    "sketch": f"the rarest {POSTED_KEYS} of each view or {POSTED_PART} of it, {KEY_BITS} bits",
    "minhash": f"{MINHASH_SCHEME}, seed {MINHASH_SEED}, {MINHASH_PERMUTATIONS} permutations",
}


def create(connection: sqlite3.Connection, program: str) -> None:
    """Make an index out of an empty database.

    program: the version of this program, for the reader's information.
    """
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {INDEX_FORMAT}")
    _create_tables(connection)
    values = {**MADE_WITH, "program": program, "shapes": "0", "dead shapes": "0"}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(values.items()))


def _create_tables(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    postings.create(connection)


@cache
def _expected() -> frozenset[tuple[str | None, ...]]:
    connection = sqlite3.connect(":memory:")
    try:
        _create_tables(connection)
        return frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
    finally:
        connection.close()


def check(connection: sqlite3.Connection, path: str) -> None:
    """Refuse what this program has not made, or not so.

    Errors: UserError in one line that says what to do.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise UserError(f"{path}: not an index of this program: name one that `detector index add` has made")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != INDEX_FORMAT:
        how = "update this program" if found > INDEX_FORMAT else "build it again with `detector index add`"
        raise UserError(f"{path}: an index of format {found}, this program reads {INDEX_FORMAT}: {how}")
    if frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")) != _expected():
        raise UserError(f"{path}: its tables are not those of an index: build it again with `detector index add`")
    made = dict(connection.execute("SELECT name, value FROM meta"))
    for name, value in MADE_WITH.items():
        if made.get(name) != value:
            was = str(made.get(name, "unknown"))[:100]
            raise UserError(
                f"{path}: its {name} is {was}, this program's is {value}: build it again with `detector index add`"
            )
