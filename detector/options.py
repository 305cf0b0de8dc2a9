"""What the user may set of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from detector.model import Depth
from detector.settings import MOST_EXPLAINED


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may set. None: the calibrated default, and every kind of evidence."""

    min_similarity: float | None = None
    min_bits: float | None = None
    jobs: int = 1
    most_explained: int = MOST_EXPLAINED  # matches of one reference, strongest first, that are explained in full
    kinds: frozenset[str] | None = None  # of evidence that are looked for
    depth: Depth = Depth.FITTING  # how much of checkpoints is read


DEFAULTS = Options()
