"""Names by which a text may call a source: its addresses, the packages that are imported from it, its own modules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detector.artifacts import bounded_json
from detector.model import Skipped
from detector.targets import Repo

# Configurations are read for the name of the checkpoint that they were saved from; they have some kilobytes.
_CONFIG_BYTES, _MOST_CONFIGS = 200_000, 20
_ADDRESS = re.compile(
    r"(?:huggingface\.co/(?:spaces/)?|hf\.co/|modelscope\.cn/models/|github\.com[/:]|from_pretrained\(\s*[\"'])"
    r"([A-Za-z0-9][\w.-]{0,90}/[A-Za-z0-9][\w.-]{0,90})"
)
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,90}/[A-Za-z0-9][\w.-]{0,90}")
_LETTERS = re.compile(r"[a-z]{5,}")
# Words that many names of models and projects are made of: they tell nobody's.
_ANYBODYS = frozenset(
    "audio chinese config configuration english image images instruct language large llama model modeling models"
    " multimodal mistral processing project pytorch research small speech source tokenizer tokenization torch training"
    " transformer transformers video vision visual bench tests scripts examples repository utils serve".split()
)
_SHORTEST_MODULE = 10
# Folders and words that are in everyone's tree.
_FOLDERS = _ANYBODYS | frozenset(
    "app assets core data dataset datasets demo demos docs eval evaluation images inference layers lib main master"
    " modules notebooks ops python repo script src test tools train util vendor".split()
)


@dataclass(frozen=True, slots=True)
class SourceNames:
    """Lower case throughout."""

    projects: frozenset[str]  # as a folder of a path, or imported
    addresses: frozenset[str]  # `owner/name`
    modules: frozenset[str]

    def all(self) -> frozenset[str]:
        """Every name."""
        return self.projects | self.addresses | self.modules

    def pattern(self) -> re.Pattern[str] | None:
        """What finds a mention in a text; the group that matched is the name; None if there is no name."""
        imported = _either(self.projects)
        ways = [
            rf"(?<![\w/.-])({_either(self.addresses)})(?![\w-])" if self.addresses else "",
            rf"(?<![\w])({_either(self.modules)})(?!\w)" if self.modules else "",
            rf"(?m:^[ \t>]*(?:from|import)[ \t]+({imported})(?=[\s.,]|$))" if self.projects else "",
        ]
        return re.compile("|".join(filter(None, ways)), re.IGNORECASE) if any(ways) else None


def source_names(reference: Repo, but: Repo) -> SourceNames:
    """The names of a reference that are not also names of another repository."""
    own = frozenset(_projects(reference))
    saved = list(_saved_from(reference))
    own_parts = own | {_plain(each.rpartition("/")[2]) for each in saved}
    theirs = frozenset(_projects(but))
    mentioned = [address.rstrip(".") for text in _notes(reference) for address in _ADDRESS.findall(text)]
    addresses = {each.lower() for each in saved}
    addresses |= {each.lower() for each in mentioned if _plain(each.rpartition("/")[2]) in own_parts - theirs}
    addresses |= {each.lower() for each in _ID.findall(reference.target.partition("://")[2].removesuffix(".git"))[-1:]}
    words = {word for name in own_parts | {_plain(each) for each in saved} for word in _LETTERS.findall(name)}
    words -= _ANYBODYS
    stems = {_stem(path) for path in reference.files.paths()}
    modules = {stem for stem in stems if len(stem) >= _SHORTEST_MODULE and any(word in stem for word in words)} - {
        _stem(path) for path in but.files.paths()
    }
    return SourceNames(frozenset(own_parts - theirs - _FOLDERS), frozenset(addresses), frozenset(modules - theirs))


def together(names: Iterable[SourceNames]) -> SourceNames:
    """The names of several sources."""
    listed = list(names)
    return SourceNames(
        frozenset().union(*(each.projects for each in listed)),
        frozenset().union(*(each.addresses for each in listed)),
        frozenset().union(*(each.modules for each in listed)),
    )


def checkpoint_pattern() -> re.Pattern[str]:
    """What finds the checkpoints of a hub that a text loads, as `owner/name`."""
    return re.compile(r"from_pretrained\(\s*[\"']([A-Za-z0-9][\w.-]{0,90}/[A-Za-z0-9][\w.-]{0,90})[\"']")


def _projects(repo: Repo) -> Iterator[str]:
    yield _plain(repo.name)
    for path in repo.files.paths():
        if path.endswith("/__init__.py") and path.removeprefix("src/").count("/") == 1:
            yield path.removeprefix("src/").partition("/")[0].lower()


def _saved_from(repo: Repo) -> Iterator[str]:
    """What configurations say they were saved from, where that is no local path."""
    configs = [path for path in repo.files.others() if path.rpartition("/")[2] == "config.json"]
    for path in configs[:_MOST_CONFIGS]:
        head = repo.files.head(path, _CONFIG_BYTES)
        if isinstance(head, Skipped):
            continue
        name = bounded_json.mapping(head.data).get("_name_or_path")
        if isinstance(name, str) and _ID.fullmatch(name):
            yield name


def _notes(repo: Repo) -> Iterator[str]:
    for data in repo.files.notes().values():
        yield data.decode("utf-8", "replace")


def _either(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=lambda name: (-len(name), name))))


def _plain(name: str) -> str:
    return name.lower().removesuffix(".git")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0].lower()
