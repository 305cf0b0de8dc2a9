"""Simple statements (one line each), Python 2's `print` and `exec` among them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence

from detector.code.tolerant.operators import BINARY
from detector.code.tolerant.parameters import type_parameters
from detector.code.tolerant.tree import Node, Reads, UnreadableError, at, first, has_token, parts, store, tokens

StatementReader = Callable[[Node, Reads], list[ast.stmt]]  # none may come of it


def _expression_statement(node: Node, reader: Reads) -> list[ast.stmt]:
    children = parts(node) if node.type == "expression_statement" else [node]
    if not children:
        raise UnreadableError
    if children[0].type == "assignment":
        return [_assignment(children[0], node, reader)]
    if children[0].type == "augmented_assignment":
        return [_augmented(children[0], node, reader)]
    is_tuple = node.type == "expression_statement" and has_token(node, ",")
    return [at(ast.Expr(reader.one_or_tuple(children, is_tuple)), node)]


def _assignment(node: Node, place: Node, reader: Reads) -> ast.stmt:
    targets: list[ast.expr] = []
    value: Node | None = node
    while value is not None and value.type == "assignment":  # a = b = c
        target = store(reader.expression(value.child_by_field_name("left")))
        if not targets and value.child_by_field_name("type") is not None:
            return _annotated(node, target, place, reader)
        targets.append(target)
        value = value.child_by_field_name("right")
    return at(ast.Assign(targets=targets, value=reader.expression(value)), place)


def _annotated(node: Node, target: ast.expr, place: Node, reader: Reads) -> ast.stmt:
    left, annotation, right = (node.child_by_field_name(name) for name in ("left", "type", "right"))
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        raise UnreadableError
    is_simple = int(left is not None and left.type == "identifier")
    note = reader.or_hole(annotation, node)
    value = None if right is None else reader.expression(right)
    return at(ast.AnnAssign(target=target, annotation=note, value=value, simple=is_simple), place)


def _augmented(node: Node, place: Node, reader: Reads) -> ast.stmt:
    target = store(reader.expression(node.child_by_field_name("left")))
    operator = node.child_by_field_name("operator")
    kind = BINARY.get(operator.type.removesuffix("=")) if operator is not None else None
    if kind is None or not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        raise UnreadableError
    value = reader.expression(node.child_by_field_name("right"))
    return at(ast.AugAssign(target=target, op=kind(), value=value), place)


def _return(node: Node, reader: Reads) -> list[ast.stmt]:
    children = parts(node)
    return [at(ast.Return(reader.one_or_tuple(children) if children else None), node)]


def _raise(node: Node, reader: Reads) -> list[ast.stmt]:
    cause = node.child_by_field_name("cause")
    start = cause.start_byte if cause is not None else node.end_byte
    children = [child for child in parts(node) if child.start_byte < start]
    if not children:
        return [at(ast.Raise(), node)]
    raised = _raised(children[0], reader)
    return [at(ast.Raise(exc=raised, cause=None if cause is None else reader.expression(cause)), node)]


def _raised(node: Node, reader: Reads) -> ast.expr:
    """Python 2's `raise Kind, value, traceback` raises `Kind(value)`, or `Kind` where the value is None."""
    items = parts(node)
    if node.type != "expression_list" or not items:
        return reader.expression(node)
    kind, *values = reader.readable(items[:2])
    if not values or (isinstance(values[0], ast.Constant) and values[0].value is None):
        return kind
    return at(ast.Call(func=kind, args=values, keywords=[]), node)


def _delete(node: Node, reader: Reads) -> list[ast.stmt]:
    children = parts(node)
    if len(children) == 1 and children[0].type == "expression_list":
        children = parts(children[0])
    targets = [store(target, ast.Del()) for target in reader.readable(children)]
    if not targets:
        raise UnreadableError
    return [at(ast.Delete(targets=targets), node)]


def _assert(node: Node, reader: Reads) -> list[ast.stmt]:
    children = parts(node)
    if not children:
        raise UnreadableError
    message = reader.expression(children[1]) if len(children) > 1 else None
    return [at(ast.Assert(test=reader.expression(children[0]), msg=message), node)]


def _names(node: Node, reader: Reads) -> list[str]:
    return [reader.identifier(child) for child in parts(node)]


def _import(node: Node, reader: Reads) -> list[ast.stmt]:
    return [at(ast.Import(names=_aliases(parts(node), reader)), node)]


def _import_from(node: Node, reader: Reads) -> list[ast.stmt]:
    module: str | None = "__future__"
    level = 0
    names = parts(node)
    if node.type == "import_from_statement":
        origin, *names = names
        if origin.type == "relative_import":
            prefix = first(origin, "import_prefix")
            level = reader.text(prefix).count(".") if prefix is not None else 1
            dotted = first(origin, "dotted_name")
            module = None if dotted is None else _dotted(dotted, reader)
        else:
            module = _dotted(origin, reader)
    if len(names) == 1 and names[0].type == "wildcard_import":
        aliases = [at(ast.alias(name="*"), names[0])]
    else:
        aliases = _aliases(names, reader)
    return [at(ast.ImportFrom(module=module, names=aliases, level=level), node)]


def _aliases(nodes: Sequence[Node], reader: Reads) -> list[ast.alias]:
    found = []
    for node in nodes:
        if node.type == "aliased_import":
            name, alias = parts(node)[:2]
            found.append(at(ast.alias(name=_dotted(name, reader), asname=reader.identifier(alias)), node))
        elif node.type in ("dotted_name", "identifier"):
            found.append(at(ast.alias(name=_dotted(node, reader)), node))
    if not found:
        raise UnreadableError
    return found


def _dotted(node: Node, reader: Reads) -> str:
    names = parts(node) if node.type == "dotted_name" else [node]
    return ".".join(reader.identifier(name) for name in names)


def _print(node: Node, reader: Reads) -> list[ast.stmt]:
    """Python 2's `print >>file, a, b` as the call that replaced it."""
    keywords: list[ast.keyword] = []
    arguments: list[Node] = []
    for child in parts(node):
        if child.type == "chevron":
            target = reader.expression(next(iter(parts(child)), None))
            keywords.append(at(ast.keyword(arg="file", value=target), child))
        else:
            arguments.append(child)
    return [_call("print", reader.readable(arguments), keywords, node, reader)]


def _exec(node: Node, reader: Reads) -> list[ast.stmt]:
    """Python 2's `exec code in globals, locals`."""
    return [_call("exec", reader.readable(parts(node)), [], node, reader)]


def _call(name: str, arguments: list[ast.expr], keywords: list[ast.keyword], node: Node, reader: Reads) -> ast.stmt:
    function = at(ast.Name(id=name, ctx=ast.Load()), next(tokens(node), node))
    return at(ast.Expr(at(ast.Call(func=function, args=arguments, keywords=keywords), node)), node)


def _type_alias(node: Node, reader: Reads) -> list[ast.stmt]:
    """PEP 695's `type X[T] = ...`; a plain assignment on Pythons whose `ast` has no such statement."""
    left, right = parts(node)[:2]
    inner = next(iter(parts(left)), None)
    if inner is None:
        raise UnreadableError
    parameters = first(inner, "type_parameter") if inner.type == "generic_type" else None
    named = parts(inner)[0] if inner.type == "generic_type" else inner
    if named.type != "identifier":
        return [_call_of_type(left, right, node, reader)]
    name = at(ast.Name(id=reader.identifier(named), ctx=ast.Store()), named)
    value = reader.expression(right)
    if sys.version_info >= (3, 12):
        generics = type_parameters(parameters, reader) if parameters is not None else []
        return [at(ast.TypeAlias(name=name, type_params=generics, value=value), node)]
    return [at(ast.Assign(targets=[name], value=value), node)]


def _call_of_type(left: Node, right: Node, node: Node, reader: Reads) -> ast.stmt:
    """`type(self).count = 1`, which the grammar takes for an alias of `(self).count`."""
    target = reader.expression(left)
    here: Node | None = left
    place: ast.expr = target
    owner: ast.expr = target
    while here is not None and here.type not in ("parenthesized_expression", "tuple"):
        if here.type in ("attribute", "member_type", "subscript", "call"):
            if not isinstance(owner, ast.Attribute | ast.Subscript | ast.Call):
                raise UnreadableError
            place, owner = owner, owner.func if isinstance(owner, ast.Call) else owner.value
        here = next(iter(parts(here)), None)
    if here is None or owner is target:
        raise UnreadableError
    name = at(ast.Name(id="type", ctx=ast.Load()), node)
    call = at(ast.Call(func=name, args=[owner], keywords=[]), node, here)
    setattr(place, "func" if isinstance(place, ast.Call) else "value", call)
    return at(ast.Assign(targets=[store(target)], value=reader.expression(right)), node)


READERS: dict[str, StatementReader] = {
    "expression_statement": _expression_statement,
    "assignment": _expression_statement,
    "augmented_assignment": _expression_statement,
    "return_statement": _return,
    "raise_statement": _raise,
    "delete_statement": _delete,
    "assert_statement": _assert,
    "import_statement": _import,
    "import_from_statement": _import_from,
    "future_import_statement": _import_from,
    "print_statement": _print,
    "exec_statement": _exec,
    "type_alias_statement": _type_alias,
    "pass_statement": lambda node, _: [at(ast.Pass(), node)],
    "break_statement": lambda node, _: [at(ast.Break(), node)],
    "continue_statement": lambda node, _: [at(ast.Continue(), node)],
    "global_statement": lambda node, reader: [at(ast.Global(names=_names(node, reader)), node)],
    "nonlocal_statement": lambda node, reader: [at(ast.Nonlocal(names=_names(node, reader)), node)],
}
