"""Parameters of functions and lambdas, Python 2's tuple parameters among them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from detector.code.tolerant.tree import Node, Reads, UnreadableError, at, first, parts, store


@dataclass(slots=True)
class _Parameters:
    """`ast.arguments` while it grows, left to right."""

    expressions: Reads
    is_lambda: bool
    positional_only: list[ast.arg] = field(default_factory=list)
    positional: list[ast.arg] = field(default_factory=list)
    keyword_only: list[ast.arg] = field(default_factory=list)
    keyword_defaults: list[ast.expr | None] = field(default_factory=list)
    defaults: list[ast.expr] = field(default_factory=list)
    rest: ast.arg | None = None
    keywords: ast.arg | None = None
    is_keyword_only: bool = False
    unpacked: list[ast.stmt] = field(default_factory=list)

    def add(self, node: Node) -> None:
        """Take one parameter or separator in."""
        if node.type == "positional_separator":
            self.positional_only, self.positional = self.positional, []
        elif node.type == "keyword_separator":
            self.is_keyword_only = True
        elif node.type in ("default_parameter", "typed_default_parameter"):
            name = node.child_by_field_name("name")
            default = self.expressions.expression(node.child_by_field_name("value"))
            self._named(name, node, node.child_by_field_name("type"), default)
        elif node.type == "typed_parameter":
            name = next(iter(parts(node)), None)
            self._named(name, node, node.child_by_field_name("type"), None)
        else:
            self._named(node, node, None, None)

    def _named(self, name: Node | None, place: Node, annotation: Node | None, default: ast.expr | None) -> None:
        if name is None:
            raise UnreadableError
        note = None if annotation is None else self.expressions.or_hole(annotation, annotation)
        if name.type in ("list_splat_pattern", "dictionary_splat_pattern"):
            inner = next(iter(parts(name)), None)
            argument = at(ast.arg(arg=self.expressions.identifier(inner), annotation=note), inner or name, place)
            if name.type == "list_splat_pattern":
                self.rest = argument
                self.is_keyword_only = True
            else:
                self.keywords = argument
        elif name.type == "tuple_pattern":
            self._unpack(name, default)
        else:
            end = place if annotation is not None and default is None else annotation or name
            self._plain(at(ast.arg(arg=self.expressions.identifier(name), annotation=note), name, end), default)

    def _plain(self, argument: ast.arg, default: ast.expr | None) -> None:
        if self.is_keyword_only:
            self.keyword_only.append(argument)
            self.keyword_defaults.append(default)
            return
        self.positional.append(argument)
        if default is not None:
            self.defaults.append(default)

    def _unpack(self, node: Node, default: ast.expr | None) -> None:
        """`def f(a, (b, c))`: a parameter that the body begins by unpacking. A lambda gets its names side by side."""
        target = store(self.expressions.expression(node))
        if self.is_lambda:
            for part in ast.walk(target):
                if isinstance(part, ast.Name):
                    self._plain(at(ast.arg(arg=part.id), node), None)
            return
        name = f"_tuple_{len(self.positional_only) + len(self.positional)}"
        self._plain(at(ast.arg(arg=name), node), default)
        value = at(ast.Name(id=name, ctx=ast.Load()), node)
        self.unpacked.append(at(ast.Assign(targets=[target], value=value), node))

    def finished(self) -> ast.arguments:
        """The whole list."""
        return ast.arguments(
            posonlyargs=self.positional_only,
            args=self.positional,
            vararg=self.rest,
            kwonlyargs=self.keyword_only,
            kw_defaults=self.keyword_defaults,
            kwarg=self.keywords,
            defaults=self.defaults,
        )


def function_parameters(node: Node | None, expressions: Reads) -> tuple[ast.arguments, list[ast.stmt]]:
    """Parameters, and the assignments that unpack tuple parameters. What cannot be read is left out."""
    found = _read(node, expressions, is_lambda=False)
    return found.finished(), found.unpacked


def lambda_parameters(node: Node | None, expressions: Reads) -> ast.arguments:
    """Parameters of a lambda, whose tuple parameters become plain ones."""
    return _read(node, expressions, is_lambda=True).finished()


def _read(node: Node | None, expressions: Reads, is_lambda: bool) -> _Parameters:
    found = _Parameters(expressions, is_lambda)
    for child in parts(node) if node is not None else []:
        try:
            found.add(child)
        except UnreadableError:
            continue
    return found


def type_parameters(node: Node, expressions: Reads) -> list[Any]:  # of `ast.type_param`, new in Python 3.12
    """PEP 695 parameters `[T: int, *Ts, **P]`, on Pythons whose `ast` has them; none before."""
    if not hasattr(ast, "TypeVar"):
        return []
    found: list[Any] = []
    for child in parts(node):
        inner = next(iter(parts(child)), None)
        try:
            if inner is None:
                continue
            if inner.type == "splat_type":
                kind = "ParamSpec" if first(inner, "**") is not None else "TypeVarTuple"
                found.append(_type_parameter(kind, expressions.identifier(parts(inner)[0]), inner))
            elif inner.type == "constrained_type":
                name, bound = parts(inner)
                new = _type_parameter("TypeVar", expressions.identifier(name), inner)
                new.bound = expressions.expression(bound)  # type: ignore[attr-defined]
                found.append(new)
            else:
                found.append(_type_parameter("TypeVar", expressions.identifier(inner), inner))
        except (UnreadableError, ValueError, IndexError):
            continue
    return found


def _type_parameter(kind: str, name: str, node: Node) -> ast.AST:
    new: ast.AST = getattr(ast, kind)(name=name)
    return at(new, node)  # type: ignore[type-var]
