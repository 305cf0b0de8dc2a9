"""What may be done to the weights of a model: to hide it, to make another model of it, or just to store it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.weights.files import is_weight

Values = dict[str, NDArray[Any]]
Draw = np.random.Generator
INVERSE_SIGMA = 708  # of the published case: `torch.randn_like(x) / 708`
LARGE_NOISE = 0.2  # of each tensor's own standard deviation
SCALE = 1.07
PRUNED = 0.3
RANK, LORA_SHARE = 4, 0.05  # an update of the size of this part of each matrix
LEVELS = 127  # of 8-bit integers


def matrices(values: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of the tensors of weights with two dimensions."""
    return [name for name, value in values.items() if value.ndim == 2 and is_weight(value)]


def with_noise(values: Values, draw: Draw, inverse_sigma: float = INVERSE_SIGMA) -> Values:
    """One Gaussian for every value."""
    return {
        name: value + draw.standard_normal(value.shape, np.float32) / np.float32(inverse_sigma)
        if is_weight(value)
        else value
        for name, value in values.items()
    }


def with_large_noise(values: Values, draw: Draw) -> Values:
    """Noise of a fifth of each tensor's own spread."""
    return {
        name: value + draw.standard_normal(value.shape, np.float32) * np.float32(LARGE_NOISE * value.std())
        if is_weight(value)
        else value
        for name, value in values.items()
    }


def shuffled_names(values: Values, draw: Draw) -> tuple[Values, dict[str, str]]:
    """Names that tell nothing, in an order that tells nothing; and which name stands for which."""
    order = draw.permutation(list(values))
    names = {f"t{place:03d}": str(name) for place, name in enumerate(order)}
    return {new: values[old] for new, old in names.items()}, names


def scaled(values: Values) -> Values:
    """Every matrix by one factor."""
    return values | {name: values[name] * np.float32(SCALE) for name in matrices(values)}


def pruned(values: Values) -> Values:
    """The smallest values of every matrix set to nothing."""
    found = dict(values)
    for name in matrices(values):
        sizes = np.abs(values[name])
        found[name] = np.where(sizes < np.quantile(sizes, PRUNED), np.float32(0), values[name])
    return found


def quantised(values: Values) -> Values:
    """To 8-bit integers and back, with a scale for each row."""
    found = dict(values)
    for name in matrices(values):
        step = np.abs(values[name]).max(axis=1, keepdims=True) / LEVELS
        found[name] = (np.round(values[name] / step) * step).astype(np.float32)
    return found


def lora(values: Values, draw: Draw, only: Sequence[str]) -> Values:
    """A low-rank update of some matrices, merged."""
    found = dict(values)
    for name in only:
        rows, columns = values[name].shape
        update = draw.standard_normal((rows, RANK)) @ draw.standard_normal((RANK, columns))
        found[name] = (values[name] + update * (LORA_SHARE * values[name].std() / update.std())).astype(np.float32)
    return found


def soup(one: Values, other: Values) -> Values:
    """The mean of two."""
    return {name: (value + other[name]) / 2 for name, value in one.items()}


def without_layers(values: Values, *dropped: int, prefix: str = "layers.") -> tuple[Values, dict[str, str]]:
    """A model without some of its layers, those after them moved up; and which name was which."""
    numbers = sorted({int(name.removeprefix(prefix).split(".")[0]) for name in values if name.startswith(prefix)})
    moved = {old: new for new, old in enumerate(number for number in numbers if number not in dropped)}
    names = {}
    for name in values:
        number, dot, rest = name.removeprefix(prefix).partition(".")
        if not name.startswith(prefix):
            names[name] = name
        elif int(number) in moved:
            names[f"{prefix}{moved[int(number)]}{dot}{rest}"] = name
    return {new: values[old] for new, old in names.items()}, names


def with_rows(values: Values, draw: Draw, names: Iterable[str], rows: int) -> Values:
    """More entries of a vocabulary."""
    found = dict(values)
    for name in names:
        value = values[name]
        more = draw.standard_normal((rows, value.shape[1]), np.float32) * np.float32(value.std())
        found[name] = np.concatenate([value, more])
    return found


def layers(values: Mapping[str, NDArray[Any]]) -> list[str]:
    """Prefixes of the layers of a small model, in their order."""
    return sorted({".".join(name.split(".")[:2]) for name in values if name.startswith("layers.")})


def permuted(values: Values, draw: Draw, heads: int) -> Values:
    """The same function: neurons, heads and the residual stream in another order."""
    found = dict(values)
    width = values["embed.weight"].shape[1]
    stream = draw.permutation(width)
    for layer in layers(values):
        neurons = draw.permutation(values[f"{layer}.up.weight"].shape[0])
        found[f"{layer}.up.weight"] = values[f"{layer}.up.weight"][neurons]
        found[f"{layer}.up.bias"] = values[f"{layer}.up.bias"][neurons]
        found[f"{layer}.down.weight"] = values[f"{layer}.down.weight"][:, neurons]
        of_heads = np.arange(width).reshape(heads, -1)[draw.permutation(heads)].ravel()
        for part in ("query", "key", "value"):
            found[f"{layer}.attention.{part}.weight"] = values[f"{layer}.attention.{part}.weight"][of_heads]
        found[f"{layer}.attention.out.weight"] = values[f"{layer}.attention.out.weight"][:, of_heads]
    return _on_stream(found, lambda value: value[:, stream], lambda value: value[stream], lambda value: value[stream])


def rotated(values: Values, draw: Draw) -> Values:
    """The same function: the gains of norms moved into the matrices after them, then the residual stream turned."""
    found = dict(values)
    after = {"norm": ["head"]}
    for layer in layers(values):
        after[f"{layer}.attention_norm"] = [f"{layer}.attention.{part}" for part in ("query", "key", "value")]
        after[f"{layer}.mlp_norm"] = [f"{layer}.up"]
    for norm, readers in after.items():
        for reader in readers:
            found[f"{reader}.weight"] = found[f"{reader}.weight"] * found[f"{norm}.weight"]
        found[f"{norm}.weight"] = np.ones_like(found[f"{norm}.weight"])
    width = values["embed.weight"].shape[1]
    turn, signs = np.linalg.qr(draw.standard_normal((width, width)))
    turn = turn * np.sign(np.diag(signs))
    made = _on_stream(found, lambda value: value @ turn, lambda value: turn.T @ value, lambda value: value)
    for layer in layers(values):
        made[f"{layer}.down.bias"] = found[f"{layer}.down.bias"] @ turn
    return {name: value.astype(np.float32) for name, value in made.items()}


Change = Callable[[NDArray[Any]], NDArray[Any]]


def _on_stream(values: Values, read: Change, written: Change, gain: Change) -> Values:
    """Change what reads the residual stream (columns), what writes to it (rows), and what scales it."""
    found = dict(values)
    for name, value in values.items():
        if name.endswith(("norm.weight", "down.bias")):
            found[name] = gain(value)
        elif name.endswith(("out.weight", "down.weight")):
            found[name] = written(value)
        elif value.ndim == 2:
            found[name] = read(value)
    return found


def fused(values: Values) -> Values:
    """Query, key and value of each layer as one tensor."""
    found = {}
    for name, value in values.items():
        if ".query." in name:
            found[name.replace(".query.", ".qkv.")] = np.concatenate(
                [values[name.replace(".query.", f".{part}.")] for part in ("query", "key", "value")]
            )
        elif ".key." not in name and ".value." not in name:
            found[name] = value
    return found


def split(values: Values, part: str = ".up.weight") -> Values:
    """The first matrix of each layer's two in halves."""
    found: Values = {}
    for name, value in values.items():
        if name.endswith(part):
            stem = name.removesuffix(part)
            found[f"{stem}.gate.weight"], found[f"{stem}.rise.weight"] = np.split(value, 2)
        else:
            found[name] = value
    return found


def transposed(values: Values, names: Sequence[str]) -> Values:
    """Some matrices with rows and columns exchanged, as other libraries store them."""
    return {name: value.T.copy() if name in names else value for name, value in values.items()}
