"""The command line: which commands there are. Arguments in, exit code out."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from detector.arguments import EPILOG, EXPLAIN_EPILOG, Kind
from detector.commands import comparing, hooking, models, renames, reports
from detector.commands.parsing import Command, Group
from detector.commands.running import complain, leave, write
from detector.gate import EXIT_ERROR, EXIT_INTERRUPTED
from detector.model import UserError

__all__ = ["app", "leave", "run"]

# What the system refuses and the user can mend; any other OSError is our bug.
SYSTEM_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS, errno.EACCES, errno.EPERM)

app = typer.Typer(
    name="detector",
    cls=Group,
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
        return complain("interrupted", EXIT_INTERRUPTED)
    except UserError as error:
        return complain(str(error), EXIT_ERROR)
    except OSError as error:
        if error.errno in SYSTEM_REFUSALS:
            return complain(f"{error.filename or 'the system'}: {error.strerror}", EXIT_ERROR)
        traceback.print_exc()
    except Exception:
        traceback.print_exc()
    return EXIT_ERROR


def _print_version(is_asked_for: bool) -> None:
    if is_asked_for:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("ml-plagiarism-detector")
        except PackageNotFoundError:
            number = "(not installed)"
        write(f"detector {number}\n", None)
        raise typer.Exit


@app.callback()
def _detector(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command(epilog=EPILOG)(comparing.compare)
app.command(cls=Command, epilog=EPILOG)(hooking.hook)
for _kind, _about in {
    Kind.DECLARED: "Say what SUSPECT itself declares to come from each REFERENCE, and what it does not.",
    Kind.DANGLING: "Find names in SUSPECT that lead to nothing there, and to something in a REFERENCE.",
    Kind.CONFIG: "Compare the configurations of models, once what a family's defaults explain is set aside.",
    Kind.STRUCTURE: "Compare names and shapes of tensors, from indexes and headers of checkpoints.",
    Kind.TOKENIZER: "Compare tokenizers with each other, and with the known ones that they are based on.",
}.items():
    app.command(_kind.value, epilog=EPILOG, help=f"{_about} Only this kind of evidence; nothing in a target is run.")(
        comparing.of_kind(_kind)
    )
app.command(epilog=EPILOG)(models.weights)
app.command(epilog=EPILOG)(models.behaviour)
app.command(epilog=EPILOG)(comparing.history)
app.command(epilog=EXPLAIN_EPILOG)(reports.explain)
app.command("report", epilog=EPILOG)(reports.report_again)
app.command(epilog=EPILOG)(renames.unrename)
