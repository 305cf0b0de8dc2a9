"""Two checkpoints -> which tensor stands for which, by what they hold, whatever they are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Table
from dataclasses import replace

import numpy as np

from detector.artifacts.weights.assigned import Candidate, assign, is_alike_throughout
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.formulas import is_by_formula
from detector.artifacts.weights.layers import layer_of, missing_layers
from detector.artifacts.weights.leftovers import find_leftovers
from detector.artifacts.weights.neighbours import Neighbours, pair_rest
from detector.artifacts.weights.sketch import Sketch, shape_of, sketches
from detector.artifacts.weights.stored import Weights
from detector.settings.mapping import (
    LEAST_TABLE,
    MOST_ASSIGNED,
    MOST_COMPARED,
    MOST_EXPECTED_RELATED,
    RELATED_SHARE,
)

Tell = Callable[[int, int], None]
Shape = tuple[int, ...]
Sketches = dict[str, Sketch]
Missing = tuple[tuple[str, ...], tuple[str, ...]]  # layers of the reference, of the suspect


def map_tensors(ours: Weights, theirs: Weights, is_sampled: bool, tell: Tell | None = None) -> Mapping:
    """Find the counterpart of every tensor of the suspect.

    is_sampled: read a few hundred values of each tensor, and little more.
    tell:       is told how many of how many tensors were looked at.
    Errors:     none; what could not be read is in `Mapping.unread`.
    """
    count = _Count(len(ours.tensors) + len(theirs.tensors), tell)
    mine, notes = _sketched(ours, count)
    its, notes_there = _sketched(theirs, count)
    notes += notes_there
    groups = _Groups(ours, theirs, mine, its)
    same = groups.same()
    pairs, left_out = find_leftovers(ours, theirs, (mine, its), same, is_sampled)
    pairs += groups.of_related(pairs)
    missing = missing_layers(pairs, _telling_names(mine), _telling_names(its))
    pairs += groups.by_names(pairs, {*missing[0], *missing[1]})
    pairs = _without_lone_vectors(ours, pairs)
    if not any(pair.is_certain for pair in pairs):
        missing = (), ()
    return _mapping(ours, theirs, pairs, [*notes, *left_out], missing)


class _Count:
    """How many tensors were looked at."""

    def __init__(self, of: int, tell: Tell | None) -> None:
        self._count, self._of, self._tell = 0, of, tell

    def one(self) -> None:
        """Count one more."""
        self._count += 1
        if self._tell:
            self._tell(self._count, self._of)


def _sketched(weights: Weights, count: _Count) -> tuple[Sketches, list[str]]:
    """Sketches by name, and what has none: of very many tensors of one shape some have to do."""
    by_shape: defaultdict[Shape, list[str]] = defaultdict(list)
    for name, tensor in weights.tensors.items():
        by_shape[shape_of(tensor)].append(name)
    notes = [
        f"{len(names):,} tensors of shape {' x '.join(map(str, shape)) or '1'}: only {MOST_COMPARED:,} are compared"
        for shape, names in sorted(by_shape.items())
        if len(names) > MOST_COMPARED
    ]
    found, unread = sketches(
        weights, (name for names in by_shape.values() for name in names[:MOST_COMPARED]), count.one
    )
    return found, [*unread, *notes]


class _Groups:
    """The tensors of both sides by their shapes."""

    def __init__(self, ours: Weights, theirs: Weights, mine: Sketches, its: Sketches) -> None:
        self._ours = ours
        self._known = mine, its
        shapes: defaultdict[Shape, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for side, (weights, found) in enumerate(((ours, mine), (theirs, its))):
            for name in found:
                shapes[shape_of(weights.tensors[name])][side].append(name)
        self._names = [shapes[shape] for shape in sorted(shapes) if all(shapes[shape])]

    def _rest(self, pairs: Iterable[Pair]) -> Iterator[tuple[list[Sketch], list[Sketch]]]:
        """What of each shape is in no pair."""
        some = list(pairs)
        done = {pair.ours for pair in some}, {pair.theirs for pair in some}
        for names in self._names:
            mine, its = (
                [known[name] for name in each if name not in taken]
                for known, each, taken in zip(self._known, names, done, strict=True)
            )
            yield mine, its

    def same(self) -> list[tuple[Pair, bool]]:
        """Pairs that chance is ruled out of, and whether each is alike at all places."""
        found = []
        for mine, its in self._rest(()):
            for each in assign(_telling(mine), _telling(its)):
                if not each.is_certain:
                    continue
                if abs(each.correlation) >= LEAST_TABLE and is_by_formula(self._ours, each.ours):
                    self._abstain(each)
                else:
                    found.append((_pair(each), is_alike_throughout(each)))
        return found

    def _abstain(self, candidate: Candidate) -> None:
        for known, each in zip(self._known, (candidate.ours, candidate.theirs), strict=True):
            known[each.name] = replace(each, is_constant=True)

    def of_related(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Certain pairs among what is left of shapes of which most is certain: a few weak ones among themselves."""
        found = []
        for (all_mine, _), (mine, its) in zip(self._rest(()), self._rest(pairs), strict=True):
            left, left_there = _telling(mine), _telling(its)
            is_related = len(left) <= (1 - RELATED_SHARE) * len(_telling(all_mine))
            if is_related and len(left) * len(left_there) <= MOST_ASSIGNED:
                candidates = assign(left, left_there, MOST_EXPECTED_RELATED)
                found += [_pair(each) for each in candidates if each.is_certain]
        return found

    def by_names(self, pairs: Iterable[Pair], missing: set[str]) -> list[Pair]:
        """Pair what is left by names and order: constants, and what chance explains.

        missing: layers that have no counterpart, and so their tensors have none either.
        """
        some = list(pairs)
        neighbours = Neighbours((pair.ours, pair.theirs) for pair in some if pair.is_certain)
        found = []
        for mine, its in self._rest(some):
            rest, rest_there = (
                [each for each in side if not missing or layer_of(each.name) not in missing] for side in (mine, its)
            )
            for one, other in pair_rest(rest, rest_there, neighbours):
                is_equal = np.array_equal(one.values, other.values)
                correlation = 1.0 if is_equal else float(np.clip(one.standard @ other.standard, -1, 1))
                found.append(Pair(one.name, other.name, Arrangement.SAME, correlation, 0.0, False))
        return found


def _telling(sketches: Iterable[Sketch]) -> list[Sketch]:
    return [each for each in sketches if not each.is_constant]


def _telling_names(known: Sketches) -> list[str]:
    return [each.name for each in known.values() if not each.is_constant]


def _pair(found: Candidate) -> Pair:
    margin = abs(found.correlation) - found.next_best
    return Pair(found.ours.name, found.theirs.name, Arrangement.SAME, found.correlation, margin, found.is_certain)


def _without_lone_vectors(ours: Weights, pairs: list[Pair]) -> list[Pair]:
    """Take certainty from vectors where no matrix is certain.

    Biases of a vocabulary are log-frequencies, which any two models of one language learn alike; the columns of a
    matrix are in an order that each training chooses for itself.
    """
    if any(pair.is_certain and len(shape_of(ours.tensors[pair.ours])) > 1 for pair in pairs):
        return pairs
    return [replace(pair, is_certain=False) for pair in pairs]


def _mapping(ours: Weights, theirs: Weights, pairs: list[Pair], notes: Iterable[str], missing: Missing) -> Mapping:
    done, done_there = {pair.ours for pair in pairs}, {pair.theirs for pair in pairs}
    order: Table[str, int] = {name: number for number, name in enumerate(ours.tensors)}
    return Mapping(
        tuple(sorted(pairs, key=lambda pair: (order[pair.ours], pair.our_rows, pair.theirs, pair.their_rows))),
        tuple(name for name in ours.tensors if name not in done),
        tuple(name for name in theirs.tensors if name not in done_there),
        *missing,
        unread=tuple(notes),
    )
