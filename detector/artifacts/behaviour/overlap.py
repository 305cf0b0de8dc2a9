"""How far boxes overlap, and how alike texts are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from detector.artifacts.behaviour.answers import Box, boxes_of


def boxes(text: str) -> tuple[Box, ...] | None:
    """The boxes that `answers.spelled` wrote; None for any other text."""
    if not text.startswith("["):
        return None
    try:
        return boxes_of(json.loads(text))
    except (ValueError, RecursionError):
        return None


def of_boxes(one: Sequence[Box], other: Sequence[Box]) -> float:
    """Mean intersection over union of boxes that belong together, the best first; a box alone counts 0."""
    a, b = (np.array(each, np.float64).reshape(-1, 4) for each in (one, other))
    if not len(a) or not len(b):
        return float(len(a) == len(b))
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.maximum(np.minimum(a[:, None, 2:], b[None, :, 2:]) - corner, 0)
    shared = sides[..., 0] * sides[..., 1]
    all_of = [np.prod(np.maximum(each[:, 2:] - each[:, :2], 0), axis=1) for each in (a, b)]
    union = all_of[0][:, None] + all_of[1][None, :] - shared
    share = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    total = 0.0
    for _ in range(min(share.shape)):
        place = np.unravel_index(int(np.argmax(share)), share.shape)
        best = float(share[place])
        if best <= 0:
            break
        total += best
        share[place[0], :] = share[:, place[1]] = -1
    return total / max(len(a), len(b))


def of_texts(one: str, other: str) -> float:
    """1 less the edit distance as a share of the longer text (Levenshtein)."""
    return float(Levenshtein.normalized_similarity(one, other))


def mean(values: Iterable[float]) -> float:
    """Empty: 0."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0
