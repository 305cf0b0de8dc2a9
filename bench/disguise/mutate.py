"""Write whole modules differently without changing what they do: layout, names, statements."""

from __future__ import annotations

import ast

from bench.declared import DefinitionNode, FunctionNode, without_docstring
from bench.disguise.edits import edit
from bench.disguise.rename import rename

__all__ = ["edit", "layout", "rename"]

KEEPS_HINTS = {"NamedTuple", "TypedDict", "Protocol", "ModelOutput", "BaseModel"}


def layout(source: str) -> str:
    """Drop comments, docstrings and hints, and lay the rest out anew."""
    tree = Layout().visit(ast.parse(source))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class Layout(ast.NodeTransformer):
    """Drops what does not run. The hints of a dataclass's fields do run, and stay."""

    def __init__(self) -> None:
        self.in_fields = False

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = without_docstring(node.body)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self._function(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        self._function(node)
        return node

    def _function(self, node: FunctionNode) -> None:
        outer, self.in_fields = self.in_fields, False
        node.returns = None
        self._definition(node)
        self.in_fields = outer

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        outer, self.in_fields = self.in_fields, _has_hinted_fields(node)
        self._definition(node)
        self.in_fields = outer
        return node

    def _definition(self, node: DefinitionNode) -> None:
        node.body = without_docstring(node.body)
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if self.in_fields:
            return node
        if node.value is None:
            return ast.Pass()
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)


def _has_hinted_fields(node: ast.ClassDef) -> bool:
    parts = [*node.decorator_list, *node.bases]
    names = {name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name)}
    names |= {name.attr for part in parts for name in ast.walk(part) if isinstance(name, ast.Attribute)}
    return bool(names & KEEPS_HINTS) or any("dataclass" in name or name in {"define", "frozen"} for name in names)
