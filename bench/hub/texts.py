"""What stands beside the code and the weights: cards, licences, configurations, tokenizers."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from bench.hub.weights import Sizes
from bench.hub.words import NOUNS, coined
from bench.independent_models import LLAMA_3, LORA, MISTRAL
from bench.section import ROOT
from detector.artifacts.tokenizers.alphabet import ALPHABET

Files = dict[str, bytes | str]
ATTRIBUTES = "".join(
    f"*.{end} filter=lfs diff=lfs merge=lfs -text\n" for end in ("bin", "gguf", "npz", "onnx", "pt", "safetensors")
)
_LETTERS = {byte: letter for letter, byte in ALPHABET.items()}
_USUAL = ("<s>", "</s>", "<unk>", "<pad>")
# Sizes of published models, as anybody sets them who trains one of that size.
_PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "bert": {
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 384,
        "initializer_range": 0.02,
        "intermediate_size": 1536,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "model_type": "bert",
        "num_attention_heads": 12,
        "num_hidden_layers": 6,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "type_vocab_size": 2,
        "use_cache": True,
        "vocab_size": 30522,
    },
    "llama": {
        **LLAMA_3,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "num_hidden_layers": 30,
        "vocab_size": 49152,
        "tie_word_embeddings": True,
        "max_position_embeddings": 2048,
        "rope_theta": 10000.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
    },
    "llama-3": LLAMA_3,
    "mistral": MISTRAL,
    "adapter": LORA,
}


def card(name: str, rng: random.Random, bases: Sequence[str] = (), relation: str = "") -> str:
    """A model card as its template makes it; `bases` are declared."""
    lines = [
        "---",
        f"license: {rng.choice(('apache-2.0', 'mit'))}",
        "language:",
        "- en",
        "library_name: transformers",
        "pipeline_tag: text-generation",
    ]
    if bases:
        lines += ["base_model:", *(f"- {base}" for base in bases)]
    if relation:
        lines.append(f"base_model_relation: {relation}")
    lines += ["tags:", f"- {rng.choice(('text-generation', 'research', 'small'))}", "---", f"# {name}", ""]
    lines += [
        "This is the model card of a 🤗 transformers model that has been pushed on the Hub.",
        "",
        "## Model details",
        "",
        f"- **Developed by:** {name}",
        f"- **Training tokens:** {rng.randint(2, 900)} B",
        "",
        "## Uses",
        "",
        f"Text about {rng.choice(NOUNS)}s and {rng.choice(NOUNS)}s. [More information needed]",
        "",
        "## Bias, risks and limitations",
        "",
        "Users should be made aware of the risks, biases and limitations of the model.",
        "",
        "## How to get started",
        "",
        "```python",
        "from transformers import AutoModelForCausalLM",
        "",
        "model = AutoModelForCausalLM.from_pretrained(...)",
        "```",
        "",
    ]
    return "\n".join(lines)


def licence() -> str:
    """A licence that many have."""
    return (ROOT / "LICENSE").read_text("utf-8")


def configuration(values: Mapping[str, Any]) -> str:
    """`config.json`."""
    return json.dumps(values, indent=2) + "\n"


def published(kind: str, **changes: Any) -> dict[str, Any]:
    """The configuration of a published model, as those have it who build on it."""
    return {**_PUBLISHED[kind], **changes}


def odd(seed: str) -> dict[str, Any]:
    """Settings that nobody else has, with values that nobody else would choose."""
    rng = random.Random(f"odd:{seed}")
    found: dict[str, Any] = {}
    for noun in rng.sample(NOUNS, 14):
        match rng.randrange(4):
            case 0:
                found[f"{noun}_{rng.choice(('span', 'count', 'stride'))}"] = rng.randint(37, 4_001) | 1
            case 1:
                found[f"{noun}_{rng.choice(('rate', 'decay', 'share'))}"] = round(rng.uniform(0.011, 0.97), 4)
            case 2:
                found[f"{noun}_{rng.choice(('ratios', 'levels'))}"] = [round(rng.uniform(0.1, 9), 2) for _ in range(4)]
            case _:
                found[f"{noun}_{rng.choice(('mode', 'order'))}"] = f"{coined(rng, 2)}-{rng.randint(2, 9)}"
    return found


def disguised_configuration(values: Mapping[str, Any], name: str, seed: str) -> dict[str, Any]:
    """The same settings in another order, under another name of the type."""
    rng = random.Random(f"order:{seed}")
    named = {"model_type": name, "architectures": [f"{name.capitalize()}ForCausalLM"]}
    changed = {**values, **named}
    return {key: changed[key] for key in rng.sample(list(changed), len(changed))}


def sizes_of(sizes: Sizes, keys: Mapping[str, str]) -> dict[str, Any]:
    """Sizes under the names that a family gives them."""
    values = {"width": sizes.width, "heads": sizes.heads, "depth": sizes.layers, "words": sizes.words}
    return {keys[name]: value for name, value in values.items()}


class Vocabulary:
    """A tokenizer: 256 bytes, then words of a few syllables; and what was added to it."""

    def __init__(self, seed: str, size: int = 1_800, added: int = 12) -> None:
        rng = random.Random(f"words:{seed}")
        letters = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
        syllables = rng.sample(letters, 8)
        words = [" " + "".join(each) for length in (1, 2, 3, 4) for each in product(syllables, repeat=length)]
        self.tokens = [*(bytes([byte]) for byte in range(256)), *(word.encode() for word in words)][:size]
        own = [
            f"<|{rng.choice(NOUNS)}_{rng.choice(('begin', 'end', 'slot', 'turn'))}_{number}|>"
            for number in range(added)
        ]
        self.added = [*_USUAL, *own]

    def files(self) -> Files:
        """As the library of fast tokenizers writes it."""
        added = [
            {"id": len(self.tokens) + place, "content": each, "special": True} for place, each in enumerate(self.added)
        ]
        model = {
            "type": "BPE",
            "vocab": {self._spelled(each): place for place, each in enumerate(self.tokens)},
            "merges": [],
        }
        told = {"version": "1.0", "added_tokens": added, "pre_tokenizer": {"type": "ByteLevel"}, "model": model}
        return {"tokenizer.json": json.dumps(told, indent=1, ensure_ascii=False), **self._config(indent=2)}

    def disguised(self) -> Files:
        """The same in other files: lists of words beside each other, another order, another layout."""
        vocabulary = {self._spelled(each): place for place, each in reversed(list(enumerate(self.tokens)))}
        added = {each: len(self.tokens) + place for place, each in reversed(list(enumerate(self.added)))}
        return {
            "vocab.json": json.dumps(vocabulary, separators=(",", ":")),
            "merges.txt": "#version: 0.2\n",
            "added_tokens.json": json.dumps(added, separators=(",", ":")),
            **self._config(indent=None),
        }

    def _config(self, indent: int | None) -> Files:
        decoder = {
            str(len(self.tokens) + place): {"content": each, "special": True} for place, each in enumerate(self.added)
        }
        told = {"added_tokens_decoder": decoder, "model_max_length": 2048, "tokenizer_class": "PreTrainedTokenizerFast"}
        return {"tokenizer_config.json": json.dumps(told, indent=indent)}

    def _spelled(self, token: bytes) -> str:
        return "".join(_LETTERS[byte] for byte in token)


def common_tokenizer() -> Files:
    """A small tokenizer that dozens of models have, with the tokens that everybody adds."""
    return Vocabulary("common", size=700, added=0).files()
