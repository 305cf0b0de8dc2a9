"""Simple statements (one line each), Python 2's `print` and `exec` among them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence

from detector.code.tolerant_expressions import BINARY, Expressions
from detector.code.tolerant_parameters import type_parameters
from detector.code.tolerant_tree import Node, Unreadable, at, first, has_token, parts, store, tokens

Reader = Callable[[Node], list[ast.stmt]]


class Simple:
    """Reads simple statements; each gives a list, since none may come of it."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.readers: dict[str, Reader] = {
            "expression_statement": self._expression_statement,
            "assignment": self._expression_statement,
            "augmented_assignment": self._expression_statement,
            "return_statement": self._return,
            "raise_statement": self._raise,
            "delete_statement": self._delete,
            "assert_statement": self._assert,
            "pass_statement": lambda node: [at(ast.Pass(), node)],
            "break_statement": lambda node: [at(ast.Break(), node)],
            "continue_statement": lambda node: [at(ast.Continue(), node)],
            "global_statement": lambda node: [at(ast.Global(names=self._names(node)), node)],
            "nonlocal_statement": lambda node: [at(ast.Nonlocal(names=self._names(node)), node)],
            "import_statement": self._import,
            "import_from_statement": self._import_from,
            "future_import_statement": self._import_from,
            "print_statement": self._print,
            "exec_statement": self._exec,
            "type_alias_statement": self._type_alias,
        }

    def _expression_statement(self, node: Node) -> list[ast.stmt]:
        children = parts(node) if node.type == "expression_statement" else [node]
        if not children:
            raise Unreadable
        if children[0].type == "assignment":
            return [self._assignment(children[0], node)]
        if children[0].type == "augmented_assignment":
            return [self._augmented(children[0], node)]
        is_tuple = node.type == "expression_statement" and has_token(node, ",")
        return [at(ast.Expr(self.expressions.one_or_tuple(children, is_tuple)), node)]

    def _assignment(self, node: Node, place: Node) -> ast.stmt:
        targets: list[ast.expr] = []
        value: Node | None = node
        while value is not None and value.type == "assignment":  # a = b = c
            left = value.child_by_field_name("left")
            targets.append(store(self.expressions.expression(left)))
            annotation = value.child_by_field_name("type")
            value = value.child_by_field_name("right")
            if annotation is not None and left is not None and len(targets) == 1:
                return self._annotated(left, targets[0], annotation, value, place)
        return at(ast.Assign(targets=targets, value=self.expressions.expression(value)), place)

    def _annotated(
        self, left: Node, target: ast.expr, annotation: Node, value: Node | None, place: Node
    ) -> ast.stmt:
        read = None if value is None else self.expressions.expression(value)
        note = self.expressions.or_hole(annotation, annotation)
        if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            raise Unreadable
        is_simple = int(left.type == "identifier")
        return at(ast.AnnAssign(target=target, annotation=note, value=read, simple=is_simple), place)

    def _augmented(self, node: Node, place: Node) -> ast.stmt:
        target = store(self.expressions.expression(node.child_by_field_name("left")))
        operator = node.child_by_field_name("operator")
        kind = BINARY.get(operator.type.removesuffix("=")) if operator is not None else None
        if kind is None or not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            raise Unreadable
        value = self.expressions.expression(node.child_by_field_name("right"))
        return at(ast.AugAssign(target=target, op=kind(), value=value), place)

    def _return(self, node: Node) -> list[ast.stmt]:
        children = parts(node)
        return [at(ast.Return(self.expressions.one_or_tuple(children) if children else None), node)]

    def _raise(self, node: Node) -> list[ast.stmt]:
        cause = node.child_by_field_name("cause")
        start = cause.start_byte if cause is not None else node.end_byte
        children = [child for child in parts(node) if child.start_byte < start]
        if not children:
            return [at(ast.Raise(), node)]
        raised = self._raised(children[0])
        return [at(ast.Raise(exc=raised, cause=None if cause is None else self.expressions.expression(cause)), node)]

    def _raised(self, node: Node) -> ast.expr:
        """Python 2's `raise Kind, value, traceback` raises `Kind(value)`, or `Kind` where the value is None."""
        items = parts(node)
        if node.type != "expression_list" or not items:
            return self.expressions.expression(node)
        kind, *values = self.expressions.readable(items[:2])
        if not values or (isinstance(values[0], ast.Constant) and values[0].value is None):
            return kind
        return at(ast.Call(func=kind, args=values, keywords=[]), node)

    def _delete(self, node: Node) -> list[ast.stmt]:
        children = parts(node)
        if len(children) == 1 and children[0].type == "expression_list":
            children = parts(children[0])
        targets = [store(target, ast.Del()) for target in self.expressions.readable(children)]
        if not targets:
            raise Unreadable
        return [at(ast.Delete(targets=targets), node)]

    def _assert(self, node: Node) -> list[ast.stmt]:
        children = parts(node)
        if not children:
            raise Unreadable
        message = self.expressions.expression(children[1]) if len(children) > 1 else None
        return [at(ast.Assert(test=self.expressions.expression(children[0]), msg=message), node)]

    def _names(self, node: Node) -> list[str]:
        return [self.expressions.identifier(child) for child in parts(node)]

    def _import(self, node: Node) -> list[ast.stmt]:
        return [at(ast.Import(names=self._aliases(parts(node))), node)]

    def _import_from(self, node: Node) -> list[ast.stmt]:
        module: str | None = "__future__"
        level = 0
        names = parts(node)
        if node.type == "import_from_statement":
            origin, *names = names
            if origin.type == "relative_import":
                prefix = first(origin, "import_prefix")
                level = self.expressions.text(prefix).count(".") if prefix is not None else 1
                dotted = first(origin, "dotted_name")
                module = None if dotted is None else self._dotted(dotted)
            else:
                module = self._dotted(origin)
        if len(names) == 1 and names[0].type == "wildcard_import":
            aliases = [at(ast.alias(name="*"), names[0])]
        else:
            aliases = self._aliases(names)
        return [at(ast.ImportFrom(module=module, names=aliases, level=level), node)]

    def _aliases(self, nodes: Sequence[Node]) -> list[ast.alias]:
        found = []
        for node in nodes:
            if node.type == "aliased_import":
                name, alias = parts(node)[:2]
                found.append(at(ast.alias(name=self._dotted(name), asname=self.expressions.identifier(alias)), node))
            elif node.type in ("dotted_name", "identifier"):
                found.append(at(ast.alias(name=self._dotted(node)), node))
        if not found:
            raise Unreadable
        return found

    def _dotted(self, node: Node) -> str:
        names = parts(node) if node.type == "dotted_name" else [node]
        return ".".join(self.expressions.identifier(name) for name in names)

    def _print(self, node: Node) -> list[ast.stmt]:
        """Python 2's `print >>file, a, b` as the call that replaced it."""
        keywords: list[ast.keyword] = []
        arguments: list[Node] = []
        for child in parts(node):
            if child.type == "chevron":
                target = self.expressions.expression(next(iter(parts(child)), None))
                keywords.append(at(ast.keyword(arg="file", value=target), child))
            else:
                arguments.append(child)
        return [self._call("print", self.expressions.readable(arguments), keywords, node)]

    def _exec(self, node: Node) -> list[ast.stmt]:
        """Python 2's `exec code in globals, locals`."""
        return [self._call("exec", self.expressions.readable(parts(node)), [], node)]

    def _call(self, name: str, arguments: list[ast.expr], keywords: list[ast.keyword], node: Node) -> ast.stmt:
        function = at(ast.Name(id=name, ctx=ast.Load()), next(tokens(node), node))
        return at(ast.Expr(at(ast.Call(func=function, args=arguments, keywords=keywords), node)), node)

    def _type_alias(self, node: Node) -> list[ast.stmt]:
        """PEP 695's `type X[T] = ...`; a plain assignment on Pythons whose `ast` has no such statement."""
        left, right = parts(node)[:2]
        inner = next(iter(parts(left)), None)
        if inner is None:
            raise Unreadable
        parameters = first(inner, "type_parameter") if inner.type == "generic_type" else None
        named = parts(inner)[0] if inner.type == "generic_type" else inner
        if named.type != "identifier":
            return [self._call_of_type(left, right, node)]
        name = at(ast.Name(id=self.expressions.identifier(named), ctx=ast.Store()), named)
        value = self.expressions.expression(right)
        if sys.version_info >= (3, 12):
            generics = type_parameters(parameters, self.expressions) if parameters is not None else []
            return [at(ast.TypeAlias(name=name, type_params=generics, value=value), node)]
        return [at(ast.Assign(targets=[name], value=value), node)]

    def _call_of_type(self, left: Node, right: Node, node: Node) -> ast.stmt:
        """`type(self).count = 1`, which the grammar takes for an alias of `(self).count`."""
        target = self.expressions.expression(left)
        here: Node | None = left
        owner: ast.AST = target
        while here is not None and here.type not in ("parenthesized_expression", "tuple"):
            if here.type in ("attribute", "member_type", "subscript", "call"):
                place, owner = owner, getattr(owner, "func" if here.type == "call" else "value")
            here = next(iter(parts(here)), None)
        if here is None or not isinstance(owner, ast.expr) or owner is target:
            raise Unreadable
        name = at(ast.Name(id="type", ctx=ast.Load()), node)
        call = at(ast.Call(func=name, args=[owner], keywords=[]), node, here)
        setattr(place, "func" if isinstance(place, ast.Call) else "value", call)
        return at(ast.Assign(targets=[store(target)], value=self.expressions.expression(right)), node)
