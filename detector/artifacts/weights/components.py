"""Names of tensors -> the parts of a model that they name, and the layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from detector.settings.weights import MOST_COMPONENT_ROWS

# A part that holds more than this of a model is told by its own parts.
_WHOLE_PART = 0.9
_MOST_DEPTH = 6


def components(parameters: Mapping[str, int]) -> dict[str, str]:
    """The component of each tensor: the first part of its name that does not hold nearly the whole model.

    parameters: of each tensor, by name.
    Empty: a tensor at the top is its own component's, called "".
    """
    total = sum(parameters.values()) or 1
    found: dict[str, str] = {}
    left = dict.fromkeys(parameters, "")
    for _ in range(_MOST_DEPTH):
        deeper = {name: _longer(name, prefix) for name, prefix in left.items()}
        sizes: Counter[str] = Counter()
        for name, prefix in deeper.items():
            sizes[prefix] += parameters[name]
        if any(prefix.rpartition(".")[2].isdigit() for prefix in sizes) or len(sizes) > MOST_COMPONENT_ROWS:
            break  # layers are no components, and neither is each tensor by itself
        found |= deeper
        left = {name: prefix for name, prefix in deeper.items() if sizes[prefix] > _WHOLE_PART * total}
        if not left:
            break
    return {name: found.get(name, "") for name in parameters}


def _longer(name: str, prefix: str) -> str:
    """The prefix with one more part of the name, if that is not the tensor's own."""
    rest = name[len(prefix) + 1 :] if prefix else name
    part, dot, _ = rest.partition(".")
    if not dot:
        return prefix
    return f"{prefix}.{part}" if prefix else part


def layer(name: str) -> str:
    """The layer that a tensor is in, up to its first number, or the module."""
    parts = name.split(".")
    for place, part in enumerate(parts[:-1]):
        if part.isdigit():
            return ".".join(parts[: place + 1])
    return ".".join(parts[:-1])


def most_common(names: Iterable[str]) -> str:
    """The one that is said most often; of equal ones the first in order."""
    counted = Counter(names)
    return min(counted, key=lambda name: (-counted[name], name), default="")
