"""Small tokenizers for tests, invented, in each of the formats that are read."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import product

from detector.artifacts.tokenizers.alphabet import ALPHABET
from detector.artifacts.tokenizers.files import Tokenizer, merged, parse
from detector.artifacts.tokenizers.known import Known, Registry, assembled, digest, hashed, marks
from detector.artifacts.tokenizers.part import encoded, overlaid
from detector.model import Skipped

LETTERS = {byte: letter for letter, byte in ALPHABET.items()}
BYTES = [bytes([byte]) for byte in range(256)]
# Where the added tokens of these tokenizers begin.
FIRST_ADDED = 2000
RESERVED = tuple(f"<|spare_{number}|>" for number in range(24))


def vocabulary(syllables: str) -> list[bytes]:
    """256 bytes, then words of these syllables, 2,000 in all."""
    parts = syllables.split()
    words = [" " + "".join(chosen) for length in (1, 2, 3, 4) for chosen in product(parts, repeat=length)]
    return [*BYTES, *(word.encode() for word in words)][:FIRST_ADDED]


HERON = vocabulary("ka lo mi né su ta vu")
STORK = vocabulary("bu re zi wo pá dy fe")


def spelled(token: bytes) -> str:
    """A token in GPT-2's alphabet."""
    return "".join(LETTERS[byte] for byte in token)


def added(tokens: Mapping[int, str]) -> list[dict[str, object]]:
    return [{"id": number, "content": content, "special": True} for number, content in tokens.items()]


def reserved(changes: Mapping[int, str] | None = None) -> dict[int, str]:
    """The added tokens of the base, with some of them changed."""
    return {**{FIRST_ADDED + place: content for place, content in enumerate(RESERVED)}, **(changes or {})}


def as_json(tokens: Sequence[bytes], special: Mapping[int, str], merges: Sequence[object] = ()) -> bytes:
    """`tokenizer.json`."""
    model = {"type": "BPE", "vocab": {spelled(token): place for place, token in enumerate(tokens)}, "merges": merges}
    return json.dumps({"added_tokens": added(special), "model": model}).encode()


def as_tiktoken(tokens: Sequence[bytes]) -> bytes:
    """`tokenizer.model` in tiktoken's form."""
    return b"".join(b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def as_config(special: Mapping[int, str], **more: object) -> bytes:
    """`tokenizer_config.json`."""
    decoder = {str(number): {"content": content, "special": True} for number, content in special.items()}
    return json.dumps({"added_tokens_decoder": decoder, **more}).encode()


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def piece(text: bytes, kind: int = 1) -> bytes:
    body = b"\x0a" + varint(len(text)) + text + b"\x15\x00\x00\x80\xbf" + (b"\x18" + varint(kind) if kind != 1 else b"")
    return b"\x0a" + varint(len(body)) + body


def as_pieces(tokens: Sequence[tuple[bytes, int]]) -> bytes:
    """A model of SentencePiece: texts and their types."""
    return b"".join(piece(*token) for token in tokens) + b"\x12\x02\x18\x02"


def read(files: Mapping[str, bytes]) -> Tokenizer:
    """One tokenizer of files by their kinds."""
    parts = [part for kind, data in files.items() if (part := parse(kind, data)) is not None]
    whole = merged(parts)
    return Tokenizer("./", (), whole, overlaid(whole.tokens, whole.added))


def known(name: str, tokens: Sequence[bytes], special: Mapping[int, str]) -> Known:
    """A known tokenizer."""
    contents = [*tokens, *(encoded(special[number]) for number in sorted(special))]
    hashes = {number: hashed(encoded(content)) for number, content in special.items()}
    return Known(name, "", name, digest(contents), marks(contents), hashes)


def registry(*tokenizers: Known, uses: Mapping[str, int] | None = None) -> Registry:
    """What is known: these tokenizers, and how many of 255 families name a token."""
    told = {hashed(encoded(token)): count for token, count in (uses or {}).items()}
    return assembled(tokenizers, 255, told)


BASE = known("Heron", HERON, reserved())
KNOWN = registry(BASE, uses={"<image>": 40, "<pad>": 60, "<video>": 3})


def absent(path: str) -> Skipped:
    """What reading a file says that this copy of a repository does not have."""
    return Skipped(path, "not in this copy")
