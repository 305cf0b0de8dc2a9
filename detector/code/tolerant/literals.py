"""Numbers and string literals as Python reads them, for both Python 2 and 3; a broken escape stays as written."""

from __future__ import annotations

import re
import unicodedata

_STRING_OPENING = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>'''|\"\"\"|'|\"|`)")
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[\n\\'\"abfnrtv])|(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{2})"
    r"|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|N\{(?P<name>[^}]+)\}|.)",
    re.DOTALL,
)
_PLAIN = {
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_BRACES = re.compile(r"\\\\|\\N\{[^}]*\}|\{\{|\}\}")


def number(text: str) -> int | float | complex:
    """Value of a number literal; `0777` and `10L` as Python 2 has them.

    Errors: ValueError for what no Python reads, including more digits than `int` converts.
    """
    digits = text.replace("_", "").lower()
    is_prefixed = digits[:2] in ("0x", "0o", "0b")
    if is_prefixed:
        return int(digits.rstrip("l"), 0)
    if digits.endswith("j"):
        return complex(0.0, float(digits[:-1]))
    digits = digits.rstrip("l")
    if not digits.isdigit():
        return float(digits)
    is_octal = len(digits) > 1 and digits[0] == "0" and digits.strip("01234567") == ""
    return int(digits, 8 if is_octal else 10)


def opening(text: str) -> tuple[str, str]:
    """Prefix in lower case (`rb`, `f`, ...) and quote of a string literal's beginning."""
    match = _STRING_OPENING.match(text)
    if match is None:
        return "", ""
    return match["prefix"].lower(), match["quote"]


def content(text: str, prefix: str) -> str:
    """What a literal's characters between the quotes stand for; of bytes, one character a byte."""
    if "\\" not in text or "r" in prefix:
        return text
    is_bytes = "b" in prefix
    return _ESCAPE.sub(lambda match: _unescaped(match, is_bytes), text)


def format_content(text: str, prefix: str) -> str:
    """The same for the fixed parts of an f-string, where a doubled brace is one brace."""
    if "{" in text or "}" in text:
        text = _BRACES.sub(lambda match: match[0][0] if match[0][0] != "\\" else match[0], text)
    return content(text, prefix)


def as_bytes(text: str) -> bytes:
    """Bytes of a decoded bytes literal; characters beyond a byte (Python 3 rejects them) as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _unescaped(match: re.Match[str], is_bytes: bool) -> str:
    kind = match.lastgroup
    if kind == "plain":
        return _PLAIN[match["plain"]]
    if kind == "octal":
        code = int(match["octal"], 8)
        return chr(code & 0xFF if is_bytes else code)
    if kind == "hex":
        return chr(int(match["hex"], 16))
    if kind is None or is_bytes:
        return match[0]
    if kind == "name":
        try:
            return unicodedata.lookup(match["name"])
        except KeyError:
            return match[0]
    code = int(match[kind], 16)
    return chr(code) if code <= 0x10FFFF else match[0]
