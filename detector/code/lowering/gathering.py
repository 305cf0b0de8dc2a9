"""Displays, comprehensions, closures: values made of many."""

from __future__ import annotations

import ast

from detector.code.lowering import flow
from detector.code.lowering.dispatch import BIND, EXPRESSIONS, NAME_NODE, value
from detector.code.lowering.flow import (
    CLOSURE,
    COLLECT_PAIR,
    LOCAL_CALL,
    MOST_PARAMETERS,
    NONE,
    PAIR,
    PARAMETERS,
    SELF,
    SET,
    STARSTAR,
    Frame,
    table,
)
from detector.code.lowering.operators import condition


def _display(node: ast.List | ast.Tuple, frame: Frame) -> int:
    env = frame.env
    items: list[int] = []
    for item in node.elts:
        number = env.get(item.id) if item.__class__ is NAME_NODE else None
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


EXPRESSIONS.update(
    {
        ast.List: _display,
        ast.Tuple: _display,
        ast.Set: _set,
        ast.Dict: _dict,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _dict_comprehension,
        ast.Lambda: _lambda,
    }
)
