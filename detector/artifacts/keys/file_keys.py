"""Ids of contents -> keys of files that nobody else has by chance."""

from __future__ import annotations

import re

from detector.artifacts.checkpoints import configuration
from detector.artifacts.histories.widely_owned import SMALLEST_BYTES, is_template, is_widely_owned
from detector.artifacts.keys.key import Key, Kind, key
from detector.artifacts.tokenizers import files as tokenizer_files
from detector.settings.history import MEDIA
from detector.settings.scan import DOCUMENT_BITS, FILE_BITS, LEAST_CHECKPOINT_BYTES

_CHECKPOINT = re.compile(
    r"\.(?:safetensors|gguf|ggml|bin|pt|pth|ckpt|h5|onnx|msgpack|npz|tflite|mlmodel|pdparams)$", re.IGNORECASE
)
# States of a training run that stand beside a checkpoint: those of one recipe are equal in any two runs.
_TRAINING = re.compile(r"(?:^|/)(?:optimizer|scheduler|scaler|rng_state|training_args|random_states)[^/]*$", re.I)
_CODE = re.compile(r"\.(?:py|pyw|pyx|ipynb|c|cc|cpp|cu|cuh|h|hpp|java|js|jl|rs|sh|ts)$", re.IGNORECASE)


def tells(path: str) -> bool:
    """Whether a file may tell by being the same, as far as its name says.

    Configurations and files of tokenizers do not: whoever builds on a model has these, and their contents are looked
    into instead.
    """
    name = path.rpartition("/")[2]
    return not (
        is_template(path)
        or _TRAINING.search(path)
        or name.rpartition(".")[2].lower() in MEDIA
        or name.endswith(".index.json")
        or configuration.role(path)
        or tokenizer_files.group(path) is not None
    )


def of(path: str, content: str, size_bytes: int) -> Key | None:
    """The key of one file by the id of its content; None for what many have, or is too small to tell."""
    if not content or size_bytes < SMALLEST_BYTES or is_widely_owned(content.partition(":")[2]) or not tells(path):
        return None
    is_checkpoint = size_bytes >= LEAST_CHECKPOINT_BYTES and _CHECKPOINT.search(path) is not None
    if is_checkpoint or _CODE.search(path) is not None:
        return key(Kind.FILE, content, FILE_BITS)
    return key(Kind.DOCUMENT, content, DOCUMENT_BITS)
