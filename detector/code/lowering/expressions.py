"""Expressions -> value flow: one handler for each `ast` class, `handler(node, frame) -> id`.

The handlers stand in `loads`, `operators`, `gathering` and `calls`; here are those of few words.
"""

from __future__ import annotations

import ast

from detector.code.lowering import calls, flow, gathering, loads, operators
from detector.code.lowering.dispatch import BIND, EXPRESSIONS, value
from detector.code.lowering.flow import (
    NONE,
    STAR,
    YIELD,
    Frame,
    table,
)
from detector.code.lowering.labels import (
    LABELS,
)

# Importing a module enters its handlers.
HANDLERS = (calls, gathering, loads, operators)

_FSTRING = LABELS["fstring"]


def _starred_value(node: ast.Starred, frame: Frame) -> int:
    return table[(STAR, value(node.value, frame))]


def _same(node: ast.Await | ast.FormattedValue, frame: Frame) -> int:
    return value(node.value, frame)


def _walrus(node: ast.NamedExpr, frame: Frame) -> int:
    number = value(node.value, frame)
    BIND[0](node.target, number, frame)
    return number


def _yield(node: ast.Yield | ast.YieldFrom, frame: Frame) -> int:
    given = NONE if node.value is None else value(node.value, frame)
    if isinstance(node, ast.YieldFrom):
        given = flow.elem(frame, given)
    yielded = [flow.root(frame, (YIELD, each)) for each in frame.phis.get(given, (given,))]
    return yielded[0]


def _fstring(node: ast.JoinedStr, frame: Frame) -> int:
    return table[(_FSTRING, *[value(part, frame) for part in node.values])]


EXPRESSIONS.update(
    {
        ast.Starred: _starred_value,
        ast.Await: _same,
        ast.FormattedValue: _same,
        ast.NamedExpr: _walrus,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
        ast.JoinedStr: _fstring,
    }
)
# Template strings (Python 3.14) read like f-strings.
for _new, _handler in (("TemplateStr", _fstring), ("Interpolation", _same)):
    if hasattr(ast, _new):
        EXPRESSIONS[getattr(ast, _new)] = _handler
