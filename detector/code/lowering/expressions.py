"""Expressions -> value flow: one handler for each `ast` class, `handler(node, frame) -> id`.

The handlers stand in `loads`, `operators`, `gathering` and `calls`; here are those of few words.
"""

from __future__ import annotations

import ast

from detector.code.lowering import calls, flow, gathering, loads, operators, texts
from detector.code.lowering.dispatch import BIND, EXPRESSIONS, value
from detector.code.lowering.flow import (
    NONE,
    STAR,
    YIELD,
    Frame,
    table,
)

# Importing a module enters its handlers.
HANDLERS = (calls, gathering, loads, operators, texts)


def _starred_value(node: ast.Starred, frame: Frame) -> int:
    return table[(STAR, value(node.value, frame))]


def _same(node: ast.Await | ast.FormattedValue, frame: Frame) -> int:
    return value(node.value, frame)


def _walrus(node: ast.NamedExpr, frame: Frame) -> int:
    number = value(node.value, frame)
    BIND[0](node.target, number, frame)
    return number


def _yield(node: ast.Yield | ast.YieldFrom, frame: Frame) -> int:
    frame.yields = True
    given = NONE if node.value is None else value(node.value, frame)
    if isinstance(node, ast.YieldFrom):
        given = flow.elem(frame, given)
    yielded = [flow.root(frame, (YIELD, each)) for each in frame.phis.get(given, (given,))]
    return yielded[0]


EXPRESSIONS.update(
    {
        ast.Starred: _starred_value,
        ast.Await: _same,
        ast.FormattedValue: _same,
        ast.NamedExpr: _walrus,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
    }
)
if hasattr(ast, "Interpolation"):  # Python 3.14
    EXPRESSIONS[ast.Interpolation] = _same
