"""What a file does for nothing: imports and locals that nobody reads, statements that are never reached."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from detector.code.literals import UNREACHABLE, UNUSED_IMPORT, UNUSED_NAME, key_of
from detector.code.parse import deeply, parse_file, parsing

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_NAME = re.compile(r"[^\W\d]\w*")
# What reads names without spelling them.
_READERS = frozenset({"locals", "vars", "globals", "eval", "exec", "dir"})
# What an author leaves in on purpose.
_MEANT = re.compile(rb"#\s*(?:noqa|type:|pylint|pyright|isort)|F401|F841|__all__", re.IGNORECASE)
LONGEST_SHOWN = 80
# Statements whose kinds tell one piece of dead code from another.
MOST_SHAPES = 8


class Slip(NamedTuple):
    """One thing that is there for nothing."""

    kind: int
    key: int
    text: str
    line: int
    qualname: str  # of the function that it stands in, "" for an import
    name: str  # of an unused local, else ""


def slips(data: bytes, path: str) -> tuple[Slip, ...]:
    """Find the slips of one file, in the order of their lines.

    Empty: a file that re-exports what it imports (`__init__.py`) has no unused imports.
    """
    with parsing():
        tree, _ = parse_file(data)
    lines = data.split(b"\n")
    found = [] if path.endswith("__init__.py") else list(_unused_imports(tree, lines))
    for function, qualname in _functions(tree):
        try:
            with deeply():
                found += _unused_names(function, qualname, lines)
                found += _unreachable(function, qualname)
        except RecursionError:
            continue
    return tuple(sorted(found, key=lambda slip: (slip.line, slip.kind, slip.text)))


def _functions(tree: ast.Module) -> Iterator[tuple[_FUNCTION, str]]:
    """Every function with its qualname, without recursion."""
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, prefix = pending.pop()
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, _FUNCTION | ast.ClassDef):
                inner = f"{prefix}{child.name}."
            if isinstance(child, _FUNCTION):
                yield child, prefix + child.name
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                pending.append((child, inner))


def _unused_imports(tree: ast.Module, lines: list[bytes]) -> Iterator[Slip]:
    """Imports at the top level of a module that nothing in it names, not even a text."""
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if not imports:
        return
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 2_000:
            used.update(_NAME.findall(node.value))
    for node in imports:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        if _is_meant(lines, node.lineno, node.end_lineno or node.lineno):
            continue
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if bound != "*" and bound not in used and alias.asname != alias.name:
                text = alias.name
                yield Slip(UNUSED_IMPORT, key_of(UNUSED_IMPORT, 0, text.encode()), text, node.lineno, "", "")


def _is_meant(lines: list[bytes], first: int, last: int) -> bool:
    return any(_MEANT.search(line) for line in lines[first - 1 : last])


def _unused_names(function: _FUNCTION, qualname: str, lines: list[bytes]) -> Iterator[Slip]:
    """Locals that are assigned by themselves and read nowhere in the function or in what is nested in it."""
    assigned: dict[str, int] = {}
    read: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            read.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            read.update(node.names)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            read.add(node.target.id)
    if read & _READERS:
        return
    for node in _own_statements(function.body):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if _is_hinted(node) else []
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and not targets[0].id.startswith("_"):
            assigned.setdefault(targets[0].id, node.lineno)
    for name, line in assigned.items():
        if name not in read and not _is_meant(lines, line, line):
            yield Slip(UNUSED_NAME, key_of(UNUSED_NAME, 0, name.encode()), name, line, qualname, name)


def _is_hinted(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and node.value is not None


def _own_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a function, at any depth, without those of what is defined in it."""
    for block in _blocks(body):
        yield from block


def _blocks(body: Iterable[ast.stmt]) -> Iterator[list[ast.stmt]]:
    pending = [list(body)]
    while pending:
        block = pending.pop()
        yield block
        for node in block:
            if not isinstance(node, _SCOPE):
                pending += [inner for inner in _inner(node) if inner]


def _inner(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        inner = getattr(node, field, None)
        if isinstance(inner, list):
            yield inner
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _unreachable(function: _FUNCTION, qualname: str) -> Iterator[Slip]:
    """The first of the statements behind one that leaves the block, and those under `if False:`."""
    for block in _blocks(function.body):
        dead: list[ast.stmt] = []
        for place, node in enumerate(block[:-1]):
            if isinstance(node, _LEAVES):
                dead = block[place + 1 :]
                break
        yield from _dead(dead, qualname)
        for node in block:
            if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant) and not node.test.value:
                yield from _dead(node.body, qualname)


def _dead(block: list[ast.stmt], qualname: str) -> Iterator[Slip]:
    if not block or _says_nothing(block[0]) or any(isinstance(node, ast.Yield) for node in ast.walk(block[0])):
        return
    shape = " ".join(type(node).__name__ for each in block[:MOST_SHAPES] for node in ast.walk(each))[:1_000]
    text = ast.unparse(block[0]).partition("\n")[0][:LONGEST_SHOWN]
    yield Slip(UNREACHABLE, key_of(UNREACHABLE, 0, shape.encode()), text, block[0].lineno, qualname, "")


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is one that is put there for a checker, or out of habit."""
    if isinstance(node, ast.Return):
        return node.value is None or isinstance(node.value, ast.Constant | ast.Name)
    return isinstance(node, ast.Pass | ast.Raise | ast.Break | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
