"""Statements -> value flow: one handler for each `ast` class, `handler(node, frame) -> does control leave here`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from detector.code.lowering import expressions, flow
from detector.code.lowering.assignments import ASSIGNMENTS, bind, extend_name, gather
from detector.code.lowering.counting import count_over, counted_while, counter_of
from detector.code.lowering.dispatch import BIND, EXPRESSIONS, value
from detector.code.lowering.extremes import best_so_far
from detector.code.lowering.flow import (
    CONDITION,
    EXCEPT,
    FIRST,
    NONE,
    RAISE,
    RETURN,
    Frame,
    merge,
    table,
)
from detector.code.lowering.gathering import bind_parameters, closure
from detector.code.lowering.labels import (
    CONSTANTS,
    SILENT_METHODS,
    SILENT_PACKAGES,
)
from detector.code.lowering.loads import effect
from detector.code.lowering.operators import condition, tests

# Importing it enters the handlers of expressions.
EXPRESSION_HANDLERS = expressions.HANDLERS

Handler = Callable[[Any, Frame], bool]
STATEMENTS: dict[type, Handler] = {}


def body(statements: list[ast.stmt], frame: Frame) -> bool:
    """Lower statements in order; what stands behind a return, raise, break or continue is never reached."""
    for statement in statements:
        if STATEMENTS[statement.__class__](statement, frame):
            return True
    return False


def _expression(node: ast.Expr, frame: Frame) -> bool:
    call = node.value
    if call.__class__ is ast.Constant:  # a docstring
        return False
    if call.__class__ is not ast.Call:
        number = value(call, frame)
        if isinstance(call, ast.Await):
            effect(number, frame)
        return False
    func = call.func
    if isinstance(func, ast.Attribute):
        if func.attr in SILENT_METHODS and _is_logger(func.value, frame):
            return False
        arguments = call.args
        if isinstance(func.value, ast.Name) and len(arguments) == 1:
            if func.attr == "append" and gather(func.value.id, value(arguments[0], frame), frame):
                return False
            if func.attr == "extend" and extend_name(func.value.id, value(arguments[0], frame), frame):
                return False
    number = EXPRESSIONS[call.__class__](call, frame)
    if number != NONE:  # a store written as a call is done already
        effect(number, frame)
    return False


def _is_logger(node: ast.expr, frame: Frame) -> bool:
    """Whether messages go through this: a logging package, a global of the module, whatever is called a logger."""
    while isinstance(node, ast.Attribute):
        if "log" in node.attr.lower():
            return True
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    if "log" in node.id.lower():
        return True
    # A global whose `.warning(...)` stands as a statement is a logger, whatever its name.
    bound = frame.env.get(node.id)
    origin = frame.module.find(node.id) if bound is None else frame.origins.get(bound, "")
    return isinstance(origin, str) and (origin[:1] in {"?", "~"} or origin.partition(".")[0] in SILENT_PACKAGES)


# --- control flow -------------------------------------------------------------------------------------------------


def _if(node: ast.If, frame: Frame) -> bool:
    constant = _constant_test(node.test)
    if constant is not None:
        return body(node.body if constant else node.orelse, frame)
    if frame.befores and not node.orelse and best_so_far(node, frame):
        return False
    tested = tests(node.test, frame)
    before, mark, effects = frame.env, len(frame.writes), frame.effects
    frame.env = before.copy()
    leaves = body(node.body, frame)
    after = frame.env
    frame.env = before
    leaves_else = body(node.orelse, frame) if node.orelse else False
    if leaves or leaves_else or frame.effects != effects or len(frame.writes) != mark:
        # A test on which nothing depends is dead code.
        for test in tested:
            flow.root(frame, (CONDITION, test))
    if leaves:
        return leaves_else
    if leaves_else:
        frame.env = after
    elif len(frame.writes) != mark:
        merge(frame, mark, frame.env, after)
    return False


def _constant_test(test: ast.expr) -> bool | None:
    """What a test that is no test comes to: `if False:`, `if TYPE_CHECKING:`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Constant):
        return not test.operand.value
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
        return False
    return None


def _loop(statements: list[ast.stmt], orelse: list[ast.stmt], frame: Frame, before: dict[str, int], mark: int) -> None:
    """Lower a loop's body once; names keep the value from before it or take the body's."""
    frame.befores.append(before)
    frame.exits.append([])
    leaves = body(statements, frame)
    frame.befores.pop()
    exits = frame.exits.pop()
    if leaves and exits:
        frame.env = exits.pop()
    for other in exits:  # what was bound before a break or continue
        merge(frame, mark, frame.env, other)
    for name in dict.fromkeys(frame.writes[mark:]):
        old, new = before.get(name), frame.env.get(name)
        if (
            old is None
            or new is None
            or old == new
            or new in frame.collects
            or new in frame.dicts
            or new in frame.extremes
        ):
            continue
        frame.env[name] = flow.phi(frame, old, new)
    body(orelse, frame)


def _for(node: ast.For | ast.AsyncFor, frame: Frame) -> bool:
    counted = counter_of(node, frame)
    iterable = value(node.iter, frame)
    before, mark = frame.env.copy(), len(frame.writes)
    BIND[0](node.target, flow.elem(frame, iterable), frame)
    if counted is None:
        _loop(node.body, node.orelse, frame, before, mark)
    else:
        counter, rest = counted
        count_over(counter, iterable, frame)
        _loop(rest, node.orelse, frame, before, mark)
    return False


def _while(node: ast.While, frame: Frame) -> bool:
    if _constant_test(node.test) is False:
        return body(node.orelse, frame)
    before, mark = frame.env.copy(), len(frame.writes)
    rest = counted_while(node, frame)
    if rest is not None:
        _loop(rest, node.orelse, frame, before, mark)
        return False
    if _constant_test(node.test) is None:
        condition(node.test, frame)
    _loop(node.body, node.orelse, frame, before, mark)
    return False


def _with(node: ast.With | ast.AsyncWith, frame: Frame) -> bool:
    for item in node.items:
        number = value(item.context_expr, frame)
        effect(number, frame)
        if item.optional_vars is not None:
            bind(item.optional_vars, number, frame)
    return body(node.body, frame)


def _try(node: ast.Try | ast.TryStar, frame: Frame) -> bool:
    before, mark = frame.env.copy(), len(frame.writes)
    leaves = body(node.body, frame) or body(node.orelse, frame)
    for handler in node.handlers:
        after, frame.env = frame.env, before.copy()
        caught = NONE if handler.type is None else value(handler.type, frame)
        caught = flow.root(frame, (EXCEPT, caught))
        if handler.name:
            frame.env[handler.name] = caught
        handler_leaves = body(handler.body, frame)
        if handler_leaves:
            frame.env = after
        elif leaves:
            leaves = False
        else:
            merge(frame, mark, after, frame.env)
    return body(node.finalbody, frame) or leaves


def _return(node: ast.Return, frame: Frame) -> bool:
    if node.value is None:
        return True
    returned_node = node.value
    number = EXPRESSIONS[returned_node.__class__](returned_node, frame)
    # A value that may be either is returned as either: a ternary, an if/else and an early return are one.
    values = frame.phis.get(number, (number,))
    if frame.returns is not None:
        frame.returns.extend(values)
        return True
    for returned in values:
        if returned != NONE:  # as good as falling off the end
            flow.root(frame, (RETURN, returned))
    return True


def _raise(node: ast.Raise, frame: Frame) -> bool:
    """An exception counts by its type: messages are rewritten first."""
    raised = node.exc
    if isinstance(raised, ast.Call):
        raised = raised.func
    flow.root(frame, (RAISE, NONE if raised is None else value(raised, frame)))
    return True


def _assert(node: ast.Assert, frame: Frame) -> bool:
    condition(node.test, frame)
    return False


def _leave(node: ast.stmt, frame: Frame) -> bool:
    if frame.exits:
        frame.exits[-1].append(frame.env.copy())
    return True


def _nothing(node: ast.stmt, frame: Frame) -> bool:
    return False


def _import(node: ast.Import | ast.ImportFrom, frame: Frame) -> bool:
    names: dict[str, str] = {}
    frame.module.add_import(node, names)
    for name, origin in names.items():
        frame.env[name] = flow.leaf(frame, origin)
        frame.writes.append(name)
    return False


def _match(node: ast.Match, frame: Frame) -> bool:
    subject = value(node.subject, frame)
    before, mark = frame.env, len(frame.writes)
    after: dict[str, int] | None = None
    for case in node.cases:
        frame.env = before.copy()
        _pattern(case.pattern, subject, frame)
        if case.guard is not None:
            condition(case.guard, frame)
        if body(case.body, frame):
            continue
        if after is None:
            after = frame.env
        else:
            merge(frame, mark, after, frame.env)
    frame.env = before if after is None else after
    return False


def _pattern(pattern: ast.pattern, subject: int, frame: Frame) -> None:
    """Bind what a pattern captures; what it compares with is a condition."""
    if isinstance(pattern, ast.MatchValue):
        condition(pattern.value, frame)
    elif isinstance(pattern, ast.MatchClass):
        condition(pattern.cls, frame)
        for inner in pattern.patterns + pattern.kwd_patterns:
            _pattern(inner, subject, frame)
    elif isinstance(pattern, ast.MatchMapping):
        for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
            _pattern(inner, flow.item(frame, subject, value(key, frame)), frame)
    elif isinstance(pattern, ast.MatchSequence):
        for position, inner in enumerate(pattern.patterns):
            _pattern(inner, flow.item(frame, subject, table[CONSTANTS[int][position]]), frame)
    elif isinstance(pattern, ast.MatchOr):
        for inner in pattern.patterns:
            _pattern(inner, subject, frame)
    elif isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        _pattern(pattern.pattern, subject, frame)
    name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
    if name is not None:
        frame.env[name] = subject
        frame.writes.append(name)


# --- definitions inside a function ----------------------------------------------------------------------------------


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame) -> bool:
    """Lower a nested function in place: what it returns is its value, its effects are effects here."""
    frame.nested.append((node, _bound(frame)))
    nested = len(frame.nested)
    outer_env, frame.env = frame.env, frame.env.copy()
    outer_returns, frame.returns = frame.returns, []
    outer_befores, frame.befores = frame.befores, []
    outer_exits, frame.exits = frame.exits, []
    bind_parameters(node.args, frame, is_method=False)
    body(node.body, frame)
    del frame.nested[nested:]  # what is defined in there is found when it has its own turn
    returned = tuple(dict.fromkeys(frame.returns))
    frame.env, frame.returns = outer_env, outer_returns
    frame.befores, frame.exits = outer_befores, outer_exits
    frame.env[node.name] = closure(frame, returned)
    frame.writes.append(node.name)
    return False


def _bound(frame: Frame) -> tuple[str, ...]:
    """Names that the function binds, without the globals that it has loaded."""
    written = set(frame.writes)
    return tuple(name for name, number in frame.env.items() if number < FIRST or name in written)


def _class(node: ast.ClassDef, frame: Frame) -> bool:
    frame.nested.append((node, _bound(frame)))
    frame.env[node.name] = flow.leaf(frame, "~")
    frame.writes.append(node.name)
    return False


STATEMENTS.update(
    {
        **ASSIGNMENTS, ast.Expr: _expression,
        ast.If: _if, ast.For: _for, ast.AsyncFor: _for, ast.While: _while, ast.With: _with, ast.AsyncWith: _with,
        ast.Try: _try, ast.TryStar: _try, ast.Return: _return, ast.Raise: _raise, ast.Assert: _assert,
        ast.Break: _leave, ast.Continue: _leave, ast.Pass: _nothing, ast.Global: _nothing, ast.Nonlocal: _nothing,
        ast.Delete: _nothing, ast.Import: _import, ast.ImportFrom: _import, ast.Match: _match,
        ast.FunctionDef: _definition, ast.AsyncFunctionDef: _definition, ast.ClassDef: _class,
    }
)  # fmt: skip
if hasattr(ast, "TypeAlias"):  # Python 3.12
    STATEMENTS[ast.TypeAlias] = _nothing
