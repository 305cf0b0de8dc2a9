"""`tokenizer.json` of Hugging Face's tokenizers, and `tekken.json` of Mistral."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers.alphabet import from_piece, is_pieces
from detector.artifacts.tokenizers.lists import from_ids, merge_pairs
from detector.artifacts.tokenizers.part import AddedToken, Part, encoded, is_id, ordered
from detector.settings.tokenizer import MOST_MERGES, MOST_TOKENS

FLAGS = ("special", "lstrip", "rstrip", "normalized", "single_word")
STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")


def read(found: object) -> Part:
    """`tokenizer.json`.

    Errors: CannotParse.
    """
    model = found.get("model") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(model, dict):
        raise CannotParse("it has no model")
    vocabulary, entries = model.get("vocab"), model.get("merges")
    tokens, to_bytes = (_scored(vocabulary), from_piece) if isinstance(vocabulary, list) else from_ids(vocabulary)
    merges = entries if isinstance(entries, list) else []
    if len(merges) > MOST_MERGES:
        raise CannotParse(f"it has more than {MOST_MERGES:,} merges")
    kind = model.get("type")
    return Part(
        kind if isinstance(kind, str) else "Unigram" if isinstance(vocabulary, list) else "BPE",
        tokens,
        merge_pairs(merges, to_bytes),
        dict(_added(found.get("added_tokens"))),
        {step: canonical(found[step]) for step in STEPS if found.get(step) is not None},
    )


def _scored(vocabulary: list[object]) -> tuple[bytes, ...]:
    """A list of pieces with their scores; the place is the id."""
    if len(vocabulary) > MOST_TOKENS:
        raise CannotParse(f"it has more than {MOST_TOKENS:,} tokens")
    pieces = [each[0] if isinstance(each, list) and each and isinstance(each[0], str) else "" for each in vocabulary]
    to_bytes = from_piece if is_pieces(dict.fromkeys(pieces)) else encoded
    return tuple(map(to_bytes, pieces))


def _added(entries: object) -> Iterator[tuple[int, AddedToken]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and is_id(entry.get("id")) and isinstance(entry.get("content"), str):
            yield entry["id"], AddedToken(entry["content"], flags(entry))


def flags(entry: dict[object, object]) -> tuple[str, ...]:
    """The flags that an added token has set."""
    return tuple(flag for flag in FLAGS if entry.get(flag) is True)


def canonical(value: object) -> str:
    """A setting in one spelling, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def read_tekken(found: object) -> Part:
    """`tekken.json`: special tokens come first, then the vocabulary up to the size that is used.

    Errors: CannotParse.
    """
    config = found.get("config") if isinstance(found, dict) else None
    vocabulary = found.get("vocab") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(config, dict) or not isinstance(vocabulary, list):
        raise CannotParse("it has no vocabulary")
    specials, size = config.get("default_num_special_tokens"), config.get("default_vocab_size")
    if not (isinstance(specials, int) and isinstance(size, int) and is_id(specials) and is_id(size)):
        raise CannotParse("it does not say how many tokens it has")
    used = vocabulary[: max(0, size - specials)]
    entries = [(specials + place, _tekken_token(entry)) for place, entry in enumerate(used)]
    listed = found.get("special_tokens")
    added = {
        entry["rank"]: AddedToken(entry["token_str"], ("special",))
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict) and is_id(entry.get("rank")) and isinstance(entry.get("token_str"), str)
    }
    return Part("BPE", ordered(entries), added=added, steps={"pre_tokenizer": canonical(config.get("pattern"))})


def _tekken_token(entry: object) -> bytes:
    token = entry.get("token_bytes") if isinstance(entry, dict) else None
    try:
        return binascii.a2b_base64(token) if isinstance(token, str) else b""
    except (binascii.Error, ValueError):
        return b""
