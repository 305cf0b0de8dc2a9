"""Read a file statement by statement where its tree as a whole has errors, so that each error costs its own statement.

A compound statement with an error is read as its heads alone, with a marker for each suite, and the suites by
themselves; then they are put back together.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Sequence

from detector.code.tolerant.expressions import Parse
from detector.code.tolerant.lines import CLAUSES, Line
from detector.code.tolerant.statements import Statements

_MAX_LEVELS = 20  # of suites read apart; every level costs a few Python frames and parses its text again
_PARSED_TIMES = 8  # how often the text may be parsed again in all: hostile nesting must not make that quadratic
_MARKER = "suite_read_apart_"
_DEFINITION = re.compile(r"\s*(?:async\s+)?(def|class)\s+(\w+)")


class Isolated:
    """Reads the logical lines of one text."""

    def __init__(self, text: str, parse: Parse) -> None:
        self.text = text
        self.parse = parse
        self.budget = _PARSED_TIMES * len(text)  # characters that may still be parsed

    def read(self, lines: Sequence[Line], level: int = 0) -> list[ast.stmt]:
        """All statements of one suite."""
        base = min((line.indent for line in lines), default=0)
        found: list[ast.stmt] = []
        for block in _blocks(lines, base):
            is_orphaned = block[0].indent > base and level < _MAX_LEVELS
            found += self.read(block, level + 1) if is_orphaned else self._block(block, level)
        return found

    def _block(self, lines: Sequence[Line], level: int) -> list[ast.stmt]:
        """One statement with everything below it."""
        start, end = lines[0].start, lines[-1].end
        self.budget -= end - start
        source = self.text[start:end].encode("utf-8", "replace")
        tree = self.parse(source)
        is_broken = tree.has_error or any(line.is_outlier for line in lines)
        if is_broken and len(lines) > 1 and level < _MAX_LEVELS and self.budget > 0:
            return self._apart(lines, level)
        return _moved(Statements(source, self.parse, level).read(tree.children), lines[0].row)

    def _apart(self, lines: Sequence[Line], level: int) -> list[ast.stmt]:
        """Heads by themselves, suites by themselves."""
        base = lines[0].indent
        heads = [index for index, line in enumerate(lines) if line.indent <= base]
        suites: dict[str, list[ast.stmt]] = {}
        skeleton: list[str] = []
        position = lines[0].start
        for head, following in zip(heads, [*heads[1:], len(lines)], strict=True):
            line = lines[head]
            skeleton.append(self.text[position : line.code_end])
            position = line.code_end
            if following > head + 1 and self.text[position - 1] == ":":
                marker = f"{_MARKER}{len(suites)}"
                suites[marker] = self.read(lines[head + 1 : following], level + 1)
                skeleton.append(f" {marker}")
            elif following > head + 1:  # indented without a head: belongs to the suite around it
                suites[f"{_MARKER}{len(suites)}"] = self.read(lines[head + 1 : following], level + 1)
            below = lines[following - 1].end
            skeleton.append("\n" * self.text.count("\n", position, below))
            position = below
        source = "".join(skeleton).encode("utf-8", "replace")
        statements = _moved(Statements(source, self.parse, level).read(self.parse(source).children), lines[0].row)
        return _joined(statements or self._stand_in(lines[heads[0] : heads[-1] + 1]), suites)

    def _stand_in(self, lines: Sequence[Line]) -> list[ast.stmt]:
        """A definition by its name alone, where nothing else of its head can be read."""
        for line in lines:
            found = _DEFINITION.match(self.text, line.start)
            if found is not None and found[2].isidentifier() and not keyword.iskeyword(found[2]):
                head = f"{found[1]} {found[2]}(): {_MARKER}0"
                return _moved(ast.parse(head).body, line.row)
        return []


def _blocks(lines: Sequence[Line], base: int) -> Iterator[Sequence[Line]]:
    """Statements of a suite: a line with the deeper ones below it, decorators before and clauses after it."""
    first = 0
    is_decorated = False
    for index, line in enumerate(lines):
        if index > first and line.indent <= base and not is_decorated and line.word not in CLAUSES:
            yield lines[first:index]
            first = index
        if line.indent <= base:
            is_decorated = line.word == "@"
    if first < len(lines):
        yield lines[first:]


def _joined(statements: list[ast.stmt], suites: dict[str, list[ast.stmt]]) -> list[ast.stmt]:
    """Put every suite where its marker stands; a suite whose head was lost comes after."""
    walks = [list(ast.walk(statement)) for statement in statements]
    nodes = [node for walk in walks for node in walk]
    for node in nodes:
        for name in ("body", "orelse", "finalbody"):
            suite = getattr(node, name, None)
            if isinstance(suite, list) and len(suite) == 1 and (marker := _marker(suite[0])) in suites:
                suite[:] = suites.pop(marker) or [ast.copy_location(ast.Pass(), suite[0])]
    for node in reversed(nodes):  # inner ones first
        if isinstance(node, ast.stmt | ast.excepthandler):
            _stretch(node)
    kept = [
        statement
        for statement, walk in zip(statements, walks, strict=True)
        if not any(isinstance(node, ast.Name) and node.id in suites for node in walk)
    ]
    return kept + [statement for suite in suites.values() for statement in suite]


def _marker(statement: ast.AST) -> str:
    match statement:
        case ast.Expr(value=ast.Name(id=name)) if name.startswith(_MARKER):
            return name
    return ""


def _stretch(node: ast.stmt | ast.excepthandler) -> None:
    """Let a compound statement end where the last statement in it ends."""
    for name in ("finalbody", "orelse", "handlers", "cases", "body"):
        inner = getattr(node, name, None)
        if isinstance(inner, list) and inner:
            last = inner[-1].body[-1] if isinstance(inner[-1], ast.match_case) else inner[-1]
            node.end_lineno, node.end_col_offset = last.end_lineno, last.end_col_offset
            return


def _moved(statements: list[ast.stmt], rows: int) -> list[ast.stmt]:
    for statement in statements:
        ast.increment_lineno(statement, rows)
    return statements
