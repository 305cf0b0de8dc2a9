"""`detector report` and `detector explain`: what was found, said again and explained; nothing is compared."""

from __future__ import annotations

from typing import Annotated

import typer

from detector import report_files
from detector.arguments import ExitZeroOption, FailOnOption, FormOption, OutputOption
from detector.commands.running import Output, finish, interruptible, read_back, terminal_width, write, write_report
from detector.formats import Format


def explain(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="A word of a report; without it, all words are listed.")
    ] = None,
) -> None:
    """Say what a word of a report means: a kind of evidence, a pattern, a clone type, a relation, a basis, a disguise.

    Of a kind of evidence: what it measures, why it points to copying, what else explains it, what it misses.
    """
    from detector import explanations

    width = terminal_width()
    write(explanations.overview(width) if kind is None else explanations.explain(kind, width), None)


def report_again(
    *,
    result: Annotated[str, typer.Argument(metavar="RESULT", help="A report of --format json; - is standard input.")],
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
) -> None:
    """Write the report of a comparison again, in another format and under another gate. Nothing is compared.

    RESULT is what detector compare --format json has written.
    """
    with interruptible():
        if output is not None:
            report_files.check_writable(output)
        report = read_back(result)
        given = Output(form, output, fail_on, exit_zero)
        write_report(report, given)
    finish(report, given)
