"""Files of one commit on a server: of each the parts that are asked for, and what a cache has from there."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from detector.read import folder
from detector.read.hub_requests import NoPartsError, Server
from detector.read.limits import FEW_HUB_PARTS, MAX_HEAD_BYTES, MAX_HUB_SMALL_BYTES, MAX_HUB_WHOLE_BYTES
from detector.read.names import inside
from detector.read.spool import Spool, within
from detector.targets import Head


class RemoteFile(NamedTuple):
    """A file as a listing has it."""

    path: str
    size: int
    id: str = ""  # as `Repo.ids`


def why_not(path: str) -> str:
    """Why a file is not asked for, by its name; "" if it can be."""
    if inside(path) != path:
        return "its name points out of the model"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is no text"
    return ""


class RemoteFiles:
    """The files of one commit; the beginnings that were read last are kept.

    A small file is fetched to its end once some parts of it were. Of a server that does not serve parts a file is
    fetched once, to a temporary file, where a part of it is asked for.
    """

    def __init__(
        self, server: Server, url: Callable[[str], str], local: Callable[[str], str], cleanup: ExitStack
    ) -> None:
        """`url`: where the server has the file of a path; `local`: where it is in a cache, "" if nowhere."""
        self._server, self._url, self._local = server, url, local
        self._spool = Spool(cleanup)
        self._whole: dict[str, tuple[int, int]] = {}
        self._heads: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0
        self._parts: Counter[str] = Counter()  # how many were asked for

    def fetch(self, file: RemoteFile, most_bytes: int) -> Head:
        """The beginning of a file."""
        if local := self._local(file.path):
            return folder.fetch(local, most_bytes)
        wanted = min(most_bytes, file.size)
        held = self._heads.get(file.path, b"")
        if len(held) < wanted:
            # What was read of it before is not asked for again.
            held += self._part(file, len(held), wanted - len(held))
            self._keep(file.path, held)
        return Head(held[:wanted], file.size)

    def fetch_part(self, file: RemoteFile, begin: int, size: int) -> bytes:
        """Bytes from anywhere in a file."""
        if local := self._local(file.path):
            return folder.fetch_part(local, begin, size)
        wanted = max(min(size, file.size - begin), 0)
        if begin + wanted > len(self._heads.get(file.path, b"")):
            self._parts[file.path] += 1
            if file.size > MAX_HUB_SMALL_BYTES or self._parts[file.path] <= FEW_HUB_PARTS:
                return self._part(file, begin, wanted)
            self.fetch(file, file.size)
        return self._heads[file.path][begin : begin + wanted]

    def _part(self, file: RemoteFile, begin: int, size: int) -> bytes:
        if file.path not in self._whole:
            try:
                return self._server.part(self._url(file.path), begin, size)
            except NoPartsError:
                if file.size > MAX_HUB_WHOLE_BYTES:
                    raise
                self._whole[file.path] = self._server.whole(self._url(file.path), file.size, self._spool.append)
        return within(self._spool, *self._whole[file.path], begin, size)

    def _keep(self, path: str, data: bytes) -> None:
        self._held_bytes += len(data) - len(self._heads.pop(path, b""))
        self._heads[path] = data
        while self._held_bytes > MAX_HEAD_BYTES:
            self._held_bytes -= len(self._heads.popitem(last=False)[1])
