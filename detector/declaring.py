"""What a comment beside a function says of where it comes from: above it, above its class, at the head of its file.

By itself, since a hook asks this of a few files and has no time to load what a whole project may declare.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence

from detector.artifacts.credits import remarks
from detector.code.parse import parse_file, parsing
from detector.code.scopes import definitions
from detector.model import Span
from detector.settings.declared import HEADER_LINES


def declares(spans: Sequence[Span], read: Callable[[str], bytes], names: frozenset[str]) -> list[bool]:
    """Tell for each function of the suspect whether the suspect names the reference as its source."""
    with parsing():
        declared = {path: _declared_lines(read(path), names) for path in sorted({span.path for span in spans})}
    return [
        any(first <= span.first_line and span.last_line <= last for first, last in declared[span.path])
        for span in spans
    ]


def _declared_lines(data: bytes, names: frozenset[str]) -> list[tuple[int, int]]:
    """First and last lines of what one file declares to come from the reference: definitions, or all of it."""
    if not remarks.may_claim_from(data, names):  # most files name no source, or another: not worth parsing
        return []
    tree, _ = parse_file(data)
    # Not `splitlines`: it also splits at form feeds, and `ast` counts lines otherwise.
    lines = _without_texts(re.split(r"\r\n|\r|\n", data.decode("utf-8", "replace")), tree)
    notices = [*_notices(lines[:HEADER_LINES]), ast.get_docstring(tree) or ""]
    if any(remarks.claims_from(notice, names) for notice in notices):
        return [(0, len(lines))]
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in definitions(tree)
        if remarks.claims_from(_comment_above(lines, _start(node)), names)
        or remarks.claims_from(_comment_above(lines, node.lineno), names)
        or remarks.claims_from(ast.get_docstring(node) or "", names)
    ]


def _without_texts(lines: list[str], tree: ast.Module) -> list[str]:
    """Blank the lines that lie inside a string: what looks like a comment there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno is not None:
            lines[node.lineno : node.end_lineno] = [""] * (node.end_lineno - node.lineno)
    return lines


def _start(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _comment_above(lines: Sequence[str], first: int) -> str:
    """The comment block that stands directly above a line (counted from 1)."""
    block: list[str] = []
    line = first - 2
    while line >= 0 and lines[line].lstrip().startswith("#"):
        block.append(lines[line].lstrip("# \t"))
        line -= 1
    return "\n".join(reversed(block))


def _notices(lines: Iterable[str]) -> list[str]:
    """Comment blocks at the margin before the first definition: notices about the whole file.

    The block right above the first definition belongs to that definition, not to the file.
    """
    found: list[str] = []
    block: list[str] = []
    for text in lines:
        if text.startswith("#"):
            block.append(text.lstrip("# \t"))
        elif text.startswith(("def ", "class ", "@", "async ")):
            return found
        elif block:
            found.append("\n".join(block))
            block = []
    return [*found, "\n".join(block)]
