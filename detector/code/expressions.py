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
    ITEM,
    LOCAL_CALL,
    MOST_PARAMETERS,
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
from detector.code.labels import (
    APPLIED,
    CALLS,
    CONSTANTS,
    IDENTITY,
    INPUTS,
    KEYWORDS,
    LABELS,
    METHODS,
    SIGNATURES,
    SILENT_CALLS,
    SPREAD,
    STORES,
)
from detector.code.names import ClassNames

Handler = Callable[[Any, Frame], int]
# A module global is one look-up, `ast.Name` two: it is asked for at nearly every node.
_Name, _Attribute, _Constant = ast.Name, ast.Attribute, ast.Constant
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
_UNORDERED = frozenset({ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor})
_FLOOR_DIVIDE, _DIVIDE, _NEGATE = LABELS["//"], LABELS["/"], LABELS["neg"]
_UNARY: dict[type, int] = {ast.Not: LABELS["not"], ast.USub: _NEGATE, ast.Invert: LABELS["~"]}
_BOOLEAN: dict[type, int] = {ast.And: LABELS["and"], ast.Or: LABELS["or"]}
_FSTRING = LABELS["fstring"]
_METHOD = LABELS["local#method"]
# Stands for what `map` passes on; no program can spell this name.
_ELEMENT = ast.Name("<element>")

# Comparisons: label and whether the operands change places, as a value and as a condition. As a condition the
# negation is dropped, because the branches that it would exchange are joined without order.
_LT, _LE, _EQ, _NE, _IS, _IN = (LABELS[text] for text in ("<", "<=", "==", "!=", "is", "in"))
_COMPARE: dict[type, tuple[int, bool, int, bool]] = {
    ast.Lt: (_LT, False, _LT, False), ast.Gt: (_LT, True, _LT, False),
    ast.LtE: (_LE, False, _LT, True), ast.GtE: (_LE, True, _LT, True),
    ast.Eq: (_EQ, False, _EQ, False), ast.NotEq: (_NE, False, _EQ, False),
    ast.Is: (_IS, False, _IS, False), ast.IsNot: (LABELS["is not"], False, _IS, False),
    ast.In: (_IN, False, _IN, False), ast.NotIn: (LABELS["not in"], False, _IN, False),
}  # fmt: skip


def value(node: ast.expr, frame: Frame) -> int:
    """Lower one expression."""
    return EXPRESSIONS[node.__class__](node, frame)


def _constant(node: ast.Constant, frame: Frame) -> int:
    constant = node.value
    if constant is None:
        return NONE
    number = table[(CONSTANTS[constant.__class__][constant],)]
    if constant.__class__ is int:
        frame.numbers[number] = constant
    return number


def _name(node: ast.Name, frame: Frame) -> int:
    number = frame.env.get(node.id)
    return free(node.id, frame) if number is None else number


def free(name: str, frame: Frame) -> int:
    """Load a name that the function does not bind: an import, a builtin, a module constant, an input."""
    constant = frame.module.constants.get(name)
    number = leaf(frame, frame.module.origin(name)) if constant is None else value(constant, frame)
    frame.env[name] = number
    return number


def _attribute(node: ast.Attribute, frame: Frame) -> int:
    inner = node.value
    base = frame.env.get(inner.id) if inner.__class__ is _Name else None
    if base is None:
        base = EXPRESSIONS[inner.__class__](inner, frame)
    name = node.attr
    if base == SELF:
        return own_attribute(name, frame)
    origin = frame.origins.get(base)
    if origin is None:
        label = METHODS[name]
        if label:
            return table[(label, base)]
        # A configuration value is an input wherever it is kept: `self.config.width`, `config.width`, `width`.
        return leaf(frame, f"?{base}.{name}") if FIRST_PARAMETER <= base < FIRST else table[(ATTRIBUTE, base)]
    return attribute_of(base, origin, name, frame)


def attribute_of(base: int, origin: str, name: str, frame: Frame) -> int:
    """Load an attribute of what comes from outside: of a module, its dotted origin; of an input, another input."""
    if origin[0] == "~":
        return base
    if origin[0] == "?":
        label = METHODS[name]
        if label:
            return table[(label, base)]
    key = (base, name)
    number = frame.loaded.get(key)
    if number is None:
        number = frame.loaded[key] = leaf(frame, f"{origin}.{name}")
    return number


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
            if not label:  # the constructor got it from outside
                return leaf(frame, f"?self.{name}")
            return table[(label,)]
        if name in klass.calls:
            number = table[(_METHOD,)]
            frame.callables[number] = LOCAL_CALL
            return number
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
    if func.__class__ is _Attribute:
        inner = func.value
        base = env.get(inner.id) if inner.__class__ is _Name else None
        if base is None:
            base = EXPRESSIONS[inner.__class__](inner, frame)
        if base == SELF:
            operands = _own_method(func.attr, frame)
        else:
            origin = frame.origins.get(base)
            if origin is None or origin[0] == "?":
                operands = [METHODS[func.attr] or OWN_METHOD, base]
            else:
                operands = [LOCAL_CALL] if origin[0] == "~" else [CALLS[f"{origin}.{func.attr}"]]
    else:
        operands = _function(func, frame)
    rule = _RULES.get(operands[0])
    if rule is not None:
        number = rule(node, operands, frame)
        if number is not None:
            return number
    for argument in node.args:
        number = env.get(argument.id) if argument.__class__ is _Name else None
        operands.append(EXPRESSIONS[argument.__class__](argument, frame) if number is None else number)
    for keyword in node.keywords:
        given = keyword.value
        number = env.get(given.id) if given.__class__ is _Name else None
        if number is None:
            number = EXPRESSIONS[given.__class__](given, frame)
        operands.append(table[(KEYWORDS[keyword.arg], number)])
    return table[tuple(operands)]


def _own_method(name: str, frame: Frame) -> list[int]:
    """`self.name(...)`: a stored layer is applied, a method of the class is a local call."""
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


def _function(func: ast.expr, frame: Frame) -> list[int]:
    """`func(...)`: an import, a builtin, the project's own, a value."""
    callee = EXPRESSIONS[func.__class__](func, frame)
    origin = frame.origins.get(callee)
    if origin is not None and origin[0] != "?":
        return [LOCAL_CALL] if origin[0] == "~" else [CALLS[origin]]
    if callee == SELF:
        return [LOCAL_CALL]
    called = frame.callables.get(callee)
    if called is None and callee >= FIRST and frame.klass is not None:
        called = _layer(callee, frame.klass)
    return [CALL, callee] if called is None else [called]


def _layer(callee: int, klass: ClassNames) -> int | None:
    """What calling a layer does that went through a temporary: `project = self.project; project(x)`."""
    for name, label in klass.attributes.items():  # few, where the table may be long
        if table.get((label,)) == callee and name in klass.calls:
            return klass.calls[name]
    return None


def _binary(node: ast.BinOp, frame: Frame) -> int:
    env = frame.env
    operand = node.left
    left = env.get(operand.id) if operand.__class__ is _Name else None
    if left is None:
        left = EXPRESSIONS[operand.__class__](operand, frame)
    operand = node.right
    right = env.get(operand.id) if operand.__class__ is _Name else None
    if right is None:
        right = EXPRESSIONS[operand.__class__](operand, frame)
    return binary(node.op, left, right, frame)


def binary(operator: ast.operator, left: int, right: int, frame: Frame) -> int:
    """Apply a binary operator, as an expression or as `x += y` does."""
    kind = operator.__class__
    if left > right and kind in _UNORDERED:
        number = table[(_BINARY[kind], right, left)]
    else:
        number = table[(_BINARY[kind], left, right)]
    if kind is ast.Div:
        frame.quotients[number] = (left, right)
    elif kind is ast.Add and (left in frame.lists or left in frame.collects):
        extended = extend(left, right, frame, is_gathered=False)
        return number if extended is None else extended
    return number


def extend(held: int, added: int, frame: Frame, is_gathered: bool) -> int | None:
    """Concatenate to a list that this function makes; None where its items are not known."""
    before, items = frame.collects.get(held), frame.lists.get(added)
    if before is None and held not in frame.lists:
        return None
    more = frame.collects.get(added)
    if more is None and items is None:
        if not (is_gathered or before is not None):
            return None
        more = (flow.elem(frame, added),)
    if more is not None or is_gathered or before is not None:
        known = frame.lists.get(held, ()) if before is None else before
        return flow.collect(frame, tuple(dict.fromkeys(known + (more or items or ()))))
    return flow.display(frame, frame.lists[held] + (items or ()))


def _unary(node: ast.UnaryOp, frame: Frame) -> int:
    operand, kind = node.operand, node.op.__class__
    if kind is ast.USub and isinstance(operand, ast.Constant) and isinstance(operand.value, int | float):
        return _number(-operand.value, frame)
    number = EXPRESSIONS[operand.__class__](operand, frame)
    if kind is ast.UAdd:
        return number
    if kind is ast.USub and number in frame.numbers:
        return _number(-frame.numbers[number], frame)
    result = table[(_UNARY[kind], number)]
    if kind is ast.Not:
        frame.tests[result] = frame.tests.get(number, (number,))
    return result


def _number(constant: int | float, frame: Frame) -> int:
    number = table[(CONSTANTS[constant.__class__][constant],)]
    if constant.__class__ is int:
        frame.numbers[number] = constant
    return number


def _boolean(node: ast.BoolOp, frame: Frame) -> int:
    operands = [value(operand, frame) for operand in node.values]
    return _joined(_BOOLEAN[node.op.__class__], operands, frame)


def _joined(label: int, operands: list[int], frame: Frame) -> int:
    """`and` and `or`: as a condition, each operand is one."""
    number = table[(label, *sorted(operands))]
    tests = frame.tests
    tests[number] = tuple([test for operand in operands for test in tests.get(operand, (operand,))])
    return number


def _compare(node: ast.Compare, frame: Frame) -> int:
    operand = node.left
    left = EXPRESSIONS[operand.__class__](operand, frame)
    operators, comparators = node.ops, node.comparators
    if len(operators) == 1:
        operand = comparators[0]
        return _comparison(operators[0], left, EXPRESSIONS[operand.__class__](operand, frame), frame)
    parts: list[int] = []
    for operator, operand in zip(operators, comparators, strict=True):
        right = EXPRESSIONS[operand.__class__](operand, frame)
        parts.append(_comparison(operator, left, right, frame))
        left = right
    return _joined(_BOOLEAN[ast.And], parts, frame)


def _comparison(operator: ast.cmpop, left: int, right: int, frame: Frame) -> int:
    """Compare two values; as a condition without its negation, and `len(x) > 0` as `x`."""
    label, is_swapped, tested, is_negated = _COMPARE[operator.__class__]
    if is_swapped or (left > right and (label == _EQ or label == _NE)):
        left, right = right, left
    number = table[(label, left, right)]
    if frame.counts:
        over = _counted(label, left, right, frame)
        if over is not None:
            frame.tests[number] = (over,)
            return number
    if tested != label:
        frame.tests[number] = (table[(tested, right, left) if is_negated else (tested, left, right)],)
    return number


def _counted(label: int, left: int, right: int, frame: Frame) -> int | None:
    """The x of `0 < len(x)`, `1 <= len(x)`, `len(x) < 1`, `len(x) == 0`, `len(x) != 0`, however written."""
    numbers, counts = frame.numbers, frame.counts
    if label == _LT:
        if numbers.get(left) == 0:
            return counts.get(right)
        return counts.get(left) if numbers.get(right) == 1 else None
    if label == _LE:
        if numbers.get(left) == 1:
            return counts.get(right)
        return counts.get(left) if numbers.get(right) == 0 else None
    if label in {_EQ, _NE}:
        if numbers.get(right) == 0:
            return counts.get(left)
        return counts.get(right) if numbers.get(left) == 0 else None
    return None


def condition(node: ast.expr, frame: Frame) -> None:
    """Make a test a root: negations dropped, `and`/`or` taken apart, `len(x) > 0` read as `x`."""
    number = EXPRESSIONS[node.__class__](node, frame)
    for test in frame.tests.get(number, (number,)):
        flow.root(frame, CONDITION, test)


def _conditional(node: ast.IfExp, frame: Frame) -> int:
    condition(node.test, frame)
    return flow.join(frame, value(node.body, frame), value(node.orelse, frame))


def _subscript(node: ast.Subscript, frame: Frame) -> int:
    inner = node.value
    base = frame.env.get(inner.id) if inner.__class__ is _Name else None
    if base is None:
        base = EXPRESSIONS[inner.__class__](inner, frame)
    index = node.slice
    number = EXPRESSIONS[index.__class__](index, frame)
    items = frame.lists.get(base)
    if items is not None:
        position = frame.numbers.get(number)
        if position is not None and -len(items) <= position < len(items):
            return items[position]
    return flow.item(frame, base, number)


def _slice(node: ast.Slice, frame: Frame) -> int:
    lower = NONE if node.lower is None else value(node.lower, frame)
    return table[
        (
            SLICE,
            NONE if frame.numbers.get(lower) == 0 else lower,
            NONE if node.upper is None else value(node.upper, frame),
            NONE if node.step is None else value(node.step, frame),
        )
    ]


def _display(node: ast.List | ast.Tuple, frame: Frame) -> int:
    env = frame.env
    items: list[int] = []
    for item in node.elts:
        number = env.get(item.id) if item.__class__ is _Name else None
        items.append(EXPRESSIONS[item.__class__](item, frame) if number is None else number)
    return flow.display(frame, tuple(items))


def _set(node: ast.Set, frame: Frame) -> int:
    return table[(SET, *[value(item, frame) for item in node.elts])]


def _dict(node: ast.Dict, frame: Frame) -> int:
    pairs = [
        table[(STARSTAR, value(item, frame))] if key is None else table[(PAIR, value(key, frame), value(item, frame))]
        for key, item in zip(node.keys, node.values, strict=True)
    ]
    return flow.dictionary(frame, tuple(pairs))


def bind_loop(target: ast.expr, iterable: ast.expr, frame: Frame) -> None:
    """Bind a loop's target to an element of what it iterates."""
    BIND[0](target, flow.elem(frame, value(iterable, frame)), frame)


def _starred(arguments: list[ast.expr]) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in arguments)


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
    gathered = flow.pairs(frame, COLLECT_PAIR, value(node.key, frame), value(node.value, frame))
    frame.env = outer
    return flow.dictionary(frame, gathered)


def _lambda(node: ast.Lambda, frame: Frame) -> int:
    outer, frame.env = frame.env, frame.env.copy()
    bind_parameters(node.args, frame, is_method=False)
    number = value(node.body, frame)
    frame.env = outer
    return closure(frame, frame.phis.get(number, (number,)))


def closure(frame: Frame, returned: tuple[int, ...]) -> int:
    """A function made inside a function: what it returns. Calling it is calling one of the project's own."""
    number = table[(CLOSURE, *[each for each in returned if each != NONE])]
    frame.callables[number] = LOCAL_CALL
    return number


def bind_parameters(arguments: ast.arguments, frame: Frame, is_method: bool) -> None:
    """Give each parameter its node; the first one of a method is the receiver."""
    parameters = arguments.args
    if arguments.posonlyargs or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        parameters = [*arguments.posonlyargs, *parameters, *arguments.kwonlyargs]
        parameters += [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    env = frame.env
    position = frame.parameters  # parameters of a closure are others than those of the function around it
    for parameter in parameters:
        if is_method:
            env[parameter.arg] = SELF
            is_method = False
        else:
            env[parameter.arg] = PARAMETERS[position]
            position += position < MOST_PARAMETERS - 1
    frame.parameters = position


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
    yielded = [flow.root(frame, YIELD, each) for each in frame.phis.get(given, (given,))]
    return yielded[0]


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
    func = node.func
    frame.called.append(func.id if func.__class__ is _Name else getattr(func, "attr", ""))
    for argument in node.args:
        number = env.get(argument.id) if argument.__class__ is _Name else None
        operands.append(EXPRESSIONS[argument.__class__](argument, frame) if number is None else number)
    for keyword in node.keywords:
        given = keyword.value
        operands.append(EXPRESSIONS[given.__class__](given, frame))
    operands[1:] = sorted(operands[1:])
    return table[tuple(operands)]


def _as_signed(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """A library's callable whose parameters are known: positional arguments take their names."""
    label = operands[0]
    signature = SIGNATURES[label]
    operands += [EXPRESSIONS[argument.__class__](argument, frame) for argument in node.args]
    first = 1 if label in _OPERATIONS else 0  # an operation's first operand is the array itself
    for position in range(first, min(len(operands) - 1, len(signature))):
        operands[position + 1] = table[(signature[position], operands[position + 1])]
    for keyword in node.keywords:
        given = keyword.value
        number = EXPRESSIONS[given.__class__](given, frame)
        name = KEYWORDS[keyword.arg]
        if first and name == signature[0] and len(operands) == 1:  # the array itself, by name
            operands.append(number)
        else:
            operands.append(table[(name, number)])
    return table[tuple(operands)]


def _as_spread(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`x.reshape((a, b))` is `x.reshape(a, b)`."""
    if node.keywords:
        return None
    operands += [EXPRESSIONS[argument.__class__](argument, frame) for argument in node.args]
    items = frame.lists.get(operands[-1])
    if items is not None and len(operands) <= 3:
        operands[-1:] = items
    return table[tuple(operands)]


def _as_operand(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`x.contiguous()`, `typing.cast(T, x)`: the value itself."""
    if len(operands) == 2 and not node.args:
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
    if len(operands) == 1 and len(node.args) == 1 and not node.keywords:
        number = value(node.args[0], frame)
        quotient = frame.quotients.get(number)
        return table[(operands[0], number) if quotient is None else (_FLOOR_DIVIDE, *quotient)]
    return None


def _as_map(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`map(f, xs)` gathers `f(x)`."""
    if len(operands) != 1 or len(node.args) != 2 or node.keywords or _starred(node.args):
        return None
    function, iterable = node.args
    return flow.collect(frame, (_applied(function, flow.elem(frame, value(iterable, frame)), frame),))


def _applied(function: ast.expr, element: int, frame: Frame) -> int:
    """What a function that is passed on gives for an element."""
    outer, frame.env = frame.env, frame.env.copy()
    if isinstance(function, ast.Lambda) and len(function.args.args) == 1:
        frame.env[function.args.args[0].arg] = element
        number = value(function.body, frame)
    else:
        frame.env[_ELEMENT.id] = element
        number = _call(ast.Call(function, [_ELEMENT], []), frame)
    frame.env = outer
    return number


def _as_extreme(is_least: bool) -> Callable[[ast.Call, list[int], Frame], int | None]:
    """`min(xs, key=f)`, `max(xs, key=f)`: an element and what it is measured by."""

    def as_extreme(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
        if len(operands) != 1 or len(node.args) != 1 or not node.keywords or node.keywords[0].arg != "key":
            return None
        element = flow.elem(frame, value(node.args[0], frame))
        return flow.extreme(frame, is_least, element, _applied(node.keywords[0].value, element, frame))

    return as_extreme


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
    """`range(0, n)` is `range(n)`; over a length, it runs over the indices of what is counted."""
    if len(operands) != 1 or node.keywords or _starred(node.args):
        return None
    arguments = [value(argument, frame) for argument in node.args]
    if len(arguments) == 2 and frame.numbers.get(arguments[0]) == 0:
        del arguments[0]
    number = table[(operands[0], *arguments)]
    if len(arguments) == 1 and arguments[0] in frame.counts:
        frame.ranges[number] = frame.counts[arguments[0]]
    return number


def _as_length(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`len(x)`: remembered as a count, and as a condition it is `x`."""
    if len(operands) != 1 or len(node.args) != 1 or node.keywords:
        return None
    counted = value(node.args[0], frame)
    number = table[(operands[0], counted)]
    frame.counts[number] = counted
    frame.tests[number] = (counted,)
    return number


def _as_truth(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`bool(x)`: as a condition it is `x`."""
    if len(operands) != 1 or len(node.args) != 1 or node.keywords:
        return None
    tested = value(node.args[0], frame)
    number = table[(operands[0], tested)]
    frame.tests[number] = frame.tests.get(tested, (tested,))
    return number


def _as_zip(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`zip(a, b)` gathers pairs of elements; `strict` only checks."""
    if len(operands) != 1 or not node.args or _starred(node.args):
        return None
    elements = [flow.elem(frame, value(argument, frame)) for argument in node.args]
    return flow.collect(frame, (flow.display(frame, tuple(elements)),))


def _as_enumerate(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`enumerate(x)` gathers the running index over x with the element."""
    if len(operands) != 1 or len(node.args) != 1 or node.keywords:
        return None
    over = value(node.args[0], frame)
    indices = table[(CALLS["builtins.range"], table[(CALLS["builtins.len"], over)])]
    frame.ranges[indices] = over
    return flow.collect(frame, (flow.display(frame, (flow.elem(frame, indices), flow.elem(frame, over))),))


def _as_silent(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`print(...)` computes nothing."""
    return NONE


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
    flow.store(frame, number)


def store_other(base: int, name: str, number: int, frame: Frame) -> None:
    """Store to an attribute of another object; only a library's attribute keeps its name."""
    label = STORES[f"op.{name}"] if METHODS[name] else STORE
    for each in frame.phis.get(number, (number,)):
        flow.root(frame, label, base, each)


def effect(number: int, frame: Frame) -> None:
    """Make a value that is computed for its effect a root."""
    flow.root(frame, EFFECT, number)


_RULES: dict[int, Callable[[ast.Call, list[int], Frame], int | None]] = {
    **dict.fromkeys(SIGNATURES, _as_signed),
    **dict.fromkeys(IDENTITY, _as_operand),
    **dict.fromkeys(SILENT_CALLS, _as_silent),
    **dict.fromkeys(SPREAD, _as_spread),
    **dict.fromkeys((LOCAL_CALL, CALL, OWN_METHOD, APPLIED["local()"]), _as_local),
    CALLS["builtins.list"]: _as_sequence,
    CALLS["builtins.tuple"]: _as_sequence,
    CALLS["builtins.int"]: _as_integer,
    CALLS["math.floor"]: _as_integer,
    CALLS["builtins.map"]: _as_map,
    METHODS["size"]: _as_shape,
    CALLS["builtins.dict"]: _as_dict,
    CALLS["builtins.range"]: _as_range,
    CALLS["builtins.len"]: _as_length,
    CALLS["builtins.bool"]: _as_truth,
    CALLS["builtins.zip"]: _as_zip,
    CALLS["builtins.min"]: _as_extreme(is_least=True),
    CALLS["builtins.max"]: _as_extreme(is_least=False),
    CALLS["builtins.enumerate"]: _as_enumerate,
    CALLS["builtins.super"]: _as_super,
    METHODS["register_buffer"]: _as_store,
    METHODS["register_parameter"]: _as_store,
    METHODS["add_module"]: _as_store,
    CALLS["builtins.setattr"]: _as_store,
}
# Signatures whose first position stays positional.
_OPERATIONS: frozenset[int] = frozenset(label for label in SIGNATURES if not LABELS.texts[label].startswith("nn."))
