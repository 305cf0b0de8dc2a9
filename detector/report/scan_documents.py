"""Findings and occurrences of a scan as JSON objects: schemas `detector-finding/1` and `detector-occurrence/1`.

Both are published beside this file, as `detector-finding-1.schema.json` and `detector-occurrence-1.schema.json`.
"""

from __future__ import annotations

from detector.model import Relation, Strength
from detector.report.documents import dumps
from detector.scanned import Finding, Line, Occurrence, State

__all__ = ["FINDING_SCHEMA", "OCCURRENCE_SCHEMA", "dumps", "finding", "occurrence", "read_finding"]

FINDING_SCHEMA = "detector-finding/1"
OCCURRENCE_SCHEMA = "detector-occurrence/1"


def finding(found: Finding) -> dict[str, object]:
    """A finding as one object, keys in the schema's order."""
    return {
        "schema": FINDING_SCHEMA,
        "id": found.id,
        "state": found.state.value,
        "suspect": {"member": found.suspect, "revision": found.suspect_revision},
        "reference": {"member": found.reference, "revision": found.reference_revision},
        "relation": found.relation.value,
        "strength": found.strength.value,
        "declared": found.is_declared,
        "lines": [_line(line) for line in found.lines],
        "more_lines": found.more_lines,
        "first_seen": found.first_seen,
        "last_seen": found.last_seen,
        "reason": found.reason,
    }


def occurrence(occurred: Occurrence, occurrence_id: str, found: Finding | None) -> dict[str, object]:
    """An occurrence as one object, with the finding that it is about as it was then.

    occurrence_id: the same whenever and to whomever it is told.
    """
    return {
        "schema": OCCURRENCE_SCHEMA,
        "id": occurrence_id,
        "sequence": occurred.sequence,
        "at": occurred.at,
        "kind": occurred.kind,
        "subject": occurred.subject,
        "text": occurred.text,
        **({"finding": finding(found)} if found else {}),
    }


def read_finding(document: object) -> Finding:
    """The inverse of `finding`; the document may come from a stranger.

    Errors: KeyError, TypeError, ValueError for what `finding` has not written.
    """
    values = _object(document)
    suspect, reference, lines = _object(values["suspect"]), _object(values["reference"]), values["lines"]
    more, declared = values["more_lines"], values["declared"]
    if not isinstance(lines, list) or type(more) is not int or more < 0 or not isinstance(declared, bool):
        raise TypeError
    return Finding(
        id=_text(values["id"]),
        suspect=_text(suspect["member"]),
        reference=_text(reference["member"]),
        suspect_revision=_text(suspect["revision"]),
        reference_revision=_text(reference["revision"]),
        relation=Relation(_text(values["relation"])),
        strength=Strength(_text(values["strength"])),
        is_declared=declared,
        lines=tuple(map(_read_line, lines)),
        first_seen=_text(values["first_seen"]),
        last_seen=_text(values["last_seen"]),
        state=State(_text(values["state"])),
        reason=_text(values["reason"]),
        more_lines=more,
    )


def _line(line: Line) -> dict[str, object]:
    return {
        "kind": line.kind,
        "name": line.name,
        "strength": line.strength.value,
        "claim": line.claim,
        "innocent": line.innocent,
    }


def _read_line(document: object) -> Line:
    values = _object(document)
    kind, name, claim, innocent = (_text(values[key]) for key in ("kind", "name", "claim", "innocent"))
    return Line(kind, name, Strength(_text(values["strength"])), claim, innocent)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
