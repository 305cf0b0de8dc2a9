"""One made-up model: everything of it follows from its family and its seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bench.hub import texts, weights
from bench.hub.code import Code, written
from bench.hub.texts import Files
from bench.hub.weights import Sizes, Tensors


@dataclass(frozen=True, slots=True)
class Model:
    """What a repository is made from."""

    family: str
    seed: str
    width: int
    layers: int
    tokenizer: str = ""  # seed of a vocabulary of its own; "" for the one that many have

    @property
    def code(self) -> Code:
        """Its modeling code."""
        return _code(self.family, self.seed)

    @property
    def sizes(self) -> Sizes:
        """What its tensors have."""
        words = 1_816 if self.tokenizer else 704
        return Sizes(self.width, int(self.code.spoken.expansion * self.width), 8, words, self.layers)

    def tensors(self, training: str = "") -> Tensors:
        """Its weights; those of another training have nothing in common with them."""
        return weights.trained(weights.shapes(self.code.tensors, self.sizes), f"{self.seed}:{self.family}:{training}")

    def configuration(self) -> dict[str, Any]:
        """What `config.json` says."""
        title, spoken = self.family.capitalize(), self.code.spoken
        keys = {"width": spoken.width, "heads": spoken.heads, "depth": spoken.depth, "words": spoken.words}
        return {
            "architectures": [f"{title}ForCausalLM"],
            "model_type": self.family,
            **texts.sizes_of(self.sizes, keys),
            **self.code.settings,
            "torch_dtype": "float16",
            "transformers_version": "4.44.0",
        }

    def code_files(self) -> Files:
        """Modeling code, and the configuration that names it."""
        title = self.family.capitalize()
        named = {
            "AutoConfig": f"configuration_{self.family}.{title}Config",
            "AutoModelForCausalLM": f"modeling_{self.family}.{title}ForCausalLM",
        }
        return {**self.code.files, "config.json": texts.configuration({**self.configuration(), "auto_map": named})}

    def tokenizer_files(self) -> Files:
        """The files of its tokenizer."""
        return texts.Vocabulary(self.tokenizer).files() if self.tokenizer else texts.common_tokenizer()


@cache
def _code(family: str, seed: str) -> Code:
    return written(family, seed)


def small(family: str, seed: str, rng: random.Random, *, has_tokenizer: bool = True) -> Model:
    """A model of some hundred kilobytes."""
    return Model(family, seed, 8 * rng.randint(4, 9), rng.randint(1, 3), f"{seed}:{family}" if has_tokenizer else "")


def large(family: str, seed: str, megabytes: int, bytes_each: int) -> Model:
    """A model with a checkpoint of about that size."""
    wanted = megabytes * 1_000_000 / bytes_each
    best = Model(family, seed, 64, 2)
    for width in range(64, 2_000, 32):
        each = Model(family, seed, width, 2)
        if _count(each) > wanted:
            break
        best = each
    return best


def _count(model: Model) -> int:
    shapes: Mapping[str, tuple[int, ...]] = weights.shapes(model.code.tensors, model.sizes)
    total = 0
    for shape in shapes.values():
        size = 1
        for each in shape:
            size *= each
        total += size
    return total
