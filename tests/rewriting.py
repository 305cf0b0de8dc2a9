"""Rewrite finished Python text in ways that change nothing: merged assignments, dead code, annotations."""

from __future__ import annotations

import ast
from random import Random


class _Bodies(ast.NodeTransformer):
    """Rewrites every list of statements."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def rewrite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        raise NotImplementedError

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, name, self.rewrite(body))
        return node


class Merging(_Bodies):
    """`a = x; b = y` -> `a, b = x, y`."""

    def rewrite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in body:
            before = result[-1] if result else None
            if isinstance(before, ast.Assign) and isinstance(statement, ast.Assign) and self.rng.random() < 0.5:
                merged = _merged(before, statement)
                result[-1:] = [before, statement] if merged is None else [merged]
            else:
                result.append(statement)
        return result


def _loads(node: ast.AST) -> set[str]:
    """Names and attributes that an expression mentions."""
    return {getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node)}


def _merged(first: ast.Assign, second: ast.Assign) -> ast.Assign | None:
    targets = [first.targets[0], second.targets[0]]
    if not all(isinstance(target, ast.Name | ast.Attribute) for target in targets):
        return None
    one, other = (getattr(target, "id", getattr(target, "attr", "")) for target in targets)
    if one == other or one in _loads(second.value) or one in _loads(first.value):
        return None
    values = ast.Tuple([first.value, second.value], ast.Load())
    return ast.Assign([ast.Tuple(targets, ast.Store())], values, lineno=first.lineno)


class DeadCode(_Bodies):
    """Adds what is never used or never reached."""

    KINDS = ("unused = {}\n", "if False:\n    {}\n", "while False:\n    {}\n", "pass\n", "...\n", "'a note'\n")

    def rewrite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in body:
            if self.rng.random() < 0.3:
                added = self.rng.choice(self.KINDS).format(f"{self.rng.randint(1, 9)} ** (3 - 1)")
                result += ast.parse(added).body
            result.append(statement)
            if isinstance(statement, ast.Return) and self.rng.random() < 0.5:
                result += ast.parse("pass\nlate = [1] + [2]\n").body
        return result


class Annotated(ast.NodeTransformer):
    """Adds docstrings and annotations of parameters, results and variables."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(ast.Constant(self.rng.choice(["Compute it.", "x: what comes in\n\ny: and out"]))))
        node.returns = ast.Name(self.rng.choice(["Tensor", "float"]), ast.Load())
        for argument in node.args.args:
            if self.rng.random() < 0.5 and argument.arg != "self":
                argument.annotation = ast.Subscript(ast.Name("list", ast.Load()), ast.Name("int", ast.Load()))
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        if isinstance(target, ast.Name) and self.rng.random() < 0.5:
            return ast.AnnAssign(target, ast.Constant("Tensor | None"), node.value, 1)
        return node
