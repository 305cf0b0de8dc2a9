"""How similar functions are to their best counterparts: the suspect's in bins, beside what coincidence gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.code.null import null
from detector.code.pairs import Floats
from detector.code.sorting import Numbers
from detector.model import Similarities

# Steps of .05, those in which references are compared: a hundredth says nothing, and twenty bars can be read.
BINS = 20
EDGES: tuple[float, ...] = tuple(number / BINS for number in range(BINS + 1))


def counts(similarities: Floats) -> Numbers:
    """Count functions by their similarity, 0 to 1; the last bin includes its upper edge."""
    found: Numbers = np.histogram(similarities, EDGES)[0]
    return found


def of_best(shares: Floats, references: int) -> Floats:
    """What one reference gives by chance -> what the best of several gives.

    Formula: 1 - (1 - F)^n of the share F that reaches a bin. It holds for references that are independent of each
             other. Those that resemble each other reach less together, so that chance is made too much of rather than
             too little.
    """
    reached = np.minimum(np.cumsum(shares[::-1])[::-1], 1.0)  # from the top: small tails keep their digits
    reached[0] = 1.0
    with np.errstate(divide="ignore"):
        by_any = -np.expm1(references * np.log1p(-reached))
    found: Floats = by_any - np.append(by_any[1:], 0.0)
    return found


def beside_null(best: Sequence[Floats]) -> Similarities:
    """Put the functions of the suspect into bins, beside the null of as many references.

    best: for each reference the similarity of every function's counterpart in it, 0 where there is none.
    """
    found = np.maximum.reduce(best)
    unrelated = of_best(null().similarities, len(best))
    return Similarities(EDGES, tuple(counts(found).tolist()), tuple(unrelated.tolist()))
