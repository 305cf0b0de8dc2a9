"""Scored pairs -> one reference function for each suspect function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from detector.code.lowering.labels import API_NAMES
from detector.code.match import Floats, Pairs
from detector.code.shingle import Numbers
from detector.model import Span
from detector.settings import COMPANY_WEIGHT, LARGEST_COMPONENT, NAME_WEIGHT, NEAR_TIE


def company(
    pairs: Pairs, suspects: Sequence[Span], references: Sequence[Span], sizes: Floats, callees: sparse.csr_matrix
) -> Floats:
    """How well the neighbours of a pair match each other.

    Shapes:  one value for each pair, 0..1.
    Formula: the size-weighted mean of the best similarity that each *other* member of the suspect's group (the
             methods of its class, else the functions of its file) reaches within the reference's group; or, where
             that is more, the similarity of a function that calls the suspect with the same reference: then the
             suspect may be a piece lifted out of it.
    """
    if not len(pairs.suspect):
        return pairs.similarity
    ours, theirs = _groups(suspects), _groups(references)
    width = int(theirs.max()) + 1
    # best[k]: the best similarity of one suspect function within one reference group
    member = pairs.suspect * width + theirs[pairs.reference]
    keys, place = np.unique(member, return_inverse=True)
    best = np.zeros(len(keys))
    np.maximum.at(best, place, pairs.similarity)
    functions = keys // width
    contribution = best * sizes[functions]
    group_pair = ours[functions] * width + keys % width
    _, group_place = np.unique(group_pair, return_inverse=True)
    sums = np.bincount(group_place, contribution)
    group_sizes = np.bincount(ours, sizes)
    others = sums[group_place] - contribution
    rest = group_sizes[ours[functions]] - sizes[functions]
    around = np.divide(others, rest, out=np.zeros_like(others), where=rest > 1e-9)
    kept: Floats = np.maximum(around[place], _callers(pairs, callees))
    return kept


def raised(pairs: Pairs, around: Floats, agreement: Floats) -> Floats:
    """Raise each pair's similarity by its company and by names that agree: what assignment compares.

    Formula: s + w c (1 - s) + n a. One-sided: neither ever lowers a pair.
    """
    weights: Floats = pairs.similarity + COMPANY_WEIGHT * around * (1 - pairs.similarity) + NAME_WEIGHT * agreement
    return weights


def _callers(pairs: Pairs, callees: sparse.csr_matrix) -> Floats:
    """For each pair, the best similarity with the same reference of a function that calls the suspect."""
    functions, width = callees.shape[0], int(pairs.reference.max()) + 1
    similarity = sparse.csr_matrix((pairs.similarity, (pairs.suspect, pairs.reference)), shape=(functions, width))
    callers = callees.T.tocsr()
    best = np.zeros(len(pairs.suspect))
    called = np.flatnonzero(np.diff(callers.indptr)[pairs.suspect] > 0)
    if not len(called):
        return best
    counts = np.diff(callers.indptr)[pairs.suspect[called]]
    repeated = np.repeat(called, counts)
    firsts = np.repeat(callers.indptr[pairs.suspect[called]] - (np.cumsum(counts) - counts), counts)
    caller = callers.indices[firsts + np.arange(len(repeated))]
    found = np.asarray(similarity[caller, pairs.reference[repeated]]).ravel()
    np.maximum.at(best, repeated, found)
    return best


def name_agreement(pairs: Pairs, suspects: Sequence[Span], references: Sequence[Span]) -> Floats:
    """How far the names of two functions agree: half for the function, half for its class or file.

    Names that a framework prescribes (`forward`, `__init__`) agree everywhere and say nothing. That names differ
    never counts against a pair.

    Shapes: one value for each pair, 0, 0.5 or 1.
    """
    numbers: dict[str, int] = {}
    own_names, own_homes = _names(suspects, numbers)
    their_names, their_homes = _names(references, numbers)
    same_name = own_names[pairs.suspect] == their_names[pairs.reference]
    same_home = own_homes[pairs.suspect] == their_homes[pairs.reference]
    agreement: Floats = (same_name & (own_names[pairs.suspect] >= 0)) / 2 + same_home / 2
    return agreement


def _names(spans: Sequence[Span], numbers: dict[str, int]) -> tuple[Numbers, Numbers]:
    names, homes = [], []
    for span in spans:
        prefix, _, name = span.qualname.rpartition(".")
        home = prefix.rpartition(".")[2] or span.path.rpartition("/")[2]
        names.append(-1 if name in API_NAMES else numbers.setdefault(name, len(numbers)))
        homes.append(numbers.setdefault(home, len(numbers)))
    return np.array(names, np.int64), np.array(homes, np.int64)


def _groups(spans: Sequence[Span]) -> Numbers:
    """Number the class of each method, the file of each free function."""
    numbers: dict[tuple[str, str], int] = {}
    return np.array(
        [numbers.setdefault((span.path, span.qualname.rpartition(".")[0]), len(numbers)) for span in spans], np.int64
    )


def assign(pairs: Pairs, weights: Floats) -> Numbers:
    """Choose one pair for each suspect function; near ties are decided so that references are used once.

    A reference may serve several suspects when each has nothing nearly as good: a function copied three times is
    three copies, and pieces lifted out of one function share it.

    Shapes: positions in `pairs`, ascending by suspect.
    Ties:   by weight, then shared bits, then the lower reference number.
    """
    if not len(pairs.suspect):
        return np.zeros(0, np.int64)
    order = np.lexsort((pairs.reference, -pairs.shared, -weights, pairs.suspect))
    suspects = pairs.suspect[order]
    is_best = np.ones(len(order), bool)
    is_best[1:] = suspects[1:] != suspects[:-1]
    top = weights[order][is_best][np.cumsum(is_best) - 1]
    tied = order[weights[order] >= NEAR_TIE * top]
    chosen = dict(zip(suspects[is_best].tolist(), order[is_best].tolist(), strict=True))
    for component in _contested(pairs, tied):
        chosen.update(_match_component(component, pairs, weights))
    return np.array([chosen[suspect] for suspect in sorted(chosen)], np.int64)


def _contested(pairs: Pairs, tied: Numbers) -> list[Numbers]:
    """Groups of pairs that compete for references: connected components with more than one suspect."""
    import networkx as nx

    wanted = np.bincount(pairs.reference[tied])[pairs.reference[tied]]
    alternatives = np.bincount(pairs.suspect[tied])[pairs.suspect[tied]]
    # Suspects of which every tied reference is wanted by nobody else have nothing to settle.
    is_wanted = np.zeros(int(pairs.suspect.max()) + 1, bool)
    is_wanted[pairs.suspect[tied[wanted > 1]]] = True
    open_ = tied[is_wanted[pairs.suspect[tied]] & ((alternatives > 1) | (wanted > 1))]
    # Suspects that want one reference are linked in a row: that connects them as well as each with each would.
    in_row = open_[np.argsort(pairs.reference[open_], kind="stable")]
    follows = np.flatnonzero(pairs.reference[in_row][1:] == pairs.reference[in_row][:-1])
    suspects = pairs.suspect[in_row]
    graph = nx.Graph(zip(suspects[follows].tolist(), suspects[follows + 1].tolist(), strict=True))
    graph.add_nodes_from(suspects.tolist())
    number = {node: i for i, nodes in enumerate(nx.connected_components(graph)) for node in nodes}
    owner = np.array([number[suspect] for suspect in pairs.suspect[open_].tolist()], np.int64)
    order = np.argsort(owner, kind="stable")
    groups = np.split(open_[order], np.flatnonzero(np.diff(owner[order])) + 1) if len(order) else []
    return [group for group in groups if pairs.suspect[group[0]] != pairs.suspect[group[-1]]]


def _match_component(component: Numbers, pairs: Pairs, weights: Floats) -> dict[int, int]:
    """Maximum-weight matching of suspects and references within one component.

    Source: Crouse 2016 (the assignment algorithm behind scipy); networkx's matching in pure Python takes fifty
            times as long on the components that families of near-identical functions make.
    """
    suspects, rows = np.unique(pairs.suspect[component], return_inverse=True)
    references, columns = np.unique(pairs.reference[component], return_inverse=True)
    if len(suspects) * len(references) > LARGEST_COMPONENT:
        return _greedy(component, pairs, weights)
    gain = np.zeros((len(suspects), len(references)))
    edge = np.full(gain.shape, -1, np.int64)
    # A trace of the shared bits settles what the weights leave open, always in the same way.
    gain[rows, columns] = weights[component] + 1e-9 * np.minimum(pairs.shared[component], 1e6)
    edge[rows, columns] = component
    matched = edge[linear_sum_assignment(gain, maximize=True)]
    return {int(pairs.suspect[each]): int(each) for each in matched.tolist() if each >= 0}


def _greedy(component: Numbers, pairs: Pairs, weights: Floats) -> dict[int, int]:
    matched: dict[int, int] = {}
    taken: set[int] = set()
    order = component[np.lexsort((component, -pairs.shared[component], -weights[component]))]
    for edge, suspect, reference in zip(
        order.tolist(), pairs.suspect[order].tolist(), pairs.reference[order].tolist(), strict=True
    ):
        if suspect not in matched and reference not in taken:
            matched[suspect] = edge
            taken.add(reference)
    return matched
