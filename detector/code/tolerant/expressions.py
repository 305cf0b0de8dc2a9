"""Expressions of the error-tolerant tree as `ast` expressions."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from detector.code.tolerant import access, collections, operators, strings
from detector.code.tolerant.tree import MAX_DEPTH, Node, UnreadableError, at, first, hole, parts

Parse = Callable[[bytes], Node]

READERS = access.READERS | strings.READERS | operators.READERS | collections.READERS
_WRAPPERS = frozenset({"parenthesized_expression", "type", "as_pattern_target"})  # `ast` has no node for these


def _star_outermost(new: ast.expr) -> ast.expr:
    """Read `*a.b` as `*(a.b)`: in the tree a star may bind tighter than what follows its operand."""
    match new:
        case ast.Attribute(value=ast.Starred() as star) | ast.Subscript(value=ast.Starred() as star):
            new.value = star.value
        case ast.Call(func=ast.Starred() as star):
            new.func = star.value
        case ast.BinOp(left=ast.Starred() as star) | ast.Compare(left=ast.Starred() as star):
            new.left = star.value
        case ast.IfExp(body=ast.Starred() as star):
            new.body = star.value
        case ast.BoolOp(values=[ast.Starred() as star, *others]):
            new.values = [star.value, *others]
        case _:
            return new
    star.value = new
    star.end_lineno, star.end_col_offset = new.end_lineno, new.end_col_offset
    return star


class Expressions:
    """Reads expressions out of one source. Keeps count of the depth, so that no input overflows the stack."""

    def __init__(self, source: bytes, parse: Parse, depth: int = 0) -> None:
        self.source = source
        self.parse = parse  # reads code inside Python 2's backticks
        self.depth = depth

    def expression(self, node: Node | None) -> ast.expr:
        """One expression.

        Errors: UnreadableError where the tree has nothing that could stand there.
        """
        while node is not None and node.type in _WRAPPERS:
            node = next(iter(parts(node)), None)
        if node is None or node.is_missing or node.type not in READERS:
            raise UnreadableError
        if self.depth >= MAX_DEPTH:
            return hole(node)
        self.depth += 1
        try:
            return _star_outermost(READERS[node.type](node, self))
        finally:
            self.depth -= 1

    def or_hole(self, node: Node | None, place: Node) -> ast.expr:
        """One expression, or a placeholder: for the heads of compound statements, whose bodies are worth keeping."""
        try:
            return self.expression(node)
        except UnreadableError:
            return hole(place)

    def readable(self, nodes: Iterable[Node]) -> list[ast.expr]:
        """Those of the expressions that can be read: one broken element does not cost the whole list."""
        found = []
        for node in nodes:
            try:
                found.append(self.expression(node))
            except UnreadableError:
                continue
        return found

    def one_or_tuple(self, nodes: Sequence[Node], is_tuple: bool = False) -> ast.expr:
        """The expression, or a tuple without parentheses where there are several or a comma follows."""
        if not nodes:
            raise UnreadableError
        if len(nodes) == 1 and not is_tuple:
            return self.expression(nodes[0])
        return at(ast.Tuple(elts=self.readable(nodes), ctx=ast.Load()), nodes[0], nodes[-1])

    def text(self, node: Node) -> str:
        """Source text of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def identifier(self, node: Node | None) -> str:
        """A name, normalised as the Python lexer does it (NFKC)."""
        if node is None or node.is_missing:
            raise UnreadableError
        name = self.text(node)
        return name if name.isascii() else unicodedata.normalize("NFKC", name)

    def arguments(self, node: Node) -> tuple[list[ast.expr], list[ast.keyword]]:
        """Positional and keyword arguments of a call or a class."""
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for child in parts(node):
            try:
                if child.type == "keyword_argument":
                    name = self.identifier(child.child_by_field_name("name"))
                    value = self.expression(child.child_by_field_name("value"))
                    keywords.append(at(ast.keyword(arg=name, value=value), child))
                elif child.type == "dictionary_splat":
                    keywords.append(at(ast.keyword(arg=None, value=self.expression(parts(child)[0])), child))
                else:
                    positional.append(self.expression(child))
            except (UnreadableError, IndexError):
                continue
        return positional, keywords

    # names and access

    def of_source(self, source: bytes) -> ast.expr:
        """The expression that a piece of source is by itself."""
        statement = first(self.parse(source), "expression_statement")
        if statement is None:
            raise UnreadableError
        return Expressions(source, self.parse, self.depth).expression(next(iter(parts(statement)), None))
