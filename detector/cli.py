"""The command line: arguments in, exit code out. The only file that prints."""

from __future__ import annotations

import enum
import errno
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.model import Relation, Report, Skipped, Strength, UserError
from detector.report.names import visible

if TYPE_CHECKING:
    from detector.compare import Options

# Heavy imports wait inside the functions that need them: `--help`, `--version` and completion answer at once.

EXIT_NOTHING = 0
EXIT_FINDINGS = 1
EXIT_ERROR = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count

REFRESH_SECONDS = 0.1  # of the progress bar: faster than this nobody reads
PYTHON_SUFFIXES = (".py", ".pyw", ".pyi", ".ipynb")
# From the reasons that `detector.read` gives: what is no loss, and what is one without the name of a Python file.
LINK = "a symbolic link"
CANNOT = "cannot "
REST = "the rest is not read"
FILE_WIDTH = 100  # of a terminal report that goes to a file or a pipe: it must not depend on the window
# What the system refuses and the user can mend; any other OSError is our bug.
SYSTEM_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS, errno.EACCES, errno.EPERM)
# The relations that --fail-on gates: the others say that likeness has a harmless or an unknown source.
GATED = (Relation.IDENTICAL, Relation.DERIVED_UNDECLARED, Relation.SHARED_ANCESTOR)

EPILOG = """\b
Exit codes:
  0    nothing above the gate
  1    findings above the gate
  2    usage error or crash
  3    incomplete: Python code that was asked for could not be read
  130  interrupted
"""


class Format(enum.StrEnum):
    """What a report is rendered to."""

    TERMINAL = "terminal"
    JSON = "json"
    HTML = "html"


class Level(enum.StrEnum):
    """`Strength` as it is typed on a command line."""

    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    VERY_STRONG = "very-strong"


app = typer.Typer(
    name="detector",
    help="Find copied modeling code between ML repositories, also when it was renamed, reformatted and rewritten.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, whatever happens."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="detector")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_ERROR
    except KeyboardInterrupt:
        return _complain("interrupted", EXIT_INTERRUPTED)
    except UserError as error:
        return _complain(str(error), EXIT_ERROR)
    except OSError as error:
        if error.errno in SYSTEM_REFUSALS:
            return _complain(f"{error.filename or 'the system'}: {error.strerror}", EXIT_ERROR)
        traceback.print_exc()
    except Exception:
        traceback.print_exc()
    return EXIT_ERROR


def _complain(message: str, code: int) -> int:
    print(f"detector: {visible(message)}", file=sys.stderr)
    return code


def _print_version(is_asked_for: bool) -> None:
    if is_asked_for:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("ml-plagiarism-detector")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"detector {number}")
        raise typer.Exit


@app.callback()
def _detector(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog=EPILOG)
def compare(
    *,
    suspect: Annotated[str, typer.Argument(metavar="SUSPECT", help="What may contain code of the references.")],
    references: Annotated[list[str], typer.Argument(metavar="REFERENCE", help="Where that code may come from.")],
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.TERMINAL,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write to FILE, not to standard output.")
    ] = None,
    min_similarity: Annotated[
        float | None, typer.Option(min=0, max=1, help="Report matches of at least this similarity, 0 to 1.")
    ] = None,
    min_bits: Annotated[
        float | None, typer.Option(min=0, help="Report matches that are at least this surprising.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that read; as many as there are processors by default.")
    ] = None,
    fail_on: Annotated[
        Level | None,
        typer.Option(help="Exit 1 only if a derivation has this support; any undeclared match otherwise."),
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 where it would be 1 or 3.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary on standard error.")] = False,
) -> None:
    """Find what SUSPECT has in common with each REFERENCE, and how surprising that is.

    A target is a folder, an archive or wheel, or a git repository: a path or URL, with @REVISION if wanted.
    Nothing in it is run. With several references, the report names the nearest one for each function.
    """
    for name, limit in (("--min-similarity", min_similarity), ("--min-bits", min_bits)):
        if limit is not None and not math.isfinite(limit):
            raise typer.BadParameter(f"{limit} is not a finite number.", param_hint=name)
    try:
        started = time.perf_counter()
        if output is not None:
            _check_writable(output)
        from detector.compare import Options

        options = Options(min_similarity=min_similarity, min_bits=min_bits, jobs=jobs or _processors())
        report = _compare(suspect, references, options, quiet)
        _write(_render(report, form, output), output)
        if not quiet:
            print(_summary(report, time.perf_counter() - started), file=sys.stderr)
    except KeyboardInterrupt:
        # Caught here, since click would answer "Aborted!" or nothing, depending on its version.
        raise typer.Exit(_complain("interrupted", EXIT_INTERRUPTED)) from None
    raise typer.Exit(EXIT_NOTHING if exit_zero else exit_code(report, fail_on))


def exit_code(report: Report, fail_on: Level | None) -> int:
    """Tell what a script has to know. Findings come before incompleteness: more reading would not take them back.

    Without `fail_on`, any match is a finding that the suspect does not declare. With it, such a match must exist and
    the relation must point to a derivation with at least that support.
    """
    has_findings = any(not match.is_declared for match in report.matches)
    if fail_on is not None:
        scale = list(Strength)
        least = scale.index(Strength[fail_on.name])
        has_findings = has_findings and report.relation in GATED and scale.index(report.strength) >= least
    if has_findings:
        return EXIT_FINDINGS
    return EXIT_INCOMPLETE if any(map(_is_missed, report.skipped)) else EXIT_NOTHING


def _is_missed(skipped: Skipped) -> bool:
    """Whether Python code that was asked for is missing from the comparison.

    Not missing: folders that are left out on purpose (`.git`, environments, submodules), and links, since what they
    lead to is either read under its own name or no part of the target.
    """
    if skipped.reason.startswith(LINK):
        return False
    is_python = skipped.path.lower().endswith(PYTHON_SUFFIXES)
    return is_python or skipped.reason.startswith(CANNOT) or skipped.reason.endswith(REST)


def _compare(suspect: str, references: Sequence[str], options: Options, quiet: bool) -> Report:
    from detector.compare import compare
    from detector.read import open_target

    with ExitStack() as targets, _progress(quiet) as progress:
        if progress is not None:
            progress("reading", 0, 0)
        suspect_repo = targets.enter_context(open_target(suspect))
        reference_repos = [targets.enter_context(open_target(target)) for target in references]
        return compare(suspect_repo, reference_repos, options, progress)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Offer a progress bar on standard error, where someone sees it: on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    # No thread that refreshes: worker processes are forked off this one.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=None)
        shown_at, shown_stage = 0.0, ""

        def show(stage: str, done: int, total: int) -> None:
            nonlocal shown_at, shown_stage
            now = time.monotonic()
            if stage != shown_stage or now - shown_at >= REFRESH_SECONDS:
                shown_at, shown_stage = now, stage
                bar.update(task, description=visible(stage), completed=done, total=total or None, refresh=True)

        yield show


def _processors() -> int:
    """How many processors this process may use: in a container fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _summary(report: Report, seconds: float) -> str:
    references = sum(side.functions for side in report.references)
    return f"compared {report.suspect.functions:,} functions with {references:,} in {seconds:.1f} s"


def _render(report: Report, form: Format, output: Path | None) -> str:
    if form is Format.JSON:
        from detector.report import json

        return json.render(report)
    if form is Format.HTML:
        from detector.report import html

        return html.render(report)
    from detector.report import terminal

    if output is not None:
        return terminal.render(report, FILE_WIDTH, color=False)
    is_plain = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return terminal.render(report, shutil.get_terminal_size((FILE_WIDTH, 24)).columns, color=not is_plain)


def _write(text: str, output: Path | None) -> None:
    if output is not None:
        _write_file(text, output)
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`). What is still buffered must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check_writable(output: Path) -> None:
    """Find out before the work, not after it."""
    folder = output.absolute().parent
    if output.is_dir():
        raise UserError(f"--output {output}: is a folder; name a file in it")
    if not folder.is_dir():
        raise UserError(f"--output {output}: there is no folder {folder}; create it first")
    if not os.access(output if output.exists() else folder, os.W_OK):
        raise UserError(f"--output {output}: not allowed to write there; name another file")


def _write_file(text: str, output: Path) -> None:
    """Put the whole text in place, or leave everything as it was: write beside the file, then rename."""
    data = text.encode("utf-8", "backslashreplace")
    if output.exists() and not output.is_file():  # a device or a pipe: nothing to replace
        output.write_bytes(data)
        return
    output = output.resolve()  # a link stays a link
    mode = output.stat().st_mode & 0o7777 if output.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{output.name[:64]}.", suffix=".tmp", dir=output.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, mode)
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
