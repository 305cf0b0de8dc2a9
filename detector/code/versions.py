"""Which version of which file of one history a Python file is nearest to, by what its functions compute.

Files are sets of shingles, weighted by how few published packages have them, as everywhere; every blob is read and
lowered once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.background import background
from detector.code.lowering.python import begin
from detector.code.parse import lower_file, parsing
from detector.code.shingle import shingle
from detector.code.sorting import Hashes
from detector.settings import LEAST_WEIGHT
from detector.settings.history import (
    MOST_NEAREST_PATHS,
    MOST_VERSION_BLOBS,
    MOST_VERSION_BYTES,
    NEAREST_BITS,
    NEAREST_SIMILARITY,
)

Read = Callable[[str], bytes | None]
Floats = npt.NDArray[np.float64]


class Version(Protocol):
    """One state of a file, and since when it is known."""

    @property
    def path(self) -> str:
        """Where it stands."""
        ...

    @property
    def blob(self) -> str:
        """Its id."""
        ...

    @property
    def since(self) -> int:
        """Seconds since 1970."""
        ...


@dataclass(frozen=True, slots=True)
class Nearest:
    """The version that a file is nearest to."""

    version: int  # its number
    similarity: float  # weighted Jaccard of their shingles, 0..1
    bits: float  # what they share
    latest: float  # similarity to the newest version of the same file


class Lowered:
    """The shingles of blobs, each lowered once, within a budget."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._found: dict[str, Hashes] = {}
        self._bytes = 0
        self.left_out = 0  # blobs beyond the budget

    def of(self, blob: str) -> Hashes:
        """The distinct shingles of a blob, ascending; none if it cannot be read, or nothing is left to spend."""
        known = self._found.get(blob)
        if known is not None:
            return known
        if len(self._found) >= MOST_VERSION_BLOBS or self._bytes >= MOST_VERSION_BYTES:
            self.left_out += 1
            return np.zeros(0, np.uint64)
        data = self._read(blob)
        self._bytes += len(data or b"")
        found = _shingles(data) if data else np.zeros(0, np.uint64)
        self._found[blob] = found
        return found


def nearest_versions(
    files: Sequence[Version], versions: Sequence[Version], ours: Lowered, theirs: Lowered
) -> list[tuple[Nearest | None, Nearest | None]]:
    """Find the nearest version of each file: among those that are not newer than the file, and among all.

    First the newest version of every path is compared, then all versions of the nearest paths: those of one path differ
    little, beside what two paths differ in. None where nothing is near. Of versions that are as near, the oldest.
    """
    by_path: dict[str, list[int]] = {}
    for number, version in enumerate(versions):
        by_path.setdefault(version.path, []).append(number)
    newest = [max(each, key=lambda k: versions[k].since) for each in by_path.values()]
    oldest = [min(versions[k].since for k in each) for each in by_path.values()]
    overlap, _ = _similarities(files, [versions[k] for k in newest], ours, theirs)
    found = []
    for row, file in enumerate(files):
        is_older = np.array([since <= file.since for since in oldest], bool)
        paths = [versions[newest[k]].path for mask in (is_older, ~is_older) for k in _best(overlap[row] * mask)]
        chosen = [number for path in paths for number in by_path[path]]
        similarity, bits = (each[0] for each in _similarities([file], [versions[k] for k in chosen], ours, theirs))
        measured = {k: (float(similarity[j]), float(bits[j])) for j, k in enumerate(chosen)}
        older = [k for k in chosen if versions[k].since <= file.since]
        found.append((_nearest(versions, measured, older), _nearest(versions, measured, chosen)))
    return found


def _best(overlap: Floats) -> list[int]:
    order = np.argsort(-overlap, kind="stable")[:MOST_NEAREST_PATHS]
    return [int(k) for k in order if overlap[k] > 0]


def _nearest(
    versions: Sequence[Version], measured: Mapping[int, tuple[float, float]], allowed: Sequence[int]
) -> Nearest | None:
    if not allowed:
        return None
    best = min(allowed, key=lambda k: (-round(measured[k][0], 9), versions[k].since, versions[k].path))
    latest = max((k for k in measured if versions[k].path == versions[best].path), key=lambda k: versions[k].since)
    similarity, bits = measured[best]
    if similarity < NEAREST_SIMILARITY or bits < NEAREST_BITS:
        return None
    return Nearest(best, similarity, bits, measured[latest][0])


def _similarities(
    files: Sequence[Version], versions: Sequence[Version], ours: Lowered, theirs: Lowered
) -> tuple[Floats, Floats]:
    """Weighted Jaccard and shared bits. Shapes: files x versions."""
    sets = [*(ours.of(each.blob) for each in files), *(theirs.of(each.blob) for each in versions)]
    sizes = np.array([len(each) for each in sets], np.int64)
    known, columns = np.unique(np.concatenate([np.zeros(0, np.uint64), *sets]), return_inverse=True)
    table = background()
    rarity = np.log2((table.packages + 1) / np.maximum(table.frequency(known), 1))
    weights = np.maximum(rarity, LEAST_WEIGHT)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    matrix = sparse.csr_matrix((np.ones(len(columns)), columns, offsets), shape=(len(sets), max(len(known), 1)))
    weighted = matrix.multiply(weights[None, :] if len(known) else np.ones((1, 1))).tocsr()
    totals = np.asarray(weighted.sum(axis=1)).ravel()
    bits: Floats = (weighted[: len(files)] @ matrix[len(files) :].T).toarray()
    union = totals[: len(files), None] + totals[None, len(files) :] - bits
    similarity: Floats = bits / np.maximum(union, 1e-9)
    return similarity, bits


def _shingles(data: bytes) -> Hashes:
    batch = begin()
    with parsing():
        lower_file(data, batch, frozenset())
    found: Hashes = np.unique(shingle(batch).shingles.hashes)
    return found
