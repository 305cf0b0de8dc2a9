"""What builds and tools left in a history: compiled files with the date of their source, paths of other projects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.histories.bytecode import Bytecode, read_bytecode, source_path
from detector.artifacts.histories.history_texts import HistoryTexts
from detector.artifacts.histories.lives import Life, Version
from detector.artifacts.histories.machine_paths import nameless, parts, paths_in
from detector.settings.history import CORROBORATING_SECONDS, MOST_RESIDUE_FILES

_LEFT = (".ipynb", ".log", ".out", ".err", ".json", ".yaml", ".yml", ".txt")
# Versions of one file name whose sizes are asked for.
_MOST_SIZED = 200


@dataclass(frozen=True, slots=True)
class Compiled:
    """One compiled Python file of a history."""

    path: str
    life: Life
    header: Bytecode


@dataclass(frozen=True, slots=True)
class Dated:
    """A compiled file whose source was written close to a commit that brought in a source of that size."""

    compiled: Compiled
    written: int
    version: Version


@dataclass(frozen=True, slots=True)
class Left:
    """A path that leads to another project, in a file that a tool left."""

    file: str
    life: Life
    path: str
    name: str  # of the project, as the path has it
    source_bytes: int | None
    written: int | None
    is_same_size: bool  # as a file of that name in the other project's history


@dataclass(frozen=True, slots=True)
class ToolPaths:
    """The absolute paths in one file."""

    file: str
    life: Life
    paths: tuple[str, ...]


def compiled_files(lives: Mapping[str, Life], texts: HistoryTexts) -> list[Compiled]:
    """The compiled files that a history ever held, by path."""
    found = []
    names = sorted((life.path, blob) for blob, life in lives.items() if life.path.endswith(".pyc"))
    for path, blob in names[:MOST_RESIDUE_FILES]:
        header = read_bytecode(texts.data(blob) or b"")
        if header is not None:
            found.append(Compiled(path, lives[blob], header))
    return found


def corroborated(found: Sequence[Compiled], versions: Sequence[Version], sizes: Sizes) -> Iterator[Dated]:
    """Compiled files whose source's date agrees with a commit's; the version of the same size that is closest to it."""
    for each in found:
        written, size = each.header.modified, each.header.source_bytes
        if written is None or size is None:
            continue
        name = source_path(each.path).rpartition("/")[2]
        fitting = [one for one in sizes.of_name(versions, name) if sizes.size(one.blob) == size]
        near = min(fitting, key=lambda one: abs(one.since - written), default=None)
        if near is not None and abs(near.since - written) <= CORROBORATING_SECONDS:
            yield Dated(each, written, near)


def tool_paths(lives: Mapping[str, Life], texts: HistoryTexts) -> list[ToolPaths]:
    """The absolute paths in notebooks, logs and what else tools write, by file."""
    files = sorted((life.path, blob) for blob, life in lives.items() if life.path.endswith(_LEFT))
    listed = [
        ToolPaths(file, lives[blob], tuple(paths_in(texts.text(blob)))) for file, blob in files[:MOST_RESIDUE_FILES]
    ]
    return [each for each in listed if each.paths]


def left_paths(
    compiled: Sequence[Compiled],
    tools: Sequence[ToolPaths],
    names: frozenset[str],
    theirs: Sequence[Version],
    sizes: Sizes,
) -> list[Left]:
    """The first path of each file that has a folder which is called like a project.

    theirs, sizes: the Python files of that project's history, and how large they are.
    """
    left = []
    for each in compiled:
        name = source_path(each.path).rpartition("/")[2]
        path = next((path for path in each.header.sources if parts(path)[-1] == name), "")
        project = _project(path, names)
        if project:
            size, written = each.header.source_bytes, each.header.modified
            is_same = any(sizes.size(one.blob) == size for one in sizes.of_name(theirs, name))
            left.append(Left(each.path, each.life, nameless(path), project, size, written, is_same))
    for tool in tools:
        path = next((path for path in tool.paths if _project(path, names)), "")
        if path:
            left.append(Left(tool.file, tool.life, path, _project(path, names), None, None, False))
    return left


class Sizes:
    """How large the blobs of one history are; each is asked for once."""

    def __init__(self, texts: HistoryTexts) -> None:
        self._texts = texts
        self._found: dict[str, int] = {}
        self._by_name: defaultdict[str, list[Version]] = defaultdict(list)

    def size(self, blob: str) -> int:
        """Its size; -1 if that is not known."""
        if blob not in self._found:
            data = self._texts.data(blob)
            self._found[blob] = -1 if data is None else len(data)
        return self._found[blob]

    def of_name(self, versions: Sequence[Version], name: str) -> list[Version]:
        """The versions of files of a name, wherever they stand."""
        if not self._by_name:
            for version in versions:
                self._by_name[version.path.rpartition("/")[2]].append(version)
        return self._by_name.get(name, [])[:_MOST_SIZED]


def _project(path: str, names: frozenset[str]) -> str:
    """The folder of a path that is called like a project; "" if none is."""
    return next((part for part in parts(path)[:-1] if part.lower() in names), "")
