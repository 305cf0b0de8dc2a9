"""Calls: the callee by its origin or its shape, and the calls that have a meaning of their own."""

from __future__ import annotations

import ast
from collections.abc import Callable

from detector.code.lowering import flow
from detector.code.lowering.dispatch import ATTRIBUTE_NODE, EXPRESSIONS, INLINE, NAME_NODE, value
from detector.code.lowering.flow import (
    CALL,
    FIRST,
    ITEM,
    LOCAL_CALL,
    NONE,
    OWN_METHOD,
    PAIR,
    SELF,
    STARSTAR,
    SUPER,
    Frame,
    table,
)
from detector.code.lowering.labels import (
    APPLIED,
    CALLS,
    CONSTANTS,
    IDENTITY,
    KEYWORDS,
    LABELS,
    METHODS,
    SIGNATURES,
    SILENT_CALLS,
    SPREAD,
)
from detector.code.lowering.loads import store_own
from detector.code.lowering.names import ClassNames
from detector.code.lowering.operators import either
from detector.code.lowering.texts import as_format, as_join, as_str

# Stands for what `map` passes on; no program can spell this name.
_ELEMENT = ast.Name("<element>")


def _call(node: ast.Call, frame: Frame) -> int:
    """The hot path of lowering: names are looked up in place, and most labels have no rule of their own."""
    env = frame.env
    func = node.func
    # The callee: its label, and the receiver as first operand where there is one.
    if func.__class__ is ATTRIBUTE_NODE:
        inner = func.value
        base = env.get(inner.id) if inner.__class__ is NAME_NODE else None
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
        number = env.get(argument.id) if argument.__class__ is NAME_NODE else None
        operands.append(EXPRESSIONS[argument.__class__](argument, frame) if number is None else number)
    for keyword in node.keywords:
        given = keyword.value
        number = env.get(given.id) if given.__class__ is NAME_NODE else None
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


def _starred(arguments: list[ast.expr]) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in arguments)


# --- calls with a meaning of their own: return None to go on as an ordinary call ---------------------------------


def _as_local(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """The project's own: its keywords may be renamed or made positional, so they have no names."""
    if frame.helpers is not None:
        number = INLINE[0](node, frame)
        if number is not None:
            return number
    env = frame.env
    func = node.func
    frame.called.append(func.id if func.__class__ is NAME_NODE else getattr(func, "attr", ""))
    for argument in node.args:
        number = env.get(argument.id) if argument.__class__ is NAME_NODE else None
        operands.append(EXPRESSIONS[argument.__class__](argument, frame) if number is None else number)
    for keyword in node.keywords:
        given = keyword.value
        operands.append(EXPRESSIONS[given.__class__](given, frame))
    if len(operands) > 2:
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
        return table[(operands[0], number) if quotient is None else (LABELS["//"], *quotient)]
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
        pairs.append(table[(STARSTAR, number)] if key is None else table[(PAIR, table[CONSTANTS[str][key]], number)])
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


def _as_isinstance(node: ast.Call, operands: list[int], frame: Frame) -> int | None:
    """`isinstance(x, (A, B))` asks for each."""
    if len(operands) != 1 or len(node.args) != 2 or node.keywords:
        return None
    subject, kind = (value(argument, frame) for argument in node.args)
    kinds = frame.lists.get(kind, (kind,))
    return either([table[(operands[0], subject, each)] for each in kinds or (kind,)], frame)


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
    CALLS["builtins.isinstance"]: _as_isinstance,
    CALLS["builtins.str"]: as_str,
    METHODS["format"]: as_format,
    METHODS["join"]: as_join,
    CALLS["builtins.super"]: _as_super,
    METHODS["register_buffer"]: _as_store,
    METHODS["register_parameter"]: _as_store,
    METHODS["add_module"]: _as_store,
    CALLS["builtins.setattr"]: _as_store,
}
# Signatures whose first position stays positional.
_OPERATIONS: frozenset[int] = frozenset(label for label in SIGNATURES if not LABELS.texts[label].startswith("nn."))


EXPRESSIONS[ast.Call] = _call
