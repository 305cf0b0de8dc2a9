"""By which names and addresses a project is called: its own, its packages', and what its metadata says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from detector.artifacts import bounded_json
from detector.artifacts.credits.manifests import METADATA, fields, front_matter, read_toml
from detector.model import Skipped
from detector.settings.declared import MOST_MANIFEST_BYTES, MOST_README_BYTES, SHORTEST_NAME
from detector.targets import Repo


@dataclass(frozen=True, slots=True)
class Names:
    """What a project is called.

    names: plain ones: "heron-vl". addresses: owner and name, in lower case, as GitHub and model hubs have them:
    "someone/heron-vl".
    """

    names: frozenset[str]
    addresses: frozenset[str]


# Folders that say nothing about whose they are.
_ANYBODYS = frozenset(
    "app apps assets bench benchmark benchmarks common config configs core data dataset datasets demo demos docs eval"
    " evaluation example examples experiments inference layers lib libs main master model modeling models modules"
    " new notebooks old ops original package project python reference repo repository research samples script scripts"
    " source src test tests tools train training upstream utils vendor".split()
)
# First headings that are no name.
_HEADINGS = frozenset(
    "about abstract acknowledgements citation contents contributing credits description features getting-started"
    " installation introduction license model-card news notes overview quickstart readme requirements setup table"
    " unknown update updates usage welcome".split()
)
# Blanks are never given back: a line of them would be tried in every division.
_HEADING = re.compile(
    r"^#[ \t]++([^\n]{1,100}?)[ \t]*+#*+[ \t\r]*+$|^([^\s=][^\n]{0,100})\n={3,}[ \t\r]*+$", re.MULTILINE
)
_FENCE = re.compile(r"^(?:```|~~~).*?(?:^(?:```|~~~)|\Z)", re.MULTILINE | re.DOTALL)
_HOSTED = re.compile(
    r"(?:github\.com|gitlab\.com|bitbucket\.org|huggingface\.co|hf\.co|modelscope\.cn/models)[/:]"
    r"(?!(?:spaces|datasets|papers|docs|blog|orgs|sponsors|collections|topics)/)"
    r"([A-Za-z0-9][\w.-]{0,95})/([A-Za-z0-9][\w.-]{0,95})",
    re.IGNORECASE,
)
_LOADED = re.compile(r"from_pretrained\(\s*[\"']([\w.-]{1,96}/[\w.-]{1,96})[\"']")
_HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_SETUP_NAME = re.compile(rb"\bname\s*=\s*[\"']([\w.-]{1,100})[\"']")
_SETUP_ADDRESS = re.compile(rb"\burl\s*=\s*[\"']([^\"'\n]{1,200})[\"']")


def plain(name: str) -> str:
    """A project's name without version, owner, case and separators."""
    name = re.sub(r"(==|@).*$", "", name).rpartition("/")[2].rpartition(":")[2]
    name = re.sub(r"\.(?:py|zip|whl|tar|tar\.gz|tgz|git)$", "", name)
    name = re.sub(r"-\d+\.[\w.]*(-.*)?$", "", name)
    return re.sub(r"[-_.]+", "-", name).strip("-").lower()


def words(source: str) -> set[str]:
    """The words of a text that may name a source, and the parts of dotted ones, plain."""
    found = [word for word in re.split(r"[^\w.\-]+|/", source) if word]
    return {plain(word) for word in found} | {plain(part) for word in found for part in word.split(".")}


def may_name(text: str, names: Collection[str]) -> bool:
    """Whether the beginning of any name occurs at all: cheap, and no for most texts."""
    lowered = text.lower()
    return any(name.partition("-")[0] in lowered for name in names)


def is_named(source: str, names: Collection[str]) -> bool:
    """Whether a text has one of the names as a word, or as part of an address or of a dotted name."""
    if not may_name(source, names):
        return False
    known = frozenset(names)
    return any(may_name(word, known) and not known.isdisjoint(words(word)) for word in source.split(" "))


def addresses_in(text: str) -> Iterator[tuple[int, str]]:
    """Projects that a text gives an address of, as owner and name in lower case, with where the address begins."""
    for found in _HOSTED.finditer(text):
        yield found.start(), f"{found[1]}/{found[2].rstrip('.').removesuffix('.git')}".lower()


@cache
def common_names() -> frozenset[str]:
    """Names of modules and folders that several published packages have: they tell nobody apart."""
    text = (resources.files("detector.artifacts.credits") / "common_names.txt").read_text("utf-8")
    return frozenset(text.split())


def is_telling(name: str) -> bool:
    """Whether a name says whose it is: long enough, and not what everybody calls something."""
    return len(name) >= SHORTEST_NAME and name not in _ANYBODYS and name.lower() not in common_names()


def names_of(project: Repo) -> Names:
    """Names by which others may call a project: its own, those of its top-level packages, those of its metadata."""
    paths = project.files.paths()
    packages = {path.rpartition("/")[0] for path in paths if path.endswith("/__init__.py")}
    names = {plain(project.name)}
    names.update(plain(path.split("/")[0]) for path in paths if "/" in path and path.count("/") <= 2)
    names.update(plain(each.rpartition("/")[2]) for each in packages if each.rpartition("/")[0] not in packages)
    own, addresses = _of_metadata(project)
    readme = _readme(project)
    known = {name for name in names | own | {title_of(readme)} if _is_name(name)}
    addresses |= {address for _, address in addresses_in(project.target)}
    # An address tells of somebody else as often as of the project itself, unless the names agree.
    given = {address for _, address in addresses_in(readme)}
    addresses |= {each for each in given if plain(each) in known or plain(each).replace("-", "") in known}
    loaded = _of_checkpoint(project, readme)
    addresses |= loaded
    known |= {plain(each) for each in loaded | {address for _, address in addresses_in(project.target)}}
    return Names(frozenset(filter(_is_name, known)), frozenset(addresses))


def _is_name(name: str) -> bool:
    return len(name) >= 3 and name not in _ANYBODYS


def _head(project: Repo, path: str) -> bytes:
    head = project.files.head(path, MOST_MANIFEST_BYTES)
    return b"" if isinstance(head, Skipped) else head.data


def _of_metadata(project: Repo) -> tuple[set[str], set[str]]:
    """Names and addresses that a project's package metadata gives it."""
    names: set[str] = set()
    addresses: set[str] = set()
    for path in project.files.others():
        name = path.rpartition("/")[2]
        if path.count("/") > 1 or name not in ("METADATA", "PKG-INFO", "pyproject.toml", "setup.cfg", "CITATION.cff"):
            continue
        text = _head(project, path).decode("utf-8", "replace")
        if name == "pyproject.toml":
            given, links = _of_pyproject(text)
        elif name == "setup.cfg":
            given = [value for key, value in fields(text, "=") if key == "name"][:1]
            links = [value for key, value in fields(text, "=") if key == "url"]
        elif name == "CITATION.cff":
            given, links = [], [value for key, value in fields(text, ":") if key in ("repository-code", "repository")]
        else:
            head = [pair for pair in fields(text.partition("\n\n")[0], ":") if pair[0] in METADATA]
            given = [value for key, value in head if key == "name"][:1]
            links = [value.rpartition(",")[2] for key, value in head if key != "name"]
        names.update(map(plain, given))
        addresses.update(address for link in links for _, address in addresses_in(link))
    if "setup.py" in project.files.paths():
        data = _head(project, "setup.py")
        called = _SETUP_NAME.search(data, max(data.find(b"setup("), 0))
        names.update([plain(called[1].decode("ascii", "replace"))] if called else [])
        for link in _SETUP_ADDRESS.finditer(data):
            addresses.update(address for _, address in addresses_in(link[1].decode("ascii", "replace")))
    # Whose last part is another name is where an organisation lives, or an issue tracker of a platform.
    return names, {each for each in addresses if plain(each) in names or plain(each) == plain(project.name)}


def _of_pyproject(text: str) -> tuple[list[str], list[str]]:
    document = read_toml(text)
    project = document.get("project")
    if not isinstance(project, dict):
        poetry = document.get("tool", {})
        project = poetry.get("poetry") if isinstance(poetry, dict) else None
    if not isinstance(project, dict):
        return [], []
    urls = project.get("urls")
    links = [*(urls.values() if isinstance(urls, dict) else ()), project.get("repository"), project.get("homepage")]
    name = project.get("name")
    return [name] if isinstance(name, str) else [], [link for link in links if isinstance(link, str)]


def _readme(project: Repo) -> str:
    for path in project.files.others():
        if "/" not in path and path.lower().partition(".")[0] == "readme":
            head = project.files.head(path, MOST_README_BYTES)
            return "" if isinstance(head, Skipped) else head.data.decode("utf-8", "replace")
    return ""


def title_of(readme: str) -> str:
    """The name that a README begins with, plain; "" if its first heading is no single word."""
    for heading in _HEADING.finditer(_FENCE.sub("", readme)):
        text = re.sub(
            r"<[^>]{0,300}>|!?\[[^\]]{0,200}\]\([^)]{0,300}\)|[*`_]{1,3}(?=\w)|(?<=\w)[*`]{1,3}", "", heading[0]
        )
        text = text.partition("\n")[0].strip("# \t\r").partition(":")[0].strip()
        name = plain(text) if re.fullmatch(r"[\w.-]{4,60}", text) else ""
        return "" if name in _HEADINGS or name in _ANYBODYS else name
    return ""


def _of_checkpoint(project: Repo, readme: str) -> set[str]:
    """The hub's id of a checkpoint, where its configuration says so and its README loads it by that id."""
    if "config.json" not in project.files.others():
        return set()
    given = bounded_json.mapping(_head(project, "config.json")).get("_name_or_path")
    if not isinstance(given, str) or not _HUB_ID.fullmatch(given):
        return set()
    based = {each.lower() for each in front_matter(readme).get("base_model", ())}
    loaded = {each.lower() for each in _LOADED.findall(readme)}
    return {given.lower()} & loaded - based
