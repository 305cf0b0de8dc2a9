"""Published models that many start from, as digests of their matrices: equal tensors that these explain say little."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from detector.artifacts.weights.sketch import shape_of
from detector.artifacts.weights.stored import CannotReadValues, Stored, Weights, stored_bytes
from detector.model import Skipped

FILE = "known_bases.json"
# Digits of SHA-256: 64 bits, of some thousand tensors no two are alike by chance.
_DIGITS = 16
# Bytes that are read at once.
_PIECE = 1 << 24
Key = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class KnownBases:
    """Models by the digests of their matrices, stored as published and in the half-precision types."""

    models: Mapping[str, frozenset[str]]  # by the model's name
    shapes: frozenset[Key]  # types and shapes that a matrix of any of them has


@cache
def known_bases() -> KnownBases:
    """The table that ships with the package; `python -m bench.known_bases --write` rebuilds it."""
    return loaded(json.loads((resources.files("detector.artifacts.weights") / FILE).read_text("utf-8")))


def loaded(table: Mapping[str, Any]) -> KnownBases:
    """Put the table together.

    Shapes: `models` by name, each with `tensors`: type, shape, digest.
    """
    models = {name: frozenset(row[2] for row in model["tensors"]) for name, model in table["models"].items()}
    rows = (row for model in table["models"].values() for row in model["tensors"])
    return KnownBases(models, frozenset((row[0], tuple(row[1])) for row in rows))


def digest(dtype: str, shape: Iterable[int], pieces: Iterable[bytes]) -> str:
    """The digest of one tensor: its type, its shape, its bytes."""
    found = hashlib.sha256(f"{dtype} {','.join(map(str, shape))}\n".encode())
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()[:_DIGITS]


def explained(weights: Weights, names: Iterable[str], known: KnownBases) -> dict[str, str]:
    """Which of these tensors are those of which known model.

    Ties: of models that have the same tensor the first of the table.
    """
    found: dict[str, str] = {}
    for name in names:
        tensor = weights.tensors[name]
        if (tensor.dtype, shape_of(tensor)) not in known.shapes:
            continue
        try:
            told = digest(tensor.dtype, shape_of(tensor), _pieces(weights, tensor))
        except CannotReadValues:
            continue  # told where its values are compared
        model = next((model for model, digests in known.models.items() if told in digests), "")
        if model:
            found[name] = model
    return found


def _pieces(weights: Weights, tensor: Stored) -> Iterable[bytes]:
    end = tensor.begin + stored_bytes(tensor)
    for begin in range(tensor.begin, end, _PIECE):
        data = weights.part(tensor.path, begin, min(_PIECE, end - begin))
        if isinstance(data, Skipped):
            raise CannotReadValues(f"{tensor.name}: {data.reason}")
        weights.bytes_read += len(data)
        yield data
