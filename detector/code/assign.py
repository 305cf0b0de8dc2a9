"""Scored pairs -> one reference function for each suspect function."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from detector.code.fitting import greedy, near_ties
from detector.code.pairs import Floats, Pairs
from detector.code.sorting import Numbers, distinct, grouped
from detector.settings import LARGEST_COMPONENT


def assign(pairs: Pairs, fits: Floats, names: Floats, files: Floats) -> Numbers:
    """Choose one pair for each suspect function; near ties are decided so that references are used once.

    names: agreement of the names; `files` what else matches in the two files.

    A reference may serve several suspects when each has nothing nearly as good: a function copied three times is
    three copies, and pieces lifted out of one function share it.

    Shapes: positions in `pairs`, ascending by suspect.
    Ties:   by weight, then shared bits, then the lower reference number.
    """
    if not len(pairs.suspect):
        return np.zeros(0, np.int64)
    ties = near_ties(pairs, fits, names, files)
    chosen = dict(zip(pairs.suspect[ties.best].tolist(), ties.best.tolist(), strict=True))
    for component, rows, columns in _contested(pairs, ties.tied):
        chosen.update(_match_component(component, rows, columns, pairs, ties.weights))
    return np.array([chosen[suspect] for suspect in sorted(chosen)], np.int64)


def _contested(pairs: Pairs, tied: Numbers) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """Groups of pairs that compete for references: connected components of suspects.

    Shapes: the pairs of one component, and the place of each pair's suspect and of its reference in it.
    """
    wanted = np.bincount(pairs.reference[tied])[pairs.reference[tied]]
    alternatives = np.bincount(pairs.suspect[tied])[pairs.suspect[tied]]
    # Suspects of which every tied reference is wanted by nobody else have nothing to settle.
    is_wanted = np.zeros(int(pairs.suspect.max()) + 1, bool)
    is_wanted[pairs.suspect[tied[wanted > 1]]] = True
    open_ = tied[is_wanted[pairs.suspect[tied]] & ((alternatives > 1) | (wanted > 1))]
    if not len(open_):
        return
    import networkx as nx

    # Suspects that want one reference are linked in a row: that connects them as well as each with each would.
    in_row = open_[np.argsort(pairs.reference[open_], kind="stable")]
    follows = np.flatnonzero(pairs.reference[in_row][1:] == pairs.reference[in_row][:-1])
    suspects = pairs.suspect[in_row]
    links = distinct(suspects[follows] * len(is_wanted) + suspects[follows + 1])
    graph = nx.Graph(zip((links // len(is_wanted)).tolist(), (links % len(is_wanted)).tolist(), strict=True))
    number = np.full(len(is_wanted), -1)
    for i, nodes in enumerate(nx.connected_components(graph)):
        number[list(nodes)] = i
    owner = number[pairs.suspect[open_]]
    linked = np.flatnonzero(owner >= 0)
    linked = linked[np.argsort(owner[linked], kind="stable")]
    component, owner = open_[linked], owner[linked]
    rows = np.cumsum(np.diff(pairs.suspect[component], prepend=-1) != 0)
    _, columns = grouped(owner * (int(pairs.reference.max()) + 1) + pairs.reference[component])
    borders = np.flatnonzero(np.diff(owner, prepend=-1, append=-1)) if len(owner) else np.zeros(0, np.int64)
    for start, end in pairwise(borders.tolist()):
        part = slice(start, end)
        yield component[part], rows[part] - rows[start], columns[part] - columns[part].min()


def _match_component(
    component: Numbers, rows: Numbers, columns: Numbers, pairs: Pairs, weights: Floats
) -> dict[int, int]:
    """Maximum-weight matching of suspects and references within one component.

    Source: Crouse 2016 (the assignment algorithm behind scipy); networkx's matching in pure Python takes fifty
            times as long on the components that families of near-identical functions make.
    """
    size = (int(rows[-1]) + 1, int(columns.max()) + 1)
    if size[0] * size[1] > LARGEST_COMPONENT:
        return greedy(component, pairs, weights)
    from scipy.optimize import linear_sum_assignment

    gain = np.zeros(size)
    edge = np.full(size, -1, np.int64)
    # A trace of the shared bits settles what the weights leave open, always in the same way.
    gain[rows, columns] = weights[component] + 1e-9 * np.minimum(pairs.shared[component], 1e6)
    edge[rows, columns] = component
    matched = edge[linear_sum_assignment(gain, maximize=True)]
    matched = matched[matched >= 0]
    return dict(zip(pairs.suspect[matched].tolist(), matched.tolist(), strict=True))
