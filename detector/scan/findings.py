"""What a scan found: findings with their states, and what those who watch are told of them, once.

A finding is a pair of members whose report is above the gate. It is NEW in the run that found it, KNOWN from the next
one on, ACCEPTED once somebody has said why it is no matter, GONE when a later look does not find it any more.
An acceptance covers what was told when it was given: what grows beyond that is told as changed, and NEW again. It
outlives that the finding is gone for a while.

All functions run inside the transaction of the caller.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Collection
from dataclasses import replace

from detector.model import Evidence, Relation, Report, Strength, UserError
from detector.report import json as report_json
from detector.report.names import elided, shortened, visible
from detector.report.words import RELATIONS
from detector.scan import finding_rows, occurring
from detector.scan.finding_rows import Row, Told
from detector.scan.occurring import occurrences, tell
from detector.scanned import Finding, Line, Member, State
from detector.settings.watching import LEAST_ID, LONGEST_NAME, LONGEST_REASON, LONGEST_TEXT, MOST_LINES

__all__ = ["accept", "begin", "create", "end", "findings", "identity", "occurrences", "one", "reopen", "report", "see",
           "tell", "vanished"]  # fmt: skip

Ends = tuple[str, str, str, str]  # suspect, reference, and the revisions of both
_SCALE = list(Strength)
_OPEN = (State.NEW, State.KNOWN, State.ACCEPTED)
_STATES = list(State)
# How much a relation says: one that says more than what was accepted is not covered by that.
_SAYS = {
    Relation.INDEPENDENT: 0,
    Relation.INCONCLUSIVE: 0,
    Relation.COMMON_IDIOM: 1,
    Relation.SHARED_ANCESTOR: 2,
    Relation.DERIVED_DECLARED: 3,
    Relation.DERIVED_UNDECLARED: 4,
    Relation.IDENTICAL: 5,
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?Z)?")


def create(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    for statement in finding_rows.TABLES:
        connection.execute(statement)
    occurring.create(connection)


def identity(suspect: str, reference: str) -> str:
    """The id of a finding: sixteen hex digits of both members.

    Stable: whatever revisions, reports and runs say.
    """
    ends = b"".join(len(each).to_bytes(8, "big") + each for each in map(finding_rows.packed, (suspect, reference)))
    return hashlib.sha256(ends).hexdigest()[:16]


def begin(connection: sqlite3.Connection, at: str) -> None:
    """Begin a run: what was NEW in earlier ones is KNOWN.

    at: the time of the run. A run that goes on where it was cut off has the same, and leaves what it found NEW.
    """
    connection.execute(
        "UPDATE finding SET state = ? WHERE state = ? AND moved <> ?", (State.KNOWN.value, State.NEW.value, at)
    )


def see(
    connection: sqlite3.Connection,
    at: str,
    suspect: Member,
    reference: str,
    reference_revision: str,
    report: Report,
    is_found: bool,
) -> None:
    """Take into account that a suspect was compared with a reference.

    reference: a member, or a target of an index.
    is_found: whether the report is above the gate.
    Errors: Damaged.
    """
    finding_id = identity(suspect.name, reference)
    known = _known(connection, finding_id)
    if not is_found:
        if known is not None and known.finding.state in _OPEN:
            why = (
                f"revision {_named(suspect.revision)} does not have it any more"
                if suspect.revision
                else "not found any more"
            )
            _gone(connection, at, known, why)
        return
    lines = _lines(report, reference)
    ends = (suspect.name, reference, suspect.revision, reference_revision)
    found = _finding(finding_id, at, ends, report, lines)
    seen = Told(report.relation, report.strength, _names(lines))
    finding_rows.put_report(connection, finding_id, report_json.render(report))
    if known is None:
        _move(connection, at, Row(found, at, seen), "found", _sentence(found))
    else:
        _seen_again(connection, at, known, found, seen)


def _finding(finding_id: str, at: str, ends: Ends, report: Report, lines: tuple[Line, ...]) -> Finding:
    return Finding(
        finding_id,
        *ends,
        relation=report.relation,
        strength=report.strength,
        is_declared=report.relation is Relation.DERIVED_DECLARED,
        lines=lines[:MOST_LINES],
        first_seen=at,
        last_seen=at,
        more_lines=max(len(lines) - MOST_LINES, 0),
    )


def _seen_again(connection: sqlite3.Connection, at: str, known: Row, found: Finding, seen: Told) -> None:
    before, told = known.finding, known.told
    has_grown = _is_beyond(seen, told)
    is_accepted = bool(before.reason)
    state = before.state
    if has_grown and is_accepted:
        state = State.NEW
    elif state is State.GONE:
        state = State.ACCEPTED if is_accepted else State.KNOWN
    reason = "" if state is State.NEW else before.reason
    found = replace(found, first_seen=before.first_seen, state=state, reason=reason)
    more = _more(found, seen, told, before.reason if state is State.NEW and is_accepted else "")
    if before.state is State.GONE:
        covered = told if state is State.ACCEPTED else seen
        _move(connection, at, Row(found, at, covered), "returned", f"{_sentence(found)}{more if has_grown else ''}")
    elif has_grown or (not is_accepted and seen.relation is not told.relation):
        _move(connection, at, Row(found, at, _joined(seen, told)), "changed", f"{_sentence(found)}{more}")
    else:
        finding_rows.put(connection, Row(found, known.moved, told))


def _is_beyond(seen: Told, told: Told) -> bool:
    """Whether there is more to see than was told or accepted."""
    return (
        _SAYS[seen.relation] > _SAYS[told.relation]
        or _SCALE.index(seen.strength) > _SCALE.index(told.strength)
        or not seen.lines <= told.lines
    )


def _joined(seen: Told, told: Told) -> Told:
    """What is known once it is told: a line that comes and goes is told once."""
    return Told(seen.relation, max(seen.strength, told.strength, key=_SCALE.index), seen.lines | told.lines)


def end(connection: sqlite3.Connection, at: str) -> None:
    """End a run: what is open was there in it."""
    connection.execute("UPDATE finding SET last_seen = ? WHERE state <> ?", (at, State.GONE.value))


def vanished(connection: sqlite3.Connection, at: str, member: str) -> None:
    """Say of all open findings of a member that they are gone with it.

    Errors: Damaged.
    """
    for row in _of_member(connection, member):
        if row.finding.state in _OPEN:
            _gone(connection, at, row, f"{_named(member)} vanished")


def accept(connection: sqlite3.Connection, at: str, finding_id: str, reason: str) -> Finding:
    """Say why a finding is no matter; what was told of it by now is covered by that, and no more.

    Errors: UserError where there is no such finding, no reason, or nothing to accept.
    """
    reason = reason.strip()
    if not reason:
        raise UserError("an acceptance needs a reason: say why the finding is no matter")
    if len(reason) > LONGEST_REASON:
        raise UserError(f"the reason has more than {LONGEST_REASON:,} characters: say it in fewer")
    row = _one(connection, finding_id)
    before = row.finding
    if before.state is State.GONE:
        raise UserError(f"finding {before.id} is gone: there is nothing to accept")
    if before.state is State.ACCEPTED and before.reason == reason:
        return before
    found = replace(before, state=State.ACCEPTED, reason=reason)
    _move(
        connection, at, replace(row, finding=found, moved=at), "accepted", f"{_pair(found)}: accepted: {_named(reason)}"
    )
    return found


def reopen(connection: sqlite3.Connection, at: str, finding_id: str) -> Finding:
    """Take an acceptance back.

    Errors: UserError where there is no such finding, or none that is accepted.
    """
    row = _one(connection, finding_id)
    before = row.finding
    if not before.reason:
        raise UserError(f"finding {before.id} is {before.state.value}: only what is accepted can be reopened")
    state = before.state if before.state is State.GONE else State.KNOWN
    found = replace(before, state=state, reason="")
    text = f"{_pair(found)}: not accepted any more; it was: {_named(before.reason)}"
    _move(connection, at, replace(row, finding=found, moved=at), "reopened", text)
    return found


def findings(
    connection: sqlite3.Connection,
    *,
    states: Collection[State] = (),
    member: str = "",
    strength: Strength = Strength.NONE,
    since: str = "",
) -> list[Finding]:
    """Findings by state, NEW ones first, then the strongest first, then by suspect and reference.

    states: none for all. member: on either side. strength: at least. since: something was told of it at that time or
            later, a date or a time in ISO 8601.
    Errors: UserError for what is no date; Damaged.
    """
    if since and _DATE.fullmatch(since) is None:
        raise UserError(f"{elided(visible(since), 40)}: no date: give one such as 2026-01-31 or 2026-01-31T12:00:00Z")
    rows = _of_member(connection, member) if member else finding_rows.select(connection)
    chosen = [
        row.finding
        for row in rows
        if (not states or row.finding.state in states)
        and _SCALE.index(row.finding.strength) >= _SCALE.index(strength)
        and row.moved >= since
    ]
    return sorted(chosen, key=_order)


def one(connection: sqlite3.Connection, finding_id: str) -> Finding:
    """The finding with this id, or the one whose id begins so.

    Errors: UserError where there is none, or more than one; Damaged.
    """
    return _one(connection, finding_id).finding


def report(connection: sqlite3.Connection, finding_id: str) -> str:
    """The report of a finding as it was seen last, as `detector compare --format json` writes it.

    Errors: UserError where there is no such finding; Damaged.
    """
    return finding_rows.report(connection, _one(connection, finding_id).finding.id)


def _known(connection: sqlite3.Connection, finding_id: str) -> Row | None:
    rows = finding_rows.select(connection, "id = ?", (finding_id,))
    return rows[0] if rows else None


def _one(connection: sqlite3.Connection, finding_id: str) -> Row:
    if re.fullmatch(rf"[0-9a-f]{{{LEAST_ID},16}}", finding_id) is None:
        raise UserError(
            f"{elided(visible(finding_id), 40)}: no id of a finding: give the sixteen digits that "
            f"`detector findings list` shows, or the first {LEAST_ID} of them or more"
        )
    rows = finding_rows.select(connection, "id >= ? AND id < ?", (finding_id, f"{finding_id}g"))
    if not rows:
        raise UserError(f"{finding_id}: there is no such finding: `detector findings list` shows those there are")
    if len(rows) > 1:
        raise UserError(f"{finding_id}: {len(rows)} findings have ids that begin so: give more of it")
    return rows[0]


def _of_member(connection: sqlite3.Connection, member: str) -> list[Row]:
    name = finding_rows.packed(member)
    rows = finding_rows.select(connection, "suspect = ? OR reference = ?", (name, name))
    return sorted(rows, key=lambda row: row.finding.id)


def _gone(connection: sqlite3.Connection, at: str, row: Row, why: str) -> None:
    found = replace(row.finding, state=State.GONE)
    _move(connection, at, replace(row, finding=found, moved=at), "gone", f"{_pair(found)}: {why}")


def _move(connection: sqlite3.Connection, at: str, row: Row, kind: str, text: str) -> None:
    """Write a finding and tell what became of it."""
    finding_rows.put(connection, row)
    occurring.tell(connection, at, kind, row.finding.id, text, row.finding)


def _lines(report: Report, reference: str) -> tuple[Line, ...]:
    """The ledger about one reference, the strongest lines first; those that support nothing are left to the report."""
    sides = report.references
    names = {side.name for side in sides if side.target == reference or side.target.startswith(f"{reference}@")}
    about = [
        line
        for line in report.evidence
        if line.strength is not Strength.NONE
        and (len(sides) < 2 or not names or line.reference in names or not line.reference)
    ]
    return tuple(map(_line, sorted(about, key=lambda line: -_SCALE.index(line.strength))))


def _line(line: Evidence) -> Line:
    claim, innocent = (shortened(text, LONGEST_TEXT) for text in (line.claim, line.innocent))
    return Line(line.kind, line.name, line.strength, claim, innocent)


def _names(lines: Collection[Line]) -> frozenset[str]:
    return frozenset(f"{line.kind}/{line.name}" for line in lines)


def _sentence(found: Finding) -> str:
    """What was measured, and how much it supports that."""
    strongest = f"; its strongest line is {_id(found.lines[0])}" if found.lines else ""
    return f"{_pair(found)}: {RELATIONS[found.relation][0]} (support {found.strength.value}){strongest}"


def _more(found: Finding, seen: Told, told: Told, reason: str) -> str:
    """What a finding has that was not told or accepted before."""
    said = []
    if seen.relation is not told.relation:
        said.append(f"before: {RELATIONS[told.relation][0]}")
    if _SCALE.index(seen.strength) > _SCALE.index(told.strength):
        said.append(f"support before: {told.strength.value}")
    new = [name for name in dict.fromkeys(map(_id, found.lines)) if name not in told.lines]
    if new:
        said.append(f"new lines: {', '.join(new)}")
    if reason:
        said.append(f"not covered by what was accepted: {_named(reason)}")
    return f"; {'; '.join(said)}" if said else ""


def _id(line: Line) -> str:
    return f"{line.kind}/{line.name}"


def _pair(found: Finding) -> str:
    return f"{_named(found.suspect)} and {_named(found.reference)}"


def _named(text: str) -> str:
    return elided(visible(text), LONGEST_NAME)


def _order(found: Finding) -> tuple[int, int, str, str]:
    return _STATES.index(found.state), -_SCALE.index(found.strength), found.suspect, found.reference
