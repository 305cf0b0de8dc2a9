"""What the nouns of the model are called in words, in every report that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from detector.model import Basis, CloneType, Match, Relation, Report, Strength
from detector.report.summary import nearest

# Every relation: its words, and what they mean. Measured likeness: who took from whom is not for a program to say.
RELATIONS: dict[Relation, tuple[str, str]] = {
    Relation.IDENTICAL: (
        "identical",
        "What was compared of {suspect} is the same as in {reference}.",
    ),
    Relation.DERIVED_DECLARED: (
        "derived, declared",
        "{suspect} is derived from {reference} or from a source they share; it declares it.",
    ),
    Relation.DERIVED_UNDECLARED: (
        "derived, undeclared",
        "{suspect} is derived from {reference} or from a source they share; it does not declare it.",
    ),
    Relation.SHARED_ANCESTOR: (
        "shared ancestor",
        "What {suspect} and {reference} have in common points to one source of both.",
    ),
    Relation.COMMON_IDIOM: (
        "common idiom",
        "What {suspect} and {reference} have in common is little or widespread: it does not tell where it comes from.",
    ),
    Relation.INDEPENDENT: (
        "independent",
        "Nothing was found in {suspect} and {reference} that independent work does not explain.",
    ),
    Relation.INCONCLUSIVE: (
        "inconclusive",
        "What was found in {suspect} and {reference} neither supports a common source nor speaks against it.",
    ),
}
# Where there is no reference.
ALONE = ("looked at alone", "{suspect} was looked at by itself: there is no reference to compare it with.")
# The verbal scale: how many times likelier the evidence is if the one proposition holds than if the other does (ENFSI
# 2015, section 4).
SCALE: dict[Strength, tuple[float, str]] = {
    Strength.NONE: (0, "supports neither proposition over the other, or was not calibrated"),
    Strength.WEAK: (2, "little more likely if the first proposition holds than if the other does"),
    Strength.MODERATE: (10, "more likely if the first proposition holds"),
    Strength.STRONG: (1_000, "far more likely if the first proposition holds"),
    Strength.VERY_STRONG: (10_000, "exceedingly more likely if the first proposition holds"),
}
SCALE_LEGEND = (
    "A line of the evidence is put on this scale by how often its kind was seen between independent projects, and "
    "never above the number of cases in which that was looked for. Kinds that depend on each other form a cluster, of "
    "which the strongest line counts: nothing is multiplied."
)
CLONE_TYPES = {
    CloneType.LAYOUT: "type 1, layout",
    CloneType.RENAMED: "type 2, renamed",
    CloneType.EDITED: "type 3, edited",
    CloneType.REWRITTEN: "type 4, rewritten",
}
# What a match rests on where it does not stand alone; what only the user's floors let through rests on nothing.
BASES = {
    Basis.CLASS: "in its class",
    Basis.FILE: "in its file",
    Basis.CALLER: "through its caller",
    Basis.PROJECT: "in the project",
    Basis.REQUEST: "",
}
# The same in sentences.
CLONE_TYPE_MEANINGS = {
    CloneType.LAYOUT: "Equal but for layout, comments, docstrings and annotations.",
    CloneType.RENAMED: "Equal after consistent renaming.",
    CloneType.EDITED: "Edited: the texts still have most of their syntax in common.",
    CloneType.REWRITTEN: "Rewritten: the same computation in another syntax.",
}
BASIS_MEANINGS = {
    Basis.ALONE: "It stands on its own: coincidence hardly reaches it.",
    Basis.CLASS: "It rests on its class: other methods of it match methods of one class of the reference.",
    Basis.FILE: "It rests on its file: other functions of it match functions of one file of the reference.",
    Basis.CALLER: "It rests on its caller: what calls it matches the same function, or one that calls that.",
    Basis.PROJECT: "It rests on the project: so much of it matches that little is left to coincidence.",
    Basis.REQUEST: "It rests on nothing else: only the floors that were asked for list it.",
}
COINCIDENCE_OF = 10_000  # functions that `Match.coincidence` counts


def relation(report: Report) -> str:
    """The relation in words; of a suspect that was looked at alone, that it was."""
    return RELATIONS[report.relation][0] if _is_compared(report) else ALONE[0]


def meaning(report: Report, shown: Callable[[str], str]) -> str:
    """What the relation says of these two, in one sentence; `shown` makes a name safe to show."""
    _, sentence = RELATIONS[report.relation] if _is_compared(report) else ALONE
    return sentence.format(suspect=shown(report.suspect.name), reference=_nearest_reference(report, shown))


def _is_compared(report: Report) -> bool:
    """Whether there was anything to compare with: what a change adds is held against an index, which may have none."""
    return bool(report.references) or any(each.kind == "code" and each.is_possible for each in report.examined)


def _nearest_reference(report: Report, shown: Callable[[str], str]) -> str:
    name = nearest(report)
    if not name or len(report.references) == 1:
        return shown(name) if name else "the references"
    return f"{shown(name)} (the nearest of {len(report.references)} references)"


def basis(match: Match, settings: Mapping[str, float | int | str]) -> str:
    """What a match rests on."""
    return f"alone, {coincidence(match, settings)}" if match.basis is Basis.ALONE else BASES[match.basis]


def coincidence(match: Match, settings: Mapping[str, float | int | str]) -> str:
    """How rarely functions of unrelated projects have such a match."""
    if match.coincidence <= 0:
        return f"below 1 in {COINCIDENCE_OF:,}"
    functions = float(f"{COINCIDENCE_OF / match.coincidence:.2g}")
    # Where the measured null ends, it gives a bound.
    least = settings.get("least_coincidence", 0)
    is_bound = not isinstance(least, str) and match.coincidence <= least * 1.001
    return f"{'below ' if is_bound else ''}1 in {functions:,.0f}"


def count(number: int, noun: str) -> str:
    """`1 function`, `2 functions`, `2 matches`."""
    plural = f"{noun}es" if noun.endswith(("s", "ch")) else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
