"""Values of a configuration -> one spelling each: what two programs write differently is told to be equal by it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from hashlib import blake2b

# Longer texts and lists are compared by their beginning and a digest of all: a table of labels is one value.
LONGEST_VALUE = 120
_DIGEST_BYTES = 8
# What says nothing by itself, whoever writes it: switches, nothing, none, one.
TRIVIAL = frozenset({"true", "false", "null", "0", "1", "2", "-1", '""', "[]", "{}"})
# Tables of names of classes of a data set: one value, however many there are.
_TABLES = frozenset({"id2label", "label2id", "task_specific_params"})


def spelling(value: object) -> str:
    """Spell a value: numbers by what they are worth, also in quotes, everything else as JSON has it."""
    return _clipped(_spelled(value))


def _spelled(value: object) -> str:
    if isinstance(value, str):
        return _number(value) or json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return _of_number(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_spelled, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{key}: {_spelled(each)}' for key, each in value.items()))}}}"
    return json.dumps(str(value), ensure_ascii=False)


def _of_number(value: float) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return json.dumps(value)
        if not value.is_integer():
            return repr(value)
    return str(int(value))


def _number(text: str) -> str:
    """A number in quotes, as its spelling; nothing for any other text."""
    if len(text) > 24 or not text.isascii() or text[:1].strip("+-.0123456789") != "" or "_" in text:
        return ""
    try:
        return _of_number(int(text) if text.isdigit() else float(text))
    except ValueError:
        return ""


def _clipped(text: str) -> str:
    if len(text) <= LONGEST_VALUE:
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{text[: LONGEST_VALUE - 20]}... ({digest})"


def leaves(tree: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    """Every value by its key with dots, and its spelling; lists are values, as are tables of labels."""
    for key, value in tree.items():
        dotted = f"{above}.{key}" if above else key
        if isinstance(value, Mapping) and value and key not in _TABLES:
            yield from leaves(value, dotted)
        else:
            yield dotted, spelling(value)
