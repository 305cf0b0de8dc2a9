"""Which locals a run of statements needs, and which it gives: what a function made of it would take and return."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bench.disguise.edits import BLOCKS, Block
from bench.disguise.effects import FunctionNode
from bench.disguise.walking import walk

COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def reads(node: ast.AST) -> set[str]:
    """Names that an expression reads from the function around it."""
    if isinstance(node, COMPREHENSIONS):
        targets = {part.id for g in node.generators for part in walk(g.target) if isinstance(part, ast.Name)}
        first = node.generators[0].iter
        rest = {name for child in ast.iter_child_nodes(node) for name in _reads_of(child, first)}
        return reads(first) | (rest - targets)
    if isinstance(node, ast.Lambda):
        own = {part.arg for part in walk(node.args) if isinstance(part, ast.arg)}
        defaults = {name for part in [*node.args.defaults, *node.args.kw_defaults] if part for name in reads(part)}
        return (reads(node.body) - own) | defaults
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    return {name for child in ast.iter_child_nodes(node) for name in reads(child)}


def _reads_of(child: ast.AST, left_out: ast.AST) -> set[str]:
    if isinstance(child, ast.comprehension):
        return {name for part in [child.iter, *child.ifs] if part is not left_out for name in reads(part)}
    return reads(child)


def targets(node: ast.AST) -> set[str]:
    """Names that an assignment, or an expression that is assigned to, certainly binds."""
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in targets(target)}
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return targets(node.target) if node.value else set()
    return {part.id for part in walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


class Needs:
    """Go through statements in order; collect the names that are read before they are certainly bound."""

    def __init__(self, points: dict[tuple[int, int], frozenset[str]] | None = None) -> None:
        self.needed: dict[str, None] = {}  # in order of their first use
        self.points = points  # (block, index) -> what is certainly bound before the statement

    def block(self, block: Block, bound: set[str]) -> set[str]:
        """What is certainly bound after a block."""
        bound = set(bound)
        for index, statement in enumerate(block):
            if self.points is not None:
                self.points[id(block), index] = frozenset(bound)
            bound = self.statement(statement, bound)
        return bound

    def _read(self, node: ast.AST | None, bound: set[str]) -> None:
        if node is not None:
            for name in sorted(reads(node) - bound):
                self.needed.setdefault(name)

    def statement(self, node: ast.stmt, bound: set[str]) -> set[str]:
        """What is certainly bound after a statement."""
        if isinstance(node, ast.If):
            self._read(node.test, bound)
            return self._either(self.block(node.body, bound), self.block(node.orelse, bound), node, bound)
        if isinstance(node, ast.For | ast.AsyncFor):
            self._read(node.iter, bound)
            self._read(node.target, bound)
            self.block(node.body, bound | targets(node.target))
            self.block(node.orelse, bound)
            return bound
        if isinstance(node, ast.While):
            self._read(node.test, bound)
            self.block(node.body, bound)
            self.block(node.orelse, bound)
            return bound
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._read(item.context_expr, bound)
                bound = bound | (targets(item.optional_vars) if item.optional_vars else set())
            inside = self.block(node.body, bound)
            return inside if not _swallows(node) else bound
        if isinstance(node, ast.Try | ast.TryStar):
            self.block(node.body, bound)
            for handler in node.handlers:
                self._read(handler.type, bound)
                self.block(handler.body, bound | ({handler.name} if handler.name else set()))
            self.block(node.orelse, bound)
            return self.block(node.finalbody, bound)
        return self._simple(node, bound)

    def _either(self, first: set[str], second: set[str], node: ast.If, bound: set[str]) -> set[str]:
        if node.body and isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
            return second
        if node.orelse and isinstance(node.orelse[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
            return first
        return first & second

    def _simple(self, node: ast.stmt, bound: set[str]) -> set[str]:
        if isinstance(node, FunctionNode | ast.ClassDef):
            self._read(node, bound)
            return bound | {node.name}
        if isinstance(node, ast.Import | ast.ImportFrom):
            return bound | {alias.asname or alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._read(ast.Name(node.target.id, ast.Load()), bound)
        self._read(node, bound)
        if isinstance(node, ast.Match):
            return bound
        return bound | (targets(node) if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) else set())


def _swallows(node: ast.With | ast.AsyncWith) -> bool:
    return any("suppress" in ast.unparse(item.context_expr) for item in node.items)


def blocks(function: FunctionNode) -> Iterator[tuple[Block, bool, bool]]:
    """Every block of a function, with whether it is a loop's body and whether it is in a `try`."""
    yield from _blocks(function.body, False, False)


def _blocks(block: Block, is_loop: bool, is_guarded: bool) -> Iterator[tuple[Block, bool, bool]]:
    yield block, is_loop, is_guarded
    for node in block:
        if isinstance(node, FunctionNode | ast.ClassDef):
            continue
        inside = is_guarded or isinstance(node, ast.Try | ast.TryStar)
        for holder in [node, *getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            for field in BLOCKS:
                inner = getattr(holder, field, None)
                if isinstance(inner, list) and inner:
                    is_body = isinstance(node, ast.For | ast.While) and field == "body"
                    yield from _blocks(inner, is_body, inside)
