"""Loops that count by hand: the running index of `for i, x in enumerate(xs)` written as a variable."""

from __future__ import annotations

import ast

from detector.code.lowering import flow
from detector.code.lowering.dispatch import value
from detector.code.lowering.flow import Frame, table
from detector.code.lowering.labels import CALLS

_RANGE, _LEN = CALLS["builtins.range"], CALLS["builtins.len"]


def counted_while(node: ast.While, frame: Frame) -> list[ast.stmt] | None:
    """`i = 0; while i < n: ...; i += 1`: bind i to an element of `range(n)` and give the rest of the body.

    Also `while True: if i >= n: break; ...; i += 1`. None where it is no such loop; then nothing is bound.
    """
    test, body = node.test, node.body
    if isinstance(test, ast.Constant) and test.value and isinstance(body[0], ast.If):
        first = body[0]
        if first.orelse or len(first.body) != 1 or not isinstance(first.body[0], ast.Break):
            return None
        found, body = _bound(first.test, is_negated=True), body[1:]
    else:
        found = _bound(test, is_negated=False)
    if found is None or not body:
        return None
    counter, bound = found
    if not _is_counter(counter, body[-1], body, frame, 0):
        return None
    end = value(bound, frame)
    indices = table[(_RANGE, end)]
    if end in frame.counts:
        frame.ranges[indices] = frame.counts[end]
    _count(counter, indices, frame)
    return body[:-1]


def counter_of(node: ast.For | ast.AsyncFor, frame: Frame) -> tuple[str, list[ast.stmt]] | None:
    """`i = 0; for x in xs: ...; i += 1`, or from -1 with the step first: the counter and the rest of the body."""
    for step, rest, start in ((node.body[-1], node.body[:-1], 0), (node.body[0], node.body[1:], -1)):
        if isinstance(step, ast.AugAssign | ast.Assign):
            target = step.target if isinstance(step, ast.AugAssign) else step.targets[0]
            if isinstance(target, ast.Name) and rest and _is_counter(target.id, step, node.body, frame, start):
                return target.id, rest
    return None


def count_over(counter: str, iterable: int, frame: Frame) -> None:
    """Bind a counter to the running index over what is iterated, as `enumerate` does."""
    indices = table[(_RANGE, table[(_LEN, iterable)])]
    frame.ranges[indices] = iterable
    _count(counter, indices, frame)


def _count(counter: str, indices: int, frame: Frame) -> None:
    frame.env[counter] = flow.elem(frame, indices)


def _bound(test: ast.expr, is_negated: bool) -> tuple[str, ast.expr] | None:
    """The counter and its end in `i < n`, however written; negated, in `i >= n`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _bound(test.operand, not is_negated)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, right, operator = test.left, test.comparators[0], test.ops[0].__class__
    less, more = (ast.GtE, ast.LtE) if is_negated else (ast.Lt, ast.Gt)
    if operator is less and isinstance(left, ast.Name):
        return left.id, right
    if operator is more and isinstance(right, ast.Name):
        return right.id, left
    return None


def _is_counter(name: str, step: ast.stmt, body: list[ast.stmt], frame: Frame, start: int) -> bool:
    """Whether a name starts from a number, takes steps of one, and is given nothing else."""
    number = frame.env.get(name)
    if number is None or frame.numbers.get(number) != start or not _is_step(step, name):
        return False
    stores = 0
    for statement in body:
        for each in ast.walk(statement):
            if isinstance(each, ast.Continue) and start == 0:  # would skip the step
                return False
            stores += isinstance(each, ast.Name) and each.id == name and not isinstance(each.ctx, ast.Load)
    return stores == 1


def _is_step(step: ast.stmt, name: str) -> bool:
    """`i += 1`, `i = i + 1`, `i = 1 + i`."""
    if isinstance(step, ast.AugAssign):
        parts: list[ast.expr] = [step.target, step.value]
        operator: ast.operator = step.op
    elif isinstance(step, ast.Assign) and len(step.targets) == 1 and isinstance(step.value, ast.BinOp):
        if not isinstance(step.targets[0], ast.Name) or step.targets[0].id != name:
            return False
        parts, operator = [step.value.left, step.value.right], step.value.op
    else:
        return False
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    ones = [part.value for part in parts if isinstance(part, ast.Constant)]
    return isinstance(operator, ast.Add) and names == [name] and ones == [1] and not isinstance(ones[0], bool)
