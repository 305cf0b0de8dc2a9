"""Statements of the error-tolerant tree as `ast` statements. What is broken is left out, what surrounds it stays."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from typing import Any

from detector.code.tolerant.expressions import Expressions, Parse
from detector.code.tolerant.parameters import function_parameters, type_parameters
from detector.code.tolerant.patterns import Patterns
from detector.code.tolerant.simple import READERS as SIMPLE
from detector.code.tolerant.tree import (
    MAX_DEPTH,
    Node,
    Placed,
    UnreadableError,
    at,
    first,
    has_token,
    parts,
    store,
    tokens,
)


class Statements:
    """Reads compound statements and the suites inside them."""

    def __init__(self, source: bytes, parse: Parse, depth: int = 0) -> None:
        self.expressions = Expressions(source, parse, depth)
        self.patterns = Patterns(self.expressions)

    def read(self, nodes: Iterable[Node]) -> list[ast.stmt]:
        """All statements among the nodes that can be read."""
        return [statement for node in nodes for statement in self._statement(node)]

    def _statement(self, node: Node) -> list[ast.stmt]:
        simple, compound = SIMPLE.get(node.type), _COMPOUND.get(node.type)
        if self.expressions.depth >= MAX_DEPTH:
            return []
        self.expressions.depth += 1
        try:
            if simple is not None:
                return simple(node, self.expressions)
            return compound(self, node) if compound is not None else []
        except (
            UnreadableError,
            ValueError,
            IndexError,
            RecursionError,
        ):  # the tree of a broken statement may lack any part
            return []
        finally:
            self.expressions.depth -= 1

    def _salvage(self, node: Node) -> list[ast.stmt]:
        return self.read(node.children)

    def _suite(self, node: Node | None, place: Node) -> list[ast.stmt]:
        """Statements of the block below a head; never empty, as `ast` demands."""
        block = None if node is None else first(node, "block")
        statements = self.read(block.children) if block is not None else []
        return statements or [at(ast.Pass(), place, next(tokens(place), place))]

    def _orelse(self, node: Node) -> list[ast.stmt]:
        clause = first(node, "else_clause")
        return self._suite(clause, clause) if clause is not None else []

    def _head(self, node: Node | None, place: Node) -> ast.expr:
        return self.expressions.or_hole(node, place)

    def _if(self, node: Node) -> list[ast.stmt]:
        """`elif` is an `if` in the `else` of the one before, built from the last to the first."""
        orelse = self._orelse(node)
        clauses = [child for child in node.children if child.type == "elif_clause"]
        for clause in reversed(clauses[: MAX_DEPTH - self.expressions.depth]):
            orelse = [self._branch(clause, orelse)]
        return [self._branch(node, orelse)]

    def _branch(self, node: Node, orelse: list[ast.stmt]) -> ast.stmt:
        test = self._head(node.child_by_field_name("condition"), node)
        body = self._suite(node, node)
        return _until(at(ast.If(test=test, body=body, orelse=orelse), node), orelse or body)

    def _for(self, node: Node) -> list[ast.stmt]:
        target = store(self._head(node.child_by_field_name("left"), node))
        iterable = self._head(node.child_by_field_name("right"), node)
        body = self._suite(node, node)
        orelse = self._orelse(node)
        kind = ast.AsyncFor if has_token(node, "async") else ast.For
        return [_until(at(kind(target=target, iter=iterable, body=body, orelse=orelse), node), orelse or body)]

    def _while(self, node: Node) -> list[ast.stmt]:
        test = self._head(node.child_by_field_name("condition"), node)
        body = self._suite(node, node)
        orelse = self._orelse(node)
        return [_until(at(ast.While(test=test, body=body, orelse=orelse), node), orelse or body)]

    def _try(self, node: Node) -> list[ast.stmt]:
        body = self._suite(node, node)
        clauses = [child for child in node.children if child.type in ("except_clause", "except_group_clause")]
        handlers = [self._handler(clause) for clause in clauses]
        orelse = self._orelse(node)
        last = first(node, "finally_clause")
        final = self._suite(last, last) if last is not None else []
        is_group = any(clause.type == "except_group_clause" or has_token(clause, "*") for clause in clauses)
        kind = ast.TryStar if is_group else ast.Try
        new = at(kind(body=body, handlers=handlers, orelse=orelse, finalbody=final), node)
        return [_until(new, final or orelse or (handlers[-1].body if handlers else body))]

    def _handler(self, node: Node) -> ast.ExceptHandler:
        heads = [child for child in parts(node) if child.type != "block"]
        name: str | None = None
        if len(heads) == 1 and heads[0].type == "as_pattern":
            heads = parts(heads[0])
            name = self._bound_name(heads.pop())
        elif len(heads) == 2 and (not has_token(node, ",") or self._is_python2_name(heads[1])):
            name = self._bound_name(heads.pop())
        kind = self.expressions.one_or_tuple(heads) if heads else None
        body = self._suite(node, node)
        return _until(at(ast.ExceptHandler(type=kind, name=name, body=body), node), body)

    def _bound_name(self, node: Node) -> str | None:
        target = self._head(node, node)
        return target.id if isinstance(target, ast.Name) else None

    def _is_python2_name(self, node: Node) -> bool:
        """`except OSError, error:` binds in Python 2; `except OSError, ValueError:` names two kinds in Python 3.14."""
        return node.type == "identifier" and not self.expressions.identifier(node)[0].isupper()

    def _with(self, node: Node) -> list[ast.stmt]:
        clause = first(node, "with_clause")
        items = [self._with_item(item) for item in self._with_items(clause)] if clause is not None else []
        body = self._suite(node, node)
        kind = ast.AsyncWith if has_token(node, "async") else ast.With
        return [_until(at(kind(items=items or [ast.withitem(self._head(None, node))], body=body), node), body)]

    def _with_items(self, clause: Node) -> list[Node]:
        """The items; `with (a, b):` is one item, a tuple, to the grammar and two to Python."""
        items = [value for item in parts(clause) if (value := next(iter(parts(item)), None)) is not None]
        if len(items) == 1 and items[0].type in ("tuple", "parenthesized_expression"):
            inner = parts(items[0])
            if inner and all(child.type not in ("list_splat", "yield") for child in inner):
                return inner
        return items

    def _with_item(self, node: Node) -> ast.withitem:
        if node.type != "as_pattern":
            return ast.withitem(context_expr=self._head(node, node))
        value, target = parts(node)[:2]
        return ast.withitem(context_expr=self._head(value, node), optional_vars=store(self._head(target, node)))

    def _function(self, node: Node) -> list[ast.stmt]:
        parameters, unpacked = function_parameters(node.child_by_field_name("parameters"), self.expressions)
        returned = node.child_by_field_name("return_type")
        body = self._suite(node, node)
        place = 1 if unpacked and _is_docstring(body[0]) else 0
        body[place:place] = unpacked
        kind = ast.AsyncFunctionDef if has_token(node, "async") else ast.FunctionDef
        new = kind(
            name=self.expressions.identifier(node.child_by_field_name("name")),
            args=parameters,
            body=body,
            decorator_list=[],
            returns=None if returned is None else self._head(returned, returned),
            **self._type_parameters(node),
        )
        return [_until(at(new, node), body)]

    def _class(self, node: Node) -> list[ast.stmt]:
        superclasses = first(node, "argument_list")
        bases, keywords = self.expressions.arguments(superclasses) if superclasses is not None else ([], [])
        name = self.expressions.identifier(node.child_by_field_name("name"))
        body = self._suite(node, node)
        generics = self._type_parameters(node)
        new = ast.ClassDef(name=name, bases=bases, keywords=keywords, body=body, decorator_list=[], **generics)
        return [_until(at(new, node), body)]

    def _type_parameters(self, node: Node) -> dict[str, Any]:
        """The field of `ast` for them, on Pythons that have it."""
        if sys.version_info < (3, 12):
            return {}
        generics = first(node, "type_parameter")
        return {"type_params": type_parameters(generics, self.expressions) if generics is not None else []}

    def _decorated(self, node: Node) -> list[ast.stmt]:
        decorators = [part for child in parts(node) if child.type == "decorator" for part in parts(child)[:1]]
        definitions = self.read(child for child in node.children if child.type.endswith("_definition"))
        for new in definitions:
            if isinstance(new, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                new.decorator_list = self.expressions.readable(decorators)
        return definitions

    def _match(self, node: Node) -> list[ast.stmt]:
        block = first(node, "block") or node
        subjects = [child for child in parts(node) if child.type not in ("block", "case_clause")]
        is_tuple = has_token(node, ",")
        try:
            subject = self.expressions.one_or_tuple(subjects, is_tuple)
        except UnreadableError:
            subject = self._head(None, node)
        cases = [case for clause in block.children if clause.type == "case_clause" for case in self._case(clause)]
        new = at(ast.Match(subject=subject, cases=cases), node)
        return [_until(new, cases[-1].body if cases else [])]

    def _case(self, node: Node) -> list[ast.match_case]:
        guard = first(node, "if_clause")
        test = None if guard is None else self._head(next(iter(parts(guard)), None), guard)
        nodes = [child for child in parts(node) if child.type == "case_pattern"]
        try:
            pattern = self.patterns.of_case(nodes, is_sequence=has_token(node, ","))
        except (UnreadableError, ValueError, IndexError):
            pattern = at(ast.MatchAs(), node)
        return [ast.match_case(pattern=pattern, guard=test, body=self._suite(node, node))]


def _until(new: Placed, body: list[ast.stmt]) -> Placed:
    """End a compound statement where its last statement ends, as `ast` does: comments after it are not part of it."""
    if body:
        new.end_lineno = body[-1].end_lineno
        new.end_col_offset = body[-1].end_col_offset
    return new


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


_COMPOUND: dict[str, Callable[[Statements, Node], list[ast.stmt]]] = {
    "if_statement": Statements._if,
    "for_statement": Statements._for,
    "while_statement": Statements._while,
    "try_statement": Statements._try,
    "with_statement": Statements._with,
    "function_definition": Statements._function,
    "class_definition": Statements._class,
    "decorated_definition": Statements._decorated,
    "match_statement": Statements._match,
    "ERROR": Statements._salvage,
    # only met inside of errors, where the statement that they belong to is lost
    "block": Statements._salvage,
    "elif_clause": Statements._salvage,
    "else_clause": Statements._salvage,
    "except_clause": Statements._salvage,
    "except_group_clause": Statements._salvage,
    "finally_clause": Statements._salvage,
    "case_clause": Statements._salvage,
}
