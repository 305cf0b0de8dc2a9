"""The door to git: GitPython runs it, and a repository's object database is read through it.

Nothing is checked out. Three plumbing commands read: `rev-parse`, `ls-tree` and `cat-file --batch`. They know no hooks,
filters, pagers or transports, and what a hostile repository's configuration could still attach to them (fetching a
missing object, most of all) is overridden. git itself reads the objects, not gitdb: it is several times faster,
survives cyclic and oversized deltas, and reads every object format.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from detector.model import Skipped, UserError
from detector.read.git_process import GitProcess
from detector.read.limits import GIT_SILENCE_SECONDS, MAX_TREE_BYTES, MAX_TREE_PATH_BYTES
from detector.read.listing import CannotRead, Found
from detector.read.names import is_other_name, is_python_name, may_be_script, printable
from detector.read.neutral import QUIET, READ_ONLY, SILENCED, SILENCED_READING, STEERING, given
from detector.read.spool import PIECE_BYTES, Stream
from detector.targets import Head

if TYPE_CHECKING:
    import git

SYMLINK, SUBMODULE = 0o120000, 0o160000
ABSENT = "not in this copy of the repository"
SILENT = "git does not answer"
_CHUNK_BYTES = 1 << 16


class Blob(NamedTuple):
    """One entry of a tree: a file, a link or a submodule."""

    path: str
    mode: int
    id: str


class Database:
    """The objects of one repository; its processes end with `cleanup`."""

    def __init__(self, target: str, git_folder: Path, cleanup: ExitStack) -> None:
        self._target = target
        where = os.path.realpath(git_folder)
        self._git = neutral_git(os.path.dirname(where), READ_ONLY | {"GIT_DIR": where}, SILENCED_READING)
        self._cat_file: GitProcess | None = None
        self._has_given_up = False
        cleanup.callback(self._end)
        status, _, errors = self._run("rev-parse", "--is-bare-repository")
        if status != 0:
            reason = errors.splitlines()[-1] if errors else f"git ended with status {status}"
            raise UserError(f"{target}: git cannot read this repository ({printable(reason)}): check it with git fsck")

    def commit(self, revision: str) -> str:
        """The full id of the commit that a revision names; empty if there is none."""
        status, output, _ = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return output.decode("ascii", "replace").split()[-1] if status == 0 and output.strip() else ""

    def tree(self, commit: str) -> Iterator[Blob]:
        """Everything in a commit's tree.

        Errors: a few small trees that name each other often enough list without end; that is not waited for.
        """
        process = self._start("ls-tree", "-r", "-z", "--full-tree", commit)
        try:
            for line in self._records(process):
                about, _, path = line.partition(b"\t")
                mode, _, blob = about.decode("ascii").split(" ")
                yield Blob(path.decode("utf-8", "surrogateescape"), int(mode, 8), blob)
            status, errors = process.finish()
        finally:
            process.close()
        if status != 0:
            reason = printable(errors.splitlines()[-1]) if errors else "it does not answer"
            raise UserError(f"{self._target}: git cannot list {commit} ({reason}): check it with git fsck")

    def files_of(self, commit: str) -> Iterator[Found[str] | Skipped]:
        """The files of a commit that are read, and their blob ids."""
        for path, mode, blob in self.tree(commit):
            if mode == SUBMODULE:
                yield Skipped(path, "submodule")
            elif mode == SYMLINK:
                if is_python_name(path):
                    yield Skipped(path, "a symbolic link")
            elif is_python_name(path) or is_other_name(path) or may_be_script(path, mode):
                yield Found(path, blob, may_be_script(path, mode))

    def blob(self, blob: str, most_bytes: int) -> Head:
        """The beginning of one blob."""
        return self.object(blob, b"blob", most_bytes)

    def object(self, name: str, kind: bytes, most_bytes: int) -> Head:
        """The beginning of one object. Any trouble ends the process, as does a longer one: the next gets a new one."""
        process, size = self._asked(name, kind)
        wanted = min(size, most_bytes)
        data = process.read(wanted + (wanted == size))  # a newline follows the whole
        if len(data) != wanted + (wanted == size):
            raise CannotRead(self._end())
        if wanted < size:
            self._end()
        return Head(data[:wanted], size)

    def stream(self, blob: str) -> Stream:
        """One blob from front to back; another one may be asked for when all of it was read."""
        return Stream(self.object(blob, b"blob", 0).size_bytes, self._pieces(blob))

    def _pieces(self, blob: str) -> Iterator[bytes]:
        process, size = self._asked(blob, b"blob")
        left = size + 1  # a newline follows the whole
        try:
            while left:
                piece = process.read(min(left, PIECE_BYTES))
                if not piece:
                    raise CannotRead(self._end())
                left -= len(piece)
                yield piece if left else piece[:-1]
        finally:
            if left:
                self._end()

    def _asked(self, name: str, kind: bytes) -> tuple[GitProcess, int]:
        """Ask for an object: the process that writes it next, and how long it is."""
        if self._has_given_up:
            raise CannotRead(SILENT)
        process = self._cat_file = self._cat_file or self._start("cat-file", "--batch")
        header = process.ask(name.encode("ascii")).split()
        if len(header) == 2 and header[1] == b"missing":
            raise CannotRead(ABSENT)
        if len(header) != 3 or header[1] != kind:
            raise CannotRead(self._end())
        return process, int(header[2])

    @property
    def has_given_up(self) -> bool:
        """Whether git was silent for too long: nothing more is asked of it."""
        return self._has_given_up

    def _end(self) -> str:
        process, self._cat_file = self._cat_file, None
        if process is not None:
            self._has_given_up = process.has_timed_out
            process.close()
        return SILENT if self._has_given_up else "git cannot read this object"

    def _records(self, process: GitProcess) -> Iterator[bytes]:
        listed_bytes, rest = 0, b""
        while chunk := process.read(_CHUNK_BYTES):
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole
            listed_bytes += len(chunk)
            if listed_bytes > MAX_TREE_BYTES or len(rest) > MAX_TREE_PATH_BYTES:
                raise UserError(f"{self._target}: its tree lists without end: name a folder or an archive instead")

    def _start(self, *command: str) -> GitProcess:
        return start(self._git, GIT_SILENCE_SECONDS, *command)

    def _run(self, *command: str) -> tuple[int, bytes, str]:
        return run(self._git, GIT_SILENCE_SECONDS, *command)


def neutral_git(folder_: str | Path, environment: dict[str, str], settings: dict[str, str]) -> git.Git:
    """Make a git that listens to nobody but us: not to the repository's configuration, not to the environment's."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a missing git is our one clear line, not an import error
    import git

    program = git.Git(folder_)
    program.update_environment(**QUIET, **environment, **given(SILENCED | settings))
    return program


def start(program: git.Git, silence_seconds: float, *command: str) -> GitProcess:
    """Start a git command that is talked to."""
    import git

    try:
        with _unsteered():
            running = program.execute(
                [str(program.GIT_PYTHON_GIT_EXECUTABLE), *command], istream=subprocess.PIPE, as_process=True
            )
    except git.GitCommandNotFound:
        raise UserError("git is not installed: install it, or name a folder or an archive") from None
    process, running.proc = running.proc, None  # it would end the process when it is forgotten
    if process is None:
        raise ValueError("GitPython started no process")
    return GitProcess(process, silence_seconds)


def run(program: git.Git, silence_seconds: float, *command: str) -> tuple[int, bytes, str]:
    """Run a git command to its end: exit status, the beginning of its output, what it complained about last."""
    process = start(program, silence_seconds, *command)
    try:
        output = process.read(_CHUNK_BYTES)
        status, errors = process.finish()
    finally:
        process.close()
    return status, output, errors


@contextmanager
def _unsteered() -> Iterator[None]:
    """Hide the variables that GitPython would hand on, while a process is started."""
    hidden = {name: os.environ.pop(name) for name in STEERING if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
