"""Pairs of tensors -> layers that one side does not have."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from detector.artifacts.weights.correspondence import Pair

# The first number that is a part of a name by itself is the layer's; what follows are experts and blocks within it.
_LAYER = re.compile(r"^(.*?)(?:^|(?<=[./_]))(\d{1,6})(?=[./])")


def layer_of(name: str) -> str:
    """The layer that a tensor is in: "encoder.layer.4"; "" if in none."""
    match = _LAYER.match(name)
    return match.group(0) if match else ""


def missing_layers(
    pairs: Iterable[Pair], ours: Iterable[str], theirs: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Layers of the reference that the suspect does not have, and the other way round.

    ours, theirs: names of tensors whose values tell what they are.
    A layer is missing if none of its tensors has a certain counterpart, and those of its siblings have.
    """
    certain = [pair for pair in pairs if pair.is_certain]
    return (
        _missing(theirs, {pair.theirs for pair in certain}),
        _missing(ours, {pair.ours for pair in certain}),
    )


def _missing(names: Iterable[str], found: set[str]) -> tuple[str, ...]:
    families: defaultdict[str, defaultdict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        layer = layer_of(name)
        if layer:
            families[layer.rstrip("0123456789")][layer].append(name in found)
    missing = []
    for layers in families.values():
        there = [layer for layer, each in layers.items() if any(each)]
        # Of the layers that are there most tensors are found, or nothing can be said of the others.
        shares = sorted(sum(layers[layer]) / len(layers[layer]) for layer in there)
        if shares and shares[len(shares) // 2] > 0.5:
            missing += [layer for layer in layers if not any(layers[layer])]
    return tuple(sorted(missing, key=_by_number))


def _by_number(layer: str) -> tuple[str, int]:
    family = layer.rstrip("0123456789")
    return family, int(layer[len(family) :])
