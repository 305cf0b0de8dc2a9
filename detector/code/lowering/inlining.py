"""Calls of helpers in the same class or module, lowered in place: the function as it was before they were lifted out.

Only in a second view of a function, beside the one in which a helper is a call: which of the two is alike decides.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from detector.code.lowering import flow
from detector.code.lowering.dispatch import INLINE, value
from detector.code.lowering.flow import NONE, SELF, Frame
from detector.code.lowering.names import last_name, lines_of
from detector.code.lowering.statements import body
from detector.settings import MOST_CALLEES, MOST_HELPER_LINES

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Helpers:
    """What a function may call in place, and how much of that is left.

    methods, functions: definitions that may be put in place (`names.is_helper`).
    """

    methods: Mapping[str, Function]
    functions: Mapping[str, Function]
    caller: Function
    generators: Mapping[int, Function]  # by id, the definitions that yield
    calls_left: int = MOST_CALLEES
    lines_left: int = MOST_HELPER_LINES
    inlined: int = 0
    is_inside: bool = False  # one level only

    def find(self, node: ast.Call, frame: Frame) -> tuple[Function, bool] | None:
        """The definition that a call names, and whether it is a method of the same object."""
        func = node.func
        if isinstance(func, ast.Attribute):
            is_own = isinstance(func.value, ast.Name) and frame.env.get(func.value.id) == SELF
            found = self.methods.get(func.attr) if is_own else None
        elif isinstance(func, ast.Name):
            is_own = False
            bound = frame.env.get(func.id)
            is_global = bound is None or frame.origins.get(bound, "")[:1] == "~"
            found = self.functions.get(func.id) if is_global else None
        else:
            return None
        if found is None or found is self.caller or self.is_inside or not self._is_affordable(found):
            return None
        return found, is_own

    def _is_affordable(self, found: Function) -> bool:
        lines = lines_of(found)
        if self.calls_left <= 0 or lines > self.lines_left or id(found) in self.generators:
            return False
        self.calls_left -= 1
        self.lines_left -= lines
        return True


def inlined(node: ast.Call, frame: Frame) -> int | None:
    """Lower what a call's definition does with these arguments; None where the call stays a call."""
    helpers = frame.helpers
    assert isinstance(helpers, Helpers)
    found = helpers.find(node, frame)
    if found is None:
        return None
    definition, is_own = found
    bound = _bound(definition, node, frame, is_own)
    if bound is None:
        return None
    helpers.inlined += 1
    outer_env, outer_returns = frame.env, frame.returns
    outer_befores, outer_exits = frame.befores, frame.exits
    # Of the caller's names the helper sees what is stored on the object that they share.
    own = {name: number for name, number in outer_env.items() if name[0] == "."} if is_own else {}
    frame.env, frame.returns, frame.befores, frame.exits = own | bound, [], [], []
    helpers.is_inside = True
    body(definition.body, frame)
    helpers.is_inside = False
    returned = list(dict.fromkeys(frame.returns))
    stored = {name: number for name, number in frame.env.items() if name[0] == "."} if is_own else {}
    frame.env, frame.returns, frame.befores, frame.exits = outer_env, outer_returns, outer_befores, outer_exits
    frame.env.update(stored)
    return reduce(lambda one, other: flow.join(frame, one, other), returned) if returned else NONE


def _bound(definition: Function, node: ast.Call, frame: Frame, is_own: bool) -> dict[str, int] | None:
    """Parameter -> value, None where the call does not fit."""
    arguments = definition.args
    names = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    bound: dict[str, int] = {}
    if is_own and "staticmethod" not in map(last_name, definition.decorator_list):
        if not names:
            return None
        bound[names.pop(0)] = SELF
    if len(node.args) > len(names) or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    everything = {*names, *(parameter.arg for parameter in arguments.kwonlyargs)}
    for name, argument in zip(names, node.args, strict=False):
        bound[name] = value(argument, frame)
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in everything or keyword.arg in bound:
            return None
        bound[keyword.arg] = value(keyword.value, frame)
    positional = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    defaults = dict(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True))
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            defaults[parameter.arg] = default
    for name in everything - bound.keys():
        if name not in defaults:
            return None
        bound[name] = value(defaults[name], frame)
    return bound


INLINE.append(inlined)
