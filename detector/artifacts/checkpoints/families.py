"""Published model families: what their configurations set, how their modules are called, and how rare each of it is.

The tables ship with the package: `families.json`, read by `python -m bench.families` from the configuration and
modeling classes of a release of transformers, and `releases.toml`, sizes of well-known published models.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from detector.artifacts.checkpoints.values import TRIVIAL, leaves
from detector.settings.config import FEW_FAMILIES, MOST_RARITY_BITS

NOBODY: frozenset[str] = frozenset()
_STEM = re.compile(r"[\d_].*")
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Family:
    """What one configuration class, or one published model, sets."""

    name: str  # "Llama-3-8B", "LlamaConfig"
    lineage: str  # which models it belongs to: "llama"
    values: Mapping[str, str]  # key -> spelling of the value


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that is known of published families, and by whom each key, value and name is used.

    Shapes: `keys`, `values`, `pairs` and `named` hold the lineages that use a key, a value under any key, a key with
            a value, and a name of a module: a family with five variants counts once.
    """

    made_from: str
    common: Mapping[str, str]  # what every configuration may say, and its default
    families: tuple[Family, ...]
    lineages: int
    keys: Mapping[str, Set[str]]
    values: Mapping[str, Set[str]]
    pairs: Mapping[tuple[str, str], Set[str]]
    holders: Mapping[tuple[str, str], tuple[int, ...]]  # numbers of families that set a key to a value
    names: Mapping[str, Set[str]]  # lineage -> names of its modules and parameters: "self_attn", "q_proj"
    named: Mapping[str, Set[str]]  # name of a module or parameter -> lineages
    ancestors: Mapping[str, Set[str]]  # lineage -> all that it took something from, itself included
    heirs: Mapping[str, int]  # lineage -> how many took something from it

    def key_bits(self, key: str, without: Set[str] = NOBODY) -> float:
        """How surprising it is that somebody else calls something so."""
        if key in self.common:
            return 0.0
        return self._rarity(self.keys.get(key, NOBODY), without)

    def value_bits(self, key: str, value: str, without: Set[str] = NOBODY) -> float:
        """How surprising it is that somebody else who has the key sets it so."""
        if value in TRIVIAL:
            return 0.0
        anywhere = self._rarity(self.values.get(value, NOBODY), without)
        having = len(self.keys.get(key, NOBODY) - without)
        if having < FEW_FAMILIES:
            return anywhere
        alike = len(self.pairs.get((key, value), NOBODY) - without)
        return min(anywhere, math.log2((having + 2) / (alike + 1)))

    def bits_of_value(self, value: str, without: Set[str] = NOBODY) -> float:
        """How surprising a value is under whatever key."""
        return 0.0 if value in TRIVIAL else self._rarity(self.values.get(value, NOBODY), without)

    def name_bits(self, name: str, without: Set[str] = NOBODY) -> float:
        """How surprising it is that somebody else calls a module or a parameter so."""
        return self._rarity(self.named.get(name, NOBODY), without)

    def _rarity(self, lineages: Set[str], without: Set[str]) -> float:
        known = self.lineages - len(without)
        return min(math.log2((known + 1) / (len(lineages - without) + 1)), MOST_RARITY_BITS)

    def nearest(self, values: Mapping[str, str], without: Set[str] = NOBODY) -> list[tuple[Family, float, int]]:
        """Families by how much of these values they explain: rarity in bits, and keys. The nearest first.

        Ties: the one with fewer keys, then by name.
        """
        bits: dict[int, float] = defaultdict(float)
        keys: dict[int, int] = defaultdict(int)
        for key, value in values.items():
            weight = self.key_bits(key) + self.value_bits(key, value)
            for number in self.holders.get((key, value), ()):
                bits[number] += weight
                keys[number] += 1
        ranked = sorted(bits, key=lambda one: (-bits[one], len(self.families[one].values), self.families[one].name))
        return [
            (self.families[one], bits[one], keys[one]) for one in ranked if self.families[one].lineage not in without
        ]

    def nearest_by_names(self, names: Set[str], without: Set[str] = NOBODY) -> list[tuple[str, float, int]]:
        """Lineages by how much of these names of modules they explain: rarity in bits, and names. The nearest first.

        Ties: the one from which more others took something, then by name.
        """
        bits = {name: self.name_bits(name) for name in names}
        found = [
            (lineage, sum(map(bits.__getitem__, sorted(both))), len(both))
            for lineage, known in self.names.items()
            if lineage not in without and (both := known & names)
        ]
        return sorted(found, key=lambda each: (-each[1], -self.heirs.get(each[0], 0), each[0]))

    def are_related(self, one: str, other: str) -> bool:
        """Whether two lineages took something from each other or a third, or are called alike ("sam2", "sam_hq")."""
        if _STEM.sub("", one) == _STEM.sub("", other):
            return True
        return bool(self.ancestors.get(one, {one}) & self.ancestors.get(other, {other}))


@cache
def registry() -> Registry:
    """The tables of the package."""
    folder = resources.files("detector.artifacts.checkpoints")
    table: dict[str, Any] = json.loads((folder / "families.json").read_text("utf-8"))
    releases: dict[str, Any] = tomllib.loads((folder / "releases.toml").read_text("utf-8"))
    families = tuple(_families(table["configurations"], releases))
    names = {lineage: frozenset(found) for lineage, found in table["names"].items()}
    for lineage, found in releases["names"].items():
        names[lineage] = names.get(lineage, NOBODY) | set(found)
    return Registry(
        made_from=table["made_from"],
        common=dict(leaves(table["common"])),
        families=families,
        lineages=len({family.lineage for family in families}),
        keys=_users((key, family.lineage) for family in families for key in family.values),
        values=_users((value, family.lineage) for family in families for value in family.values.values()),
        pairs=_users((pair, family.lineage) for family in families for pair in family.values.items()),
        holders=_holders(families),
        names=names,
        named=_users((name, lineage) for lineage, found in names.items() for name in found),
        ancestors=_closed({lineage: frozenset(found) for lineage, found in table["ancestors"].items()}),
        heirs=Counter(each for found in table["ancestors"].values() for each in found),
    )


def _families(configurations: Mapping[str, Any], releases: Mapping[str, Any]) -> Iterable[Family]:
    classes = {name: (entry["family"], entry["defaults"]) for name, entry in configurations.items()}
    classes |= {name: (entry["lineage"], entry["defaults"]) for name, entry in releases["classes"].items()}
    for name, (lineage, defaults) in classes.items():
        yield Family(name, lineage, dict(leaves(defaults)))
    for name, entry in releases["releases"].items():
        lineage, defaults = classes[entry["class"]]
        also = classes[entry["also"]][1] if "also" in entry else {}
        values = dict(leaves({**defaults, **also, **entry["set"]}))
        yield Family(name, lineage, {key: value for key, value in values.items() if key not in entry.get("drop", ())})


def _users(used: Iterable[tuple[Thing, str]]) -> dict[Thing, Set[str]]:
    users: dict[Thing, set[str]] = defaultdict(set)
    for thing, lineage in used:
        users[thing].add(lineage)
    return {thing: frozenset(lineages) for thing, lineages in users.items()}


def _holders(families: Collection[Family]) -> dict[tuple[str, str], tuple[int, ...]]:
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, family in enumerate(families):
        for pair in family.values.items():
            holders[pair].append(number)
    return {pair: tuple(numbers) for pair, numbers in holders.items()}


def _closed(ancestors: Mapping[str, Set[str]]) -> dict[str, Set[str]]:
    """Ancestors of ancestors are ancestors."""

    def above(lineage: str) -> frozenset[str]:
        seen, left = {lineage}, [lineage]
        while left:
            for each in ancestors.get(left.pop(), NOBODY) - seen:
                seen.add(each)
                left.append(each)
        return frozenset(seen)

    return {lineage: above(lineage) for lineage in ancestors}
