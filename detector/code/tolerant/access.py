"""Names, and what is reached from them: attributes, calls, subscripts."""

from __future__ import annotations

import ast

from detector.code.tolerant.tree import MAX_DEPTH, Node, Reader, Reads, UnreadableError, at, has_token, parts, tokens


def _name(node: Node, reader: Reads) -> ast.expr:
    return at(ast.Name(id=reader.identifier(node), ctx=ast.Load()), node)


def _dotted_name(node: Node, reader: Reads) -> ast.expr:
    names = parts(node)
    found = reader.expression(names[0])
    for name in names[1 : MAX_DEPTH - reader.depth]:
        found = at(ast.Attribute(value=found, attr=reader.identifier(name), ctx=ast.Load()), node, name)
    return found


def _attribute(node: Node, reader: Reads) -> ast.expr:
    owner, *names = parts(node)
    if not names:
        raise UnreadableError
    return at(ast.Attribute(reader.expression(owner), reader.identifier(names[-1]), ast.Load()), node)


def _call(node: Node, reader: Reads) -> ast.expr:
    function = reader.expression(node.child_by_field_name("function"))
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        raise UnreadableError
    if arguments.type == "generator_expression":
        return at(ast.Call(func=function, args=[reader.expression(arguments)], keywords=[]), node)
    positional, keywords = reader.arguments(arguments)
    return at(ast.Call(func=function, args=positional, keywords=keywords), node)


def _subscript(node: Node, reader: Reads) -> ast.expr:
    owner, *items = parts(node)
    index = reader.one_or_tuple(items, is_tuple=has_token(node, ","))
    if isinstance(index, ast.Starred):  # `a[*b]` is a tuple without a comma
        index = at(ast.Tuple(elts=[index], ctx=ast.Load()), items[0])
    return at(ast.Subscript(reader.expression(owner), index, ast.Load()), node)


def _generic_type(node: Node, reader: Reads) -> ast.expr:
    owner, parameters = parts(node)[:2]
    items = parts(parameters)
    index = reader.one_or_tuple(items, is_tuple=has_token(parameters, ","))
    if isinstance(index, ast.Starred):
        index = at(ast.Tuple(elts=[index], ctx=ast.Load()), items[0])
    return at(ast.Subscript(reader.expression(owner), index, ast.Load()), node)


def _slice(node: Node, reader: Reads) -> ast.expr:
    bounds: list[ast.expr | None] = [None, None, None]
    position = 0
    for child in tokens(node):
        if child.type == ":":
            position = min(position + 1, 2)
        elif child.is_named:
            bounds[position] = reader.expression(child)
    return at(ast.Slice(*bounds), node)


def _starred(node: Node, reader: Reads) -> ast.expr:
    return at(ast.Starred(reader.expression(next(iter(parts(node)), None)), ast.Load()), node)


def _without_alias(node: Node, reader: Reads) -> ast.expr:
    return reader.expression(next(iter(parts(node)), None))


READERS: dict[str, Reader] = {
    "identifier": _name,
    "dotted_name": _dotted_name,
    "attribute": _attribute,
    "member_type": _attribute,
    "call": _call,
    "subscript": _subscript,
    "generic_type": _generic_type,
    "slice": _slice,
    "constrained_type": _slice,
    "list_splat": _starred,
    "list_splat_pattern": _starred,
    "splat_type": _starred,
    "as_pattern": _without_alias,
}
