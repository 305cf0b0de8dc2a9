"""Names and shapes of the weights of each fixture, and the index of the shards that they would be published in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from bench.fixture_files.configs import HERON, LANTERN, TIDEWATER, Config

Shapes = dict[str, tuple[int, ...]]
_BYTES_EACH = 2  # bfloat16
GIGABYTE = 10**9


def index(shapes: Shapes, shard_bytes: int) -> dict[str, object]:
    """`model.safetensors.index.json`: in which shard each tensor is, shards filled in the order of the tensors."""
    sizes = {name: prod(shape) * _BYTES_EACH for name, shape in shapes.items()}
    number, filled, placed = 1, 0, {}
    for name, size in sizes.items():
        if filled and filled + size > shard_bytes:
            number, filled = number + 1, 0
        placed[name] = number
        filled += size
    files = {name: f"model-{place:05d}-of-{number:05d}.safetensors" for name, place in placed.items()}
    return {"metadata": {"total_size": sum(sizes.values())}, "weight_map": files}


def renamed(shapes: Shapes, prefixes: Mapping[str, str]) -> Shapes:
    """The same tensors under other prefixes."""
    return {under(prefixes, name): shape for name, shape in shapes.items()}


def under(prefixes: Mapping[str, str], name: str) -> str:
    """A name under another prefix."""
    first, dot, rest = name.partition(".")
    return prefixes.get(first, first) + dot + rest


def heron(config: Config = HERON) -> Shapes:
    """A tower of plain blocks, a resampler with queries, a language model of the Llama family."""
    vision, bridge = config["vision_config"], config["resampler_config"]
    width, patch = vision["width"], vision["patch_size"]
    found: Shapes = dict(_linear("vpm.stem.project", 3 * patch**2, width))
    found |= {"vpm.stem.table.weight": (vision["table_side"] ** 2, width), "vpm.stem.kind": (2, width)}
    found |= _norm("vpm.stem.norm", width)
    inner = (int(width * 8 / 3) + 63) // 64 * 64
    for number in range(vision["depth"]):
        block = f"vpm.blocks.{number}"
        found |= {f"{block}.gain_attention": (width,), f"{block}.gain_mlp": (width,)}
        found |= dict(_norm(f"{block}.norm_attention", width)) | dict(_norm(f"{block}.norm_mlp", width))
        found |= dict(_linear(f"{block}.attention.qkv", width, 3 * width))
        found |= dict(_linear(f"{block}.attention.out", width, width))
        found |= {f"{block}.mlp.up.weight": (2 * inner, width), f"{block}.mlp.down.weight": (width, inner)}
    found |= _norm("vpm.norm", width)
    wide = bridge["width"]
    found |= {"resampler.query": (bridge["queries"], wide), "resampler.outward": (wide, config["hidden_size"])}
    found |= {"resampler.inward.weight": (wide, width), "resampler.attention.to_key.weight": (wide, wide)}
    found |= {"resampler.attention.temperature": (bridge["heads"], 1, 1)}
    for part in ("to_query", "to_value", "merge"):
        found |= _linear(f"resampler.attention.{part}", wide, wide)
    for part in ("query", "input", "output"):
        found |= _norm(f"resampler.norm_{part}", wide)
    return found | _language_model("llm.", config)


def tidewater(config: Config = TIDEWATER) -> Shapes:
    """Overlapping convolutions, windowed layers, competing slots, a language model of the Llama family too."""
    options = config["reader"]
    width = options["width"]
    found: Shapes = {}
    inward, scale, place = 3, options["cell"], 0
    while scale > 1:
        outward = width * 2 // scale
        found |= {f"reader.stem.steps.{place}.weight": (outward, inward, 3, 3)}
        found |= {f"reader.stem.steps.{place}.bias": (outward,)}
        found |= _norm(f"reader.stem.steps.{place + 1}", outward)
        found |= {f"reader.stem.steps.{place + 1}.running_{what}": (outward,) for what in ("mean", "var")}
        inward, scale, place = outward, scale // 2, place + 3
    found |= _linear("reader.stem.where", 3 + 2 * 3 * 6, width)
    for number in range(options["layers"]):
        layer = f"reader.layers.{number}"
        found |= {f"{layer}.attend.in_proj_weight": (3 * width, width), f"{layer}.attend.in_proj_bias": (3 * width,)}
        found |= dict(_linear(f"{layer}.attend.out_proj", width, width))
        found |= dict(_linear(f"{layer}.widen.0", width, 3 * width))
        found |= dict(_linear(f"{layer}.widen.2", 3 * width, width))
        found |= dict(_norm(f"{layer}.after.0", width)) | dict(_norm(f"{layer}.after.1", width))
    found |= {"reader.slots.centre": (config["slots"]["count"], width)}
    found |= dict(_linear("reader.slots.ask", width, width)) | dict(_linear("reader.slots.offer", width, 2 * width))
    for side in ("ih", "hh"):
        found |= {f"reader.slots.update.weight_{side}": (3 * width, width)}
        found |= {f"reader.slots.update.bias_{side}": (3 * width,)}
    found |= dict(_norm("reader.slots.polish.0", width)) | dict(_linear("reader.slots.polish.1", width, width))
    hidden = config["hidden_size"]
    found |= {"reader.speak.bias": (hidden,), "reader.speak.parametrizations.weight.original0": (hidden, 1)}
    found |= {"reader.speak.parametrizations.weight.original1": (hidden, width)}
    return found | _language_model("writer.", config)


def lantern(config: Config = LANTERN) -> Shapes:
    """Four convolutional stages, a projector of two layers, a language model whose attention has biases."""
    channels, blocks, hidden = config["tower_channels"], config["tower_blocks"], config["hidden_size"]
    found: Shapes = {"tower.entry.weight": (channels[0], 3, 4, 4), "tower.entry.bias": (channels[0],)}
    for number, (width, count) in enumerate(zip(channels, blocks, strict=True)):
        stage = f"tower.stages.{number}"
        if number:
            found |= _norm(f"{stage}.0.0", channels[number - 1])
            found |= {f"{stage}.0.1.weight": (width, channels[number - 1], 2, 2), f"{stage}.0.1.bias": (width,)}
        for place in range(1, count + 1):
            found |= {f"{stage}.{place}.0.weight": (width, 1, 7, 7), f"{stage}.{place}.0.bias": (width,)}
            found |= _norm(f"{stage}.{place}.1", width)
            found |= {f"{stage}.{place}.2.weight": (4 * width, width, 1, 1), f"{stage}.{place}.2.bias": (4 * width,)}
            found |= {f"{stage}.{place}.4.{name}": (1, 4 * width, 1, 1) for name in "ab"}
            found |= {f"{stage}.{place}.5.weight": (width, 4 * width, 1, 1), f"{stage}.{place}.5.bias": (width,)}
    found |= {"tower.lateral.weight": (channels[2], channels[3], 1, 1), "tower.lateral.bias": (channels[2],)}
    found |= dict(_linear("bridge.detail", 4 * channels[2], hidden)) | dict(
        _linear("bridge.thumbnail", channels[2], hidden)
    )
    found |= dict(_linear("bridge.second.1", hidden, hidden)) | {"bridge.newline": (hidden,)}
    return found | _language_model("writer.", config)


def _language_model(prefix: str, config: Mapping[str, int]) -> Shapes:
    hidden, inner, words = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    narrow = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    found: Shapes = {f"{prefix}model.embed_tokens.weight": (words, hidden)}
    for number in range(config["num_hidden_layers"]):
        layer = f"{prefix}model.layers.{number}"
        found |= {f"{layer}.input_layernorm.weight": (hidden,)}
        for part, outward in (("q", hidden), ("k", narrow), ("v", narrow)):
            found |= {f"{layer}.self_attn.{part}_proj.weight": (outward, hidden)}
            found |= {f"{layer}.self_attn.{part}_proj.bias": (outward,)} if config["attention_bias"] else {}
        found |= {f"{layer}.self_attn.o_proj.weight": (hidden, hidden)}
        found |= {f"{layer}.post_attention_layernorm.weight": (hidden,)}
        found |= {f"{layer}.mlp.{part}_proj.weight": (inner, hidden) for part in ("gate", "up")}
        found |= {f"{layer}.mlp.down_proj.weight": (hidden, inner)}
    found |= {f"{prefix}model.norm.weight": (hidden,)}
    return found if config["tie_word_embeddings"] else found | {f"{prefix}lm_head.weight": (words, hidden)}


def _linear(name: str, inward: int, outward: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (outward, inward)
    yield f"{name}.bias", (outward,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
