"""What coincidence looks like: how often a function of an unrelated project reaches a score or a similarity.

The table ships with the package: scores, rates and counts, no code. `python -m bench.null` measures it anew on pairs of
independent projects; it belongs to one version of the lowering.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from detector.code.pairs import Floats
from detector.settings import LOWERING_VERSION

FILE = "null.json"


@dataclass(frozen=True, slots=True)
class Null:
    """The tail of the null distribution.

    Shapes: `scores` ascending; of `functions` functions compared with projects that they have nothing to do with,
            the share `rates[i]` has a match of `scores[i]` or more. `similarities` has the share in each bin of
            `histogram.EDGES`, by the similarity of the best counterpart in one unrelated project: 0 where a function
            has no candidate; it sums to 1. Functions whose best match has a known common source are in neither.
    Units:  scores are those of `pairs.scores`, in bits.
    """

    scores: Floats
    rates: Floats
    functions: int
    comparisons: int
    similarities: Floats

    def rate(self, scores: Floats) -> Floats:
        """The share of unrelated functions that have a match of such a score: its place in the null.

        Between the measured points the rate falls as a power of the score; beyond the last it is that of the last.
        """
        logs = np.log(np.maximum(scores, self.scores[0]))
        rates: Floats = np.exp(np.interp(logs, np.log(self.scores), np.log(self.rates)))
        return np.where(scores < self.scores[0], 1.0, rates)


@cache
def null() -> Null:
    """Read the table that ships with the package.

    Errors: ValueError when it was made by another version of the lowering; its scores mean something else.
    """
    table = json.loads(files("detector.code").joinpath(FILE).read_text("utf-8"))
    if table["lowering"] != LOWERING_VERSION:
        raise ValueError(f"{FILE} was made for lowering {table['lowering']}, not {LOWERING_VERSION}")
    counts = np.array(table["similarities"], np.float64)
    return Null(
        np.array(table["scores"]),
        np.array(table["rates"]),
        table["functions"],
        table["comparisons"],
        counts / counts.sum(),
    )
