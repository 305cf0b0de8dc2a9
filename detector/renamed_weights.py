"""A checkpoint under the names of another one: its tensors byte by byte, in the same files.

The weights alone are written, no configuration: which one the renamed checkpoint fits is for its reader to say.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from detector.artifacts.checkpoints import checkpoint, safetensors_header
from detector.artifacts.checkpoints.safetensors_header import Header
from detector.artifacts.weights.correspondence import Arrangement
from detector.artifacts.weights.correspondence import Mapping as Correspondence
from detector.artifacts.weights.stored import Weights
from detector.model import Skipped, UserError
from detector.settings.config import MOST_HEADER_BYTES
from detector.targets import Files, Head, Progress, Repo
from detector.write import check_new_folder, check_room, new_folder

OPTION = "--write-renamed"
# What a tensor without a counterpart is called where the reference's names have taken its own.
DISPLACED = ".unmatched"
# So much is held at once, and asked for at once where each part is a request.
_PIECE_BYTES = 1 << 24
_ALIGNMENT = 8
_NUMBERS = re.compile(r"-\*-of-\d+")


@dataclass(frozen=True, slots=True)
class Renamed:
    """What was written."""

    files: tuple[str, ...]
    tensors: int
    total_bytes: int  # of the tensors
    renamed: int  # tensors that are called as the reference calls them
    unmatched: tuple[str, ...]  # without a counterpart: under their own names
    otherwise: tuple[str, ...]  # laid out otherwise than their counterpart, so that its name would promise too much
    displaced: Mapping[str, str]  # those of both whose own name was taken, and how they are called


def write_renamed(
    repo: Repo, weights: Weights, mapping: Correspondence, folder: Path, progress: Progress | None = None
) -> Renamed:
    """Write one checkpoint of a target into a new folder, under the names of what its tensors correspond to.

    Whole or not at all: each file is read back and compared with what was read, tensor by tensor.
    Errors: UserError.
    """
    check_new_folder(folder, OPTION)
    headers = {path: _header(repo.files, path) for path in sorted({each.path for each in weights.tensors.values()})}
    total = sum(_data_bytes(header) for header in headers.values())
    check_room(folder, total, OPTION)
    names = new_names(mapping, weights.tensors)
    places = {path: _relative(path, weights.path) for path in headers}
    copy = _Copy(repo.files, progress, 2 * total)
    with new_folder(folder, OPTION) as beside:
        for path, header in headers.items():
            place = beside / places[path]
            place.parent.mkdir(parents=True, exist_ok=True)
            renamed = _renamed(header, names)
            with place.open("x+b") as file:
                digests = copy.write(file, path, header, renamed)
                copy.verify(file, path, renamed, digests)
        index = _index(weights, places, names, total)
        for name, data in index.items():
            (beside / name).write_bytes(data)
    same = {pair.ours for pair in mapping.pairs if names.get(pair.ours) == pair.theirs}
    otherwise = {pair.ours for pair in mapping.pairs if pair.ours in names} - same
    return Renamed(
        tuple(sorted([*places.values(), *index])),
        len(weights.tensors),
        total,
        len(same),
        tuple(sorted(set(names) - same - otherwise)),
        tuple(sorted(otherwise)),
        {name: new for name, new in sorted(names.items()) if name not in same and new != name},
    )


def new_names(mapping: Correspondence, own: Iterable[str]) -> dict[str, str]:
    """How each tensor is called: as its counterpart where it is laid out alike, otherwise by its own name.

    Ties: of two that have one counterpart the first.
    """
    left = dict.fromkeys(sorted(own))
    names: dict[str, str] = {}
    taken: set[str] = set()
    for pair in mapping.pairs:
        is_free = pair.ours in left and pair.theirs not in taken and pair.theirs != safetensors_header.METADATA
        if pair.arrangement == Arrangement.SAME and is_free:
            del left[pair.ours]
            names[pair.ours] = pair.theirs
            taken.add(pair.theirs)
    held = taken | left.keys()
    for name in left:
        new, number = name, 1
        while new in taken or (new != name and new in held):
            new = name + DISPLACED + (f".{number}" if number > 1 else "")
            number += 1
        names[name] = new
        taken.add(new)
    return names


class _Copy:
    """Copies tensors from a target to a file, and reads them back."""

    def __init__(self, files: Files, progress: Progress | None, total: int) -> None:
        self._files, self._progress = files, progress
        self._done, self._total = 0, total

    def write(self, file: BinaryIO, path: str, header: Header, renamed: Header) -> list[bytes]:
        """Write a whole file; the SHA-256 of each of its tensors as it was read."""
        file.write(_encoded(renamed))
        digests = []
        for tensor in header.tensors:
            digest = hashlib.sha256()
            for begin, size in _pieces(tensor.begin, tensor.end):
                data = self._files.part(path, header.data_begin + begin, size)
                if isinstance(data, Skipped) or len(data) != size:
                    reason = data.reason if isinstance(data, Skipped) else "it ends too early"
                    raise UserError(f"{path}: {reason}: nothing is written")
                file.write(data)
                digest.update(data)
                self._tell(size)
            digests.append(digest.digest())
        file.flush()
        return digests

    def verify(self, file: BinaryIO, path: str, renamed: Header, digests: list[bytes]) -> None:
        """Read back what was written."""
        size_bytes = file.seek(0, 2)
        file.seek(0)
        found = safetensors_header.read_header(Head(file.read(renamed.data_begin), size_bytes))
        is_same = found == renamed
        for tensor, expected in zip(renamed.tensors, digests, strict=True):
            digest = hashlib.sha256()
            for begin, size in _pieces(tensor.begin, tensor.end):
                file.seek(renamed.data_begin + begin)
                digest.update(file.read(size))
                self._tell(size)
            is_same = is_same and digest.digest() == expected
        if not is_same:
            raise UserError(f"{path}: what was written reads back otherwise: nothing is kept; check the disk")

    def _tell(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress("writing", self._done, self._total)


def _header(files: Files, path: str) -> Header:
    if not path.lower().endswith(checkpoint.HEADER):
        raise UserError(f"{OPTION}: {path}: only checkpoints in safetensors are written under other names")
    header = checkpoint.header_of(path, files.head)
    if not isinstance(header, Header):
        raise UserError(f"{path}: it changed while it was compared: compare again")
    return header


def _renamed(header: Header, names: Mapping[str, str]) -> Header:
    """The header of the new file: other names and another length, everything else as it was."""
    tensors = tuple(replace(tensor, name=names.get(tensor.name, tensor.name)) for tensor in header.tensors)
    renamed = Header(tensors, header.metadata, 0)
    encoded = len(_encoded(renamed))
    if encoded > MOST_HEADER_BYTES:
        raise UserError(f"{OPTION}: the names of the reference make a header of {encoded:,} bytes, which is too long")
    return replace(renamed, data_begin=encoded)


def _encoded(header: Header) -> bytes:
    tree: dict[str, object] = {safetensors_header.METADATA: dict(header.metadata)} if header.metadata else {}
    for each in header.tensors:
        tree[each.name] = {"dtype": each.dtype, "shape": each.shape, "data_offsets": [each.begin, each.end]}
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % _ALIGNMENT)  # so that the data is aligned, as the format's own library has it
    return len(text).to_bytes(safetensors_header.LENGTH_BYTES, "little") + text


def _index(weights: Weights, places: Mapping[str, str], names: Mapping[str, str], total: int) -> dict[str, bytes]:
    """The index of a checkpoint in several files, or that had one, by its name."""
    had_one = weights.path.lower().endswith(checkpoint.INDEX)
    if not had_one and len(places) == 1:
        return {}
    name = weights.path.rpartition("/")[2]
    where = {names[each.name]: places[each.path] for each in weights.tensors.values()}
    tree = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
    text = json.dumps(tree, ensure_ascii=False, indent=2) + "\n"
    return {name if had_one else _NUMBERS.sub("", name) + checkpoint.INDEX: text.encode("utf-8")}


def _relative(path: str, top: str) -> str:
    """Where a file is from the folder of its index."""
    folder = top.rpartition("/")[0]
    return path.removeprefix(f"{folder}/") if folder else path


def _data_bytes(header: Header) -> int:
    return max((tensor.end for tensor in header.tensors), default=0)


def _pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    for at in range(begin, end, _PIECE_BYTES):
        yield at, min(_PIECE_BYTES, end - at)
