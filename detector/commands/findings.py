"""`detector findings`: what a scan found, looked at and decided about; nothing is scanned."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector import report_files
from detector.arguments import FINDINGS_EPILOG, FormOption, Level, OutputOption, QuietOption, StoreOption
from detector.commands.running import Output, interruptible, say, write, write_report
from detector.formats import Format
from detector.model import Strength
from detector.report.names import elided, visible
from detector.scanned import Finding, State

if TYPE_CHECKING:
    import sqlite3

LIST_SCHEMA = "detector-finding-list/1"
LONGEST_NAME = 60  # characters of a member in a row: two of them, and what is said of them, fit a wide terminal

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of a finding, or how it begins.")]


class ListForm(enum.StrEnum):
    """What a list of findings is written as."""

    TERMINAL = "terminal"
    JSON = "json"
    JSONL = "jsonl"


app = typer.Typer(
    name="findings",
    help="Look at what a scan found, and say what is no matter and why. Nothing is scanned.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=FINDINGS_EPILOG,
)


@app.command("list", epilog=FINDINGS_EPILOG)
def list_(
    *,
    store: StoreOption,
    state: Annotated[list[State] | None, typer.Option(help="Only findings in this state; may be repeated.")] = None,
    member: Annotated[str, typer.Option(metavar="TARGET", help="Only findings of this member, on either side.")] = "",
    at_least: Annotated[Level | None, typer.Option(help="Only findings with this support or more.")] = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Only findings to which anything happened on that day (UTC) or later.")
    ] = "",
    form: Annotated[ListForm, typer.Option("--format", help="What to write.")] = ListForm.TERMINAL,
) -> None:
    """List findings, new ones first, then the strongest first."""
    from detector.report import scan_documents
    from detector.scan import findings
    from detector.scan.store import open_store

    strength = Strength.NONE if at_least is None else Strength[at_least.name]
    with interruptible(), open_store(store) as opened:
        found = findings.findings(opened.connection, states=state or (), member=member, strength=strength, since=since)
    if form is ListForm.TERMINAL:
        write(_as_rows(found), None)
        return
    documents = [scan_documents.finding(each) for each in found]
    if form is ListForm.JSON:
        write(scan_documents.dumps({"schema": LIST_SCHEMA, "findings": documents}, indent=1) + "\n", None)
    else:
        write("".join(f"{scan_documents.dumps(each)}\n" for each in documents), None)


def _as_rows(found: Sequence[Finding]) -> str:
    from detector.report.words import RELATIONS

    rows = [
        (
            each.id,
            each.state.value,
            each.strength.value,
            RELATIONS[each.relation][0],
            each.first_seen[:10],
            elided(visible(each.suspect), LONGEST_NAME),
            elided(visible(each.reference), LONGEST_NAME),
        )
        for each in found
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(6)]
    lines = ("  ".join([*map(str.ljust, row[:6], widths), row[6]]) for row in rows)
    return "".join(f"{line}\n" for line in lines) or "no findings\n"


@app.command(epilog=FINDINGS_EPILOG)
def show(
    *,
    finding: IdArgument,
    store: StoreOption,
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
) -> None:
    """Write the report of a finding as it was seen last, in any format of a report. Nothing is compared."""
    from detector.report import reading
    from detector.scan import findings
    from detector.scan.store import open_store

    with interruptible():
        if output is not None:
            report_files.check_writable(output)
        with open_store(store) as opened:
            text = findings.report(opened.connection, finding)
        write_report(reading.parse(text), Output(form, output))


@app.command(epilog=FINDINGS_EPILOG)
def accept(
    *,
    finding: IdArgument,
    store: StoreOption,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is no matter.")],
    quiet: QuietOption = False,
) -> None:
    """Accept a finding: it stays accepted until there is more of it than was told by now."""
    from detector.scan import findings

    found = _decide(store, lambda connection, at: findings.accept(connection, at, finding, reason))
    if not quiet:
        say(f"accepted {found.id}: {found.suspect} and {found.reference}")


@app.command(epilog=FINDINGS_EPILOG)
def reopen(*, finding: IdArgument, store: StoreOption, quiet: QuietOption = False) -> None:
    """Take the acceptance of a finding back."""
    from detector.scan import findings

    found = _decide(store, lambda connection, at: findings.reopen(connection, at, finding))
    if not quiet:
        say(f"reopened {found.id}: {found.suspect} and {found.reference}")


def _decide(store: Path, decide: Callable[[sqlite3.Connection, str], Finding]) -> Finding:
    from detector.scan.store import open_store

    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with interruptible(), open_store(store, write=True) as opened, opened.transaction() as connection:
        return decide(connection, at)
