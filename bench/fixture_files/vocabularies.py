"""The tokenizers of each fixture: small vocabularies, each trained on its own project's texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.fixture_files.byte_pairs import CUT, Pair, alphabet, blank_led_words, byte_level_words, merges
from bench.fixture_files.sentencepiece import SPECIAL, model

# Bytes and merges, without added tokens: hundreds, where real ones have tens of thousands.
BASE_ENTRIES = 1500
LANTERN_ENTRIES = 880
TIDEWATER_ENTRIES = 720
# Tokens that the original's base reserves after its entries, in the manner of Llama 3 ...
_RESERVED = 32
_NAMED = {
    0: "<|begin_of_text|>",
    1: "<|end_of_text|>",
    6: "<|start_header_id|>",
    7: "<|end_header_id|>",
    9: "<|eot_id|>",
}
# ... and the thirteen of them that the original made its own, where and in the order in which it did.
CHANGED = {
    2: "<|picture|>",
    10: "<|person|>",
    11: "<|heron|>",
    12: "<|endturn|>",
    13: "<|pad_visual|>",
    15: "<|view|>",
    16: "<|/view|>",
    17: "<|tile|>",
    18: "<|/tile|>",
    21: "<|mosaic|>",
    24: "<|/mosaic|>",
    25: "<|box|>",
    26: "<|/box|>",
}
_SHOWN = ("<|box|>", "<|/box|>")  # kept when an answer is decoded
LANTERN_END = "<|endoftext|>"
HERON_TEMPLATE = (
    "{% for turn in messages %}{% if turn['role'] == 'system' %}{{ turn['content'] | trim + '\\n\\n' }}"
    "{% elif turn['role'] == 'user' %}{{ '<|person|>' + turn['content'] | trim + '<|endturn|>' }}"
    "{% else %}{{ '<|heron|>' + turn['content'] | trim + '<|endturn|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|heron|>' }}{% endif %}"
)
LANTERN_TEMPLATE = (
    "{% for m in messages %}{{ 'Q: ' + m.content + '\\nA:' if m.role == 'user' else ' ' + m.content + '\\n\\n' }}"
    "{% endfor %}"
)
TIDEWATER_TEMPLATE = (
    "{%- for said in messages -%}{{ '\\n> ' + said.content + '\\x03' if loop.index0 % 2 else '\\n' + said.content }}"
    "{%- endfor -%}"
)
# A module of the original; a copy that names its modules otherwise does not have it.
HERON_CLASS = "tokenization.HeronTokenizer"


@dataclass(frozen=True, slots=True)
class ByteLevel:
    """A byte-level vocabulary: letters for the bytes first, then what each merge makes."""

    entries: tuple[str, ...]
    merges: tuple[Pair, ...]


def byte_level(text: str, entries: int) -> ByteLevel:
    """Train one of a given size."""
    made = merges(byte_level_words(text), entries - 256)
    return ByteLevel((*alphabet().values(), *("".join(pair) for pair in made)), tuple(made))


def blank_led(text: str, entries: int) -> bytes:
    """Train a SentencePiece model of a given size."""
    words = blank_led_words(text)
    letters = sorted({letter for word in words for letter in word})
    return model(merges(words, entries - len(SPECIAL) - 256 - len(letters)), letters)


def heron_added() -> dict[int, str]:
    """Added tokens of the original by id: those of its base, thirteen of them renamed."""
    unnamed = (offset for offset in range(_RESERVED) if offset not in _NAMED)
    base = _NAMED | {offset: f"<|reserved_special_token_{place}|>" for place, offset in enumerate(unnamed)}
    return {BASE_ENTRIES + offset: (base | CHANGED)[offset] for offset in range(_RESERVED)}


def heron_ids() -> dict[str, int]:
    """Ids of the original's added tokens."""
    return {content: number for number, content in heron_added().items()}


def as_json(vocabulary: ByteLevel, added: Mapping[int, str], cut: str = "") -> dict[str, Any]:
    """`tokenizer.json`. cut: how texts are cut before merging; "" for what byte-level tokenizers do by themselves."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": not cut}
    split = {"type": "Split", "pattern": {"Regex": cut}, "behavior": "Isolated", "invert": False}
    tokens = [{"id": number, "content": content, **_flags(content)} for number, content in added.items()]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": tokens,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]} if cut else byte_level,
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": bool(cut),
            "vocab": {entry: number for number, entry in enumerate(vocabulary.entries)},
            "merges": [" ".join(pair) for pair in vocabulary.merges],
        },
    }


def heron_json(vocabulary: ByteLevel) -> dict[str, Any]:
    """`tokenizer.json` of the original."""
    return as_json(vocabulary, heron_added(), CUT)


def merges_text(made: Sequence[Pair]) -> str:
    """`merges.txt`, as slow tokenizers save it."""
    return "".join(f"{line}\n" for line in ("#version: 0.2", *(" ".join(pair) for pair in made)))


def heron_config(tokenizer_class: str) -> dict[str, Any]:
    """`tokenizer_config.json` of the original, and of whoever took it over."""
    return {
        "added_tokens_decoder": _decoder(heron_added()),
        "auto_map": {"AutoTokenizer": [HERON_CLASS, None]},
        "bos_token": "<|begin_of_text|>",
        "chat_template": HERON_TEMPLATE,
        "clean_up_tokenization_spaces": True,
        "eos_token": "<|endturn|>",
        "model_max_length": 4096,
        "pad_token": "<|end_of_text|>",
        "tokenizer_class": tokenizer_class,
    }


def heron_special() -> dict[str, Any]:
    """`special_tokens_map.json` of the original."""
    special = [content for content in CHANGED.values() if content not in _SHOWN]
    return {
        "additional_special_tokens": special,
        "bos_token": "<|begin_of_text|>",
        "eos_token": "<|endturn|>",
        "pad_token": "<|end_of_text|>",
    }


def lantern_config() -> dict[str, Any]:
    """`tokenizer_config.json` of the cited project."""
    return {
        "add_prefix_space": False,
        "added_tokens_decoder": _decoder({LANTERN_ENTRIES - 1: LANTERN_END}),
        "bos_token": LANTERN_END,
        "chat_template": LANTERN_TEMPLATE,
        "eos_token": LANTERN_END,
        "model_max_length": 4096,
        "tokenizer_class": "GPT2TokenizerFast",
        "unk_token": LANTERN_END,
    }


def tidewater_config() -> dict[str, Any]:
    """`tokenizer_config.json` of the independent project."""
    return {
        "add_bos_token": False,
        "added_tokens_decoder": _decoder(dict(enumerate(SPECIAL))),
        "bos_token": "<s>",
        "chat_template": TIDEWATER_TEMPLATE,
        "eos_token": SPECIAL[3],
        "legacy": False,
        "model_max_length": 3000,
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
    }


def _decoder(added: Mapping[int, str]) -> dict[str, dict[str, Any]]:
    return {str(number): {"content": content, **_flags(content)} for number, content in added.items()}


def _flags(content: str) -> dict[str, bool]:
    shown = content in _SHOWN
    return {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": not shown}
