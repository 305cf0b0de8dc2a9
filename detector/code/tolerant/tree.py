"""What the tolerant parser uses of a tree-sitter node, and how a place in it becomes a place in `ast`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

# Levels of nesting kept below the module. Every level costs the conversion up to three Python frames, and `ast.dump`
# or another recursive walk of the result up to five, out of the interpreter's 1,000. In 600 files of published model
# code the deepest had 22.
MAX_DEPTH = 100
HOLE = "_"  # the name that stands for what is nested too deep or cannot be read

_NOISE = frozenset({"comment", "line_continuation", "ERROR"})  # may stand anywhere in a tree


Placed = TypeVar(
    "Placed", bound=ast.arg | ast.expr | ast.keyword | ast.alias | ast.stmt | ast.excepthandler | ast.pattern
)


class Node(Protocol):
    """The part of `tree_sitter.Node` that is used here."""

    @property
    def type(self) -> str: ...
    @property
    def is_named(self) -> bool: ...
    @property
    def is_missing(self) -> bool: ...
    @property
    def has_error(self) -> bool: ...
    @property
    def start_byte(self) -> int: ...
    @property
    def end_byte(self) -> int: ...
    @property
    def start_point(self) -> tuple[int, int]: ...
    @property
    def end_point(self) -> tuple[int, int]: ...
    @property
    def child_count(self) -> int: ...
    @property
    def children(self) -> Sequence[Node]: ...
    @property
    def named_children(self) -> Sequence[Node]: ...
    def child_by_field_name(self, name: str, /) -> Node | None: ...


class Reads(Protocol):
    """Whoever reads expressions, as the readers of single kinds of nodes need it: see `Expressions`."""

    source: bytes
    depth: int

    def expression(self, node: Node | None) -> ast.expr: ...
    def or_hole(self, node: Node | None, place: Node) -> ast.expr: ...
    def readable(self, nodes: Iterable[Node]) -> list[ast.expr]: ...
    def one_or_tuple(self, nodes: Sequence[Node], is_tuple: bool = False) -> ast.expr: ...
    def text(self, node: Node) -> str: ...
    def identifier(self, node: Node | None) -> str: ...
    def arguments(self, node: Node) -> tuple[list[ast.expr], list[ast.keyword]]: ...
    def of_source(self, source: bytes) -> ast.expr: ...


Reader = Callable[[Node, Reads], ast.expr]


class UnreadableError(Exception):
    """This node cannot be understood: its statement, or its place in a list, is left out."""


def parts(node: Node) -> list[Node]:
    """Named children that carry meaning: no comments, no line continuations, nothing skipped as an error."""
    return [child for child in node.named_children if child.type not in _NOISE]


def tokens(node: Node) -> Iterator[Node]:
    """All children that carry meaning, keywords and punctuation included."""
    return (child for child in node.children if child.type not in _NOISE)


def has_token(node: Node, token: str) -> bool:
    """Whether one of the children is this keyword or punctuation."""
    return any(child.type == token for child in node.children)


def first(node: Node, *kinds: str) -> Node | None:
    """First child of one of these types."""
    return next((child for child in node.children if child.type in kinds), None)


def at(new: Placed, node: Node, last: Node | None = None) -> Placed:
    """Give a new `ast` node the place of a tree node, or of a run of them. Columns count UTF-8 bytes, as in `ast`."""
    row, column = node.start_point
    end_row, end_column = (last or node).end_point
    new.lineno = row + 1
    new.col_offset = column
    new.end_lineno = end_row + 1
    new.end_col_offset = end_column
    return new


def hole(node: Node) -> ast.Name:
    """A placeholder expression at the place of what is not kept."""
    return at(ast.Name(id=HOLE, ctx=ast.Load()), node)


def store(target: ast.expr, context: ast.expr_context | None = None) -> ast.expr:
    """Turn what was read as a value into a target of assignment (or of `del`)."""
    context = context or ast.Store()
    pending = [target]
    while pending:
        here = pending.pop()
        if isinstance(here, ast.Name | ast.Attribute | ast.Subscript | ast.Starred | ast.Tuple | ast.List):
            here.ctx = context
        if isinstance(here, ast.Tuple | ast.List):
            pending.extend(here.elts)
        elif isinstance(here, ast.Starred):
            pending.append(here.value)
    return target
