"""Statements -> value flow: one handler for each `ast` class, `handler(node, frame) -> does control leave here`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from detector.code import flow
from detector.code.expressions import (
    BIND,
    EXPRESSIONS,
    binary,
    bind_loop,
    bind_parameters,
    closure,
    condition,
    effect,
    extend,
    free,
    own_attribute,
    store_other,
    store_own,
    value,
)
from detector.code.flow import (
    COLLECT_PAIR,
    CONDITION,
    EXCEPT,
    FIRST,
    ITEM,
    NONE,
    PAIR,
    RAISE,
    RETURN,
    SELF,
    SETITEM,
    SLICE,
    Frame,
    merge,
    table,
)
from detector.code.labels import CALLS, CONSTANTS, SILENT_METHODS, SILENT_PACKAGES

Handler = Callable[[Any, Frame], bool]
_Name = ast.Name
STATEMENTS: dict[type, Handler] = {}


def body(statements: list[ast.stmt], frame: Frame) -> bool:
    """Lower statements in order; what stands behind a return, raise, break or continue is never reached."""
    for statement in statements:
        if STATEMENTS[statement.__class__](statement, frame):
            return True
    return False


# --- assignment ---------------------------------------------------------------------------------------------------


def bind(target: ast.expr, number: int, frame: Frame) -> None:
    """Assign a value to a target of any kind."""
    kind = target.__class__
    if kind is _Name:
        name: str = target.id  # type: ignore[attr-defined]
        frame.env[name] = number
        frame.writes.append(name)
    elif kind is ast.Tuple or kind is ast.List:
        _unpack(target.elts, number, frame)  # type: ignore[attr-defined]
    elif kind is ast.Attribute:
        base = value(target.value, frame)  # type: ignore[attr-defined]
        if base == SELF:
            store_own(target.attr, number, frame)  # type: ignore[attr-defined]
        else:
            store_other(base, target.attr, number, frame)  # type: ignore[attr-defined]
    elif kind is ast.Subscript:
        _store_item(target, number, frame)  # type: ignore[arg-type]
    elif kind is ast.Starred:
        bind(target.value, number, frame)  # type: ignore[attr-defined]


BIND.append(bind)


def _unpack(targets: list[ast.expr], number: int, frame: Frame) -> None:
    items = frame.lists.get(number)
    starred = [isinstance(target, ast.Starred) for target in targets]
    if items is not None and len(items) == len(targets) and not any(starred):
        for target, part in zip(targets, items, strict=True):
            bind(target, part, frame)
        return
    for position, target in enumerate(targets):
        if starred[position]:
            first = table[(CONSTANTS[int][position],)] if position else NONE
            bind(target, table[(ITEM, number, table[(SLICE, first, NONE, NONE)])], frame)
        else:
            index = position - len(targets) if any(starred[:position]) else position
            bind(target, flow.item(frame, number, table[(CONSTANTS[int][index],)]), frame)


def _store_item(target: ast.Subscript, number: int, frame: Frame) -> None:
    """`d[k] = v`: on a dict that this function writes out, one more pair; else an effect."""
    base, index = value(target.value, frame), value(target.slice, frame)
    pairs = frame.dicts.get(base)
    if pairs is not None and isinstance(target.value, ast.Name):
        name = target.value.id
        added = flow.pairs(frame, COLLECT_PAIR if _is_older(name, frame.dicts, frame) else PAIR, index, number)
        frame.env[name] = flow.dictionary(frame, tuple(dict.fromkeys(pairs + added)))
        frame.writes.append(name)
        return
    for each in frame.phis.get(number, (number,)):
        flow.root(frame, SETITEM, base, index, each)


def _is_older(name: str, kinds: Mapping[int, object], frame: Frame) -> bool:
    """Whether what a name holds was made before the innermost open loop, so that the loop gathers into it."""
    if not frame.befores:
        return False
    before = frame.befores[-1].get(name)
    return before is not None and (before in kinds or before in frame.collects)


def _assign(node: ast.Assign, frame: Frame) -> bool:
    targets = node.targets
    source = node.value
    if len(targets) == 1:
        target = targets[0]
        if target.__class__ is _Name:
            name: str = target.id
            if source.__class__ is ast.BinOp and _adds_to_itself(name, source, frame):
                return False
            number = EXPRESSIONS[source.__class__](source, frame)
            frame.env[name] = number
            frame.writes.append(name)
            return False
    number = EXPRESSIONS[source.__class__](source, frame)
    for target in targets:
        bind(target, number, frame)
    return False


def _adds_to_itself(name: str, source: ast.BinOp, frame: Frame) -> bool:
    """`out = out + x` is `out += x`, also where `out` is a list that grows."""
    is_own = source.op.__class__ is ast.Add and isinstance(source.left, ast.Name) and source.left.id == name
    return is_own and _extend(name, value(source.right, frame), frame)


def _annotated(node: ast.AnnAssign, frame: Frame) -> bool:
    if node.value is not None:
        bind(node.target, value(node.value, frame), frame)
    return False


def _augmented(node: ast.AugAssign, frame: Frame) -> bool:
    target, added = node.target, value(node.value, frame)
    if isinstance(target, ast.Name):
        if isinstance(node.op, ast.Add) and _extend(target.id, added, frame):
            return False
        before = frame.env.get(target.id)
        before = free(target.id, frame) if before is None else before
    elif isinstance(target, ast.Attribute):
        base = value(target.value, frame)
        before = own_attribute(target.attr, frame) if base == SELF else value(target, frame)
    else:
        before = value(target, frame)
    bind(target, binary(node.op, before, added, frame), frame)
    return False


# --- gathering: append, extend, += on a list that this function makes ----------------------------------------------


def _gather(name: str, added: int, frame: Frame) -> bool:
    """Append to the list that a local name holds: gathered inside a loop, written out outside of one."""
    held = frame.env.get(name)
    if held is None:
        return False
    collected, listed = frame.collects.get(held), frame.lists.get(held)
    if collected is None and listed is None:
        return False
    if collected is not None or _is_older(name, frame.lists, frame):
        before = listed or () if collected is None else collected
        number = flow.collect(frame, tuple(dict.fromkeys((*before, added))))
    else:
        number = flow.display(frame, (*(listed or ()), added))
    frame.env[name] = number
    frame.writes.append(name)
    return True


def _extend(name: str, added: int, frame: Frame) -> bool:
    """Extend the list that a local name holds."""
    held = frame.env.get(name)
    if held is None:
        return False
    number = extend(held, added, frame, _is_older(name, frame.lists, frame))
    if number is None:
        return False
    frame.env[name] = number
    frame.writes.append(name)
    return True


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
            if func.attr == "append" and _gather(func.value.id, value(arguments[0], frame), frame):
                return False
            if func.attr == "extend" and _extend(func.value.id, value(arguments[0], frame), frame):
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
    origin = frame.module.origin(node.id) if bound is None else frame.origins.get(bound, "")
    return origin[:1] in {"?", "~"} or origin.partition(".")[0] in SILENT_PACKAGES


# --- control flow -------------------------------------------------------------------------------------------------


def _if(node: ast.If, frame: Frame) -> bool:
    constant = _constant_test(node.test)
    if constant is not None:
        return body(node.body if constant else node.orelse, frame)
    if frame.befores and not node.orelse and _best_so_far(node, frame):
        return False
    test = value(node.test, frame)
    before, mark, effects = frame.env, len(frame.writes), frame.effects
    frame.env = before.copy()
    leaves = body(node.body, frame)
    after = frame.env
    frame.env = before
    leaves_else = body(node.orelse, frame) if node.orelse else False
    if leaves or leaves_else or frame.effects != effects or len(frame.writes) != mark:
        # A test on which nothing depends is dead code.
        for each in frame.tests.get(test, (test,)):
            flow.root(frame, CONDITION, each)
    if leaves:
        return leaves_else
    if leaves_else:
        frame.env = after
    elif len(frame.writes) != mark:
        merge(frame, mark, frame.env, after)
    return False


_IS_LESS: dict[type, bool] = {ast.Lt: True, ast.LtE: True, ast.Gt: False, ast.GtE: False}


def _best_so_far(node: ast.If, frame: Frame) -> bool:
    """`if f(x) < best: best, found = f(x), x` in a loop: the rewritten `min(xs, key=f)`."""
    test = node.test
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) and len(test.values) == 2:
        test = test.values[1]  # `best is None or f(x) < best`
    if not isinstance(test, ast.Compare) or test.ops[0].__class__ not in _IS_LESS or len(test.ops) > 1:
        return False
    given = _plain_assignments(node.body)
    right = test.comparators[0]
    if isinstance(right, ast.Name) and right.id in given:
        best, measured, is_least = right.id, test.left, _IS_LESS[test.ops[0].__class__]
    elif isinstance(test.left, ast.Name) and test.left.id in given:
        best, measured, is_least = test.left.id, right, not _IS_LESS[test.ops[0].__class__]
    else:
        return False
    measure = value(measured, frame)
    values = {name: value(source, frame) for name, source in given.items()}
    if values.pop(best) != measure:
        return False
    values = {name: flow.extreme(frame, is_least, number, measure) for name, number in values.items()}
    extreme = CALLS["builtins.min" if is_least else "builtins.max"]
    values[best] = table[(extreme, flow.collect(frame, (measure,)))]
    frame.extremes.add(values[best])
    frame.env.update(values)
    frame.writes += values
    return True


def _plain_assignments(statements: list[ast.stmt]) -> dict[str, ast.expr]:
    """What a body assigns to names, when it does nothing else."""
    given: dict[str, ast.expr] = {}
    for statement in statements:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return {}
        targets, sources = [statement.targets[0]], [statement.value]
        if isinstance(targets[0], ast.Tuple) and isinstance(sources[0], ast.Tuple):
            targets, sources = targets[0].elts, sources[0].elts
        for target, source in zip(targets, sources, strict=False):
            if not isinstance(target, ast.Name) or isinstance(source, ast.Starred):
                return {}
            given[target.id] = source
    return given


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
    before, mark = frame.env.copy(), len(frame.writes)
    bind_loop(node.target, node.iter, frame)
    _loop(node.body, node.orelse, frame, before, mark)
    return False


def _while(node: ast.While, frame: Frame) -> bool:
    if _constant_test(node.test) is False:
        return body(node.orelse, frame)
    before, mark = frame.env.copy(), len(frame.writes)
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
        caught = flow.root(frame, EXCEPT, caught)
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
    number = value(node.value, frame)
    # A value that may be either is returned as either: a ternary, an if/else and an early return are one.
    values = frame.phis.get(number, (number,))
    if frame.returns is not None:
        frame.returns.extend(values)
        return True
    for returned in values:
        if returned != NONE:  # as good as falling off the end
            flow.root(frame, RETURN, returned)
    return True


def _raise(node: ast.Raise, frame: Frame) -> bool:
    """An exception counts by its type: messages are rewritten first."""
    raised = node.exc
    if isinstance(raised, ast.Call):
        raised = raised.func
    flow.root(frame, RAISE, NONE if raised is None else value(raised, frame))
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
            _pattern(inner, flow.item(frame, subject, table[(CONSTANTS[int][position],)]), frame)
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
    outer_env, frame.env = frame.env, frame.env.copy()
    outer_returns, frame.returns = frame.returns, []
    outer_befores, frame.befores = frame.befores, []
    outer_exits, frame.exits = frame.exits, []
    bind_parameters(node.args, frame, is_method=False)
    body(node.body, frame)
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
        ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented, ast.Expr: _expression,
        ast.If: _if, ast.For: _for, ast.AsyncFor: _for, ast.While: _while, ast.With: _with, ast.AsyncWith: _with,
        ast.Try: _try, ast.TryStar: _try, ast.Return: _return, ast.Raise: _raise, ast.Assert: _assert,
        ast.Break: _leave, ast.Continue: _leave, ast.Pass: _nothing, ast.Global: _nothing, ast.Nonlocal: _nothing,
        ast.Delete: _nothing, ast.Import: _import, ast.ImportFrom: _import, ast.Match: _match,
        ast.FunctionDef: _definition, ast.AsyncFunctionDef: _definition, ast.ClassDef: _class,
    }
)  # fmt: skip
if hasattr(ast, "TypeAlias"):  # Python 3.12
    STATEMENTS[ast.TypeAlias] = _nothing
