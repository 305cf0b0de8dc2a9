"""Files in which a project states facts about itself -> names, addresses, dependencies; read without trust."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from detector.settings.declared import MOST_MANIFEST_ENTRIES

# Fields of a package's metadata that name it or say where it lives.
METADATA = frozenset({"name", "home-page", "project-url"})
_FRONT = re.compile(r"\A(?:\ufeff)?---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
# A comment is looked for where blanks begin, not from each of them again.
_REMARK = re.compile(r"(?<!\s)\s+#.*$")
_QUOTES = "\"'"
_REQUIREMENT = re.compile(r"\s*+([A-Za-z0-9][\w.-]{0,100})\s*+(?:\[[^\]]{0,200}\]\s*+)?(?:[=<>!~;@(,#]|$)")
_SETUP_LIST = re.compile(
    r"\b(?:install_requires|extras_require|tests_require|setup_requires|requirements?)\s*=\s*(?P<open>[\[{(])"
)
_STRING = re.compile(r"[\"']([^\"'\n]{1,200})[\"']")
_REQUIREMENTS_FILE = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements?[\w.-]*\.(?:txt|in)|requirements/[\w.-]+\.(?:txt|in))$", re.I
)
_ENVIRONMENT_FILE = re.compile(r"(?:^|/)(?:environment|conda|env|cog|meta)[\w.-]*\.ya?ml$", re.I)
_NORMAL = re.compile(r"[-_.]+")


def fields(text: str, mark: str) -> Iterator[tuple[str, str]]:
    """Lines `key: value` (or with another mark), keys in lower case, without quotes; what is nested comes flat."""
    for line in islice(text.splitlines(), MOST_MANIFEST_ENTRIES):
        key, found, value = line.strip().removeprefix("- ").partition(mark)
        if found and value.strip():
            yield key.strip().lower(), value.strip().strip(_QUOTES)


def front_matter(text: str) -> dict[str, tuple[str, ...]]:
    """What stands between two rules at the head of a model card, as key and values.

    Reads the part of YAML that cards use: scalars, lists in brackets or with dashes; what is nested deeper is left out.
    """
    found = _FRONT.match(text)
    values: dict[str, list[str]] = {}
    key = ""
    for line in islice((found[1] if found else "").splitlines(), MOST_MANIFEST_ENTRIES):
        item = re.match(r"\s*-\s+(\S.*)$", line)
        if item and key:
            values[key].append(_scalar(item[1]))
        elif opening := re.match(r"([\w-]+):\s*(.*)$", line):
            key, rest = opening[1].lower(), opening[2].strip()
            listed = rest[1:-1].split(",") if rest.startswith("[") and rest.endswith("]") else [rest]
            values.setdefault(key, []).extend(_scalar(each) for each in listed)
        elif line.strip() and not line[:1].isspace():
            key = ""
    return {key: tuple(value for value in given if value) for key, given in values.items()}


def _scalar(text: str) -> str:
    return _REMARK.sub("", text.strip()).strip().strip(_QUOTES)


def submodules(text: str) -> Iterator[tuple[int, str]]:
    """The addresses of a `.gitmodules`, with their lines."""
    for number, line in enumerate(islice(text.splitlines(), MOST_MANIFEST_ENTRIES), 1):
        found = re.match(r"\s*url\s*=\s*(\S+)", line)
        if found:
            yield number, found[1]


_CITED = frozenset({"title", "url", "repository", "repository-code", "repository-artifact"})


def citations(text: str) -> Iterator[tuple[int, str]]:
    """Titles and addresses of a CITATION.cff, its own and those of its references, with their lines."""
    for number, line in enumerate(islice(text.splitlines(), MOST_MANIFEST_ENTRIES), 1):
        for key, value in fields(line, ":"):
            if key in _CITED:
                yield number, value


def is_manifest(path: str) -> bool:
    """Whether a file that is not Python lists what a project depends on, by its name."""
    name = path.rpartition("/")[2]
    return (
        name in ("pyproject.toml", "setup.cfg", "METADATA", "PKG-INFO", "requires.txt", "Pipfile")
        or _REQUIREMENTS_FILE.search(path) is not None
        or _ENVIRONMENT_FILE.search(path) is not None
    )


def dependencies(path: str, text: str) -> frozenset[str]:
    """Distributions that a manifest lists, in normal form (PEP 503); optional ones too.

    Nothing is resolved: what a requirement's address ends with counts as its name.
    """
    name = path.rpartition("/")[2]
    if name == "pyproject.toml":
        listed = _of_pyproject(text)
    elif name in ("METADATA", "PKG-INFO"):
        listed = [value for key, value in fields(text.partition("\n\n")[0], ":") if key == "requires-dist"]
    elif name == "setup.py":
        listed = [
            each
            for found in _SETUP_LIST.finditer(text)
            for each in _STRING.findall(text[found.end() : found.end() + _SETUP_REACH])
        ]
    else:
        listed = [line.strip().removeprefix("- ") for line in islice(text.splitlines(), MOST_MANIFEST_ENTRIES)]
    return frozenset(found for each in listed[:MOST_MANIFEST_ENTRIES] for found in _required(each))


# How far behind `install_requires=[` its entries are looked for: longer lists are read from a file anyway.
_SETUP_REACH = 5_000


def _required(line: str) -> Iterator[str]:
    line = line.removeprefix("-e").removeprefix("--editable").strip().strip(_QUOTES)
    if "://" in line or line.startswith("git@"):
        address = (
            line.partition("#")[0].rpartition("@")[0] if "@" in line.rpartition("/")[2] else line.partition("#")[0]
        )
        yield normal(address.rstrip("/").rpartition("/")[2].removesuffix(".git"))
    found = _REQUIREMENT.match(line)
    if found:
        yield normal(found[1])


def normal(name: str) -> str:
    """A distribution's name in normal form.

    Source: PEP 503.
    """
    return _NORMAL.sub("-", name).lower().strip("-")


# A key of so many parts is nobody's: reading it takes the square of their number.
_LONG_KEY = re.compile(r"(?<![\w-])(?:[\"']?[\w-]{0,50}[\"']?[ \t]{0,9}\.[ \t]{0,9}){33}")


def read_toml(text: str) -> dict[str, Any]:
    """A TOML document; empty if it is none, or one that nobody writes."""
    try:
        return {} if _LONG_KEY.search(text) else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}


def _of_pyproject(text: str) -> list[str]:
    document = read_toml(text)
    listed: list[str] = []
    project = document.get("project")
    if isinstance(project, dict):
        listed += _strings(project.get("dependencies"))
        optional = project.get("optional-dependencies")
        for group in optional.values() if isinstance(optional, dict) else ():
            listed += _strings(group)
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    groups = [poetry] if isinstance(poetry, dict) else []
    more = poetry.get("group") if isinstance(poetry, dict) else None
    groups += [each for each in more.values() if isinstance(each, dict)] if isinstance(more, dict) else []
    for given in groups:
        for key in ("dependencies", "dev-dependencies"):
            table = given.get(key)
            listed += list(table) if isinstance(table, dict) else []
    return listed


def _strings(given: object) -> list[str]:
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
