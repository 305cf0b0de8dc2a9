"""One repository -> its trace keys: small files and headers are read, what is known of a content is not read again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from detector.artifacts import lfs_pointer
from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.checkpoints import checkpoint
from detector.artifacts.checkpoints.families import registry as families
from detector.artifacts.keys import config_keys, file_keys, layout_keys, tokenizer_keys
from detector.artifacts.keys.key import FileKeys, Key, Keys, Kind, Known, Shape
from detector.artifacts.keys.steps import Step, Way, keyed, steps
from detector.artifacts.lfs_pointer import Pointer
from detector.artifacts.tokenizers.files import digests
from detector.artifacts.tokenizers.known import registry as tokenizers
from detector.artifacts.weights.opened import tensors_of
from detector.model import Skipped
from detector.settings.scan import MOST_KEYS
from detector.targets import Head, Repo


def nothing_known(file: str) -> FileKeys | None:
    """What is known of files where nothing is."""
    del file
    return None


def keys(repo: Repo, known: Known = nothing_known) -> Keys:
    """Make the keys of a repository.

    known:  what a file told before, by its id: such a file is not fetched.
    Stable: the same contents give the same keys, whether they were read now or before.
    Errors: none; what cannot be read is skipped.
    """
    found: list[Key] = []
    shapes: dict[str, Mapping[Shape, int]] = {}
    read: list[FileKeys] = []
    skipped: list[Skipped] = []
    for step in steps(repo):
        if isinstance(step, Skipped):
            skipped.append(step)
            continue
        told = (known(step.id) if step.id else None) or _read(repo, step)
        if isinstance(told, Skipped):  # perhaps it can be read the next time
            skipped.append(told)
            continue
        read.append(told)
        found += told.keys
        if told.shapes:
            shapes[step.path] = told.shapes
        if told.reason:
            skipped.append(Skipped(step.path, told.reason))
    found += _of_ids(repo)
    found += layout_keys.layouts(shapes)
    kept = tuple(each for each in read if each.id)
    return Keys(_distinct(found), kept, tuple(dict.fromkeys(skipped)))


def _of_ids(repo: Repo) -> list[Key]:
    """Keys of files by the ids that a listing tells."""
    found = []
    for path in keyed(repo):
        if path in repo.ids:
            head = repo.files.head(path, 0)
            if isinstance(head, Head) and (each := file_keys.of(path, repo.ids[path], head.size_bytes)):
                found.append(each)
    return found


def _read(repo: Repo, step: Step) -> FileKeys | Skipped:
    """Read one file in its way."""
    if step.way is Way.TENSORS:
        return _header(repo, step)
    head = repo.files.head(step.path, step.first_bytes)
    if isinstance(head, Skipped):
        return Skipped(step.path, head.reason)
    if (pointer := lfs_pointer.read(head.data)) is not None:
        return _pointed(step, pointer)
    try:
        return FileKeys(step.id, _distinct(_READERS[step.way](step.path, head.data)))
    except CannotParse as error:
        return FileKeys(step.id, reason=error.reason)


def _header(repo: Repo, step: Step) -> FileKeys | Skipped:
    # Enough for most headers, which then take one request.
    head = repo.files.head(step.path, step.first_bytes)
    if isinstance(head, Head) and head.is_whole and (pointer := lfs_pointer.read(head.data)) is not None:
        return _pointed(step, pointer)
    tensors = tensors_of(step.path, repo.files)
    if isinstance(tensors, str):
        return FileKeys(step.id, reason=tensors) if isinstance(head, Head) else Skipped(step.path, tensors)
    every = {name: each.shape for name, each in tensors.items()}
    return FileKeys(step.id, _distinct(layout_keys.names(every, families())), layout_keys.shapes(every.values()))


def _pointed(step: Step, pointer: Pointer) -> FileKeys:
    """The key of a large file that is elsewhere: its id is here."""
    found = file_keys.of(step.path, f"sha256:{pointer.sha256}", pointer.size_bytes)
    if found is None:
        return FileKeys(step.id, reason="only the pointer of git-lfs is there, not the file")
    return FileKeys(step.id, (found,))


def _index(path: str, data: bytes) -> list[Key]:
    del path
    found = checkpoint.read_index(data)
    return layout_keys.names(dict.fromkeys(found[0]), families()) if found is not None else []


def _hashed(path: str, data: bytes) -> list[Key]:
    """The key by the id that a listing elsewhere would tell of a small file."""
    content = next(each for each in digests(data) if each.startswith("git:"))
    found = file_keys.of(path, content, len(data))
    return [found] if found is not None else []


_READERS: dict[Way, Callable[[str, bytes], Iterable[Key]]] = {
    Way.CONFIG: lambda path, data: config_keys.of(path, data, families()),
    Way.TOKENIZER: lambda path, data: tokenizer_keys.of(path, data, tokenizers()),
    Way.INDEX: _index,
    Way.HASH: _hashed,
}


def _distinct(found: Iterable[Key]) -> tuple[Key, ...]:
    """Each key once, with the most bits that were found for it; of each kind the rarest, in one order."""
    best: dict[tuple[Kind, int], Key] = {}
    for each in found:
        place = each.kind, each.hash
        if place not in best or best[place].bits < each.bits:
            best[place] = each
    by_kind: defaultdict[Kind, list[Key]] = defaultdict(list)
    for each in best.values():
        by_kind[each.kind].append(each)
    kept = [key for some in by_kind.values() for key in sorted(some, key=lambda one: (-one.bits, one.hash))[:MOST_KEYS]]
    return tuple(sorted(kept, key=lambda each: (each.kind, each.hash)))
