"""Walk syntax trees, faster than `ast.walk`: much of a mutant's time goes there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

LEAVES = frozenset(["ctx", "op", "ops", "type_comment", "kind", "type_ignores"])
_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node of a tree, outer before inner, without contexts and operators. The order depends on the form alone."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        kind = type(current)
        fields = _fields.get(kind)
        if fields is None:
            fields = _fields[kind] = tuple(name for name in reversed(kind._fields) if name not in LEAVES)
        for name in fields:
            child = getattr(current, name, None)
            if isinstance(child, ast.AST):
                pending.append(child)
            elif isinstance(child, list):
                pending += [part for part in reversed(child) if isinstance(part, ast.AST)]
