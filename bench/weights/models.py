"""Small language models that were trained apart, and those that come from one of them; trained once, then kept.

`python -m bench.weights.models` trains what the cache does not have, and says how long that took.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.section import HERE
from bench.weights.files import load, save
from bench.wheels import python_files, wheel

Values = dict[str, NDArray[Any]]
# What the models learn to write, and what a fine-tune does.
TEXT, OTHER_TEXT = "einops==0.8.2", "pytorch_optimizer==3.5.0"
STEPS = 200
SEEDS = (*range(1, 17), *range(101, 131))  # of models that differ in nothing else: 1,035 pairs
NARROW_SEEDS = tuple(range(21, 25))
NARROW = {"width": 48, "layers": 2, "heads": 4}
VERSION = 1  # of how they are trained: a change of `gpt.py` that changes values changes it
HOW_TO_GET = "needs PyTorch for the CPU: `pip install torch==2.13.0`"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is made: everything that its values depend on."""

    seed: int
    steps: int = STEPS
    text: str = TEXT
    first: str = ""  # the model that training goes on from
    size: tuple[tuple[str, int], ...] = ()  # where it is not the usual one


def _recipes() -> dict[str, Recipe]:
    found = {f"apart {seed}": Recipe(seed) for seed in SEEDS}
    found |= {f"narrow {seed}": Recipe(seed, size=tuple(NARROW.items())) for seed in NARROW_SEEDS}
    base = f"apart {SEEDS[0]}"
    found |= {
        "10 % more training": Recipe(31, STEPS // 10, TEXT, base),
        "100 % more training": Recipe(32, STEPS, TEXT, base),
        "300 % more training": Recipe(33, 3 * STEPS, TEXT, base),
        "one sibling": Recipe(34, STEPS // 2, TEXT, base),
        "other sibling": Recipe(35, STEPS // 2, OTHER_TEXT, base),
        "other sibling, trained further": Recipe(36, STEPS // 4, OTHER_TEXT, "other sibling"),
    }
    return found


RECIPES: Mapping[str, Recipe] = _recipes()
BASE = f"apart {SEEDS[0]}"
FURTHER = ("10 % more training", "100 % more training", "300 % more training")


class TorchIsMissing(Exception):  # noqa: N818 - it is told as a demand that is not met
    """Models have to be trained and PyTorch is not there."""


def trained(cache: Path) -> dict[str, Values]:
    """All models by what they are called, from the cache where it has them."""
    return {name: _trained(cache, name) for name in RECIPES}


def _trained(cache: Path, name: str) -> Values:
    path = cache / "weights" / f"{_key(name)}.safetensors"
    if not path.exists():
        try:
            from bench.weights import gpt
        except ImportError as error:
            raise TorchIsMissing(HOW_TO_GET) from error
        recipe = RECIPES[name]
        first = _trained(cache, recipe.first) if recipe.first else None
        begun = time.process_time()
        made, loss = gpt.train(
            gpt.Size(**dict(recipe.size)), recipe.seed, _text(cache, recipe.text), recipe.steps, first
        )
        save(path, made)
        print(f"  trained {name}: loss {loss:.3f}, {time.process_time() - begun:.1f} s", file=sys.stderr)
    return load(path)


def _key(name: str) -> str:
    """A name of the file that changes with everything that the values depend on."""
    chain = []
    while name:
        chain.append(asdict(RECIPES[name]))
        name = RECIPES[name].first
    return hashlib.sha256(json.dumps([VERSION, chain], sort_keys=True).encode()).hexdigest()[:16]


def _text(cache: Path, requirement: str) -> NDArray[np.int64]:
    from bench.weights.gpt import encoded

    files = python_files(wheel(cache, requirement))
    return encoded("\n".join(file.data.decode("utf-8", "replace") for file in files))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing."""
    del arguments
    begun = time.process_time()
    count = len(trained(HERE / "cache"))
    print(f"{count} models, {time.process_time() - begun:.0f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
