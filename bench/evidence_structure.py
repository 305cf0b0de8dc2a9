"""Measure the structure of checkpoints: what independent architectures share by chance, and what copies keep."""

from __future__ import annotations

import os
# import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bench.families import RELEASE, REPEATED, Source, read
from bench.section import Demand, print_section, section, table
from bench.wheels import wheel
from detector.artifacts.checkpoint import Checkpoint, Shape
from detector.artifacts.families import Registry, registry
from detector.artifacts.same_modules import Likeness, compare
# from detector.evidence import structure
from detector.patterns import PATTERNS
from detector.read import open_target
from detector.settings import LEAST_STRUCTURE_BITS
from detector.targets import Comparison

# What layers of PyTorch, and those that every family defines for itself, learn.
LEAVES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("Linear", "Conv1d", "Conv2d", "Conv3d", "Conv1D", "ConvTranspose1d", "ConvTranspose2d", "LayerNorm", "GroupNorm"),
        ("weight", "bias"),
    ),
    **dict.fromkeys(("Embedding", "RMSNorm"), ("weight",)),
    **dict.fromkeys(
        ("BatchNorm1d", "BatchNorm2d"), ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ),
    "MultiheadAttention": ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"),
    "Parameter": ("",),
}
LAYERS = 2  # of every list: more are folded anyway
MOST_DEPTH = 12
FEWEST_TENSORS = 12
# Lineages whose likeness has a source that no file of the wheel declares, each found by reading both.
SOURCES: Mapping[frozenset[str], str] = {}
# Names that a copy gets in place of its own.
NEW_NAMES = {"llm": "language", "vpm": "sight", "resampler": "bridge"}


@dataclass(frozen=True, slots=True)
class Chance:
    """What two architectures without a common source share."""

    one: str
    other: str
    likeness: Likeness


def trees(families: Mapping[str, Source]) -> dict[str, Checkpoint]:
    """The names of tensors that each lineage's largest class spells, with two layers in each list."""
    known = {name: entry for source in families.values() for name, entry in source.modules.items()}
    found = {}
    for lineage, source in families.items():
        expanded = [dict.fromkeys(_names(name, known, 0)) for name in source.modules]
        largest = max(expanded, key=len, default={})
        if len(largest) >= FEWEST_TENSORS:
            found[lineage] = Checkpoint(lineage, largest, None)
    return found


def _names(name: str, known: Mapping[str, tuple[list[str], dict[str, list[str]]]], depth: int) -> Iterator[str]:
    if depth > MOST_DEPTH:
        return
    parents, parts = known.get(name, ([], {}))
    for parent in parents:
        if parent in known and parent != name:
            yield from _names(parent, known, depth + 1)
    for attribute, classes in parts.items():
        layers = [f"{attribute}.{layer}" for layer in range(LAYERS)] if classes[:1] == [REPEATED] else [attribute]
        inner = next((each for each in classes if each in known or each in LEAVES), "Parameter" if not classes else "")
        below = list(_names(inner, known, depth + 1)) if inner in known else list(LEAVES.get(inner, ()))
        for layer in layers:
            yield from (f"{layer}.{each}" if each else layer for each in below)


def relatives(lineage: str, known: Registry) -> frozenset[str]:
    """All lineages that took something from this one, or from which it did."""
    return frozenset(
        other
        for other in known.names
        if lineage in known.ancestors.get(other, {other}) or other in known.ancestors.get(lineage, {lineage})
    )


def chances(found: Mapping[str, Checkpoint]) -> list[Chance]:
    """Compare every pair without a common source, by a table that knows neither of the two nor their relatives."""
    known = registry()
    apart = {lineage: relatives(lineage, known) for lineage in found}
    return [
        Chance(one, other, likeness)
        for one, other in combinations(sorted(found), 2)
        if not known.are_related(one, other)
        and (likeness := compare(found[one], found[other], known, apart[one] | apart[other])) is not None
    ]


def main(given: Sequence[str] | None = None) -> int:
    import time
    t=time.time()
    f=trees(read(wheel(Path("bench/cache"),RELEASE)))
    print(len(f), sum(len(c.tensors) for c in f.values())/len(f), list(f["llama"].tensors)[:12], list(f["siglip"].tensors)[:50])
    c=chances(f); print(len(c), time.time()-t)
    import numpy as np
    v=np.array([x.likeness.bits for x in c]); print(np.quantile(v,[.5,.9,.99,.999,.9999,1]))
    for x in sorted(c,key=lambda x:-x.likeness.bits)[:40]: print(x.one,x.other,round(x.likeness.bits,1),x.likeness.mapped,x.likeness.names[:8])
    return 0


if __name__ == "__main__":
    sys.exit(main())
