"""Checkpoints made by numpy for tests: small transformers with the statistics of trained ones, and their disguises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.stored import Weights
from tests.repositories import InMemory

Tensors = dict[str, NDArray[Any]]
WIDTH, HEADS, LAYERS, WORDS, PLACES = 64, 4, 4, 200, 48
_NAMES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "bfloat16": "BF16", "int8": "I8", "int32": "I32",
    "int64": "I64", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def safetensors(tensors: Mapping[str, NDArray[Any]], types: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a file; `types` lies about what a tensor's bytes are."""
    header: dict[str, object] = {}
    data = b""
    for name, values in tensors.items():
        part = np.ascontiguousarray(values).tobytes()
        kind = (types or {}).get(name, _NAMES[values.dtype.name])
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def weights(tensors: Mapping[str, NDArray[Any]], types: Mapping[str, str] | None = None) -> Weights:
    """A checkpoint as it is opened."""
    return open_weights(InMemory({"model.safetensors": safetensors(tensors, types)})).found[0]


def transformer(seed: int, layers: int = LAYERS) -> Tensors:
    """A model that shares nothing with one of another seed but what every trained model has.

    Scales of norms are near one, alike in all layers, with the same few large ones; positions are smooth; biases of the
    vocabulary are log-frequencies; some biases are zero.
    """
    rng = np.random.default_rng(seed)
    profile = 1 + 0.05 * rng.standard_normal(WIDTH)
    profile[rng.choice(WIDTH, 2, replace=False)] = 3.0
    scales = rng.lognormal(sigma=0.5, size=WIDTH) * 0.05
    waves = np.sin(np.linspace(0, 6, PLACES)[:, None] * rng.uniform(0.3, 2, WIDTH) + rng.uniform(0, 6, WIDTH))
    found: Tensors = {
        "embed.words.weight": rng.standard_normal((WORDS, WIDTH)) * scales + 0.02 * rng.standard_normal(WIDTH),
        "embed.places.weight": 0.1 * waves + 0.005 * rng.standard_normal(waves.shape),
        "embed.numbers": np.arange(PLACES),
        "head.bias": -np.log(np.arange(1, WORDS + 1)) + 0.1 * rng.standard_normal(WORDS),
    }
    for layer in range(layers):
        for name, rows, columns in (
            ("attention.query", WIDTH, WIDTH),
            ("attention.key", WIDTH, WIDTH),
            ("attention.value", WIDTH, WIDTH),
            ("attention.out", WIDTH, WIDTH),
            ("mlp.up", 4 * WIDTH, WIDTH),
            ("mlp.down", WIDTH, 4 * WIDTH),
        ):
            matrix = rng.standard_t(6, (rows, columns)) / columns**0.5
            found[f"layers.{layer}.{name}.weight"] = matrix
            found[f"layers.{layer}.{name}.bias"] = 0.05 * rng.standard_normal(rows)
        found[f"layers.{layer}.attention.key.bias"] = np.zeros(WIDTH)
        for name in ("first_norm", "second_norm"):
            found[f"layers.{layer}.{name}.weight"] = profile + 0.05 * layer + 0.02 * rng.standard_normal(WIDTH)
            found[f"layers.{layer}.{name}.bias"] = 0.1 * rng.standard_normal(WIDTH)
    return {name: each.astype(np.float32) if each.dtype.kind == "f" else each for name, each in found.items()}


def noised(tensors: Tensors, sigma: float = 1 / 708, dtype: Any = np.float32, seed: int = 99) -> Tensors:
    """The same with independent noise on every weight."""
    rng = np.random.default_rng(seed)
    return {
        name: (each + sigma * rng.standard_normal(each.shape)).astype(dtype) if each.dtype.kind == "f" else each
        for name, each in tensors.items()
    }


def shuffled(tensors: Tensors, seed: int = 7) -> tuple[Tensors, dict[str, str]]:
    """The same under names that say nothing, in another order; and what each is called really."""
    names = np.random.default_rng(seed).permutation(sorted(tensors)).tolist()
    truth = {f"t{number:03d}": name for number, name in enumerate(names)}
    return {name: tensors[real] for name, real in truth.items()}, truth


def fused(tensors: Tensors) -> Tensors:
    """Query, key and value of each layer in one tensor."""
    found = dict(tensors)
    for layer in range(LAYERS):
        for kind in ("weight", "bias"):
            parts = [found.pop(f"layers.{layer}.attention.{name}.{kind}") for name in ("query", "key", "value")]
            found[f"layers.{layer}.attention.all.{kind}"] = np.concatenate(parts)
    return found


def interleaved(tensors: Tensors) -> Tensors:
    """Query, key and value of each layer in one tensor, head by head."""
    found = dict(tensors)
    for layer in range(LAYERS):
        for kind in ("weight", "bias"):
            parts = [found.pop(f"layers.{layer}.attention.{name}.{kind}") for name in ("query", "key", "value")]
            heads = [part.reshape(HEADS, WIDTH // HEADS, -1) for part in parts]
            shape = (3 * WIDTH, *parts[0].shape[1:])
            found[f"layers.{layer}.attention.all.{kind}"] = np.stack(heads, 1).reshape(shape)
    return found


def turned(tensors: Tensors) -> Tensors:
    """Every matrix but the embeddings turned."""
    return {
        name: each.T.copy() if each.ndim == 2 and not name.startswith("embed") else each
        for name, each in tensors.items()
    }


def neurons_permuted(tensors: Tensors, seed: int = 3) -> Tensors:
    """The neurons of every layer in another order: rows into them and columns out of them."""
    found, rng = dict(tensors), np.random.default_rng(seed)
    for layer in range(LAYERS):
        order = rng.permutation(4 * WIDTH)
        up, bias, down = (f"layers.{layer}.mlp.{name}" for name in ("up.weight", "up.bias", "down.weight"))
        found[up], found[bias], found[down] = found[up][order], found[bias][order], found[down][:, order]
    return found


def stream_changed(tensors: Tensors, change: NDArray[Any]) -> Tensors:
    """The residual stream times a matrix: columns of what reads it, rows of what writes it.

    Of an orthogonal one the model computes the same, but for the norms.
    """
    found: Tensors = {}
    for name, each in tensors.items():
        if each.dtype.kind != "f" or name == "head.bias":
            found[name] = each
        elif name.startswith("embed") or (each.ndim == 2 and ".out." not in name and ".down." not in name):
            found[name] = (each @ change).astype(np.float32)
        elif any(part in name for part in (".out.", ".down.", "norm")):
            found[name] = (change.T @ each).astype(np.float32)
        else:
            found[name] = each
    return found


HALVES = (np.float16, ml_dtypes.bfloat16)
