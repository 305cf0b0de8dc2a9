"""The dispatch tables of lowering, and the smallest way to use them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from detector.code.lowering.flow import Frame

Handler = Callable[[Any, Frame], int]
# A module global is one look-up, `ast.Name` two: it is asked for at nearly every node.
NAME_NODE, ATTRIBUTE_NODE = ast.Name, ast.Attribute
EXPRESSIONS: dict[type, Handler] = {}
# `bind(target, id, frame)`: set by statements.py, which knows how to assign.
BIND: list[Callable[[ast.expr, int, Frame], None]] = []
# `inlined(call, frame)`: set by inlining.py, which knows how to lower a body.
INLINE: list[Callable[[ast.Call, Frame], int | None]] = []


def value(node: ast.expr, frame: Frame) -> int:
    """Lower one expression."""
    return EXPRESSIONS[node.__class__](node, frame)
