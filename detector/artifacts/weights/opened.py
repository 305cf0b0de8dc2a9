"""The files of a target -> its checkpoints, each with all its tensors and where their values are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from detector.artifacts import lfs_pointer
from detector.artifacts.checkpoints import checkpoint, gguf_header
from detector.artifacts.checkpoints.safetensors_header import Header
from detector.artifacts.lfs_pointer import Pointer
from detector.artifacts.weights import packed
from detector.artifacts.weights.stored import Stored, Weights, stored
from detector.model import Skipped
from detector.settings.config import MOST_CHECKPOINTS, MOST_HEADER_BYTES, MOST_TENSOR_FILES
from detector.targets import Files

GGUF = ".gguf"
# Of a GGUF file so much is read first, and as many times more until its header ends: most have a tokenizer in it.
_FIRST_BYTES, _TIMES_MORE = 1_000_000, 8
_SHARD = re.compile(r"-\d{5}-of-(\d{5})(?=\.(?:safetensors|gguf)$)", re.IGNORECASE)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
# States of a training run that stand beside a checkpoint and are none.
_TRAINING = re.compile(r"^(?:optimizer|scheduler|scaler|rng_state|training_args|random_states)", re.IGNORECASE)
# `pytorch_model-00001-of-00002.bin` is the same model as `model.safetensors`.
_NOT_STEM = re.compile(r"^pytorch_|-\d{5}-of-\d{5}|\.[^.]+$", re.IGNORECASE)
_POINTER = "only the pointer of git-lfs is there, not the file"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a target has of checkpoints whose values can be read."""

    found: tuple[Weights, ...]  # those nearest to the top first
    skipped: tuple[Skipped, ...]


def open_weights(files: Files) -> Opened:
    """Read the header of every file of tensors, and put together what belongs to one model."""
    skipped: list[Skipped] = []
    held: dict[str, dict[str, Stored]] = {}
    paths = _nearest_first(path for path in files.others() if path.lower().endswith((checkpoint.HEADER, GGUF)))
    for path in paths[:MOST_TENSOR_FILES]:
        tensors = tensors_of(path, files)
        if isinstance(tensors, str):
            skipped.append(Skipped(path, tensors))
        else:
            held[path] = tensors
    if len(paths) > MOST_TENSOR_FILES:
        skipped.append(Skipped(paths[MOST_TENSOR_FILES], f"only {MOST_TENSOR_FILES} files of tensors are read"))
    skipped += _pickles(files)
    found: list[Weights] = []
    for name, shards in _models(held, files).items():
        together: dict[str, Stored] = {}
        for shard in shards:
            for each in held[shard].values():
                if together.setdefault(each.name, each) is not each:
                    skipped.append(Skipped(shard, f"{each.name} is in another file too: the first one counts"))
        if together:
            tensors, packers = packed.told(dict(sorted(together.items())))
            if packers:
                skipped.append(Skipped(name, f"tensors of integers that {packers} packs are not unpacked"))
            found.append(Weights(name, tensors, files.part))
    if len(found) > MOST_CHECKPOINTS:
        skipped.append(Skipped(found[MOST_CHECKPOINTS].path, f"only {MOST_CHECKPOINTS} checkpoints are compared"))
    return Opened(tuple(found[:MOST_CHECKPOINTS]), tuple(skipped))


def tensors_of(path: str, files: Files) -> dict[str, Stored] | str:
    """The tensors of one file, or why they cannot be read."""
    if path.lower().endswith(GGUF):
        return _gguf(path, files)
    header = checkpoint.header_of(path, files.head)
    if isinstance(header, Header):
        return stored(path, header)
    return _POINTER if isinstance(header, Pointer) else header


def _gguf(path: str, files: Files) -> dict[str, Stored] | str:
    wanted = _FIRST_BYTES
    while True:
        head = files.head(path, min(wanted, MOST_HEADER_BYTES))
        if isinstance(head, Skipped):
            return head.reason
        if head.is_whole and lfs_pointer.read(head.data) is not None:
            return _POINTER
        header = gguf_header.read_header(head)
        if isinstance(header, str):
            return header
        if header is not None:
            return packed.in_gguf(path, header, head.size_bytes)
        if wanted >= MOST_HEADER_BYTES:
            return f"the header has more than {len(head.data):,} bytes"
        wanted *= _TIMES_MORE


def _pickles(files: Files) -> Iterator[Skipped]:
    """Say of checkpoints that are pickles alone why they are not read, once for all parts of one."""
    others = files.others()
    read = {_stem(path) for path in others if path.lower().endswith(checkpoint.HEADER)}
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for path in others:
        if path.lower().endswith(_PICKLES) and not _TRAINING.match(path.rpartition("/")[2]):
            parts[_stem(path)].append(path)
    alone = sorted(paths for stem, paths in parts.items() if stem not in read)
    for paths in alone[:MOST_TENSOR_FILES]:
        reason = "a pickle, which runs code when it is read: convert it to safetensors where you trust it"
        yield Skipped(paths[0], f"{reason} (with {len(paths) - 1} more parts)" if len(paths) > 1 else reason)


def _stem(path: str) -> str:
    folder, _, name = path.lower().rpartition("/")
    return f"{folder}/{_NOT_STEM.sub('', name)}"


def _models(held: Mapping[str, object], files: Files) -> dict[str, list[str]]:
    """Files by the model that they are part of: by an index, or by the numbers in their names; others are alone."""
    models: dict[str, list[str]] = {}
    indexed: set[str] = set()
    for path in _nearest_first(path for path in files.others() if path.lower().endswith(checkpoint.INDEX)):
        index = checkpoint.index_of(path, files.head)
        if isinstance(index, tuple):
            folder = path.rpartition("/")[0]
            shards = {f"{folder}/{file}" if folder else file for file in index[0].values()}
            shards = {shard for shard in shards if shard in held} - indexed
            if shards:
                models[path] = sorted(shards)
                indexed |= shards
    numbered: defaultdict[str, list[str]] = defaultdict(list)
    for path in held:
        if path not in indexed:
            numbered[_SHARD.sub(r"-*-of-\1", path)].append(path)
    models |= {name: sorted(shards) for name, shards in numbered.items()}
    return {name: models[name] for name in _nearest_first(models)}


def _nearest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))
