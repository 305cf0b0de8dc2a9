"""Turn comprehensions into loops and loops into comprehensions."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable

from bench.disguise.effects import is_movable, is_pure, names

LEAVES_OR_SCOPES = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def comprehension_to_loop(statement: ast.stmt, fresh: Callable[[], str]) -> list[ast.stmt] | None:
    """`x = [e for t in it if c]` or `return [...]` as a loop that appends; the loop's names are new ones."""
    if not isinstance(statement, ast.Assign | ast.Return):
        return None
    value = statement.value
    if not isinstance(value, ast.ListComp | ast.SetComp | ast.DictComp) or not _is_simple(value):
        return None
    value = copy.deepcopy(value)
    _rename_targets(value, fresh)
    result = fresh()
    inner: ast.stmt
    if isinstance(value, ast.DictComp):
        slot = ast.Subscript(ast.Name(result, ast.Load()), value.key, ast.Store())
        inner = ast.Assign(targets=[slot], value=value.value, lineno=0)
        empty: ast.expr = ast.Dict([], [])
    else:
        is_list = isinstance(value, ast.ListComp)
        method = ast.Attribute(ast.Name(result, ast.Load()), "append" if is_list else "add", ast.Load())
        inner = ast.Expr(ast.Call(method, [value.elt], []))
        empty = ast.List([], ast.Load()) if is_list else ast.Call(ast.Name("set", ast.Load()), [], [])
    for generator in reversed(value.generators):
        for condition in reversed(generator.ifs):
            inner = ast.If(test=condition, body=[inner], orelse=[])
        inner = ast.For(target=generator.target, iter=generator.iter, body=[inner], orelse=[], lineno=0)
    end = copy.deepcopy(statement)
    end.value = ast.Name(result, ast.Load())
    return [ast.Assign(targets=[ast.Name(result, ast.Store())], value=empty, lineno=0), inner, end]


def _is_simple(value: ast.ListComp | ast.SetComp | ast.DictComp) -> bool:
    if any(generator.is_async for generator in value.generators) or not is_movable(value):
        return False
    if isinstance(value, ast.DictComp) and not is_pure(value.key):  # `d[k] = v` evaluates v first
        return False
    inside = [part for part in ast.walk(value) if part is not value]
    return not any(isinstance(part, LEAVES_OR_SCOPES) for part in inside)


def _rename_targets(value: ast.ListComp | ast.SetComp | ast.DictComp, fresh: Callable[[], str]) -> None:
    """Give the comprehension's variables new names: those of a loop are the function's own."""
    bound = {name: fresh() for generator in value.generators for name in sorted(names(generator.target))}
    outside = {id(node) for node in ast.walk(value.generators[0].iter)}
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and id(node) not in outside:
            node.id = bound.get(node.id, node.id)


def loop_to_comprehension(
    before: ast.stmt | None, statement: ast.stmt, count: Counter[str], escaping: set[str]
) -> ast.stmt | None:
    """`x = []; for t in it: x.append(e)` as a comprehension, where `t` is used in the loop only."""
    if not isinstance(before, ast.Assign) or not isinstance(statement, ast.For) or statement.orelse:
        return None
    target = before.targets[0]
    if len(before.targets) != 1 or not isinstance(target, ast.Name) or not isinstance(before.value, ast.List):
        return None
    if before.value.elts or target.id in escaping or len(statement.body) != 1:
        return None
    inner, conditions = statement.body[0], []
    while isinstance(inner, ast.If) and len(inner.body) == 1 and not inner.orelse:
        conditions.append(inner.test)
        inner = inner.body[0]
    element = _appended(inner, target.id)
    if element is None or not _is_loop_variable(statement, count, escaping):
        return None
    parts = [element, statement.iter, *conditions]
    if any(target.id in names(part) or not is_movable(part) for part in parts):
        return None
    generator = ast.comprehension(target=statement.target, iter=statement.iter, ifs=conditions, is_async=0)
    return ast.Assign(targets=[target], value=ast.ListComp(elt=element, generators=[generator]), lineno=0)


def _appended(statement: ast.stmt, name: str) -> ast.expr | None:
    """`e` of `name.append(e)`."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    call = statement.value
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "append" or call.keywords or len(call.args) != 1:
        return None
    is_ours = isinstance(call.func.value, ast.Name) and call.func.value.id == name
    return call.args[0] if is_ours and not isinstance(call.args[0], ast.Starred) else None


def _is_loop_variable(statement: ast.For, count: Counter[str], escaping: set[str]) -> bool:
    if not all(isinstance(part, ast.Name | ast.Tuple | ast.expr_context) for part in ast.walk(statement.target)):
        return False
    inside = Counter(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
    bound = names(statement.target)
    return all(inside[name] == count[name] for name in bound) and not bound & (escaping | names(statement.iter))
