"""`detector weights` and `detector behaviour`: what models hold, and what they answer."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from detector.arguments import (
    BasesOption,
    ExitZeroOption,
    FailOnOption,
    FormOption,
    Kind,
    OutputOption,
    QuietOption,
    SuspectArgument,
)
from detector.commands.running import Output, interruptible, is_watched, report_on, say
from detector.formats import Format
from detector.model import Depth
from detector.progress import progress as progress_bar

# Targets whose bytes come over the network: read in full only on request.
_OF_HUBS = ("hf:", "ms:")


def weights(
    *,
    suspect: SuspectArgument,
    references: Annotated[list[str], typer.Argument(metavar="REFERENCE", help="Where its weights may come from.")],
    header_only: Annotated[
        bool, typer.Option("--header-only", help="Read names, types and shapes of tensors alone.")
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Read slices of every tensor, about a thousandth of all bytes.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read all that corresponds; the default unless a target is on a hub.")
    ] = False,
    base: BasesOption = None,
    write_renamed: Annotated[
        Path | None,
        typer.Option("--write-renamed", metavar="DIR", help="Write SUSPECT's tensors under REFERENCE's names."),
    ] = None,
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare what checkpoints hold: which tensor is which, whatever it is called, and what was done to its values.

    A target is a folder, a .safetensors or .gguf file, or a model of a hub. Pickles are never read.
    """
    from detector.options import Options

    if sum((header_only, sample, full)) > 1:
        raise typer.BadParameter("choose one of --header-only, --sample and --full.", param_hint="--sample")
    if write_renamed is not None and (header_only or len(references) > 1):
        why = "needs the values, not --header-only." if header_only else "takes the names of one REFERENCE."
        raise typer.BadParameter(why, param_hint="--write-renamed")
    targets = (suspect, *references, *(base or ()))
    is_far = any(each.startswith(_OF_HUBS) for each in targets)
    depth = Depth.HEADER if header_only else Depth.SAMPLE if sample or (is_far and not full) else Depth.FULL
    if write_renamed is not None:
        with interruptible():
            _write_renamed(suspect, references[0], write_renamed, depth, quiet)
    options = Options(kinds=frozenset({Kind.WEIGHTS.value}), depth=depth)
    report_on(suspect, references, options, Output(form, output, fail_on, exit_zero, quiet), bases=base or ())


def _write_renamed(suspect: str, reference: str, folder: Path, depth: Depth, quiet: bool) -> None:
    from detector.read import open_target
    from detector.renamed_weights import OPTION, write_as
    from detector.write import check_new_folder

    check_new_folder(folder, OPTION)
    with ExitStack() as targets, progress_bar(not quiet and is_watched()) as progress:
        ours, theirs = [targets.enter_context(open_target(target)) for target in (suspect, reference)]
        written = write_as(ours, theirs, folder, depth is Depth.SAMPLE, progress)
    if not quiet:
        say(f"wrote {len(written.files):,} files to {folder}: {written.summary()}")


def behaviour(
    *,
    suspect: Annotated[str, typer.Argument(metavar="LOG", help="Predictions of the model in question.")],
    references: Annotated[list[str], typer.Argument(metavar="LOG", help="Predictions of the models beside it.")],
    panel: Annotated[
        list[str] | None,
        typer.Option("--panel", metavar="LOG", help="Predictions that only tell what chance gives; may be repeated."),
    ] = None,
    form: FormOption = Format.TERMINAL,
    output: OutputOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare recorded predictions: the first LOG with each of the others, and with what chance gives among them.

    A log is a .jsonl, .csv or .parquet file with an id and a prediction for each item, and labels if there are any;
    or a folder that holds one. Six or more models besides the two calibrate what they share.
    """
    from detector.options import Options

    options = Options(kinds=frozenset({Kind.BEHAVIOUR.value}))
    report_on(suspect, references, options, Output(form, output, fail_on, exit_zero, quiet), panel=panel or ())
