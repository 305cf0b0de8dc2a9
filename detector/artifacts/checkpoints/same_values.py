"""Two configurations -> which values they share, what published families explain, how surprising the rest is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from detector.artifacts.checkpoints.configuration import Configuration, is_identity, part, plain
from detector.artifacts.checkpoints.families import NOBODY, Registry
from detector.settings.config import (
    LEAST_KNOWN_KEYS,
    LEAST_RENAMED_BITS,
    LEAST_SECOND_FAMILY,
    MOST_SIZE_BITS,
    RENAMING_COST,
    UNSET_PART,
)

EQUAL, SIZE, EXPLAINED, RENAMED, MOVED = "equal", "equal, of a key of the family", "explained", "renamed", "moved"
IDENTITY, DIFFERENT, ALONE = "what it is called", "different", "not there"
# Values of one family under whatever keys explain a renaming from this many on.
_LEAST_VALUES = 4
# Values by which a key is there and says nothing.
UNSET = frozenset({"null", "false", "0", '""', "[]", "{}"})
# What is surely the configuration of a model, whatever it says.
_SURE = frozenset({"config.json", "params.json"})
_WORD = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A key of the suspect beside one of the reference."""

    key: str
    value: str
    other_key: str  # "" where the reference has none
    other_value: str
    told: str
    bits: float = 0.0
    family: str = ""  # that explains it


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two configurations share."""

    rows: tuple[Row, ...]
    bits: float  # of what no family explains
    families: tuple[str, ...]  # that explain the suspect's, in their order

    def counted(self, *told: str) -> list[Row]:
        """The rows of which this is told."""
        return [row for row in self.rows if row.told in told]


@dataclass(frozen=True, slots=True)
class Explained:
    """What published families explain of one configuration."""

    by: Mapping[str, str]  # key -> family that sets it to the same value
    known: Set[str]  # keys that one of these families has
    families: tuple[str, ...]


def sets_up_a_model(found: Configuration, registry: Registry) -> bool:
    """Whether a file that may be a configuration by its name is one: published models have some of its keys."""
    if found.role != "model" or found.path.rpartition("/")[2].lower() in _SURE:
        return True
    return sum(plain(key) in registry.keys for key in found.leaves) >= LEAST_KNOWN_KEYS


def explain(leaves: Mapping[str, str], registry: Registry, without: Set[str] = NOBODY) -> Explained:
    """Find the families that explain each part of a configuration: one, or two where the second adds enough."""
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for key, value in leaves.items():
        if not is_identity(key):
            parts[part(key)][plain(key)] = value
    by: dict[str, str] = {}
    known: set[str] = set()
    families: list[str] = []
    for above, values in sorted(parts.items()):
        prefix = f"{above}." if above else ""
        left = dict(values)
        for place in range(2):
            ranked = registry.nearest(left, without)
            if not ranked or ranked[0][2] < (1, LEAST_SECOND_FAMILY)[place]:
                break
            family = ranked[0][0]
            families.append(family.name)
            for key in values.keys() & family.values.keys():
                known.add(prefix + key)
                if family.values[key] == values[key]:
                    by.setdefault(prefix + key, family.name)
                    left.pop(key, None)
        for key, value in left.items():
            if registry.common.get(key) == value:
                by[prefix + key] = "every configuration"
    return Explained(by, known, tuple(dict.fromkeys(families)))


def compare(
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    registry: Registry,
    without: Set[str] = NOBODY,
    explained: Explained | None = None,
) -> Likeness:
    """Align two configurations: by key, then by value under other keys.

    without: lineages that the table is taken to know nothing of, to measure what chance gives.
    explained: what `explain` says of ours, if that was asked before.
    """
    explained = explained or explain(ours, registry, without)
    rows = [
        _told(key, value, key, theirs[key], explained, registry, without)
        for key, value in ours.items()
        if key in theirs
    ]
    left, left_there = _unpaired(ours, theirs, rows)
    moved = [
        _told(key, ours[key], other, ours[key], explained, registry, without) for key, other in _moved(left, left_there)
    ]
    left, left_there = _unpaired(left, left_there, moved)
    moved += _under_other_keys(left, left_there, explained, registry, without)
    gone = {row.key for row in moved}
    rows = [row for row in rows if row.key not in gone] + moved
    rows += [Row(key, value, "", "", ALONE) for key, value in ours.items() if key not in theirs and key not in gone]
    order = {key: place for place, key in enumerate(ours)}
    rows.sort(key=lambda row: (-row.bits, order[row.key]))
    sizes = sum(row.bits for row in rows if row.told == SIZE)
    bits = sum(row.bits for row in rows if row.told != SIZE) + min(sizes, MOST_SIZE_BITS)
    return Likeness(tuple(rows), bits, explained.families)


def _unpaired(
    ours: Mapping[str, str], theirs: Mapping[str, str], rows: Iterable[Row]
) -> tuple[dict[str, str], dict[str, str]]:
    """What no row has paired yet, names and versions aside."""
    found = [row for row in rows if row.told != DIFFERENT]
    paired, paired_there = {row.key for row in found}, {row.other_key for row in found}
    return (
        {key: value for key, value in ours.items() if key not in paired and not is_identity(key)},
        {key: value for key, value in theirs.items() if key not in paired_there and not is_identity(key)},
    )


def _moved(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Keys that stand in another part, under their own name and with their value."""
    there: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, value in theirs.items():
        there[plain(key), value].append(key)
    for key, value in ours.items():
        found = there[plain(key), value]
        if found:
            yield key, found.pop(0)


def _told(
    key: str, value: str, other_key: str, other: str, explained: Explained, registry: Registry, without: Set[str]
) -> Row:
    """What is to be said of a key that has its name on both sides."""
    if value != other:
        return Row(key, value, other_key, other, DIFFERENT)
    if is_identity(key):
        return Row(key, value, other_key, other, IDENTITY)
    if key in explained.by:
        return Row(key, value, other_key, other, EXPLAINED, 0.0, explained.by[key])
    of_value = registry.value_bits(plain(key), value, without)
    if key in explained.known or plain(key) in registry.common:
        return Row(key, value, other_key, other, SIZE, of_value)
    of_key = registry.key_bits(plain(key), without) * (UNSET_PART if value in UNSET else 1.0)
    return Row(key, value, other_key, other, EQUAL if key == other_key else MOVED, of_key + of_value)


def _under_other_keys(
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    explained: Explained,
    registry: Registry,
    without: Set[str],
) -> Iterator[Row]:
    """Pair keys of equal, rare values, one to one: first those that are called most alike.

    Ties: keys in the order of their names.
    """
    values_there = set(theirs.values())
    rare = {
        key: value
        for key, value in ours.items()
        if value in values_there
        and key not in explained.by
        and registry.bits_of_value(value, without) >= LEAST_RENAMED_BITS
    }
    there: dict[str, list[str]] = defaultdict(list)
    by_family = explain(theirs, registry, without).by if rare else {}
    for key, value in theirs.items():
        if key not in by_family:
            there[value].append(key)
    pairs = [(key, other, value) for key, value in rare.items() for other in there.get(value, ())]
    pairs.sort(key=lambda pair: (-_likeness(pair[0], pair[1]), pair))
    taken: set[str] = set()
    taken_there: set[str] = set()
    found: list[tuple[str, str, str]] = []
    for key, other, value in pairs:
        if key not in taken and other not in taken_there:
            taken.add(key)
            taken_there.add(other)
            found.append((key, other, value))
    family, values = _family_of_values({value for _, _, value in found}, registry, without)
    for key, other, value in found:
        if value in values:
            yield Row(key, value, other, value, EXPLAINED, 0.0, family)
        else:
            yield Row(key, value, other, value, RENAMED, registry.bits_of_value(value, without) - RENAMING_COST)


def _family_of_values(values: Set[str], registry: Registry, without: Set[str]) -> tuple[str, Set[str]]:
    """The family that has the most of these values under whatever keys, if it has enough of them to explain them."""
    if len(values) < _LEAST_VALUES:
        return "", NOBODY
    best, name = max(
        (
            (values & set(family.values.values()), family.name)
            for family in registry.families
            if family.lineage not in without
        ),
        key=lambda found: (len(found[0]), found[1]),
    )
    return (name, best) if len(best) >= _LEAST_VALUES else ("", NOBODY)


def _likeness(one: str, other: str) -> float:
    """How alike two keys are called, by the words that they share."""
    words, others = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    return len(words & others) / max(len(words | others), 1)
