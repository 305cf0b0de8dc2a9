"""The file of an index: created whole, opened for reading beside a writer or for writing, and what may go wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from detector import __version__
from detector.index import schema
from detector.index.damage import Damaged
from detector.model import UserError
from detector.read.names import printable
from detector.settings.index import (
    CACHE_KIBIBYTES,
    READER_KIBIBYTES,
    READER_SECONDS,
    TELL_WAITING_SECONDS,
    WRITER_SECONDS,
)

Tell = Callable[[str], None]
_AGAIN = "restore it from a copy, or build it again with `detector index add`"
_IS_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_OPENED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM)


@contextmanager
def opened(path: Path, *, write: bool = False, create: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the file of an index; after the last close it is one file again.

    Errors: UserError in one line, also for what happens to the file while it is open.
    """
    shown = printable(str(path))
    with told(shown):
        if create:
            _create(path, shown)
        _require_file(path, shown)
        with closing(_connected(path, write)) as connection:
            schema.check(connection, shown)
            yield connection


@contextmanager
def told(shown: str) -> Iterator[None]:
    """Say in one line what SQLite complains about."""
    try:
        yield
    except sqlite3.Error as error:
        raise _error(shown, error) from None
    except UnicodeDecodeError:  # a name of a table or a text that is none
        raise Damaged(f"{shown}: the index is damaged (a text that is none): {_AGAIN}") from None


def _error(shown: str, error: sqlite3.Error) -> UserError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return UserError(f"{shown}: not an index: name one that `detector index add` has made")
    if code == sqlite3.SQLITE_FULL:
        return UserError(f"{shown}: the disk is full; the index is as it was: make room and try again")
    if code == sqlite3.SQLITE_IOERR:
        return UserError(f"{shown}: cannot be read or written ({error}); the index is as it was: check the disk")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return UserError(f"{shown}: cannot be written: copy the index to where it can, or check the permissions")
    if code in _IS_LOCKED:
        return UserError(f"{shown}: another process is writing: try again when it is done")
    if code == sqlite3.SQLITE_CANTOPEN:
        return UserError(f"{shown}: cannot open it: check the path and the permissions of the file and its folder")
    return Damaged(f"{shown}: the index is damaged ({printable(str(error))[:200]}): {_AGAIN}")


def _require_file(path: Path, shown: str) -> None:
    # Asked of the system, not by opening it: closing a file drops the locks that this process has on it.
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UserError(f"{shown}: there is no index: make one with `detector index add`") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{shown}: cannot open it ({_why(error)}): check the path and its permissions") from None
    if not stat.S_ISREG(mode):
        raise UserError(f"{shown}: not a file: name an index, or a file that does not exist yet")


def _why(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__).lower()


def _connected(path: Path, write: bool) -> sqlite3.Connection:
    """Connect: read-only media cannot hold the shared memory that readers and writers use, and have no writer."""
    if write:
        return _connect(path, "mode=rw", WRITER_SECONDS)
    try:
        # Writable, so that the last one to close leaves one file; nothing is written.
        return _connect(path, "mode=rw", READER_SECONDS, is_reader=True)
    except sqlite3.OperationalError as error:
        log = path.with_name(f"{path.name}-wal")
        with suppress(OSError):
            if log.stat().st_size:  # holds commits that would not be seen
                raise
        if (error.sqlite_errorcode & 0xFF) not in _NOT_OPENED:
            raise
        return _connect(path, "mode=ro&immutable=1", READER_SECONDS, is_reader=True)


def _connect(path: Path, how: str, seconds: float, is_reader: bool = False) -> sqlite3.Connection:
    address = f"{Path(os.path.abspath(path)).as_uri()}?{how}"
    connection = sqlite3.connect(address, timeout=seconds, isolation_level=None, uri=True)
    try:
        # The file may come from a stranger: what its schema calls is not run, and sizes in it are checked.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute(f"PRAGMA cache_size = -{READER_KIBIBYTES if is_reader else CACHE_KIBIBYTES}")
        connection.execute("PRAGMA synchronous = FULL")  # one commit for each target: it costs nothing beside reading
        if is_reader:
            connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path, shown: str) -> None:
    """Make an empty index beside its place and put it there, unless there is one."""
    with suppress(OSError):
        if path.stat().st_size:
            return
    import tempfile  # not for whoever only reads

    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:64]}.", suffix=".tmp", dir=path.absolute().parent)
        os.close(handle)
    except (OSError, ValueError) as error:
        raise UserError(f"{shown}: cannot make an index there ({_why(error)}): name another place") from None
    try:
        with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            schema.create(connection, __version__)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        _put(Path(beside), path)
    except OSError as error:
        raise UserError(f"{shown}: cannot make an index there ({_why(error)}): name another place") from None
    finally:
        for name in (beside, f"{beside}-wal", f"{beside}-shm", f"{beside}-journal"):
            with suppress(OSError):
                os.unlink(name)


def _put(beside: Path, path: Path) -> None:
    """Give a new file its name, but never that of an index which another process has made meanwhile."""
    if path.is_file() and not path.stat().st_size:
        os.replace(beside, path)
        return
    try:
        os.link(beside, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            os.replace(beside, path)


@contextmanager
def transaction(connection: sqlite3.Connection, tell: Tell | None = None) -> Iterator[None]:
    """All that is written within, or nothing; waits for another writer.

    tell: takes the message that it waits.
    """
    _begin(connection, tell)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # SQLite may have rolled back itself
                connection.execute("ROLLBACK")
        raise


def _begin(connection: sqlite3.Connection, tell: Tell | None) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(TELL_WAITING_SECONDS * 1000)}")
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) not in _IS_LOCKED:
            raise
        if tell is not None:
            tell("waiting for another process that writes to the index")
        connection.execute(f"PRAGMA busy_timeout = {int((WRITER_SECONDS - TELL_WAITING_SECONDS) * 1000)}")
        connection.execute("BEGIN IMMEDIATE")
