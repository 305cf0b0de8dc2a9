"""Texts that are put together: f-string, `format`, `%`, `join`, `+` are one template with its values."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable

from detector.code.lowering.dispatch import EXPRESSIONS, value
from detector.code.lowering.flow import Frame, table
from detector.code.lowering.labels import CALLS, CONSTANTS, LABELS

_FORMAT = LABELS["format"]
_STR = CALLS["builtins.str"]

# A placeholder of `%`: flags, width, precision, conversion. Names and `*` make it another thing.
_PERCENT = re.compile(r"%[#0\- +]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa%]")

# A text of more parts than this grows in a loop or a table; its parts are no longer taken together.
MOST_PARTS = 64

Part = str | int  # literal text, or the id of a value


def text(parts: Iterable[Part], frame: Frame) -> int:
    """Make the node of a text: its template with `{}` for each value, then the values in order."""
    texts = frame.texts
    flat: list[Part] = []
    for part in parts:
        for each in (part,) if isinstance(part, str) else texts.get(part, (part,)):
            if isinstance(each, str) and flat and isinstance(flat[-1], str):
                flat[-1] += each
            elif each != "":
                flat.append(each)
    flat = flat[:MOST_PARTS]
    values = [part for part in flat if isinstance(part, int)]
    if not values:
        number = table[CONSTANTS[str][flat[0] if flat else ""]]
    elif len(flat) == 1:
        number = table[(_STR, values[0])]
    else:
        template = "".join([part if isinstance(part, str) else "{}" for part in flat])
        number = table[(_FORMAT, table[CONSTANTS[str][template]], *values)]
    texts[number] = tuple(flat)
    return number


def concatenated(left: int, right: int, frame: Frame) -> int | None:
    """`"a" + x`: None where neither side is known to be a text."""
    texts = frame.texts
    ours, theirs = texts.get(left), texts.get(right)
    if (ours is None and theirs is None) or len(ours or ()) + len(theirs or ()) > MOST_PARTS:
        return None
    return text((left, right), frame)


def percent(left: int, right: int, frame: Frame) -> int | None:
    """`"%s_%d" % (a, b)`."""
    template = _constant(left, frame)
    if template is None:
        return None
    given = frame.lists.get(right, (right,))
    parts: list[Part] = []
    end = used = 0
    for found in _PERCENT.finditer(template):
        parts.append(template[end : found.start()])
        end = found.end()
        if found[0][-1] == "%":
            parts.append("%")
        elif used < len(given):
            parts.append(given[used])
            used += 1
        else:
            return None
    parts.append(template[end:])
    return None if used != len(given) or "%" in template[end:] else text(parts, frame)


def _constant(number: int, frame: Frame) -> str | None:
    parts = frame.texts.get(number)
    return parts[0] if parts is not None and len(parts) == 1 and isinstance(parts[0], str) else None


def as_format(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`"{}_{x}".format(a, x=b)`."""
    template = _constant(operands[1], frame) if len(operands) == 2 else None
    is_plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
    if template is None or not is_plain or not all(keyword.arg for keyword in node.keywords):
        return None
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    parts: list[Part] = []
    position = 0
    try:
        for literal, field, _, _ in string.Formatter().parse(template):
            parts.append(literal)
            if field is None:
                continue
            if field == "":
                field, position = str(position), position + 1  # noqa: PLW2901
            given = node.args[int(field)] if field.isdecimal() else named[field]
            parts.append(value(given, frame))
    except (ValueError, IndexError, KeyError):  # no such argument, or a field with a path: an ordinary call
        return None
    return text(parts, frame)


def as_join(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`".".join([a, b])`, where the items are written out."""
    separator = _constant(operands[1], frame) if len(operands) == 2 else None
    if separator is None or len(node.args) != 1 or node.keywords:
        return None
    given = value(node.args[0], frame)
    items = frame.lists.get(given)
    if not items or len(items) > MOST_PARTS:
        return table[(*operands, given)]
    parts: list[Part] = [items[0]]
    for item in items[1:]:
        parts += (separator, item)
    return text(parts, frame)


def as_str(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`str(x)`: `f"{x}"`."""
    if len(operands) != 1 or len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        return None
    return text((value(node.args[0], frame),), frame)


def _fstring(node: ast.JoinedStr, frame: Frame) -> int:
    return text([value(part, frame) for part in node.values], frame)


EXPRESSIONS[ast.JoinedStr] = _fstring
if hasattr(ast, "TemplateStr"):  # Python 3.14
    EXPRESSIONS[ast.TemplateStr] = _fstring
