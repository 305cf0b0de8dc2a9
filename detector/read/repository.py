"""Git targets: a repository's working tree, or one revision of it, here or elsewhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote, urlsplit

from detector.model import UserError
from detector.read import folder
from detector.read.commits import GitHistory
from detector.read.fetch import check_url, fetch, fetch_history, split, without_credentials
from detector.read.git import SUBMODULE, SYMLINK, Database
from detector.read.listing import Listing
from detector.read.names import is_python_name, may_be_script, printable
from detector.read.spool import Unpacked
from detector.targets import Repo


def git_folder_of(path: Path) -> Path | None:
    """Find the git folder of a working tree's root or a bare repository; None for any other folder."""
    if (path / ".git").exists():
        return path / ".git"
    is_bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    return path if is_bare else None


def read_working_tree(target: str, root: Path, cleanup: ExitStack) -> Repo:
    """Read the working tree as a folder; its revision is that of HEAD, with `+changes` where the Python differs."""
    files = folder.listing(root)
    history = None
    try:
        database = Database(target, root / ".git", cleanup)
        commit = database.commit("HEAD")
        history = GitHistory(database, commit) if commit else None
        changes = "+changes" if commit and _differs(database, commit, root, files) else ""
    except UserError:  # the files can be read all the same
        return Repo(target, folder.name_of(root), "", files, history)
    return Repo(target, folder.name_of(root), commit + changes, files, history)


def read_revision(target: str, path: Path, revision: str, cleanup: ExitStack) -> Repo:
    """Read one revision of a local repository; HEAD if none is named."""
    git_folder = git_folder_of(path)
    if git_folder is None:
        raise UserError(f"{target}: {path} is not the root of a git repository: name its root, or no revision")
    _check_revision(target, revision)
    name = folder.name_of(path.parent if path.name == ".git" else path).removesuffix(".git")
    database = Database(target, git_folder, cleanup)
    return _at_commit(target, name, revision, database.commit(revision or "HEAD"), database, cleanup)


def read_url(target: str, cleanup: ExitStack) -> Repo:
    """Read a repository by its address, as little of it as the server lets us fetch.

    `file://` is read where it is: that runs less than asking git to serve a repository which may be hostile.
    """
    shown = without_credentials(target)  # a report must not spread passwords
    url, revision = split(target)
    check_url(shown, url)
    if url.startswith("file://"):
        return read_revision(shown, Path(unquote(urlsplit(url).path)), revision, cleanup)
    _check_revision(shown, revision)
    git_folder, commit_name = fetch(shown, url, revision, cleanup)

    def bring() -> str:
        return fetch_history(git_folder, url, revision)

    database = Database(shown, git_folder, cleanup)
    name = url.rstrip("/").removesuffix(".git").replace(":", "/").rpartition("/")[2]
    return _at_commit(shown, name, revision, database.commit(commit_name), database, cleanup, bring)


def _at_commit(
    target: str,
    name: str,
    revision: str,
    commit: str,
    database: Database,
    cleanup: ExitStack,
    bring: Callable[[], str] | None = None,
) -> Repo:
    if not commit and revision:
        raise UserError(f"{target}: there is no revision {printable(revision)!r}: name a branch, a tag or a commit")
    if not commit:
        raise UserError(f"{target}: this repository has no commit at its HEAD: name a branch or a tag after an @")
    files = Listing(database.files_of(commit), database.blob, Unpacked(cleanup, database.stream).part)
    return Repo(target, name, commit, files, GitHistory(database, commit, bring))


def _check_revision(target: str, revision: str) -> None:
    if revision.startswith("-") or printable(revision) != revision:
        raise UserError(f"{target}: there is no revision {printable(revision)!r}: name a branch, a tag or a commit")


def _differs(database: Database, commit: str, root: Path, files: Listing[str]) -> bool:
    """Tell whether the Python on disk is other than the commit's.

    `git status` would run the filters that the repository configures; hashing what is read runs nothing, and answers
    for exactly the files that are compared. Line endings are not a change: git converts them on checkout.
    """
    submodules: list[str] = []
    recorded: dict[str, str] = {}
    for path, mode, blob in database.tree(commit):
        if mode == SUBMODULE:
            submodules.append(printable(path) + "/")
        elif mode != SYMLINK and (is_python_name(path) or may_be_script(path, mode)):
            recorded[printable(path)] = blob
            if is_python_name(path) and not os.path.lexists(root / path):
                return True
    for path in files.paths():
        if path.startswith(tuple(submodules)):
            continue
        if path not in recorded:
            return True
        try:
            data = files.read(path)
        except UserError:
            continue  # reported as skipped when the files are read
        if not (_is_blob(data, recorded[path]) or _is_blob(data.replace(b"\r\n", b"\n"), recorded[path])):
            return True
    return False


def _is_blob(data: bytes, blob: str) -> bool:
    algorithm = hashlib.sha1 if len(blob) == 40 else hashlib.sha256
    return algorithm(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == blob
