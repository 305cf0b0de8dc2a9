"""Folders and single files, as they are on disk."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from detector.model import Skipped, UserError
from detector.read.hub_cache import Snapshot, snapshot_of
from detector.read.listing import SHEBANG_BYTES, CannotRead, Found, Listing
from detector.read.names import has_python_shebang, is_other_name, is_python_name, may_be_script
from detector.targets import Head, Repo

# By name alone only what is never a package of the project; an environment called anything else betrays itself.
_LEFT_OUT = {
    ".git": "git's own data",
    ".hg": "Mercurial's own data",
    ".svn": "Subversion's own data",
    "__pycache__": "compiled files",
    ".ipynb_checkpoints": "copies that an editor keeps",
    ".eggs": "installed packages",
    ".nox": "installed packages",
    ".tox": "installed packages",
    ".venv": "installed packages",
    "dist-packages": "installed packages",
    "node_modules": "installed packages",
    "site-packages": "installed packages",
}
# Never source, and there or not as the tools have run: not worth a line in a report.
_CACHES = frozenset({".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
# Files of models, which a download cache lays out as links: that they were not read must not go unsaid.
_MODEL_SUFFIXES = (".gguf", ".json", ".model", ".safetensors", ".tiktoken")
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")

# A named pipe must not keep us waiting, a link must not lead us elsewhere between the listing and the reading.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)
)


def read(target: str, root: Path) -> Repo:
    """Read a folder as it is; one in a hub's cache is called like its model."""
    snapshot = snapshot_of(os.path.realpath(root))
    name, revision = (snapshot.name, snapshot.revision) if snapshot else (name_of(root), "")
    return Repo(target, name, revision, listing(root))


def read_file(target: str, path: Path) -> Repo:
    """Read one file as a target of its own."""
    only = os.path.realpath(path)  # a link that the user names is the user's wish
    return Repo(target, path.name, "", Listing([Found(path.name, only)], fetch, fetch_part))


def listing(root: Path) -> Listing[str]:
    """Walk a folder; contents are read later.

    Errors: a folder that cannot be opened at all is the user's to mend; one further down is skipped.
    """
    top = os.path.realpath(root)
    try:
        os.scandir(top).close()
    except OSError as error:
        raise UserError(f"{root}: cannot open this folder ({_why(error)}): check its permissions") from None
    return Listing(_walk(top, snapshot_of(top)), fetch, fetch_part)


def name_of(root: Path) -> str:
    """Name a folder by its last part, as it was given: a link by its own name, `.` by what it stands for."""
    return Path(os.path.abspath(root)).name or str(root)


def is_script(path: Path) -> bool:
    """Tell whether a file without a suffix says itself that it is Python."""
    try:
        return has_python_shebang(fetch(os.path.realpath(path), SHEBANG_BYTES).data)
    except CannotRead:
        return False


def _walk(top: str, snapshot: Snapshot | None) -> Iterator[Found[str] | Skipped]:
    """Yield what a folder holds: path below top and path on disk. A loop, not recursion: folders can be deep."""
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            entries = list(os.scandir(os.path.join(top, below)))
        except OSError as error:
            yield Skipped(below.rstrip("/"), f"cannot open this folder: {_why(error)}")
            continue
        if below and any(entry.name in _ENVIRONMENT_MARKS for entry in entries):
            yield Skipped(below.rstrip("/"), "an environment with installed packages")
            continue
        for entry in entries:
            path = below + entry.name
            if entry.is_symlink():
                blob = snapshot.file_behind(entry.path) if snapshot else ""
                yield from [Found(path, blob)] if blob else _link(top, path, entry)
            elif not entry.is_dir(follow_symlinks=False):
                yield from _file(path, entry)
            elif entry.name in _LEFT_OUT:
                yield Skipped(path, _LEFT_OUT[entry.name])
            elif entry.name not in _CACHES:
                pending.append(path + "/")


def _file(path: str, entry: os.DirEntry[str]) -> Iterator[Found[str] | Skipped]:
    if is_python_name(path):
        if entry.is_file(follow_symlinks=False):
            yield Found(path, entry.path)
        else:
            yield Skipped(path, "not a regular file")
    elif is_other_name(path) and not entry.is_file(follow_symlinks=False):
        yield Found(path, entry.path)  # a named pipe: said by whoever would read it
    elif is_other_name(path):
        try:
            mode = entry.stat(follow_symlinks=False).st_mode if "." not in entry.name else 0
        except OSError:
            return  # gone again, and never known to be Python
        yield Found(path, entry.path, may_be_script(path, mode))


def _link(top: str, path: str, entry: os.DirEntry[str]) -> Iterator[Skipped]:
    """Report a link that stands for Python, for a model's files or for a folder: it is not followed."""
    try:
        leads_to_folder = entry.is_dir()
    except OSError:  # a loop of links
        leads_to_folder = False
    if not leads_to_folder and not (is_python_name(path) or path.lower().endswith(_MODEL_SUFFIXES)):
        return
    real = os.path.realpath(entry.path)
    if not os.path.exists(real):
        yield Skipped(path, "a symbolic link to nothing")
    elif os.path.commonpath([top, real]) == top:
        yield Skipped(path, "a symbolic link: what it leads to is read where it is")
    else:
        yield Skipped(path, "a symbolic link out of the folder")


def fetch(path: str, most_bytes: int) -> Head:
    """The beginning of a file on disk, by its real path."""
    with _opened(path) as file:
        try:
            data = file.read(most_bytes)
            size = os.fstat(file.fileno()).st_size  # it may have grown since
        except OSError as error:
            raise CannotRead(_why(error)) from None
    return Head(data, max(size, len(data)))


def fetch_part(path: str, begin: int, size: int) -> bytes:
    """Bytes from anywhere in it."""
    with _opened(path) as file:
        try:
            file.seek(begin)
            return file.read(size)
        except OSError as error:
            raise CannotRead(_why(error)) from None


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Open a regular file, and nothing else."""
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        raise CannotRead("a symbolic link" if error.errno == errno.ELOOP else _why(error)) from None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CannotRead("not a regular file")
        yield file


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
