"""What a model answered -> one spelling, whichever format it was recorded in."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence

import xxhash

from detector.settings.behaviour import MOST_BOXES

Box = tuple[float, float, float, float]
NOTHING = 0  # the code of what is missing
_CORNERS = 4
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]{1,15}")
# Integers that every float holds exactly.
_EXACT = 2.0**53
_LONGEST_BOXES = 20_000


def spelled(value: object) -> str | None:
    """Spell a value so that the same answer is the same text in every format; None if there is none.

    Whole numbers have no decimals; boxes are JSON; what else is nested is JSON with its keys sorted.
    Errors: ValueError, RecursionError if it is nested too deeply.
    """
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    found = boxes_of(value)
    if found is not None:
        return spelled_boxes(found, isinstance(value, Sequence) and _is_corners(value))
    return printable(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str))


def _text(value: str) -> str:
    text = printable(value.strip())
    if "." in text and _DECIMAL.fullmatch(text) is not None:
        return _number(float(text)) or text
    if text.startswith("[") and len(text) <= _LONGEST_BOXES:
        try:
            loaded = json.loads(text)
        except (ValueError, RecursionError):
            return text
        found = boxes_of(loaded)
        return spelled_boxes(found, _is_corners(loaded)) if found is not None else text
    return text


def printable(text: str) -> str:
    """Put U+FFFD in place of lone surrogates."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _number(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)


def spelled_boxes(boxes: Sequence[Box], is_alone: bool) -> str:
    """Boxes as JSON, a single one without a list around it."""
    texts = ["[" + ",".join(_number(corner) or "" for corner in box) + "]" for box in boxes]
    return texts[0] if is_alone else "[" + ",".join(texts) + "]"


def boxes_of(value: object) -> tuple[Box, ...] | None:
    """One box, or a list of boxes, as four finite numbers each; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    rows = [value] if _is_corners(value) else value
    if len(rows) > MOST_BOXES or not all(isinstance(row, list) and _is_corners(row) for row in rows):
        return None
    return tuple((float(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in rows)


def _is_corners(value: Sequence[object]) -> bool:
    return len(value) == _CORNERS and all(
        isinstance(each, int | float) and not isinstance(each, bool) and abs(each) <= _EXACT  # false for NaN too
        for each in value
    )


def code(text: str) -> int:
    """Hash an answer, whatever its case and blanks; never `NOTHING`."""
    plain = " ".join(text.casefold().split())
    if not plain.isascii():
        plain = unicodedata.normalize("NFC", plain)
    return xxhash.xxh3_64_intdigest(plain.encode("utf-8", "replace")) or 1


def item_code(text: str) -> int:
    """Hash the id of an item; two logs choose the same items by it, in whatever order they stand."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))
