"""`detector index partition` and its like: an index as Parquet, over as many machines as Ray has."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector import report_files
from detector.arguments import IndexOption, JobsOption, QuietOption
from detector.commands.running import complain, interruptible, processors, say, write
from detector.gate import EXIT_INCOMPLETE, EXIT_NOTHING
from detector.model import UserError
from detector.report.names import visible

if TYPE_CHECKING:
    from detector.distributed.families import Standing
    from detector.distributed.layout import Manifest
    from detector.distributed.querying import Answer
    from detector.distributed.tasks import Mapped
    from detector.index.records import Target

QUERY_SCHEMA = "detector-index-query/1"
FAMILIES_SCHEMA = "detector-index-families/1"


class AnswerForm(enum.StrEnum):
    """What answers are written as."""

    TERMINAL = "terminal"
    JSON = "json"


FolderArgument = Annotated[
    str, typer.Argument(metavar="FOLDER", help="Partitions: a folder, or an address that fsspec reaches.")
]
AddressOption = Annotated[
    str, typer.Option("--address", metavar="RAY", help="A Ray cluster to work on, in place of this machine.")
]
FormOption = Annotated[AnswerForm, typer.Option("--format", help="What to write.")]


def partition(
    *,
    folder: FolderArgument,
    index: IndexOption,
    jobs: JobsOption = None,
    address: AddressOption = "",
    quiet: QuietOption = False,
) -> None:
    """Write the index as partitions of Parquet. What is there already stays; what is damaged is written again."""
    started = time.perf_counter()
    with interruptible(), _working(jobs, address) as mapped:
        from detector.distributed.folder import Folder
        from detector.distributed.spreading import partition as spread

        found = spread(Folder(folder), index, mapped, say)
    if not quiet:
        say(_written(found, time.perf_counter() - started))


def build(
    *,
    folder: FolderArgument,
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET", help="What is to be known.", show_default=False)
    ] = None,
    listed: Annotated[
        str, typer.Option("--from", metavar="FILE", help="Targets, one a line; - is standard input.")
    ] = "",
    jobs: JobsOption = None,
    address: AddressOption = "",
    quiet: QuietOption = False,
) -> None:
    """Read each TARGET, many at once, straight into partitions of Parquet. What an earlier run has read stays.

    A TARGET that cannot be read is told and left out. Nothing in it is run.
    """
    named = [*(targets or []), *_lines(listed)]
    if not named:
        raise UserError("nothing to read: name a TARGET, or a file of them with --from")
    started = time.perf_counter()
    with interruptible(), _working(jobs, address) as mapped:
        from detector.distributed.building import build as built
        from detector.distributed.folder import Folder

        found, failed = built(Folder(folder), named, mapped, say)
    for line in failed:
        complain(line, EXIT_INCOMPLETE)
    if not quiet:
        say(_written(found, time.perf_counter() - started))
    raise typer.Exit(EXIT_INCOMPLETE if failed else EXIT_NOTHING)


def query(
    *,
    folder: FolderArgument,
    suspects: Annotated[list[str] | None, typer.Argument(metavar="SUSPECT", help="What may come from them.")] = None,
    listed: Annotated[
        str, typer.Option("--from", metavar="FILE", help="Suspects, one a line; - is standard input.")
    ] = "",
    extract: Annotated[
        Path | None,
        typer.Option("--extract", metavar="FILE", help="Put what was found into an index, to compare with in full."),
    ] = None,
    form: FormOption = AnswerForm.TERMINAL,
    jobs: JobsOption = None,
    address: AddressOption = "",
) -> None:
    """Say for each SUSPECT which targets its functions may come from, those with most of it first.

    Candidates are no findings: detector compare SUSPECT --index FILE looks at what --extract FILE has put there.
    """
    named = [*(suspects or []), *_lines(listed)]
    if not named:
        raise UserError("nothing to ask for: name a SUSPECT, or a file of them with --from")
    with interruptible(), _working(jobs, address) as mapped:
        from detector.distributed import querying

        whole = querying.opened(folder, mapped)
        answers = querying.query(whole, named)
        names = querying.names(whole, answers)
        if extract is not None:
            querying.extract(whole, answers, extract)
    write(_answers_as_json(answers, names) if form is AnswerForm.JSON else _answers(answers, names), None)
    unread = [each for each in answers if each.why]
    for each in unread:
        complain(each.why, EXIT_INCOMPLETE)
    raise typer.Exit(EXIT_INCOMPLETE if unread else EXIT_NOTHING)


def families(
    *,
    folder: FolderArgument,
    most: Annotated[int, typer.Option("--most", min=1, help="So many families are told.")] = 20,
    form: FormOption = AnswerForm.TERMINAL,
    jobs: JobsOption = None,
    address: AddressOption = "",
    quiet: QuietOption = False,
) -> None:
    """Hold everything against everything: families of functions that are alike, those of most targets first.

    What an earlier run has counted stays.
    """
    started = time.perf_counter()
    with interruptible(), _working(jobs, address) as mapped:
        from detector.distributed import querying, taking
        from detector.distributed.families import families as connected
        from detector.distributed.families import standing

        whole = querying.opened(folder, mapped)
        found = connected(whole, say)
        told = standing(whole, found, most)
        names = taking.targets_of(whole, [number for each in told for number in each.first])
    write(_families_as_json(told, names) if form is AnswerForm.JSON else _families(told, names), None)
    if not quiet:
        say(
            f"{len(found.lower):,} pairs of {len(found.shape):,} different functions are alike; "
            f"{found.left_out:.1%} of their postings are of keys that too many have; "
            f"in {time.perf_counter() - started:.1f} s"
        )


COMMANDS = (partition, build, query, families)


# --- what they share -----------------------------------------------------------------------------------------


@contextmanager
def _working(jobs: int | None, address: str) -> Iterator[Mapped]:
    from detector.distributed import require

    if jobs and address:
        raise UserError("--jobs is of this machine, --address a cluster that has its own: give one of them")
    require()
    from detector.distributed.tasks import on_ray

    with on_ray(jobs or processors(), address) as mapped:
        yield mapped


def _lines(listed: str) -> list[str]:
    if not listed:
        return []
    lines = report_files.read(listed, "targets, one a line").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _written(found: Manifest, seconds: float) -> str:
    size = sum(each.size_bytes for each in found.partitions)
    return (
        f"{len(found.partitions):,} partitions of {size:,} bytes: {found.rows('functions'):,} functions of "
        f"{found.rows('targets'):,} targets, {found.rows('shapes'):,} different ones, in {seconds:.1f} s"
    )


def _answers(answers: Sequence[Answer], names: Mapping[int, Target]) -> str:
    lines = []
    for each in answers:
        what = "cannot be read" if each.why else f"{each.functions:,} functions, {len(each.targets)} targets"
        lines.append(f"{visible(each.suspect)}: {what}\n")
        lines += [f"  {visible(names[number].name)}  {visible(names[number].target)}\n" for number in each.targets]
    return "".join(lines)


def _answers_as_json(answers: Sequence[Answer], names: Mapping[int, Target]) -> str:
    rows = [
        {
            "suspect": each.suspect,
            "functions": each.functions,
            "why": each.why,
            "targets": [_named(names[number]) for number in each.targets],
        }
        for each in answers
    ]
    return json.dumps({"schema": QUERY_SCHEMA, "answers": rows}, indent=2) + "\n"


def _named(target: Target) -> dict[str, str]:
    return {"target": target.target, "name": target.name, "revision": target.revision}


def _families(told: Sequence[Standing], names: Mapping[int, Target]) -> str:
    lines = []
    for each in told:
        shown = [visible(names[number].name) for number in each.first]
        more = f" and {each.targets - len(shown):,} more" if each.targets > len(shown) else ""
        counts = f"{each.targets:,} targets  {each.functions:,} functions, {each.shapes:,} different"
        lines.append(f"{counts}  {', '.join(shown)}{more}\n")
    return "".join(lines) or "no families\n"


def _families_as_json(told: Sequence[Standing], names: Mapping[int, Target]) -> str:
    rows = [
        {
            "family": each.family,
            "different": each.shapes,
            "functions": each.functions,
            "targets": each.targets,
            "first": [_named(names[number]) for number in each.first],
        }
        for each in told
    ]
    return json.dumps({"schema": FAMILIES_SCHEMA, "families": rows}, indent=2) + "\n"
