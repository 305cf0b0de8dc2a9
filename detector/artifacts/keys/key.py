"""The nouns of trace keys: a key, what one file tells, what all files of a repository tell."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from detector.model import Skipped
from detector.settings.scan import KEYS_VERSION

Shape = tuple[int, ...]
_HASH_BYTES = 8


class Kind(enum.StrEnum):
    """What a key is made of."""

    FILE = "file"  # the content of a file of code or of a checkpoint
    DOCUMENT = "document"  # ... of any other
    CONFIG = "config"  # a key of a configuration with its value
    SIZE = "size"  # the same where a published family has the key: one of its sizes
    VALUE = "value"  # a rare value under whatever key
    AUTO_MAP = "auto-map"  # the class that a configuration loads
    TOKEN = "token"  # an added or changed token
    VOCABULARY = "vocabulary"  # a minimum of hashes of tokens with their ids
    TEMPLATE = "template"  # a statement of a chat template
    MODULE = "module"  # a name of a module or parameter, with the shapes below it
    NAME = "name"  # the same without shapes, which an index does not tell
    LAYOUT = "layout"  # shapes of matrices: with whom values are compared, no reason by itself


@dataclass(frozen=True, slots=True)
class Key:
    """A hash of something telling."""

    kind: Kind
    hash: int  # 64 bits, signed, as a database has it
    bits: float  # how rare it is by what the package knows; 0: everybody's


@dataclass(frozen=True, slots=True)
class FileKeys:
    """What one file tells, wherever it lies: kept by its id, so that the file is not fetched again."""

    id: str  # the way it is read, and the id of its content; "" where that is not known
    keys: tuple[Key, ...] = ()
    shapes: Mapping[Shape, int] | None = None  # of its matrices, if it is a file of tensors: how many of each
    reason: str = ""  # why it tells nothing, if it should have


@dataclass(frozen=True, slots=True)
class Keys:
    """What a repository is looked up by."""

    keys: tuple[Key, ...]  # each once, in the order of kinds and hashes
    files: tuple[FileKeys, ...] = ()  # that have an id, whether they were read now or before
    skipped: tuple[Skipped, ...] = ()


Known = Callable[[str], FileKeys | None]


def key(kind: Kind, text: str | bytes, bits: float) -> Key:
    """Make a key of what it stands for."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    digest = blake2b(b"%b\0%b" % (kind.value.encode(), data), digest_size=_HASH_BYTES).digest()
    return Key(kind, int.from_bytes(digest, "big", signed=True), round(bits, 3))


def file_id(way: str, content: str) -> str:
    """What a file is kept by: "config 1 git:0a1b..."; nothing for a content that has no id."""
    return f"{way} {KEYS_VERSION} {content}" if content else ""
