"""Measure who derives from whom in planted families: `python -m bench.lineage`.

Family:   thirty models, each of 16 tensors with 16,384 values: forks of forks by fine-tunes of many sizes, noise and
          casts, and one mixture of two. A quarter of the dates is missing, some are those of the parent. Twenty models
          beside them are made independently.
Truth:    a step is told if every way in which the planted tree can stand, that agrees with dates and with what noise
          and casts tell, has it in the same direction. All of them are tried.
Kinship:  how often noise and casts are told from so many values, and how often fine-tunes are taken for them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.section import Demand, Measured, Parts, print_section, section_of, table
from detector.artifacts.weights.kinship import ONE, Kinship, kinship
from detector.artifacts.weights.spacing import rounded
from detector.lineage import lineage
from detector.scanned import Component, Descent, Lineage, Member, Standing, Tie

Model = NDArray[np.float32]
Dice = np.random.Generator

TENSORS, VALUES = 16, 1024  # of a model, and of each tensor
FAMILY, UNRELATED = 30, 20
SEEDS = 50
MISSING, EQUAL = 0.25, 0.1  # of all dates
MIXED = 20  # the number of the mixture in its family
TRIALS = 100  # of each kind of change and number of values
COUNTS = (2_048, 8_192, VALUES * TENSORS)  # values that are compared; a probe of a scan has 8,192 at most

FINE_TUNE, NOISE, CAST, MIXTURE = "fine-tune", "noise", "cast", "mixture"
TELLING = (NOISE, CAST)


# --- planted models ---


def fresh(dice: Dice) -> Model:
    """A model that knows nothing of any other: each tensor has a deviation of its own."""
    deviations = np.exp(dice.normal(-3.2, 0.4, (TENSORS, 1)))
    made: Model = (dice.standard_normal((TENSORS, VALUES)) * deviations).astype(np.float32)
    return made


def fine_tuned(model: Model, size: float, decay: float, dice: Dice) -> Model:
    """Change each layer by another share of its deviation, with heavy tails, and let its weights decay."""
    layers = size * np.exp(dice.normal(0, 0.3, (TENSORS, 1)))
    changes = dice.standard_normal(model.shape) * np.exp(dice.normal(0, 0.5, model.shape))
    decayed = model * (1 - decay * np.exp(dice.normal(0, 0.2, (TENSORS, 1))))
    tuned: Model = (decayed + model.std(1, keepdims=True) * layers * changes).astype(np.float32)
    return tuned


def noised(model: Model, share: float, dice: Dice) -> Model:
    """Add normal numbers of a share of each tensor's deviation."""
    summed: Model = (model + model.std(1, keepdims=True) * share * dice.standard_normal(model.shape)).astype(np.float32)
    return summed


def cast(model: Model, dtype: str) -> Model:
    """Round to half precision."""
    return rounded(model, dtype)


# --- planted families ---


@dataclass(slots=True)
class Planted:
    """Models, from whom each was made, how, and when."""

    models: dict[str, Model] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)  # when they were made
    dated: dict[str, int] = field(default_factory=dict)  # as far as the source tells

    def add(self, name: str, model: Model, made: str = "", parents: tuple[str, ...] = ()) -> None:
        """Make one on the next day."""
        self.models[name], self.made[name], self.parents[name] = model, made, parents
        self.days[name] = len(self.days) + 1

    def members(self) -> list[Member]:
        """As a scan lists them."""
        return [Member(name, "", _day(self.dated.get(name, 0)), "", (), Standing.DONE) for name in sorted(self.models)]


def _day(number: int) -> str:
    return f"2024-{1 + number // 28:02}-{1 + number % 28:02}T00:00:00Z" if number else ""


def planted(seed: int, missing: float = MISSING, equal: float = EQUAL) -> Planted:
    """Make a family and strangers."""
    dice = np.random.default_rng(seed)
    made = Planted()
    made.add("m00", fresh(dice))
    while len(made.models) < FAMILY:
        name = f"m{len(made.models):02}"
        if len(made.models) == MIXED:
            _mix(made, name, dice)
        else:
            _fork(made, name, dice)
    _date(made, missing, equal, dice)
    for number in range(UNRELATED):
        made.add(f"x{number:02}", fresh(dice))
        made.dated[f"x{number:02}"] = int(dice.integers(1, FAMILY))
    return made


def _fork(made: Planted, name: str, dice: Dice) -> None:
    parents = [each for each in made.models if made.made[each] != CAST]
    parent = parents[int(dice.integers(len(parents)))]
    model = made.models[parent]
    way = str(dice.choice([FINE_TUNE, FINE_TUNE, FINE_TUNE, NOISE, CAST]))
    if way == FINE_TUNE:
        model = fine_tuned(model, float(np.exp(dice.uniform(np.log(0.05), np.log(0.2)))), dice.uniform(0, 0.01), dice)
    elif way == NOISE:
        model = noised(model, dice.uniform(0.1, 0.2), dice)
    else:
        model = cast(model, str(dice.choice(["BF16", "F16"])))
        if any(np.array_equal(model, each) for each in made.models.values()):  # of two equal ones any may be the first
            return
    made.add(name, model, way, (parent,))


def _mix(made: Planted, name: str, dice: Dice) -> None:
    """Mix two fine-tunes that do not come from each other, if there are such."""
    tuned = [each for each in made.models if made.made[each] == FINE_TUNE]
    pairs = [(a, b) for a, b in combinations(tuned, 2) if a not in _above(made, b) and b not in _above(made, a)]
    one, other = pairs[int(dice.integers(len(pairs)))]
    share = np.float32(dice.uniform(0.55, 0.7))
    made.add(name, share * made.models[one] + (1 - share) * made.models[other], MIXTURE, (one, other))


def _above(made: Planted, name: str) -> set[str]:
    found: set[str] = set()
    for parent in made.parents[name]:
        found |= {parent} | _above(made, parent)
    return found


def _date(made: Planted, missing: float, equal: float, dice: Dice) -> None:
    """Some dates are missing, some are the parent's; a mixture and its parents keep theirs."""
    kept = {each for name, way in made.made.items() if way == MIXTURE for each in (name, *made.parents[name])}
    for name, day in made.days.items():
        roll = dice.random()
        if name in kept or roll >= missing + equal:
            made.dated[name] = day
        elif roll < equal and made.parents[name] and made.parents[name][0] in made.dated:
            made.dated[name] = made.dated[made.parents[name][0]]


# --- what can be told ---


def tellable(made: Planted) -> dict[str, bool]:
    """Of every step of the family whether all ways to stand that agree with what is known have its direction."""
    steps = {child: parents[0] for child, parents in made.parents.items() if parents}
    near: dict[str, set[str]] = {}
    for child, parent in steps.items():
        near.setdefault(child, set()).add(parent)
        near.setdefault(parent, set()).add(child)
    standing = [above for root in near if (above := _rooted(root, near)) and _agrees(above, made)]
    return {child: all(above.get(child) == parent for above in standing) for child, parent in steps.items()}


def _rooted(root: str, near: Mapping[str, set[str]]) -> dict[str, str]:
    above: dict[str, str] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        for each in near[node] - {above.get(node, "")}:
            above[each] = node
            stack.append(each)
    return above


def _agrees(above: Mapping[str, str], made: Planted) -> bool:
    for child in above:
        for name, way in ((child, made.made[child]), (above[child], made.made[above[child]])):
            other = above[child] if name == child else child
            if way in (*TELLING, MIXTURE) and made.parents[name][0] == other and name != child:
                return False
        ancestor = above[child]
        while ancestor:
            if child in made.dated and made.dated.get(ancestor, 0) > made.dated[child]:
                return False
            ancestor = above.get(ancestor, "")
    return True


# --- measured ---


def kin(one: Model, other: Model) -> Kinship:
    """Compare two models by all their values, which stand for what a probe reads."""
    return kinship(one.ravel(), other.ravel(), [VALUES] * TENSORS, 64)


def ties(models: Mapping[str, Model]) -> Iterator[Tie]:
    """The ties of all pairs that are related."""
    for one, other in combinations(sorted(models), 2):
        found = kin(models[one], models[other])
        if found.is_told:
            derived = {"": "", ONE: one}.get(found.derived, other)
            yield Tie(Component.WEIGHTS, one, other, found.distance, derived, found.why)


def outcomes(made: Planted, found: Lineage) -> Counter[str]:
    """Count the steps of a family by what became of them."""
    told = {descent.child: descent for descent in found.descents}
    counts: Counter[str] = Counter()
    for child, is_tellable in tellable(made).items():
        counts["steps"] += 1
        counts["tellable" if is_tellable else "open"] += 1
        counts[_outcome(child, is_tellable, made, told)] += 1
    for name in ("m00", *(name for name in made.models if name.startswith("x"))):
        counts["joined"] += name.startswith("x") and any(
            name in (descent.child, *descent.parents) for descent in found.descents
        )
    mixed = [child for child, way in made.made.items() if way == MIXTURE]
    counts["mixtures"] += len(mixed)
    counts["mixtures told"] += sum(
        child in told and set(told[child].parents) == set(made.parents[child]) for child in mixed
    )
    counts["mixtures made up"] += sum(
        len(descent.parents) > 1 and descent.child not in mixed for descent in told.values()
    )
    return counts


def _outcome(child: str, is_tellable: bool, made: Planted, told: Mapping[str, Descent]) -> str:
    parent = made.parents[child][0]
    pairs = [(child, parent), (parent, child)]
    there = [(one, told[one]) for one, other in pairs if one in told and other in told[one].parents]
    if not there:
        return "missed"
    at, descent = there[0]
    if not descent.is_decided:
        return "left open" if not is_tellable else "left open, though tellable"
    if at != child:
        return "wrong direction"
    return "told" if is_tellable else "told, though open"


def measure_families(cache: Path, work: Path) -> Measured:
    """Plant families, tell their lineages, count."""
    del cache, work
    totals: Counter[str] = Counter()
    for seed in range(SEEDS):
        made = planted(seed)
        totals += outcomes(made, lineage(made.members(), list(ties(made.models))))
    strangers = SEEDS * UNRELATED
    demands = [
        _exact("steps whose direction can be told are told", totals["told"], totals["tellable"]),
        _exact("steps whose direction cannot be told are there and undecided", totals["left open"], totals["open"]),
        _exact("mixtures have both parents", totals["mixtures told"], totals["mixtures"]),
        _none("steps of another kind that are called mixtures", totals["mixtures made up"], totals["steps"]),
        _none("unrelated models that are joined with anything", totals["joined"], strangers),
    ]
    kinds = ["told", "left open", "missed", "wrong direction", "told, though open", "left open, though tellable"]
    rows = [(kind, f"{totals[kind]:,}", f"{totals[kind] / totals['steps']:.2%}") for kind in kinds]
    return demands, [table(["what became of a step", "steps", "share"], rows)]


def _exact(what: str, number: int, of: int) -> Demand:
    return Demand(what, "all", f"{number:,} of {of:,}", number == of > 0)


def _none(what: str, number: int, of: int) -> Demand:
    return Demand(what, "none", f"{number:,} of {of:,}", number == 0 < of)


# --- kinship ---

Change = Callable[[Model, Dice], Model]
TELL: Mapping[str, Change] = {
    "noise, 2 % of the deviation": lambda model, dice: noised(model, 0.02, dice),
    "noise, 5 %": lambda model, dice: noised(model, 0.05, dice),
    "noise, 10 %": lambda model, dice: noised(model, 0.1, dice),
    "noise, 20 %": lambda model, dice: noised(model, 0.2, dice),
    "cast to bfloat16": lambda model, dice: cast(model, "BF16"),
    "cast to float16": lambda model, dice: cast(model, "F16"),
}
SILENT: Mapping[str, Change] = {
    "fine-tune, 2 %": lambda model, dice: fine_tuned(model, 0.02, 0.0, dice),
    "fine-tune, 10 %": lambda model, dice: fine_tuned(model, 0.1, 0.0, dice),
    "fine-tune, 10 %, weights decayed by 1 %": lambda model, dice: fine_tuned(model, 0.1, 0.01, dice),
    "fine-tune, 30 %, weights decayed by 5 %": lambda model, dice: fine_tuned(model, 0.3, 0.05, dice),
    "scaled by 1.07": lambda model, dice: (model * np.float32(1.07)).astype(np.float32),
    "trained apart": lambda model, dice: fresh(dice),
}


def measure_kinship(cache: Path, work: Path) -> Measured:
    """Change models, ask which side is derived, count the answers."""
    del cache, work
    rows = []
    wrong = told = silent = 0
    for what, change in (*TELL.items(), *SILENT.items()):
        counts = [_answers(change, count) for count in COUNTS]
        rows.append((what, *(f"{each['other']} right, {each['one']} wrong" for each in counts)))
        if what in TELL:
            wrong += sum(each["one"] for each in counts)
            told += sum(each.total() for each in counts)
        else:
            silent += sum(each["one"] + each["other"] for each in counts)
    sure = [
        _answers(TELL[what], COUNTS[-1])["other"] for what in ("noise, 10 %", "cast to bfloat16", "cast to float16")
    ]
    trials = len(SILENT) * len(COUNTS) * TRIALS
    demands = [
        _none("noise and casts told the wrong way round", wrong, told),
        _none("fine-tunes, scalings and strangers of which a direction is told", silent, trials),
        _exact(f"noise of 10 % and casts told by {COUNTS[-1]:,} values", sum(sure), len(sure) * TRIALS),
    ]
    return demands, [table(["change", *(f"{count:,} values" for count in COUNTS)], rows)]


def _answers(change: Change, count: int) -> Counter[str]:
    """Which side is called derived, how often; the changed one is the other."""
    found: Counter[str] = Counter()
    for seed in range(TRIALS):
        dice = np.random.default_rng((seed, count))
        model = fresh(dice)
        changed = change(model, dice)
        each = count // TENSORS
        one, other = (side[:, :each].ravel() for side in (model, changed))
        found[kinship(one, other, [each] * TENSORS, each).derived] += 1
    return found


HOW = (
    "Models are arrays of 16 tensors with 1,024 values each. A fine-tune changes every layer by another share of its "
    "deviation, with heavy tails; noise is normal. Families of 30 are planted with 50 seeds, 20 strangers beside each; "
    "a quarter of the dates is missing and a tenth the parent's. All pairs are compared by their values."
)
PARTS: Parts = {
    "Families": measure_families,
    "Direction by values alone": measure_kinship,
}


def measure(cache: Path, work: Path) -> Measured:
    """Measure both parts."""
    held: list[Demand] = []
    shown: list[str] = []
    for about, part in PARTS.items():
        demands, blocks = part(cache, work)
        held += demands
        shown += [f"### {about}", *blocks]
    return held, shown


def run(cache: Path, work: Path) -> str:
    """Measure, and lay out the section."""
    return section_of("lineage", "who derives from whom", HOW, PARTS, cache, work)


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print the section."""
    return print_section("lineage", __doc__, run, given)


if __name__ == "__main__":
    sys.exit(main())
