"""Checkpoints for tests: safetensors files made of arrays, held in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

NAMES = {
    np.dtype(np.float16): "F16",
    np.dtype(ml_dtypes.bfloat16): "BF16",
    np.dtype(np.float32): "F32",
    np.dtype(np.float64): "F64",
    np.dtype(np.int8): "I8",
    np.dtype(np.int64): "I64",
    np.dtype(np.bool_): "BOOL",
}
TYPES = {name: dtype for dtype, name in NAMES.items()}


def safetensors(tensors: Mapping[str, Any], dtype: str = "") -> bytes:
    """One file with these arrays, as they are or in another type."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    at = 0
    for name, array in tensors.items():
        given = np.ascontiguousarray(array if not dtype else np.asarray(array).astype(TYPES[dtype]))
        data = given.tobytes()
        header[name] = {
            "dtype": NAMES[given.dtype],
            "shape": list(np.shape(array)),
            "data_offsets": [at, at + len(data)],
        }
        at += len(data)
        parts.append(data)
    told = json.dumps(header).encode()
    return len(told).to_bytes(8, "little") + told + b"".join(parts)
