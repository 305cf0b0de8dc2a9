"""A folder that is written whole or not at all, and nothing outside of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from detector.model import UserError
from detector.read.names import inside


def check_new_folder(folder: Path, option: str = "--output") -> None:
    """Find out before the work whether a folder can be made.

    Errors: UserError where there is anything but an empty folder, or no folder to make it in.
    """
    parent = folder.absolute().parent
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{option} {folder}: is no folder; name one that does not exist yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{option} {folder}: is not empty, and nothing is overwritten; name a new folder")
    if not parent.is_dir():
        raise UserError(f"{option} {folder}: there is no folder {parent}; create it first")
    if not os.access(parent, os.W_OK):
        raise UserError(f"{option} {folder}: not allowed to write in {parent}; name another place")


def check_room(folder: Path, size: int, option: str) -> None:
    """Find out before the work whether there is room for so many bytes where a folder is to be."""
    free = shutil.disk_usage(folder.absolute().parent).free
    if size > free:
        raise UserError(f"{option} {folder}: needs {size:,} bytes, and {free:,} are free there; name another place")


@contextmanager
def new_folder(folder: Path, option: str = "--output") -> Iterator[Path]:
    """Make a folder beside it that is put in its place at the end, and is gone if there is any trouble."""
    folder = folder.absolute()
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name[:64]}.", suffix=".tmp", dir=folder.parent))
    try:
        yield beside
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o777 & ~mask)
        if folder.exists():
            folder.rmdir()  # refuses where something has been put in since
        os.rename(beside, folder)
    except OSError as error:
        raise UserError(f"{option} {folder}: cannot write it: {error.strerror or type(error).__name__}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_folder(files: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write files by their relative paths beside the folder, and put them in place when all are there.

    Errors: UserError for a path that leads out of the folder, or that this system cannot have.
    """
    with new_folder(folder) as beside:
        for path, data in files:
            _write_file(beside, path, data)


def _write_file(folder: Path, path: str, data: bytes) -> None:
    if inside(path) != path:
        raise UserError(f"{path}: a path that would lead out of the folder; nothing is written")
    place = folder / path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:  # what exists is never written to, nor through
            file.write(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{path}: cannot write it: {reason}") from None
