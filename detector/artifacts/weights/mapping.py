"""Two checkpoints -> which tensor stands for which, by what they hold, whatever they are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Table
from dataclasses import replace

import numpy as np

from detector.artifacts.weights.assigned import Candidate, assign, is_alike_throughout
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.layers import layer_of, missing_layers
from detector.artifacts.weights.leftovers import find_leftovers
from detector.artifacts.weights.neighbours import Neighbours, pair_rest
from detector.artifacts.weights.sketch import Sketch, shape_of, sketches
from detector.artifacts.weights.stored import Weights
from detector.settings.mapping import MOST_COMPARED, MOST_EXPECTED_RELATED, RELATED_SHARE

Tell = Callable[[int, int], None]
Missing = tuple[tuple[str, ...], tuple[str, ...]]  # layers of the reference, of the suspect
Group = tuple[list[Sketch], list[Sketch]]


def map_tensors(ours: Weights, theirs: Weights, is_sampled: bool, tell: Tell | None = None) -> Mapping:
    """Find the counterpart of every tensor of the suspect.

    is_sampled: read a few hundred values of each tensor and no more.
    tell:       is told how many of how many tensors are done.
    """
    done = _Done(len(ours.tensors) + len(theirs.tensors), tell)
    our_sketches, unread = sketches(ours, ours.tensors, tell=done.one)
    their_sketches, unread_there = sketches(theirs, theirs.tensors, tell=done.one)
    known = our_sketches, their_sketches
    notes = [*unread, *unread_there]
    groups = _groups(ours, theirs, *known)
    same: list[tuple[Pair, bool]] = []
    for shape, (mine, its) in groups.items():
        if max(len(mine), len(its)) > MOST_COMPARED:
            name = " x ".join(map(str, shape)) or "1"
            notes.append(
                f"{max(len(mine), len(its)):,} tensors of shape {name}: {MOST_COMPARED:,} were compared by values"
            )
        candidates = assign(_telling(mine), _telling(its))
        same += [(_pair(each), is_alike_throughout(each)) for each in candidates if each.is_certain]
    pairs, left_out = find_leftovers(ours, theirs, known, same, is_sampled)
    notes += left_out
    pairs += _of_related(groups, pairs)
    telling, telling_there = ([each.name for each in some.values() if not each.is_constant] for some in known)
    dropped, added = missing_layers(pairs, telling, telling_there)
    pairs += _by_names(groups, pairs, {*dropped, *added})
    return _mapping(ours, theirs, _without_lone_vectors(ours, pairs), notes, (dropped, added))


class _Done:
    """How many tensors were looked at."""

    def __init__(self, of: int, tell: Tell | None) -> None:
        self._count, self._of, self._tell = 0, of, tell

    def one(self) -> None:
        """Count one more."""
        self._count += 1
        if self._tell:
            self._tell(self._count, self._of)


def _groups(
    ours: Weights, theirs: Weights, our_sketches: Table[str, Sketch], their_sketches: Table[str, Sketch]
) -> dict[tuple[int, ...], Group]:
    """Sketches of both sides by shape; in the order of their names."""
    groups: defaultdict[tuple[int, ...], Group] = defaultdict(lambda: ([], []))
    for side, (weights, found) in enumerate(((ours, our_sketches), (theirs, their_sketches))):
        for name in weights.tensors:
            if name in found:
                groups[shape_of(weights.tensors[name])][side].append(found[name])
    return {shape: groups[shape] for shape in sorted(groups) if all(groups[shape])}


def _telling(sketches: Iterable[Sketch]) -> list[Sketch]:
    return [each for each in sketches if not each.is_constant][:MOST_COMPARED]


def _pair(found: Candidate) -> Pair:
    margin = abs(found.correlation) - found.next_best
    return Pair(found.ours.name, found.theirs.name, Arrangement.SAME, found.correlation, margin, found.is_certain)


def _of_related(groups: Table[tuple[int, ...], Group], pairs: list[Pair]) -> list[Pair]:
    """Certain pairs among what is left of groups of which most is certain: a few weak ones among themselves."""
    done, done_there = {pair.ours for pair in pairs}, {pair.theirs for pair in pairs}
    found = []
    for mine, its in groups.values():
        telling, telling_there = _telling(mine), _telling(its)
        rest = [each for each in telling if each.name not in done]
        rest_there = [each for each in telling_there if each.name not in done_there]
        if len(rest) <= (1 - RELATED_SHARE) * len(telling):
            candidates = assign(rest, rest_there, MOST_EXPECTED_RELATED)
            found += [_pair(candidate) for candidate in candidates if candidate.is_certain]
    return found


def _by_names(groups: Table[tuple[int, ...], Group], pairs: list[Pair], missing: set[str]) -> Iterator[Pair]:
    """Pair what is left by names and order: constants, and what chance explains.

    missing: layers that have no counterpart, and so their tensors have none either.
    """
    neighbours = Neighbours((pair.ours, pair.theirs) for pair in pairs if pair.is_certain)
    done, done_there = {pair.ours for pair in pairs}, {pair.theirs for pair in pairs}
    for mine, its in groups.values():
        rest = [each for each in mine if each.name not in done and layer_of(each.name) not in missing]
        rest_there = [each for each in its if each.name not in done_there and layer_of(each.name) not in missing]
        for one, other in pair_rest(rest, rest_there, neighbours):
            correlation = float(np.clip(one.standard @ other.standard, -1, 1))
            if np.array_equal(one.values, other.values):
                correlation = 1.0
            yield Pair(one.name, other.name, Arrangement.SAME, correlation, 0.0, False)


def _without_lone_vectors(ours: Weights, pairs: list[Pair]) -> list[Pair]:
    """Take certainty from vectors where no matrix is certain.

    Biases of a vocabulary are log-frequencies, which any two models of one language learn alike; the columns of a
    matrix are in an order that each training chooses for itself.
    """
    if any(pair.is_certain and len(shape_of(ours.tensors[pair.ours])) > 1 for pair in pairs):
        return pairs
    return [replace(pair, is_certain=False) for pair in pairs]


def _mapping(ours: Weights, theirs: Weights, pairs: list[Pair], notes: list[str], missing: Missing) -> Mapping:
    done, done_there = {pair.ours for pair in pairs}, {pair.theirs for pair in pairs}
    order = {name: number for number, name in enumerate(ours.tensors)}
    return Mapping(
        tuple(sorted(pairs, key=lambda pair: (order[pair.ours], pair.our_rows, pair.theirs))),
        tuple(name for name in ours.tensors if name not in done),
        tuple(name for name in theirs.tensors if name not in done_there),
        dropped_layers=missing[0],
        added_layers=missing[1],
        unread=tuple(notes),
    )
