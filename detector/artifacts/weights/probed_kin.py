"""Two probes -> how near the models are, and which of them is derived, where their values tell."""

from __future__ import annotations

import math

import numpy as np

from detector.artifacts.weights.alike import likeness
from detector.artifacts.weights.kinship import Kinship, kinship
from detector.artifacts.weights.probe import Probe, values
from detector.settings.scan import SAME_ORDER

ROW = 64  # values of a probe that were neighbours in their tensor, of which levels of integers can be told


def kin(one: Probe, other: Probe) -> Kinship | None:
    """Compare tensor by tensor, those of one shape by their rank; None where chance explains what they have in common.

    Of tensors that a copy has put in another order the distance is that of the best pairing, and nothing tells which
    of the two is derived.
    """
    like = likeness(one, other)
    if not like.is_beyond_chance:
        return None
    # As `kinship` measures it, where both sides have the same variance.
    paired = math.sqrt(1 - min(abs(like.correlation), 1.0))
    ours, theirs = values(one), values(other)
    both = sorted(name for name in ours.keys() & theirs.keys() if len(ours[name]) == len(theirs[name]))
    if both:
        sizes = [len(ours[name]) for name in both]
        found = kinship(
            np.concatenate([ours[name] for name in both]),
            np.concatenate([theirs[name] for name in both]),
            sizes,
            ROW if all(size % ROW == 0 for size in sizes) else 0,
        )
        if found.distance <= paired + SAME_ORDER:
            return found
    return Kinship(0, like.correlation, paired)
