"""Whether a target of an index is the project itself: what it has in common with that is no finding.

By its address, or by its name together with all of its packages. A name alone would let in whatever is called like the
project, packages alone a project that was copied with its folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ADDRESS = re.compile(
    r"(?:(?:git\+)?(?:https?|ssh|git)://)?(?:[^@/\s]{1,200}@)?(?P<host>[\w.-]{1,200}\.[a-z]{2,24})(?::\d{1,5})?[:/]"
    r"(?P<path>[\w.~/-]{1,300})",
    re.IGNORECASE,
)
_HUB = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}")


def is_same_address(targets: Iterable[str], remotes: Iterable[str]) -> bool:
    """Whether one of a target's addresses is one of a repository's remotes; hosts count where both are told."""
    ours = {found for remote in remotes if (found := _address(remote))}
    pairs = {path for _, path in ours}
    return any(each in ours if each[0] else each[1] in pairs for each in map(_address, targets) if each)


def _address(text: str) -> tuple[str, str] | None:
    """Host and path, the host "" where only owner and name are told; None for anything else."""
    text = text.strip()
    if _HUB.fullmatch(text):
        return "", text.lower().removesuffix(".git")
    found = _ADDRESS.match(text)
    if found is None:
        return None
    path = found["path"].strip("/").removesuffix(".git").lower()
    return (found["host"].lower(), path) if "/" in path else None


def is_same_name(one: str, other: str) -> bool:
    """Whether two projects are called alike, whatever their versions and however words are joined."""
    return bool(_plain(one)) and _plain(one) == _plain(other)


def _plain(name: str) -> str:
    name = re.sub(r"(==|@).*$", "", name)
    name = re.sub(r"-\d+(\.\w+)+.*$", "", name)
    return re.sub(r"[-_.]+", "-", name).strip("-").lower()
