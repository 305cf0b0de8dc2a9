"""Two checkpoints -> which tensor stands for which, by what they hold, whatever they are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Table
from dataclasses import replace

import numpy as np

from detector.artifacts.weights.assigned import Candidate, assign, is_alike_throughout
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.leftovers import find_leftovers
from detector.artifacts.weights.neighbours import Neighbours, pair_rest
from detector.artifacts.weights.sketch import Sketch, shape_of, sketches
from detector.artifacts.weights.stored import Weights
from detector.settings.mapping import MOST_COMPARED

Tell = Callable[[int, int], None]
Group = tuple[list[Sketch], list[Sketch]]


def map_tensors(ours: Weights, theirs: Weights, is_sampled: bool, tell: Tell | None = None) -> Mapping:
    """Find the counterpart of every tensor of the suspect.

    is_sampled: read a few hundred values of each tensor and no more.
    tell:       is told how many of how many tensors are done.
    """
    our_sketches, unread = sketches(ours, ours.tensors)
    their_sketches, unread_there = sketches(theirs, theirs.tensors)
    notes = [*unread, *unread_there]
    groups = _groups(ours, theirs, our_sketches, their_sketches)
    same: list[tuple[Pair, bool]] = []
    for shape, (mine, its) in groups.items():
        if max(len(mine), len(its)) > MOST_COMPARED:
            name = " x ".join(map(str, shape)) or "1"
            notes.append(
                f"{max(len(mine), len(its)):,} tensors of shape {name}: {MOST_COMPARED:,} were compared by values"
            )
        candidates = assign(_telling(mine), _telling(its))
        same += [(_pair(each), is_alike_throughout(each)) for each in candidates if each.is_certain]
    pairs, left_out = find_leftovers(ours, theirs, (our_sketches, their_sketches), same, is_sampled)
    notes += left_out
    pairs += _by_names(groups, pairs)
    return _mapping(ours, theirs, _without_lone_vectors(ours, pairs), notes)


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


def _by_names(groups: Table[tuple[int, ...], Group], pairs: list[Pair]) -> Iterator[Pair]:
    """Pair what is left by names and order: constants, and what chance explains."""
    neighbours = Neighbours((pair.ours, pair.theirs) for pair in pairs if pair.is_certain)
    done, done_there = {pair.ours for pair in pairs}, {pair.theirs for pair in pairs}
    for mine, its in groups.values():
        rest = [each for each in mine if each.name not in done]
        rest_there = [each for each in its if each.name not in done_there]
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


def _mapping(ours: Weights, theirs: Weights, pairs: list[Pair], notes: list[str]) -> Mapping:
    done, done_there = {pair.ours for pair in pairs}, {pair.theirs for pair in pairs}
    order = {name: number for number, name in enumerate(ours.tensors)}
    return Mapping(
        tuple(sorted(pairs, key=lambda pair: (order[pair.ours], pair.our_rows, pair.theirs))),
        tuple(name for name in ours.tensors if name not in done),
        tuple(name for name in theirs.tensors if name not in done_there),
        unread=tuple(notes),
    )
