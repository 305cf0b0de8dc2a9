"""What is set for every run: in `detector.toml` or `[tool.detector]` of pyproject.toml, and in variables `DETECTOR_*`.

The command line counts before the environment, that before a file, that before what the program does by itself. A file
is found for commands that belong to the project one stands in. Commands that look at whatever they are given read one
only where `--config` names it: a stranger's folder must not be able to say how closely it is looked at.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from detector.model import UserError
from detector.report.names import elided, visible

OWN_FILE = "detector.toml"
PROJECT_FILE = "pyproject.toml"
PREFIX = "DETECTOR_"
# The commands for which a file is found: what they gate is the project's own.
OF_THE_PROJECT = frozenset({"hook", "baseline"})
MOST_BYTES = 1 << 20  # of a file: a project's metadata with all of its tools takes some ten kilobytes
# Of a variable's name to a known one, from which on it is a slip (`FAILON`); others are somebody else's.
LIKENESS = 0.8

Value = str | int | float | bool | list[str]


class Form(enum.StrEnum):
    """What a key takes."""

    TEXT = "a text"
    PATH_INSIDE = "a path inside the folder of the file"
    PATHS = "a path, or a list of paths"
    COUNT = "a whole number of at least 1"
    RATIO = "a number from 0 to 1"
    NUMBER = "a number of at least 0"
    FLAG = "true or false"
    TEXTS = "a list of texts"


@dataclass(frozen=True, slots=True)
class Key:
    """An option that can be set for every run."""

    form: Form
    about: str
    choices: tuple[str, ...] = ()


# By the name of the option. What names one run (targets, --output, --kind) is not among them, nor is any path that is
# written to outside of the file's own folder: a stranger's checkout has such a file too.
KEYS: dict[str, Key] = {
    "baseline": Key(Form.PATH_INSIDE, "The baseline whose findings are not gated."),
    "exclude": Key(Form.TEXTS, "Paths that are not looked at, as patterns."),
    "exit-zero": Key(Form.FLAG, "Exit 0 where it would be 1 or 3."),
    "fail-on": Key(
        Form.TEXT, "The support from which on a derivation is gated.", ("weak", "moderate", "strong", "very-strong")
    ),
    "format": Key(
        Form.TEXT,
        "What is written.",
        ("terminal", "json", "jsonl", "html", "markdown", "sarif", "gitlab", "junit", "blocks", "comment"),
    ),
    "honour-ignores": Key(Form.FLAG, "Accept what comments in the suspect's code ignore with a reason."),
    "index": Key(Form.PATHS, "The index of what is known, or several."),
    "jobs": Key(Form.COUNT, "Processes that read."),
    "min-bits": Key(Form.NUMBER, "The fewest bits of a match."),
    "min-similarity": Key(Form.RATIO, "The least similarity of a match."),
    "quiet": Key(Form.FLAG, "No progress and no summary on standard error."),
}

Keys = Mapping[str, Collection[str]]  # of each command
Table = Mapping[str, object]


def settings(
    command: str, keys: Keys, environment: Mapping[str, str], folder: Path, file: Path | None, is_found: bool
) -> dict[str, Value]:
    """What is set for a command: from the environment, and from `file` or, if that is wanted, the file that is found.

    keys: which keys each command takes; it is not asked where nothing is set. In one source what is set for the
          command counts before what is set for all.
    Errors: UserError, one line, for what is unknown or wrong anywhere in the source.
    """
    set_here: dict[str, Value] = {}
    read = (file, _table(file) or {}) if file is not None else None
    if read is None and is_found and command in OF_THE_PROJECT:
        read = find(folder)
    if read is not None:
        set_here.update(_of_file(command, keys, *read))
    set_here.update(_of_environment(command, keys, environment))
    return set_here


def find(folder: Path) -> tuple[Path, Table] | None:
    """The nearest file with settings, from this folder up to the root of its repository; outside of one, only here."""
    above = [folder, *folder.parents]
    roots = [number for number, each in enumerate(above) if (each / ".git").exists()]
    for each in above[: roots[0] + 1 if roots else 1]:
        own, project = each / OWN_FILE, each / PROJECT_FILE
        table = _table(project) if project.is_file() else None
        if own.is_file():
            if table is not None:
                raise UserError(f"{own} and [tool.detector] in {project}: keep one of the two")
            return own, _table(own) or {}
        if table is not None:
            return project, table
    return None


def _table(file: Path) -> Table | None:
    """The settings in a file; None if a project's metadata has none."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}; check the path") from None
    is_project = file.name == PROJECT_FILE
    if is_project and b"detector" not in data:
        return None
    if len(data) > MOST_BYTES:
        raise UserError(f"{file}: is larger than {MOST_BYTES >> 20} MB; keep settings in {OWN_FILE}")
    import tomllib  # not for those who set nothing

    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is no TOML: {elided(visible(str(error)), 200)}") from None
    if not is_project:
        return document
    tool = document.get("tool")
    table = tool.get("detector") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UserError(f"{file}: tool.detector is no table; write [tool.detector]")
    return table


def _of_file(command: str, keys: Keys, file: Path, table_of_all: Table) -> Iterator[tuple[str, Value]]:
    """Settings for all commands, then those for this one; every other is checked too."""
    known = _known(keys)
    for_all = {name: value for name, value in table_of_all.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in table_of_all.items() if isinstance(value, dict)}
    for name, value in for_all.items():
        if name not in known:
            _unknown(f"{file}: {name}", name, [*known, *keys])
        checked = _checked(f"{file}: {name}", KEYS[name], value, file.parent)
        if name in keys[command]:
            yield name, checked
    for table, values in tables.items():
        if table not in keys:
            _unknown(f"{file}: {table}", table, [*keys, *known])
        for name, value in values.items():
            if name not in keys[table]:
                _unknown(f"{file}: {table}.{name}", name, keys[table])
            checked = _checked(f"{file}: {table}.{name}", KEYS[name], value, file.parent)
            if table == command:
                yield name, checked


def _of_environment(command: str, keys: Keys, environment: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    """The same of variables; an empty one sets nothing. A name that is nearly one of ours is a slip."""
    given = {name: text for name, text in sorted(environment.items()) if name.startswith(PREFIX) and text}
    if not given:
        return
    for_all = {_variable(key): key for key in _known(keys)}
    for_one = {_variable(each, key): (each, key) for each, names in keys.items() for key in names}
    for is_for_command in (False, True):
        for name, text in given.items():
            if name not in for_all and name not in for_one:
                import difflib

                ours = [each.removeprefix(PREFIX) for each in (*for_all, *for_one)]
                if near := difflib.get_close_matches(name.removeprefix(PREFIX), ours, 1, LIKENESS):
                    raise UserError(f"{visible(name)}: no such variable; the nearest is {PREFIX}{near[0]}")
            elif not is_for_command and name in for_all:
                if for_all[name] in keys[command]:
                    yield for_all[name], _spelled(name, KEYS[for_all[name]], text)
            elif is_for_command and name not in for_all and for_one[name][0] == command:
                key = for_one[name][1]
                yield key, _spelled(name, KEYS[key], text)


def _known(keys: Keys) -> list[str]:
    """Keys that any command takes."""
    taken = {name for names in keys.values() for name in names}
    return [key for key in KEYS if key in taken]


def _variable(*words: str) -> str:
    return PREFIX + "_".join(words).upper().replace("-", "_")


def _spelled(name: str, key: Key, text: str) -> Value:
    """The value that a variable's text spells."""
    value: object = text
    if key.form is Form.FLAG:
        value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower(), text)
    elif key.form is Form.TEXTS:
        value = [part.strip() for part in text.split(",") if part.strip()]
    elif key.form is Form.PATHS:
        value = [part for part in text.split(os.pathsep) if part]
    elif key.form in (Form.COUNT, Form.RATIO, Form.NUMBER):
        try:
            value = int(text) if key.form is Form.COUNT else float(text)
        except ValueError:
            value = text
    return _checked(name, key, value, None)


def _checked(place: str, key: Key, value: object, folder: Path | None) -> Value:
    """The value if it is what the key takes; a path in a file is relative to its folder."""
    if isinstance(value, bool):
        if key.form is Form.FLAG:
            return value
    elif isinstance(value, int | float):
        most = {Form.RATIO: 1.0, Form.NUMBER: float("inf")}.get(key.form)
        if most is not None and 0 <= value <= most and value != float("inf"):
            return value
        if key.form is Form.COUNT and isinstance(value, int) and value >= 1:
            return value
    elif isinstance(value, str) and value and "\0" not in value:
        if key.form is Form.PATH_INSIDE and (folder is None or _is_inside(value)):
            return value if folder is None else str(folder / value)
        if key.form is Form.PATHS:
            return [value if folder is None else str(folder / value)]
        if key.form is Form.TEXT and value in key.choices:
            return value
    elif isinstance(value, list) and all(isinstance(each, str) and each and "\0" not in each for each in value):
        if key.form is Form.TEXTS:
            return value
        if key.form is Form.PATHS:
            return [each if folder is None else str(folder / each) for each in value]
    wanted = f"one of {', '.join(key.choices)}" if key.choices else key.form.value
    raise UserError(visible(f"{place}: is {elided(repr(value), 40)}, where {wanted} is needed"))


def _is_inside(path: str) -> bool:
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _unknown(place: str, name: str, known: Collection[str]) -> NoReturn:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), 1, 0)
    raise UserError(
        visible(f"{elided(place, 200)}: no such key; the nearest is {near[0]}" if near else f"{place}: no such key")
    )
