"""Read anything a user can name: a folder, a file, an archive, a git repository, a published package, a model on a hub.

Each kind has its file, and each file its `read`; nothing that is read is ever imported, unpacked or executed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from detector.model import UserError
from detector.read.names import printable
from detector.targets import Repo

# The kinds of target are imported where one is opened: a hook reads changes, and none of them.

__all__ = ["open_target"]

_KINDS = (
    "a folder, a .py file, a checkpoint (.safetensors, its .index.json, .gguf), a log of predictions "
    "(.jsonl, .csv, .tsv, .parquet), a wheel, zip or tar archive, a git address, pypi:NAME==VERSION, "
    "hf:ORG/MODEL, or ms:ORG/MODEL"
)


@contextmanager
def open_target(target: str) -> Iterator[Repo]:
    """Open what the user has named; whatever that takes (processes, temporary files) is gone at the end.

    Ties:   a path that exists wins over `path@revision`, and over a git address.
    Errors: `UserError` for anything that cannot be opened; single files that cannot be read are `Skipped`.
    """
    with ExitStack() as cleanup:
        yield _open(target, cleanup)


def _open(target: str, cleanup: ExitStack) -> Repo:
    from detector.read import hub, modelscope, pypi, repository
    from detector.read.fetch import is_url

    if target.startswith("pypi:"):
        return pypi.read(target, cleanup)
    if target.startswith("hf:"):
        return hub.read(target, cleanup)
    if target.startswith("ms:"):
        return modelscope.read(target, cleanup)
    if not target or "\0" in target:
        raise UserError(f"{printable(target)!r} names nothing: name {_KINDS}")
    if os.path.lexists(target):
        return _open_path(target, Path(target), cleanup)
    if is_url(target):
        return repository.read_url(target, cleanup)
    for path, revision in _splits(target):
        if path.is_dir() and revision:
            return repository.read_revision(target, path, revision, cleanup)
        if os.path.lexists(path):
            raise UserError(f"{target}: {path} is a file and has no revision: name it without the @")
    raise UserError(f"{target}: there is no such file or folder: name {_KINDS}")


def _open_path(target: str, path: Path, cleanup: ExitStack) -> Repo:
    from detector.read import archive, folder, repository, single

    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            if (path / ".git").exists():
                return repository.read_working_tree(target, path, cleanup)
            is_bare = repository.git_folder_of(path) is not None
            return repository.read_revision(target, path, "", cleanup) if is_bare else folder.read(target, path)
        if not stat.S_ISREG(mode):
            raise UserError(f"{target}: neither a regular file nor a folder: name {_KINDS}")
        if single.is_single(path):
            return single.read(target, path)
        if archive.is_archive(path):
            return archive.read(target, path, cleanup)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UserError(f"{target}: cannot open it ({reason}): check the path and its permissions") from None
    raise UserError(f"{target}: not a kind of file that is read: name {_KINDS}")


def _splits(target: str) -> Iterator[tuple[Path, str]]:
    """Every way to read `path@revision`, the longest path first: both sides may hold an @."""
    end = len(target)
    while (end := target.rfind("@", 0, end)) > 0:
        yield Path(target[:end]), target[end + 1 :]
