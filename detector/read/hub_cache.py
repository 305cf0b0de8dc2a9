"""Snapshots in the local cache of a model hub's client: every file there is a link to one of the model's own blobs."""

from __future__ import annotations

import os
from typing import NamedTuple

_SNAPSHOTS, _BLOBS, _MODEL = "snapshots", "blobs", "models--"


class Snapshot(NamedTuple):
    """Where a folder is in the cache."""

    name: str  # of the model
    revision: str
    blobs: str  # the real path of the folder that its links may lead to

    def file_behind(self, link: str) -> str:
        """The real path of the blob behind a link; "" for a link to anything else."""
        real = os.path.realpath(link)
        return real if os.path.dirname(real) == self.blobs and os.path.isfile(real) else ""


def snapshot_of(folder: str) -> Snapshot | None:
    """Tell whether a folder, by its real path, is such a snapshot or lies below one."""
    path = folder
    while (above := os.path.dirname(path)) != path:
        model = os.path.dirname(above)
        called = os.path.basename(model)
        if os.path.basename(above) == _SNAPSHOTS and called.startswith(_MODEL):
            blobs = os.path.join(model, _BLOBS)
            # A `blobs` that is itself a link would let its links lead anywhere.
            if os.path.isdir(blobs) and not os.path.islink(blobs):
                return Snapshot(called.rpartition("--")[2], os.path.basename(path), blobs)
        path = above
    return None
