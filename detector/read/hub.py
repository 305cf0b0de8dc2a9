"""Models on a hub, `hf:ORG/MODEL` and `hf:ORG/MODEL@REVISION`: small files whole, of large ones the parts asked for.

What the hub's client has in its local cache is read from there. Nothing is written to it.
"""

from __future__ import annotations

import os
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from detector.model import Skipped, UserError
from detector.read import folder
from detector.read.hub_requests import Hub, NoPartsError
from detector.read.limits import (
    FEW_HUB_PARTS,
    MAX_HEAD_BYTES,
    MAX_HUB_SMALL_BYTES,
    MAX_HUB_WHOLE_BYTES,
    MAX_MEMBERS,
)
from detector.read.listing import CannotRead, Found, Listing
from detector.read.names import inside, printable
from detector.read.spool import Spool, within
from detector.targets import Head, Repo

_ASKED = re.compile(r"(?P<id>(?:[\w-][\w.-]*/)?[\w-][\w.-]*)(?:@(?P<revision>[\w./+-]+))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEWEST = "main"


class _File(NamedTuple):
    path: str
    size: int
    id: str = ""  # as `Repo.ids`


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
        raise UserError(f"{target}: {error}") from None
    remote = _Remote(hub, model, commit, cleanup)
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


def _listed(hub: Hub, url: str) -> Iterator[Found[_File] | Skipped]:
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
            if file is not None and inside(file.path) == file.path:
                yield Found(file.path, file)
            elif file is not None:
                yield Skipped(file.path, "its name points out of the model")
        if not entries:
            return  # a page without anything would be followed by others for ever


def _file(entry: Any) -> _File | None:
    """One entry of a listing, if it is a file with a size."""
    if not isinstance(entry, dict) or entry.get("type") != "file":
        return None
    path, size = entry.get("path"), entry.get("size")
    if not isinstance(path, str) or not path or not isinstance(size, int) or not 0 <= size < 2**63:
        return None
    return _File(path, size, _id(entry))


def _id(entry: dict[str, Any]) -> str:
    """What a listing says of the contents of a file; "" if nothing that can be true."""
    large = entry.get("lfs")
    digest = large.get("oid") if isinstance(large, dict) else None
    if isinstance(digest, str) and _SHA256.fullmatch(digest):
        return f"sha256:{digest}"
    blob = entry.get("oid")
    return f"git:{blob}" if large is None and isinstance(blob, str) and _COMMIT.fullmatch(blob) else ""


class _Remote:
    """The files of one commit; the beginnings that were read last are kept.

    A small file is fetched to its end once some parts of it were. Of a hub that does not serve parts a file is fetched
    once, to a temporary file, where a part of it is asked for.
    """

    def __init__(self, hub: Hub, model: str, commit: str, cleanup: ExitStack) -> None:
        self._hub, self._model, self._commit = hub, model, commit
        self._spool = Spool(cleanup)
        self._whole: dict[str, tuple[int, int]] = {}
        self._heads: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0
        self._parts: Counter[str] = Counter()  # how many were asked for

    def fetch(self, file: _File, most_bytes: int) -> Head:
        """The beginning of a file."""
        if local := self._local(file):
            return folder.fetch(local, most_bytes)
        wanted = min(most_bytes, file.size)
        held = self._heads.get(file.path, b"")
        if len(held) < wanted:
            # What was read of it before is not asked for again.
            held += self._part(file, len(held), wanted - len(held))
            self._keep(file.path, held)
        return Head(held[:wanted], file.size)

    def fetch_part(self, file: _File, begin: int, size: int) -> bytes:
        """Bytes from anywhere in a file."""
        if local := self._local(file):
            return folder.fetch_part(local, begin, size)
        wanted = max(min(size, file.size - begin), 0)
        if begin + wanted > len(self._heads.get(file.path, b"")):
            self._parts[file.path] += 1
            if file.size > MAX_HUB_SMALL_BYTES or self._parts[file.path] <= FEW_HUB_PARTS:
                return self._part(file, begin, wanted)
            self.fetch(file, file.size)
        return self._heads[file.path][begin : begin + wanted]

    def _part(self, file: _File, begin: int, size: int) -> bytes:
        if file.path not in self._whole:
            try:
                return self._hub.part(self._url(file), begin, size)
            except NoPartsError:
                if file.size > MAX_HUB_WHOLE_BYTES:
                    raise
                self._whole[file.path] = self._hub.whole(self._url(file), file.size, self._spool.append)
        return within(self._spool, *self._whole[file.path], begin, size)

    def _keep(self, path: str, data: bytes) -> None:
        self._held_bytes += len(data) - len(self._heads.pop(path, b""))
        self._heads[path] = data
        while self._held_bytes > MAX_HEAD_BYTES:
            self._held_bytes -= len(self._heads.popitem(last=False)[1])

    def _url(self, file: _File) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self._model, file.path, revision=self._commit, endpoint=self._hub.endpoint)

    def _local(self, file: _File) -> str:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self._model, file.path, revision=self._commit)
        return os.path.realpath(found) if isinstance(found, str) else ""
