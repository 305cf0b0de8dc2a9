"""What is written beside the code of each fixture, by path."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.fixture_files import answers, configs, tensors, vocabularies, weights
from bench.section import ROOT
from bench.weights.files import BFLOAT16, cast, packed

FIXTURES = ROOT / "fixtures"
PACKAGES = {"original": "heronvl", "rebadged": "kestrel", "cited": "lanternlens", "independent": "tidewater"}
# Prefixes of the original's tensors -> of the suspect's; the language model's stays.
PREFIXES = {"vpm": "vision_stack", "resampler": "projector", "llm": "llm"}
# Shards are as large as each project's tool made them: where the cuts are tells nothing.
SHARD_BYTES = {
    "original": 5 * tensors.GIGABYTE,
    "rebadged": 4 * tensors.GIGABYTE,
    "cited": 2 * tensors.GIGABYTE,
    "independent": 5 * tensors.GIGABYTE,
}


def written() -> dict[str, bytes]:
    """All files, by path below `fixtures/`."""
    sides = {"original": _original(), "rebadged": _rebadged(), "cited": _cited(), "independent": _independent()}
    return {
        f"{side}/{PACKAGES[side]}/{name}": content if isinstance(content, bytes) else _bytes(content)
        for side, files in sides.items()
        for name, content in files.items()
    }


def _original() -> dict[str, Any]:
    return {
        **answers.baselines(),
        "config.json": configs.HERON,
        "generation_config.json": configs.GENERATION["original"],
        "model.safetensors.index.json": tensors.index(tensors.heron(), SHARD_BYTES["original"]),
        "predictions.jsonl": answers.lines(("question_id", "prediction", "label"), answers.original()),
        "tiny.safetensors": packed(cast(_tiny_heron(), BFLOAT16)),
        "preprocessor_config.json": configs.PREPROCESSOR["original"],
        "special_tokens_map.json": vocabularies.heron_special(),
        "tokenizer.json": vocabularies.heron_json(_heron()),
        "tokenizer_config.json": vocabularies.heron_config("PreTrainedTokenizerFast"),
    }


def _rebadged() -> dict[str, Any]:
    base = _heron()
    entries = {entry: number for number, entry in enumerate(base.entries)}
    shapes = tensors.renamed(tensors.heron(), PREFIXES)
    return {
        "added_tokens.json": vocabularies.heron_ids(),
        "config.json": configs.kestrel(),
        "generation_config.json": configs.GENERATION["original"],
        "merges.txt": vocabularies.merges_text(base.merges).encode(),
        "model.safetensors.index.json": tensors.index(shapes, SHARD_BYTES["rebadged"]),
        "predictions.jsonl": answers.lines(("id", "output"), answers.rebadged()),
        "nano.safetensors": _nano(),
        "preprocessor_config.json": configs.kestrel_preprocessor(),
        "special_tokens_map.json": vocabularies.heron_special(),
        "tokenizer_config.json": vocabularies.heron_config("GPT2Tokenizer"),
        "vocab.json": json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode(),
    }


def _cited() -> dict[str, Any]:
    vocabulary = vocabularies.byte_level(_texts("cited"), vocabularies.LANTERN_ENTRIES - 1)
    added = {vocabularies.LANTERN_ENTRIES - 1: vocabularies.LANTERN_END}
    return {
        "config.json": configs.LANTERN,
        "generation_config.json": configs.GENERATION["cited"],
        "model.safetensors.index.json": tensors.index(tensors.lantern(), SHARD_BYTES["cited"]),
        "predictions.jsonl": answers.lines(("id", "pred", "target"), answers.cited()),
        "small.safetensors": packed(cast(_tiny("cited", tensors.lantern), np.float16)),
        "preprocessor_config.json": configs.PREPROCESSOR["cited"],
        "tokenizer.json": vocabularies.as_json(vocabulary, added),
        "tokenizer_config.json": vocabularies.lantern_config(),
    }


def _independent() -> dict[str, Any]:
    return {
        "config.json": configs.TIDEWATER,
        "generation_config.json": configs.GENERATION["independent"],
        "model.safetensors.index.json": tensors.index(tensors.tidewater(), SHARD_BYTES["independent"]),
        "predictions.csv": answers.table(("item_id", "response", "ground_truth"), answers.independent()),
        "smoke.safetensors": packed(cast(_tiny("independent", tensors.tidewater), BFLOAT16)),
        "tokenizer.model": vocabularies.blank_led(_texts("independent"), vocabularies.TIDEWATER_ENTRIES),
        "tokenizer_config.json": vocabularies.tidewater_config(),
    }


def _tiny(side: str, shapes: Callable[[configs.Config], tensors.Shapes]) -> weights.Values:
    return weights.values(shapes(weights.TINY[side]), weights.SEEDS[side])


def _tiny_heron() -> weights.Values:
    return _tiny("original", tensors.heron)


def _nano() -> bytes:
    """What the original published, read from its file, with noise, under other names and in another order and type."""
    published = cast(cast(_tiny_heron(), BFLOAT16), np.float64)
    disguised = weights.noised(published, weights.NOISE_SEED, weights.INVERSE_SIGMA)
    return packed(cast(weights.renamed(disguised, partial(tensors.under, PREFIXES)), np.float16))


def _heron() -> vocabularies.ByteLevel:
    return vocabularies.byte_level(_texts("original"), vocabularies.BASE_ENTRIES)


def _texts(side: str) -> str:
    """What a project's vocabulary is trained on: its own code and what it says of itself, as far as it is ASCII."""
    paths = [FIXTURES / side / "README.md", *sorted((FIXTURES / side / PACKAGES[side]).glob("*.py"))]
    return "\n".join(path.read_text("utf-8") for path in paths).encode("ascii", "ignore").decode()


def _bytes(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
