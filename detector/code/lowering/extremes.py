"""Best-so-far loops: the rewritten `min(xs, key=f)`."""

from __future__ import annotations

import ast

from detector.code.lowering import flow
from detector.code.lowering.dispatch import value
from detector.code.lowering.flow import (
    Frame,
    table,
)
from detector.code.lowering.labels import (
    CALLS,
)

_IS_LESS: dict[type, bool] = {ast.Lt: True, ast.LtE: True, ast.Gt: False, ast.GtE: False}


def best_so_far(node: ast.If, frame: Frame) -> bool:
    """`if f(x) < best: best, found = f(x), x` in a loop: the rewritten `min(xs, key=f)`."""
    test = node.test
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) and len(test.values) == 2:
        test = test.values[1]  # `best is None or f(x) < best`
    if not isinstance(test, ast.Compare) or test.ops[0].__class__ not in _IS_LESS or len(test.ops) > 1:
        return False
    given = _plain_assignments(node.body)
    right = test.comparators[0]
    if isinstance(right, ast.Name) and right.id in given:
        best, measured, is_least = right.id, test.left, _IS_LESS[test.ops[0].__class__]
    elif isinstance(test.left, ast.Name) and test.left.id in given:
        best, measured, is_least = test.left.id, right, not _IS_LESS[test.ops[0].__class__]
    else:
        return False
    measure = value(measured, frame)
    values = {name: value(source, frame) for name, source in given.items()}
    if values.pop(best) != measure:
        return False
    values = {name: flow.extreme(frame, is_least, number, measure) for name, number in values.items()}
    extreme = CALLS["builtins.min" if is_least else "builtins.max"]
    values[best] = table[(extreme, flow.collect(frame, (measure,)))]
    frame.extremes.add(values[best])
    frame.env.update(values)
    frame.writes += values
    return True


def _plain_assignments(statements: list[ast.stmt]) -> dict[str, ast.expr]:
    """What a body assigns to names, when it does nothing else."""
    given: dict[str, ast.expr] = {}
    for statement in statements:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return {}
        targets, sources = [statement.targets[0]], [statement.value]
        if isinstance(targets[0], ast.Tuple) and isinstance(sources[0], ast.Tuple):
            targets, sources = targets[0].elts, sources[0].elts
        for target, source in zip(targets, sources, strict=False):
            if not isinstance(target, ast.Name) or isinstance(source, ast.Starred):
                return {}
            given[target.id] = source
    return given
