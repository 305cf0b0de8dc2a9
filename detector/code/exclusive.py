"""What a reference explains of the suspect that no other reference does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.match import Weighted
from detector.code.pairs import Floats, Pairs
from detector.code.shingle import Shingles
from detector.code.sorting import Hashes, Numbers, grouped


@dataclass(frozen=True, slots=True)
class Common:
    """The shingles that the functions of some pairs share, as they stand: of each pair the suspect function's part.

    Shapes: one value for each shingle and pair. `bits`: its weight in the comparison with that reference.
    """

    functions: Numbers  # of the suspect
    hashes: Hashes
    bits: Floats


@dataclass(frozen=True, slots=True)
class Other:
    """Another reference, and which of its functions is the best for each function of the suspect.

    Shapes: best[j] for function j of the suspect, -1 where there is none.
    """

    shingles: Shingles
    best: Numbers


def common(found: Pairs, weighted: Weighted, weights: Floats, suspect: Shingles, reference: Shingles) -> Common:
    """What the functions of pairs share, with the weights of the two sides that were compared.

    weighted: either side, and `weights` as `match.weigh` gave them.
    """
    ours = suspect.take(found.suspect)
    is_common = _among(ours, reference.take(found.reference))
    functions = np.repeat(found.suspect, np.diff(ours.offsets))[is_common]
    hashes = ours.hashes[is_common]
    return Common(functions, hashes, weights[np.searchsorted(weighted.columns, hashes)])


def exclusive_bits(shared: Common, others: Sequence[Other]) -> float:
    """Sum the weight of what is shared and not in any other reference's best function for the same suspect.

    Each reference is weighed beside the suspect alone; what another one explains is told by the shingles themselves.
    Units: bits.
    """
    is_explained = np.zeros(len(shared.hashes), bool)
    for other in others:
        asked = np.flatnonzero(other.best[shared.functions] >= 0)
        firsts, rows = grouped(shared.functions[asked])
        theirs = other.shingles.take(other.best[shared.functions[asked[firsts]]])
        ours = asked[np.argsort(rows, kind="stable")]
        offsets = np.searchsorted(np.sort(rows), np.arange(len(firsts) + 1))
        is_explained[ours] |= _among(Shingles(shared.hashes[ours], offsets), theirs)
    return float(shared.bits[~is_explained].sum())


def _among(ours: Shingles, theirs: Shingles) -> npt.NDArray[np.bool_]:
    """Which shingles of each row the same row of the other side has."""
    firsts, numbers = grouped(np.concatenate([ours.hashes, theirs.hashes]))
    rows = [np.repeat(np.arange(len(side.offsets) - 1), np.diff(side.offsets)) for side in (ours, theirs)]
    keys = np.concatenate(rows) * len(firsts) + numbers
    found: npt.NDArray[np.bool_] = np.isin(keys[: len(ours.hashes)], keys[len(ours.hashes) :])
    return found
