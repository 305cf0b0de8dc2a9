"""Models that were made independently of each other on the same published ones, and what a copy does to a model."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]
Shape = tuple[int, ...]

LLAMA_3: Tree = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 128000,
    "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
    "intermediate_size": 14336, "max_position_embeddings": 8192, "model_type": "llama", "num_attention_heads": 32,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": None, "rope_theta": 500000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    "transformers_version": "4.40.0", "use_cache": True, "vocab_size": 128256,
}  # fmt: skip
MISTRAL: Tree = {
    "architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
    "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 32768,
    "model_type": "mistral", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": False,
    "torch_dtype": "bfloat16", "transformers_version": "4.34.0", "use_cache": True, "vocab_size": 32000,
}  # fmt: skip
CLIP_VISION: Tree = {
    "hidden_size": 1024, "image_size": 336, "intermediate_size": 4096, "model_type": "clip_vision_model",
    "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768,
    "hidden_act": "quick_gelu",
}  # fmt: skip
LORA: Tree = {
    "base_model_name_or_path": "meta-llama/Meta-Llama-3-8B", "bias": "none", "fan_in_fan_out": False,
    "inference_mode": True, "init_lora_weights": True, "lora_alpha": 32, "lora_dropout": 0.05, "modules_to_save": None,
    "peft_type": "LORA", "r": 16, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"], "task_type": "CAUSAL_LM",
}  # fmt: skip
UNKNOWN_SIZE: Tree = {
    **LLAMA_3, "hidden_size": 5376, "intermediate_size": 15232, "num_hidden_layers": 44, "num_attention_heads": 42,
}  # fmt: skip
# What independent teams set up alike: two configurations each.
INDEPENDENT: Mapping[str, tuple[Tree, Tree]] = {
    "two fine-tunes of Llama-3-8B": (
        {**LLAMA_3, "eos_token_id": 128009, "pad_token_id": 128009},
        {**LLAMA_3, "vocab_size": 128260, "use_cache": False, "rope_theta": 2e6, "max_position_embeddings": 65536},
    ),
    "the same fine-tune twice": (LLAMA_3, LLAMA_3),
    "two fine-tunes of Mistral-7B": ({**MISTRAL, "vocab_size": 32002}, {**MISTRAL, "vocab_size": 32002}),
    "Llama-3-8B and Mistral-7B": (LLAMA_3, MISTRAL),
    "two models of one size that no table knows": (UNKNOWN_SIZE, UNKNOWN_SIZE),
    "two vision models on Llama-3-8B and CLIP": (
        {
            "architectures": ["LookerModel"], "model_type": "looker", "text_config": LLAMA_3,
            "vision_config": CLIP_VISION,
            "image_token_id": 128256, "projector_layers": 2, "tie_word_embeddings": False,
        },
        {
            "architectures": ["SeerForCausalLM"], "model_type": "seer", "llm_config": LLAMA_3,
            "vision_config": CLIP_VISION,
            "image_token_index": 128257, "adapter_depth": 2, "max_tiles": 6, "tie_word_embeddings": False,
        },
    ),
    "two vision models on Llama-3-8B, flat": (
        {**LLAMA_3, "vision_tower": "openai/clip-vit-large-patch14-336", "image_size": 336, "patch_size": 14},
        {**LLAMA_3, "visual_encoder": "openai/clip-vit-large-patch14-336", "image_size": 336, "patch_size": 14},
    ),
    "two models of the LLaVA codebase": (
        {**LLAMA_3, "mm_projector_type": "mlp2x_gelu", "mm_hidden_size": 1024, "mm_vision_select_layer": -2,
         "mm_vision_tower": "openai/clip-vit-large-patch14-336", "mm_use_im_start_end": False, "use_mm_proj": True,
         "image_aspect_ratio": "pad", "mm_vision_select_feature": "patch"},
        {**LLAMA_3, "mm_projector_type": "mlp2x_gelu", "mm_hidden_size": 1024, "mm_vision_select_layer": -2,
         "mm_vision_tower": "openai/clip-vit-large-patch14-336", "mm_use_im_start_end": False, "use_mm_proj": True,
         "image_aspect_ratio": "anyres", "mm_vision_select_feature": "patch"},
    ),
    "two adapters of Llama-3-8B": (LORA, {**LORA, "lora_alpha": 64, "base_model_name_or_path": "somebody/llama"}),
}  # fmt: skip


def llama_tensors(
    above: str = "", layers: int = 4, sizes: tuple[int, int, int, int] = (4096, 1024, 14336, 128256)
) -> dict[str, Shape]:
    """Tensors of a model of the Llama architecture: hidden, key and value, feed-forward and vocabulary sizes."""
    hidden, keys, inner, words = sizes
    shapes: dict[str, Shape] = {
        f"{above}model.embed_tokens.weight": (words, hidden),
        f"{above}model.norm.weight": (hidden,),
    }
    for layer in range(layers):
        within = f"{above}model.layers.{layer}"
        for name, shape in {
            "self_attn.q_proj": (hidden, hidden), "self_attn.k_proj": (keys, hidden),
            "self_attn.v_proj": (keys, hidden), "self_attn.o_proj": (hidden, hidden),
            "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden),
            "mlp.down_proj": (hidden, inner), "input_layernorm": (hidden,), "post_attention_layernorm": (hidden,),
        }.items():  # fmt: skip
            shapes[f"{within}.{name}.weight"] = shape
    return shapes | {f"{above}lm_head.weight": (words, hidden)}


def original_llama_tensors(layers: int = 4) -> dict[str, Shape]:
    """The same model under the names of its first release."""
    shapes: dict[str, Shape] = {"tok_embeddings.weight": (128256, 4096), "norm.weight": (4096,)}
    for layer in range(layers):
        for name, shape in {
            "attention.wq": (4096, 4096), "attention.wk": (1024, 4096), "attention.wv": (1024, 4096),
            "attention.wo": (4096, 4096), "feed_forward.w1": (14336, 4096), "feed_forward.w3": (14336, 4096),
            "feed_forward.w2": (4096, 14336), "attention_norm": (4096,), "ffn_norm": (4096,),
        }.items():  # fmt: skip
            shapes[f"layers.{layer}.{name}.weight"] = shape
    return shapes | {"output.weight": (128256, 4096)}


def clip_tensors(above: str, layers: int = 3) -> dict[str, Shape]:
    """Tensors of a vision model of the CLIP architecture."""
    shapes: dict[str, Shape] = {
        f"{above}embeddings.class_embedding": (1024,),
        f"{above}embeddings.patch_embedding.weight": (1024, 3, 14, 14),
        f"{above}embeddings.position_embedding.weight": (577, 1024),
    }
    for layer in range(layers):
        within = f"{above}encoder.layers.{layer}"
        for name, shape in {
            "self_attn.q_proj": (1024, 1024), "self_attn.k_proj": (1024, 1024), "self_attn.v_proj": (1024, 1024),
            "self_attn.out_proj": (1024, 1024), "mlp.fc1": (4096, 1024), "mlp.fc2": (1024, 4096),
        }.items():  # fmt: skip
            shapes |= {f"{within}.{name}.weight": shape, f"{within}.{name}.bias": shape[:1]}
        for name in ("layer_norm1", "layer_norm2"):
            shapes |= {f"{within}.{name}.weight": (1024,), f"{within}.{name}.bias": (1024,)}
    return shapes


def bridge_tensors(above: str) -> dict[str, Shape]:
    """A part that nobody has published: what makes a model of known parts one of its own."""
    return {
        f"{above}memory_slots": (96, 4096),
        f"{above}gaze_key.weight": (4096, 1024), f"{above}gaze_value.weight": (4096, 1024),
        f"{above}slot_mixer.fold.weight": (4096, 4096), f"{above}slot_mixer.fold.bias": (4096,),
        f"{above}slot_mixer.unfold.weight": (4096, 4096), f"{above}calibrator.scale": (4096,),
        f"{above}calibrator.shift": (4096,), f"{above}readout.weight": (4096, 4096),
    }  # fmt: skip


def mlp_tensors(names: tuple[str, str]) -> dict[str, Shape]:
    """The projector that everybody builds: two layers, under two names."""
    return {
        f"{names[0]}.weight": (4096, 1024), f"{names[0]}.bias": (4096,),
        f"{names[1]}.weight": (4096, 4096), f"{names[1]}.bias": (4096,),
    }  # fmt: skip


def adapter_tensors() -> dict[str, Shape]:
    """Low-rank changes of two projections in each layer."""
    return {
        f"base_model.model.model.layers.{layer}.self_attn.{name}.lora_{side}.weight": (16, 4096)
        for layer in range(4)
        for name in ("q_proj", "v_proj")
        for side in "AB"
    }


OWN: Mapping[str, Shape] = {**llama_tensors("llm."), **clip_tensors("vision."), **bridge_tensors("bridge.")}
_LOOKER: Mapping[str, Shape] = {
    **llama_tensors("language_model."),
    **clip_tensors("vision_tower.vision_model."),
    **mlp_tensors(("multi_modal_projector.linear_1", "multi_modal_projector.linear_2")),
}
_SEER: Mapping[str, Shape] = {
    **llama_tensors("llm."),
    **clip_tensors("visual."),
    **mlp_tensors(("connector.0", "connector.2")),
}
_LLAVA: Mapping[str, Shape] = {
    **llama_tensors(),
    **clip_tensors("model.vision_tower.vision_tower.vision_model."),
    **mlp_tensors(("model.mm_projector.0", "model.mm_projector.2")),
}
INDEPENDENT_TENSORS: Mapping[str, tuple[Mapping[str, Shape], Mapping[str, Shape]]] = {
    "two fine-tunes of Llama-3-8B": (llama_tensors(), llama_tensors()),
    "Llama-3-8B under the names of two releases": (llama_tensors(), original_llama_tensors()),
    "two sizes of one architecture": (llama_tensors(), llama_tensors(layers=6, sizes=(5376, 1344, 15232, 64000))),
    "two vision models on Llama-3-8B and CLIP": (_LOOKER, _SEER),
    "two models of the LLaVA codebase": (_LLAVA, _LLAVA),
    "two adapters of Llama-3-8B": (adapter_tensors(), adapter_tensors()),
}


def renamed_prefixes(tensors: Mapping[str, Shape], names: Mapping[str, str]) -> dict[str, Shape]:
    """The same tensors with other names at the top."""
    return {
        ".".join((names.get(name.partition(".")[0], name.partition(".")[0]), name.partition(".")[2])): shape
        for name, shape in tensors.items()
    }


def index_file(tensors: Mapping[str, Shape], shards: int = 3, bytes_each: int = 4) -> bytes:
    """An index that spreads these tensors over some files."""
    total = sum(_product(shape) for shape in tensors.values()) * bytes_each
    files = {name: f"model-{place % shards + 1:05}-of-{shards:05}.safetensors" for place, name in enumerate(tensors)}
    return json.dumps({"metadata": {"total_size": total}, "weight_map": files}).encode()


def header_file(tensors: Mapping[str, Shape], dtype: str = "F32", bytes_each: int = 4) -> bytes:
    """The beginning of a safetensors file that holds these tensors; its data is left out."""
    end = 0
    tree: Tree = {}
    for name, shape in tensors.items():
        begin, end = end, end + _product(shape) * bytes_each
        tree[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(tree).encode()
    return struct.pack("<Q", len(text)) + text


def data_bytes(tensors: Mapping[str, Shape], bytes_each: int = 4) -> int:
    """What follows such a beginning."""
    return sum(_product(shape) for shape in tensors.values()) * bytes_each


def _product(shape: Shape) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def disguised(tree: Mapping[str, Any], how: str) -> Tree:
    """What a copy does to a configuration that it does not want to be told."""
    if how == "reordered":
        return dict(sorted(tree.items(), key=lambda item: item[0][::-1]))
    if how == "other number spelling":
        return {key: _respelled(value) for key, value in tree.items()}
    if how == "a third of the keys dropped":
        return {key: value for place, (key, value) in enumerate(sorted(tree.items())) if place % 3}
    if how == "nested":
        return {"model_type": "own", "model_config": dict(tree)}
    if how == "every other key renamed":
        return {
            (f"own_{place}" if place % 2 else key): value for place, (key, value) in enumerate(sorted(tree.items()))
        }
    if how == "all keys renamed":
        return {f"own_{place}": value for place, value in enumerate(tree.values())}
    return dict(tree)


DISGUISES = (
    "unchanged", "reordered", "other number spelling", "a third of the keys dropped", "nested",
    "every other key renamed", "all keys renamed",
)  # fmt: skip


def _respelled(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{value:.6e}" if isinstance(value, float) and value and float(f"{value:.6e}") == value else float(value)
