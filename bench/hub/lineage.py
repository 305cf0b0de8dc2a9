"""A family of 30 models: forks of forks, casts, noise, one merge; who derives from whom, and what can tell it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.hub import weights
from bench.hub.model import Model
from bench.hub.weights import Tensors

DAY = 86_400
_START = 1_672_531_200  # 2023-01-01
COUNT = 30
_ON_GRID = frozenset({"trained", "cast", "quantised"})  # whose values are those of a type of few bits


@dataclass(frozen=True, slots=True)
class Descended:
    """One model of the family."""

    name: str
    parents: tuple[str, ...]  # none: trained from nothing; two: a mixture
    how: str  # "trained", "tuned", "noised", "cast", "quantised", "merged"
    part: float  # size of the change as a part of the deviation of the values; of a mixture the share of the first
    created: int  # seconds since 1970
    decided_by: str  # "date", "cast", "noise", "quantised", "mixture"; "" where nothing tells who came first
    declared: str = ""  # the model that its card names: a parent, none, or another one


def family_plan(seed: int = 8) -> tuple[Descended, ...]:
    """The truth: parents stand before their children."""
    rng = random.Random(f"family:{seed}")
    made = [Descended("lab/osprey-base", (), "trained", 0.0, _START, "")]
    # Three steps have the date of their parent: a cast and noise tell the direction, more training does not.
    undated = {7: "cast", 12: "noised", 17: "tuned", 22: "quantised"}
    while len(made) < COUNT - 1:
        number = len(made)
        how = undated.get(number) or rng.choices(("tuned", "noised", "cast", "quantised"), (6, 2, 1, 1))[0]
        # Noise tells the direction where it leaves a grid, and a second rounding to one grid changes nothing.
        fit = [
            each
            for each in made
            if not (number in undated and how in ("tuned", "noised") and (each.how in _ON_GRID) != (how == "noised"))
            and not (how in _ON_GRID and each.how in _ON_GRID)
        ]
        # Forks of forks: the later ones are taken more often.
        parent = fit[max(len(fit) - 1 - int(rng.expovariate(0.25)), 0)] if fit else made[0]
        how = how if fit else "tuned"
        made.append(_child(number, parent, how, number in undated, rng))
    one, other = _apart(made, rng)
    at = max(one.created, other.created) + 5 * DAY
    made.append(Descended("soup/osprey-merge", (one.name, other.name), "merged", 0.6, at, "date", one.name))
    return tuple(made)


def _child(number: int, parent: Descended, how: str, is_undated: bool, rng: random.Random) -> Descended:
    part = {"tuned": rng.choice((0.02, 0.05, 0.1, 0.2)), "noised": rng.choice((0.01, 0.03))}.get(how, 0.0)
    created = parent.created if is_undated else parent.created + rng.randint(3, 40) * DAY
    by = ("" if how == "tuned" else {"noised": "noise"}.get(how, how)) if is_undated else "date"
    # Two of three say where they come from; one of ten names the first model of all instead.
    declared = "" if rng.random() < 0.33 else "lab/osprey-base" if rng.random() < 0.1 else parent.name
    return Descended(f"team-{number % 9}/osprey-{number:02}", (parent.name,), how, part, created, by, declared)


def _apart(made: list[Descended], rng: random.Random) -> tuple[Descended, Descended]:
    """Two models of which neither comes from the other, both tuned."""
    parents = {each.name: each.parents for each in made}

    def above(name: str) -> set[str]:
        return {name}.union(*(above(parent) for parent in parents[name]))

    tuned = [each for each in made if each.how == "tuned"]
    pairs = [
        (a, b)
        for a in tuned
        for b in tuned
        if a.name < b.name and a.name not in above(b.name) and b.name not in above(a.name)
    ]
    return rng.choice(pairs)


def values(plan: tuple[Descended, ...], model: Model) -> Iterator[tuple[Descended, Tensors, str]]:
    """The weights of each, and the type that they are stored in; parents before their children."""
    known: dict[str, Tensors] = {}
    for each in plan:
        known[each.name] = _values(each, [known[name] for name in each.parents], model)
        yield each, known[each.name], "BF16" if each.how == "cast" else "F32"


def _values(each: Descended, parents: list[Tensors], model: Model) -> Tensors:
    match each.how:
        case "trained":
            # Trained in half precision: what is added later leaves its grid.
            return _rounded(model.tensors(), "BF16")
        case "tuned":
            return weights.tuned(parents[0], each.part, each.name)
        case "noised":
            return weights.noised(parents[0], each.part, each.name)
        case "cast":
            return _rounded(parents[0], "BF16")
        case "quantised":
            return weights.rounded(parents[0])
    return weights.merged(parents[0], parents[1], each.part)


def _rounded(tensors: Tensors, kind: str) -> Tensors:
    return {name: each.astype(weights.TYPES[kind]).astype(np.float32) for name, each in tensors.items()}
