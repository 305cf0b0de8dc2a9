"""Recorded predictions: wrong answers that two models share beyond what other models answer to the same items.

Measured:  logs of predictions (JSON Lines, CSV, Parquet; classes, texts or boxes), item by item: equal answers, errors,
           the same wrong answers, each weighed by how many models of a panel give it too; the pair's excess over what
           that explains, ranked among all pairs of the panel.
Copying:   a model that was renamed or whose weights were shifted a little answers as before, also where it is
           wrong; and of one right answer there are many wrong ones.
Innocent:  items differ in difficulty, so that all models share errors: without six models of a panel nothing is
           supported. A base model, examples or a teacher that both learned from and the panel did not; one pipeline
           around different models.
Misses:    models that were trained on; logs of different items; models that are nearly always right; says nothing of
           how a model came to answer so.
Sources:   logs of other models, of the user's own choice; `python -m bench.evidence_behaviour` measures classifiers of
           digits that were trained separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector import patterns
from detector.artifacts.behaviour import tables
from detector.artifacts.behaviour.compared import Compared, Kind, answers_of, compare, likeness
from detector.artifacts.behaviour.log import Log
from detector.artifacts.behaviour.logs import Logs, read_logs
from detector.artifacts.behaviour.pairing import Paired, pair, panel
from detector.artifacts.behaviour.panel import Answers, Ranked, rank
from detector.figures import Figure
from detector.model import Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.settings.behaviour import (
    CLEAR_EXCESS,
    FEWEST_COMMON_ITEMS,
    FEWEST_PANEL_MODELS,
    FEWEST_SAME_WRONG,
    LEAST_EXCESS,
    MOST_ABOVE,
)
from detector.targets import Comparison

_KIND = "behaviour"
Measures = dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class _Sides:
    """The logs of everything that is compared, by the names that the report gives."""

    name: str
    suspect: Logs
    references: Mapping[str, Logs]
    panel: Mapping[str, Logs]

    def candidates(self, reference: str, ours: Sequence[Log]) -> Iterator[tuple[str, Log]]:
        """Logs of other models: those of other references, of the panel, and those that lie beside references.

        Not those beside the suspect's: whoever is compared must not choose what counts as chance.
        """
        for name, logs in self.references.items():
            if name != reference:
                for _, other in pair(ours, logs.own).pairs:
                    yield (name if len(logs.own) == 1 else f"{name}:{other.path}"), other
        for name, logs in self.panel.items():
            for log in (*logs.own, *logs.others):
                yield (name if len(logs.own) + len(logs.others) == 1 else f"{name}:{log.path}"), log
        for name, logs in self.references.items():
            for log in logs.others:
                yield f"{name}:{log.path}", log


@dataclass(frozen=True, slots=True)
class Case:
    """One pair of logs with everything that is known of it."""

    sides: tuple[str, str]  # names of suspect and reference
    compared: Compared
    others: Sequence[Answers]
    ranked: Ranked | None  # None where too few other models are known, or no labels

    def pair(self) -> tuple[Answers, Answers]:
        """What both answer to the compared items."""
        compared, (ours, theirs) = self.compared, self.compared.wrong
        return (
            Answers(self.sides[0], answers_of(compared.ours, compared.items), ours),
            Answers(self.sides[1], answers_of(compared.theirs, compared.items), theirs),
        )

    @property
    def is_beyond(self) -> bool:
        """Whether the two share more than the pairs of the panel do."""
        ranked = self.ranked
        return (
            ranked is not None
            and ranked.excess >= LEAST_EXCESS
            and ranked.above <= MOST_ABOVE * len(ranked.others)
            and int(self.compared.same_wrong.sum()) >= FEWEST_SAME_WRONG
        )

    def strength(self) -> Strength:
        """By the pair's rank among as many pairs as can be made without using a model twice.

        Pairs of one panel are not independent, its models are. Much beyond the largest counts in full, else at most
        weak, and so do texts and boxes, on which no null was measured; other models of the user's choice show no more
        than moderate support.
        """
        if self.ranked is None or not self.is_beyond:
            return Strength.NONE
        is_clear = self.ranked.excess >= self.ranked.largest + CLEAR_EXCESS and self.compared.kind is Kind.CLASSES
        most = Strength.MODERATE if is_clear else Strength.WEAK
        return min(patterns.support(self.ranked.models // 2), most, key=list(Strength).index)


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the logs of the suspect with those of each reference."""
    comparison.tell("comparing predictions")
    sides = _Sides(
        comparison.name,
        read_logs(comparison.suspect.files),
        {name: read_logs(repo.files) for name, repo in comparison.references.items()},
        {name: read_logs(repo.files, only_others=True) for name, repo in comparison.panel.items()},
    )
    looks: list[Look] = []
    for place, name in enumerate(sides.references):
        skipped = _skipped(sides, name, is_first=place == 0)
        is_first = not any(look.examined.is_possible for look in looks)
        looks.append(_look(sides, name, skipped, is_first=is_first))
    return tuple(looks)


def _skipped(sides: _Sides, name: str, *, is_first: bool) -> list[Skipped]:
    """What could not be read: that of the suspect and of the panel once."""
    of_all = {sides.name: sides.suspect, **sides.panel} if is_first else {}
    told = [*of_all.items(), (name, sides.references[name])]
    return [Skipped(f"{whose}:{each.path}", each.reason) for whose, logs in told for each in logs.skipped]


def _look(sides: _Sides, name: str, skipped: list[Skipped], *, is_first: bool) -> Look:
    ours, theirs = sides.suspect.own, sides.references[name].own
    missing = [who for who, logs in (("the suspect", ours), (name, theirs)) if not logs]
    if missing:
        about = " and ".join(missing) + (" have" if len(missing) > 1 else " has") + " no logs of predictions"
        return Look(Examined(_KIND, name, False, about), skipped=tuple(skipped))
    paired = pair(ours, theirs)
    if not paired.pairs:
        return Look(Examined(_KIND, name, False, _too_few(paired)), skipped=tuple(skipped))
    cases: list[Case] = []
    for one, other in paired.pairs:
        candidates = list(sides.candidates(name, (one,)))
        compared = compare(one, other, [log for _, log in candidates])
        others, told = panel(compared, candidates)
        told += _left_out(compared)
        skipped += [Skipped(f"{sides.name}:{one.path}", reason) for reason in told]
        if len(compared.items) >= FEWEST_COMMON_ITEMS:
            cases.append(case((sides.name, name), compared, others))
    if not cases:
        about = f"fewer than {FEWEST_COMMON_ITEMS} items have a label that both logs agree on"
        return Look(Examined(_KIND, name, False, about), skipped=tuple(skipped))
    return Look(
        Examined(_KIND, name, True, "; ".join(map(_about, cases))),
        tuple(_line(case) for case in cases),
        tuple(exhibit for case in cases for exhibit in _exhibits(case)),
        skipped=tuple(skipped),
        figures=tuple(_figures(cases, is_first=is_first)),
    )


def _too_few(paired: Paired) -> str:
    if paired.most == 0:
        return "the logs have no items in common: their ids differ"
    return f"the logs have {paired.most} items in common, {FEWEST_COMMON_ITEMS} are needed"


def _left_out(compared: Compared) -> Iterator[str]:
    for count, why in (
        (compared.unlabelled, "neither log has a label of them"),
        (compared.contradicted, "the two logs have different labels of them"),
    ):
        if count:
            yield f"{count:,} common items left out: {why}"


def case(sides: tuple[str, str], compared: Compared, others: Sequence[Answers]) -> Case:
    """Rank a pair of logs in a panel, if that is large enough; `sides` are the names of suspect and reference."""
    found = Case(sides, compared, others, None)
    if compared.shared is None or len(others) < FEWEST_PANEL_MODELS:
        return found
    return replace(found, ranked=rank(*found.pair(), others))


def _about(case: Case) -> str:
    compared = case.compared
    items = f"{len(compared.items):,} items in common" + ("" if compared.shared is not None else ", none with a label")
    models = f"{len(case.others)} other models" if len(case.others) != 1 else "1 other model"
    return f"{compared.ours.path} with {compared.theirs.path}: {items}, {compared.kind.value}, {models}"


def _line(case: Case) -> Evidence:
    compared, shared = case.compared, case.compared.shared
    said: dict[str, object] = {
        "path": compared.ours.path,
        "other": compared.theirs.path,
        "items": f"{len(compared.items):,}",
        "same": f"{int(compared.same.sum()):,}",
    }
    pattern = "behaviour/same-answers"
    if shared is not None:
        pattern = "behaviour/same-errors" if case.is_beyond else "behaviour/shared-errors"
        said |= {
            "same": f"{int(compared.same_wrong.sum()):,}",
            "both": f"{shared.both:,}",
            "ours": f"{shared.ours:,}",
            "theirs": f"{shared.theirs:,}",
            "expected": f"{shared.expected:.1f}",
        }
    ranked = case.ranked
    if ranked is not None:
        said |= {
            "excess": f"{ranked.excess:.1f}",
            "models": ranked.models,
            "pairs": len(ranked.others),
            "largest": f"{ranked.largest:.1f}",
        }
    return patterns.line(
        pattern,
        case.sides[1],
        case.strength(),
        said,
        measures=_measures(case),
        tested=tuple(_tested(case)),
        places=[(compared.ours.path, 0)],
        more=_more(case),
    )


def _more(case: Case) -> str:
    """How far the line is calibrated, where it supports nothing."""
    ranked = case.ranked
    if case.compared.shared is None or case.is_beyond:
        return ""
    if ranked is None:
        return f"; uncalibrated: {FEWEST_PANEL_MODELS} other models are needed, {len(case.others)} are known"
    return (
        f"; beside {ranked.models} other models no more than chance gives: {ranked.excess:.1f} standard deviations, "
        f"{ranked.above} of their {len(ranked.others)} pairs have as many"
        + ("" if ranked.above else f", and fewer than {LEAST_EXCESS:g} are not told from chance")
    )


def _measures(case: Case) -> Measures:
    compared, shared, ranked = case.compared, case.compared.shared, case.ranked
    found: Measures = {
        "items": len(compared.items),
        "answers": compared.kind.value,
        "agreement": round(float(compared.same.mean()), 4),
    }
    alike = likeness(compared)
    if alike is not None:
        found["mean_likeness_of_answers"] = round(alike, 4)
    if shared is not None:
        same = int(compared.same_wrong.sum())
        found |= {
            "errors_of_the_suspect": shared.ours,
            "errors_of_the_reference": shared.theirs,
            "shared_errors": shared.both,
            "shared_errors_if_independent": round(shared.expected, 3),
            "lift": round(shared.lift, 2),
            "kappa": round(shared.kappa, 4),
            "p_not_calibrated_for_item_difficulty": shared.p(),
            "same_wrong_answers": same,
            "same_given_both_wrong": round(same / shared.both, 4) if shared.both else 0.0,
        }
    found["models_in_the_panel"] = len(case.others)
    if ranked is not None:
        found |= {
            "excess": round(ranked.excess, 2),
            "largest_excess_of_the_panel": round(ranked.largest, 2),
            "pairs_of_the_panel": len(ranked.others),
            "pairs_of_the_panel_above": ranked.above,
            "answers_that_only_these_two_share": int((ranked.seen[compared.same_wrong] == 0).sum()),
        }
    return found


def _tested(case: Case) -> Iterator[str]:
    """The innocent explanations that were tried."""
    compared, ranked = case.compared, case.ranked
    if compared.shared is None:
        return
    if ranked is None:
        yield f"item difficulty: not tested, {len(case.others)} of {FEWEST_PANEL_MODELS} other models are known"
        return
    same = int(compared.same_wrong.sum())
    common = int((ranked.seen[compared.same_wrong] > 0).sum())
    yield f"item difficulty: {common} of the {same} same wrong answers are given by other models too, and count less"
    yield f"chance: {ranked.above} of the {len(ranked.others)} pairs of {ranked.models} other models share as much"


def _exhibits(case: Case) -> Iterator[Exhibit]:
    compared, name = case.compared, case.sides[1]
    title = f"{compared.ours.path} of the suspect beside {compared.theirs.path} of {name} and other models"
    suspect, reference = case.pair()
    yield tables.models(name, title, suspect, [reference, *case.others], has_labels=compared.shared is not None)
    yield from tables.shared_answers(name, compared, case.ranked)
    if case.ranked is not None:
        yield tables.ranking(name, case.sides, case.ranked)


def _figures(cases: Sequence[Case], *, is_first: bool) -> Iterator[Figure]:
    """Of the first pair of logs; the matrices of all models stand in one look alone."""
    case = cases[0]
    if case.ranked is not None:
        yield tables.histogram(case.sides[1], case.sides, case.ranked)
    if is_first:
        has_labels = case.compared.shared is not None
        yield from tables.matrices([*case.pair(), *case.others], len(case.compared.items), has_labels)
