"""What is to be looked at in a baseline and in the comments that accept findings, as complaints with a rule each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.accepted import without_effect
from detector.baseline import Baseline, Entry, current, differs
from detector.model import Report, Verdict
from detector.report import documents
from detector.report.names import elided, visible
from detector.settings import LOWERING_VERSION
from detector.suppressions import Ignore, remarks

SCHEMA = "detector-audit/1"
UNREVIEWED = "baseline/unreviewed"
NO_REASON = "baseline/no-reason"
STALE = "baseline/stale"
OTHER_SETTINGS = "baseline/other-settings"
MOST_SHOWN = 200  # characters of a place


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing to look at, and where it stands: in the code, or as an entry of the baseline."""

    rule: str
    place: str
    text: str
    fingerprint: str = ""  # of the entry


def audit(baseline: Baseline, report: Report | None, ignores: Mapping[str, Sequence[Ignore]]) -> list[Complaint]:
    """Everything to look at: entries by their place, then comments by theirs.

    Without a report nothing can be said of what is found no more.
    """
    entries = sorted(baseline.entries.values(), key=lambda entry: (entry.suspect, entry.reference, entry.fingerprint))
    found = current(report) if report is not None else None
    complaints = [each for entry in entries for each in _of_entry(entry, baseline, found)]
    told = [*remarks(ignores), *(without_effect(report, ignores) if report is not None else ())]
    told.sort(key=lambda remark: (remark.path, remark.line, remark.rule))
    return complaints + [Complaint(each.rule, f"{each.path}:{each.line}", each.text) for each in told]


def stale(baseline: Baseline, report: Report) -> list[Entry]:
    """Entries whose finding the report does not have, in the order of the file."""
    found = current(report).entries
    return [entry for mark, entry in baseline.entries.items() if mark not in found]


def _of_entry(entry: Entry, baseline: Baseline, found: Baseline | None) -> Iterator[Complaint]:
    place = f"{entry.suspect} <- {entry.reference}" if entry.suspect else entry.reference

    def complaint(rule: str, text: str) -> Complaint:
        return Complaint(rule, place, text, entry.fingerprint)

    if entry.verdict is Verdict.UNREVIEWED:
        yield complaint(UNREVIEWED, "nobody has looked at it: write a verdict and a reason")
    elif not entry.reason:
        yield complaint(NO_REASON, f"{entry.verdict.value} without a reason: write one")
    if found is not None and entry.fingerprint not in found.entries:
        yield complaint(STALE, "is found no more: detector baseline prune drops it")
        return
    settings = baseline.settings.get(entry.found, {})
    if not settings:
        yield complaint(
            OTHER_SETTINGS, "with which settings it was found is not told: detector baseline update writes it"
        )
        return
    now = next(iter(found.settings.values())) if found is not None else {"lowering": str(LOWERING_VERSION)}
    if changed := differs(settings, now):
        told = ", ".join(f"{name} was {settings[name]}, is {now[name]}" for name in changed)
        yield complaint(OTHER_SETTINGS, f"was found with other settings: {told}: detector baseline update looks again")


def as_text(complaints: Sequence[Complaint], entries: int) -> str:
    """For a person: a line for each, and one that counts."""
    lines = [f"{each.rule}  {_shown(each.place)}  {_shown(each.text)}" for each in complaints]
    count = f"{len(complaints):,} to look at" if complaints else "nothing to look at"
    return "\n".join([*lines, f"{entries:,} {'entry' if entries == 1 else 'entries'}: {count}"]) + "\n"


def as_json(complaints: Sequence[Complaint], entries: int) -> str:
    """For a program: schema `detector-audit/1`, one document."""
    told = [
        {
            "rule": each.rule,
            "place": each.place,
            "text": each.text,
            **({"fingerprint": each.fingerprint} if each.fingerprint else {}),
        }
        for each in complaints
    ]
    return documents.dumps({"schema": SCHEMA, "entries": entries, "complaints": told}, indent=1) + "\n"


def _shown(text: str) -> str:
    return elided(visible(text), MOST_SHOWN)
