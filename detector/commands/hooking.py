"""`detector hook`: what a change adds, against what is known."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from detector import report_files
from detector.arguments import ExitZeroOption, FailOnOption, FormOption, OutputOption, QuietOption
from detector.commands.running import Output, finish, interruptible, say, write_report
from detector.formats import Format
from detector.model import Report, UserError

_BUILD = "build one with: detector index add --index FILE TARGET..."


def hook(
    *,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES", help="Files and folders that the change is narrowed to.", show_default=False),
    ] = None,
    index: Annotated[
        list[Path] | None,
        typer.Option(
            "--index", metavar="FILE", envvar="DETECTOR_INDEX", help="An index of what is known; may be repeated."
        ),
    ] = None,
    from_ref: Annotated[
        str, typer.Option("--from-ref", metavar="REVISION", help="Where the change begins: a commit or a branch.")
    ] = "",
    to_ref: Annotated[str, typer.Option("--to-ref", metavar="REVISION", help="Where it ends; HEAD by default.")] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Everything in the project counts as new, not only what a change adds.")
    ] = False,
    not_against: Annotated[
        list[str] | None,
        typer.Option("--not-against", metavar="NAME", help="A target of the index to leave out; may be repeated."),
    ] = None,
    form: FormOption = Format.BLOCKS,
    output: OutputOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what a change adds that is known: functions of the staged files, or of a range of commits.

    Without FILES and without a range, the change is what is staged. pre-commit, GitHub Actions and GitLab CI say by
    their variables which commits are meant. Nothing in the repository is run.
    """
    with interruptible():
        file = Path(output) if output is not None else None
        if file is not None:
            report_files.check_writable(file)
        indexes = [Path(each) for each in index or ()]
        report = _examined(files or [], indexes, from_ref, to_ref, every, not_against or [])
        given = Output(form, file, fail_on, exit_zero, quiet)
        _write(report, given)
    finish(report, given)


def _examined(
    files: list[str], indexes: list[Path], from_ref: str, to_ref: str, every: bool, not_against: list[str]
) -> Report:
    if not indexes:
        raise UserError(f"no index is named: give --index FILE, or set DETECTOR_INDEX; {_BUILD}")
    for path in indexes:
        if not path.exists():
            raise UserError(f"{path}: there is no such index; {_BUILD}")
    from detector.hook import examine
    from detector.indexed import open_known
    from detector.read.changes import read_changes

    changes = read_changes(files, from_ref=from_ref, to_ref=to_ref, every=every)
    with ExitStack() as opened:
        known = [opened.enter_context(open_known(path)) for path in indexes]
        return examine(changes, known, not_against=not_against)


def _write(report: Report, output: Output) -> None:
    """Write the report; of one for a reader that has nothing to tell only a line, on standard error."""
    from detector.report import blocks

    is_read_here = output.form is Format.BLOCKS and output.file is None
    is_open = any(not (match.is_declared or match.accepted) for match in report.matches)
    if is_open or report.skipped or not is_read_here:
        write_report(report, output)
    if not output.quiet and not (is_read_here and (is_open or report.skipped)):
        say(blocks.summary(report))
