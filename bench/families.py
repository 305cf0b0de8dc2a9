"""Write the table of published model families: what their configuration classes set, and how their modules are named.

Read from the syntax trees of a wheel of transformers, which is neither installed nor imported.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.section import ROOT, arguments, first_line
from bench.wheels import wheel

RELEASE = "transformers==4.57.3"
TABLE = ROOT / "detector" / "artifacts" / "checkpoints" / "families.json"
# The classes from which every configuration and every module comes: what they set is in all families.
ROOT_CONFIGURATION = "PretrainedConfig"
# Values of lists are kept up to this length: longer ones are tables of data.
LONGEST_LIST = 8
LONGEST_TEXT = 60
_MODEL_FILE = re.compile(r"transformers/models/(\w+)/(configuration|modeling|modular)_(?!tf_|flax_)\w+\.py")
_COPIED = re.compile(r"# (?:Copied|Adapted) from transformers\.models\.(\w+)")
_LISTS = frozenset({"ModuleList", "Sequential", "ModuleDict"})
# What holds numbers of its own: a call of one ends a path.
_PARAMETERS = frozenset({"Parameter", "register_buffer", "register_parameter"})
REPEATED = "*"

Value = None | bool | int | float | str | list[object]


@dataclass
class Source:
    """What the files of one family say."""

    configurations: dict[str, tuple[list[str], str, dict[str, Value]]] = field(default_factory=dict)
    modules: dict[str, tuple[list[str], dict[str, list[str]]]] = field(default_factory=dict)
    ancestors: set[str] = field(default_factory=set)


def read(path: Path) -> dict[str, Source]:
    """Every family of the wheel, by the name of its folder."""
    families: dict[str, Source] = {}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            found = _MODEL_FILE.fullmatch(name)
            if found is None:
                continue
            family, kind = found[1], found[2]
            text = archive.read(name).decode("utf-8")
            source = families.setdefault(family, Source())
            tree = ast.parse(text)
            source.ancestors |= set(_COPIED.findall(text)) | set(_imported(tree)) - {family, "auto"}
            if kind != "modular":
                for node in tree.body:
                    if isinstance(node, ast.ClassDef):
                        _read_class(source, node, kind)
    return families


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 2 and node.module:
            yield node.module.split(".")[0]


def _read_class(source: Source, node: ast.ClassDef, kind: str) -> None:
    parents = [_last(each) for each in node.bases]
    init = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
    if kind == "configuration":
        if node.name.endswith("Config"):
            source.configurations[node.name] = (parents, _model_type(node), _defaults(init))
    elif init is not None:
        source.modules[node.name] = (parents, dict(_parts(init)))


def _model_type(node: ast.ClassDef) -> str:
    for each in node.body:
        if isinstance(each, ast.Assign) and _last(each.targets[0]) == "model_type":
            return str(getattr(each.value, "value", ""))
    return ""


def _defaults(init: ast.FunctionDef | None) -> dict[str, Value]:
    if init is None:
        return {}
    given = init.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    pairs = [*zip(reversed(names), reversed(given.defaults), strict=False)][::-1]
    pairs += [(each.arg, value) for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
    return {name: value for name, node in pairs for value in _literal(node)}


def _literal(node: ast.expr) -> Iterator[Value]:
    """A value that a JSON file can hold, or nothing."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, list):
        if len(value) <= LONGEST_LIST and all(isinstance(each, bool | int | float | str) for each in value):
            yield value
    elif (
        value is None
        or isinstance(value, bool | int | float)
        or (isinstance(value, str) and len(value) <= LONGEST_TEXT)
    ):
        yield value


def _parts(init: ast.FunctionDef) -> Iterator[tuple[str, list[str]]]:
    """What a module holds: names of attributes, and names of classes that they may be of; repeated ones say so."""
    for node in ast.walk(init):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
            made = [_last(call.func) for call in ast.walk(node.value) if isinstance(call, ast.Call)]
            classes = [each for each in made if each[:1].isupper()]
            if classes:
                yield (
                    node.targets[0].attr,
                    ([REPEATED] if _LISTS & set(classes) else []) + sorted(set(classes) - _LISTS),
                )
        elif isinstance(node, ast.Call) and _last(node.func) in _PARAMETERS and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, []


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _root_defaults(path: Path) -> dict[str, Value]:
    with zipfile.ZipFile(path) as archive:
        tree = ast.parse(archive.read("transformers/configuration_utils.py"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in (ROOT_CONFIGURATION, "PreTrainedConfig"):
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                    return _defaults(each)
    raise SystemExit("the wheel has no class from which configurations come")


def table(path: Path, made_from: str) -> dict[str, object]:
    """Everything that the package keeps of the wheel."""
    families = read(path)
    everywhere = {name: entry for source in families.values() for name, entry in source.configurations.items()}
    return {
        "made_from": made_from,
        "common": _root_defaults(path),
        "configurations": {
            name: {"family": family, "type": model_type, "defaults": dict(_inherited(name, everywhere, frozenset()))}
            for family, source in sorted(families.items())
            for name, (_, model_type, _) in sorted(source.configurations.items())
        },
        "names": {family: names for family, source in sorted(families.items()) if (names := _names(source))},
        "ancestors": {
            family: sorted(found) for family, source in sorted(families.items()) if (found := source.ancestors)
        },
    }


def _inherited(
    name: str, known: Mapping[str, tuple[list[str], str, dict[str, Value]]], seen: frozenset[str]
) -> dict[str, Value]:
    parents, _, own = known.get(name, ([], "", {}))
    found: dict[str, Value] = {}
    for parent in parents:
        if parent not in seen:
            found |= _inherited(parent, known, seen | {name})
    return found | own


def _names(source: Source) -> list[str]:
    """What the family calls its modules and parameters."""
    return sorted({name for _, parts in source.modules.values() for name in parts})


def main(given: Sequence[str] | None = None) -> int:
    """Read the wheel; say what it holds, or write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.families", description=first_line(__doc__))
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    options = arguments(parser).parse_args(given)
    found = table(wheel(options.cache.absolute(), RELEASE), RELEASE)
    text = json.dumps(found, sort_keys=True, separators=(",", ":")).replace('},"', '},\n"') + "\n"
    if options.write:
        TABLE.write_text(text, encoding="utf-8")
    counts = {key: len(value) for key, value in found.items() if isinstance(value, dict)}
    print(f"{RELEASE}: {counts}, {len(text):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
