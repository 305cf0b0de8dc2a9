"""Shingles of two sides -> their weights, and all their functions as sparse matrices.

Weighted sets as sparse matrices: functions x shingles. What two functions share is a dot product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from detector.code.callgraph import Calls
from detector.code.pairs import Floats
from detector.code.rarity import rarity
from detector.code.shingle import Shingles, mix, row_sums
from detector.code.sorting import Hashes, Numbers, grouped
from detector.code.views import Seen, Side, lay_out
from detector.settings import PAIR_BLOCK


@dataclass(frozen=True, slots=True)
class Rows:
    """Functions over the shingles of the whole comparison.

    Shapes: `matrix` functions x shingles, 0/1; `totals` the weight of each function, in bits; `sets` equal where
    the shingles of two functions are: what has the same is compared once.
    """

    matrix: sparse.csr_matrix
    totals: Floats
    sets: Hashes

    def counts(self, functions: Numbers) -> Floats:
        """How many shingles functions have."""
        found: Floats = np.diff(self.matrix.indptr)[functions].astype(np.float64)
        return found

    def shared(self, other: Rows, weights: Floats, first: Numbers, second: Numbers) -> tuple[Floats, Floats]:
        """Weight and number of the shingles that both of each pair have; of pairs of the same sets, one is computed."""
        chosen, kinds = grouped(mix(self.sets[first]) + other.sets[second])
        one, another = first[chosen], second[chosen]
        found = np.zeros((len(chosen), 2))
        columns = np.stack([weights, np.ones(len(weights))], 1)
        for start in range(0, len(chosen), PAIR_BLOCK):
            block = slice(start, start + PAIR_BLOCK)
            found[block] = self.matrix[one[block]].multiply(other.matrix[another[block]]) @ columns
        return found[kinds, 0], found[kinds, 1]


@dataclass(frozen=True, slots=True)
class Weighted:
    """One side: its functions, and the further views of some of them; where there is none, the row is the first one.

    expanded: with the helpers of the same file in place of their calls. blind: without what attributes are known to
    hold. reach: what any of the views has.
    """

    own: Rows
    expanded: Rows
    blind: Rows
    blind_expanded: Rows
    reach: Rows
    is_expanded: npt.NDArray[np.bool_]
    is_blind: npt.NDArray[np.bool_]
    callees: Calls
    columns: Hashes  # the shingles of the comparison, ascending

    @property
    def functions(self) -> int:
        """How many there are."""
        return len(self.own.totals)

    @property
    def matrix(self) -> sparse.csr_matrix:
        """The functions themselves."""
        return self.own.matrix

    @property
    def totals(self) -> Floats:
        """Their weights, in bits."""
        return self.own.totals

    def inlined(self, weights: Floats, functions: Numbers) -> Rows:
        """Some functions, in their places, with their helpers; those of other files beside them, one level deep."""
        is_asked = np.zeros(self.functions, np.float32)
        is_asked[functions] = 1
        asked = sparse.diags_array(is_asked * ~self.is_expanded).tocsr()
        in_place = sparse.diags_array(is_asked * self.is_expanded).tocsr()
        callees = ones(self.callees.called.astype(np.int32), self.callees.offsets.astype(np.int32), self.functions)
        matrix = (asked @ self.matrix + (asked @ callees) @ self.matrix + in_place @ self.expanded.matrix).tocsr()
        matrix.data = np.ones_like(matrix.data)
        matrix.sort_indices()
        return Rows(matrix, matrix @ weights, row_sums(matrix.indices.astype(np.uint64), matrix.indptr))


def weigh(
    sides: Sequence[Shingles], calls: Sequence[Calls], views: Sequence[Sequence[Seen]] = ()
) -> tuple[list[Weighted], Floats]:
    """Weigh every shingle by how rare it is in published code, and in the code compared.

    views: for each side the functions with helpers in place, those without knowing what attributes hold, and both.
    """
    laid = lay_out(sides, views)
    weights = rarity(laid.shingles, laid.frequency(laid.sides), sum(len(side.own) for side in laid.sides))
    matrix = ones(laid.numbers.astype(np.int32), laid.sets.offsets, len(weights))
    matrix.sort_indices()  # rows in order are multiplied several times faster
    totals = matrix @ weights
    weighted = [
        _weighted(matrix, totals, weights, side, callees, laid.shingles)
        for side, callees in zip(laid.sides, calls, strict=True)
    ]
    return weighted, weights


def _weighted(
    matrix: sparse.csr_matrix, totals: Floats, weights: Floats, side: Side, callees: Calls, columns: Hashes
) -> Weighted:
    """One side: the rows of its functions, and of their views where they have one."""
    views = (side.own, side.expanded, side.blind, side.blind_expanded)
    seen = [Rows(matrix[each], totals[each], each.astype(np.uint64)) for each in views]
    reach = seen[0].matrix
    every = seen[0].sets
    for view in views[1:]:
        reach = reach + matrix[view]
        every = mix(every) + view.astype(np.uint64)
    reach = reach.tocsr()
    reach.data = np.ones_like(reach.data)
    reach.sort_indices()
    everything = Rows(reach, reach @ weights, every)
    is_expanded, is_blind = side.expanded != side.own, side.blind != side.own
    return Weighted(seen[0], seen[1], seen[2], seen[3], everything, is_expanded, is_blind, callees, columns)


def ones(columns: npt.NDArray[np.int32], offsets: Numbers | npt.NDArray[np.int32], width: int) -> sparse.csr_matrix:
    """The matrix that has ones in these columns of each row."""
    shape = (len(offsets) - 1, width)
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, offsets), shape=shape)
