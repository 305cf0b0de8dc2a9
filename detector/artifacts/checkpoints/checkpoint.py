"""Indexes and headers of checkpoints -> names and shapes of tensors, one checkpoint a folder or file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts import lfs_pointer
from detector.artifacts.bounded_json import CannotParse, parse
from detector.artifacts.checkpoints import safetensors_header
from detector.artifacts.checkpoints.safetensors_header import Header
from detector.artifacts.lfs_pointer import Pointer
from detector.model import Skipped
from detector.settings.config import MOST_CHECKPOINTS, MOST_INDEX_BYTES, MOST_TENSOR_FILES, MOST_TENSORS
from detector.targets import Head

INDEX = ".index.json"
HEADER = ".safetensors"
Shape = tuple[int, ...]
Open = Callable[[str, int], Head | Skipped]
_MOST_DEPTH = 8
# A tensor is a key and a value of the index; what else it says is short.
_VALUES_A_TENSOR = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of one model: names, and shapes where a header could be read."""

    path: str  # of the index, or of the one file
    tensors: Mapping[str, Shape | None]  # by name
    total_bytes: int | None  # as the index says, or as the headers add up to


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """What a target has of checkpoints."""

    found: tuple[Checkpoint, ...]
    files: Mapping[str, Pointer]  # large files that are not here, by path
    skipped: tuple[Skipped, ...]


def read_index(data: bytes) -> tuple[dict[str, str], int | None] | None:
    """Names of tensors with the files that hold them, and the size of all; None if it is another index.

    Errors: CannotParse.
    """
    tree = parse(data, _MOST_DEPTH, MOST_TENSORS * _VALUES_A_TENSOR)
    files = tree.get("weight_map") if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(files, dict):
        return None
    said = tree.get("metadata")
    total = said.get("total_size") if isinstance(said, dict) else None
    if isinstance(total, float) and total.is_integer():
        total = int(total)
    is_size = isinstance(total, int) and not isinstance(total, bool) and 0 <= total < 2**63
    return {name: str(file) for name, file in files.items()}, total if is_size else None


def read(paths: Sequence[str], head: Open) -> Checkpoints:
    """Read every index and every header among these files."""
    skipped: list[Skipped] = []
    files: dict[str, Pointer] = {}
    headers: dict[str, Header] = {}
    of_tensors = _nearest_first(path for path in paths if path.lower().endswith(HEADER))
    for path in of_tensors[:MOST_TENSOR_FILES]:
        found = header_of(path, head)
        if isinstance(found, Pointer):
            files[path] = found
        elif isinstance(found, Header):
            headers[path] = found
        else:
            skipped.append(Skipped(path, found))
    if len(of_tensors) > MOST_TENSOR_FILES:
        skipped.append(Skipped(of_tensors[MOST_TENSOR_FILES], f"only {MOST_TENSOR_FILES} headers are read"))
    checkpoints: list[Checkpoint] = []
    held: set[str] = set()
    for path in _nearest_first(path for path in paths if path.lower().endswith(INDEX)):
        index = index_of(path, head)
        if isinstance(index, Skipped):
            skipped.append(index)
        elif index is not None:
            folder = path.rpartition("/")[0]
            shards = {f"{folder}/{file}" if folder else file for file in index[0].values()}
            held |= shards
            checkpoints.append(_with_shapes(path, *index, [headers[one] for one in sorted(shards) if one in headers]))
    checkpoints += [_alone(path, header) for path, header in headers.items() if path not in held]
    return Checkpoints(tuple(checkpoints[:MOST_CHECKPOINTS]), files, tuple(skipped))


def _nearest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))


def header_of(path: str, head: Open) -> Header | Pointer | str:
    """Read the header of one file: its first bytes, then as many as they ask for."""
    first = head(path, lfs_pointer.MOST_POINTER_BYTES)
    if isinstance(first, Skipped):
        return first.reason
    pointer = lfs_pointer.read(first.data) if first.is_whole else None
    if pointer is not None:
        return pointer
    needed = safetensors_header.header_bytes(first)
    if isinstance(needed, str):
        return needed
    whole = head(path, needed)
    return whole.reason if isinstance(whole, Skipped) else safetensors_header.read_header(whole)


def index_of(path: str, head: Open) -> tuple[dict[str, str], int | None] | Skipped | None:
    """Read one index; what `read_index` gives, or why there is none."""
    found = head(path, MOST_INDEX_BYTES)
    if isinstance(found, Skipped):
        return Skipped(path, found.reason)
    if not found.is_whole:
        return Skipped(path, f"larger than {MOST_INDEX_BYTES:,} bytes: no index of a checkpoint is")
    if lfs_pointer.read(found.data) is not None:
        return Skipped(path, "only the pointer of git-lfs is there, not the file")
    try:
        return read_index(found.data)
    except CannotParse as error:
        return Skipped(path, error.reason)


def _with_shapes(path: str, files: Mapping[str, str], total: int | None, headers: Sequence[Header]) -> Checkpoint:
    shapes = {tensor.name: tensor.shape for header in headers for tensor in header.tensors}
    return Checkpoint(path, {name: shapes.get(name) for name in sorted(files)}, total)


def _alone(path: str, header: Header) -> Checkpoint:
    tensors = {tensor.name: tensor.shape for tensor in sorted(header.tensors, key=lambda tensor: tensor.name)}
    return Checkpoint(path, tensors, max((tensor.end for tensor in header.tensors), default=0))
