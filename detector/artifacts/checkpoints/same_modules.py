"""Two checkpoints -> which tensors correspond, under which names, and how surprising what they share is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from detector.artifacts.checkpoints import module_tree
from detector.artifacts.checkpoints.checkpoint import Checkpoint
from detector.artifacts.checkpoints.families import NOBODY, Registry
from detector.artifacts.checkpoints.module_tree import Same, Tree
from detector.settings.config import ALIKE_PART, FEWEST_FAMILY_SIZES, LEAST_FAMILY_NAMES, SIZE_BITS

_NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")
_DIGITS = re.compile(r"\d+")
# What every framework calls a parameter of a module says nothing.
_EVERYWHERE = module_tree.PARAMETERS | {"*", ""}


@dataclass(frozen=True, slots=True)
class PrefixPair:
    """A prefix of the suspect's names and what stands in its place in the reference; layers are written as `*`."""

    ours: str
    theirs: str
    tensors: int
    same_names: int  # of these tensors, how many are called the same below the prefix
    same_shapes: int  # of those whose shape is known on both sides
    known_shapes: int
    families: tuple[str, ...]  # that have names below the prefix


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two checkpoints share."""

    prefixes: tuple[PrefixPair, ...]
    tensors: int  # of the suspect
    tensors_there: int
    mapped: int
    with_names: int  # of these, called the same below their prefix
    same_names: int  # of these, called the same altogether
    has_same_size: bool | None  # to the byte, or in all shapes; None where nothing tells
    families: tuple[str, ...]  # that explain names which both have
    explained: int  # such names
    names: tuple[tuple[str, float], ...]  # those that no family explains, with their bits, the rarest first
    bits: float
    size_bits: float  # of sizes in shapes that both have and no published model has, names aside
    shared: frozenset[str]  # all names that both have at the same place

    @property
    def is_renamed(self) -> bool:
        """Whether tensors that correspond are called otherwise."""
        return self.same_names < self.mapped


def compare(ours: Checkpoint, theirs: Checkpoint, registry: Registry, without: Set[str] = NOBODY) -> Likeness | None:
    """Align two checkpoints; None if one is too large to be.

    without: lineages that the table is taken to know nothing of, to measure what chance gives.
    """
    have_shapes = all(any(shape is not None for shape in each.tensors.values()) for each in (ours, theirs))
    one, other = module_tree.tree(ours.tensors, have_shapes), module_tree.tree(theirs.tensors, have_shapes)
    if one is None or other is None:
        return None
    same = module_tree.align(one, other)
    shared = frozenset().union(*(_names(each, one, other) for each in same)) if same else NOBODY
    prefixes = _prefixes(same, one, other, registry, without)
    families, explained = _explained(shared, prefixes, registry, without)
    rare = weighed(shared - explained, registry, without)
    mapped = sum(len(each.pairs) for each in same)
    has_same_size = _size(ours, theirs, one, other, same)
    bits = sum(bits for _, bits in rare)
    return Likeness(
        prefixes=tuple(prefixes),
        tensors=len(one.names),
        tensors_there=len(other.names),
        mapped=mapped,
        with_names=sum(len(each.pairs) for each in same if each.has_names),
        same_names=sum(one.names[a] == other.names[b] for each in same for a, b in each.pairs),
        has_same_size=has_same_size,
        families=families,
        explained=len(explained & shared),
        names=rare,
        bits=bits + (SIZE_BITS if has_same_size and bits > 0 else 0.0),
        size_bits=_size_bits(one, other, same, registry),
        shared=frozenset(shared),
    )


def explain(names: Set[str], registry: Registry, without: Set[str]) -> tuple[tuple[str, ...], Set[str]]:
    """Find the families that these names come from: each the nearest to what those before it leave."""
    left = set(names)
    explained: set[str] = set()
    families: list[str] = []
    while len(left) >= LEAST_FAMILY_NAMES:
        ranked = registry.nearest_by_names(left, without)
        if not ranked or ranked[0][2] < LEAST_FAMILY_NAMES:
            break
        lineage = ranked[0][0]
        families.append(lineage)
        explained |= left & registry.names[lineage]
        left -= registry.names[lineage]
    return tuple(families), explained


def _explained(
    shared: Set[str], prefixes: Iterable[PrefixPair], registry: Registry, without: Set[str]
) -> tuple[tuple[str, ...], Set[str]]:
    """What the families of each part explain, and of the rest what others do."""
    of_parts = tuple(dict.fromkeys(family for row in prefixes for family in row.families))
    explained = set().union(*(registry.names[family] for family in of_parts)) & shared
    more, rest = explain(shared - explained, registry, without)
    return (*of_parts, *more), explained | rest


def weighed(names: Set[str], registry: Registry, without: Set[str]) -> tuple[tuple[str, float], ...]:
    """Names with their bits, the rarest first; of names made alike, `q_proj` and `k_proj`, one counts fully."""
    bits = {name: registry.name_bits(name, without) for name in names}
    begun: set[str] = set()
    ended: set[str] = set()
    weighed: list[tuple[str, float]] = []
    for name in sorted(bits, key=lambda each: (-bits[each], each)):
        words = _DIGITS.sub("", name).strip("_").split("_")
        is_alike = words[0] in begun or words[-1] in ended
        weighed.append((name, bits[name] * (ALIKE_PART if is_alike else 1.0)))
        begun.add(words[0])
        ended.add(words[-1])
    return tuple(sorted(((name, each) for name, each in weighed if each > 0), key=lambda each: (-each[1], each[0])))


def folded(name: str) -> str:
    """A name with every number of a layer written as `*`."""
    return _NUMBER.sub("*", name)


def labels(name: str) -> list[str]:
    """The names of the modules and of the parameter, without numbers and what is called the same everywhere."""
    return [part for part in folded(name).split(".") if part not in _EVERYWHERE]


def _names(same: Same, one: Tree, other: Tree) -> Set[str]:
    """Names that stand at the same place on both sides, counted from the end: where they differ a prefix begins."""
    found: set[str] = set()
    pairs = {(folded(one.names[a]), folded(other.names[b])) for a, b in same.pairs}
    for ours, theirs in pairs:
        for label, label_there in zip(reversed(ours.split(".")), reversed(theirs.split(".")), strict=False):
            if label == label_there and label not in _EVERYWHERE:
                found.add(label)
    return found


def _size(ours: Checkpoint, theirs: Checkpoint, one: Tree, other: Tree, same: Iterable[Same]) -> bool | None:
    """Whether both are of one size, to the byte or in all shapes of what corresponds."""
    if ours.total_bytes is not None and ours.total_bytes == theirs.total_bytes:
        return True
    shapes = [(one.shapes[a], other.shapes[b]) for each in same for a, b in each.pairs]
    if shapes and all(a is not None and b is not None for a, b in shapes):
        return all(a == b for a, b in shapes)
    return None if ours.total_bytes is None or theirs.total_bytes is None else False


def _size_bits(one: Tree, other: Tree, found: Iterable[Same], registry: Registry) -> float:
    """How rare the sizes are that both sides have, once the published models that explain most are set aside."""
    equal = (one.shapes[a] for same in found for a, b in same.pairs if one.shapes[a] == other.shapes[b])
    left = {str(size) for shape in equal for size in shape or ()}
    while left:
        explained = max((left & set(family.values.values()) for family in registry.families), key=len)
        if len(explained) < FEWEST_FAMILY_SIZES:
            break
        left -= explained
    return sum(registry.bits_of_value(size) for size in sorted(left))


def _prefixes(found: Iterable[Same], one: Tree, other: Tree, registry: Registry, without: Set[str]) -> list[PrefixPair]:
    """Put branches together that differ in the numbers of their layers alone."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    below: dict[tuple[str, str], set[str]] = defaultdict(set)
    for same in found:
        key = (folded(same.ours), folded(same.theirs))
        counts[key]["tensors"] += len(same.pairs)
        counts[key]["same_names"] += len(same.pairs) * same.has_names
        for a, b in same.pairs:
            known = one.shapes[a] is not None and other.shapes[b] is not None
            counts[key]["known_shapes"] += known
            counts[key]["same_shapes"] += known and one.shapes[a] == other.shapes[b]
        below[key] |= _names(same, one, other)
    rows = [
        PrefixPair(
            ours,
            theirs,
            count["tensors"],
            count["same_names"],
            count["same_shapes"],
            count["known_shapes"],
            explain(below[ours, theirs], registry, without)[0],
        )
        for (ours, theirs), count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.tensors, row.ours, row.theirs))
