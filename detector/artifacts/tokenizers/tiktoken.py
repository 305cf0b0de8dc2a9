"""Vocabularies in tiktoken's text form: a token in base64 and its rank on each line."""

from __future__ import annotations

import binascii
import re

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.tokenizers.part import Part, ordered
from detector.settings.tokenizer import MOST_TOKENS

# Whisper ends with a token that is empty.
_LINE = re.compile(rb"([A-Za-z0-9+/]{0,8192}={0,2}) ([0-9]{1,8})\r?")
# Lines that tell the format.
_FIRST_LINES = 8


def is_tiktoken(data: bytes) -> bool:
    """Whether a file begins as this format does."""
    lines = data[:4096].split(b"\n")[:_FIRST_LINES]
    return len(lines) > 1 and all(_LINE.fullmatch(line) is not None for line in lines[:-1])


def read(data: bytes) -> Part:
    """Read all ranks.

    Errors: CannotParse.
    """
    if data.count(b"\n") > MOST_TOKENS:
        raise CannotParse(f"it has more than {MOST_TOKENS:,} tokens")
    entries = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise CannotParse(f"line {number} is no token with a rank")
        try:
            entries.append((int(found[2]), binascii.a2b_base64(found[1])))
        except binascii.Error:
            raise CannotParse(f"line {number} is no base64") from None
    return Part("BPE", ordered(entries))
