"""Expressions -> value flow: one handler for each `ast` class, `handler(node, frame) -> id`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from detector.code import flow
from detector.code.flow import (
    ATTRIBUTE,
    CALL,
    CLOSURE,
    COLLECT_PAIR,
    CONDITION,
    EFFECT,
    FIRST,
    FIRST_PARAMETER,
    MOST_PARAMETERS,
    ITEM,
    LOCAL,
    LOCAL_CALL,
    NONE,
    OWN_METHOD,
    PAIR,
    PARAMETERS,
    SELF,
    SET,
    SLICE,
    STAR,
    STARSTAR,
    STORE,
    SUPER,
    YIELD,
    Frame,
    leaf,
    table,
)
from detector.code.labels import CALLS, CONSTANTS, IDENTITY, INPUTS, KEYWORDS, LABELS, METHODS, SIGNATURES, STORES

Handler = Callable[[Any, Frame], int]
EXPRESSIONS: dict[type, Handler] = {}
# `bind(target, id, frame)`: set by statements.py, which knows how to assign.
BIND: list[Callable[[ast.expr, int, Frame], None]] = []

_BINARY: dict[type, int] = {
    kind: LABELS[text]
    for kind, text in {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
        ast.MatMult: "op.matmul", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    }.items()
}  # fmt: skip
_FLOOR_DIVIDE, _DIVIDE, _NEGATE = LABELS["//"], LABELS["/"], LABELS["neg"]
_UNARY: dict[type, int] = {ast.Not: LABELS["not"], ast.USub: _NEGATE, ast.Invert: LABELS["~"]}
_BOOLEAN: dict[type, int] = {ast.And: LABELS["and"], ast.Or: LABELS["or"]}
_FSTRING = LABELS["fstring"]

# Comparisons: label and whether the operands change places. As a condition the negation is dropped as well,
# because the branches that it would exchange are joined without order.
_LT, _LE, _EQ, _NE = LABELS["<"], LABELS["<="], LABELS["=="], LABELS["!="]
_COMPARE: dict[type, tuple[int, bool]] = {
    ast.Lt: (_LT, False), ast.Gt: (_LT, True), ast.LtE: (_LE, False), ast.GtE: (_LE, True), ast.Eq: (_EQ, False),
    ast.NotEq: (_NE, False), ast.Is: (LABELS["is"], False), ast.IsNot: (LABELS["is not"], False),
    ast.In: (LABELS["in"], False), ast.NotIn: (LABELS["not in"], False),
}  # fmt: skip
_TEST: dict[type, tuple[int, bool]] = {
    ast.Lt: (_LT, False), ast.Gt: (_LT, True), ast.LtE: (_LT, True), ast.GtE: (_LT, False), ast.Eq: (_EQ, False),
    ast.NotEq: (_EQ, False), ast.Is: (LABELS["is"], False), ast.IsNot: (LABELS["is"], False),
    ast.In: (LABELS["in"], False), ast.NotIn: (LABELS["in"], False),
}  # fmt: skip


def value(node: ast.expr, frame: Frame) -> int:
    """Lower one expression."""
    return EXPRESSIONS[node.__class__](node, frame)


def _constant(node: ast.Constant, frame: Frame) -> int:
    constant = node.value
    return NONE if constant is None else table[(CONSTANTS[constant.__class__][constant],)]


def _name(node: ast.Name, frame: Frame) -> int:
    number = frame.env.get(node.id)
    return free(node.id, frame) if number is None else number


def free(name: str, frame: Frame) -> int:
    """Load a name that the function does not bind: an import, a builtin, a module constant, an input."""
    constant = frame.module.constants.get(name)
    if constant is not None:
        return value(constant, frame)
    number = frame.env[name] = leaf(frame, frame.module.origin(name))
    return number


def _attribute(node: ast.Attribute, frame: Frame) -> int:
    inner = node.value
    base = frame.env.get(inner.id) if inner.__class__ is ast.Name else None  # type: ignore[attr-defined]
    if base is None:
        base = EXPRESSIONS[inner.__class__](inner, frame)
    if base == SELF:
        return own_attribute(node.attr, frame)
    return attribute_of(base, node.attr, frame)


def attribute_of(base: int, name: str, frame: Frame) -> int:
    """Load an attribute of a value: of a module, its dotted origin; of an input, another input."""
    origin = frame.origins.get(base)
    if origin is None:
        if FIRST_PARAMETER <= base < FIRST:
            origin = f"?{base}"
        else:
            label = METHODS[name]
            return table[(label, base)] if label else table[(ATTRIBUTE, base)]
    if origin[0] == "~":
        return base
    if origin[0] == "?":
        label = METHODS[name]
        # A configuration value is an input wherever it is kept: `self.config.width`, `config.width`, `width`.
        return table[(label, base)] if label else leaf(frame, f"{origin}.{name}")
    return leaf(frame, f"{origin}.{name}")


def own_attribute(name: str, frame: Frame) -> int:
    """Load `self.name`: what this function stored, else what the class put there, else an input."""
    if frame.stores:
        number = frame.env.get("." + name)
        if number is not None:
            return number
    klass = frame.klass
    if klass is not None:
        label = klass.attributes.get(name)
        if label is not None:
            return table[(label,)]
        if name in klass.calls:
            return table[(LOCAL,)]
        constant = klass.constants.get(name)
        if constant is not None:
            return value(constant, frame)
    label = METHODS[name]
    return table[(label, SELF)] if label else leaf(frame, f"?self.{name}")


def _call(node: ast.Call, frame: Frame) -> int:
    """The hot path of lowering: names are looked up in place, and most labels have no rule of their own."""
    env = frame.env
    func = node.func
    # The callee: its label, and the receiver as first operand where there is one.
    if func.__class__ is ast.Attribute:
        inner = func.value  # type: ignore[attr-defined]
        base = env.get(inner.id) if inner.__class__ is ast.Name else None
        if base is None:
            base = EXPRESSIONS[inner.__class__](inner, frame)
        operands = _method(base, func.attr, frame)  # type: ignore[attr-defined]
    else:
        operands = _function(func, frame)
    label = operands[0]
    rule = _RULES.get(label)
    if rule is not None:
        number = rule(node, operands, frame)
        if number is not None:
            return number
    for argument in node.args:
        number = env.get(argument.id) if argument.__class__ is ast.Name else None  # type: ignore[attr-defined]
        operands.append(EXPRESSIONS[argument.__class__](argument, frame) if number is None else number)
    signature = SIGNATURES.get(label)
    if signature is not None:
        first = 1 if label in _OPERATIONS else 0  # an operation's first operand is the array itself
        for position in range(first, min(len(operands) - 1, len(signature))):
            operands[position + 1] = table[(signature[position], operands[position + 1])]
    for keyword in node.keywords:
        given = keyword.value
        number = EXPRESSIONS[given.__class__](given, frame)
        name = keyword.arg
        operands.append(table[(STARSTAR if name is None else KEYWORDS[name], number)])
    return table[tuple(operands)]


def _method(base: int, name: str, frame: Frame) -> list[int]:
    """`base.name(...)`: of self, of a module, of a value."""
    if base == SELF:
        if frame.stores:
            stored = frame.env.get("." + name)
            if stored is not None:
                return [CALL, stored]
        if frame.klass is not None:
            label = frame.klass.calls.get(name)
            if label is not None:
                return [label]
        label = METHODS[name]
        return [label, SELF] if label else [LOCAL_CALL]
    origin = frame.origins.get(base)
    if origin is None or origin[0] == "?":
        return [METHODS[name] or OWN_METHOD, base]
    return [LOCAL_CALL] if origin[0] == "~" else [CALLS[f"{origin}.{name}"]]


def _function(func: ast.expr, frame: Frame) -> list[int]:
    """`func(...)`: an import, a builtin, the project's own, a value."""
    callee = EXPRESSIONS[func.__class__](func, frame)
    origin = frame.origins.get(callee)
    if origin is not None and origin[0] != "?":
        return [LOCAL_CALL] if origin[0] == "~" else [CALLS[origin]]
    return [LOCAL_CALL] if callee == SELF else [CALL, callee]


def _callee(func: ast.expr, frame: Frame) -> list[int]:
    if isinstance(func, ast.Attribute):
        return _method(value(func.value, frame), func.attr, frame)
    return _function(func, frame)


def _binary(node: ast.BinOp, frame: Frame) -> int:
    first, second = node.left, node.right
    left = EXPRESSIONS[first.__class__](first, frame)
    right = EXPRESSIONS[second.__class__](second, frame)
    return table[(_BINARY[node.op.__class__], left, right)]


def binary(operator: ast.operator, left: int, right: int) -> int:
    """Apply a binary operator, as `x += y` does."""
    return table[(_BINARY[operator.__class__], left, right)]


def _unary(node: ast.UnaryOp, frame: Frame) -> int:
    operand, kind = node.operand, node.op.__class__
    if kind is ast.USub and operand.__class__ is ast.Constant and isinstance(operand.value, int | float):  # type: ignore[attr-defined]
        constant = -operand.value  # type: ignore[attr-defined]
        return table[(CONSTANTS[constant.__class__][constant],)]
    number = EXPRESSIONS[operand.__class__](operand, frame)
    return number if kind is ast.UAdd else table[(_UNARY[kind], number)]


def _boolean(node: ast.BoolOp, frame: Frame) -> int:
    return table[(_BOOLEAN[node.op.__class__], *[value(operand, frame) for operand in node.values])]


def _compare(node: ast.Compare, frame: Frame) -> int:
    return _comparison(node, frame, _COMPARE)


def _comparison(node: ast.Compare, frame: Frame, rules: dict[type, tuple[int, bool]]) -> int:
    operand = node.left
    left = EXPRESSIONS[operand.__class__](operand, frame)
    operators, comparators = node.ops, node.comparators
    if len(operators) == 1:
        operand = comparators[0]
        right = EXPRESSIONS[operand.__class__](operand, frame)
        label, is_swapped = rules[operators[0].__class__]
        return table[(label, right, left) if is_swapped else (label, left, right)]
    parts: list[int] = []
    for operator, operand in zip(operators, comparators, strict=True):
        right = EXPRESSIONS[operand.__class__](operand, frame)
        label, is_swapped = rules[operator.__class__]
        parts.append(table[(label, right, left) if is_swapped else (label, left, right)])
        left = right
    return table[(_BOOLEAN[ast.And], *parts)]


def condition(node: ast.expr, frame: Frame) -> None:
    """Make a test a root: negations dropped, `and`/`or` taken apart, `len(x) > 0` read as `x`."""
    kind = node.__class__
    while kind is ast.UnaryOp and node.op.__class__ is ast.Not:  # type: ignore[attr-defined]
        node = node.operand  # type: ignore[attr-defined]
        kind = node.__class__
    if kind is ast.BoolOp:
        for operand in node.values:  # type: ignore[attr-defined]
            condition(operand, frame)
        return
    if kind is ast.Compare:
        counted = _counted(node, frame)  # type: ignore[arg-type]
        number = _comparison(node, frame, _TEST) if counted is None else value(counted, frame)  # type: ignore[arg-type]
    elif kind is ast.Call:
        inner = _argument_of(node, ("len", "bool"), frame)
        number = _call(node, frame) if inner is None else value(inner, frame)  # type: ignore[arg-type]
    else:
        number = EXPRESSIONS[kind](node, frame)
    table[(CONDITION, number)]


def _counted(node: ast.Compare, frame: Frame) -> ast.expr | None:
    """The x of `len(x) > 0`, `len(x) >= 1`, `len(x) == 0`, `len(x) != 0`."""
    right = node.comparators[0]
    if len(node.ops) > 1 or right.__class__ is not ast.Constant:
        return None
    wanted = 1 if isinstance(node.ops[0], ast.GtE | ast.Lt) else 0
    if right.value != wanted or isinstance(node.ops[0], ast.LtE | ast.Is | ast.IsNot | ast.In):  # type: ignore[attr-defined]
        return None
    return _argument_of(node.left, ("len",), frame)


def _argument_of(node: ast.expr, names: tuple[str, ...], frame: Frame) -> ast.expr | None:
    """The only argument of a call to one of these builtins."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
        name = node.func.id
        if name in names and frame.module.origin(name).startswith("builtins."):
            return node.args[0]
    return None


def _conditional(node: ast.IfExp, frame: Frame) -> int:
    condition(node.test, frame)
    return flow.phi(frame, value(node.body, frame), value(node.orelse, frame))


def _subscript(node: ast.Subscript, frame: Frame) -> int:
    base = EXPRESSIONS[node.value.__class__](node.value, frame)
    index = node.slice
    if index.__class__ is ast.Constant and index.value.__class__ is int:  # type: ignore[attr-defined]
        items = frame.lists.get(base)
        if items is not None and -len(items) <= index.value < len(items):  # type: ignore[attr-defined]
            return items[index.value]  # type: ignore[attr-defined]
    return flow.item(frame, base, EXPRESSIONS[index.__class__](index, frame))


def _slice(node: ast.Slice, frame: Frame) -> int:
    lower = node.lower
    starts_at_zero = lower is None or (lower.__class__ is ast.Constant and lower.value == 0)  # type: ignore[attr-defined]
    return table[
        (
            SLICE,
            NONE if starts_at_zero or lower is None else value(lower, frame),
            NONE if node.upper is None else value(node.upper, frame),
            NONE if node.step is None else value(node.step, frame),
        )
    ]


def _display(node: ast.List | ast.Tuple, frame: Frame) -> int:
    return flow.display(frame, tuple([EXPRESSIONS[item.__class__](item, frame) for item in node.elts]))


def _set(node: ast.Set, frame: Frame) -> int:
    return table[(SET, *[value(item, frame) for item in node.elts])]


def _dict(node: ast.Dict, frame: Frame) -> int:
    pairs = [
        table[(STARSTAR, value(item, frame))] if key is None else table[(PAIR, value(key, frame), value(item, frame))]
        for key, item in zip(node.keys, node.values, strict=True)
    ]
    return flow.dictionary(frame, tuple(pairs))


def bind_loop(target: ast.expr, iterable: ast.expr, frame: Frame) -> None:
    """Bind a loop's target: `zip` and `enumerate` taken apart, a running index remembered."""
    name = iterable.func.id if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) else ""
    if name in {"zip", "enumerate", "range"} and name not in frame.env and name not in frame.module.origins:
        arguments = iterable.args  # type: ignore[attr-defined]
        targets = target.elts if isinstance(target, ast.Tuple | ast.List) else []
        if name == "zip" and len(targets) == len(arguments) and not _starred(arguments):
            for part, argument in zip(targets, arguments, strict=True):
                BIND[0](part, flow.elem(frame, value(argument, frame)), frame)
            return
        if name == "enumerate" and len(targets) == 2 and len(arguments) == 1:
            over = value(arguments[0], frame)
            BIND[0](targets[0], _index_over(over, frame), frame)
            BIND[0](targets[1], flow.elem(frame, over), frame)
            return
        if name == "range" and len(arguments) == 1:
            counted = _argument_of(arguments[0], ("len",), frame)
            if counted is not None:
                BIND[0](target, _index_over(value(counted, frame), frame), frame)
                return
    BIND[0](target, flow.elem(frame, value(iterable, frame)), frame)


def _starred(arguments: list[ast.expr]) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in arguments)


def _index_over(over: int, frame: Frame) -> int:
    """The running index over a sequence: `range(len(x))` and `enumerate(x)` alike."""
    number = flow.elem(frame, table[(CALLS["builtins.range"], table[(CALLS["builtins.len"], over)])])
    frame.indices[number] = over
    return number


def _generators(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, frame: Frame) -> None:
    for generator in node.generators:
        bind_loop(generator.target, generator.iter, frame)
        for test in generator.ifs:
            condition(test, frame)


def _comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp, frame: Frame) -> int:
    outer, frame.env = frame.env, frame.env.copy()
    _generators(node, frame)
    gathered = value(node.elt, frame)
    frame.env = outer
    return flow.collect(frame, (gathered,))


def _dict_comprehension(node: ast.DictComp, frame: Frame) -> int:
    outer, frame.env = frame.env, frame.env.copy()
    _generators(node, frame)
    pair = table[(COLLECT_PAIR, value(node.key, frame), value(node.value, frame))]
    frame.env = outer
    return flow.dictionary(frame, (pair,))


def _lambda(node: ast.Lambda, frame: Frame) -> int:
    outer, frame.env = frame.env, frame.env.copy()
    bind_parameters(node.args, frame, is_method=False)
    number = value(node.body, frame)
    frame.env = outer
    return table[(CLOSURE, *frame.phis.get(number, (number,)))]


def bind_parameters(arguments: ast.arguments, frame: Frame, is_method: bool) -> None:
    """Give each parameter its node; the first one of a method is the receiver."""
    parameters = arguments.args
    if arguments.posonlyargs or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        parameters = [*arguments.posonlyargs, *parameters, *arguments.kwonlyargs]
        parameters += [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    env = frame.env
    position = 0
    for parameter in parameters:
        if is_method:
            env[parameter.arg] = SELF
            is_method = False
        else:
            env[parameter.arg] = PARAMETERS[position]
            position += position < MOST_PARAMETERS - 1


def _starred_value(node: ast.Starred, frame: Frame) -> int:
    return table[(STAR, value(node.value, frame))]


def _same(node: ast.Await | ast.FormattedValue, frame: Frame) -> int:
    return value(node.value, frame)


def _walrus(node: ast.NamedExpr, frame: Frame) -> int:
    number = value(node.value, frame)
    BIND[0](node.target, number, frame)
    return number


def _yield(node: ast.Yield | ast.YieldFrom, frame: Frame) -> int:
    given = NONE if node.value is None else value(node.value, frame)
    if isinstance(node, ast.YieldFrom):
        given = flow.elem(frame, given)
    return table[(YIELD, given)]


def _fstring(node: ast.JoinedStr, frame: Frame) -> int:
    return table[(_FSTRING, *[value(part, frame) for part in node.values])]


def _unknown(node: ast.expr, frame: Frame) -> int:
    return table[(INPUTS["?syntax"],)]


EXPRESSIONS.update(
    {
        ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.Call: _call, ast.BinOp: _binary,
        ast.UnaryOp: _unary, ast.BoolOp: _boolean, ast.Compare: _compare, ast.IfExp: _conditional,
        ast.Subscript: _subscript, ast.Slice: _slice, ast.List: _display, ast.Tuple: _display, ast.Set: _set,
        ast.Dict: _dict, ast.ListComp: _comprehension, ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension, ast.DictComp: _dict_comprehension, ast.Lambda: _lambda,
        ast.Starred: _starred_value, ast.Await: _same, ast.FormattedValue: _same, ast.NamedExpr: _walrus,
        ast.Yield: _yield, ast.YieldFrom: _yield, ast.JoinedStr: _fstring,
    }
)  # fmt: skip
# Template strings (Python 3.14) read like f-strings.
for _new, _handler in (("TemplateStr", _fstring), ("Interpolation", _same)):
    if hasattr(ast, _new):
        EXPRESSIONS[getattr(ast, _new)] = _handler


# --- calls with a meaning of their own: return None to go on as an ordinary call ---------------------------------


def _as_local(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """The project's own: its keywords may be renamed or made positional, so they have no names."""
    env = frame.env
    for argument in node.args:
        number = env.get(argument.id) if argument.__class__ is ast.Name else None  # type: ignore[attr-defined]
        operands.append(EXPRESSIONS[argument.__class__](argument, frame) if number is None else number)
    for keyword in node.keywords:
        given = keyword.value
        operands.append(EXPRESSIONS[given.__class__](given, frame))
    return table[tuple(operands)]


def _as_operand(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`x.contiguous()`, `typing.cast(T, x)`: the value itself."""
    if len(operands) == 2 and not node.args and not node.keywords:
        return operands[1]
    return value(node.args[-1], frame) if len(operands) == 1 and node.args else None


def _as_sequence(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`list(x for ...)`, `tuple([...])`: a gathered sequence stays what it is."""
    if len(operands) == 1 and len(node.args) == 1 and not node.keywords:
        number = value(node.args[0], frame)
        if number in frame.collects or number in frame.lists:
            return number
        return table[(operands[0], number)]
    return flow.display(frame, ()) if len(operands) == 1 and not node.args and not node.keywords else None


def _as_integer(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`int(a / b)` and `math.floor(a / b)` are `a // b`."""
    if len(operands) == 1 and len(node.args) == 1 and isinstance(node.args[0], ast.BinOp) and not node.keywords:
        division = node.args[0]
        if isinstance(division.op, ast.Div):
            return table[(_FLOOR_DIVIDE, value(division.left, frame), value(division.right, frame))]
    return None


def _as_map(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`map(f, xs)` gathers `f(x)`."""
    if len(operands) != 1 or len(node.args) != 2 or node.keywords or _starred(node.args):
        return None
    function, iterable = node.args
    element = flow.elem(frame, value(iterable, frame))
    if isinstance(function, ast.Lambda) and len(function.args.args) == 1:
        outer, frame.env = frame.env, frame.env.copy()
        frame.env[function.args.args[0].arg] = element
        gathered = value(function.body, frame)
        frame.env = outer
    else:
        gathered = table[(*_callee(function, frame), element)]
    return flow.collect(frame, (gathered,))


def _as_shape(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`x.size(i)` is `x.shape[i]`."""
    if len(operands) == 2 and len(node.args) == 1 and not node.keywords:
        return table[(ITEM, table[(operands[0], operands[1])], value(node.args[0], frame))]
    return None


def _as_dict(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`dict(a=1)` is `{'a': 1}`."""
    if len(operands) != 1 or node.args:
        return None
    pairs = []
    for keyword in node.keywords:
        number = value(keyword.value, frame)
        key = keyword.arg
        pairs.append(table[(STARSTAR, number)] if key is None else table[(PAIR, table[(CONSTANTS[str][key],)], number)])
    return flow.dictionary(frame, tuple(pairs))


def _as_range(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`range(0, n)` is `range(n)`."""
    if len(operands) == 1 and len(node.args) == 2 and not node.keywords:
        start = node.args[0]
        if isinstance(start, ast.Constant) and start.value == 0:
            return table[(operands[0], value(node.args[1], frame))]
    return None


def _as_super(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    return SUPER if len(operands) == 1 else None


def _as_store(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`self.register_buffer('name', x)` and `setattr(self, 'name', x)` are `self.name = x`."""
    arguments = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
    if len(operands) == 1 and arguments:  # setattr
        if value(arguments.pop(0), frame) != SELF:
            return None
    elif len(operands) != 2 or operands[1] != SELF:
        return None
    if len(arguments) != 2 or not isinstance(arguments[0], ast.Constant):
        return None
    number = value(arguments[1], frame)
    store_own(str(arguments[0].value), number, frame)
    return NONE


def store_own(name: str, number: int, frame: Frame) -> None:
    """Store to `self.name`; later loads in this function follow the value."""
    key = "." + name
    frame.env[key] = number
    frame.stores = True
    frame.writes.append(key)
    flow.store(number)


def store_other(base: int, name: str, number: int) -> None:
    """Store to an attribute of another object; only a library's attribute keeps its name."""
    table[(STORES[f"op.{name}"] if METHODS[name] else STORE, base, number)]


def effect(number: int) -> None:
    """Make a value that is computed for its effect a root."""
    table[(EFFECT, number)]


_RULES: dict[int, Callable[[ast.Call, list[int], Frame], int | None]] = {
    **dict.fromkeys(IDENTITY, _as_operand),
    LOCAL_CALL: _as_local,
    CALLS["builtins.list"]: _as_sequence,
    CALLS["builtins.tuple"]: _as_sequence,
    CALLS["builtins.int"]: _as_integer,
    CALLS["math.floor"]: _as_integer,
    CALLS["builtins.map"]: _as_map,
    METHODS["size"]: _as_shape,
    CALLS["builtins.dict"]: _as_dict,
    CALLS["builtins.range"]: _as_range,
    CALLS["builtins.super"]: _as_super,
    METHODS["register_buffer"]: _as_store,
    METHODS["register_parameter"]: _as_store,
    METHODS["add_module"]: _as_store,
    CALLS["builtins.setattr"]: _as_store,
}
# Signatures whose first position stays positional.
_OPERATIONS: frozenset[int] = frozenset(label for label in SIGNATURES if not LABELS.texts[label].startswith("nn."))
