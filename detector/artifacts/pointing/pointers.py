"""Files -> the names in them that should lead somewhere: modules, classes, paths; what is no name is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from detector.artifacts import bounded_json
from detector.artifacts.credits.remarks import code_of, may_claim
from detector.settings.dangling import MOST_FILE_NAMES, MOST_JSON_BYTES

MODULE, CLASS, PATH = "module", "class", "path"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A name and where it stands.

    where: "auto_map", "import", "entry point", "command", "path" or the key of a configuration. told: how it is written
    there.
    """

    sort: str
    name: str
    line: int
    where: str
    told: str
    folder: str = ""  # of a relative import: where it is looked for; "" for all others
    is_relative: bool = False


# Keys of configurations that name a class.
CLASS_KEYS = frozenset(
    {
        "architectures",
        "tokenizer_class",
        "processor_class",
        "image_processor_type",
        "feature_extractor_type",
        "image_processor_class",
        "feature_extractor_class",
        "video_processor_class",
    }
)
_DOTTED = re.compile(r"(?:([\w.-]+/[\w.-]+)--)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.([A-Za-z_]\w*)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_IMPORT = re.compile(
    rb"^(?P<indent>[ \t]*+)(?:from[ \t]++(?P<dots>\.*+)[ \t]*+(?P<source>[A-Za-z_][\w.]*+)[ \t]++import\b"
    rb"|import[ \t]++(?P<names>[A-Za-z_][\w. ,]*+))",
    re.MULTILINE,
)
_COMMAND = re.compile(r"\bpython[\d.]*[ \t]++(?:-[A-Za-ln-z]\w*+[ \t]++)*-m[ \t]++([A-Za-z_]\w*(?:\.\w+)*)")
_ENTRY = re.compile(
    r"^[ \t]*[\"']?[\w.-]+[ \t]*=[ \t]*[\"']?([A-Za-z_]\w*(?:\.\w+)*):([A-Za-z_]\w*)[\"']?[ \t]*,?$", re.M
)
_ENTRY_FILES = frozenset({"entry_points.txt", "pyproject.toml", "setup.cfg"})
_PATH = re.compile(
    r"(?<![\w/.:@~$}%+-])(?:\.{1,2}/){0,4}((?:\w[\w.-]{0,80}/){1,8}\w[\w-]{0,80}(?:\.[\w-]{1,30}){0,3}"
    r"\.(?:py|ipynb|sh|ya?ml|json|toml|cfg|md|rst|txt))(?![\w/*-])"
)


def in_json(data: bytes) -> list[Pointer]:
    """Modules and classes that a model's configuration names; none of what is no JSON, or too large for one."""
    if len(data) > MOST_JSON_BYTES or not any(key in data for key in _MARKS):
        return []
    text = data.decode("utf-8", "replace")
    found: list[Pointer] = []
    pending: list[object] = [bounded_json.mapping(data)]
    while pending and len(found) < MOST_FILE_NAMES:
        node = pending.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "auto_map":
                    found.extend(_of_auto_map(value, text))
                elif key in CLASS_KEYS:
                    listed = value if isinstance(value, list) else [value]
                    names = [each for each in listed if isinstance(each, str) and _WORD.fullmatch(each)]
                    found.extend(Pointer(CLASS, each, _line(text, each), key, each) for each in names)
                elif isinstance(value, dict | list):
                    pending.append(value)
        elif isinstance(node, list):
            pending.extend(each for each in node if isinstance(each, dict | list))
    return sorted(found, key=lambda each: (each.line, each.sort, each.name))[:MOST_FILE_NAMES]


_MARKS = (b'"auto_map"', *(f'"{key}"'.encode() for key in sorted(CLASS_KEYS)))


def _of_auto_map(given: object, text: str) -> Iterator[Pointer]:
    values = given.values() if isinstance(given, dict) else ()
    listed = [each for value in values for each in (value if isinstance(value, list) else [value])]
    for each in listed[:MOST_FILE_NAMES]:
        found = _DOTTED.fullmatch(each) if isinstance(each, str) and len(each) < 300 else None
        if found:
            line = _line(text, each)
            yield Pointer(MODULE, found[2], line, "auto_map", each)
            yield Pointer(CLASS, found[3], line, "auto_map", each)


def _line(text: str, word: str) -> int:
    place = text.find(f'"{word}"')
    return text.count("\n", 0, place) + 1 if place >= 0 else 0


def in_python(path: str, data: bytes) -> Iterator[Pointer]:
    """Imports at the margin of a file, and relative ones anywhere that nothing guards."""
    code = code_of(data)
    line, counted = 1, 0
    folder = path.rpartition("/")[0]
    for found in islice(_IMPORT.finditer(code), MOST_FILE_NAMES):
        line, counted = line + code.count(b"\n", counted, found.start()), found.start()
        told = found[0].decode("ascii", "replace").strip()
        if found["dots"]:
            source = found["source"].decode("ascii", "replace")
            if not found["indent"] or not _is_guarded(code, found.start(), len(found["indent"])):
                above = folder.split("/") if folder else []
                steps = len(found["dots"]) - 1
                if steps <= len(above):
                    place = "/".join(above[: len(above) - steps])
                    yield Pointer(MODULE, source, line, "import", told, place, is_relative=True)
        elif not found["indent"]:
            names = (found["source"] or b"").decode("ascii", "replace") or found["names"].decode("ascii", "replace")
            for each in names.split(","):
                name = each.split(" as ")[0].strip()
                if name:
                    yield Pointer(MODULE, name, line, "import", told)


# How far above an import the statement that it stands in begins.
_GUARD_REACH = 4_000
_GUARD = re.compile(rb"(?:try[ \t]*:|except\b|else[ \t]*:|if\b)")


def _is_guarded(code: bytes, start: int, indent: int) -> bool:
    """Whether an import stands in a `try` or an `if`, which says that its module may be missing."""
    for line in reversed(code[max(start - _GUARD_REACH, 0) : start].split(b"\n")):
        text = line.strip()
        if text and len(line) - len(line.lstrip()) < indent:
            return _GUARD.match(text) is not None
    return False


def in_text(path: str, text: str) -> list[Pointer]:
    """Paths, modules that a command runs, and entry points of an installation.

    A line that says where something comes from is a declaration, and leads out of the project.
    """
    found = [(each.start(1), PATH, each[1], "path", each[1]) for each in _few(_PATH, text)]
    found += [(each.start(1), MODULE, each[1], "command", each[0]) for each in _few(_COMMAND, text)]
    if path.rpartition("/")[2] in _ENTRY_FILES:
        found += [(each.start(1), MODULE, each[1], "entry point", each[0].strip()) for each in _few(_ENTRY, text)]
    pointers = []
    line, counted = 1, 0
    for start, sort, name, where, told in sorted(found):
        line, counted = line + text.count("\n", counted, start), start
        if not may_claim(_line_at(text, start).encode("utf-8", "replace")):
            pointers.append(Pointer(sort, name, line, where, told))
    return pointers


def _few(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    return islice(pattern.finditer(text), MOST_FILE_NAMES)


# How much of a line before and behind a name is looked at: a notebook or a data set may be one line.
_LINE_REACH = 200


def _line_at(text: str, place: int) -> str:
    """The line of a place and the one above it: a credit goes on to the next line with its address."""
    before = text[max(place - _LINE_REACH, 0) : place].rsplit("\n", 2)[-2:]
    return " ".join(before) + text[place : place + _LINE_REACH].partition("\n")[0]
