"""Where a range of commits begins: what a change is held against."""

from __future__ import annotations

import os
from collections.abc import Mapping

from detector.model import UserError
from detector.read.names import printable
from detector.read.plumbing import Repository
from detector.read.ranges import Range, is_nothing


def present(repository: Repository, revision: str, given: Range) -> str:
    """The commit that a revision names.

    Errors: `UserError` that says how to fetch it, where it is not in this copy.
    """
    commit = repository.commit(revision)
    if not commit:
        raise UserError(_missing(revision, given))
    return commit


def _missing(revision: str, given: Range) -> str:
    shown = printable(revision)
    more = {
        "GitHub": "set `fetch-depth: 0` for actions/checkout",
        "GitLab": "set the variable GIT_DEPTH to 0",
    }.get(given.told_by, f"git fetch origin {shown}")
    return f"{shown} is not in this copy of the repository: fetch it ({more})"


def bases_of(repository: Repository, given: Range, new: str, environment: Mapping[str, str]) -> tuple[list[str], str]:
    """What the change is held against: what is new is in none of these; none: all of it is new.

    Also where the branch ended before, if that is no base: what was there is not new either.
    """
    if given.is_merged and len(parents := _parents(repository, new)) > 1:
        return [present(repository, parents[0], given)], ""
    if is_nothing(given.old):
        return _of_new(repository, given, new, environment), ""
    old = repository.commit(given.old)
    if not old:
        if given.branch and (branch := _branch(repository, given.branch)):  # its end was overwritten
            return _forks(repository, branch, new, given), ""
        raise UserError(_missing(given.old, given))
    bases = _forks(repository, old, new, given)
    return bases, "" if old in bases else old


def _of_new(repository: Repository, given: Range, new: str, environment: Mapping[str, str]) -> list[str]:
    """Of a branch that is new: its fork from the branch that is told, else the last commits that were known before."""
    if given.branch:
        branch = _branch(repository, given.branch)
        if not branch:
            raise UserError(_missing(given.branch, given))
        return _forks(repository, branch, new, given)
    # A push that is not accepted yet changes no ref: all of them are what is known. Before a push it is the remotes'.
    known = "--all" if environment.get("GIT_QUARANTINE_PATH") else "--remotes"
    lines = repository.lines("rev-list", "--boundary", new, "--not", known)
    if not lines:
        return [new]
    return [line[1:] for line in lines if line.startswith("-")]


def _branch(repository: Repository, name: str) -> str:
    return repository.commit(f"refs/remotes/{name}") or repository.commit(f"refs/heads/{name.partition('/')[2]}")


def _forks(repository: Repository, old: str, new: str, given: Range) -> list[str]:
    """The best common ancestors; where there are none, the old end itself.

    Errors: `UserError` where the history is cut off before one.
    """
    found = repository.lines("merge-base", "--all", old, new)
    if not found and repository.is_shallow:
        fetching = _missing(old, given).partition("(")[2].rstrip(")")
        if given.told_by not in ("GitHub", "GitLab"):
            fetching = "git fetch --unshallow"
        raise UserError(
            f"the history of this shallow clone ends before the change began: fetch more of it ({fetching})"
        )
    return found or [old]


def _parents(repository: Repository, commit: str) -> list[str]:
    return [name for line in repository.lines("rev-list", "--parents", "-n", "1", commit) for name in line.split()[1:]]


def merged_now(repository: Repository) -> list[str]:
    """The other parents of a merge that is about to be committed."""
    path = os.path.join(repository.git_folder, "MERGE_HEAD")
    if not os.path.isfile(path):
        return []
    with open(path, encoding="ascii", errors="replace") as stream:
        return [commit for line in stream if (commit := repository.commit(line.strip()))]
