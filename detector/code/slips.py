"""What a file does for nothing: imports and locals that nobody reads, statements that are never reached.

Looked for in the text first, where most files and functions have none; only then is a function parsed, by itself.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from detector.code.literals import UNREACHABLE, UNUSED_IMPORT, UNUSED_NAME, key_of
from detector.code.parse import deeply, parsing

_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
# What reads names without spelling them.
_READERS = frozenset({b"locals", b"vars", b"globals", b"eval", b"exec", b"dir"})
# What an author leaves in on purpose.
_MEANT = re.compile(rb"#\s*(?:noqa|type:|pylint|pyright|isort)|F401|F841", re.IGNORECASE)

_NAME = re.compile(rb"[^\W\d]\w*")
_IMPORT = re.compile(
    rb"^(?:from[ \t]+(?P<module>[\w.]+)[ \t]+)?import[ \t]+(?P<names>\([^()]{1,10000}\)|[^\n;(]+)[^\n]*", re.MULTILINE
)
_NAMES = re.compile(rb"([\w.]++)(?:[ \t]+as[ \t]+(\w++))?")
_COMMENT = re.compile(rb"#[^\n]*")

_ASSIGNED = re.compile(rb"^[ \t]+([^\W\d]\w*)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_BEHIND = re.compile(
    rb"^([ \t]{1,100})(?:return|raise|continue|break)\b[^\n]*\n\s*?\1"
    rb"(?![ \t)\]}#]|(?:el(?:se|if)|except|finally|case)\b)"
    rb"|\b(?:if|while)[ \t]+(?:False|0|None)[ \t]*:",
    re.MULTILINE,
)
# Bytes. Longer functions are generated; their slips are a program's.
LONGEST_FUNCTION = 100_000
LONGEST_SHOWN = 80
# Nodes whose kinds tell one piece of dead code from another.
MOST_SHAPES = 60


class Slip(NamedTuple):
    """One thing that is there for nothing."""

    kind: int
    key: int
    text: str
    line: int
    name: str = ""  # of an unused local


def unused_imports(data: bytes, path: str) -> tuple[Slip, ...]:
    """Imports at the margin of a file whose names occur nowhere else in it, not even in a comment.

    Empty: a file that is there to re-export what it imports (`__init__.py`), or says so by `__all__` or `noqa`.
    """
    if path.endswith("__init__.py") or b"__all__" in data:
        return ()
    counts = Counter(_NAME.findall(data))
    found = []
    told: set[bytes] = set()
    line, counted = 1, 0
    for match in _IMPORT.finditer(data):
        if match["module"] == b"__future__" or _MEANT.search(match[0]):
            continue
        own = Counter(_NAME.findall(match[0]))  # `import a.a` and `from a import a` name it twice themselves
        for part in _NAMES.finditer(_COMMENT.sub(_blank, match["names"])):
            bound = part[2] or part[1].partition(b".")[0]
            if counts[bound] == own[bound] and part[2] != part[1] and bound not in told:
                told.add(bound)
                start = match.start("names") + part.start(1)
                line, counted = line + data.count(b"\n", counted, start), start
                text = part[1].decode("utf-8", "replace")
                found.append(Slip(UNUSED_IMPORT, key_of(UNUSED_IMPORT, 0, part[1]), text, line))
    return tuple(found)


def _blank(comment: re.Match[bytes]) -> bytes:
    return b" " * len(comment[0])


def function_slips(lines: Sequence[bytes], first_line: int, last_line: int) -> tuple[Slip, ...]:
    """Locals that a function never reads, and statements that it never reaches, in the order of their lines.

    lines: of its file. Empty: a function that cannot be parsed by itself.
    """
    own = lines[first_line - 1 : last_line]
    text = b"\n".join(own)
    if len(text) > LONGEST_FUNCTION:
        return ()
    counts = Counter(_NAME.findall(text))
    once = {name for name in _ASSIGNED.findall(text) if counts[name] == 1 and not name.startswith(b"_")}
    if (not once and not _BEHIND.search(text)) or not _READERS.isdisjoint(counts):
        return ()
    try:
        with parsing():
            (function,) = ast.parse(textwrap.dedent(text.decode("utf-8", "replace"))).body
        with deeply():
            found = [*_unused_names(function, once, own), *_unreachable(function)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found.sort(key=lambda slip: (slip.line, slip.kind, slip.text))
    return tuple(slip._replace(line=slip.line + first_line - 1) for slip in found)


def _unused_names(function: ast.stmt, once: set[bytes], lines: Sequence[bytes]) -> Iterator[Slip]:
    """Names that occur once in a function, where something is assigned to them alone."""
    for block in _blocks([function]):
        for node in block:
            name = _assigned(node)
            if name.encode() in once and not _MEANT.search(lines[node.lineno - 1]):
                yield Slip(UNUSED_NAME, key_of(UNUSED_NAME, 0, name.encode()), name, node.lineno, name)


def _assigned(node: ast.stmt) -> str:
    """The one name that a statement assigns to, "" for none or several."""
    target: ast.expr | None = None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target = node.target
    return target.id if isinstance(target, ast.Name) else ""


def _blocks(body: Iterable[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """The blocks of a function, at any depth, without those of what is defined in it."""
    pending = [inner for node in body for inner in _inner(node)]
    while pending:
        block = pending.pop()
        yield block
        pending += [inner for node in block if not isinstance(node, _SCOPE) for inner in _inner(node)]


def _inner(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, None)
        if isinstance(inner, list) and inner:
            yield inner
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _unreachable(function: ast.stmt) -> Iterator[Slip]:
    """The first of the statements behind one that leaves the block, and of those under `if False:`."""
    for block in _blocks([function]):
        leaving = next((place for place, node in enumerate(block) if isinstance(node, _LEAVES)), len(block))
        yield from _dead(block[leaving + 1 :])
        for node in block:
            if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant) and not node.test.value:
                yield from _dead(node.body)


def _dead(block: list[ast.stmt]) -> Iterator[Slip]:
    if not block or _says_nothing(block[0]) or any(isinstance(node, ast.Yield) for node in ast.walk(block[0])):
        return
    shape = [type(node).__name__ for each in block for node in ast.walk(each)][:MOST_SHAPES]
    text = ast.unparse(block[0]).partition("\n")[0][:LONGEST_SHOWN]
    yield Slip(UNREACHABLE, key_of(UNREACHABLE, 0, " ".join(shape).encode()), text, block[0].lineno)


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is one that is put there for a checker, or out of habit."""
    if isinstance(node, ast.Return):
        return node.value is None or isinstance(node.value, ast.Constant | ast.Name)
    return isinstance(node, ast.Pass | ast.Raise | ast.Break | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
