"""How many published packages a shingle is found in: what everybody writes is no evidence.

The table ships with the package: hashes and counts, no code. `python -m bench.background` rebuilds it from named
versions; it belongs to one version of the lowering.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from detector.code.sorting import Hashes, Numbers
from detector.settings import LOWERING_VERSION

FILE = "background.npz"

_FIRST_BITS = 20  # a megabyte of flags, of which one in thirteen is set
_REST = np.uint64(64 - _FIRST_BITS)


@dataclass(frozen=True, slots=True)
class Background:
    """Package frequencies.

    Shapes: `hashes` ascending; `counts[i]` packages have `hashes[i]`. What fewer than three have is not kept.
    """

    hashes: Hashes
    counts: npt.NDArray[np.uint8]
    packages: int
    beginnings: npt.NDArray[np.bool_] = field(init=False)  # which first bits any of the hashes has

    def __post_init__(self) -> None:
        beginnings = np.zeros(1 << _FIRST_BITS, bool)
        beginnings[self.hashes >> _REST] = True
        object.__setattr__(self, "beginnings", beginnings)

    def frequency(self, shingles: Hashes) -> Numbers:
        """In how many packages each shingle is found, 1 where the table does not know it."""
        found = np.ones(len(shingles), np.int64)
        # Of the unknown most begin like none that is known: sketching a function takes 10 us so, not 13.
        likely = np.flatnonzero(self.beginnings[shingles >> _REST])
        places = np.searchsorted(self.hashes, shingles[likely])
        places = np.minimum(places, max(len(self.hashes) - 1, 0))
        known = self.hashes[places] == shingles[likely]
        found[likely[known]] = self.counts[places[known]]
        return found


@cache
def background() -> Background:
    """Read the table that ships with the package.

    Errors: ValueError when it was made by another version of the lowering; its hashes would match nothing.
    """
    with files("detector.code").joinpath(FILE).open("rb") as stream, np.load(stream) as table:
        if int(table["lowering"]) != LOWERING_VERSION:
            raise ValueError(f"{FILE} was made for lowering {int(table['lowering'])}, not {LOWERING_VERSION}")
        return Background(table["hashes"], table["counts"], int(table["packages"]))
