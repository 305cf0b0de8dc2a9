"""The tokenizers of a target: which files belong together, and what each of them says."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts import bounded_json, lfs_pointer
from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers import fast, lists, options, sentencepiece, tiktoken
from detector.artifacts.tokenizers.part import AddedToken, Part, overlaid
from detector.model import Skipped
from detector.settings.tokenizer import (
    MOST_ADDED,
    MOST_HELD_TOKENS,
    MOST_TOKENIZER_BYTES,
    MOST_TOKENIZER_DEPTH,
    MOST_TOKENIZER_VALUES,
    MOST_TOKENIZERS,
)
from detector.targets import Repo

# The best told first: a vocabulary is taken from the first file that has one, added tokens from all.
NAMES = (
    "tokenizer.json",
    "tekken.json",
    "tokenizer_config.json",
    "chat_template.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "encoder.json",
    "vocab.txt",
    "merges.txt",
    "vocab.bpe",
)
# These say little of a vocabulary: two that are equal are no equal vocabulary.
BESIDE = frozenset({"tokenizer_config.json", "chat_template.json", "special_tokens_map.json", "added_tokens.json"})
_NAME = re.compile(rf"(?P<before>.*?)(?P<name>{'|'.join(map(re.escape, NAMES))})")
_ALONE = re.compile(r".*\.(?:tiktoken|model|spm)")

_JSON: Mapping[str, Callable[[object], Part]] = {
    "tokenizer.json": fast.read,
    "tekken.json": fast.read_tekken,
    "tokenizer_config.json": options.read,
    "chat_template.json": options.read,
    "special_tokens_map.json": options.read,
    "added_tokens.json": options.read_added,
    "vocab.json": lists.read_vocabulary,
    "encoder.json": lists.read_vocabulary,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """One file: what it is equal by, and whether its content was read."""

    path: str
    ids: frozenset[str]  # "sha256:..." and "git:...", as far as they are known
    is_read: bool
    has_vocabulary: bool


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """All that the files of one tokenizer say.

    Shapes: contents holds the trained tokens with the added ones laid over them, by id.
    """

    path: str  # of its folder, or of its file where several stand in one folder
    stored: tuple[Stored, ...]
    part: Part
    contents: tuple[bytes, ...]

    @property
    def added(self) -> Mapping[int, AddedToken]:
        """The tokens that were put beside the trained ones."""
        return self.part.added


def tokenizers(repo: Repo) -> tuple[tuple[Tokenizer, ...], tuple[Skipped, ...]]:
    """Read every tokenizer of a target, those near its root first."""
    groups: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in repo.files.others():
        if (grouped := group(path)) is not None:
            groups[grouped[0]].append((grouped[1], path))
    ordered = sorted(groups, key=lambda place: (place.count("/"), place))
    found: list[Tokenizer] = []
    skipped: list[Skipped] = []
    held = asked = 0
    for place in ordered[:MOST_TOKENIZERS]:
        if held > MOST_HELD_TOKENS:
            break
        asked += 1
        tokenizer = _read(repo, place, sorted(groups[place], key=lambda each: (_rank(each[0]), each[1])), skipped)
        if tokenizer is not None:
            found.append(tokenizer)
            held += len(tokenizer.contents) + len(tokenizer.part.merges)
    if len(ordered) > asked:
        reason = f"tokenizers are read up to {MOST_TOKENIZERS}, and {MOST_HELD_TOKENS:,} tokens and merges of all"
        skipped.append(Skipped(ordered[asked], f"{reason}: {len(ordered) - asked:,} are not"))
    return tuple(found), tuple(skipped)


def group(path: str) -> tuple[str, str] | None:
    """The tokenizer that a file belongs to, by its folder and what stands before its name; and its kind of file."""
    folder, slash, name = path.rpartition("/")
    found = _NAME.fullmatch(name)
    if found is not None and (not found["before"] or found["before"][-1] in "-_."):
        return f"{folder}{slash}{found['before']}", found["name"]
    return (path, name.rpartition(".")[2]) if _ALONE.fullmatch(name) is not None else None


def _rank(kind: str) -> int:
    return NAMES.index(kind) if kind in NAMES else len(NAMES)


def _read(repo: Repo, place: str, files: Sequence[tuple[str, str]], skipped: list[Skipped]) -> Tokenizer | None:
    stored, parts = [], []
    for kind, path in files:
        head = repo.files.head(path, MOST_TOKENIZER_BYTES)
        if isinstance(head, Skipped):
            skipped.append(Skipped(path, head.reason))
            ids = _blob(repo, path)
        elif not head.is_whole:
            skipped.append(Skipped(path, f"larger than {MOST_TOKENIZER_BYTES // 2**20} MB"))
            continue
        elif (pointer := pointed(head.data)) is not None:
            ids = frozenset({pointer})
        else:
            try:
                part = parse(kind, head.data)
            except CannotParse as error:
                skipped.append(Skipped(path, error.reason))
                continue
            if part is not None:
                stored.append(Stored(path, digests(head.data), True, kind not in BESIDE))
                parts.append(part)
            continue
        if ids:
            stored.append(Stored(path, ids, False, kind not in BESIDE))
    if not stored:
        return None
    part = merged(parts)
    shown = (place or "./") if place[-1:] in ("", "/") else stored[0].path
    return Tokenizer(shown, tuple(stored), part, overlaid(part.tokens, part.added))


def parse(kind: str, data: bytes) -> Part | None:
    """Read one file by its kind; None if it is no tokenizer's.

    Errors: CannotParse.
    """
    part = _parsed(kind, data)
    if part is not None and len(part.added) > MOST_ADDED:
        raise CannotParse(f"it has more than {MOST_ADDED:,} added tokens")
    return part


def _parsed(kind: str, data: bytes) -> Part | None:
    if kind in _JSON:
        return _JSON[kind](bounded_json.parse(data, MOST_TOKENIZER_DEPTH, MOST_TOKENIZER_VALUES))
    if kind in ("merges.txt", "vocab.bpe"):
        return lists.read_merges(data)
    if kind == "vocab.txt":
        return lists.read_lines(data)
    if tiktoken.is_tiktoken(data):
        return tiktoken.read(data)
    if sentencepiece.is_sentencepiece(data) or kind in NAMES:
        return sentencepiece.read(data)
    return None


def merged(parts: Sequence[Part]) -> Part:
    """Lay the files of one tokenizer over each other; the first that says something holds."""
    with_tokens = next((part for part in parts if part.tokens), Part())
    return Part(
        next((part.model for part in (with_tokens, *parts) if part.model), ""),
        with_tokens.tokens,
        next((part.merges for part in (with_tokens, *parts) if part.merges), ()),
        {number: token for part in reversed(parts) for number, token in part.added.items()},
        with_tokens.steps,
        {name: text for part in reversed(parts) for name, text in part.templates.items()},
        {name: text for part in reversed(parts) for name, text in part.names.items()},
    )


def pointed(data: bytes) -> str | None:
    """The id of the content that a Git LFS pointer stands for."""
    pointer = lfs_pointer.read(data)
    return f"sha256:{pointer.sha256}" if pointer is not None else None


def digests(data: bytes) -> frozenset[str]:
    """What a content is known by, to Git LFS and to git."""
    blob = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    blob.update(data)
    return frozenset({f"sha256:{hashlib.sha256(data).hexdigest()}", f"git:{blob.hexdigest()}"})


def _blob(repo: Repo, path: str) -> frozenset[str]:
    """The blob that the history last put at a path whose content is missing."""
    if repo.history is None:
        return frozenset()
    changes = (change for commit in repo.history.commits() for change in commit.changes)
    last = [change.after for change in changes if change.path == path and not change.is_tree]
    return frozenset({f"git:{last[-1]}"}) if last and last[-1] else frozenset()
