"""Two logs -> what they have in common: the items, the truth about them, equal answers, errors."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.artifacts.behaviour import overlap
from detector.artifacts.behaviour.answers import NOTHING
from detector.artifacts.behaviour.chance import Shared
from detector.artifacts.behaviour.log import Codes, Log
from detector.settings.behaviour import (
    LEAST_BOXES,
    LONGEST_CLASS,
    MOST_CLASSES_PER_ITEM,
    MOST_LIKENED,
    RIGHT_OVERLAP,
)

Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


class Kind(enum.StrEnum):
    """What kind of answer a log holds."""

    CLASSES = "classes"
    TEXTS = "texts"
    BOXES = "boxes"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two logs on the items that both answered.

    Shapes: arrays have one entry for each common item that counts, ascending by hash.
    """

    ours: Log
    theirs: Log
    kind: Kind
    items: Codes
    our_places: Places  # where each item stands in its log
    their_places: Places
    truth: Codes  # labels; empty if no log has any
    truth_texts: tuple[str, ...]
    wrong: tuple[Flags, Flags]  # empty without labels
    same: Flags  # equal answers
    shared: Shared | None
    unlabelled: int = 0  # common items left out since neither log has a label of them
    contradicted: int = 0  # ... since the two have different ones

    @property
    def same_wrong(self) -> Flags:
        """Where both give the same wrong answer."""
        return self.same & self.wrong[0]


def common_items(ours: Log, theirs: Log) -> Codes:
    """Items that both logs hold, of those that either would have kept."""
    found = np.intersect1d(ours.items, theirs.items, assume_unique=True)
    below = min(ours.below, theirs.below)
    return found if below >= 2**64 else found[found < np.uint64(below)]


def compare(ours: Log, theirs: Log, others: Sequence[Log] = ()) -> Compared:
    """Hold two logs against each other.

    others: logs whose labels count where neither of the two has any at all.
    """
    items = common_items(ours, theirs)
    truth, texts, contradicted = _truth(items, ours, theirs, others)
    has_truth = bool((truth != NOTHING).any())
    kept = truth != NOTHING if has_truth else np.ones(len(items), bool)
    unlabelled = int((~kept).sum()) - contradicted if has_truth else 0
    items = items[kept]
    truth_texts = tuple(text for text, is_kept in zip(texts, kept, strict=True) if is_kept) if has_truth else ()
    truth = truth[kept] if has_truth else np.zeros(0, np.uint64)
    places = (np.searchsorted(ours.items, items), np.searchsorted(theirs.items, items))
    kind = kind_of(ours, theirs, *places)
    same = ours.answers[places[0]] == theirs.answers[places[1]]
    nothing = np.zeros(0, bool)
    wrong, shared = (nothing, nothing), None
    if has_truth:
        wrong = (
            wrong_answers(ours, places[0], truth, truth_texts, kind),
            wrong_answers(theirs, places[1], truth, truth_texts, kind),
        )
        both = int((wrong[0] & wrong[1]).sum())
        shared = Shared(len(items), int(wrong[0].sum()), int(wrong[1].sum()), both)
    return Compared(
        ours, theirs, kind, items, *places, truth, truth_texts, wrong, same, shared, unlabelled, contradicted
    )


def _truth(items: Codes, ours: Log, theirs: Log, others: Sequence[Log]) -> tuple[Codes, list[str], int]:
    """The label of each item, where the logs that have one agree."""
    named = [log for log in (ours, theirs) if log.has_labels] or [log for log in others if log.has_labels][:1]
    truth = np.zeros(len(items), np.uint64)
    texts = [""] * len(items)
    differs = np.zeros(len(items), bool)
    for log in named:
        held, places = _held(log, items)
        labels = np.where(held, log.labels[places], np.uint64(NOTHING)) if len(log.items) else truth
        differs |= (labels != NOTHING) & (truth != NOTHING) & (labels != truth)
        fresh = (labels != NOTHING) & (truth == NOTHING)
        truth = np.where(fresh, labels, truth)
        for place in np.flatnonzero(fresh):
            texts[place] = log.label_texts[places[place]]
    truth[differs] = NOTHING
    return truth, texts, int(differs.sum())


def _held(log: Log, items: Codes) -> tuple[Flags, Places]:
    """Which items a log holds, and where; of those that it does not the place means nothing."""
    places = np.minimum(np.searchsorted(log.items, items), max(0, len(log.items) - 1))
    return (log.items[places] == items) if len(log.items) else np.zeros(len(items), bool), places


def answers_of(log: Log, items: Codes) -> Codes:
    """What a log answers to each of some items, `NOTHING` where it does not hold one."""
    held, places = _held(log, items)
    return np.where(held, log.answers[places], np.uint64(NOTHING)) if len(log.items) else np.zeros_like(items)


def wrong_of(log: Log, compared: Compared) -> Flags:
    """Which of the compared items a third log answers wrongly; False where it does not hold one."""
    held, places = _held(log, compared.items)
    wrong = np.zeros(len(compared.items), bool)
    texts = [text for text, is_held in zip(compared.truth_texts, held, strict=True) if is_held]
    wrong[held] = wrong_answers(log, places[held], compared.truth[held], texts, compared.kind)
    return wrong


def wrong_answers(log: Log, places: Places, truth: Codes, texts: Sequence[str], kind: Kind) -> Flags:
    """Tell which answers are wrong: not the label, or boxes that hardly overlap with it."""
    wrong: Flags = log.answers[places] != truth
    if kind is Kind.BOXES:
        for number in np.flatnonzero(wrong).tolist():
            found, label = overlap.boxes(log.texts[places[number]]), overlap.boxes(texts[number])
            if found is not None and label is not None:
                wrong[number] = overlap.of_boxes(found, label) < RIGHT_OVERLAP
    return wrong


def kind_of(ours: Log, theirs: Log, our_places: Places, their_places: Places) -> Kind:
    """Tell classes, texts and boxes apart by the answers of both."""
    texts = [ours.texts[place] for place in our_places] + [theirs.texts[place] for place in their_places]
    codes = np.concatenate([ours.answers[our_places], theirs.answers[their_places]])
    listed = [text for text in texts if text.startswith("[")]
    if texts and len(listed) >= LEAST_BOXES * len(texts):
        if sum(overlap.boxes(text) is not None for text in listed) >= LEAST_BOXES * len(texts):
            return Kind.BOXES
        return Kind.TEXTS
    is_short = all(len(text) <= LONGEST_CLASS for text in texts)
    is_few = len(np.unique(codes)) <= max(2, MOST_CLASSES_PER_ITEM * len(our_places))
    return Kind.CLASSES if is_short and is_few else Kind.TEXTS


def likeness(compared: Compared) -> float | None:
    """Mean likeness of answers: edit similarity of texts, overlap of boxes; None for classes."""
    if compared.kind is Kind.CLASSES:
        return None
    pairs = [
        (compared.ours.texts[one], compared.theirs.texts[other])
        for one, other in zip(compared.our_places[:MOST_LIKENED], compared.their_places[:MOST_LIKENED], strict=True)
    ]
    if compared.kind is Kind.TEXTS:
        return overlap.mean(overlap.of_texts(*pair) for pair in pairs)
    boxed = [(overlap.boxes(one), overlap.boxes(other)) for one, other in pairs]
    return overlap.mean(overlap.of_boxes(one, other) for one, other in boxed if one is not None and other is not None)
