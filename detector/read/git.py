"""Git repositories: one revision's blobs straight from the object database, or the working tree with its revision.

Nothing is checked out. Three plumbing commands are run through GitPython: `rev-parse`, `ls-tree` and
`cat-file --batch`. They know no hooks, filters, pagers or transports, and what a hostile repository's configuration
could still attach to them (fetching a missing object, most of all) is overridden. git itself reads the objects, not
gitdb: it is several times faster, survives cyclic and oversized deltas, and reads every object format.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from detector.model import Repo, Skipped, UserError
from detector.read import folder
from detector.read.git_process import GitProcess
from detector.read.limits import (
    FETCH_SECONDS,
    GIT_MEMORY,
    GIT_SILENCE_SECONDS,
    MAX_FILE_BYTES,
    MAX_TREE_ENTRIES,
)
from detector.read.listing import TOO_LARGE, CannotRead, Listing
from detector.read.names import is_python_name, may_be_script, printable

if TYPE_CHECKING:
    import git

_SYMLINK, _SUBMODULE = 0o120000, 0o160000
_CHUNK_BYTES = 1 << 16
# Variables by which git would read another repository than the one named; a hook's environment is full of them.
_STEERING = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat"}
# Nothing is fetched while objects are read, and a commit id means its own content, not a replacement.
_READ_ONLY = {
    "GIT_ALLOC_LIMIT": GIT_MEMORY,
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
# Settings by which a repository names programs, silenced: given on the command line they outrank its own.
_SILENCED = {
    "core.alternateRefsCommand": "",
    "core.fsmonitor": "false",
    "core.gitProxy": "",
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
}
_SILENCED_READING = {"core.sshCommand": "", "protocol.allow": "never", "safe.directory": "*"}

_SCP_LIKE = re.compile(r"(?:[\w.+-]+@)?[\w.-]+:(?!//|\\)(?P<path>[^:]+)")
_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://", "git+ssh://", "git+https://")
_FETCHABLE = re.compile(r"[A-Za-z0-9_][\w./=#@+-]*", re.ASCII)
_UNKNOWN_REVISION = re.compile(r"remote ref|not our ref|unadvertised|shallow|invalid refspec|bad object", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class _Blob(NamedTuple):
    path: str
    mode: int
    id: str


def is_url(target: str) -> bool:
    """Tell whether a target is the address of a git repository."""
    return target.startswith(_SCHEMES) or "::" in target or _SCP_LIKE.fullmatch(target) is not None


def git_folder_of(path: Path) -> Path | None:
    """Find the git folder of a working tree's root or a bare repository; None for any other folder."""
    if (path / ".git").exists():
        return path / ".git"
    is_bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    return path if is_bare else None


def read_working_tree(target: str, root: Path, cleanup: ExitStack) -> Repo:
    """Read the working tree as a folder; its revision is that of HEAD, with `+changes` where the Python differs."""
    files = folder.listing(root)
    try:
        database = _Database(target, root / ".git", cleanup)
        commit = database.commit("HEAD")
        changes = "+changes" if commit and _differs(database, commit, root, files) else ""
    except UserError:  # the files can be read all the same
        return Repo(target, folder.name_of(root), "", files)
    return Repo(target, folder.name_of(root), commit + changes, files)


def read_revision(target: str, path: Path, revision: str, cleanup: ExitStack) -> Repo:
    """Read one revision of a local repository; HEAD if none is named."""
    git_folder = git_folder_of(path)
    if git_folder is None:
        raise UserError(f"{target}: {path} is not the root of a git repository: name its root, or no revision")
    name = folder.name_of(path.parent if path.name == ".git" else path).removesuffix(".git")
    database = _Database(target, git_folder, cleanup)
    return _at_commit(target, name, revision, database.commit(revision or "HEAD"), database)


def read_url(target: str, cleanup: ExitStack) -> Repo:
    """Read a repository by its address, as little of it as the server lets us fetch.

    `file://` is read where it is: that runs less than asking git to serve a repository which may be hostile.
    """
    shown = _CREDENTIALS.sub("", target)  # a report must not spread passwords
    url, revision = _split(target)
    if "::" in url or not (url.startswith(_SCHEMES) or _SCP_LIKE.fullmatch(url)):
        raise UserError(f"{shown}: not an address that is fetched: use https://, ssh:// or file://")
    if url.startswith("file://"):
        return read_revision(shown, Path(unquote(urlsplit(url).path)), revision, cleanup)
    _check_revision(shown, revision)
    git_folder, commit_name = _fetch(shown, url, revision, cleanup)
    database = _Database(shown, git_folder, cleanup)
    name = url.rstrip("/").removesuffix(".git").replace(":", "/").rpartition("/")[2]
    return _at_commit(shown, name, revision, database.commit(commit_name), database)


def _at_commit(target: str, name: str, revision: str, commit: str, database: _Database) -> Repo:
    if not commit and revision:
        raise UserError(f"{target}: there is no revision {printable(revision)!r}: name a branch, a tag or a commit")
    if not commit:
        raise UserError(f"{target}: this repository has no commit at its HEAD: name a branch or a tag after an @")
    return Repo(target, name, commit, Listing(database.python_of(commit), database.blob))


def _check_revision(target: str, revision: str) -> None:
    if revision.startswith("-") or not printable(revision) == revision:
        raise UserError(f"{target}: there is no revision {printable(revision)!r}: name a branch, a tag or a commit")


class _Database:
    """The objects of one repository; its processes end with `cleanup`."""

    def __init__(self, target: str, git_folder: Path, cleanup: ExitStack) -> None:
        self._target = target
        self._cleanup = cleanup
        where = os.path.realpath(git_folder)
        self._git = _git(os.path.dirname(where), _READ_ONLY | {"GIT_DIR": where}, _SILENCED_READING)
        self._cat_file: GitProcess | None = None
        self._has_given_up = False
        cleanup.callback(self._end)
        status, _, errors = self._run("rev-parse", "--is-bare-repository")
        if status != 0:
            reason = errors.splitlines()[-1] if errors else f"git ended with status {status}"
            raise UserError(f"{target}: git cannot read this repository ({printable(reason)}): check it with git fsck")

    def commit(self, revision: str) -> str:
        """The full id of the commit that a revision names; empty if there is none."""
        _check_revision(self._target, revision)
        status, output, _ = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return output.decode("ascii", "replace").split()[-1] if status == 0 and output.strip() else ""

    def tree(self, commit: str) -> Iterator[_Blob]:
        """Everything in a commit's tree, as it is listed: a tree can be made to list without end."""
        process = self._start("ls-tree", "-r", "-z", "--full-tree", commit)
        try:
            for line in _records(process):
                about, _, path = line.partition(b"\t")
                mode, _, blob = about.decode("ascii").split(" ")
                yield _Blob(path.decode("utf-8", "surrogateescape"), int(mode, 8), blob)
            status, errors = process.finish()
            if status != 0:
                raise UserError(f"{self._target}: git cannot list {commit} ({printable(errors)}): check it with git fsck")
        finally:
            process.close()

    def python_of(self, commit: str) -> Iterator[tuple[str, str] | Skipped]:
        """The Python files of a commit: path and blob id."""
        for number, (path, mode, blob) in enumerate(self.tree(commit)):
            if number >= MAX_TREE_ENTRIES:
                yield Skipped(path, f"more than {MAX_TREE_ENTRIES:,} files: the rest is not read")
                return
            if mode == _SUBMODULE:
                yield Skipped(path, "submodule")
            elif mode == _SYMLINK:
                if is_python_name(path):
                    yield Skipped(path, "a symbolic link")
            elif is_python_name(path) or may_be_script(path, mode):
                yield path, blob

    def blob(self, blob: str) -> bytes:
        """The bytes of one blob. Any trouble ends the process: the next blob gets a new one."""
        if self._has_given_up:
            raise CannotRead("git does not answer")
        if self._cat_file is None:
            self._cat_file = self._start("cat-file", "--batch")
        header = self._cat_file.ask(blob.encode("ascii")).split()
        if len(header) == 2 and header[1] == b"missing":
            raise CannotRead("not in this copy of the repository")
        if len(header) != 3 or header[1] != b"blob":
            raise CannotRead(self._end())
        size = int(header[2])
        if size > MAX_FILE_BYTES:
            self._end()
            raise CannotRead(TOO_LARGE)
        data = self._cat_file.read(size + 1)  # a newline follows
        if len(data) != size + 1:
            raise CannotRead(self._end())
        return data[:-1]

    def _end(self) -> str:
        process, self._cat_file = self._cat_file, None
        if process is not None:
            self._has_given_up = process.has_timed_out
            process.close()
        return "git does not answer" if self._has_given_up else "git cannot read this object"

    def _start(self, *command: str) -> GitProcess:
        return GitProcess(_start(self._git, *command), GIT_SILENCE_SECONDS)

    def _run(self, *command: str) -> tuple[int, bytes, str]:
        process = self._start(*command)
        try:
            output = process.read(_CHUNK_BYTES)
            return (*_swap(output, process.finish()),)
        finally:
            process.close()
