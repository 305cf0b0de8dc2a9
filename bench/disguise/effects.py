"""What an expression may do, and in which order Python evaluates it: what may be moved without changing behaviour."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.disguise.libraries import PURE_FUNCTIONS, PURE_METHODS
from bench.disguise.walking import walk

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

SUSPENDS = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
READS = (
    ast.Name | ast.Constant | ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.IfExp | ast.Tuple | ast.List
    | ast.Attribute | ast.Subscript | ast.Slice | ast.JoinedStr | ast.FormattedValue | ast.Call | ast.keyword
    | ast.operator | ast.unaryop | ast.cmpop | ast.boolop | ast.expr_context
)  # fmt: skip


def is_pure(node: ast.AST) -> bool:
    """Whether evaluating it only reads: no call that may change or consume anything."""
    for part in walk(node):
        if not isinstance(part, READS):
            return False
        if isinstance(part, ast.Call):
            is_function = isinstance(part.func, ast.Name) and part.func.id in PURE_FUNCTIONS
            is_method = isinstance(part.func, ast.Attribute) and part.func.attr in PURE_METHODS
            if not is_function and not is_method:
                return False
    return True


def is_movable(node: ast.AST) -> bool:
    """Whether it may stand in another statement: nothing that suspends, binds a name or needs its own scope."""
    return not any(isinstance(part, SUSPENDS) or is_super(part) for part in walk(node))


def is_super(node: ast.AST) -> bool:
    """Whether it is `super(...)`, which wants to stay in its place."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def is_dotted(node: ast.AST) -> bool:
    """Whether it is `a` or `a.b.c`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def names(node: ast.AST | list[ast.stmt]) -> set[str]:
    """Every name read or written, nested scopes included."""
    roots = node if isinstance(node, list) else [node]
    return {part.id for root in roots for part in walk(root) if isinstance(part, ast.Name)}


def escaping(function: FunctionNode) -> set[str]:
    """Names whose binding may be seen at another time than the statement's: closures, `global`, `nonlocal`, `del`."""
    found: set[str] = set()
    for node in walk(function):
        if node is function:
            continue
        if isinstance(node, FunctionNode | ast.Lambda | ast.GeneratorExp | ast.ClassDef):
            found |= names(node)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif isinstance(node, ast.Delete):
            found |= names(node)
    return found


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a statement that holds an expression."""

    node: ast.expr
    put: Callable[[ast.expr], None]


def evaluated_first(statement: ast.stmt) -> Iterator[Slot]:
    """Places of a statement that are evaluated before anything else in it has had an effect, outer before inner."""
    for field in ("value", "test", "iter"):
        child = getattr(statement, field, None)
        if isinstance(child, ast.expr) and isinstance(statement, ast.Assign | ast.Return | ast.Expr | ast.If | ast.For):
            yield from _slots(_field(statement, field))


def _field(node: ast.AST, field: str) -> Slot:
    return Slot(getattr(node, field), lambda new: setattr(node, field, new))


def _item(items: list[ast.expr], index: int) -> Slot:
    def put(new: ast.expr) -> None:
        items[index] = new

    return Slot(items[index], put)


def _slots(slot: Slot) -> Iterator[Slot]:
    yield slot
    for operand in _operands(slot.node):
        if isinstance(operand.node, ast.Starred):
            return
        yield from _slots(operand)
        if not isinstance(operand.node, ast.Name | ast.Constant):
            return


def _operands(node: ast.expr) -> Iterator[Slot]:
    """What is always evaluated, in order; loading a dotted callee counts as nothing."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not is_dotted(node.func):
            yield _field(node.func, "value")
        elif not is_dotted(node.func):
            return
        yield from (_item(node.args, index) for index in range(len(node.args)))
        yield from (_field(word, "value") for word in node.keywords)
    elif isinstance(node, ast.Attribute):
        yield _field(node, "value")
    elif isinstance(node, ast.Subscript):
        yield _field(node, "value")
        if not isinstance(node.slice, ast.Slice | ast.Tuple):
            yield _field(node, "slice")
    elif isinstance(node, ast.BinOp):
        yield _field(node, "left")
        yield _field(node, "right")
    elif isinstance(node, ast.Compare):
        yield _field(node, "left")
    elif isinstance(node, ast.UnaryOp):
        yield _field(node, "operand")
    elif isinstance(node, ast.BoolOp):
        yield _item(node.values, 0)
    elif isinstance(node, ast.IfExp):
        yield _field(node, "test")
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        yield from (_item(node.elts, index) for index in range(len(node.elts)))
