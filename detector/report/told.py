"""What is told of a match before a merge, in words that a block and a comment share; nothing in it is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detector.model import Basis, CloneType, Examined, Match, Report, Role
from detector.report.findings import KINDS
from detector.report.words import BASIS_MEANINGS, CLONE_TYPE_MEANINGS, coincidence

ALSO = "also-known"  # the exhibit of further targets that have the same functions

# What each verdict on two licences is called.
VERDICTS = {
    "same": "the same licence",
    "compatible": "usually compatible",
    "with-conditions": "compatible under conditions",
    "conflicting": "usually not compatible",
    "unknown": "not known to the table",
}


@dataclass(frozen=True, slots=True)
class Also:
    """A further place that has the same function."""

    name: str
    path: str
    qualname: str


def is_open(match: Match) -> bool:
    """Whether a match is neither declared nor accepted."""
    return not (match.is_declared or match.accepted)


def open_matches(report: Report) -> list[Match]:
    """The matches that the gate sees, in the order of the report."""
    return [match for match in report.matches if is_open(match)]


def rule(match: Match) -> str:
    """By which name a comment accepts it."""
    return KINDS[match.clone_type]


def alike(match: Match, report: Report) -> str:
    """How alike the two are, and how rarely coincidence gives that."""
    rarely = coincidence(match, report.settings)
    return (
        f"similarity {match.similarity:.2f}, {match.bits:,.1f} bits in common; of functions that have nothing to do "
        f"with each other {rarely} has such a match"
    )


def meanings(match: Match) -> str:
    """What its clone type and its basis mean."""
    type_of = CLONE_TYPE_MEANINGS[match.clone_type]
    return type_of if match.basis is Basis.ALONE else f"{type_of} {BASIS_MEANINGS[match.basis]}"


def licences(match: Match) -> str:
    """The licences of both sides, and what the table says of them; "" where none were looked at."""
    if match.terms is None:
        return ""
    there, here = match.terms.reference or "none found", match.terms.suspect or "none found"
    note = f" {match.terms.note}" if match.terms.note else ""
    return f"{there} there, {here} here: {VERDICTS.get(match.terms.verdict, match.terms.verdict)}.{note}"


def innocent(match: Match) -> str:
    """What else would explain it."""
    said = [
        "both come from a third source",
        "a formula or a layer that everybody writes alike",
        "one author wrote both",
    ]
    if match.suspect.role is Role.GENERATED or match.reference.role is Role.GENERATED:
        said.insert(0, "generated code")
    if match.clone_type is CloneType.REWRITTEN:
        said.insert(0, "the same published algorithm")
    return ", or ".join(said)


def also(report: Report, match: Match) -> list[Also]:
    """Where else the function of a match is known."""
    found = []
    for exhibit in report.exhibits:
        if (exhibit.kind, exhibit.name) == ("code", ALSO):
            for row in exhibit.rows:
                path, function, name, its_path, its_function, *_ = map(str, row)
                if (path, function) == (match.suspect.path, match.suspect.qualname):
                    found.append(Also(name, its_path, its_function))
    return found


def left_out(report: Report) -> Iterator[Examined]:
    """References that nothing was held against, and why."""
    return (each for each in report.examined if each.kind == "code" and each.reference and not each.is_possible)


def examined(report: Report) -> str:
    """What was held against what; "" where the report does not say."""
    return next((each.about for each in report.examined if each.kind == "code" and not each.reference), "")
