"""What a run leaves for those who read and watch: files in the plan's output folder, and webhooks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from detector import __version__, report_files
from detector.formats import Format, render
from detector.lineage import lineage
from detector.model import UserError
from detector.report import dashboard, reading
from detector.scan import findings, members, outbox, outputs
from detector.scan.outbox import Delivered, Hook
from detector.scan.plan import Plan
from detector.scan.store import Store
from detector.scanned import Finding, Scan, State
from detector.settings.scanning import MOST_SHOWN_OCCURRENCES, MOST_SHOWN_RUNS

DASHBOARD = "dashboard.html"
FINDINGS = "findings.jsonl"
OCCURRENCES = "occurrences.jsonl"
REPORTS = "reports"


def hooks(plan: Plan, environment: Mapping[str, str]) -> list[Hook]:
    """The webhooks of a plan, with their secrets.

    Errors: UserError for an address that is none, or a secret that is not there.
    """
    return [outbox.hook(each.url, each.secret_variable, sorted(each.kinds), environment) for each in plan.webhooks]


def prepare(folder: Path) -> None:
    """Make the output folder, before any work is done.

    Errors: UserError where it cannot be made or written to.
    """
    try:
        (folder / REPORTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output {folder}: cannot be made: {error.strerror}; name another folder") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"output {folder}: not allowed to write there; name another folder")


def leave(store: Store, plan: Plan, watching: Sequence[Hook]) -> Delivered:
    """Write what there is to read, and send what there is to send."""
    scan = read(store, plan.name)
    outputs.write_findings(store.connection, plan.output / FINDINGS)
    outputs.append_occurrences(store.connection, plan.output / OCCURRENCES)
    shown = [each for each in scan.findings if each.state is not State.GONE]
    for each in shown:
        _write_report(store, plan.output / REPORTS / f"{each.id}.html", each)
    report_files.write(dashboard.render(scan, [each.id for each in shown]), plan.output / DASHBOARD)
    return outbox.deliver(store.connection, watching)


def read(store: Store, name: str) -> Scan:
    """Everything that a store tells a reader."""
    found, tied = store.lineage_input()
    return Scan(
        name,
        tuple(members.runs(store.connection, MOST_SHOWN_RUNS)),
        tuple(found),
        tuple(findings.findings(store.connection)),
        tuple(findings.occurrences(store.connection)[::-1][:MOST_SHOWN_OCCURRENCES]),
        lineage(found, tied),
    )


def _write_report(store: Store, file: Path, finding: Finding) -> None:
    """Write the whole report of a finding, unless the file is of the very same report."""
    text = findings.report(store.connection, finding.id)
    mark = f"<!-- {__version__} {hashlib.sha256(text.encode()).hexdigest()} -->\n"
    if _ends_with(file, mark.encode()):
        return
    report_files.write(render(reading.parse(text), Format.HTML) + mark, file)


def _ends_with(file: Path, mark: bytes) -> bool:
    try:
        with file.open("rb") as opened:
            opened.seek(-len(mark), os.SEEK_END)
            return opened.read() == mark
    except OSError:  # not there, or shorter
        return False
