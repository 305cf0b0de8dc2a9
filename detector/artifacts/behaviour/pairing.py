"""Which log of one side is held against which of the other, and which logs tell what chance gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from detector.artifacts.behaviour.compared import Compared, answers_of, common_items, wrong_of
from detector.artifacts.behaviour.log import Log
from detector.artifacts.behaviour.panel import Answers
from detector.settings.behaviour import (
    FEWEST_COMMON_ITEMS,
    LEAST_PANEL_ITEMS,
    MOST_LOG_PAIRS,
    MOST_PANEL_MODELS,
)


@dataclass(frozen=True, slots=True)
class Paired:
    """Pairs of logs with enough items in common, the most telling first; `most` common items of any pair."""

    pairs: tuple[tuple[Log, Log], ...]
    most: int


def pair(ours: Sequence[Log], theirs: Sequence[Log]) -> Paired:
    """Pair logs: those that are called alike first, then those with most items in common; each log once."""
    found = []
    for one in ours:
        for other in theirs:
            items = len(common_items(one, other))
            found.append((_stem(one.path) != _stem(other.path), -items, one.path, other.path, one, other))
    most = max((-each[1] for each in found), default=0)
    pairs: list[tuple[Log, Log]] = []
    used: set[tuple[int, str]] = set()
    for _, items, path, other_path, one, other in sorted(found, key=lambda each: each[:4]):
        sides = {(0, path), (1, other_path)}
        if -items >= FEWEST_COMMON_ITEMS and not used & sides and len(pairs) < MOST_LOG_PAIRS:
            pairs.append((one, other))
            used |= sides
    return Paired(tuple(pairs), most)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].lower()


def panel(compared: Compared, candidates: Iterable[tuple[str, Log]]) -> tuple[list[Answers], list[str]]:
    """The answers of other models to the compared items, and why some do not count.

    What answers like one that counts already, item by item, is that one once more.
    """
    least = LEAST_PANEL_ITEMS * len(compared.items)
    known = [answers_of(log, compared.items) for log in (compared.ours, compared.theirs)]
    found: list[Answers] = []
    told: list[str] = []
    few: list[str] = []
    for name, log in candidates:
        codes = answers_of(log, compared.items)
        if int((codes != 0).sum()) < least:
            few.append(name)
        elif any(np.array_equal(codes, each) for each in known):
            told.append(f"{name} is not in the panel: it answers like another log, item by item")
        elif len(found) == MOST_PANEL_MODELS:
            told.append(f"{name} is not in the panel: {MOST_PANEL_MODELS} models are enough")
            break
        else:
            known.append(codes)
            found.append(Answers(name, codes, wrong_of(log, compared) if len(compared.truth) else np.zeros(0, bool)))
    if few:
        shown = ", ".join(few[:3]) + (f" and {len(few) - 3} more" if len(few) > 3 else "")
        told.append(f"not in the panel, with fewer than {LEAST_PANEL_ITEMS:.0%} of the items: {shown}")
    return found, told
