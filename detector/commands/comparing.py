"""`detector compare`, and a command for each kind of evidence by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from detector.arguments import (
    BaselineOption,
    BasesOption,
    ExitZeroOption,
    FailOnOption,
    FormOption,
    HonourOption,
    JobsOption,
    Kind,
    KindsOption,
    OutputOption,
    QuietOption,
    ReferencesArgument,
    SuspectArgument,
)
from detector.commands.running import Accepting, Output, processors, report_on
from detector.formats import Format


def compare(
    *,
    suspect: SuspectArgument,
    references: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REFERENCE]...", help="Where it may come from; none: the index alone."),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option("--index", metavar="FILE", help="Compare also with what is like SUSPECT in this index."),
    ] = None,
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
    kind: KindsOption = None,
    min_similarity: Annotated[
        float | None, typer.Option(min=0, max=1, help="Report matches of at least this similarity, 0 to 1.")
    ] = None,
    min_bits: Annotated[
        float | None, typer.Option(min=0, help="Report matches that are at least this surprising.")
    ] = None,
    base: BasesOption = None,
    jobs: JobsOption = None,
    baseline: BaselineOption = None,
    honour_ignores: HonourOption = False,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find what SUSPECT has in common with each REFERENCE, and how surprising that is.

    A target is a folder, an archive or wheel, or a git repository: a path or URL, with @REVISION if wanted.
    Nothing in it is run. With several references, the report names the nearest one for each function.
    """
    if not references and index is None:
        raise typer.BadParameter("name what SUSPECT may come from, or an index by --index.", param_hint="REFERENCE")
    for name, limit in (("--min-similarity", min_similarity), ("--min-bits", min_bits)):
        if limit is not None and not math.isfinite(limit):
            raise typer.BadParameter(f"{limit} is not a finite number.", param_hint=name)
    from detector.options import Options

    kinds = frozenset(each.value for each in kind) if kind else None
    options = Options(min_similarity=min_similarity, min_bits=min_bits, jobs=jobs or processors(), kinds=kinds)
    given = Output(form, output, fail_on, exit_zero, quiet)
    accepting = Accepting(baseline, honour_ignores)
    report_on(suspect, references or [], options, given, bases=base or (), index=index, accepting=accepting)


def history(
    *,
    suspect: SuspectArgument,
    references: Annotated[
        list[str] | None, typer.Argument(metavar="[REFERENCE]", help="Where it may come from; none: SUSPECT alone.")
    ] = None,
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare git histories: what they share, which version was copied and when, what was removed later.

    Of SUSPECT alone: its own timeline. Dates are what commits claim. Nothing in a target is run.
    """
    from detector.options import Options

    options = Options(jobs=processors(), kinds=frozenset({Kind.HISTORY.value}))
    report_on(suspect, references or [], options, Output(form, output, fail_on, exit_zero, quiet))


def of_kind(kind: Kind) -> Callable[..., None]:
    """Make the command of one kind of evidence."""

    def command(
        *,
        suspect: SuspectArgument,
        references: ReferencesArgument,
        form: FormOption = Format.TERMINAL,
        output: OutputOption = None,
        fail_on: FailOnOption = None,
        exit_zero: ExitZeroOption = False,
        quiet: QuietOption = False,
    ) -> None:
        from detector.options import Options

        options = Options(jobs=processors(), kinds=frozenset({kind.value}))
        report_on(suspect, references, options, Output(form, output, fail_on, exit_zero, quiet))

    return command
