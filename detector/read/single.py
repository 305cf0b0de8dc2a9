"""Single files as targets: a Python file, a checkpoint, the index of one with its shards, a log of predictions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from detector.model import Skipped, UserError
from detector.read import folder
from detector.read.hub_cache import snapshot_of
from detector.read.listing import CannotRead, Found, Listing
from detector.read.names import is_bulk_name, is_pickle_name, is_python_name, printable
from detector.settings.config import MOST_INDEX_BYTES, MOST_TENSOR_FILES
from detector.targets import Repo

_INDEX = ".safetensors.index.json"
# Names of files in an index; whoever reads it as JSON takes no other names from it, but for those with escapes.
_SHARD = re.compile(rb'"([^"\\]{1,255}\.safetensors)"', re.IGNORECASE)
_CONVERT = (
    "python -c \"import sys, torch, safetensors.torch as s; t = torch.load(sys.argv[1], map_location='cpu', "
    "weights_only=True); s.save_file({k: v.clone().contiguous() for k, v in t.get('state_dict', t).items()}, "
    'sys.argv[2])" {} model.safetensors'
)


def is_single(path: Path) -> bool:
    """Tell whether a file is a target of its own that is no archive."""
    return is_python_name(path.name) or is_bulk_name(path.name) or _is_index(path) or folder.is_script(path)


def read(target: str, path: Path) -> Repo:
    """Read one file; with the index of a checkpoint its shards.

    Errors: UserError for a pickle, with a way to convert it.
    """
    if is_pickle_name(path.name) and not folder.is_script(path):
        convert = _CONVERT.format(path.name if re.fullmatch(r"[\w.-]+", path.name, re.ASCII) else "FILE")
        raise UserError(
            f"{target}: a pickle, which runs code when it is read, so it is never read here: "
            f"convert it where you trust it, and name the result: {convert}"
        )
    return _read_index(target, path) if _is_index(path) else folder.read_file(target, path)


def _is_index(path: Path) -> bool:
    return path.name.lower().endswith(_INDEX)


def _read_index(target: str, path: Path) -> Repo:
    """Read the folder of an index, but of it the index and its shards alone."""
    root = os.path.realpath(path.parent)
    real = os.path.realpath(path)  # a link that the user names is the user's wish
    try:
        index = folder.fetch(real, MOST_INDEX_BYTES)
    except CannotRead as error:
        raise UserError(f"{target}: cannot open it ({error}): check the path and its permissions") from None
    shards = sorted({match[1].decode("utf-8", "replace") for match in _SHARD.finditer(index.data)})
    found: list[Found[str] | Skipped] = [Found(path.name, real), *_shards(root, shards)]
    snapshot = snapshot_of(root)
    name = snapshot.name if snapshot else folder.name_of(path.parent)
    return Repo(target, name, snapshot.revision if snapshot else "", Listing(found, folder.fetch, folder.fetch_part))


def _shards(root: str, names: list[str]) -> Iterator[Found[str] | Skipped]:
    snapshot = snapshot_of(root)
    for name in names[:MOST_TENSOR_FILES]:
        path = os.path.join(root, name)
        if re.search(r"[/\\\0]", name):
            yield Skipped(name, "cannot be read: the index names a file of another folder")
        elif os.path.islink(path):
            real = snapshot.file_behind(path) if snapshot else ""
            yield Found(name, real) if real else Skipped(name, "cannot be read: a symbolic link")
        elif os.path.isfile(path):
            yield Found(name, path)
        else:
            yield Skipped(printable(name), "cannot be read: the index names it, but it is not there")
    if len(names) > MOST_TENSOR_FILES:
        yield Skipped(names[MOST_TENSOR_FILES], f"only {MOST_TENSOR_FILES} shards of an index are read")
