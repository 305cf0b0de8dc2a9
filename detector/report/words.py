"""What the nouns of a report are called in front of a person: relations, clone types, what a match rests on."""

from __future__ import annotations

from collections.abc import Mapping

from detector.model import Basis, CloneType, Match, Relation

# Every relation: its words, and what they mean. Measured likeness: who took from whom is not for a program to say.
RELATIONS: dict[Relation, tuple[str, str]] = {
    Relation.IDENTICAL: (
        "identical",
        "The compared code of {suspect} is the same as that of {reference}.",
    ),
    Relation.DERIVED_DECLARED: (
        "derived, declared",
        "The code of {suspect} is derived from {reference} or from a source they share; it declares it.",
    ),
    Relation.DERIVED_UNDECLARED: (
        "derived, undeclared",
        "The code of {suspect} is derived from {reference} or from a source they share; it does not declare it.",
    ),
    Relation.SHARED_ANCESTOR: (
        "shared ancestor",
        "{suspect} and {reference} have code in common that points to a third source of both.",
    ),
    Relation.COMMON_IDIOM: (
        "common idiom",
        "What {suspect} and {reference} have in common is widespread: it does not tell where it comes from.",
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
COINCIDENCE_OF = 10_000  # functions that `Match.coincidence` counts


def basis(match: Match, settings: Mapping[str, float | int | str]) -> str:
    """What the match rests on, in words; empty where only the user's floors let it through."""
    if match.basis is not Basis.ALONE:
        return BASES[match.basis]
    if match.coincidence <= 0:
        return f"alone, below 1 in {COINCIDENCE_OF:,}"
    functions = float(f"{COINCIDENCE_OF / match.coincidence:.2g}")
    # Where the measured null ends, it gives a bound.
    least = settings.get("least_coincidence", 0)
    is_bound = not isinstance(least, str) and match.coincidence <= least * 1.001
    return f"alone, {'below ' if is_bound else ''}1 in {functions:,.0f}"
