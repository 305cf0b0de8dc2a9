"""`detector hook`: what a change adds, against what is known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector import __version__, report_files
from detector.arguments import (
    BASELINE_FILE,
    BaselineOption,
    ExitZeroOption,
    FailOnOption,
    FormOption,
    OutputOption,
    QuietOption,
)
from detector.commands.running import Output, finish, interruptible, read_baseline, say, write_report
from detector.formats import Format
from detector.model import Report, UserError

if TYPE_CHECKING:
    from detector.targets import Changed, Changes

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
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="PATTERN", help="Paths that are not looked at: tests/*; may be repeated."),
    ] = None,
    baseline: BaselineOption = None,
    no_baseline: Annotated[
        bool, typer.Option("--no-baseline", help=f"Accept nothing by {BASELINE_FILE}, which counts where it is there.")
    ] = False,
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
        if baseline is not None and no_baseline:
            raise typer.BadParameter("is given with --no-baseline: choose one.", param_hint="--baseline")
        change = Change(files or [], from_ref, to_ref, every, exclude or [])
        indexes = [Path(each) for each in index or ()]
        accepting = None if no_baseline else Path(baseline) if baseline is not None else BASELINE_FILE
        report = examined(change, indexes, not_against or [], accepting, is_named=baseline is not None)
        given = Output(form, file, fail_on, exit_zero, quiet)
        _write(report, given)
    finish(report, given)


@dataclass(frozen=True, slots=True)
class Change:
    """Which change is meant."""

    files: Sequence[str] = ()
    from_ref: str = ""
    to_ref: str = ""
    is_all: bool = False
    excluded: Sequence[str] = ()  # patterns of paths


def examined(
    change: Change,
    indexes: Sequence[Path],
    not_against: Sequence[str] = (),
    baseline: Path | None = None,
    *,
    is_named: bool = False,
) -> Report:
    """Look up a change, and say what a baseline and comments in the code accept of what was found.

    is_named: whether somebody named the baseline, so that it has to be there.
    """
    if not indexes:
        raise UserError(f"no index is named: give --index FILE, or set DETECTOR_INDEX; {_BUILD}")
    for path in indexes:
        if not path.exists():
            raise UserError(f"{path}: there is no such index; {_BUILD}")
    from detector.hook import examine
    from detector.indexed import open_known
    from detector.read.changes import read_changes

    changes = read_changes(change.files, from_ref=change.from_ref, to_ref=change.to_ref, every=change.is_all)
    changes = replace(changes, files=tuple(each for each in changes.files if not _is_among(each, change.excluded)))
    with ExitStack() as opened:
        known = [opened.enter_context(open_known(path)) for path in indexes]
        report = examine(changes, known, not_against=not_against, version=__version__)
    if baseline is not None and not is_named and not (report.matches and baseline.exists()):
        baseline = None
    return _accepted(report, changes, baseline)


def _is_among(changed: Changed, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(changed.file.path, pattern) for pattern in patterns)


def _accepted(report: Report, changes: Changes, baseline: Path | None) -> Report:
    """Say what is accepted; comments that are faulty are told whether or not anything was found."""
    said = {each.file.path: each.file.data for each in changes.files if b"detector:" in each.file.data}
    if baseline is None and not said:
        return report
    from detector.accepted import accept
    from detector.suppressions import ignores

    known = read_baseline(baseline) if baseline is not None else None
    return accept(report, known, {path: ignores(data) for path, data in said.items()})


def _write(report: Report, output: Output) -> None:
    """Write the report; of one for a reader that has nothing to tell only a line, on standard error."""
    from detector.report import blocks

    is_read_here = output.form is Format.BLOCKS and output.file is None
    is_open = bool(report.remarks) or any(not (match.is_declared or match.accepted) for match in report.matches)
    if is_open or report.skipped or not is_read_here:
        write_report(report, output)
    if not output.quiet and not (is_read_here and (is_open or report.skipped)):
        say(blocks.summary(report))
