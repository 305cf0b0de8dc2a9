"""What stands around a vocabulary: tokenizer_config.json, special_tokens_map.json, added_tokens.json."""

from __future__ import annotations

from collections.abc import Iterator

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers.fast import flags
from detector.artifacts.tokenizers.part import AddedToken, Part, is_id

_PLAIN = ("tokenizer_class", "model_max_length", "padding_side", "truncation_side")
_ROLES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")
# Named templates of one tokenizer: "default", "tool_use", "rag".
_MOST_TEMPLATES = 16
_LONGEST_ID = 9


def read(found: object) -> Part:
    """`tokenizer_config.json`, and `special_tokens_map.json`, which has a few of the same keys.

    Errors: CannotParse.
    """
    if not isinstance(found, dict):
        raise CannotParse("it is no mapping")
    return Part(
        added=dict(_added(found.get("added_tokens_decoder"))),
        templates=dict(_templates(found.get("chat_template"))),
        names=dict(_names(found)),
    )


def read_added(found: object) -> Part:
    """`added_tokens.json`: contents and their ids.

    Errors: CannotParse.
    """
    if not isinstance(found, dict):
        raise CannotParse("it is no mapping")
    return Part(added={number: AddedToken(content) for content, number in found.items() if is_id(number)})


def _added(entries: object) -> Iterator[tuple[int, AddedToken]]:
    for key, entry in entries.items() if isinstance(entries, dict) else ():
        if not (isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) <= _LONGEST_ID):
            continue
        content = entry.get("content") if isinstance(entry, dict) else None
        if is_id(int(key)) and isinstance(content, str):
            yield int(key), AddedToken(content, flags(entry))


def _templates(given: object) -> Iterator[tuple[str, str]]:
    if isinstance(given, str):
        yield "default", given
    for entry in given[:_MOST_TEMPLATES] if isinstance(given, list) else ():
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and isinstance(entry.get("template"), str):
            yield name, entry["template"]


def _names(found: dict[object, object]) -> Iterator[tuple[str, str]]:
    for key in _PLAIN:
        value = found.get(key)
        if isinstance(value, str | int | float):
            yield key, str(value)
    for key in _ROLES:
        value = found.get(key)
        content = value.get("content") if isinstance(value, dict) else value
        if isinstance(content, str):
            yield key, content
    mapped = found.get("auto_map")
    for key, value in sorted(mapped.items(), key=str) if isinstance(mapped, dict) else ():
        first = next((each for each in value if isinstance(each, str)), "") if isinstance(value, list) else value
        if isinstance(key, str) and isinstance(first, str):
            yield f"auto_map.{key}", first
