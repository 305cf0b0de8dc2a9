"""Headers and indexes of checkpoints -> keys of the shapes of their matrices, and of names that are their own."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from detector.artifacts.checkpoints.families import NOBODY, Registry
from detector.artifacts.checkpoints.same_modules import explain, labels, weighed
from detector.artifacts.keys.key import Key, Kind, Shape, key
from detector.settings.scan import MOST_KEYS, MOST_SHAPES

# Tables of words, at the beginning and at the end of a model, are of one shape and in no layer.
_TABLES = 2
_DIGITS = re.compile(r"\d+")
_SHARD = re.compile(r"-\d{5}-of-\d{5}(?=\.[^.]+$)")


def shapes(tensors: Iterable[Sequence[int]]) -> dict[Shape, int]:
    """How many matrices of each shape; whichever way they are turned, dimensions of one aside.

    Of more shapes than any model has those of most values count.
    """
    found = Counter(each for shape in tensors if len(each := tuple(sorted(size for size in shape if size > 1))) > 1)
    kept = sorted(found, key=lambda shape: (-math.prod(shape), shape))[:MOST_SHAPES]
    return {shape: found[shape] for shape in kept}


def names(tensors: Mapping[str, Shape | None], registry: Registry) -> list[Key]:
    """Names of modules and parameters that no published family has, weighed as `compare` does.

    Each by itself and, where shapes are known, with those of the tensors below it: `compare` takes branches for the
    same by both. Numbers say nothing: names that count up are one.
    """
    below: dict[str, set[Shape]] = {}
    for name, shape in tensors.items():
        for label in labels(name):
            below.setdefault(label, set()).update(() if shape is None else (shape,))
    _, explained = explain(below.keys(), registry, NOBODY)
    found = []
    for name, bits in weighed(below.keys() - explained, registry, NOBODY)[:MOST_KEYS]:
        plain = _DIGITS.sub("#", name)
        found.append(key(Kind.NAME, plain, bits))
        if below[name]:
            found.append(key(Kind.MODULE, f"{plain} {';'.join(map(_spelled, sorted(below[name])))}", bits))
    return found


def layouts(files: Mapping[str, Mapping[Shape, int]]) -> list[Key]:
    """Keys of each checkpoint's layout, from the shapes in its files by path; names tell which shards are one."""
    models: dict[str, Counter[Shape]] = {}
    for path, found in sorted(files.items()):
        models.setdefault(_SHARD.sub("", path), Counter()).update(found)
    return [each for model in models.values() if model for each in _layout(model)]


def _layout(model: Mapping[Shape, int]) -> Iterator[Key]:
    """All matrices; those that stand in several layers, however many; the largest.

    A copy of which layers were dropped keeps the second and third, one with more tokens or another head the second,
    one whose projections were fused the third.
    """
    whole = ";".join(f"{_spelled(shape)} {count}" for shape, count in sorted(model.items()))
    yield key(Kind.LAYOUT, f"all {whole}", 0.0)
    repeated = sorted(shape for shape, count in model.items() if count > _TABLES)
    if repeated:
        yield key(Kind.LAYOUT, f"layers {';'.join(map(_spelled, repeated))}", 0.0)
    largest = max(model, key=lambda shape: (math.prod(shape), shape))
    yield key(Kind.LAYOUT, f"largest {_spelled(largest)}", 0.0)


def _spelled(shape: Shape) -> str:
    return "x".join(map(str, shape))
