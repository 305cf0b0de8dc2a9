"""`detector baseline`: what a gate does not count because somebody has looked at it, or because it was there before."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector import report_files
from detector.arguments import BASELINE_EPILOG, BASELINE_FILE, OutputOption, QuietOption
from detector.commands.running import interruptible, read_back, read_baseline, say, write
from detector.gate import EXIT_FINDINGS, EXIT_NOTHING
from detector.model import Report, UserError, Verdict

if TYPE_CHECKING:
    from detector.suppressions import Ignore

OPTION = "--baseline"


class AuditForm(enum.StrEnum):
    """What an audit is written as."""

    TERMINAL = "terminal"
    JSON = "json"


ResultArgument = Annotated[
    str, typer.Argument(metavar="RESULT", help="A report of --format json; - is standard input.")
]
FileOption = Annotated[Path, typer.Option(OPTION, metavar="FILE", help="The baseline.")]

app = typer.Typer(
    name="baseline",
    help="Keep the findings that are not gated: those that somebody has looked at, and those that were there before.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=BASELINE_EPILOG,
)


@app.command(epilog=BASELINE_EPILOG)
def update(
    *,
    result: ResultArgument,
    baseline: FileOption = BASELINE_FILE,
    verdict: Annotated[
        Verdict, typer.Option(help="What was decided about findings that are new.")
    ] = Verdict.UNREVIEWED,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; one reason for all that are new.")] = "",
    quiet: QuietOption = False,
) -> None:
    """Add the findings of RESULT to the baseline, which is created if there is none. What it has keeps its verdict.

    Findings that are declared, or that a comment in the code ignores with a reason, need no entry.
    """
    with interruptible():
        from detector.baseline import Baseline, current, with_found, written

        if reason.strip() and verdict is Verdict.UNREVIEWED:
            raise typer.BadParameter("needs a --verdict: what was decided for this reason.", param_hint="--reason")
        report_files.check_writable(baseline, OPTION)
        if baseline.is_symlink() and not baseline.exists():
            raise UserError(f"{OPTION} {baseline}: is a link to nothing; name the file itself")
        report, _ = _findings(result, quiet)
        before = read_baseline(baseline) if baseline.exists() else Baseline()
        after = with_found(before, current(report), verdict, reason.strip())
        report_files.write(written(after), baseline)
        if not quiet:
            added = len(after.entries) - len(before.entries)
            say(f"added {added:,} findings to {baseline}: {len(after.entries):,} in all")


@app.command(epilog=BASELINE_EPILOG)
def audit(
    *,
    result: Annotated[
        str | None,
        typer.Argument(metavar="[RESULT]", help="A report of --format json: what is found now; - is standard input."),
    ] = None,
    baseline: FileOption = BASELINE_FILE,
    form: Annotated[AuditForm, typer.Option("--format", help="What to write.")] = AuditForm.TERMINAL,
    output: OutputOption = None,
) -> None:
    """List what is to be looked at: entries without verdict or reason, comments without reason, and their like.

    With RESULT also entries and comments of which nothing is found any more, and entries found with other settings.
    Without it comments are read in the current folder.
    """
    with interruptible():
        from detector import audit as audits

        if output is not None:
            report_files.check_writable(output)
        known = read_baseline(baseline)
        report, ignores = (None, _comments(Path())) if result is None else _findings(result, quiet=False)
        complaints = audits.audit(known, report, ignores)
        render = audits.as_json if form is AuditForm.JSON else audits.as_text
        write(render(complaints, len(known.entries)), output)
    raise typer.Exit(EXIT_FINDINGS if complaints else EXIT_NOTHING)


@app.command(epilog=BASELINE_EPILOG)
def prune(*, result: ResultArgument, baseline: FileOption = BASELINE_FILE, quiet: QuietOption = False) -> None:
    """Drop the entries whose finding RESULT does not have; all other lines stay as they are, byte for byte."""
    with interruptible():
        from detector.audit import stale
        from detector.baseline import WHAT, pruned

        report_files.check_writable(baseline, OPTION)
        known = read_baseline(baseline)
        report, _ = _findings(result, quiet)
        gone = {entry.fingerprint for entry in stale(known, report)}
        if gone:
            report_files.write(pruned(report_files.read(str(baseline), WHAT), gone), baseline)
        if not quiet:
            say(f"dropped {len(gone):,} of {len(known.entries):,} entries from {baseline}")


def _findings(result: str, quiet: bool) -> tuple[Report, Mapping[str, Sequence[Ignore]]]:
    """What is found now, with what comments in the code accept of it; and these comments."""
    from detector.accepted import accept

    report = read_back(result)
    folder = Path(report.suspect.target)
    if folder.is_dir():
        ignores = _comments(folder)
    else:
        ignores = {}
        if not quiet:
            say(f"comments are not looked at: {report.suspect.target} is no folder here")
    return accept(report, None, ignores), ignores


def _comments(folder: Path) -> Mapping[str, Sequence[Ignore]]:
    from detector.read import open_target
    from detector.suppressions import of_files

    with open_target(str(folder)) as repo:
        return of_files(repo.files)
