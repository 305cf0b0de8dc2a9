"""Repositories that are elsewhere: fetch one revision of one, and no more of it than is read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from detector.model import UserError
from detector.read.git import Database, neutral_git, run
from detector.read.limits import FETCH_SECONDS, HEAD_SECONDS, MAX_FILE_BYTES
from detector.read.names import printable

# `user@host:path`; without a user only with a `.git` at the end, or a mistyped `pypi:` would be a host.
_SCP_LIKE = re.compile(r"[\w.+-]+@[\w.-]+:(?!//)[^:]+|[\w.-]{2,}:(?!//)[^:@]+\.git(?:@[^:]+)?")
_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://")
_FETCHABLE = re.compile(r"[A-Za-z0-9_][\w./=#@+-]*", re.ASCII)
_UNKNOWN_REVISION = re.compile(r"remote ref|not our ref|unadvertised|shallow|invalid refspec|bad object", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def is_url(target: str) -> bool:
    """Tell whether a target is the address of a git repository; also one by which git would run a command."""
    return "://" in target or "::" in target or _SCP_LIKE.fullmatch(target) is not None


def check_url(target: str, url: str) -> None:
    """Refuse every address but those of git's own transports."""
    if "::" in url or not (url.startswith(_SCHEMES) or _SCP_LIKE.fullmatch(url)):
        raise UserError(f"{target}: not an address that is fetched: use https://, ssh:// or file://")


def without_credentials(text: str) -> str:
    """Leave names and passwords out of addresses: a report must not spread them."""
    return _CREDENTIALS.sub("", text)


def split(target: str) -> tuple[str, str]:
    """Split an address from the `@revision` behind it; an `@` before the path belongs to the address."""
    start = target.find("/", target.find("://") + 3) if "://" in target else target.find(":")
    if start < 0:
        return target, ""
    path, separator, revision = target[start:].rpartition("@")
    return (target[:start] + path, revision) if separator else (target, "")


def fetch(target: str, url: str, revision: str, cleanup: ExitStack) -> tuple[Path, str]:
    """Fetch one revision into a bare repository that is removed afterwards; return it and what to call the revision.

    One commit without its history, and no file that is too large to be read, if the server can do that. A shortened
    commit id or an expression like `v1~3` needs the history.
    """
    place = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="detector-"))) / "repository.git"
    git = _git(place, url)
    git("init", "--quiet", "--bare", "--template=", str(place))
    command = ["fetch", "--quiet", "--no-recurse-submodules", f"--filter=blob:limit={MAX_FILE_BYTES + 1}"]
    asked, commit_name = revision or "HEAD", "FETCH_HEAD"
    status, errors = 1, "remote ref"
    if _FETCHABLE.fullmatch(asked):
        status, _, errors = git(*command, "--no-tags", "--depth=1", "origin", asked)
    if status != 0 and _UNKNOWN_REVISION.search(errors):
        everything = ["HEAD"] if not revision else ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        status, _, errors = git(*command, "origin", *everything)
        commit_name = revision or "FETCH_HEAD"
    if status != 0:
        reason = errors.splitlines()[-1] if errors else "it does not answer"
        reason = without_credentials(printable(reason))
        raise UserError(f"{target}: cannot fetch this repository ({reason}): check the address and your access to it")
    _forget_origin(place)
    return place, commit_name


def remote_head(target: str) -> str:
    """The commit that an address names, by its `@revision` or else its HEAD; "" where the repository is empty.

    Nothing is fetched: the server lists what it has.
    Errors: UserError in one line.
    """
    shown = without_credentials(target)
    url, revision = split(target)
    check_url(shown, url)
    if revision and not _FETCHABLE.fullmatch(revision):
        raise UserError(f"{shown}: there is no revision {printable(revision)!r}: name a branch, a tag or a commit")
    if url.startswith("file://"):
        return _local_head(shown, Path(unquote(urlsplit(url).path)), revision or "HEAD")
    if _COMMIT.fullmatch(revision):
        return revision
    names = (
        ["HEAD"] if not revision else [f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}", f"refs/heads/{revision}"]
    )
    with tempfile.TemporaryDirectory(prefix="detector-") as folder:
        # Of a repository that is not there no configuration can be read.
        git = _git(Path(folder) / "none.git", url, HEAD_SECONDS)
        status, output, errors = git("ls-remote", "--quiet", "origin", *names)
    if status != 0:
        reason = errors.splitlines()[-1] if errors else "it does not answer"
        reason = without_credentials(printable(reason))
        raise UserError(f"{shown}: cannot ask this repository ({reason}): check the address and your access to it")
    lines = (line.partition("\t") for line in output.decode("ascii", "replace").splitlines())
    found = {name: commit for commit, _, name in lines if _COMMIT.fullmatch(commit)}
    commit = next((found[name] for name in names if name in found), "")
    if not commit and revision:
        raise UserError(f"{shown}: there is no revision {printable(revision)!r}: name a branch, a tag or a commit")
    return commit


def _local_head(target: str, path: Path, revision: str) -> str:
    place = path / ".git" if (path / ".git").exists() else path
    if not place.exists():
        raise UserError(f"{target}: there is no such repository: check the address")
    with ExitStack() as cleanup:
        return Database(target, place, cleanup).commit(revision)


def fetch_history(place: Path, url: str, revision: str) -> str:
    """Fetch the commits and trees behind a revision that was fetched, if they are not there; the reason if that fails.

    No files come along where the server can leave them out: their ids are in the trees.
    """
    if not (place / "shallow").exists():
        return ""
    command = ["fetch", "--quiet", "--no-recurse-submodules", "--no-tags", "--filter=blob:none", "--unshallow"]
    try:
        status, _, errors = _git(place, url)(*command, "origin", revision or "HEAD")
        _forget_origin(place)
    except (UserError, OSError) as error:
        return f"could not be fetched ({error})"
    reason = errors.splitlines()[-1] if errors else "it does not answer"
    return f"could not be fetched ({without_credentials(printable(reason))})" if status else ""


def _git(place: Path, url: str, silence_seconds: float = FETCH_SECONDS) -> Callable[..., tuple[int, bytes, str]]:
    """What runs git in a repository whose origin is that address."""
    # The address goes by the environment: on the command line everyone could read the password in it.
    settings = {"remote.origin.url": url, "fetch.recurseSubmodules": "false"}
    program = neutral_git(place.parent, {"GIT_ALLOW_PROTOCOL": "http:https:ssh:git", "GIT_DIR": str(place)}, settings)
    return partial(run, program, silence_seconds)


def _forget_origin(place: Path) -> None:
    """Leave a repository that simply has no object which was not fetched, so that nothing tries to fetch it."""
    (place / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n", encoding="ascii")
