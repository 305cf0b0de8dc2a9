"""The files of a target -> its checkpoints, each with all its tensors and where their values are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detector.artifacts.checkpoints import checkpoint
from detector.artifacts.checkpoints.safetensors_header import Header
from detector.artifacts.lfs_pointer import Pointer
from detector.artifacts.weights.stored import Stored, Weights, stored
from detector.model import Skipped
from detector.settings.config import MOST_CHECKPOINTS, MOST_TENSOR_FILES
from detector.targets import Files

_SHARD = re.compile(r"-\d{5}-of-(\d{5})(?=\.safetensors$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a target has of checkpoints whose values can be read."""

    found: tuple[Weights, ...]  # those nearest to the top first
    skipped: tuple[Skipped, ...]


def open_weights(files: Files) -> Opened:
    """Read the header of every file of tensors, and put together what belongs to one model."""
    skipped: list[Skipped] = []
    headers: dict[str, Header] = {}
    paths = _nearest_first(path for path in files.others() if path.lower().endswith(checkpoint.HEADER))
    for path in paths[:MOST_TENSOR_FILES]:
        header = checkpoint.header_of(path, files.head)
        if isinstance(header, Header):
            headers[path] = header
        elif isinstance(header, Pointer):
            skipped.append(Skipped(path, "only the pointer of git-lfs is there, not the file"))
        else:
            skipped.append(Skipped(path, header))
    if len(paths) > MOST_TENSOR_FILES:
        skipped.append(Skipped(paths[MOST_TENSOR_FILES], f"only {MOST_TENSOR_FILES} files of tensors are read"))
    found: list[Weights] = []
    for name, shards in _models(headers, files).items():
        tensors: dict[str, Stored] = {}
        for shard in shards:
            for each in stored(shard, headers[shard]).values():
                if tensors.setdefault(each.name, each) is not each:
                    skipped.append(Skipped(shard, f"{each.name} is in another file too: the first one counts"))
        if tensors:
            found.append(Weights(name, dict(sorted(tensors.items())), files.part))
    if len(found) > MOST_CHECKPOINTS:
        skipped.append(Skipped(found[MOST_CHECKPOINTS].path, f"only {MOST_CHECKPOINTS} checkpoints are compared"))
    return Opened(tuple(found[:MOST_CHECKPOINTS]), tuple(skipped))


def _models(headers: Mapping[str, Header], files: Files) -> dict[str, list[str]]:
    """Files by the model that they are part of: by an index, or by the numbers in their names; others are alone."""
    models: dict[str, list[str]] = {}
    held: set[str] = set()
    for path in _nearest_first(path for path in files.others() if path.lower().endswith(checkpoint.INDEX)):
        index = checkpoint.index_of(path, files.head)
        if isinstance(index, tuple):
            folder = path.rpartition("/")[0]
            shards = {f"{folder}/{file}" if folder else file for file in index[0].values()}
            shards = {shard for shard in shards if shard in headers} - held
            if shards:
                models[path] = sorted(shards)
                held |= shards
    numbered: defaultdict[str, list[str]] = defaultdict(list)
    for path in headers:
        if path not in held:
            numbered[_SHARD.sub(r"-*-of-\1", path)].append(path)
    models |= {name: sorted(shards) for name, shards in numbered.items()}
    return {name: models[name] for name in _nearest_first(models)}


def _nearest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))
