"""Operators, conditions, lambdas, `await` and `yield`."""

from __future__ import annotations

import ast

from detector.code.tolerant.parameters import lambda_parameters
from detector.code.tolerant.tree import (
    MAX_DEPTH,
    Node,
    Reader,
    Reads,
    UnreadableError,
    at,
    has_token,
    parts,
    store,
    tokens,
)

BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "@": ast.MatMult,
    "/": ast.Div,
    "%": ast.Mod,
    "//": ast.FloorDiv,
    "**": ast.Pow,
    "|": ast.BitOr,
    "&": ast.BitAnd,
    "^": ast.BitXor,
    "<<": ast.LShift,
    ">>": ast.RShift,
}
_UNARY: dict[str, type[ast.unaryop]] = {"+": ast.UAdd, "-": ast.USub, "~": ast.Invert}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt,
    "<=": ast.LtE,
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<>": ast.NotEq,  # Python 2
    ">=": ast.GtE,
    ">": ast.Gt,
    "in": ast.In,
    "not in": ast.NotIn,
    "is": ast.Is,
    "is not": ast.IsNot,
}


def _binary(node: Node, reader: Reads) -> ast.expr:
    operator = node.child_by_field_name("operator")
    if operator is None or operator.type not in BINARY:
        raise UnreadableError
    if operator.type == "&" and (mixed := _and_of_xor(node, reader)) is not None:
        return mixed
    left = reader.expression(node.child_by_field_name("left"))
    right = reader.expression(node.child_by_field_name("right"))
    return at(ast.BinOp(left=left, op=BINARY[operator.type](), right=right), node)


def _and_of_xor(node: Node, reader: Reads) -> ast.expr | None:
    """`a ^ b & c` again with Python's precedence: to the grammar `^` binds tighter than `&`."""
    operands: list[Node] = []
    operators: list[str] = []
    pending: list[Node | str] = [node]
    while pending and len(operands) + len(pending) < MAX_DEPTH - reader.depth:
        here = pending.pop()
        if isinstance(here, str):
            operators.append(here)
            continue
        operator = here.child_by_field_name("operator") if here.type == "binary_operator" else None
        left, right = here.child_by_field_name("left"), here.child_by_field_name("right")
        if operator is None or operator.type not in "&^" or left is None or right is None:
            operands.append(here)
        else:
            pending += [right, operator.type, left]
    if "^" not in operators or pending:
        return None
    terms = [(operands[0], reader.expression(operands[0]))]
    for operator_text, operand in zip(operators, operands[1:], strict=True):
        value = reader.expression(operand)
        if operator_text == "&":
            first_node, left_value = terms[-1]
            value = at(ast.BinOp(left=left_value, op=ast.BitAnd(), right=value), first_node, operand)
            terms[-1] = (first_node, value)
        else:
            terms.append((operand, value))
    found = terms[0][1]
    for _, value in terms[1:]:
        found = at(ast.BinOp(left=found, op=ast.BitXor(), right=value), node)
    return found


def _union_type(node: Node, reader: Reads) -> ast.expr:
    """`A[x] | B | C` as an annotation: the tree nests some of these to the right, Python all to the left."""
    pending, leaves = [node], list[Node]()
    while pending:
        here = pending.pop()
        operator = here.child_by_field_name("operator") if here.type == "binary_operator" else None
        if here.type in ("union_type", "type") or (operator is not None and operator.type == "|"):
            pending.extend(child for child in reversed(parts(here)))
        else:
            leaves.append(here)
    found, *others = reader.readable(leaves[-(MAX_DEPTH - reader.depth) :])
    for leaf, other in zip(leaves[-len(others) :], others, strict=False):
        found = at(ast.BinOp(left=found, op=ast.BitOr(), right=other), node, leaf)
    return found


def _unary(node: Node, reader: Reads) -> ast.expr:
    operator = node.child_by_field_name("operator")
    if operator is None or operator.type not in _UNARY:
        raise UnreadableError
    return at(ast.UnaryOp(_UNARY[operator.type](), reader.expression(node.child_by_field_name("argument"))), node)


def _not(node: Node, reader: Reads) -> ast.expr:
    return at(ast.UnaryOp(ast.Not(), reader.expression(node.child_by_field_name("argument"))), node)


def _boolean(node: Node, reader: Reads) -> ast.expr:
    """`a and b and c` is one node in `ast` and a chain to the left in the tree."""
    operator = node.child_by_field_name("operator")
    operands: list[Node] = []
    here: Node | None = node
    while here is not None and here.type == "boolean_operator":
        own = here.child_by_field_name("operator")
        right = here.child_by_field_name("right")
        if own is None or operator is None or own.type != operator.type or right is None:
            break
        operands.append(right)
        here = here.child_by_field_name("left")
    if operator is None or here is None:
        raise UnreadableError
    operands.append(here)
    values = [reader.expression(operand) for operand in reversed(operands)]
    return at(ast.BoolOp(op=ast.And() if operator.type == "and" else ast.Or(), values=values), node)


def _comparison(node: Node, reader: Reads) -> ast.expr:
    operands: list[ast.expr] = []
    operators: list[ast.cmpop] = []
    words: list[str] = []
    for child in tokens(node):
        if not child.is_named:
            words.append(child.type)
            continue
        if operands:
            operators.append(_COMPARE.get(" ".join(words), ast.Eq)())
        operands.append(reader.expression(child))
        words = []
    if len(operands) < 2:
        raise UnreadableError
    return at(ast.Compare(left=operands[0], ops=operators, comparators=operands[1:]), node)


def _conditional(node: Node, reader: Reads) -> ast.expr:
    children = parts(node)
    if len(children) != 3:
        raise UnreadableError
    body, test, other = (reader.expression(child) for child in children)
    return at(ast.IfExp(test=test, body=body, orelse=other), node)


def _named(node: Node, reader: Reads) -> ast.expr:
    target = store(reader.expression(node.child_by_field_name("name")))
    if not isinstance(target, ast.Name):
        raise UnreadableError
    return at(ast.NamedExpr(target=target, value=reader.expression(node.child_by_field_name("value"))), node)


def _lambda(node: Node, reader: Reads) -> ast.expr:
    parameters = lambda_parameters(node.child_by_field_name("parameters"), reader)
    return at(ast.Lambda(args=parameters, body=reader.expression(node.child_by_field_name("body"))), node)


def _await(node: Node, reader: Reads) -> ast.expr:
    operand = next(iter(parts(node)), None)
    if operand is None or operand.type != "binary_operator":
        return at(ast.Await(reader.expression(operand)), node)
    # The grammar reads `await x ** 2` as `await (x ** 2)`; Python awaits first.
    power = reader.expression(operand)
    if isinstance(power, ast.BinOp):
        power.left = at(ast.Await(power.left), node)
        at(power, node)
    return power


def _yield(node: Node, reader: Reads) -> ast.expr:
    children = parts(node)
    value = reader.one_or_tuple(children) if children else None
    if has_token(node, "from"):
        if value is None:
            raise UnreadableError
        return at(ast.YieldFrom(value), node)
    return at(ast.Yield(value), node)


READERS: dict[str, Reader] = {
    "binary_operator": _binary,
    "union_type": _union_type,
    "unary_operator": _unary,
    "not_operator": _not,
    "boolean_operator": _boolean,
    "comparison_operator": _comparison,
    "conditional_expression": _conditional,
    "named_expression": _named,
    "lambda": _lambda,
    "await": _await,
    "yield": _yield,
}
