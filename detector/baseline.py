"""The baseline: findings that were there when it was written, one a line, each with what somebody decided about it.

Text to entries and back, without a disk. Lines may stand in any order and more than once, so that what git makes of two
branches by joining their lines is a baseline too. What findings were found with is said once for all that share it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from detector.model import Evidence, Match, Report, Strength, UserError, Verdict
from detector.report import documents
from detector.report.findings import IN_CODE, KINDS, fingerprints, is_finding, line_fingerprints, line_kind
from detector.report.names import elided, visible

SCHEMA = "detector-baseline/1"
WHAT = "a baseline that detector baseline update has written"
SETTINGS_DIGITS = 8  # of the name of a set of settings: a file has a handful of them
CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
MOST_ENTRIES = 1_000_000  # a gate with more accepts a project as a whole, and no longer fits the memory of a hook

Values = Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding, by what survives moved lines, and what was decided about it."""

    fingerprint: str
    rule: str
    suspect: str  # for people: "pkg/model.py::Block.forward"
    reference: str  # for people: "timm timm/layers/mlp.py::Mlp.forward"
    found: str  # the name of the settings that it was found with
    verdict: Verdict = Verdict.UNREVIEWED
    reason: str = ""
    strength: Strength = Strength.NONE  # of a line of evidence: more support than this is a new finding
    line: str = field(default="", compare=False)  # as it was read; "" of one that was made here

    @property
    def accepted(self) -> str:
        """Verdict and reason, as reports say them."""
        return f"{self.verdict.value}: {self.reason}" if self.reason else self.verdict.value


@dataclass(frozen=True, slots=True)
class Baseline:
    """Entries by fingerprint, and the settings that they were found with by name."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    settings: Mapping[str, Values] = field(default_factory=dict)


def parse(text: str) -> Baseline:
    """Read a baseline. Of two entries for one finding the one that somebody looked at counts, then the first.

    Errors: UserError, one line that begins with the number of the line.
    """
    entries: dict[str, Entry] = {}
    settings: dict[str, Values] = {}
    has_schema = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        document = _object(line, number)
        if "fingerprint" in document:
            entry = _entry(document, line.removesuffix("\r"), number)
            known = entries.get(entry.fingerprint)
            if known is None or (known.verdict is Verdict.UNREVIEWED and entry.verdict is not Verdict.UNREVIEWED):
                entries[entry.fingerprint] = entry
                if len(entries) > MOST_ENTRIES:
                    _refuse(number, f"is the entry after {MOST_ENTRIES:,} others; exclude what is not yours instead")
        elif "found" in document:
            settings[_text(document, "found", number)] = _values(document, number)
        elif "schema" in document:
            has_schema = True
            _check_schema(_text(document, "schema", number), number)
        else:
            _refuse(number, "is neither an entry nor settings; every line has a fingerprint, found or schema")
    if not has_schema:
        raise UserError(f'has no line {{"schema": "{SCHEMA}"}}; give {WHAT}')
    return Baseline(entries, settings)


def written(baseline: Baseline) -> str:
    """Write a baseline: the schema, the settings in use, then entries by their places.

    Lines of entries that were read are written as they were.

    Stable: what is added stands where it belongs, so that two branches seldom add at one place.
    """
    used = {entry.found for entry in baseline.entries.values()}
    lines = [documents.dumps({"schema": SCHEMA})]
    lines += [
        documents.dumps({"found": name, "settings": documents.by_name(values)})
        for name, values in sorted(baseline.settings.items())
        if name in used
    ]
    lines += [entry.line or _line(entry) for entry in sorted(baseline.entries.values(), key=_order)]
    return "\n".join(lines) + "\n"


def current(report: Report) -> Baseline:
    """What a gate finds in a report, as entries that nobody has looked at: what a baseline accepts, or might.

    Not what a comment in the code accepts: it needs no entry. Nor traces: they gate nothing.
    """
    found, values = _found_with(report)
    entries = [
        Entry(mark, KINDS[match.clone_type], _suspect(match), _reference(match), found)
        for match, mark in zip(report.matches, fingerprints(report), strict=True)
        if not match.is_declared and not match.accepted.startswith(IN_CODE)
    ]
    entries += [
        Entry(mark, line_kind(line), _places(line), line.reference, found, strength=line.strength)
        for line, mark in zip(report.evidence, line_fingerprints(report.evidence), strict=True)
        if is_finding(line, report) and not line.accepted.startswith(IN_CODE)
    ]
    return Baseline({entry.fingerprint: entry for entry in entries}, {found: values} if entries else {})


def differs(ours: Values, theirs: Values) -> list[str]:
    """Which of the settings that both name are not the same."""
    return sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])


def _found_with(report: Report) -> tuple[str, Values]:
    """The settings that findings depend on, and a name for them made of nothing else."""
    values: dict[str, float | int | str] = dict(report.settings)
    if "lowering" in report.versions:
        values["lowering"] = report.versions["lowering"]
    text = documents.dumps(documents.by_name(values))
    return hashlib.sha256(text.encode()).hexdigest()[:SETTINGS_DIGITS], values


def _suspect(match: Match) -> str:
    return f"{match.suspect.path}::{match.suspect.qualname}"


def _reference(match: Match) -> str:
    return f"{match.reference_name} {match.reference.path}::{match.reference.qualname}"


def _places(line: Evidence) -> str:
    return ", ".join(dict.fromkeys(path for path, _ in line.places))


def _order(entry: Entry) -> tuple[str, ...]:
    return entry.suspect, entry.reference, entry.rule, entry.fingerprint


def _line(entry: Entry) -> str:
    """Places first: a person who reads a merge looks for these."""
    document = {
        "suspect": entry.suspect,
        "reference": entry.reference,
        "rule": entry.rule,
        **({"strength": entry.strength.value} if entry.strength is not Strength.NONE else {}),
        "verdict": entry.verdict.value,
        "reason": entry.reason,
        "found": entry.found,
        "fingerprint": entry.fingerprint,
    }
    return documents.dumps(document)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _object(line: str, number: int) -> dict[str, object]:
    if line.startswith(CONFLICT):
        _refuse(number, "is git's mark of a conflict; keep the lines of both sides and delete the marks")
    try:
        document = _decoder.decode(line)
    except (ValueError, RecursionError):
        _refuse(number, "is no JSON object; undo the edit, or delete the line")
    if not isinstance(document, dict):
        _refuse(number, "is no JSON object; undo the edit, or delete the line")
    return document


def _entry(document: dict[str, object], line: str, number: int) -> Entry:
    mark, rule, suspect, reference, found = (_text(document, key, number) for key in _TEXTS)
    try:
        verdict = Verdict(_text(document, "verdict", number))
    except ValueError:
        _refuse(number, f"has no verdict of {', '.join(Verdict)}; write one of them")
    try:
        strength = Strength(_text(document, "strength", number)) if "strength" in document else Strength.NONE
    except ValueError:
        _refuse(number, f"has no strength of {', '.join(Strength)}; undo the edit")
    reason = _text(document, "reason", number).strip()
    return Entry(mark, rule, suspect, reference, found, verdict, reason, strength, line)


_TEXTS = ("fingerprint", "rule", "suspect", "reference", "found")


def _text(document: Mapping[str, object], key: str, number: int) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        _refuse(number, f"has no {key}, or one that is no text; undo the edit, or delete the line")
    return value


def _values(document: Mapping[str, object], number: int) -> Values:
    settings = document.get("settings")
    if not isinstance(settings, dict) or not all(isinstance(value, float | int | str) for value in settings.values()):
        _refuse(number, "has no settings, or such that are no numbers and texts; undo the edit")
    return settings


def _check_schema(schema: str, number: int) -> None:
    if schema != SCHEMA:
        shown = elided(visible(schema), 40)
        _refuse(number, f"says {shown!r}, where this version reads {SCHEMA!r}; use the version that has written it")


def _refuse(number: int, wrong: str) -> NoReturn:
    raise UserError(f"line {number}: {wrong}")


def with_found(baseline: Baseline, found: Baseline, verdict: Verdict, reason: str) -> Baseline:
    """Add what is found under a verdict; what is there keeps its own, unless its support has grown since."""
    entries = dict(baseline.entries)
    for mark, entry in found.entries.items():
        known = entries.get(mark)
        if known is None or is_stronger(entry.strength, known.strength):
            entries[mark] = replace(entry, verdict=verdict, reason=reason)
        elif differs(baseline.settings.get(known.found, {}), found.settings[entry.found]):
            entries[mark] = replace(known, found=entry.found, line="")
    return Baseline(entries, {**baseline.settings, **found.settings})


def is_stronger(one: Strength, other: Strength) -> bool:
    """Whether the one supports more than the other."""
    return _SCALE.index(one) > _SCALE.index(other)


def pruned(text: str, stale: Collection[str]) -> str:
    """The text of a baseline without these entries; every other line as it is, byte for byte."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.strip() or _object(line, 0).get("fingerprint") not in stale)


_SCALE = list(Strength)
