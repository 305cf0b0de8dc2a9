"""Operators, comparisons and conditions: what two spellings of a test have in common."""

from __future__ import annotations

import ast
from functools import reduce

from detector.code.lowering import flow
from detector.code.lowering.dispatch import EXPRESSIONS, NAME_NODE, value
from detector.code.lowering.flow import (
    CONDITION,
    Frame,
    table,
)
from detector.code.lowering.labels import (
    CONSTANTS,
    LABELS,
)
from detector.code.lowering.texts import concatenated, percent

_BINARY: dict[type, int] = {
    kind: LABELS[text]
    for kind, text in {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
        ast.MatMult: "op.matmul", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    }.items()
}  # fmt: skip
_UNORDERED = frozenset({ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor})
_NEGATE = LABELS["neg"]
_UNARY: dict[type, int] = {ast.Not: LABELS["not"], ast.USub: _NEGATE, ast.Invert: LABELS["~"]}

# Comparisons: label and whether the operands change places, as a value and as a condition. As a condition the
# negation is dropped, because the branches that it would exchange are joined without order.
_LT, _LE, _EQ, _NE, _IS, _IN, _NOT_IN = (LABELS[text] for text in ("<", "<=", "==", "!=", "is", "in", "not in"))
_COMPARE: dict[type, tuple[int, bool, int, bool]] = {
    ast.Lt: (_LT, False, _LT, False), ast.Gt: (_LT, True, _LT, False),
    ast.LtE: (_LE, False, _LT, True), ast.GtE: (_LE, True, _LT, True),
    ast.Eq: (_EQ, False, _EQ, False), ast.NotEq: (_NE, False, _EQ, False),
    ast.Is: (_IS, False, _IS, False), ast.IsNot: (LABELS["is not"], False, _IS, False),
    ast.In: (_IN, False, _IN, False), ast.NotIn: (_NOT_IN, False, _IN, False),
}  # fmt: skip

# Members of a list written out beyond this many are a table, not a choice.
MOST_MEMBERS = 8


def _binary(node: ast.BinOp, frame: Frame) -> int:
    env = frame.env
    operand = node.left
    left = env.get(operand.id) if operand.__class__ is NAME_NODE else None
    if left is None:
        left = EXPRESSIONS[operand.__class__](operand, frame)
    operand = node.right
    right = env.get(operand.id) if operand.__class__ is NAME_NODE else None
    if right is None:
        right = EXPRESSIONS[operand.__class__](operand, frame)
    return binary(node.op, left, right, frame)


def binary(operator: ast.operator, left: int, right: int, frame: Frame) -> int:
    """Apply a binary operator, as an expression or as `x += y` does."""
    kind = operator.__class__
    if left > right and kind in _UNORDERED:
        number = table[(_BINARY[kind], right, left)]
    else:
        number = table[(_BINARY[kind], left, right)]
    if kind is ast.Div:
        frame.quotients[number] = (left, right)
    elif kind is ast.Add and (left in frame.lists or left in frame.collects):
        extended = extend(left, right, frame, is_gathered=False)
        return number if extended is None else extended
    elif (left in frame.texts or right in frame.texts) and (kind is ast.Add or kind is ast.Mod):
        made = concatenated(left, right, frame) if kind is ast.Add else percent(left, right, frame)
        return number if made is None else made
    return number


def extend(held: int, added: int, frame: Frame, is_gathered: bool) -> int | None:
    """Concatenate to a list that this function makes; None where its items are not known."""
    before, items = frame.collects.get(held), frame.lists.get(added)
    if before is None and held not in frame.lists:
        return None
    more = frame.collects.get(added)
    if more is None and items is None:
        if not (is_gathered or before is not None):
            return None
        more = (flow.elem(frame, added),)
    if more is not None or is_gathered or before is not None:
        known = frame.lists.get(held, ()) if before is None else before
        return flow.collect(frame, tuple(dict.fromkeys(known + (more or items or ()))))
    return flow.display(frame, frame.lists[held] + (items or ()))


def _unary(node: ast.UnaryOp, frame: Frame) -> int:
    operand, kind = node.operand, node.op.__class__
    if kind is ast.USub and isinstance(operand, ast.Constant) and isinstance(operand.value, int | float):
        return _number(-operand.value, frame)
    number = EXPRESSIONS[operand.__class__](operand, frame)
    if kind is ast.UAdd:
        return number
    if kind is ast.USub and number in frame.numbers:
        return _number(-frame.numbers[number], frame)
    result = table[(_UNARY[kind], number)]
    if kind is ast.Not:
        frame.tests[result] = frame.tests.get(number, (number,))
    return result


def _number(constant: int | float, frame: Frame) -> int:
    number = table[CONSTANTS[constant.__class__][constant]]
    if constant.__class__ is int:
        frame.numbers[number] = constant
    return number


def _boolean(node: ast.BoolOp, frame: Frame) -> int:
    """`a or b` is `a if a else b`: one of the two, and what decides is a condition."""
    operands = [value(operand, frame) for operand in node.values]
    for operand in operands[:-1]:
        for test in frame.tests.get(operand, (operand,)):
            flow.root(frame, (CONDITION, test))
    return either(operands, frame)


def either(operands: list[int], frame: Frame) -> int:
    """One of several values; as a condition, each of them is one."""
    tests = frame.tests
    found = tuple(dict.fromkeys([test for operand in operands for test in tests.get(operand, (operand,))]))
    number = reduce(lambda one, other: flow.join(frame, one, other), operands)
    if len(found) > 1:
        tests[number] = found
    return number


def _compare(node: ast.Compare, frame: Frame) -> int:
    operand = node.left
    left = EXPRESSIONS[operand.__class__](operand, frame)
    operators, comparators = node.ops, node.comparators
    if len(operators) == 1:
        operand = comparators[0]
        return _comparison(operators[0], left, EXPRESSIONS[operand.__class__](operand, frame), frame)
    return either(_chain(node, left, frame), frame)


def _chain(node: ast.Compare, left: int, frame: Frame) -> list[int]:
    """The parts of `a < b < c`."""
    parts: list[int] = []
    for operator, operand in zip(node.ops, node.comparators, strict=True):
        right = EXPRESSIONS[operand.__class__](operand, frame)
        parts.append(_comparison(operator, left, right, frame))
        left = right
    return parts


def _comparison(operator: ast.cmpop, left: int, right: int, frame: Frame) -> int:
    """Compare two values; as a condition without its negation, and `len(x) > 0` as `x`."""
    label, is_swapped, tested, is_negated = _COMPARE[operator.__class__]
    if is_swapped or (left > right and (label == _EQ or label == _NE)):
        left, right = right, left
    if label == _IN or label == _NOT_IN:
        items = frame.lists.get(right)
        if items and len(items) <= MOST_MEMBERS:  # `x in (a, b)` asks for each
            equal = [table[(_EQ, left, item) if left < item else (_EQ, item, left)] for item in items]
            if label == _IN:
                return either(equal, frame)
            number = table[(label, left, right)]
            frame.tests[number] = tuple(equal)
            return number
    number = table[(label, left, right)]
    if frame.counts:
        over = _counted(label, left, right, frame)
        if over is not None:
            frame.tests[number] = (over,)
            return number
    if tested != label:
        frame.tests[number] = (table[(tested, right, left) if is_negated else (tested, left, right)],)
    return number


def _counted(label: int, left: int, right: int, frame: Frame) -> int | None:
    """The x of `0 < len(x)`, `1 <= len(x)`, `len(x) < 1`, `len(x) == 0`, `len(x) != 0`, however written."""
    numbers, counts = frame.numbers, frame.counts
    if label == _LT:
        if numbers.get(left) == 0:
            return counts.get(right)
        return counts.get(left) if numbers.get(right) == 1 else None
    if label == _LE:
        if numbers.get(left) == 1:
            return counts.get(right)
        return counts.get(left) if numbers.get(right) == 0 else None
    if label in {_EQ, _NE}:
        if numbers.get(right) == 0:
            return counts.get(left)
        return counts.get(right) if numbers.get(left) == 0 else None
    return None


def tests(node: ast.expr, frame: Frame) -> tuple[int, ...]:
    """What an expression comes to as a test: negations dropped, `and`/`or` taken apart, `len(x) > 0` read as `x`."""
    kind = node.__class__
    if kind is ast.BoolOp:
        return tuple([test for operand in node.values for test in tests(operand, frame)])  # type: ignore[attr-defined]
    if kind is ast.UnaryOp and node.op.__class__ is ast.Not:  # type: ignore[attr-defined]
        return tests(node.operand, frame)  # type: ignore[attr-defined]
    if kind is ast.Compare and len(node.ops) > 1:  # type: ignore[attr-defined]
        parts = _chain(node, value(node.left, frame), frame)  # type: ignore[attr-defined, arg-type]
        return tuple([test for part in parts for test in frame.tests.get(part, (part,))])
    number = EXPRESSIONS[kind](node, frame)
    return frame.tests.get(number, (number,))


def condition(node: ast.expr, frame: Frame) -> None:
    """Make a test a root."""
    for test in tests(node, frame):
        flow.root(frame, (CONDITION, test))


def _conditional(node: ast.IfExp, frame: Frame) -> int:
    condition(node.test, frame)
    return flow.join(frame, value(node.body, frame), value(node.orelse, frame))


EXPRESSIONS.update(
    {
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _boolean,
        ast.Compare: _compare,
        ast.IfExp: _conditional,
    }
)
