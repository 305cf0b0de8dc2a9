"""Models on a hub, `hf:ORG/MODEL` and `hf:ORG/MODEL@REVISION`: small files whole, of large ones the parts asked for.

What the hub's client has in its local cache is read from there. Nothing is written to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from detector.model import Skipped, UserError
from detector.read import folder
from detector.read.hub_requests import GATED, NOT_FOUND, TOO_MANY, Hub
from detector.read.limits import MAX_MEMBERS
from detector.read.listing import CannotRead, Found, Listing
from detector.read.names import printable
from detector.read.refusals import ExhaustedError, GatedError, VanishedError
from detector.read.remote_files import RemoteFile, RemoteFiles, why_not
from detector.targets import Repo

_ASKED = re.compile(r"(?P<id>(?:[\w-][\w.-]*/)?[\w-][\w.-]*)(?:@(?P<revision>[\w./+-]+))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEWEST = "main"
_REFUSALS: dict[str, type[UserError]] = {GATED: GatedError, NOT_FOUND: VanishedError, TOO_MANY: ExhaustedError}


def read(target: str, cleanup: ExitStack) -> Repo:
    """Read a model at one revision.

    Errors: UserError for a model that is not to be had; single files that are not are skipped.
    """
    asked = _ASKED.fullmatch(target.removeprefix("hf:"))
    if asked is None or ".." in target or (asked["revision"] or "").startswith("-"):
        raise UserError(f"{printable(target)}: name a model as hf:ORG/MODEL or hf:ORG/MODEL@REVISION")
    model, revision = asked["id"], asked["revision"] or _NEWEST
    name = model.rpartition("/")[2]
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return _from_cache(target, model, revision)
    hub = Hub()
    try:
        about, _ = hub.page(f"{hub.endpoint}/api/models/{model}/revision/{quote(revision, safe='')}")
        commit = about.get("sha") if isinstance(about, dict) else None
        if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
            raise CannotRead("the hub does not say which commit that is: check HF_ENDPOINT")
        if about.get("gated"):
            hub.check_access(f"{hub.endpoint}/api/models/{model}/auth-check")
        found = list(_listed(hub, f"{hub.endpoint}/api/models/{model}/tree/{commit}?recursive=true"))
    except CannotRead as error:
        kind = _REFUSALS.get(str(error), UserError)
        raise kind(f"{target}: {error}") from None
    remote = RemoteFiles(hub, partial(_url, hub, model, commit), partial(_local, model, commit), cleanup)
    ids = {each.path: each.key.id for each in found if isinstance(each, Found) and each.key.id}
    return Repo(target, name, commit, Listing(found, remote.fetch, remote.fetch_part), is_remote=True, ids=ids)


def _from_cache(target: str, model: str, revision: str) -> Repo:
    from huggingface_hub import snapshot_download

    try:
        place = snapshot_download(model, revision=revision, local_files_only=True)
    except (OSError, ValueError):  # what the client raises for what it does not have
        raise UserError(
            f"{target}: not in the local cache, and HF_HUB_OFFLINE is set: unset it, or download the model first"
        ) from None
    repo = folder.read(target, Path(place))
    return Repo(target, model.rpartition("/")[2], Path(place).name, repo.files)


def _listed(hub: Hub, url: str) -> Iterator[Found[RemoteFile] | Skipped]:
    listed = 0
    while url:
        entries, url = hub.page(url)
        if not isinstance(entries, list):
            raise CannotRead("the hub lists no files: check HF_ENDPOINT")
        for entry in entries:
            if (listed := listed + 1) > MAX_MEMBERS:
                yield Skipped("files", f"more than {MAX_MEMBERS:,} files: the rest is not read")
                return
            file = _file(entry)
            if file is not None:
                reason = why_not(file.path)
                yield Skipped(file.path, reason) if reason else Found(file.path, file)
        if not entries:
            return  # a page without anything would be followed by others for ever


def _file(entry: Any) -> RemoteFile | None:
    """One entry of a listing, if it is a file with a size."""
    if not isinstance(entry, dict) or entry.get("type") != "file":
        return None
    path, size = entry.get("path"), entry.get("size")
    if not isinstance(path, str) or not path or not isinstance(size, int) or not 0 <= size < 2**63:
        return None
    return RemoteFile(path, size, _id(entry))


def _id(entry: dict[str, Any]) -> str:
    """What a listing says of the contents of a file; "" if nothing that can be true."""
    large = entry.get("lfs")
    digest = large.get("oid") if isinstance(large, dict) else None
    if isinstance(digest, str) and _SHA256.fullmatch(digest):
        return f"sha256:{digest}"
    blob = entry.get("oid")
    return f"git:{blob}" if large is None and isinstance(blob, str) and _COMMIT.fullmatch(blob) else ""


def _url(hub: Hub, model: str, commit: str, path: str) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(model, path, revision=commit, endpoint=hub.endpoint)


def _local(model: str, commit: str, path: str) -> str:
    """Where the client's cache has a file; "" if it has not."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, path, revision=commit)
    return os.path.realpath(found) if isinstance(found, str) else ""
