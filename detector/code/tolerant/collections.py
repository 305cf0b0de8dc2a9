"""Tuples, lists, sets, dictionaries and comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from detector.code.tolerant.tree import Node, Reader, Reads, UnreadableError, at, has_token, parts, store


def _tuple(node: Node, reader: Reads) -> ast.expr:
    children = parts(node)
    if node.type == "tuple_pattern" and len(children) == 1 and not has_token(node, ","):
        return reader.expression(children[0])  # a parenthesised target
    return at(ast.Tuple(elts=reader.readable(children), ctx=ast.Load()), node)


def _list(node: Node, reader: Reads) -> ast.expr:
    return at(ast.List(elts=reader.readable(parts(node)), ctx=ast.Load()), node)


def _set(node: Node, reader: Reads) -> ast.expr:
    return at(ast.Set(elts=reader.readable(parts(node))), node)


def _dictionary(node: Node, reader: Reads) -> ast.expr:
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    for child in parts(node):
        try:
            if child.type == "pair":
                key, value = _pair(child, reader)
                keys.append(key)
                values.append(value)
            elif child.type == "dictionary_splat":
                values.append(reader.expression(next(iter(parts(child)), None)))
                keys.append(None)
        except UnreadableError:
            continue
    return at(ast.Dict(keys=keys, values=values), node)


def _pair(node: Node, reader: Reads) -> tuple[ast.expr, ast.expr]:
    key = reader.expression(node.child_by_field_name("key"))
    return key, reader.expression(node.child_by_field_name("value"))


def _comprehension(node: Node, reader: Reads) -> ast.expr:
    body, *clauses = parts(node)
    generators = _generators(clauses, reader)
    if not generators:
        raise UnreadableError
    if node.type == "dictionary_comprehension":
        key, value = _pair(body, reader)
        return at(ast.DictComp(key=key, value=value, generators=generators), node)
    element = reader.expression(body)
    if node.type == "list_comprehension":
        return at(ast.ListComp(elt=element, generators=generators), node)
    if node.type == "set_comprehension":
        return at(ast.SetComp(elt=element, generators=generators), node)
    return at(ast.GeneratorExp(elt=element, generators=generators), node)


def _generators(clauses: Sequence[Node], reader: Reads) -> list[ast.comprehension]:
    generators: list[ast.comprehension] = []
    for clause in clauses:
        children = parts(clause)
        if clause.type == "for_in_clause" and len(children) >= 2:
            target = store(reader.expression(children[0]))
            is_async = int(has_token(clause, "async"))
            iterable = reader.one_or_tuple(children[1:])
            generators.append(ast.comprehension(target=target, iter=iterable, ifs=[], is_async=is_async))
        elif clause.type == "if_clause" and generators:
            generators[-1].ifs += reader.readable(children)
    return generators


READERS: dict[str, Reader] = {
    "tuple": _tuple,
    "tuple_pattern": _tuple,
    "expression_list": _tuple,
    "tuple_expression": _tuple,
    "pattern_list": _tuple,
    "list": _list,
    "list_pattern": _list,
    "set": _set,
    "dictionary": _dictionary,
    "list_comprehension": _comprehension,
    "set_comprehension": _comprehension,
    "generator_expression": _comprehension,
    "dictionary_comprehension": _comprehension,
}
