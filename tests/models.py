"""Small models for tests of weights: seeded arrays under the names of an architecture, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.weights.stored import Values
from detector.evidence import weights
from detector.model import Depth, Look
from detector.targets import Comparison
from tests.repositories import repo
from tests.tensors import safetensors

Model = dict[str, Values]
Change = Callable[[np.random.Generator, str, Values], NDArray[Any]]
WIDTH, LAYERS, VOCABULARY = 128, 4, 600


def model(seed: int) -> Model:
    """A little transformer: every seed is a training of its own."""
    dice = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Values:
        # Heavier tails than normal, and rows of unlike size, as trained matrices have.
        rough = dice.standard_t(5, (rows, columns)) * np.exp(0.3 * dice.standard_normal((rows, 1)))
        return (rough * 0.04).astype(np.float32)

    found: Model = {"embed.tokens.weight": matrix(VOCABULARY, WIDTH)}
    for place in range(LAYERS):
        layer = f"layers.{place}"
        for name in ("query", "key", "value", "output"):
            found[f"{layer}.attention.{name}.weight"] = matrix(WIDTH, WIDTH)
            found[f"{layer}.attention.{name}.bias"] = (dice.standard_normal(WIDTH) * 0.02).astype(np.float32)
        found[f"{layer}.mlp.up.weight"] = matrix(4 * WIDTH, WIDTH)
        found[f"{layer}.mlp.down.weight"] = matrix(WIDTH, 4 * WIDTH)
        found[f"{layer}.norm.weight"] = (1 + 0.1 * dice.standard_normal(WIDTH)).astype(np.float32)
        found[f"{layer}.norm.bias"] = np.zeros(WIDTH, np.float32)
    found["head.weight"] = matrix(50, WIDTH)
    return found


def changed(given: Mapping[str, Values], change: Change, seed: int = 7) -> Model:
    """The same model after something was done to every tensor."""
    dice = np.random.default_rng(seed)
    return {name: np.asarray(change(dice, name, values), np.float32) for name, values in given.items()}


def tuned(given: Mapping[str, Values], seed: int, size: float = 0.3) -> Model:
    """A fine-tune: changes with heavy tails, larger in some layers and rows, larger where values are large."""

    def change(dice: np.random.Generator, name: str, values: Values) -> NDArray[Any]:
        if values.ndim < 2:
            return values + 0.01 * dice.standard_t(4, values.shape)
        rows = np.exp(0.5 * dice.standard_normal((values.shape[0], 1)))
        layer = np.exp(0.3 * dice.standard_normal())
        spread = float(values.std())
        off = rows * dice.standard_t(4, values.shape) * (0.5 * spread + 0.5 * np.abs(values))
        return np.asarray(values + size * layer * off)

    return changed(given, change, seed)


def renamed(given: Mapping[str, Values], seed: int = 3) -> Model:
    """The tensors in another order, under names that say nothing."""
    order = np.random.default_rng(seed).permutation(len(given))
    names = list(given)
    return {f"block.{place:03}.w": given[names[number]] for place, number in enumerate(order)}


def looks(
    suspect: Mapping[str, Any],
    references: Mapping[str, Mapping[str, Any]],
    *,
    bases: Mapping[str, Mapping[str, Any]] | None = None,
    depth: Depth = Depth.FULL,
    dtype: str = "",
) -> tuple[Look, ...]:
    """Compare models that are held in memory. dtype: that the suspect's are stored in."""
    return weights.find(
        Comparison(
            repo("suspect", {"model.safetensors": safetensors(suspect, dtype)}),
            "suspect",
            {name: repo(name, {"model.safetensors": safetensors(each)}) for name, each in references.items()},
            bases={name: repo(name, {"model.safetensors": safetensors(each)}) for name, each in (bases or {}).items()},
            depth=depth,
        )
    )
