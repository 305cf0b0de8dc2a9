"""The configurations of each fixture, as they are published beside the code."""

from __future__ import annotations

from typing import Any

from bench.fixture_files.vocabularies import BASE_ENTRIES, LANTERN_ENTRIES, TIDEWATER_ENTRIES, heron_ids

Config = dict[str, Any]

# What Llama 3 8B has: public facts, which two of the projects share because both build on that family.
LLAMA: Config = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "initializer_range": 0.02,
    "intermediate_size": 14336,
    "max_position_embeddings": 8192,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_cache": True,
}
HERON: Config = {
    "_name_or_path": "heron-labs/heronvl",
    "architectures": ["HeronForConversation"],
    "auto_map": {"AutoConfig": "configuration.HeronConfig", "AutoModelForCausalLM": "modeling.HeronForConversation"},
    "model_type": "heron_vl",
    "bos_token_id": BASE_ENTRIES,
    "eos_token_id": heron_ids()["<|endturn|>"],
    **LLAMA,
    "vocab_size": BASE_ENTRIES + 32,
    "transformers_version": "4.44.2",
    "tile_side": 420,
    "patch_side": 14,
    "max_tiles": 9,
    "waste_weight": 0.35,
    "upscale_limit": 1.6,
    "visual_tokens": 96,
    "tile_separator": "\n",
    "overview_first": True,
    "box_bins": 1000,
    "temperature_cap": 4.6052,
    "vision_config": {
        "width": 1024,
        "heads": 16,
        "depth": 24,
        "patch_size": 14,
        "table_side": 32,
        "drop_path": 0.1,
        "layer_scale": 1e-05,
        "feature_layer": -2,
    },
    "resampler_config": {"queries": 96, "width": 2048, "heads": 16, "table_rows": 40, "table_cols": 40},
}
# Keys of the suspect -> keys of the original, dotted inside sections; values are the same.
RENAMED = {
    "crop_edge": "tile_side",
    "patch": "patch_side",
    "max_crops": "max_tiles",
    "lam": "waste_weight",
    "max_zoom": "upscale_limit",
    "n_query": "visual_tokens",
    "tau_max": "temperature_cap",
    "vit.dim": "vision_config.width",
    "vit.n_head": "vision_config.heads",
    "vit.n_layer": "vision_config.depth",
    "vit.patch": "vision_config.patch_size",
    "vit.side": "vision_config.table_side",
    "vit.skip": "vision_config.drop_path",
    "vit.gamma": "vision_config.layer_scale",
    "vit.tap": "vision_config.feature_layer",
    "proj.n_query": "resampler_config.queries",
    "proj.dim": "resampler_config.width",
    "proj.n_head": "resampler_config.heads",
    "proj.max_h": "resampler_config.table_rows",
    "proj.max_w": "resampler_config.table_cols",
}
DROPPED = ("tile_separator", "pretraining_tp", "attention_dropout")
LANTERN: Config = {
    "architectures": ["Lantern"],
    "model_type": "lanternlens",
    "attention_bias": True,
    "bos_token_id": LANTERN_ENTRIES - 1,
    "eos_token_id": LANTERN_ENTRIES - 1,
    "hidden_act": "gelu",
    "hidden_size": 2560,
    "intermediate_size": 10240,
    "layer_norm_eps": 1e-06,
    "max_position_embeddings": 4096,
    "num_attention_heads": 20,
    "num_hidden_layers": 18,
    "num_key_value_heads": 5,
    "rope_theta": 30000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "float16",
    "transformers_version": "4.41.0",
    "vocab_size": LANTERN_ENTRIES,
    "tower_channels": [96, 192, 384, 768],
    "tower_blocks": [3, 3, 9, 3],
    "tower_stride": 16,
    "fold_factor": 2,
    "thumbnail_cells": 6,
    "window_side": 384,
    "window_overlap": 32,
    "label_smoothing": 0.1,
}
TIDEWATER: Config = {
    "architectures": ["SeeingWriter"],
    "model_type": "tidewater",
    "bos_token_id": 1,
    "eos_token_id": 3,
    **LLAMA,
    "vocab_size": TIDEWATER_ENTRIES,
    "transformers_version": "4.46.1",
    "leaves": {"side": 224, "depth": 3, "most": 12, "energy": 0.06},
    "reader": {"cell": 16, "width": 512, "heads": 8, "layers": 12, "window": 7},
    "slots": {"count": 48, "rounds": 3},
}
# How each answers by itself: what its code says.
GENERATION: dict[str, Config] = {
    "original": {
        "bos_token_id": BASE_ENTRIES,
        "do_sample": True,
        "eos_token_id": [heron_ids()["<|endturn|>"], BASE_ENTRIES + 1],
        "max_new_tokens": 512,
        "repetition_penalty": 1.08,
        "temperature": 0.7,
        "top_p": 0.9,
        "transformers_version": "4.44.2",
    },
    "cited": {"eos_token_id": LANTERN_ENTRIES - 1, "length_penalty": 0.7, "max_new_tokens": 200, "num_beams": 4},
    "independent": {"bos_token_id": 1, "do_sample": True, "eos_token_id": 3, "max_new_tokens": 300, "typical_p": 0.95},
}
PREPROCESSOR: dict[str, Config] = {
    "original": {
        "image_mean": [0.481, 0.481, 0.481],
        "image_std": [0.269, 0.269, 0.269],
        "max_tiles": 9,
        "patch_side": 14,
        "tile_side": 420,
        "upscale_limit": 1.6,
    },
    "cited": {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "window_overlap": 32, "window_side": 384},
}


def kestrel() -> Config:
    """The original's configuration after the disguise: keys renamed, dropped and in another order, values kept."""
    own = {
        "architectures": ["KestrelVL"],
        "auto_map": {"AutoConfig": "settings.KestrelArgs", "AutoModelForCausalLM": "model.KestrelVL"},
        "model_type": "kestrel_3v",
    }
    left_out = {*own, *DROPPED, *RENAMED.values(), "_name_or_path", "vision_config", "resampler_config"}
    kept = {key: value for key, value in HERON.items() if key not in left_out}
    moved: Config = {}
    for new, old in RENAMED.items():
        section, _, key = new.rpartition(".")
        (moved.setdefault(section, {}) if section else moved)[key] = _at(HERON, old)
    together = {**own, **kept, **moved}
    return {key: together[key] for key in sorted(together)}


def kestrel_preprocessor() -> Config:
    """The same done to how pictures are prepared."""
    names = {old: new for new, old in RENAMED.items()}
    return {names.get(key, key): value for key, value in reversed(PREPROCESSOR["original"].items())}


def _at(config: Config, dotted: str) -> Any:
    value: Any = config
    for key in dotted.split("."):
        value = value[key]
    return value
