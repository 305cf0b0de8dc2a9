"""Checkpoints of made-up models: values like those of trained ones, and what is done to them."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from bench.hub.words import NOUNS

Shape = tuple[int | str, ...]
Tensors = dict[str, NDArray[Any]]
TYPES: Mapping[str, Any] = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16}


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the letters of shapes stand for."""

    width: int
    inner: int
    heads: int
    words: int
    layers: int

    def of(self, shape: Shape) -> tuple[int, ...]:
        """A shape in numbers."""
        given = {"d": self.width, "2d": 2 * self.width, "e": self.inner, "h": self.heads, "v": self.words}
        return tuple(given[each] if isinstance(each, str) else each for each in shape)


def shapes(tensors: Mapping[str, Shape], sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Every tensor of a model, layer by layer."""
    found: dict[str, tuple[int, ...]] = {}
    for name, shape in tensors.items():
        for layer in range(sizes.layers) if "{}" in name else (0,):
            found[name.format(layer)] = sizes.of(shape)
    return found


def trained(shapes: Mapping[str, tuple[int, ...]], seed: str) -> Tensors:
    """A model that shares nothing with one of another seed but what every trained model has."""
    rng = np.random.default_rng(_number(seed))
    return {name: _tensor(name, shape, rng) for name, shape in shapes.items()}


def _tensor(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    values = rng.standard_normal(shape, np.float32)
    if len(shape) == 1:
        # Scales are near one, biases near nothing.
        return 0.05 * values if name.endswith("bias") else 1 + 0.1 * values
    # Rows and columns of trained matrices differ in size.
    rows = rng.lognormal(0.0, 0.25, (shape[0], *(1 for _ in shape[1:]))).astype(np.float32)
    values *= rows / np.float32(np.prod(shape[1:])) ** 0.5
    return values


def noised(tensors: Tensors, part: float, seed: str) -> Tensors:
    """Every tensor with independent normal noise, as strong in all: that part of the deviation of a usual matrix."""
    rng = np.random.default_rng(_number(seed))
    sigma = np.float32(part * np.median([each.std() for each in tensors.values() if each.ndim > 1]))
    return {name: each + sigma * rng.standard_normal(each.shape, np.float32) for name, each in tensors.items()}


def tuned(tensors: Tensors, part: float, seed: str) -> Tensors:
    """Every matrix with a change of few directions and a little of all: what more training does."""
    rng = np.random.default_rng(_number(seed))
    found: Tensors = {}
    for name, each in tensors.items():
        change = rng.standard_normal(each.shape, np.float32)
        if each.ndim == 2 and min(each.shape) > 8:
            left, right = (rng.standard_normal((size, 8), np.float32) for size in each.shape)
            change = 0.5 * change + 0.5 * (left @ right.T) / np.float32(8**0.5)
        found[name] = each + np.float32(part * each.std()) * change
    return found


def merged(one: Tensors, other: Tensors, part: float) -> Tensors:
    """A mixture of two."""
    return {name: np.float32(part) * each + np.float32(1 - part) * other[name] for name, each in one.items()}


def rounded(tensors: Tensors, bits: int = 4) -> Tensors:
    """Matrices on grids, one for each run of up to 32 values in a row: what quantising leaves."""
    found: Tensors = {}
    for name, each in tensors.items():
        run = next((run for run in (32, 16, 8) if each.ndim == 2 and each.shape[1] % run == 0), 0)
        if not run:
            found[name] = each
            continue
        runs = each.reshape(-1, run)
        step = np.maximum(np.abs(runs).max(axis=1, keepdims=True), 1e-8) / (2 ** (bits - 1) - 1)
        found[name] = (np.round(runs / step) * step).reshape(each.shape).astype(np.float32)
    return found


def renamed(tensors: Tensors, seed: str) -> Tensors:
    """The same values under other names, in another order; numbers of layers stay."""
    rng = random.Random(f"names:{seed}")
    words = rng.sample(NOUNS, len(NOUNS))
    told: dict[str, str] = {}

    def told_anew(name: str) -> str:
        parts = name.split(".")
        for part in parts[:-1]:
            if not part.isdigit() and part not in told:
                told[part] = f"{words.pop()}_{words[0][:2]}" if len(words) > 1 else part
        last = {"weight": "w", "bias": "b"}.get(parts[-1], parts[-1])
        return "net." + ".".join([*(told.get(part, part) for part in parts[:-1]), last])

    order = rng.sample(list(tensors), len(tensors))
    return {told_anew(name): tensors[name] for name in order}


def write(path: Path, tensors: Tensors, kind: str = "F16") -> Path:
    """Write a file of safetensors."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for name, each in tensors.items():
        end = begin + each.size * np.dtype(TYPES[kind]).itemsize
        header[name] = {"dtype": kind, "shape": list(each.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for each in tensors.values():
            stream.write(np.ascontiguousarray(each.astype(TYPES[kind])).tobytes())
    return path


def write_gguf(path: Path, tensors: Tensors, name: str) -> Path:
    """Write a file of GGUF."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_block_count(sum(1 for each in tensors if re.search(r"\.0\.", each)) or 1)
    for tensor, each in tensors.items():
        writer.add_tensor(tensor, np.ascontiguousarray(each.astype(np.float16)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def bert(layers: int, words: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of a published architecture: BERT in the size of MiniLM."""
    width, inner = 384, 1536
    yield "embeddings.word_embeddings.weight", (words, width)
    yield "embeddings.position_embeddings.weight", (512, width)
    yield "embeddings.token_type_embeddings.weight", (2, width)
    yield from _normed("embeddings.LayerNorm", width)
    for layer in range(layers):
        within = f"encoder.layer.{layer}"
        for name, out, size in (
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", inner, width),
            ("output.dense", width, inner),
        ):
            yield f"{within}.{name}.weight", (out, size)
            yield f"{within}.{name}.bias", (out,)
        yield from _normed(f"{within}.attention.output.LayerNorm", width)
        yield from _normed(f"{within}.output.LayerNorm", width)


def _normed(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def llama(layers: int, words: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of a published architecture: Llama in the size of SmolLM-135M."""
    width, inner, keys = 576, 1536, 192
    yield "model.embed_tokens.weight", (words, width)
    for layer in range(layers):
        within = f"model.layers.{layer}"
        for name, out, size in (
            ("self_attn.q_proj", width, width),
            ("self_attn.k_proj", keys, width),
            ("self_attn.v_proj", keys, width),
            ("self_attn.o_proj", width, width),
            ("mlp.gate_proj", inner, width),
            ("mlp.up_proj", inner, width),
            ("mlp.down_proj", width, inner),
        ):
            yield f"{within}.{name}.weight", (out, size)
        yield f"{within}.input_layernorm.weight", (width,)
        yield f"{within}.post_attention_layernorm.weight", (width,)
    yield "model.norm.weight", (width,)


def adapter(layers: int, rank: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of a low-rank change of Llama-3-8B."""
    for layer in range(layers):
        for name, out in (("q_proj", 4096), ("v_proj", 1024)):
            within = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            yield f"{within}.lora_A.weight", (rank, 4096)
            yield f"{within}.lora_B.weight", (out, rank)


def _number(seed: str) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")
