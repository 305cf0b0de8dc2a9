"""The file of a scan: one SQLite database, in which every module of this part has its tables."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from detector.model import UserError
from detector.read.names import printable
from detector.scan import findings, keys, members, outbox, ties
from detector.scan.damage import Damaged
from detector.scanned import Member, Tie
from detector.settings.scan_store import APPLICATION_ID, STORE_FORMAT, WAIT_SECONDS

_MODULES = (members, keys, ties, findings, outbox)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@dataclass(frozen=True, slots=True)
class Store:
    """An open store."""

    connection: sqlite3.Connection  # in autocommit

    def lineage_input(self) -> tuple[list[Member], list[Tie]]:
        """All members, and what was measured between them."""
        return list(members.members(self.connection)), list(ties.ties(self.connection))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written within, or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                with suppress(sqlite3.Error):  # SQLite may have rolled back itself
                    self.connection.execute("ROLLBACK")
            raise


@contextmanager
def open_store(path: Path, *, write: bool = False, create: bool = False) -> Iterator[Store]:
    """Open the store of a scan.

    create: make one if there is none.
    Errors: UserError in one line, also for what happens to the file while it is open.
    """
    shown = printable(str(path))
    try:
        if not create or (path.exists() and path.stat().st_size):
            _require_file(path, shown)
        address = f"{Path(os.path.abspath(path)).as_uri()}?mode={'rwc' if create else 'rw'}"
        with closing(sqlite3.connect(address, timeout=WAIT_SECONDS, isolation_level=None, uri=True)) as connection:
            # The file may come from a stranger: what its schema calls is not run, and sizes in it are checked.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA synchronous = FULL")
            if create:
                _create(connection)
            if not (write or create):
                connection.execute("PRAGMA query_only = ON")
            _check(connection, shown)
            yield Store(connection)
    except Damaged as error:
        raise UserError(f"{shown}: {error}") from None
    except (sqlite3.Error, OSError, ValueError) as error:
        raise _told(error, shown) from None


def _create(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    connection.execute("PRAGMA journal_mode = WAL")
    with Store(connection).transaction():
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {STORE_FORMAT}")
            _create_tables(connection)


def _create_tables(connection: sqlite3.Connection) -> None:
    for module in _MODULES:
        module.create(connection)


def _check(connection: sqlite3.Connection, shown: str) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise UserError(f"{shown}: not the store of a scan: name one that `detector scan` has made")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != STORE_FORMAT:
        how = "update this program" if found > STORE_FORMAT else "scan anew"
        raise UserError(f"{shown}: a store of format {found}, this program reads {STORE_FORMAT}: {how}")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        _create_tables(empty)
        wanted, there = (
            frozenset(each.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
            for each in (empty, connection)
        )
    if wanted != there:
        raise UserError(f"{shown}: its tables are not those of a scan: scan anew")


def _require_file(path: Path, shown: str) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UserError(f"{shown}: there is no store of a scan: `detector scan` makes one") from None
    if not stat.S_ISREG(mode):
        raise UserError(f"{shown}: not a file: name the store of a scan")


def _told(error: Exception, shown: str) -> UserError:
    if isinstance(error, UserError):
        return error
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _BUSY:
        return UserError(f"{shown}: another process is writing: try again when it is done")
    if code == sqlite3.SQLITE_FULL:
        return UserError(f"{shown}: the disk is full; the store is as it was: make room and try again")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return UserError(f"{shown}: cannot be opened or written: check the path and its permissions")
    if code == sqlite3.SQLITE_NOTADB:
        return UserError(f"{shown}: not the store of a scan: name one that `detector scan` has made")
    if isinstance(error, sqlite3.Error):
        return UserError(f"{shown}: {Damaged(printable(str(error))[:200])}")
    return UserError(f"{shown}: cannot be opened ({printable(str(error))[:200]}): check the path and its permissions")
