"""The command line: which commands there are. Arguments in, exit code out."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from detector import __version__
from detector.arguments import EPILOG, EXPLAIN_EPILOG, LINEAGE_EPILOG, PARTITIONS_EPILOG, SCAN_EPILOG, Kind
from detector.commands import (
    baselining,
    comparing,
    distributing,
    findings,
    hooking,
    indexing,
    lineage,
    models,
    renames,
    reports,
    scanning,
)
from detector.commands.parsing import Command, Group
from detector.commands.running import complain, leave, write
from detector.configured import KEYS, Value, settings
from detector.gate import EXIT_ERROR, EXIT_INTERRUPTED
from detector.model import UserError

__all__ = ["app", "leave", "run"]

# What the system refuses and the user can mend; any other OSError is our bug.
SYSTEM_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS, errno.EACCES, errno.EPERM)

# Settings that a command takes on its own command line alone: what a comparison is with has to be said, and what is no
# report has formats of its own.
TYPED = {("compare", "index"), ("scan", "format"), ("lineage", "format")}
# What these write is no report, and has formats of its own.
NO_REPORTS = ("lineage",)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, whatever happens."""
    typed = sys.argv[1:] if arguments is None else list(arguments)
    try:
        (_hook if typed[:1] == ["hook"] else app)(args=typed, prog_name="detector")
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
        write(f"detector {__version__}\n", None)
        raise typer.Exit


def _detector(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read settings from FILE, for any command.")
    ] = None,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="Read no file of settings; variables DETECTOR_* still count.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        return
    if config is not None and no_config:
        raise typer.BadParameter("is given with --no-config: choose one.", param_hint="--config")
    commands: dict[str, Any] = getattr(context.command, "commands", {})
    name = context.invoked_subcommand
    if name in commands and _taken(commands[name]):
        found = settings(name, _Keys(), os.environ, Path.cwd(), config, is_found=not no_config)
        context.default_map = {name: _defaults(commands[name], found)}


class _Keys(Mapping[str, Collection[str]]):
    """Which keys of settings each command takes, found out when it is asked for."""

    @cached_property
    def _found(self) -> dict[str, list[str]]:
        commands: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
        return {
            name: [key for key in _taken(command) if (name, key) not in TYPED] for name, command in commands.items()
        }

    def __getitem__(self, name: str) -> Collection[str]:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _taken(command: Any) -> list[str]:
    """The keys of settings that a command takes, or any command of a group; what a group writes is no report."""
    parts = getattr(command, "commands", None)
    is_no_report = parts is not None or command.name in NO_REPORTS
    every = [parameter for part in (parts or {"": command}).values() for parameter in part.params]
    taken = {option.removeprefix("--") for parameter in every for option in parameter.opts}
    return [key for key in KEYS if key in taken and not (is_no_report and key == "format")]


def _defaults(command: Any, found: Mapping[str, Value]) -> dict[str, object]:
    """Settings by the names of parameters, as a command looks for its defaults; of a group, by command."""
    if hasattr(command, "commands"):
        return {name: _defaults(each, found) for name, each in command.commands.items()}
    defaults: dict[str, object] = {}
    for parameter in command.params:
        for value in (found[name] for each in parameter.opts if (name := each.removeprefix("--")) in found):
            if getattr(parameter, "multiple", False) or not isinstance(value, list):
                defaults[parameter.name] = value
            elif len(value) == 1:  # of several, whoever takes one has to be told which
                defaults[parameter.name] = value[0]
    return defaults


def _program() -> typer.Typer:
    """The program, without commands."""
    return typer.Typer(
        name="detector",
        cls=Group,
        callback=_detector,
        help="Find copied modeling code between ML repositories, also when it was renamed, reformatted and rewritten.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


app = _program()
_hook = _program()  # to take the other commands apart takes as long as all that a hook looks up
app.command(epilog=EPILOG)(comparing.compare)
for _each in (app, _hook):
    _each.command(cls=Command, epilog=EPILOG)(hooking.hook)
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
app.command(epilog=SCAN_EPILOG)(scanning.scan)
app.command(epilog=LINEAGE_EPILOG)(lineage.lineage)
for each in distributing.COMMANDS:
    indexing.app.command(epilog=PARTITIONS_EPILOG)(each)
app.add_typer(indexing.app)
app.add_typer(baselining.app)
app.add_typer(findings.app)
