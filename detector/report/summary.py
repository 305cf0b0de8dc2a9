"""What every format tells of a report in one order: the nearest reference, the ledger, what had nothing to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.model import Evidence, Exhibit, Report, Strength

_RANK = list(Strength)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Kinds of evidence that had nothing to look at for one reason."""

    kinds: tuple[str, ...]
    about: str  # what was missing
    references: tuple[str, ...]  # for which of several; empty where it holds for all


def nearest(report: Report) -> str:
    """The reference that the relation is about, "" where it cannot be told.

    The first of the attribution; where no code was compared, the first whose lines are the strongest of the clusters.
    """
    names = [side.name for side in report.references]
    if len(names) == 1:
        return names[0]
    if report.attribution:
        return report.attribution[0].reference
    strongest = {cluster.line for cluster in report.clusters if cluster.line}
    lines = {name: {f"{line.kind}/{line.name}" for line in report.evidence if line.reference == name} for name in names}
    return next((name for name in names if strongest and strongest <= lines[name]), "")


def ledger(report: Report) -> list[Evidence]:
    """Every line of evidence: of the nearest reference first, then kind by kind, the strongest of each kind first.

    Ties: the report's order.
    """
    names = dict.fromkeys(
        [nearest(report), *(line.reference for line in report.attribution), *(side.name for side in report.references)]
    )
    references = {name: number for number, name in enumerate(names)}
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(line.kind for line in report.evidence))}
    return sorted(
        report.evidence,
        key=lambda line: (
            references.get(line.reference, len(references)),
            kinds[line.kind],
            -_RANK.index(line.strength),
        ),
    )


def exhibits(report: Report) -> list[Exhibit]:
    """Every table that has rows, in the order of the ledger's references and kinds."""
    lines = ledger(report)
    order = {place: number for number, place in enumerate(dict.fromkeys((line.reference, line.kind) for line in lines))}
    shown = [exhibit for exhibit in report.exhibits if exhibit.rows or exhibit.omitted]
    return sorted(shown, key=lambda exhibit: order.get((exhibit.reference, exhibit.kind), len(order)))


def holds_numbers(rows: Sequence[Sequence[float | int | str]], column: int) -> bool:
    """Whether a column of a table has numbers alone; an empty cell is none and may stand among them."""
    cells = [row[column] for row in rows if row[column] != ""]
    return bool(cells) and all(not isinstance(cell, str) for cell in cells)


def has_compared_code(report: Report) -> bool:
    """Whether functions were compared with functions; a report that does not say what was looked at compared them."""
    return (
        bool(report.matches)
        or not report.examined
        or any(each.kind == "code" and each.is_possible for each in report.examined)
    )


def why_no_code(report: Report) -> str:
    """Why the code was not compared, in words; "" if it was."""
    if has_compared_code(report):
        return ""
    about = dict.fromkeys(each.about for each in report.examined if each.kind == "code" and each.about)
    if about:
        return "; ".join(about)
    *others, last = dict.fromkeys(each.kind for each in report.examined)
    return f"only {', '.join(others)} and {last} were asked for" if others else f"only {last} was asked for"


def nothing_to_look_at(report: Report) -> list[Nothing]:
    """What was missing, by reason; kinds that missed the same for the same references stand together."""
    missed: dict[tuple[str, str], list[str]] = {}
    looked: dict[str, set[str]] = {}
    for each in report.examined:
        looked.setdefault(each.kind, set()).add(each.reference)
        if not each.is_possible:
            missed.setdefault((each.kind, each.about), []).append(each.reference)
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (kind, about), names in missed.items():
        of_all = len(set(names)) == len(looked[kind])
        references = () if of_all else tuple(dict.fromkeys(names))
        groups.setdefault((about, references), []).append(kind)
    return [Nothing(tuple(kinds), about, references) for (about, references), kinds in groups.items()]
