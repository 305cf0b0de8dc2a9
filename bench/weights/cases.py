"""What is done to the models that are measured, with the truth: what each tensor is made of, and what the whole is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from bench.weights import variants
from bench.weights.files import BFLOAT16, cast
from bench.weights.models import BASE, FURTHER
from bench.weights.variants import Values

HEADS = 4
ROWS_ADDED = 8
LEAST_CORRELATION, LEAST_TRAINED = 0.9, 0.3
Truth = dict[str, set[str]]  # name in the suspect -> names in the reference


@dataclass(frozen=True, slots=True)
class Case:
    """A suspect and a reference, and what a comparison of them has to find."""

    name: str
    suspect: Values
    reference: Values
    truth: Truth
    relations: frozenset[str]  # any of them is right for the whole; none: it is not asked
    sigma: float | None = None  # of noise
    bases: Mapping[str, Values] = field(default_factory=dict)

    @property
    def least_correlation(self) -> float:
        """Of matrices that lie side by side as they should: less where training or much noise came between."""
        return LEAST_TRAINED if self.relations & {"fine-tuned", "common-base"} else LEAST_CORRELATION


class Maker:
    """Makes cases of one model, each with names that tell nothing."""

    def __init__(self, reference: Values, seed: int) -> None:
        self._reference = reference
        self._draw = np.random.default_rng(seed)

    def case(
        self,
        name: str,
        suspect: Values,
        *relations: str,
        made_of: Mapping[str, set[str]] | None = None,
        sigma: float | None = None,
        reference: Values | None = None,
        **bases: Values,
    ) -> Case:
        """Shuffle the suspect's names; what is not told is made of the tensor of its name."""
        there = self._reference if reference is None else reference
        hidden, names = variants.shuffled_names(suspect, self._draw)
        told = made_of or {}
        truth = {new: told.get(old, {old} & set(there)) for new, old in names.items()}
        return Case(name, hidden, there, truth, frozenset(relations), sigma, bases)


def noised(values: Values, seed: int) -> dict[str, Values]:
    """Noise of the published case, stored in each type."""
    made = variants.with_noise(values, np.random.default_rng(seed))
    return {"fp32": made, "fp16": cast(made, np.float16), "bf16": cast(made, BFLOAT16)}


def simple(label: str, values: Values, seed: int) -> Iterator[Case]:
    """What is done to every model, whatever its parts are called."""
    maker, draw = Maker(values, seed), np.random.default_rng(seed)
    matrices = [name for name in variants.matrices(values) if values[name].shape[0] == values[name].shape[1]]
    for dtype, made in noised(values, seed).items():
        yield maker.case(f"{label}: + randn/708, {dtype}", made, "noised", sigma=1 / variants.INVERSE_SIGMA)
    yield maker.case(f"{label}: names alone", values, "identical")
    yield maker.case(f"{label}: cast to fp16", cast(values, np.float16), "cast")
    yield maker.case(f"{label}: cast to bf16", cast(values, BFLOAT16), "cast")
    yield maker.case(f"{label}: x 1.07", variants.scaled(values), "scaled")
    yield maker.case(f"{label}: int8 and back", variants.quantised(values), "quantised")
    yield maker.case(f"{label}: LoRA of rank 4", variants.lora(values, draw, matrices), "low-rank")
    yield maker.case(f"{label}: 30 % pruned", variants.pruned(values), "pruned")
    yield maker.case(f"{label}: noise of 20 % of each spread", variants.with_large_noise(values, draw), "noised")


def of_small(models: Mapping[str, Values], seed: int) -> Iterator[Case]:
    """What is done to the small models."""
    base = models[BASE]
    maker, draw = Maker(base, seed), np.random.default_rng(seed)
    yield from simple("small model", base, seed)
    for name in FURTHER:
        yield maker.case(f"small model: {name}", models[name], "fine-tuned")
    one, other = models["one sibling"], models["other sibling"]
    yield maker.case("small model: permuted", variants.permuted(base, draw, HEADS), "identical")
    noisy = variants.with_noise(variants.permuted(base, draw, HEADS), draw)
    yield maker.case("small model: permuted, + randn/708", noisy, "noised", sigma=1 / variants.INVERSE_SIGMA)
    turned = variants.rotated(base, draw)
    # The gains of norms are all one afterwards: nothing of them is left to be found.
    gone = {name: set[str]() for name in base if name.endswith("norm.weight")}
    yield maker.case("small model: rotated", turned, "rotated", made_of=gone)
    yield maker.case(
        "small model: qkv fused", variants.fused(base), "identical", made_of=_made_of(variants.fused, base)
    )
    yield maker.case("small model: up split", variants.split(base), "identical", made_of=_made_of(variants.split, base))
    half = [name for name in variants.matrices(base) if "layers" in name][::2]
    yield maker.case("small model: transposed", variants.transposed(base, half), "identical")
    kept, names = variants.without_layers(base, 1)
    made_of = {new: {old} for new, old in names.items()}
    yield maker.case("small model: a layer dropped", kept, "identical", made_of=made_of)
    grown = variants.with_rows(base, draw, ("embed.weight", "head.weight"), ROWS_ADDED)
    yield maker.case("small model: rows added", grown, "identical")
    mixed = variants.with_noise(variants.transposed(variants.fused(kept), _downs(kept)), draw)
    yield maker.case(
        "small model: qkv fused, down transposed, a layer dropped, + randn/708",
        mixed,
        "noised",
        made_of=_named(_made_of(variants.fused, kept), names),
        sigma=1 / variants.INVERSE_SIGMA,
    )
    yield maker.case("siblings", other, "common-base", reference=one, base=base)
    yield maker.case(
        "a sibling trained further", models["other sibling, trained further"], "fine-tuned", reference=other, base=base
    )
    yield maker.case(
        "a sibling with noise",
        variants.with_noise(other, draw),
        "noised",
        reference=other,
        base=base,
        sigma=1 / variants.INVERSE_SIGMA,
    )
    yield maker.case("soup of two siblings", variants.soup(one, other), "soup", reference=one, other=other, base=base)


def of_minilm(values: Values, seed: int) -> Iterator[Case]:
    """What is done to the real model."""
    yield from simple("MiniLM", values, seed)
    kept, names = variants.without_layers(values, 1, 3, 4, prefix="encoder.layer.")
    split = partial(variants.split, part=".intermediate.dense.weight")
    cut = split(variants.fused(kept))
    turned = [name for name in cut if name.endswith("attention.output.dense.weight")]
    mixed = variants.with_noise(variants.transposed(cut, turned), np.random.default_rng(seed))
    yield Maker(values, seed).case(
        "MiniLM: qkv fused, one matrix transposed, one split, 3 layers dropped, + randn/708",
        mixed,
        "noised",
        made_of=_named(_made_of(lambda given: split(variants.fused(given)), kept), names),
        sigma=1 / variants.INVERSE_SIGMA,
    )


def _named(made_of: Mapping[str, set[str]], names: Mapping[str, str]) -> dict[str, set[str]]:
    return {name: {names[part] for part in parts} for name, parts in made_of.items()}


def _made_of(change: Callable[[Values], Values], values: Values) -> dict[str, set[str]]:
    """Which tensors each tensor holds values of after a change that only moves them."""
    places = {name: np.full(value.shape, number) for number, (name, value) in enumerate(values.items())}
    names = list(values)
    return {name: {names[number] for number in np.unique(value)} for name, value in change(places).items()}


def _downs(values: Mapping[str, Any]) -> list[str]:
    return [name for name in values if name.endswith("down.weight")]
