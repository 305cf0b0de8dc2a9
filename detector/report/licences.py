"""Between which licences matched functions went, and what the table says: each pair once, as all formats tell it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from detector.model import Match, Report

NO_ADVICE = "Licences as files and metadata name them, looked up in a small table: no legal advice."
NONE_TOLD = "none told"
# What wants to be read first stands first.
_ORDER = ("conflicting", "unknown", "with-conditions", "compatible", "same")


@dataclass(frozen=True, slots=True)
class Pair:
    """Matches with one reference whose two sides stand under the same two licences."""

    reference_name: str
    there: str  # as SPDX, "none told" without one
    here: str
    verdict: str
    note: str
    functions: int  # of the suspect
    undeclared: int


def pairs(report: Report) -> list[Pair]:
    """Every pair, conflicts first, then by how many functions it is of."""
    functions: Counter[tuple[str, str, str, str, str]] = Counter()
    undeclared: Counter[tuple[str, str, str, str, str]] = Counter()
    seen = set()
    for match in report.matches:
        terms = match.terms
        key = terms and (match.reference_name, terms.reference, terms.suspect, terms.verdict, terms.note)
        if key and (key, match.suspect) not in seen:
            seen.add((key, match.suspect))
            functions[key] += 1
            undeclared[key] += not match.is_declared
    found = [
        Pair(name, told(there), told(here), verdict, note, count, undeclared[name, there, here, verdict, note])
        for (name, there, here, verdict, note), count in functions.items()
    ]
    return sorted(found, key=lambda each: (_rank(each.verdict), -each.functions, each.reference_name, each.note))


def _rank(verdict: str) -> int:
    return _ORDER.index(verdict) if verdict in _ORDER else len(_ORDER)


def told(licence: str) -> str:
    """A licence, or that there is none."""
    return licence or NONE_TOLD


def brief(match: Match) -> str:
    """The licences of one match in half a sentence; "" where they were not looked at."""
    terms = match.terms
    if terms is None:
        return ""
    return f"licences: {told(terms.reference)} there, {told(terms.suspect)} here ({terms.verdict})"
