"""A hub of 284 models in memory, as far as the funnel looks: configurations, tokenizers, checkpoints, notes; no code.

Fifty architectures with a model of their own each, several of one size; three public bases, two of which are on the
hub, with many fine-tunes that say so and a few that keep everything but the weights; and copies, of which the truth is
known. Everything that is asked for is counted, as requests and bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.independent_models import LLAMA_3
from bench.weights.files import cast, packed
from detector.model import Skipped
from detector.targets import Head, Repo, SourceFile

Tensors = dict[str, NDArray[Any]]
Tree = dict[str, Any]
LFS_BYTES = 1 << 18
ARCHITECTURES, TUNED, WIDTHS = 50, (90, 60, 50), (128, 160, 192)
WORDS, LAYERS = 2_000, 4
_SYLLABLES = "ka lo mi ne su ta vu bo ri ze wa po dy fe gu hi".split()


@dataclass
class Cost:
    """What was asked for."""

    requests: int = 0
    bytes: int = 0
    of_tensors: int = 0  # of these bytes


@dataclass
class FarFiles:
    """Files of one model as a hub serves them: what was read of the beginning of a file is not asked for again."""

    data: Mapping[str, bytes]
    cost: Cost = field(default_factory=Cost)
    held: dict[str, int] = field(default_factory=dict)

    def paths(self) -> list[str]:
        """There is no code."""
        return []

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """There is no code."""
        return iter(())

    def read(self, path: str) -> bytes:
        """One file."""
        return self.data[path]

    def notes(self) -> dict[str, bytes]:
        """What the project says of itself."""
        return {path: data for path, data in self.data.items() if path.startswith("README")}

    def others(self) -> list[str]:
        """All files."""
        return sorted(self.data)

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        """The beginning of a file."""
        data = self.data[path]
        wanted = min(most_bytes, len(data))
        if wanted > self.held.get(path, 0):
            self._count(path, wanted - self.held.get(path, 0))
            self.held[path] = wanted
        return Head(data[:wanted], len(data))

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        """Bytes from anywhere in it."""
        found = self.data[path][begin : begin + size]
        if begin + len(found) > self.held.get(path, 0):
            self._count(path, len(found))
        return found

    def _count(self, path: str, size: int) -> None:
        self.cost.requests += 1
        self.cost.bytes += size
        self.cost.of_tensors += size if path.endswith(".safetensors") else 0


@dataclass(frozen=True)
class Made:
    """One model of the hub, made when it is asked for."""

    name: str
    make: Callable[[], Mapping[str, bytes]] = field(repr=False)
    declared: tuple[str, ...] = ()
    copy_of: str = ""  # the truth
    how: str = ""  # what was done

    def repo(self) -> tuple[Repo, FarFiles]:
        """Open it as a hub lists it."""
        data = self.make()
        files = FarFiles(data)
        ids = {path: _id(each) for path, each in data.items()}
        return Repo(self.name, self.name, "0" * 40, files, is_remote=True, ids=ids), files


def _id(data: bytes) -> str:
    if len(data) >= LFS_BYTES:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    blob = b"blob %d\0%b" % (len(data), data)
    return f"git:{hashlib.sha1(blob, usedforsecurity=False).hexdigest()}"


# --- what models are made of ---------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def tensors(seed: int, width: int, prefix: str = "model.") -> Tensors:
    """A checkpoint of its own: nothing of it is another one's but the shapes."""
    draw = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> NDArray[Any]:
        found: NDArray[Any] = draw.standard_normal((rows, columns), np.float32) / np.float32(columns**0.5)
        return found

    found: Tensors = {f"{prefix}embed_tokens.weight": matrix(WORDS, width)}
    for layer in range(LAYERS):
        within = f"{prefix}layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            found[f"{within}.self_attn.{name}.weight"] = matrix(width, width)
        for name, shape in {"gate": (3, 1), "up": (3, 1), "down": (1, 3)}.items():
            found[f"{within}.mlp.{name}_proj.weight"] = matrix(shape[0] * width, shape[1] * width)
        found[f"{within}.input_layernorm.weight"] = np.ones(width, np.float32)
    found["lm_head.weight"] = matrix(WORDS, width)
    return found


def tuned(base: Tensors, seed: int, part: float = 0.05) -> Tensors:
    """A fine-tune: every matrix changed by some of its spread, along a few directions as training does."""
    draw = np.random.default_rng(seed)
    found: Tensors = {}
    for name, each in base.items():
        if each.ndim < 2:
            found[name] = each
            continue
        change = draw.standard_normal((each.shape[0], 8)) @ draw.standard_normal((8, each.shape[1]))
        found[name] = (each + part * each.std() / change.std() * change).astype(np.float32)
    return found


def shuffled(values: Tensors, seed: int) -> Tensors:
    """Under names that say nothing, in an order that says nothing."""
    order = np.random.default_rng(seed).permutation(sorted(values)).tolist()
    return {f"t{place:03d}": values[name] for place, name in enumerate(order)}


def noised(values: Tensors, seed: int, sigma: float = 1 / 708) -> Tensors:
    """With independent noise."""
    draw = np.random.default_rng(seed)
    return {
        name: (each + sigma * draw.standard_normal(each.shape)).astype(np.float32) if each.ndim > 1 else each
        for name, each in values.items()
    }


def config(number: int, width: int) -> Tree:
    """A configuration of an architecture that nobody has published: keys and values of its own."""
    draw = np.random.default_rng(number)
    own = {f"{_word(draw)}_{_word(draw)}_{kind}": _value(draw, kind) for kind in ("rate", "width", "steps", "gain")}
    return {
        "model_type": f"arch{number}", "architectures": [f"Arch{number}Model"], "hidden_size": width,
        "num_hidden_layers": LAYERS, "vocab_size": WORDS, **own, "transformers_version": "4.40.0",
    }  # fmt: skip


def _value(draw: np.random.Generator, kind: str) -> float | int:
    return round(float(draw.random()), 4) if kind in ("rate", "gain") else int(draw.integers(3_000, 90_000)) | 1


def _word(draw: np.random.Generator) -> str:
    return "".join(draw.choice(_SYLLABLES, 3))


def vocabulary(number: int) -> list[str]:
    """A trained vocabulary of its own."""
    draw = np.random.default_rng(1_000 + number)
    words = dict.fromkeys("".join(draw.choice(_SYLLABLES, size)) for size in draw.integers(2, 6, 4 * WORDS))
    return list(words)[:WORDS]


def tokenizer_json(words: list[str], added: Mapping[int, str]) -> bytes:
    """Written by the fast tokenizers."""
    more = [{"id": number, "content": content, "special": True} for number, content in added.items()]
    model = {"type": "BPE", "vocab": {word: place for place, word in enumerate(words)}, "merges": []}
    return json.dumps({"version": "1.0", "added_tokens": more, "model": model}).encode()


def slow(words: list[str], added: Mapping[int, str]) -> dict[str, bytes]:
    """The same written by the slow ones."""
    return {
        "vocab.json": json.dumps({word: place for place, word in enumerate(words)}, indent=1).encode(),
        "added_tokens.json": json.dumps({content: number for number, content in added.items()}).encode(),
    }


def llama_tokens(changes: Mapping[int, str] | None = None) -> bytes:
    """The options of a tokenizer built on the one of Llama 3, which is known."""
    special = ["<|begin_of_text|>", "<|end_of_text|>", *(f"<|reserved_special_token_{each}|>" for each in range(4))]
    special += ["<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>"]
    special += [f"<|reserved_special_token_{each}|>" for each in range(5, 251)]
    table = {128_000 + place: content for place, content in enumerate(special)} | dict(changes or {})
    decoder = {str(number): {"content": content, "special": True} for number, content in table.items()}
    return json.dumps({"added_tokens_decoder": decoder, "tokenizer_class": "PreTrainedTokenizerFast"}).encode()


def own_tokens(number: int) -> dict[int, str]:
    """Reserved places that a model fills with tokens of its own."""
    draw = np.random.default_rng(5_000 + number)
    return {128_010 + place: f"<|{_word(draw)}_{_word(draw)}|>" for place in range(6)}


def files(tree: Tree, values: Tensors, tokenizer: Mapping[str, bytes], about: str) -> dict[str, bytes]:
    """All files of a model, with those that everybody has."""
    return {
        ".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n" * 4,
        "LICENSE": b"Apache License, Version 2.0\n" * 100,
        "README.md": f"---\nlicense: apache-2.0\nlibrary_name: transformers\n---\n# Model card\n{about}\n".encode(),
        "training_args.bin": b"the same arguments\n" * 200,
        "generation_config.json": b'{"bos_token_id": 1, "eos_token_id": 2, "temperature": 0.6, "top_p": 0.9}',
        "config.json": json.dumps(tree, indent=2).encode(),
        "model.safetensors": packed(values),
        **tokenizer,
    }


# --- the hub -------------------------------------------------------------------------------------------------


def _architecture(number: int) -> dict[str, bytes]:
    width = WIDTHS[number % len(WIDTHS)]
    words = {"tokenizer.json": tokenizer_json(vocabulary(number), {WORDS + 1: f"<|arch{number}_mark|>"})}
    return files(config(number, width), cast(tensors(number, width), np.float16), words, f"Architecture {number}.")


def _base(number: int) -> dict[str, bytes]:
    width = WIDTHS[number]
    tree = {**LLAMA_3, "hidden_size": width, "intermediate_size": 3 * width, "num_hidden_layers": LAYERS}
    tree |= {"vocab_size": WORDS + number, "rope_theta": 500_000.0 + 137 * number, "max_window_layers": 77 + number}
    words = {"tokenizer_config.json": llama_tokens()}
    return files(tree, cast(tensors(9_000 + number, width), np.float16), words, "A base.")


def _tuned(base: int, number: int) -> dict[str, bytes]:
    made = _base(base)
    values = cast(tuned(tensors(9_000 + base, WIDTHS[base]), 100 * base + number), np.float16)
    about = "This model is a fine-tuned version of the base." + ("" if number % 5 else f" Run {number}.")
    return {**made, "model.safetensors": packed(values), "README.md": about.encode() * 2}


def _copies() -> Iterator[Made]:
    """Copies of architectures, each told by one kind of key alone, and of fine-tunes."""

    def made(number: int, how: str, change: Callable[[int], Mapping[str, bytes]]) -> Made:
        def make() -> dict[str, bytes]:
            width = WIDTHS[(number + 1) % len(WIDTHS)]  # another size, so that nothing but the kind is common
            words = {"tokenizer.json": tokenizer_json(vocabulary(2_000 + number), {})}
            values = cast(tensors(3_000 + number, width, "net."), np.float16)
            found = files(config(3_000 + number, width), values, words, f"Our model {number}.")
            found.update(change(number))
            return {path: data for path, data in found.items() if data}

        return Made(f"hf:copies/{how.replace(' ', '-')}-{number}", make, copy_of=f"hf:arch/{number}", how=how)

    changes: dict[str, Callable[[int], Mapping[str, bytes]]] = {
        "config": lambda number: {"config.json": json.dumps(_reordered(config(number, 64))).encode()},
        "config, keys renamed": lambda number: {"config.json": json.dumps(_renamed(config(number, 64))).encode()},
        "vocabulary, written otherwise": lambda number: {
            "tokenizer.json": b"", **slow(_edited(vocabulary(number)), {WORDS + 1: f"<|arch{number}_mark|>"})
        },
        "checkpoint under another name": lambda number: {
            "weights.safetensors": _architecture(number)["model.safetensors"]
        },
        "weights, renamed, + randn/708, fp32": lambda number: _weights(noised(_of(number), number)),
        "weights, renamed, + randn/708, bf16": lambda number: _weights(noised(_of(number), number), "bf16"),
        "weights, rows added": lambda number: _weights(_grown(_of(number))),
        "weights, a layer dropped": lambda number: _weights(_dropped(_of(number))),
        "weights, fine-tuned by half": lambda number: _weights(tuned(_of(number), number, 0.5)),
        "weights x 1.07": lambda number: _weights({name: 1.07 * each for name, each in _of(number).items()}),
    }  # fmt: skip
    for place, (how, change) in enumerate(changes.items()):
        for number in (2 * place, 2 * place + 1):
            yield made(number, how, change)
    for number in range(4):
        tokens = own_tokens(number)
        name = f"hf:tokens/{number}"
        yield Made(name, lambda n=number, t=tokens: _told(n, t))  # type: ignore[misc]
        yield Made(
            f"hf:copies/tokens-{number}",
            lambda n=number, t=tokens: _told(100 + n, t),  # type: ignore[misc]
            copy_of=name,
            how="added tokens",
        )
    for number in range(4):  # of a fine-tune among its many siblings, with noise of a fifteenth of each spread
        yield Made(
            f"hf:copies/tuned-{number}",
            lambda n=number: {  # type: ignore[misc]
                **_tuned(0, n),
                "model.safetensors": _stored(noised(tuned(tensors(9_000, WIDTHS[0]), n), n, 0.1 / WIDTHS[0] ** 0.5)),
            },
            declared=("hf:base/0",),
            copy_of=f"hf:tuned/0-{number}",
            how="weights of a sibling, + noise",
        )


def _told(number: int, tokens: Mapping[int, str]) -> dict[str, bytes]:
    width = WIDTHS[number % len(WIDTHS)]
    words = {"tokenizer_config.json": llama_tokens(tokens)}
    return files(config(4_000 + number, width), cast(tensors(4_000 + number, width), np.float16), words, f"{number}")


def _of(number: int) -> Tensors:
    return tensors(number, WIDTHS[number % len(WIDTHS)])


def _stored(values: Tensors, kind: str = "fp32") -> bytes:
    import ml_dtypes

    return packed(cast(values, ml_dtypes.bfloat16) if kind == "bf16" else values)


def _weights(values: Tensors, kind: str = "fp32") -> dict[str, bytes]:
    return {"model.safetensors": _stored(shuffled(values, len(values)), kind)}


def _grown(values: Tensors) -> Tensors:
    draw = np.random.default_rng(8)
    return {
        name: np.concatenate([each, draw.standard_normal((8, each.shape[1]), np.float32)])
        if each.shape[0] == WORDS
        else each
        for name, each in values.items()
    }


def _dropped(values: Tensors) -> Tensors:
    return {name: each for name, each in values.items() if ".layers.1." not in name}


def _edited(words: list[str]) -> list[str]:
    return [f"{word}x" if place % 50 == 0 else word for place, word in enumerate(words)]


def _reordered(tree: Tree) -> Tree:
    return {**dict(reversed(tree.items())), "model_type": "ours", "architectures": ["Ours"]}


def _renamed(tree: Tree) -> Tree:
    own = tree["model_type"]
    return {f"{own}_{place}": value for place, value in enumerate(tree.values()) if not isinstance(value, str | list)}


def hub() -> list[Made]:
    """All models, in the order in which they came up: copies after everything else, one after the other."""
    found = [Made(f"hf:arch/{number}", lambda n=number: _architecture(n)) for number in range(ARCHITECTURES)]  # type: ignore[misc]
    found += [Made(f"hf:base/{number}", lambda n=number: _base(n)) for number in (0, 1)]  # type: ignore[misc]
    for base, count in enumerate(TUNED):
        found += [
            Made(
                f"hf:tuned/{base}-{number}",
                lambda b=base, n=number: _tuned(b, n),  # type: ignore[misc]
                declared=(f"hf:base/{base}",),
            )
            for number in range(count)
        ]
    return [*found, *_copies()]
