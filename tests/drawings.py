"""Figures as large as those of real models: a map of 741 tensors, residuals of millions of values, twelve models."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from statistics import NormalDist

from detector.figures import Figure, Histogram, Matrix, Mosaic, Tile

_OF_A_LAYER = {
    "self_attn.q_proj.weight": 4096 * 4096,
    "self_attn.k_proj.weight": 1024 * 4096,
    "self_attn.v_proj.weight": 1024 * 4096,
    "self_attn.o_proj.weight": 4096 * 4096,
    "mlp.gate_proj.weight": 14336 * 4096,
    "mlp.up_proj.weight": 14336 * 4096,
    "mlp.down_proj.weight": 14336 * 4096,
    "input_layernorm.weight": 4096,
    "post_attention_layernorm.weight": 4096,
}
_PARTS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2")
_OF_A_BLOCK = {
    f"{part}.{kind}": 1152 * (4304 if "mlp" in part else 1152) if kind == "weight" else 1152
    for part in _PARTS
    for kind in ("weight", "bias")
} | {f"layer_norm{number}.{kind}": 1152 for number in (1, 2) for kind in ("weight", "bias")}
_RESAMPLER = ("query", "kv_proj.weight", "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight")
CATEGORIES = ("identical", "cast", "noised", "fine-tuned", "undetermined", "unmatched")


def tensor_map() -> Mosaic:
    """A language model of 32 layers and a vision model of 27, as the tensors of one stand for those of the other."""
    rows = [
        (
            "llm",
            "llm",
            {"model.embed_tokens.weight": 128256 * 4096, "model.norm.weight": 4096, "lm_head.weight": 1 << 29},
        ),
        *((f"llm.model.layers.{n}", f"llm.model.layers.{n}", _OF_A_LAYER) for n in range(32)),
        *((f"vison.encoder.layers.{n}", f"vpm.encoder.layers.{n}", _OF_A_BLOCK) for n in range(26)),
        ("projection", "resampler", dict.fromkeys(_RESAMPLER, 4096 * 4096)),
    ]
    tiles = [
        Tile(group, f"{group}.{name}", f"{theirs}.{name}", _category(group, name), size, "sigma 0.00141, r 0.9961")
        for group, theirs, names in rows
        for name, size in names.items()
    ]
    extra = [
        Tile("vison.extra", f"vison.extra.adapter.{number}", "", "unmatched", 1152 * 64)
        for number in range(741 - len(tiles))
    ]
    return Mosaic("weights", "tensor-map", "original", "Which tensor stands for which", CATEGORIES, (*tiles, *extra))


def _category(group: str, name: str) -> str:
    if "norm" in name:
        return "identical" if group.startswith("llm") else "cast"
    if group.endswith((".24", ".25")):
        return "fine-tuned"
    return "undetermined" if name.endswith("k_proj.bias") else "noised"


def few_tensors() -> Mosaic:
    """A small network: twelve tensors in five groups."""
    names = ("conv1", "conv2", "fc1", "fc2", "head.0", "head.1")
    tiles = tuple(
        Tile(
            name.partition(".")[0],
            f"{name}.{kind}",
            f"net.{name}.{kind}" if number != 4 else "",
            "unmatched" if number == 4 else ("noised", "identical")[kind == "bias"],
            64.0 ** (2 if kind == "weight" else 1),
        )
        for number, name in enumerate(names)
        for kind in ("weight", "bias")
    )
    return Mosaic("weights", "tensor-map", "cited", "Which tensor stands for which", CATEGORIES, tiles)


def residuals() -> Histogram:
    """Residuals of four million values in 60 bins, over the normal distribution of the same spread."""
    count, edges = 4_194_304, tuple((number - 30) / 7.5 for number in range(61))
    shares = [NormalDist().cdf(high) - NormalDist().cdf(low) for low, high in pairwise(edges)]
    drawn = random.Random(6)
    observed = tuple(
        max(0, round(share * count + drawn.gauss(0, 1) * 6 * math.sqrt(share * count))) for share in shares
    )
    return Histogram(
        "weights",
        "residuals",
        "original",
        "What is left between the two, in units of its spread",
        "residual, in standard deviations",
        edges,
        observed,
        tuple(share * count for share in shares),
        "the fitted normal distribution",
    )


def agreement() -> Matrix:
    """Twelve models, of which the first two answer alike."""
    names = ("rebadged", "original", *(f"resnet-{depth}-seed-{seed}" for depth in (18, 34) for seed in range(1, 6)))
    drawn = random.Random(2)
    values: list[list[float | None]] = [[None] * len(names) for _ in names]
    for row in range(len(names)):
        for column in range(row):
            value = 0.943 if (row, column) == (1, 0) else round(drawn.uniform(0.78, 0.86), 3)
            values[row][column] = values[column][row] = value
    return Matrix(
        "behaviour", "agreement", "", "Share of items with the same answer", names, names, tuple(map(tuple, values))
    )


def null_and_pair() -> Histogram:
    """How often pairs of independent models share wrong answers so much, and where two pairs stand."""
    drawn = random.Random(11)
    edges = tuple(float(number) for number in range(41))
    observed = [0] * 40
    for _ in range(276):
        observed[min(39, max(0, int(drawn.gauss(5.5, 2.4))))] += 1
    return Histogram(
        "behaviour",
        "panel",
        "original",
        "The same wrong answers: pairs of the panel, and this pair",
        "z of the same wrong answers",
        edges,
        tuple(observed),
        marks=(("largest of the panel", 12.6), ("rebadged and original", 33.8), ("rebadged and cited", 9.1)),
    )


def figures() -> tuple[Figure, ...]:
    """All of them."""
    return tensor_map(), residuals(), agreement(), null_and_pair(), few_tensors()
