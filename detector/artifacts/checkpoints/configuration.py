"""Files that set up a model -> their keys and values: configurations of models, processors, adapters, generation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detector.artifacts.bounded_json import parse
from detector.artifacts.checkpoints.values import leaves, spelling
from detector.settings.config import MOST_CONFIG_DEPTH, MOST_CONFIG_PARTS, MOST_CONFIG_VALUES

# What a file is for, by its name. Configurations of tools, trainers and tokenizers are none of these.
_ROLES = (
    ("", re.compile(r"^(?:ts|js|ds|deepspeed|accelerate|babel|eslint|tokenizer)[^/]*$|index\.json$|^package", re.I)),
    ("generation", re.compile(r"^generation_config\.json$", re.I)),
    ("processor", re.compile(r"^(?:(?:image_|video_)?preprocessor|(?:image_|video_)?processor)_config\.json$", re.I)),
    ("adapter", re.compile(r"^adapter_config\.json$", re.I)),
    ("model", re.compile(r"^(?:params|configuration|model)\.json$|config[^/]*\.json$", re.I)),
)
_IN_FOLDER = re.compile(r"(?:^|/)(?:model_)?configs?/[^/]+\.json$", re.I)
# Names of parts that are configurations themselves.
_PART = re.compile(r"(?:^|_)(?:config|cfg)$")
# What a model is called and by whom it is written: told in the table, never counted. Naming its base is a declaration.
IDENTITY = frozenset(
    """_name_or_path name_or_path architectures model_type auto_map transformers_version torch_dtype dtype _commit_hash
    base_model_name_or_path processor_class feature_extractor_type image_processor_type tokenizer_class version
    _class_name _diffusers_version id2label label2id task_specific_params framework""".split()
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One file: its keys at the top, and all values by keys with dots."""

    path: str
    role: str  # "model", "processor", "generation", "adapter"
    keys: Mapping[str, str]  # at the top -> spelling of all that it holds
    leaves: Mapping[str, str]  # with dots -> spelling


def role(path: str) -> str:
    """What a file sets up, by its name; "" for one that is no configuration of a model."""
    name = path.rpartition("/")[2]
    for found, pattern in _ROLES:
        if pattern.search(name):
            return found
    return "model" if _IN_FOLDER.search(path) else ""


def read(path: str, data: bytes) -> Configuration | None:
    """Read one file; None if it is JSON but sets nothing by name.

    Errors: CannotParse.
    """
    tree = parse(data, MOST_CONFIG_DEPTH, MOST_CONFIG_VALUES)
    if not isinstance(tree, dict) or not tree:
        return None
    keys = {key: spelling(value) for key, value in tree.items()}
    return Configuration(path, role(path), keys, _bounded(leaves(tree)))


def _bounded(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Leave out what stands in more parts than a model has: each is explained by itself."""
    kept: dict[str, str] = {}
    parts: set[str] = set()
    for key, value in found:
        within = part(key)
        if within in parts or len(parts) < MOST_CONFIG_PARTS:
            parts.add(within)
            kept[key] = value
    return kept


def part(key: str) -> str:
    """The configuration inside a configuration that a key belongs to: "vision_config" of "vision_config.patch_size"."""
    names = key.split(".")[:-1]
    while names and _PART.search(names[-1]) is None:
        names.pop()
    return ".".join(names)


def plain(key: str) -> str:
    """The key as its own configuration has it."""
    within = part(key)
    return key[len(within) + 1 :] if within else key


def is_identity(key: str) -> bool:
    """Whether a key says what a model is called, not how it is built."""
    return key in IDENTITY or plain(key).partition(".")[0] in IDENTITY


def in_order(paths: Iterable[str]) -> list[str]:
    """Configurations among these, those nearest to the top first."""
    return sorted(filter(role, paths), key=lambda path: (path.count("/"), path))
