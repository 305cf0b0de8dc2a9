"""`detector index`: what is known, to compare with it later."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.arguments import INDEX_EPILOG, IndexOption, JobsOption, QuietOption
from detector.commands.running import complain, interruptible, is_watched, processors, say, write
from detector.gate import EXIT_ERROR, EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_NOTHING
from detector.model import UserError
from detector.progress import progress as progress_bar
from detector.report.names import visible

if TYPE_CHECKING:
    from detector.index.adding import Added
    from detector.index.store import Info, Target
    from detector.index.verifying import Finding

LIST_SCHEMA = "detector-index-list/1"


class ListForm(enum.StrEnum):
    """What a list of targets is written as."""

    TERMINAL = "terminal"
    JSON = "json"


app = typer.Typer(
    name="index",
    help="Keep what is known: functions of any number of targets, as hashes, in one file to compare with.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=INDEX_EPILOG,
)


@app.command(epilog=INDEX_EPILOG)
def add(
    *,
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET", help="What is to be known.", show_default=False)
    ] = None,
    index: IndexOption,
    known: Annotated[
        bool, typer.Option("--known", help="Add well-known packages of machine learning, those that are not there yet.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Of the well-known packages this one; may be repeated."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="All revisions that lead to it, where TARGET has a git history.")
    ] = False,
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Keep the source too, to show functions side by side.")
    ] = False,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Add each TARGET to the index, which is made if there is none. What was added under the same name is replaced.

    A TARGET is added whole or not at all; one that fails is told, and the others are added.
    Nothing in it is run. Hashes and places are kept, no source.
    """
    if not (targets or known):
        raise UserError("nothing to add: name a TARGET, or give --known")
    if only and not known:
        raise UserError("--only chooses from --known: give both, or name TARGETs")
    code = EXIT_NOTHING
    with interruptible():
        if known:
            code = _add_known(index, only or [], keep_text, jobs or processors(), quiet)
        failed = 0
        for target in targets or []:
            try:
                _add(target, index, history, keep_text, jobs or processors(), quiet)
            except UserError as error:
                code = complain(str(error), EXIT_ERROR)
                failed += 1
        if failed < len(targets or []):
            _settle(index)
    raise typer.Exit(code)


def _add_known(index: Path, names: Sequence[str], keep_text: bool, jobs: int, quiet: bool) -> int:
    from detector.index.known import chosen
    from detector.index.ready import add_known
    from detector.index.store import open_index

    packages = chosen(names)
    with progress_bar(not quiet and is_watched()) as progress, open_index(index, create=True) as opened:
        there = {each.target for each in opened.targets()}
        missed = add_known(
            packages, there, lambda repo: opened.add(repo, jobs, keep_text=keep_text, tell=say), progress
        )
        opened.settle(say)
        functions = sum(each.functions for each in opened.targets())
    for each in missed:
        say(f"{each.path} is left out: {each.reason}")
    if not quiet:
        say(f"{len(packages) - len(missed)} of {len(packages)} well-known packages; {functions:,} functions in all")
    return EXIT_INCOMPLETE if missed else EXIT_NOTHING


def _add(target: str, index: Path, history: bool, keep_text: bool, jobs: int, quiet: bool) -> None:
    from detector.index.store import open_index
    from detector.read import open_target

    started = time.perf_counter()
    with open_target(target) as repo, progress_bar(not quiet and is_watched()) as progress:
        if progress is not None:
            progress("reading", 0, 0)
        with open_index(index, create=True) as opened:
            added = opened.add(repo, jobs, history=history, keep_text=keep_text, progress=progress, tell=say)
            if added.is_replaced:
                opened.tidy()
    if not quiet:
        say(_summary(added, time.perf_counter() - started))


def _settle(index: Path) -> None:
    from detector.index.store import open_index

    with open_index(index, write=True) as opened:
        opened.settle(say)


def _summary(added: Added, seconds: float) -> str:
    target = added.target
    did = "replaced" if added.is_replaced else "added"
    past = f" and {target.commits:,} commits" if target.has_history else ""
    return (
        f"{did} {target.name}: {target.functions:,} functions in {target.files:,} files{past}; "
        f"{added.lowered:,} files read anew, {added.known:,} known, in {seconds:.1f} s"
    )


@app.command(epilog=INDEX_EPILOG)
def remove(
    *,
    targets: Annotated[list[str], typer.Argument(metavar="TARGET", help="As it was added, or its name in the list.")],
    index: IndexOption,
    quiet: QuietOption = False,
) -> None:
    """Remove each TARGET from the index, and what no other target has."""
    from detector.index.store import open_index

    code = EXIT_NOTHING
    with interruptible(), open_index(index, write=True) as opened:
        for name in targets:
            try:
                removed = opened.remove(opened.find(name), say)
            except UserError as error:
                code = complain(str(error), EXIT_ERROR)
                continue
            if not quiet:
                say(f"removed {removed.target.name}: {removed.packs:,} files that no other target has")
        shorter = opened.tidy()
        if shorter and not quiet:
            say(f"the index is {shorter:,} bytes shorter")
    raise typer.Exit(code)


@app.command("list", epilog=INDEX_EPILOG)
def list_(
    *,
    index: IndexOption,
    form: Annotated[ListForm, typer.Option("--format", help="What to write.")] = ListForm.TERMINAL,
) -> None:
    """List the targets of the index."""
    from detector.index.store import open_index

    with interruptible(), open_index(index) as opened:
        targets = opened.targets()
    write(_as_json(targets) if form is ListForm.JSON else _as_lines(targets), None)


def _as_json(targets: Sequence[Target]) -> str:
    rows = [
        {
            "target": target.target,
            "name": target.name,
            "revision": target.revision,
            "licence": target.licence,
            "packages": sorted(target.packages),
            "functions": target.functions,
            "files": target.files,
            "commits": target.commits,
            "has_texts": target.has_texts,
        }
        for target in targets
    ]
    return json.dumps({"schema": LIST_SCHEMA, "targets": rows}, indent=2) + "\n"


def _as_lines(targets: Sequence[Target]) -> str:
    rows = [
        (
            visible(target.name),
            visible(target.revision[:12]) or "-",
            f"{target.functions:,} functions",
            f"{target.files:,} files",
            f"{target.commits:,} commits" if target.has_history else "",
            "with texts" if target.has_texts else "",
            visible(target.licence),
            visible(target.target),
        )
        for target in targets
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(7)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in (2, 3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row[:7], widths, strict=True))
            if width
        ]
        lines.append("  ".join([*cells, row[7]]) + "\n")
    return "".join(lines) or "no targets\n"


@app.command(epilog=INDEX_EPILOG)
def info(*, index: IndexOption) -> None:
    """Say what the index holds, how large it is, and what made it."""
    from detector.index.store import open_index

    with interruptible(), open_index(index) as opened:
        found = opened.info()
    write(_info(found), None)


def _info(found: Info) -> str:
    each = f" ({found.file_bytes / found.functions:,.0f} for each function)" if found.functions else ""
    rows = [
        ("targets", f"{found.targets:,}"),
        ("files", f"{found.packs:,}, each once in each context"),
        ("functions", f"{found.functions:,}, {found.shapes:,} different ones that are large enough to be looked up"),
        ("texts", f"{found.texts:,}"),
        ("bytes", f"{found.file_bytes:,}{each}"),
        ("free bytes", f"{found.free_bytes:,}"),
        *((name, visible(value)) for name, value in found.made_with),
    ]
    width = max(len(name) for name, _ in rows)
    return "".join(f"{name.ljust(width)}  {value}\n" for name, value in rows)


@app.command(epilog=INDEX_EPILOG)
def verify(
    *,
    index: IndexOption,
    quick: Annotated[bool, typer.Option("--quick", help="Checksums and tables alone; what packs hold is not read.")] = (
        False
    ),
) -> None:
    """Check every checksum and every reference of the index; exit 1 if anything is damaged."""
    from detector.index.store import open_index

    with interruptible(), open_index(index) as opened:
        found = list(opened.verify(quick))
        count = 0 if found else len(opened.targets())
    write("".join(map(_finding, found)) or f"sound: {count:,} targets\n", None)
    raise typer.Exit(EXIT_FINDINGS if found else EXIT_NOTHING)


def _finding(found: Finding) -> str:
    if found.targets:
        return f"damaged: {visible(found.what)}: add again {', '.join(map(visible, found.targets))}\n"
    return f"damaged: {visible(found.what)}: restore the index from a copy or an export, or build it again\n"


@app.command(epilog=INDEX_EPILOG)
def export(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    index: IndexOption,
    quiet: QuietOption = False,
) -> None:
    """Write all targets of the index to FILE, for detector index import on another machine.

    Equal contents give equal bytes.
    """
    from detector.index.store import open_index

    with interruptible(), open_index(index) as opened:
        size = opened.export(file)
        count = len(opened.targets())
    if not quiet:
        say(f"wrote {count:,} targets to {file}: {size:,} bytes")


@app.command("import", epilog=INDEX_EPILOG)
def import_(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What detector index export has written.")],
    index: IndexOption,
    quiet: QuietOption = False,
) -> None:
    """Take the targets of FILE into the index, which is made if there is none. Those of the same names are replaced.

    FILE is checked as a stranger's: it is taken in whole or not at all.
    """
    from detector.index.store import open_index

    with interruptible():
        if not file.is_file():
            raise UserError(f"{file}: there is no such file: name what detector index export has written")
        with open_index(index, create=True) as opened:
            found = opened.take_in(file, say)
            opened.settle(say)
            opened.tidy()
    if not quiet:
        say(f"took in {len(found):,} targets: {', '.join(target.name for target in found[:10])}")
