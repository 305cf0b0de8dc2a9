"""Names and shapes of tensors -> the tree of modules that they spell, and which of its branches another tree has too.

Every branch has four keys, Merkle hashes of what is below it: with the names or without them, with every layer or with
repeated layers folded into one. Two branches of equal keys are built alike, whatever they are called themselves.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice

from detector.settings.config import FEWEST_BRANCH_TENSORS, MOST_ALIKE_BRANCHES, MOST_BRANCHES, MOST_NAME_PARTS

Shape = tuple[int, ...]
Keys = tuple[bytes, bytes, bytes, bytes]  # named, named and folded, nameless, nameless and folded
_DIGEST_BYTES = 12
# Names by which frameworks call what a module learns: they tell what it is even where nothing else may be called so.
PARAMETERS = frozenset(
    {"weight", "bias", "running_mean", "running_var", "num_batches_tracked", "in_proj_weight", "in_proj_bias"}
)


@dataclass(slots=True)
class Branch:
    """A name with everything below it. Leaves are tensors, numbered as they stand in the tree."""

    label: str
    path: tuple[str, ...]
    branches: dict[str, Branch] = field(default_factory=dict)
    shape: Shape | None = None
    first: int = 0
    leaves: int = 0
    keys: Keys = (b"", b"", b"", b"")

    def in_order(self) -> list[Branch]:
        """What is right below: numbers by what they are worth."""
        return sorted(self.branches.values(), key=_order)


@dataclass(frozen=True, slots=True)
class Tree:
    """All tensors of a checkpoint by their names."""

    root: Branch
    names: tuple[str, ...]  # of the leaves, in the order of the tree
    shapes: tuple[Shape | None, ...]


@dataclass(frozen=True, slots=True)
class Same:
    """A branch of one tree and a branch of the other that are built alike.

    Shapes: `pairs` holds (leaf of the one, leaf of the other).
    """

    ours: str
    theirs: str
    has_names: bool  # whether the names below are the same too
    pairs: tuple[tuple[int, int], ...]


def _order(branch: Branch) -> tuple[int, int, str]:
    number = branch.label if branch.label.isdecimal() and len(branch.label) < 10 else ""
    return (0, int(number), "") if number else (1, 0, branch.label)


def tree(tensors: Mapping[str, Shape | None], with_shapes: bool = True) -> Tree | None:
    """Build the tree; None if it would have more branches than any model needs.

    with_shapes: False where the other side knows none, so that both have the same keys.
    """
    root = Branch("", ())
    if sum(_new_branches(tensors)) > MOST_BRANCHES:
        return None
    for name, shape in tensors.items():
        node = root
        parts = name.split(".", MOST_NAME_PARTS)
        for part in parts:
            node = node.branches.setdefault(part, Branch(part, (*node.path, part)))
        node.branches[""] = Branch("", (*node.path, ""), shape=shape if with_shapes else None)
    names: list[str] = []
    shapes: list[Shape | None] = []
    _finish(root, names, shapes)
    return Tree(root, tuple(names), tuple(shapes))


def _new_branches(names: Iterable[str]) -> Iterator[int]:
    """How many branches each name adds to a tree that holds those before it."""
    before: list[str] = []
    for name in sorted(names):
        parts = name.split(".", MOST_NAME_PARTS)
        yield len(parts) - _common(parts, before) + 1
        before = parts


def _finish(branch: Branch, names: list[str], shapes: list[Shape | None]) -> None:
    """Number the leaves and hash, from below."""
    branch.first = len(names)
    if not branch.branches:
        names.append(".".join(branch.path[:-1]))
        shapes.append(branch.shape)
        branch.leaves = 1
        key = _hash([repr(branch.shape).encode()])
        branch.keys = (key, key, key, key)
        return
    below = branch.in_order()
    for each in below:
        _finish(each, names, shapes)
    branch.leaves = len(names) - branch.first
    is_list = len(below) > 1 and all(each.label.isdecimal() for each in below)
    named = [_label(each) + each.keys[0] for each in below]
    folded = [(b"*" if is_list else _label(each)) + each.keys[1] for each in below]
    nameless = sorted(_kept(each) + each.keys[2] for each in below)
    nameless_folded = [_kept(each) + each.keys[3] for each in below]
    branch.keys = (
        _hash(named),
        _hash(sorted(set(folded)) if is_list else folded),
        _hash(nameless),
        _hash(sorted(set(nameless_folded)) if is_list else sorted(nameless_folded)),
    )


def _label(branch: Branch) -> bytes:
    return branch.label.encode("utf-8", "surrogatepass") + b"\0"


def _kept(branch: Branch) -> bytes:
    """Of names nothing is kept but what frameworks give."""
    return _label(branch) if branch.label in PARAMETERS else b"\0"


def _hash(parts: Sequence[bytes]) -> bytes:
    hashed = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        hashed.update(len(part).to_bytes(4, "little"))
        hashed.update(part)
    return hashed.digest()


def align(ours: Tree, theirs: Tree) -> list[Same]:
    """Find the branches that both have, the largest first: each tensor stands in one of them at most.

    First those with equal names below, then those that are only built alike; what is left and is called the same is
    taken name by name. Branches that have one path and one key belong to each other.
    """
    places = {branch.path: branch for branch in _branches(ours.root)}
    places_there = {branch.path: branch for branch in _branches(theirs.root)}
    taken, taken_there = bytearray(len(ours.names)), bytearray(len(theirs.names))
    found: list[Same] = []
    for kind, has_names in ((0, True), (1, True), (2, False), (3, False)):
        there: dict[bytes, deque[Branch]] = defaultdict(deque)
        for path, branch in places_there.items():
            if path not in places or places[path].keys[kind] != branch.keys[kind]:
                there[branch.keys[kind]].append(branch)
        for branch in sorted(places.values(), key=lambda each: (-each.leaves, each.first)):
            if not has_names and branch.leaves < FEWEST_BRANCH_TENSORS:
                break
            if not _is_free(branch, taken):
                continue
            other = places_there.get(branch.path)
            if other is None or other.keys[kind] != branch.keys[kind] or not _is_free(other, taken_there):
                other = _counterpart(branch, there.get(branch.keys[kind]), taken_there)
            if other is not None:
                pairs = tuple(_zipped(branch, other, kind))
                for one, two in pairs:
                    taken[one] = taken_there[two] = 1
                found.append(Same(_named(branch), _named(other), has_names, pairs))
    found += _by_name(ours, theirs, taken, taken_there)
    return sorted(found, key=lambda same: (-len(same.pairs), same.ours))


def _branches(root: Branch) -> Iterator[Branch]:
    """Every branch with something below it, from above, but for parameters that are called the same everywhere."""
    left = [root]
    while left:
        branch = left.pop()
        if branch.branches:
            if branch.label not in PARAMETERS:
                yield branch
            left += branch.in_order()[::-1]


def _named(branch: Branch) -> str:
    return ".".join(branch.path)


def _is_free(branch: Branch, taken: bytearray) -> bool:
    return not any(taken[branch.first : branch.first + branch.leaves])


def _counterpart(branch: Branch, there: deque[Branch] | None, taken_there: bytearray) -> Branch | None:
    """Of the first free branches with its key the one that is called most alike.

    A small one has to be called the same: a module with one weight is built like any other.
    """
    if not there:
        return None
    while there and not _is_free(there[0], taken_there):
        there.popleft()
    free = [each for each in islice(there, MOST_ALIKE_BRANCHES) if _is_free(each, taken_there)]
    if branch.leaves < FEWEST_BRANCH_TENSORS:
        free = [each for each in free if each.label == branch.label]
    return max(free, key=lambda each: (_alike(branch.path, each.path), -each.first), default=None)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts of two paths are the same, counted from either end."""
    ends: list[Callable[[Sequence[str]], Sequence[str]]] = [lambda path: path, lambda path: path[::-1]]
    return sum(_common(end(one), end(other)) for end in ends)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for ours, theirs in zip(one, other, strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def _zipped(one: Branch, other: Branch, kind: int) -> Iterator[tuple[int, int]]:
    """Pair the leaves of two branches of one key: by names, else by what is built alike, in order."""
    if not one.branches:
        yield one.first, other.first
        return
    left: dict[bytes, list[Branch]] = defaultdict(list)
    ours = one.in_order()
    for each in other.in_order():
        if each.label not in one.branches or one.branches[each.label].keys[kind] != each.keys[kind]:
            left[each.keys[kind]].append(each)
    for each in ours:
        same = other.branches.get(each.label)
        if same is not None and same.keys[kind] == each.keys[kind]:
            yield from _zipped(each, same, kind)
        elif left[each.keys[kind]]:
            yield from _zipped(each, left[each.keys[kind]].pop(0), kind)


def _by_name(ours: Tree, theirs: Tree, taken: bytearray, taken_there: bytearray) -> Iterator[Same]:
    places = {name: place for place, name in enumerate(theirs.names) if not taken_there[place]}
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, name in enumerate(ours.names):
        if not taken[place] and name in places and ours.shapes[place] == theirs.shapes[places[name]]:
            groups[name.rpartition(".")[0]].append((place, places[name]))
    for above, pairs in groups.items():
        yield Same(above, above, True, tuple(pairs))
