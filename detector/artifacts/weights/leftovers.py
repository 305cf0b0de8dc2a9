"""Tensors that no tensor of their shape stands for -> turned, cut, put together, in another order, or rotated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from detector.artifacts.weights.axes import Axis, Lines, axes_of, pairs_of, plain
from detector.artifacts.weights.correspondence import Pair
from detector.artifacts.weights.following import vectors_along
from detector.artifacts.weights.gram import rotations
from detector.artifacts.weights.pieces import runs_of_rows
from detector.artifacts.weights.searching import Budget, Found, search
from detector.artifacts.weights.sketch import Sketch, matrix_shape
from detector.artifacts.weights.stored import Weights
from detector.artifacts.weights.turned import transposes
from detector.settings.mapping import FIRM, MOST_LEFT, MOST_ORDERS, MOST_ROUNDS

Known = tuple[Mapping[str, Sketch], Mapping[str, Sketch]]


class Leftovers:
    """What of two checkpoints has no certain counterpart yet; each step takes away what it finds.

    known: sketches of both sides; what is constant in them is never looked for.
    """

    def __init__(self, ours: Weights, theirs: Weights, known: Known) -> None:
        self.ours, self.theirs, self._known = ours, theirs, known
        self.found: list[Pair] = []
        self._doubtful: list[Pair] = []
        self._covered: Counter[tuple[bool, str]] = Counter()
        self._listed: dict[int, list[str]] = {}  # by side, until something is taken
        self._by_length: dict[int, dict[int, list[Lines]]] = {}

    def mine(self) -> list[str]:
        """Names of the suspect's tensors that are left."""
        return self._left(self.ours, 0)

    def its(self) -> list[str]:
        """Names of the reference's tensors that are left."""
        return self._left(self.theirs, 1)

    def lines(self, side: int) -> dict[int, list[Lines]]:
        """Rows and columns of what is left, of the suspect (0) or the reference (1), by how many values they have."""
        if side not in self._by_length:
            weights = (self.ours, self.theirs)[side]
            found: defaultdict[int, list[Lines]] = defaultdict(list)
            for name in self._left(weights, side):
                for lines in (Lines(name, False), Lines(name, True)):
                    if lines.count(weights.tensors) > 1:
                        found[lines.length(weights.tensors)].append(lines)
            self._by_length[side] = dict(found)
        return self._by_length[side]

    def _left(self, weights: Weights, side: int) -> list[str]:
        if side not in self._listed:
            left = (
                name
                for name, each in self._known[side].items()
                if not each.is_constant and self._covered[bool(side), name] < weights.tensors[name].parameters
            )
            self._listed[side] = list(islice(left, MOST_LEFT))
        return self._listed[side]

    def add(self, pairs: Iterable[Pair], is_alike_throughout: bool = True) -> None:
        """Keep what was found; what is alike only in part waits for what is more alike."""
        for pair in pairs:
            if abs(pair.correlation) < FIRM or not is_alike_throughout:
                self._doubtful.append(pair)
            else:
                self.found.append(pair)
                self._take(pair)

    def settle(self) -> None:
        """Keep of what waits whatever is still without a counterpart, what is most alike first."""
        waiting, self._doubtful = sorted(self._doubtful, key=lambda pair: -abs(pair.correlation)), []
        for pair in waiting:
            if self._is_free(False, pair) and self._is_free(True, pair):
                self.found.append(pair)
                self._take(pair)

    def _is_free(self, is_theirs: bool, pair: Pair) -> bool:
        weights, name, values = self._side(is_theirs, pair)
        return self._covered[is_theirs, name] + values <= weights.tensors[name].parameters

    def _side(self, is_theirs: bool, pair: Pair) -> tuple[Weights, str, int]:
        """One side of a pair: its checkpoint, its tensor, and how many values of that are in the pair."""
        if is_theirs:
            weights, name, run, is_turned = self.theirs, pair.theirs, pair.their_rows, pair.theirs_transposed
        else:
            weights, name, run, is_turned = self.ours, pair.ours, pair.our_rows, pair.ours_transposed
        whole = weights.tensors[name]
        return weights, name, run[1] * matrix_shape(whole)[1 - is_turned] if run[1] else whole.parameters

    def _take(self, pair: Pair) -> None:
        self._listed.clear()
        self._by_length.clear()
        for is_theirs in (False, True):
            _, name, values = self._side(is_theirs, pair)
            self._covered[is_theirs, name] += values

    def axes(self) -> list[Axis]:
        """Every axis that is not plain, those that most pairs have first."""
        counted: Counter[tuple[int, int, bytes, bytes]] = Counter()
        axes: dict[tuple[int, int, bytes, bytes], Axis] = {}
        together: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
        for pair in self.found:
            together[pair.ours, pair.theirs].append(pair)
        for (mine, its), pairs in together.items():
            for axis in axes_of(pairs, self.ours.tensors[mine], self.theirs.tensors[its]):
                counted[axis.key] += 1
                axes.setdefault(axis.key, axis)
        return [axes[key] for key, _ in counted.most_common()]


def find_leftovers(
    ours: Weights, theirs: Weights, known: Known, same: Iterable[tuple[Pair, bool]], is_sampled: bool
) -> tuple[list[Pair], list[str]]:
    """Certain pairs of all kinds; and what was not looked at.

    same:       pairs of tensors of one shape, and whether each is alike at all places.
    is_sampled: only a few rows of each tensor are read: orders of rows and rotations are not found then.
    """
    left = Leftovers(ours, theirs, known)
    for pair, is_alike_throughout in same:
        left.add([pair], is_alike_throughout)
    left.add(transposes(ours, theirs, left.mine(), left.its(), is_sampled))
    left.add(runs_of_rows(ours, theirs, (left.mine(), left.its()), known))
    budget = Budget()
    if not is_sampled:
        tried: set[tuple[int, int, bytes, bytes]] = set()
        for _ in range(MOST_ROUNDS):
            if not _search_round(left, tried, budget):
                break
    left.add(vectors_along(ours, theirs, left.mine(), left.its(), left.axes()))
    if not is_sampled:
        left.add(rotations(ours, theirs, left.mine(), left.its(), budget))
    left.settle()
    return left.found, budget.notes()


def _search_round(left: Leftovers, tried: set[tuple[int, int, bytes, bytes]], budget: Budget) -> bool:
    """Look for lines in common along every axis that is known; whether anything was found."""
    before = len(left.found)
    for along in _to_try(left, tried):
        tried.add(along.key)
        mine, its = left.lines(0).get(along.our_length, []), left.lines(1).get(along.their_length, [])
        if mine and its:
            left.add(_chosen(search(left.ours, left.theirs, mine, its, along, budget), along))
    return len(left.found) > before


def _to_try(left: Leftovers, tried: set[tuple[int, int, bytes, bytes]]) -> Iterator[Axis]:
    lengths = left.lines(0).keys() & left.lines(1).keys()
    orders: Counter[tuple[int, int]] = Counter()
    for axis in [*map(plain, sorted(lengths)), *left.axes()]:
        ends = axis.our_length, axis.their_length
        if axis.is_whole and axis.key not in tried and orders[ends] < MOST_ORDERS:
            orders[ends] += 1
            yield axis


def _chosen(found: Iterable[Found], along: Axis) -> Iterator[Pair]:
    """Of all that was found, what does not take a row twice: the pairs with most rows first."""
    taken: defaultdict[tuple[bool, Lines], set[int]] = defaultdict(set)
    for each in sorted(found, key=lambda each: (-len(each.lines.ours), -abs(each.correlation))):
        mine, its = each.lines.ours.tolist(), each.lines.theirs.tolist()
        if taken[False, each.ours].isdisjoint(mine) and taken[True, each.theirs].isdisjoint(its):
            taken[False, each.ours].update(mine)
            taken[True, each.theirs].update(its)
            yield from pairs_of(each.ours, each.theirs, each.lines, along, each.correlation, each.margin)
