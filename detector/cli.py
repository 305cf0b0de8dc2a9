"""The command line: arguments in, exit code out. The only file that prints."""

from __future__ import annotations

import errno
import math
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector import report_files
from detector.arguments import (
    EPILOG,
    EXPLAIN_EPILOG,
    ExitZeroOption,
    FailOnOption,
    FormOption,
    JobsOption,
    Kind,
    KindsOption,
    Level,
    OutputOption,
    QuietOption,
    ReferencesArgument,
    SuspectArgument,
)
from detector.formats import FILE_WIDTH, Format, render
from detector.gate import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_NOTHING, exit_code
from detector.model import Report, Skipped, Strength, UserError
from detector.progress import progress as progress_bar
from detector.report.names import visible

if TYPE_CHECKING:
    from detector.options import Options

# Heavy imports wait inside the functions that need them: `--help`, `--version` and completion answer at once.

# What the system refuses and the user can mend; any other OSError is our bug.
SYSTEM_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS, errno.EACCES, errno.EPERM)

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
    suspect: SuspectArgument,
    references: ReferencesArgument,
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
    kind: KindsOption = None,
    min_similarity: Annotated[
        float | None, typer.Option(min=0, max=1, help="Report matches of at least this similarity, 0 to 1.")
    ] = None,
    min_bits: Annotated[
        float | None, typer.Option(min=0, help="Report matches that are at least this surprising.")
    ] = None,
    jobs: JobsOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find what SUSPECT has in common with each REFERENCE, and how surprising that is.

    A target is a folder, an archive or wheel, or a git repository: a path or URL, with @REVISION if wanted.
    Nothing in it is run. With several references, the report names the nearest one for each function.
    """
    for name, limit in (("--min-similarity", min_similarity), ("--min-bits", min_bits)):
        if limit is not None and not math.isfinite(limit):
            raise typer.BadParameter(f"{limit} is not a finite number.", param_hint=name)
    from detector.options import Options

    kinds = frozenset(each.value for each in kind) if kind else None
    options = Options(min_similarity=min_similarity, min_bits=min_bits, jobs=jobs or _processors(), kinds=kinds)
    _report_on(suspect, references, options, form, output, fail_on, exit_zero=exit_zero, quiet=quiet)


def _report_on(
    suspect: str,
    references: Sequence[str],
    options: Options,
    form: Format,
    output: Path | None,
    fail_on: Level | None,
    *,
    exit_zero: bool,
    quiet: bool,
) -> None:
    """Compare, write the report, end with its exit code."""
    with _interruptible():
        started = time.perf_counter()
        if output is not None:
            report_files.check_writable(output)
        report = _compare(suspect, references, options, quiet)
        _write(_rendered(report, form, output), output)
        if not quiet:
            print(_summary(report, time.perf_counter() - started), file=sys.stderr)
    raise typer.Exit(EXIT_NOTHING if exit_zero else exit_code(report, _strength(fail_on)))


def _kind_command(kind: Kind, about: str) -> None:
    """Add the command of one kind of evidence."""

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

        options = Options(jobs=_processors(), kinds=frozenset({kind.value}))
        _report_on(suspect, references, options, form, output, fail_on, exit_zero=exit_zero, quiet=quiet)

    app.command(kind.value, epilog=EPILOG, help=f"{about} Only this kind of evidence; nothing in a target is run.")(
        command
    )


for _kind, _about in {
    Kind.DECLARED: "Say what SUSPECT itself declares to come from each REFERENCE, and what it does not.",
    Kind.DANGLING: "Find names in SUSPECT that lead to nothing there, and to something in a REFERENCE.",
    Kind.CONFIG: "Compare the configurations of models, once what a family's defaults explain is set aside.",
    Kind.STRUCTURE: "Compare names and shapes of tensors, from indexes and headers of checkpoints.",
    Kind.TOKENIZER: "Compare tokenizers with each other, and with the known ones that they are based on.",
}.items():
    _kind_command(_kind, _about)


@app.command(epilog=EPILOG)
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

    options = Options(jobs=_processors(), kinds=frozenset({Kind.HISTORY.value}))
    _report_on(suspect, references or [], options, form, output, fail_on, exit_zero=exit_zero, quiet=quiet)


@app.command(epilog=EXPLAIN_EPILOG)
def explain(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="A word of a report; without it, all words are listed.")
    ] = None,
) -> None:
    """Say what a word of a report means: a kind of evidence, a pattern, a clone type, a relation, a basis, a disguise.

    Of a kind of evidence: what it measures, why it points to copying, what else explains it, what it misses.
    """
    from detector import explanations

    width = shutil.get_terminal_size((FILE_WIDTH, 24)).columns
    _write(explanations.overview(width) if kind is None else explanations.explain(kind, width), None)


@app.command("report", epilog=EPILOG)
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
    with _interruptible():
        if output is not None:
            report_files.check_writable(output)
        report = _read_back(result)
        _write(_rendered(report, form, output), output)
    raise typer.Exit(EXIT_NOTHING if exit_zero else exit_code(report, _strength(fail_on)))


def _strength(level: Level | None) -> Strength | None:
    return None if level is None else Strength[level.name]


def _read_back(source: str) -> Report:
    from detector.report import reading

    text = report_files.read(source)
    try:
        return reading.parse(text)
    except UserError as error:
        raise UserError(f"{report_files.named(source)}: {error}") from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """End with one line on Ctrl-C. Caught here, since click would answer "Aborted!" or nothing, by its version."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(_complain("interrupted", EXIT_INTERRUPTED)) from None


@app.command(epilog=EPILOG)
def unrename(
    *,
    suspect: Annotated[str, typer.Argument(metavar="SUSPECT", help="Whose names are to be undone.")],
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Where its code may come from.")],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="The folder to write; new or empty.")],
    jobs: JobsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write the Python files of SUSPECT into DIR with the names and paths that REFERENCE has, to compare them there.

    Lists on standard output what changed. Nothing in a target is run, and nothing is overwritten.
    """
    with _interruptible():
        from detector.write import check_new_folder

        check_new_folder(output)
        _write(_unrename(suspect, reference, output, jobs or _processors(), quiet), None)


def _unrename(suspect: str, reference: str, output: Path, jobs: int, quiet: bool) -> str:
    from detector.compare import compare
    from detector.options import Options
    from detector.read import open_target
    from detector.unrename import listing, unrenamed
    from detector.write import write_folder

    written: list[tuple[str, str]] = []
    with ExitStack() as targets, progress_bar(not quiet and sys.stderr.isatty()) as progress:
        repo, other = [targets.enter_context(open_target(target)) for target in (suspect, reference)]
        report = compare(repo, [other], Options(jobs=jobs, most_explained=sys.maxsize), progress)

        def files() -> Iterator[tuple[str, bytes]]:
            total = len(repo.files.paths())
            for each in unrenamed(report, repo.files):
                if isinstance(each, Skipped):
                    continue
                written.append((each.suspect_path, each.path))
                if progress is not None:
                    progress("writing", len(written), total)
                yield each.path, each.data

        write_folder(files(), output)
    if not quiet:
        print(f"wrote {len(written):,} files to {visible(str(output))}", file=sys.stderr)
    return "".join("\t".join(map(visible, row)) + "\n" for row in listing(report, written))


def _compare(suspect: str, references: Sequence[str], options: Options, quiet: bool) -> Report:
    from detector.compare import compare
    from detector.read import open_target

    with ExitStack() as targets, progress_bar(not quiet and sys.stderr.isatty()) as progress:
        if progress is not None:
            progress("reading", 0, 0)
        suspect_repo = targets.enter_context(open_target(suspect))
        reference_repos = [targets.enter_context(open_target(target)) for target in references]
        return compare(suspect_repo, reference_repos, options, progress)


def _processors() -> int:
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
    return render(report, form, shutil.get_terminal_size((FILE_WIDTH, 24)).columns, color=not is_plain)


def _write(text: str, output: Path | None) -> None:
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
