"""What commands share: read the targets, compare, write the report, end with its exit code."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from detector import report_files
from detector.arguments import Level
from detector.formats import FILE_WIDTH, Format, render
from detector.gate import EXIT_INTERRUPTED, EXIT_NOTHING, exit_code
from detector.model import Report, Strength, UserError
from detector.progress import progress as progress_bar
from detector.report.names import visible

if TYPE_CHECKING:
    from detector.baseline import Baseline
    from detector.distributed.querying import Known
    from detector.index.store import Index
    from detector.options import Options
    from detector.targets import Files, Repo

# Heavy imports wait inside the functions that need them: `--help`, `--version` and completion answer at once.


@dataclass(frozen=True, slots=True)
class Output:
    """Where a report goes and how, and what it ends with."""

    form: Format
    file: Path | None
    fail_on: Level | None = None
    exit_zero: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Accepting:
    """What accepts findings: a baseline, and comments in the suspect's code where these are asked for."""

    baseline: Path | None = None
    is_honouring: bool = False


def report_on(
    suspect: str,
    references: Sequence[str],
    options: Options,
    output: Output,
    *,
    bases: Sequence[str] = (),
    panel: Sequence[str] = (),
    index: Path | None = None,
    accepting: Accepting = Accepting(),
) -> None:
    """Compare, write the report, end with its exit code.

    index: what is known; its targets that the suspect may come from are references, too.
    """
    with interruptible():
        started = time.perf_counter()
        if output.file is not None:
            report_files.check_writable(output.file)
        known = read_baseline(accepting.baseline) if accepting.baseline is not None else None
        is_accepting = known is not None or accepting.is_honouring

        def accepted(report: Report, repo: Repo) -> Report:
            return accept_in(report, known, repo.files if accepting.is_honouring else None) if is_accepting else report

        report = _compare(suspect, references, options, (bases, panel), index, output.quiet, accepted)
        write_report(report, output)
        if not output.quiet:
            say(_summary(report, time.perf_counter() - started))
    finish(report, output)


def finish(report: Report, output: Output) -> None:
    """End with the exit code that the report and the gate give."""
    raise typer.Exit(EXIT_NOTHING if output.exit_zero else exit_code(report, _strength(output.fail_on)))


def read_back(source: str) -> Report:
    """Read a report that --format json has written; what is wrong with it is said with its name."""
    from detector.report import reading

    text = report_files.read(source)
    try:
        return reading.parse(text)
    except UserError as error:
        raise UserError(f"{report_files.named(source)}: {error}") from None


def read_baseline(file: Path) -> Baseline:
    """Read a baseline; what is wrong with it is said with its name."""
    from detector import baseline

    text = report_files.read(str(file), baseline.WHAT)
    try:
        return baseline.parse(text)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def accept_in(report: Report, baseline: Baseline | None, files: Files | None) -> Report:
    """Say in a report what a baseline accepts, and what comments in these files do."""
    from detector.accepted import accept
    from detector.suppressions import of_files

    return accept(report, baseline, of_files(files) if files is not None else {})


def write_report(report: Report, output: Output) -> None:
    """Write the report to its file, or to standard output."""
    write(_rendered(report, output.form, output.file), output.file)


def say(message: str) -> None:
    """Tell something that is not the result, on standard error."""
    print(visible(message), file=sys.stderr)


def complain(message: str, code: int) -> int:
    """Say in one line what is wrong."""
    say(f"detector: {message}")
    return code


def leave(code: int) -> None:
    """End the process now, once everything is written."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def is_watched() -> bool:
    """Whether somebody looks at standard error."""
    return sys.stderr.isatty()


def terminal_width() -> int:
    """Cells of a line of the terminal; what a file has where there is none."""
    return shutil.get_terminal_size((FILE_WIDTH, 24)).columns


@contextmanager
def interruptible() -> Iterator[None]:
    """End with one line on Ctrl-C. Caught here, since click would answer "Aborted!" or nothing, by its version."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(complain("interrupted", EXIT_INTERRUPTED)) from None


def _compare(
    suspect: str,
    references: Sequence[str],
    options: Options,
    beside: tuple[Sequence[str], Sequence[str]],
    index: Path | None,
    quiet: bool,
    accepted: Callable[[Report, Repo], Report],
) -> Report:
    """beside: bases, and models whose predictions say what chance gives."""
    from detector.compare import compare
    from detector.read import open_target

    with ExitStack() as targets, progress_bar(not quiet and is_watched()) as progress:
        if progress is not None:
            progress("reading", 0, 0)
        suspect_repo = targets.enter_context(open_target(suspect))
        others = [[targets.enter_context(open_target(each)) for each in some] for some in (references, *beside)]
        known = targets.enter_context(_opened(index)) if index is not None else None
        report = compare(suspect_repo, others[0], options, progress, bases=others[1], panel=others[2], known=known)
        return accepted(report, suspect_repo)


def _opened(index: Path) -> AbstractContextManager[Index | Known]:
    """An index in one file, or a folder of its partitions."""
    if index.is_dir():
        from detector.distributed import require

        require()
        from detector.distributed.querying import known
        from detector.distributed.tasks import here

        return known(str(index), here)
    from detector.index.store import open_index

    return open_index(index)


def processors() -> int:
    """How many processors this process may use: in a container fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _summary(report: Report, seconds: float) -> str:
    functions = sum(side.functions for side in report.references)
    if report.suspect.functions and functions:
        return f"compared {report.suspect.functions:,} functions with {functions:,} in {seconds:.1f} s"
    kinds = ", ".join(dict.fromkeys(each.kind for each in report.examined if each.is_possible))
    return f"looked at {kinds} in {seconds:.1f} s"


def _rendered(report: Report, form: Format, output: Path | None) -> str:
    """The report as text; only a terminal has a width and colours of its own."""
    if output is not None:
        return render(report, form)
    is_plain = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return render(report, form, terminal_width(), color=not is_plain)


def write(text: str, output: Path | None) -> None:
    """Write to a file, or to standard output."""
    if output is not None:
        report_files.write(text, output)
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`). What is still buffered must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _strength(level: Level | None) -> Strength | None:
    return None if level is None else Strength[level.name]
