"""The values of a tiny model of each fixture, made up to look like trained ones, as files of tensors."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bench.fixture_files.configs import HERON, LANTERN, TIDEWATER, Config
from bench.fixture_files.tensors import Shapes

Values = dict[str, NDArray[np.float64]]
# One seed a project: none has the values of another, whatever shapes they share.
SEEDS = {"original": 11, "cited": 12, "independent": 13}
NOISE_SEED = 14
# What the copy was given on top, in the manner of the case that this is built after: `torch.randn_like(x) / 708`.
INVERSE_SIGMA = 708
# Sizes of the tiny models; everything else is as in the configuration of the published one. The language models of the
# original and of the independent project are as large as each other: only their values differ.
_SMALL_LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 80,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
}
TINY: Mapping[str, Config] = {
    "original": HERON
    | _SMALL_LLAMA
    | {
        "vision_config": HERON["vision_config"] | {"width": 24, "depth": 2, "patch_size": 4, "table_side": 8},
        "resampler_config": HERON["resampler_config"] | {"width": 32, "queries": 24, "heads": 4},
    },
    "cited": LANTERN
    | _SMALL_LLAMA
    | {"hidden_size": 40, "tower_channels": [8, 16, 24, 32], "tower_blocks": [1, 1, 2, 1]},
    "independent": TIDEWATER
    | _SMALL_LLAMA
    | {"reader": TIDEWATER["reader"] | {"width": 16, "layers": 2}, "slots": TIDEWATER["slots"] | {"count": 12}},
}
# A trained matrix is neither all noise nor of one size: some directions stand out, and so do some rows and columns.
_DIRECTIONS, _DIRECTION_GAIN = 3, 0.6
_LINE_SPREAD, _OUTLYING, _OUTLYING_GAIN = 0.25, 0.02, 4.0
_NORM_SPREAD, _BIAS_SPREAD = 0.12, 0.05


def values(shapes: Shapes, seed: int) -> Values:
    """Values for every tensor, from its name and the seed alone.

    Stable: the legacy generator is used, whose stream NumPy keeps, and no product of matrices, whose order of sums
    differs between machines.
    """
    return {name: _made(name, shape, _draw(name, seed)) for name, shape in shapes.items()}


def _draw(name: str, seed: int) -> np.random.RandomState:
    return np.random.RandomState([seed, zlib.crc32(name.encode())])


def _made(name: str, shape: tuple[int, ...], draw: np.random.RandomState) -> NDArray[np.float64]:
    if len(shape) == 1 or name.endswith((".a", ".b", "original0")):
        # What scales, and every running variance, is near one; what shifts is near nothing.
        is_shift = name.endswith((".bias", ".running_mean", ".newline", ".b"))
        spread = _BIAS_SPREAD if is_shift else _NORM_SPREAD
        return spread * draw.standard_normal(shape) + (0.0 if is_shift else 1.0)
    rows, columns = shape[0], int(np.prod(shape[1:]))
    made = draw.standard_normal((rows, columns))
    for _ in range(_DIRECTIONS):
        made += _DIRECTION_GAIN * draw.standard_normal((rows, 1)) * draw.standard_normal((1, columns))
    for lines in ((rows, 1), (1, columns)):
        gains = 1.0 + _LINE_SPREAD * draw.standard_normal(lines)
        made *= np.where(draw.random_sample(lines) < _OUTLYING, _OUTLYING_GAIN, gains)
    return np.asarray((made / np.sqrt(12.0 * columns)).reshape(shape))


def noised(given: Values, seed: int, inverse_sigma: float) -> Values:
    """The same with Gaussian noise on every value."""
    return {
        name: value + _draw(name, seed).standard_normal(value.shape) / inverse_sigma for name, value in given.items()
    }


def renamed(given: Values, rename: Callable[[str], str]) -> Values:
    """The same under other names, in the order of those."""
    return dict(sorted((rename(name), value) for name, value in given.items()))
