"""How many published packages have a literal, and which words everybody knows.

The table ships with the package: hashes and counts, and the common words as text. `python -m bench.background` rebuilds
it; it belongs to one version of the literals' normal forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from detector.code.sorting import Hashes, Numbers
from detector.settings import LITERALS_VERSION

FILE = "literals.npz"

# Of each key so many bits are kept: one in four hundred literals that nobody has is taken for one that a package has.
PART_BITS = 28

Parts = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class LiteralBackground:
    """Package frequencies of literals.

    Shapes: `known` ascending; `counts[i]` packages have a literal whose key begins with `known[i]`.
    """

    known: Parts
    counts: npt.NDArray[np.uint8]
    packages: int
    common: frozenset[bytes]  # words in lower case

    def frequency(self, keys: Hashes) -> Numbers:
        """In how many packages each literal is found."""
        if not len(self.known):
            return np.zeros(len(keys), np.int64)
        wanted = parts(keys)
        places = np.minimum(np.searchsorted(self.known, wanted), len(self.known) - 1)
        found: Numbers = np.where(self.known[places] == wanted, self.counts[places], 0).astype(np.int64)
        return found


def parts(keys: Hashes) -> Parts:
    """What the table holds of keys: their first bits."""
    return (keys >> np.uint64(64 - PART_BITS)).astype(np.uint32)


def packed(known: Parts) -> dict[str, npt.NDArray[np.uint8]]:
    """Ascending parts as the bytes of their differences, the low ones and the high ones apart: a third of the size.

    Errors: ValueError where neighbours are 2**24 apart, as in a table of a few literals.
    """
    steps = np.diff(known, prepend=np.uint32(0))
    if len(steps) and int(steps.max()) >= 1 << 24:
        raise ValueError("too few literals to be stored so")
    return {name: (steps >> shift & 0xFF).astype(np.uint8) for name, shift in _PLANES}


_PLANES = (("low", 0), ("middle", 8), ("high", 16))


@cache
def literal_background() -> LiteralBackground:
    """Read the table that ships with the package.

    Errors: ValueError when it was made by another version of the normal forms; its hashes would match nothing.
    """
    with files("detector.code").joinpath(FILE).open("rb") as file, np.load(file) as table:
        if int(table["literals"]) != LITERALS_VERSION:
            raise ValueError(f"{FILE} belongs to literals {int(table['literals'])}: run `python -m bench.background`")
        steps = sum(table[name].astype(np.uint32) << shift for name, shift in _PLANES)
        common = frozenset(table["common"].tobytes().split())
        return LiteralBackground(np.cumsum(steps, dtype=np.uint32), table["counts"], int(table["packages"]), common)
