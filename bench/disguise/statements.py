"""Write one or two statements as others that do the same."""

from __future__ import annotations

import ast
import copy

from bench.disguise.effects import is_movable, names

OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip


def assign(name: str, value: ast.expr) -> ast.Assign:
    """`name = value`."""
    return ast.Assign(targets=[ast.Name(name, ast.Store())], value=value, lineno=0)


def stored_name(statement: ast.stmt | None) -> str | None:
    """`x` of `x = ...`."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def stored_names(statement: ast.stmt) -> set[str]:
    """The names of `x = ...` or `x, y = ...`; nothing for other statements and targets."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return set()
    target = statement.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    if not all(isinstance(part, ast.Name) for part in parts):
        return set()
    return names(target)


def negated(test: ast.expr) -> ast.expr:
    """The opposite test, as one would write it."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in OPPOSITE:
        return ast.Compare(test.left, [OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def spread(statement: ast.Assign | ast.Return, value: ast.IfExp) -> ast.stmt:
    """`x = a if c else b` as an `if` statement; the same with `return`."""
    branches: list[ast.stmt] = []
    for part in (value.body, value.orelse):
        branch = copy.deepcopy(statement)
        branch.value = part
        branches.append(branch)
    return ast.If(test=value.test, body=[branches[0]], orelse=[branches[1]])


def joined(statement: ast.If) -> ast.stmt | None:
    """The `if` statement as one with a ternary, if both branches are one assignment to one name, or one return."""
    if len(statement.body) != 1 or len(statement.orelse) != 1:
        return None
    first, second = statement.body[0], statement.orelse[0]
    if isinstance(first, ast.Return) and isinstance(second, ast.Return) and first.value and second.value:
        return ast.Return(ast.IfExp(statement.test, first.value, second.value))
    if isinstance(first, ast.Assign) and isinstance(second, ast.Assign):
        name = stored_name(first)
        if name and name == stored_name(second):
            return assign(name, ast.IfExp(statement.test, first.value, second.value))
    return None


def leaves(block: list[ast.stmt]) -> bool:
    """Whether nothing after the block is reached from it."""
    return bool(block) and isinstance(block[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def is_number(value: ast.expr, name: str) -> bool:
    """Whether the value, made of numbers and the name itself, is a number."""
    if isinstance(value, ast.BinOp):
        return all(is_number(side, name) for side in (value.left, value.right))
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in {"len", "int", "float"}
    if isinstance(value, ast.Name):
        return value.id == name
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float)


def apart(statement: ast.stmt) -> list[ast.Assign] | None:
    """`a, b = x, y` as two statements, if `y` has no use for the old `a`."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Tuple):
        return None
    target, value = statement.targets[0], statement.value
    if len(stored_names(statement)) != len(value.elts) or not isinstance(target, ast.Tuple):
        return None
    stored: set[str] = set()
    parts = []
    for name, part in zip(target.elts, value.elts, strict=True):
        if stored & names(part) or isinstance(part, ast.Starred) or not isinstance(name, ast.Name):
            return None
        stored.add(name.id)
        parts.append(assign(name.id, part))
    return parts


def together(first: ast.stmt, second: ast.stmt) -> ast.stmt | None:
    """`a = x; b = y` as one, if `y` has no use for the new `a`."""
    one, other = stored_name(first), stored_name(second)
    if not one or not other or one == other:
        return None
    assert isinstance(first, ast.Assign)
    assert isinstance(second, ast.Assign)
    if one in names(second.value) or not is_movable(second.value):
        return None
    targets = ast.Tuple([ast.Name(one, ast.Store()), ast.Name(other, ast.Store())], ast.Store())
    return ast.Assign(targets=[targets], value=ast.Tuple([first.value, second.value], ast.Load()), lineno=0)
