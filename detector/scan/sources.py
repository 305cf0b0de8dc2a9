"""Sources -> what they list: repositories with their revisions and dates, before any of them is read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from glob import iglob
from pathlib import Path

from detector.model import UserError
from detector.read import archive, single
from detector.read.limits import MAX_MEMBERS
from detector.read.traffic import Traffic
from detector.scan.plan import Source
from detector.scanned import Listed


def listed(source: Source, since: str, traffic: Traffic) -> Iterator[Listed]:
    """What a source has that was changed at `since` or later; without dates, everything.

    Errors: UserError in one line for a source that is not to be had.
    """
    traffic.watch()
    if source.kind == "hf":
        from detector.read import hub_listing

        yield from hub_listing.listed(
            organisation=source.organisation, search=source.search, tags=source.tags, since=since
        )
    elif source.kind == "ms":
        from detector.read import modelscope_listing

        yield from modelscope_listing.listed(source.organisation, source.search, since)
    elif source.urls:
        yield from _addresses(source)
    elif source.kind == "git":
        from detector.read import forges

        yield from forges.listed(source.forge, source.address, since)
    else:
        yield from _folders(source)


def is_complete(source: Source, since: str) -> bool:
    """Whether what a source does not list is not there any more."""
    return source.kind == "folder" or bool(source.urls) or not since


def _addresses(source: Source) -> Iterator[Listed]:
    from detector.read.forges import remote_head

    for url in dict.fromkeys(source.urls):
        try:
            yield Listed(url, remote_head(url))
        except UserError as error:
            # Told when it is looked at: that one address is dead is no reason to leave out the others.
            yield Listed(url, f"unreachable: {error}"[:200])


def _folders(source: Source) -> Iterator[Listed]:
    found = sorted(name for name in iglob(source.path) if _is_target(Path(name)))
    if not found:
        raise UserError(f"{source.path}: no folder and no archive is called so: check the path of the source")
    for name in found:
        path = Path(name)
        try:
            digest, changed = _state(path)
        except OSError as error:
            digest, changed = f"unreadable: {error.strerror}", 0.0
        yield Listed(name, digest, datetime.fromtimestamp(changed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _is_target(path: Path) -> bool:
    return path.is_dir() or single.is_single(path) or archive.is_archive(path)


def _state(path: Path) -> tuple[str, float]:
    """A digest of names, sizes and times of everything in a folder, and when it was changed last.

    Links are not followed; what git keeps for itself is told by its HEAD and its index alone.
    """
    digest = hashlib.sha256()
    changed = path.lstat().st_mtime
    count = 0
    for place in _files(path):
        about = os.lstat(place)
        if not stat.S_ISDIR(about.st_mode):
            changed = max(changed, about.st_mtime)
        digest.update(
            f"{os.path.relpath(place, path)}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="replace")
        )
        if (count := count + 1) > MAX_MEMBERS:
            break
    return digest.hexdigest()[:40], changed


def _files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    for folder, folders, files in os.walk(path):
        if ".git" in folders:
            folders.remove(".git")
            yield from (each for each in (f"{folder}/.git/HEAD", f"{folder}/.git/index") if os.path.isfile(each))
        folders.sort()
        yield from (f"{folder}/{name}" for name in sorted(files))
