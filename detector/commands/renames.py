"""`detector unrename`: the suspect's files under the reference's names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from detector.arguments import JobsOption, QuietOption
from detector.commands.running import interruptible, is_watched, processors, say, write
from detector.model import Skipped
from detector.progress import progress as progress_bar
from detector.report.names import visible


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
    with interruptible():
        from detector.write import check_new_folder

        check_new_folder(output)
        write(_unrename(suspect, reference, output, jobs or processors(), quiet), None)


def _unrename(suspect: str, reference: str, output: Path, jobs: int, quiet: bool) -> str:
    from detector.compare import compare
    from detector.options import Options
    from detector.read import open_target
    from detector.unrename import listing, unrenamed
    from detector.write import write_folder

    written: list[tuple[str, str]] = []
    with ExitStack() as targets, progress_bar(not quiet and is_watched()) as progress:
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
        say(f"wrote {len(written):,} files to {output}")
    return "".join("\t".join(map(visible, row)) + "\n" for row in listing(report, written))
