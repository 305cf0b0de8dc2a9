"""The repository that this process stands in, as git's own hooks see it: read with plumbing commands alone.

No GitPython: a hook has no time for it. Nothing that the repository or the environment configures is run: see
`read/neutral.py`. What git tells its hooks is listened to, since it says which index is about to be committed and where
the objects of a push are that is not accepted yet.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from detector.model import UserError
from detector.read.git_process import GitProcess
from detector.read.limits import GIT_SILENCE_SECONDS, MAX_TREE_BYTES
from detector.read.names import printable
from detector.read.neutral import QUIET, READ_ONLY, SILENCED, SILENCED_READING, STEERING, TOLD_TO_HOOKS, given
from detector.targets import Head

T = TypeVar("T")

# Paths are names, not patterns.
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
# Patches spell their paths so that no name looks like a line of its own; pairing renames ends at so many files.
_SPELLED = {"core.quotePath": "true", "diff.renameLimit": "1000"}
_RELATIVE = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_SHALLOW_FILE")
_MOST_ARGUMENTS = 500  # paths of one command line
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Repository:
    """Where a repository is, and the environment that its git commands get."""

    root: str  # of the working tree; of a bare repository its own folder
    git_folder: str
    is_bare: bool
    is_shallow: bool
    environment: Mapping[str, str]

    def ask(self, *command: str, most_bytes: int = MAX_TREE_BYTES) -> bytes | None:
        """What a command answers; None where it fails.

        Errors: `UserError` when git is silent for too long or does not end.
        """
        status, output, _ = _run(self.root, self.environment, command, most_bytes)
        return output if status == 0 else None

    def commit(self, revision: str) -> str:
        """The full id of the commit that a revision names; "" if there is none here."""
        answer = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return answer.decode("ascii", "replace").strip() if answer else ""

    def lines(self, *command: str) -> list[str]:
        """The lines of an answer; none where the command fails."""
        answer = self.ask(*command)
        return answer.decode("utf-8", "surrogateescape").splitlines() if answer else []

    def blobs(self, names: Iterable[str], most_bytes: int) -> Iterator[Head | None]:
        """The beginnings of blobs, in their order; None for one that is not in this copy."""
        process = _start(self.root, self.environment, ("cat-file", "--batch"))
        try:
            for name in names:
                header = process.ask(name.encode("ascii")).split()
                if len(header) != 3 or header[1] != b"blob":
                    if len(header) == 2 and header[1] == b"missing":
                        yield None
                        continue
                    raise _refusal(process, "cat-file")
                size = int(header[2])
                data = process.read(min(size, most_bytes))
                left = size + 1 - len(data)  # a newline follows the whole
                while left:
                    piece = process.read(min(left, _PIECE_BYTES))
                    if not piece:
                        raise _refusal(process, "cat-file")
                    left -= len(piece)
                yield Head(data, size)
        finally:
            process.close()


def open_here(environment: Mapping[str, str], folder: str) -> Repository | None:
    """The repository that a folder is in; None if it is in none.

    Errors: `UserError` when git is missing, or cannot read the repository.
    """
    steered = {name: value for name, value in environment.items() if name not in STEERING or name in TOLD_TO_HOOKS}
    for name in _RELATIVE:
        if steered.get(name):
            steered[name] = os.path.join(folder, steered[name])
    steered |= QUIET | READ_ONLY | _LITERAL | given(SILENCED | SILENCED_READING | _SPELLED)
    asked = ("rev-parse", "--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir", "--show-toplevel")
    _, output, errors = _run(folder, steered, asked, _PIECE_BYTES)
    answers = output.decode("utf-8", "surrogateescape").split("\n", 3)
    if len(answers) < 4:
        if "not a git repository" in errors:
            return None
        raise UserError(f"git cannot read this repository ({_reason(errors)}): check it with git fsck")
    is_bare, is_shallow, git_folder, root = answers
    root = root.removesuffix("\n") or git_folder
    found = steered | {"GIT_DIR": git_folder}
    if is_bare != "true" and root != git_folder:
        found["GIT_WORK_TREE"] = root
    return Repository(root, git_folder, is_bare == "true", is_shallow == "true", found)


def in_parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Paths, or pairs of them, as many at a time as one command line may have."""
    for first in range(0, len(values), _MOST_ARGUMENTS):
        yield values[first : first + _MOST_ARGUMENTS]


def _run(folder: str, environment: Mapping[str, str], command: Sequence[str], most: int) -> tuple[int, bytes, str]:
    process = _start(folder, environment, command)
    try:
        output = process.read(most + 1)
        if len(output) > most:
            raise UserError(f"git {command[0]} answers without end: check the repository with git fsck")
        status, errors = process.finish()
        if process.has_timed_out:
            raise _refusal(process, command[0])
        return status, output, errors
    finally:
        process.close()


def _refusal(process: GitProcess, command: str) -> UserError:
    why = "does not answer" if process.has_timed_out else "cannot read its objects"
    return UserError(f"git {command} {why}: check the repository with git fsck")


def _reason(errors: str) -> str:
    return printable(errors.splitlines()[-1]) if errors else "it says no more"


def _start(folder: str, environment: Mapping[str, str], command: Sequence[str]) -> GitProcess:
    try:
        process = subprocess.Popen(
            ["git", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**environment, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise UserError("git is not installed: install it, or name files outside of a repository") from None
    return GitProcess(process, GIT_SILENCE_SECONDS)
