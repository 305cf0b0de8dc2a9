"""Names as they come from scanned projects, made safe to show: they may have been chosen to mislead the reader."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Show every character that a terminal would obey, hide or reorder by as its escape: `\x1b`, `\u202e`.

    Covers control characters, bidirectional controls, zero-width characters, line separators and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def elided(text: str, most: int = 80) -> str:
    """Leave out the middle of what is longer: the ends tell names apart.

    Units: characters.
    """
    if len(text) <= most:
        return text
    tail = most // 2
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"


def shortened(text: str, most: int) -> str:
    """Leave out the middle of a text that is longer than `most` characters, and say how much that was."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} characters left out … {text[len(text) - half :]}"
