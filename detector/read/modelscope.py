"""Models on ModelScope, `ms:ORG/MODEL` and `ms:ORG/MODEL@REVISION`: small files whole, of large ones parts.

What its client has of that commit in the local cache is read from there. Nothing is written to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from detector.model import Skipped, UserError
from detector.read.hub_requests import NO_REVISION
from detector.read.limits import HEAD_BYTES, MAX_MEMBERS
from detector.read.listing import CannotRead, Found, Listing
from detector.read.modelscope_requests import GATED, NOT_FOUND, TOO_MANY, ModelScope
from detector.read.names import printable
from detector.read.refusals import ExhaustedError, GatedError, VanishedError
from detector.read.remote_files import RemoteFile, RemoteFiles, why_not
from detector.targets import Repo

_ASKED = re.compile(r"(?P<id>[\w-][\w.-]*/[\w-][\w.-]*)(?:@(?P<revision>[\w./+-]+))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEWEST = "master"
# The hub lists no more than so many entries at once and does not say that there are others.
_MOST_ENTRIES = 3_000
# Files that are read of every model: whether they may be read tells of all of them.
_READ_ANYWAY = ("config.json", "configuration.json", "README.md")
_REFUSALS: dict[str, type[UserError]] = {GATED: GatedError, NOT_FOUND: VanishedError, TOO_MANY: ExhaustedError}


def read(target: str, cleanup: ExitStack) -> Repo:
    """Read a model at one revision.

    Errors: UserError for a model that is not to be had; single files that are not are skipped.
    """
    asked = _ASKED.fullmatch(target.removeprefix("ms:"))
    if asked is None or ".." in target or (asked["revision"] or "").startswith("-"):
        raise UserError(f"{printable(target)}: name a model as ms:ORG/MODEL or ms:ORG/MODEL@REVISION")
    model, revision = asked["id"], asked["revision"] or _NEWEST
    try:
        server, commit, found = _opened(model, revision)
        remote = RemoteFiles(server, partial(server.url, model, commit), partial(server.local, model, commit), cleanup)
        _check_access(remote, found)
    except CannotRead as error:
        kind = _REFUSALS.get(str(error), UserError)
        raise kind(f"{target}: {error}") from None
    ids = {each.path: each.key.id for each in found if isinstance(each, Found) and each.key.id}
    name = model.rpartition("/")[2]
    return Repo(target, name, commit, Listing(found, remote.fetch, remote.fetch_part), is_remote=True, ids=ids)


def commit_of(server: ModelScope, model: str, revision: str = _NEWEST) -> str:
    """The commit that a revision names.

    Errors: CannotRead.
    """
    if _COMMIT.fullmatch(revision):
        return revision
    try:
        data = server.data(f"/api/v1/models/{model}/commits", {"Ref": revision, "PageNumber": 1, "PageSize": 1})
    except CannotRead as error:
        # Whether it is the model that is not there, its newest revision tells.
        if str(error) == NOT_FOUND and revision != _NEWEST and commit_of(server, model):
            raise CannotRead(NO_REVISION) from None
        raise
    commits = data.get("Commit") if isinstance(data, dict) else None
    if isinstance(data, dict) and not commits:
        raise CannotRead(NO_REVISION)
    first = commits[0] if isinstance(commits, list) else None
    commit = first.get("Id") if isinstance(first, dict) else None
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise CannotRead("ModelScope does not say which commit that is: check MODELSCOPE_ENDPOINT")
    return commit


def _opened(model: str, revision: str) -> tuple[ModelScope, str, list[Found[RemoteFile] | Skipped]]:
    """The site that has a model, the commit, and what is listed there."""
    server = ModelScope()
    if os.environ.get("MODELSCOPE_PREFER_AI_SITE") and (other := server.elsewhere(model)):
        server = ModelScope(other)
    try:
        commit = commit_of(server, model, revision)
        return server, commit, list(_listed(server, model, commit))
    except CannotRead as error:
        other = server.elsewhere(model) if str(error) == NOT_FOUND else ""
        if not other:
            raise
    server = ModelScope(other)
    commit = commit_of(server, model, revision)
    return server, commit, list(_listed(server, model, commit))


def _listed(server: ModelScope, model: str, commit: str) -> Iterator[Found[RemoteFile] | Skipped]:
    """Every file once. Where a listing is as long as listings get, each folder in it is listed by itself."""
    folders, known = [""], {""}
    seen: set[str] = set()
    listed = 0
    while folders:
        folder = folders.pop()
        entries = _entries(server, model, commit, folder, is_whole=True)
        if len(entries) >= _MOST_ENTRIES:
            direct = _entries(server, model, commit, folder, is_whole=False)
            if len(direct) >= _MOST_ENTRIES:
                yield Skipped(folder or "files", f"more than {_MOST_ENTRIES:,} entries: the hub lists no more of them")
            below = [path for kind, path, _ in map(_entry, direct) if kind == "tree" and path not in known]
            known.update(below)
            folders += reversed(below)
            entries += direct
        for entry in entries:
            if (listed := listed + 1) > MAX_MEMBERS:
                yield Skipped("files", f"more than {MAX_MEMBERS:,} entries in its listings: the rest is not read")
                return
            kind, path, file = _entry(entry)
            if kind != "blob" or file is None or path in seen:
                continue
            seen.add(path)
            reason = why_not(path)
            yield Skipped(path, reason) if reason else Found(path, file)


def _entries(server: ModelScope, model: str, commit: str, folder: str, *, is_whole: bool) -> list[Any]:
    """One listing; once there was one, a refusal is the hub's bad moment, which it is known to have."""
    asked = {"Revision": commit, "Recursive": str(is_whole)} | ({"Root": folder} if folder else {})
    data = server.data(f"/api/v1/models/{model}/repo/files", asked, is_ours=bool(folder) or not is_whole)
    entries = data.get("Files") if isinstance(data, dict) else data
    if entries is None and isinstance(data, dict):
        return []  # of an empty model
    if not isinstance(entries, list):
        raise CannotRead("ModelScope lists no files: check MODELSCOPE_ENDPOINT")
    return entries


def _entry(entry: Any) -> tuple[str, str, RemoteFile | None]:
    """Kind and path of one entry of a listing, and the file if it is one with a size; "" for what cannot be one."""
    if not isinstance(entry, dict):
        return "", "", None
    kind, path, size = entry.get("Type"), entry.get("Path"), entry.get("Size")
    if not isinstance(kind, str) or not isinstance(path, str) or not path:
        return "", "", None
    if not isinstance(size, int) or not 0 <= size < 2**63:
        return kind, path, None
    digest = entry.get("Sha256")
    is_digest = isinstance(digest, str) and _SHA256.fullmatch(digest) is not None
    return kind, path, RemoteFile(path, size, f"sha256:{digest}" if is_digest else "")


def _check_access(remote: RemoteFiles, found: list[Found[RemoteFile] | Skipped]) -> None:
    """Find out whether the user may read the files: gated models are listed for everybody.

    What is asked for is kept, so that it costs no request more.
    """
    files = [each.key for each in found if isinstance(each, Found)]
    likely = [file for file in files if file.path in _READ_ANYWAY]
    file = min(likely or files, key=lambda file: (file.size, file.path), default=None)
    if file is None or not file.size:
        return
    try:
        remote.fetch(file, HEAD_BYTES if file.size > HEAD_BYTES else file.size)
    except CannotRead as error:
        if str(error) in _REFUSALS:
            raise
