"""What builds and tools left in a history: compiled files with the date of their source, paths of other projects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.bytecode import Bytecode, read_bytecode, source_path
from detector.artifacts.history_texts import HistoryTexts
from detector.artifacts.lives import Life, Version
from detector.artifacts.machine_paths import nameless, parts, paths_in
from detector.settings import CORROBORATING_SECONDS, MOST_RESIDUE_FILES

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


def left_paths(
    found: Sequence[Compiled],
    lives: Mapping[str, Life],
    texts: HistoryTexts,
    names: frozenset[str],
    theirs: Sequence[Version],
    sizes: Sizes,
) -> list[Left]:
    """Paths in compiled files, notebooks and logs with a folder that is called like a project, each once a file."""
    left = []
    for each in found:
        for path in each.header.sources:
            project = _project(path, names)
            is_source = parts(path)[-1:] == [source_path(each.path).rpartition("/")[2]]
            if project and is_source:
                size = each.header.source_bytes
                same = any(sizes.size(one.blob) == size for one in sizes.of_name(theirs, parts(path)[-1]))
                written = each.header.modified
                left.append(Left(each.path, each.life, nameless(path), project, size, written, same and bool(size)))
                break
    texts_left = sorted((life.path, blob) for blob, life in lives.items() if life.path.endswith(_LEFT))
    for file, blob in texts_left[:MOST_RESIDUE_FILES]:
        for path in paths_in(texts.text(blob)):
            project = _project(path, names)
            if project:
                left.append(Left(file, lives[blob], path, project, None, None, False))
                break
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
