"""Whether a target of an index is the project itself: what it has in common with that is no finding."""

from __future__ import annotations

import re
from collections.abc import Collection

_ADDRESS = re.compile(
    r"(?:https?://|ssh://|git://|git\+https://)?(?:[^@/\s]+@)?(?P<host>[\w.-]+\.\w+)(?::\d+)?[:/](?P<path>[\w./~-]+)"
)


def address(text: str) -> str:
    """Host and path of a repository, however its address is written; "" for what is none."""
    found = _ADDRESS.match(text.strip())
    if found is None:
        return ""
    path = found["path"].strip("/").removesuffix(".git").rstrip("/")
    return f"{found['host']}/{path}".lower() if "/" in path else ""


def why_own(
    target: str, name: str, packages: Collection[str], project: str, own: Collection[str], remotes: Collection[str]
) -> str:
    """Why a target is taken for the project itself; "" if it is not.

    By its address, or by its name together with all of its packages. Either alone would let code in that is called
    like the project, or that brings its packages along.
    """
    where = address(target)
    if where and where in {address(remote) for remote in remotes}:
        return "it is this project: a remote of the repository has its address"
    if packages and set(packages) <= set(own) and _plain(name) == _plain(project):
        return "it is this project: it has the same name and the same packages"
    return ""


def _plain(name: str) -> str:
    name = re.sub(r"(==|@).*$", "", name)
    name = re.sub(r"-\d+(\.\w+)+.*$", "", name)
    return re.sub(r"[-_.]+", "-", name).strip("-").lower()
