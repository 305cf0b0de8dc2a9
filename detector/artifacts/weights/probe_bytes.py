"""Probes as bytes that a store keeps, and back, within bounds: the store may come from a stranger."""

from __future__ import annotations

import json
import zlib

import numpy as np

from detector.artifacts.weights.probe import Probe, Probed
from detector.settings.scan import MOST_PROBE_VALUES, PROBE_TENSORS

# A line of JSON, then 32-bit numbers; compressed, since half of the bytes of what was half precision are zeros.
_MOST_BYTES = PROBE_TENSORS * MOST_PROBE_VALUES * 4 + (1 << 14)
_LITTLE = np.dtype("<f4")
_LEVEL = 1  # values hardly compress any further


def to_bytes(probe: Probe) -> bytes:
    """Write a probe."""
    rows = [[list(each.shape), each.rank, list(each.begins), len(each.values)] for each in probe.tensors]
    about = json.dumps([probe.bytes_read, rows], separators=(",", ":")).encode()
    values = b"".join(each.values.astype(_LITTLE).tobytes() for each in probe.tensors)
    return zlib.compress(about + b"\n" + values, _LEVEL)


def from_bytes(data: bytes) -> Probe:
    """Read a probe.

    Errors: ValueError for what `to_bytes` has not written.
    """
    unpacking = zlib.decompressobj()
    try:
        whole = unpacking.decompress(data, _MOST_BYTES + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    about, ended, values = whole.partition(b"\n")
    if len(whole) > _MOST_BYTES or not ended or not unpacking.eof:
        raise ValueError("it is no probe")
    try:
        read, rows = json.loads(about)
        tensors, begin = [], 0
        for shape, rank, begins, count in rows:
            if not begins or not 0 < count <= MOST_PROBE_VALUES or count % len(begins):
                raise ValueError("it has slices that are none")
            some = np.frombuffer(values, _LITTLE, int(count), begin).astype(np.float32)
            begin += 4 * len(some)
            tensors.append(Probed(tuple(map(int, shape)), int(rank), tuple(map(int, begins)), some))
        return Probe("", tuple(tensors), int(read))
    except (TypeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None
