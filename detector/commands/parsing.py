"""How the command line is taken apart where every millisecond counts.

The library behind it loads a validator of data for options that are no flags, also for those that nobody gave. That
takes as long as reading the files of a change. Here what was not given stays what it is, and what may be any text is
taken as it is; everything else is left to the library.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup

from detector.formats import Format

# Parameters that take any text, a path too: whoever takes them makes of it what it is.
TEXTS = frozenset({"baseline", "exclude", "files", "from_ref", "index", "not_against", "output", "to_ref"})


class Group(TyperGroup):
    """The options before a command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, that for help among them."""
        return _lightened(super().get_params(ctx))


class Command(TyperCommand):
    """A command that is to answer at once."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, that for help among them."""
        return _lightened(super().get_params(ctx))


def _lightened(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if not parameter.required and not isinstance(parameter.process_value, partial):
            parameter.process_value = partial(_processed, parameter, parameter.process_value)
    return parameters


def _processed(parameter: Any, process: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    is_several = getattr(parameter, "multiple", False) or parameter.nargs == -1
    if value is None:
        nothing = () if is_several else None
        return nothing if parameter.callback is None else parameter.callback(ctx, parameter, nothing)
    if parameter.callback is not None:
        return process(ctx, value)
    if isinstance(value, enum.Enum):
        return value
    if parameter.name in TEXTS:
        if is_several and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return list(value)
        if not is_several and isinstance(value, str):
            return value
    if parameter.name == "form" and value in set(Format):
        return Format(value)
    return process(ctx, value)
