"""Files of reports: written whole or not at all, and read within bounds."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from detector.model import UserError

STANDARD_INPUT = "-"
# Of a report that is read back: every candidate pair of two packages of a thousand functions takes 12 MB. The objects
# take five to ten times as much memory as the text.
MAX_BYTES = 256 * 1024 * 1024


def read(source: str, what: str = "a report that --format json has written") -> str:
    """Read the text of a report, or of what else is written beside it, from a file, or from `-`, standard input.

    Errors: UserError when there is no such file, when it is too large, or when it is no text.
    """
    shown = named(source)
    try:
        data = _read_bytes(source)
    except (OSError, ValueError) as error:  # ValueError: no path can be called like this
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{shown}: cannot be read: {reason}; check the path") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{shown}: is larger than {MAX_BYTES >> 20} MB; give {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{shown}: is no text in UTF-8; give {what}") from None


def named(source: str) -> str:
    """How a source is called in a message."""
    return "standard input" if source == STANDARD_INPUT else source


def _read_bytes(source: str) -> bytes:
    if source == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin else b""  # None: closed by who started us
    with open(source, "rb") as file:
        return file.read(MAX_BYTES + 1)


def check_writable(output: Path, option: str = "--output") -> None:
    """Find out before the work, not after it."""
    folder = output.absolute().parent
    if output.is_dir():
        raise UserError(f"{option} {output}: is a folder; name a file in it")
    if not folder.is_dir():
        raise UserError(f"{option} {output}: there is no folder {folder}; create it first")
    if not os.access(output if output.exists() else folder, os.W_OK):
        raise UserError(f"{option} {output}: not allowed to write there; name another file")


def write(text: str, output: Path) -> None:
    """Put the whole text in place, or leave everything as it was: write beside the file, then rename."""
    data = text.encode("utf-8", "backslashreplace")
    if output.exists() and not output.is_file():  # a device or a pipe: nothing to replace
        output.write_bytes(data)
        return
    output = output.resolve()  # a link stays a link
    mode = output.stat().st_mode & 0o7777 if output.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{output.name[:64]}.", suffix=".tmp", dir=output.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, mode)
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
