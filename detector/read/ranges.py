"""Which commits a change is made of, as whoever starts a hook says it: pre-commit, GitHub, GitLab.

Sources: pre-commit's documentation, "Supported git hooks"; GitHub's "Variables reference" and "Webhook events and
payloads"; GitLab's "Predefined CI/CD variables reference".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detector.model import UserError

# The description of an event: the commits of a push and its pull request, a few hundred kilobytes at most.
_MOST_EVENT_BYTES = 20_000_000
_REMOTE = "origin"  # what GitHub's and GitLab's checkouts call the server


@dataclass(frozen=True, slots=True)
class Range:
    """From which revision to which a change goes."""

    old: str  # "" or all zeros: the branch is new
    new: str  # all zeros: the branch is deleted
    told_by: str
    branch: str = ""  # from which a new one, or one whose former end is gone, was made
    is_merged: bool = False  # `new` is the merge of a pull request: what it adds to its first parent counts


def is_nothing(revision: str) -> bool:
    """Whether git says with it that there is no commit."""
    return not revision.strip("0")


def told(environment: Mapping[str, str]) -> Range | None:
    """The range that the environment names; None if nobody names one.

    Errors: `UserError` in a workflow of GitHub whose event has no range.
    """
    # Before its version 2.2 pre-commit called the two so; since then it sets both, with the meaning of the old names
    # swapped.
    for old, new in (("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"), ("PRE_COMMIT_SOURCE", "PRE_COMMIT_ORIGIN")):
        if environment.get(old) and environment.get(new):
            return Range(environment[old], environment[new], "pre-commit")
    if environment.get("PRE_COMMIT_REMOTE_BRANCH") and (pushed := environment.get("PRE_COMMIT_LOCAL_BRANCH")):
        return Range("", pushed, "pre-commit")  # it names no range for a push with the first commit of all
    if environment.get("GITHUB_ACTIONS") == "true" or environment.get("GITHUB_EVENT_PATH"):
        return _of_github(environment)
    if environment.get("GITLAB_CI"):
        return _of_gitlab(environment)
    return None


def _of_gitlab(environment: Mapping[str, str]) -> Range:
    commit = environment.get("CI_COMMIT_SHA", "HEAD")
    default = environment.get("CI_DEFAULT_BRANCH", "")
    branch = f"{_REMOTE}/{default}" if default else ""
    if base := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        # In a pipeline for merged results CI_COMMIT_SHA holds what the target branch got meanwhile, too.
        return Range(base, environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or commit, "GitLab", branch)
    return Range(environment.get("CI_COMMIT_BEFORE_SHA", ""), commit, "GitLab", branch)


def _of_github(environment: Mapping[str, str]) -> Range | None:
    event = _event(environment.get("GITHUB_EVENT_PATH", ""))
    name = environment.get("GITHUB_EVENT_NAME", "")
    commit = environment.get("GITHUB_SHA", "HEAD")
    default = _text(event, "repository", "default_branch")
    branch = f"{_REMOTE}/{default}" if default else ""
    base = _text(event, "pull_request", "base", "sha")
    if name.startswith("pull_request") or base:
        target = environment.get("GITHUB_BASE_REF", "")
        head = _text(event, "pull_request", "head", "sha")
        # GITHUB_SHA is the merge of the pull request, but for `pull_request_target`, where it is the target branch.
        is_merged = name == "pull_request"
        return Range(base, commit if is_merged else head or commit, "GitHub", f"{_REMOTE}/{target}", is_merged)
    if name == "merge_group":
        return Range(_text(event, "merge_group", "base_sha"), commit, "GitHub", branch)
    if name == "push":
        return Range(_text(event, "before"), _text(event, "after") or commit, "GitHub", branch)
    return None


def _event(path: str) -> Any:
    if not path:
        return {}
    try:
        if os.path.getsize(path) > _MOST_EVENT_BYTES:
            raise ValueError("too large")
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError, RecursionError):
        raise UserError(f"{path}: GITHUB_EVENT_PATH cannot be read: give --from-ref and --to-ref") from None


def _text(event: Any, *keys: str) -> str:
    for key in keys:
        event = event.get(key) if isinstance(event, dict) else None
    return event if isinstance(event, str) else ""
