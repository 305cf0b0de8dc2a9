"""Files for programs that watch: all findings, written whole, and all occurrences, each appended once."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import BinaryIO

from detector import report_files
from detector.model import UserError
from detector.read.names import printable
from detector.report import scan_documents
from detector.scan import findings, occurring
from detector.settings.watching import MOST_LINE_BYTES

_BEGINNING = f'{{"schema": "{scan_documents.OCCURRENCE_SCHEMA}", '.encode()  # of every line


def write_findings(connection: sqlite3.Connection, file: Path) -> None:
    """Write every finding, one a line, in place of what the file had.

    Stable: equal findings give equal bytes, whatever order they were found in.
    Errors: Damaged; OSError.
    """
    lines = (scan_documents.dumps(scan_documents.finding(each)) for each in findings.findings(connection))
    report_files.write("".join(f"{line}\n" for line in lines), file)


def append_occurrences(connection: sqlite3.Connection, file: Path) -> int:
    """Append the occurrences that the file does not have, and tell how many these were.

    The file says itself how far it goes: what was cut off within a line is dropped and written again.
    Errors: UserError where it holds anything else; Damaged; OSError.
    """
    shown = printable(str(file))
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        with os.fdopen(handle, "r+b") as opened:
            return _append(connection, opened, shown)
    except OSError as error:
        raise UserError(f"{shown}: cannot be written: {error.strerror or 'no reason given'}; check the path") from None


def _append(connection: sqlite3.Connection, opened: BinaryIO, shown: str) -> int:
    line, end = _last_line(opened, shown)
    position = _position(connection, line, shown) if line else 0
    opened.seek(end)
    opened.truncate()  # a line that was cut off
    documents = [
        scan_documents.occurrence(each.occurrence, each.id, each.finding)
        for each in occurring.told(connection, position)
    ]
    for document in documents:
        opened.write(scan_documents.dumps(document).encode() + b"\n")
    opened.flush()
    os.fsync(opened.fileno())
    return len(documents)


def _last_line(opened: BinaryIO, shown: str) -> tuple[bytes, int]:
    """The last whole line, and where it ends.

    Errors: UserError where what follows it, or stands alone, is no beginning of a line that was cut off.
    """
    size = opened.seek(0, os.SEEK_END)
    begin = max(size - 2 * MOST_LINE_BYTES, 0)
    opened.seek(begin)
    tail = opened.read()
    end = tail.rfind(b"\n") + 1
    rest = tail[end:]
    if (not end and begin) or not (rest.startswith(_BEGINNING) or _BEGINNING.startswith(rest)):
        raise UserError(f"{shown}: not a file of occurrences: name another one, or move this one away")
    return tail[tail.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end], begin + end


def _position(connection: sqlite3.Connection, line: bytes, shown: str) -> int:
    """The number of the occurrence that a line tells."""
    try:
        document = json.loads(line)
        is_ours = document["schema"] == scan_documents.OCCURRENCE_SCHEMA
        sequence, name = document["sequence"], document["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        is_ours, sequence, name = False, 0, ""
    if not is_ours or type(sequence) is not int:
        raise UserError(f"{shown}: not a file of occurrences: name another one, or move this one away")
    store = occurring.store_name(connection)
    if name != f"{store}_{sequence}" or not 0 < sequence <= occurring.last(connection):
        raise UserError(f"{shown}: has occurrences that this store does not have: name another file, or move it away")
    return sequence
