"""Which files of a repository are read for its keys, in which way, and what that costs."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from detector.artifacts.checkpoints import checkpoint, configuration
from detector.artifacts.keys import file_keys, tokenizer_keys
from detector.artifacts.keys.key import Known, file_id
from detector.artifacts.tokenizers.known import registry as known_tokenizers
from detector.artifacts.weights.opened import GGUF
from detector.model import Skipped
from detector.settings.config import MOST_CONFIG_BYTES, MOST_CONFIG_FILES, MOST_INDEX_BYTES
from detector.settings.scan import (
    FIRST_HEADER_PART,
    LEAST_FIRST_HEADER_BYTES,
    MOST_FIRST_HEADER_BYTES,
    MOST_HASHED_BYTES,
    MOST_HEADERS,
    MOST_KEYED_FILES,
)
from detector.settings.tokenizer import MOST_TOKENIZER_BYTES
from detector.targets import Head, Repo


class Way(enum.StrEnum):
    """How a file is read."""

    CONFIG = "config"
    TOKENIZER = "tokenizer"
    TENSORS = "tensors"  # its header
    INDEX = "index"  # of a checkpoint whose headers cannot be read
    HASH = "hash"  # for its id alone


@dataclass(frozen=True, slots=True)
class Step:
    """One file that is read, unless its keys are known."""

    way: Way
    path: str
    id: str  # of what it tells; "" if its content has none
    first_bytes: int  # that are asked for at once


@dataclass(frozen=True, slots=True)
class Plan:
    """What reading the keys of a repository costs at least: headers may be longer than what is first read of them."""

    requests: int
    bytes: int
    known: int  # files whose keys are known already


def _first_of_header(size_bytes: int) -> int:
    return int(min(max(size_bytes * FIRST_HEADER_PART, LEAST_FIRST_HEADER_BYTES), MOST_FIRST_HEADER_BYTES))


_LONGEST_NAME = 80
_TENSORS = (checkpoint.HEADER, GGUF)
_WHOLE = (Way.CONFIG, Way.TOKENIZER, Way.INDEX)
_MOST: dict[Way, Callable[[int], int]] = {
    Way.CONFIG: lambda size: MOST_CONFIG_BYTES,
    Way.TOKENIZER: lambda size: MOST_TOKENIZER_BYTES,
    Way.INDEX: lambda size: MOST_INDEX_BYTES,
    Way.TENSORS: _first_of_header,
    Way.HASH: lambda size: MOST_HASHED_BYTES,
}


def planned(repo: Repo, known: Known) -> Plan:
    """Say what `keys` would fetch, and fetch nothing."""
    requests = read = held = 0
    for step in steps(repo):
        if isinstance(step, Skipped):
            continue
        if step.id and known(step.id) is not None:
            held += 1
        else:
            requests += 1
            read += step.first_bytes
    return Plan(requests, read, held)


def steps(repo: Repo) -> Iterator[Step | Skipped]:
    """What there is to read, each content once; what is too large comes as skipped."""
    done: set[str] = set()
    for way, path in _ways(repo):
        content = repo.ids.get(path, "")
        if way is Way.TOKENIZER and content in known_tokenizers().files:
            continue  # a published one, byte for byte
        head = repo.files.head(path, 0)  # asks for nothing: only how long the file is
        if isinstance(head, Skipped):
            yield head
            continue
        most = _MOST[way](head.size_bytes)
        if way is Way.HASH and head.size_bytes > most:
            continue
        if way in _WHOLE and head.size_bytes > most:
            yield Skipped(path, f"larger than {most:,} bytes: no keys are made of it")
            continue
        step = Step(way, path, file_id(f"{way}:{_name(path)}", content), min(most, head.size_bytes))
        if not step.id or step.id not in done:
            done.add(step.id)
            yield step


def _ways(repo: Repo) -> Iterator[tuple[Way, str]]:
    others = repo.files.others()
    tensors = _nearest_first(path for path in others if path.lower().endswith((checkpoint.HEADER, GGUF)))[:MOST_HEADERS]
    yield from ((Way.TENSORS, path) for path in tensors)
    if not tensors:
        indexes = _nearest_first(path for path in others if path.lower().endswith(checkpoint.INDEX))
        yield from ((Way.INDEX, path) for path in indexes[:MOST_HEADERS])
    yield from ((Way.CONFIG, path) for path in configuration.in_order(others)[:MOST_CONFIG_FILES])
    yield from ((Way.TOKENIZER, path) for path in tokenizer_keys.chosen(others, lambda path: _size(repo, path)))
    if not repo.is_remote:  # of a folder nobody tells what its files are
        unknown = [path for path in keyed(repo) if path not in repo.ids and not path.lower().endswith(_TENSORS)]
        yield from ((Way.HASH, path) for path in unknown)


def keyed(repo: Repo) -> list[str]:
    """Files that may tell by being the same, nearest to the top first."""
    return _nearest_first(filter(file_keys.tells, {*repo.files.others(), *repo.files.paths()}))[:MOST_KEYED_FILES]


def _nearest_first(paths: Iterator[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _name(path: str) -> str:
    """What tells how a file is to be read; a name that is nobody's by its end alone."""
    name = path.rpartition("/")[2].lower()
    return name if len(name) <= _LONGEST_NAME else name[-_LONGEST_NAME:]


def _size(repo: Repo, path: str) -> int:
    """How long a file is; nothing is asked for, since a listing tells it."""
    head = repo.files.head(path, 0)
    return head.size_bytes if isinstance(head, Head) else 0
