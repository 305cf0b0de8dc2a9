"""Compared logs as tables and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detector.artifacts.behaviour.answers import NOTHING
from detector.artifacts.behaviour.chance import Shared
from detector.artifacts.behaviour.compared import Compared, Flags
from detector.artifacts.behaviour.panel import Answers, Ranked, bits
from detector.figures import Histogram, Matrix
from detector.model import Exhibit
from detector.settings.behaviour import MOST_BEHAVIOUR_ROWS, MOST_MATRIX_MODELS, NULL_BINS

_KIND = "behaviour"
_LONGEST_CELL = 120


def models(name: str, title: str, suspect: Answers, others: Sequence[Answers], *, has_labels: bool) -> Exhibit:
    """The suspect beside each of the other models, the reference first."""
    rows: list[tuple[float | int | str, ...]] = []
    for other in others:
        both = (suspect.codes != NOTHING) & (other.codes != NOTHING)
        same = (suspect.codes == other.codes) & both
        row: tuple[float | int | str, ...] = (other.name, int(both.sum()), round(float(same.sum() / both.sum()), 4))
        if has_labels:
            shared = _shared(suspect, other, both)
            row += (shared.theirs, shared.both, round(shared.expected, 1), round(shared.kappa, 4))
            row += (int((same & suspect.wrong).sum()),)
        rows.append(row)
    columns: tuple[str, ...] = ("model", "items", "equal answers")
    if has_labels:
        columns += ("errors", "shared", "if independent", "kappa", "same wrong answers")
    return Exhibit(_KIND, "models", name, title, columns, tuple(rows))


def _shared(one: Answers, other: Answers, both: Flags) -> Shared:
    ours, theirs = one.wrong[both], other.wrong[both]
    return Shared(int(both.sum()), int(ours.sum()), int(theirs.sum()), int((ours & theirs).sum()))


def shared_answers(name: str, compared: Compared, ranked: Ranked | None) -> Iterator[Exhibit]:
    """Wrong answers that both give, those that fewest others give first; without labels there are none."""
    if compared.shared is None or not compared.same_wrong.any():
        return
    places = np.flatnonzero(compared.same_wrong)
    seen = ranked.seen if ranked is not None else np.zeros(len(compared.items), np.int64)
    models = ranked.models if ranked is not None else 0
    ours = compared.ours
    rows: list[tuple[float | int | str, ...]] = []
    for place in places:
        number = compared.our_places[place]
        given = (int(seen[place]), round(bits(int(seen[place]), models), 1)) if models else ("", "")
        texts = (ours.names[number], ours.texts[number], compared.truth_texts[place])
        rows.append((*map(_cell, texts), *given))
    rows.sort(key=lambda row: (row[3] or 0, str(row[0]), str(row[1])))
    alone = sum(row[3] == 0 for row in rows)
    what = f"The same wrong answers of {ours.path} and {compared.theirs.path} of {name}"
    of_others = (
        f"{alone} of {len(rows)} only these two give, of {models + 2} models"
        if models
        else "what others answer is not known"
    )
    title = f"{what}; {of_others}"
    columns = ("item", "answer of both", "label", f"of {models} others", "bits")
    yield Exhibit(
        _KIND, "same-wrong-answers", name, title, columns, tuple(rows[:MOST_BEHAVIOUR_ROWS]),
        max(0, len(rows) - MOST_BEHAVIOUR_ROWS),
    )  # fmt: skip


def ranking(name: str, sides: tuple[str, str], ranked: Ranked) -> Exhibit:
    """The pair in its place among all pairs of the panel."""
    place = ranked.above
    rows = [(number, one, other, round(value, 2)) for number, (value, one, other) in _numbered(ranked, place)]
    rows.insert(place, (place + 1, f"{sides[0]} (the suspect)", f"{sides[1]} (the reference)", round(ranked.excess, 2)))
    kept = rows[: max(MOST_BEHAVIOUR_ROWS, place + 1)][-MOST_BEHAVIOUR_ROWS:]
    title = f"The pair among all {len(ranked.others)} pairs of {ranked.models} other models"
    columns = ("rank", "one", "other", "excess")
    return Exhibit(_KIND, "panel", name, title, columns, tuple(kept), len(rows) - len(kept))


def _numbered(ranked: Ranked, place: int) -> Iterator[tuple[int, tuple[float, str, str]]]:
    for number, each in enumerate(ranked.others, start=1):
        yield number + (number > place), each


def histogram(name: str, sides: tuple[str, str], ranked: Ranked) -> Histogram:
    """The excess of all pairs of the panel, and where this pair stands."""
    values = np.array([value for value, _, _ in ranked.others])
    low, high = min(float(values.min()), ranked.excess), max(float(values.max()), ranked.excess)
    counts, edges = np.histogram(values, NULL_BINS, (low, high) if high > low else (low - 0.5, low + 0.5))
    return Histogram(
        _KIND,
        "null-against-pair",
        name,
        f"Pairs of {ranked.models} other models, and {sides[0]} with {sides[1]}",
        "standard deviations of equal wrong answers beyond what other models explain",
        tuple(round(float(edge), 4) for edge in edges),
        tuple(float(count) for count in counts),
        marks=((f"{sides[0]} and {sides[1]}", round(ranked.excess, 4)),),
    )


def matrices(answers: Sequence[Answers], items: int, has_labels: bool) -> Iterator[Matrix]:
    """Agreement of all models with each other, and how consistent their errors are."""
    shown = answers[:MOST_MATRIX_MODELS]
    names = tuple(model.name for model in shown)
    agreement = tuple(
        tuple(_share(one.codes == other.codes, (one.codes != NOTHING) & (other.codes != NOTHING)) for other in shown)
        for one in shown
    )
    yield Matrix(_KIND, "agreement", "", f"Share of equal answers to {items:,} items", names, names, agreement)
    if has_labels:
        kappas = tuple(tuple(_kappa(one, other) for other in shown) for one in shown)
        title = "Error consistency (kappa): 0 where errors are independent of each other, 1 where they are the same"
        yield Matrix(_KIND, "shared-errors", "", title, names, names, kappas)


def _share(same: Flags, counts: Flags) -> float | None:
    return round(float(same[counts].mean()), 4) if counts.any() else None


def _kappa(one: Answers, other: Answers) -> float | None:
    both = (one.codes != NOTHING) & (other.codes != NOTHING)
    if not both.any():
        return None
    return round(_shared(one, other, both).kappa, 4)


def _cell(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
