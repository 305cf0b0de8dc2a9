"""A configuration -> keys of what no published family explains of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from detector.artifacts.checkpoints import configuration
from detector.artifacts.checkpoints.configuration import is_identity, plain
from detector.artifacts.checkpoints.families import Registry
from detector.artifacts.checkpoints.same_values import UNSET, explain, sets_up_a_model
from detector.artifacts.keys.key import Key, Kind, key
from detector.settings.config import LEAST_RENAMED_BITS, RENAMING_COST, UNSET_PART
from detector.settings.scan import AUTO_MAP_BITS

_AUTO_MAP = "auto_map."


def of(path: str, data: bytes, registry: Registry) -> list[Key]:
    """Keys with values as `compare` weighs them, and rare values by themselves, for keys that were renamed.

    The order of keys, the part that they stand in and what the model is called say nothing.
    Errors: CannotParse.
    """
    found = configuration.read(path, data)
    if found is None or not sets_up_a_model(found, registry):
        return []
    return [*_settings(found.leaves, registry), *_classes(found.leaves)]


def _settings(leaves: Mapping[str, str], registry: Registry) -> Iterator[Key]:
    explained = explain(leaves, registry)
    for dotted, value in leaves.items():
        if is_identity(dotted) or dotted in explained.by:
            continue
        name = plain(dotted)
        of_value = registry.value_bits(name, value)
        if dotted in explained.known or name in registry.common:
            yield key(Kind.SIZE, f"{name}={value}", of_value)
        else:
            of_key = registry.key_bits(name) * (UNSET_PART if value in UNSET else 1.0)
            yield key(Kind.CONFIG, f"{name}={value}", of_key + of_value)
        anywhere = registry.bits_of_value(value)
        if anywhere >= LEAST_RENAMED_BITS:
            yield key(Kind.VALUE, value, anywhere - RENAMING_COST)


def _classes(leaves: Mapping[str, str]) -> Iterator[Key]:
    """Classes that are loaded by name, without the repository that they may be loaded from."""
    for dotted, value in leaves.items():
        if dotted.startswith(_AUTO_MAP):
            yield key(Kind.AUTO_MAP, value.strip('"').rpartition("--")[2], AUTO_MAP_BITS)
