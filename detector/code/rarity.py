"""What a shingle weighs: how surprising it is to find it, in published code and in the code compared."""

from __future__ import annotations

import numpy as np

from detector.code.background import background
from detector.code.pairs import Floats
from detector.code.sorting import Hashes, Numbers
from detector.settings import LEAST_WEIGHT, SMALLEST_WORLD


def rarity(shingles: Hashes, frequency: Numbers, functions: int) -> Floats:
    """Inverse document frequency: over the packages of the background, and over the functions compared.

    The background says how surprising it is to find a shingle in a project at all; the functions compared lower that
    where the two projects repeat themselves.

    frequency: how many of the functions compared have each of the shingles.
    Units:     bits: log2(packages / packages that have it), at most log2(packages), never nothing.
    Source:    Sparck Jones 1972.
    """
    known = background()
    most = np.log2(known.packages)
    published = np.log2(known.packages / known.frequency(shingles))
    # Two small projects do not make what they share any more common in the world: a floor for its size.
    world = max(functions, SMALLEST_WORLD)
    here = np.log2(world / np.maximum(frequency, 1)) * (most / np.log2(SMALLEST_WORLD / 2))
    found: Floats = np.maximum(np.minimum(published, here), LEAST_WEIGHT)
    return found
