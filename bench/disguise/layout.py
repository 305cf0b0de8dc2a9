"""Drop what does not run: docstrings, hints, comments."""

from __future__ import annotations

import ast

from bench.disguise.mutate import Layout
from bench.disguise.ownership import terminal

READS_HINTS = frozenset("script singledispatch register overload dispatch custom_op typechecked validate_call".split())


class _Careful(Layout):
    """Keeps the hints that are read when the program runs."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:  # noqa: N802, as `ast` names it
        if {terminal(decorator) for decorator in node.decorator_list} & READS_HINTS:
            return node
        return super().visit_FunctionDef(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):  # a `pass` is left where a bare hint was
            node.body = [part for part in body if not isinstance(part, ast.Pass)] or body[:1]  # type: ignore[attr-defined]
        return node


def strip(tree: ast.Module) -> ast.Module:
    """The module without docstrings and hints. Changes the tree."""
    stripped: ast.Module = _Careful().visit(tree)
    return ast.fix_missing_locations(stripped)
