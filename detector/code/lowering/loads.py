"""Names, attributes, items: loading a value is an edge to its producer; storing one is an effect."""

from __future__ import annotations

import ast

from detector.code.lowering import flow
from detector.code.lowering.dispatch import EXPRESSIONS, NAME_NODE, value
from detector.code.lowering.flow import (
    ATTRIBUTE,
    EFFECT,
    FIRST,
    FIRST_PARAMETER,
    LOCAL_CALL,
    NONE,
    SELF,
    SLICE,
    STORE,
    Frame,
    leaf,
    table,
)
from detector.code.lowering.labels import (
    CONSTANTS,
    LABELS,
    METHODS,
    STORES,
)

_METHOD = LABELS["local#method"]


def _constant(node: ast.Constant, frame: Frame) -> int:
    constant = node.value
    if constant is None:
        return NONE
    number = table[CONSTANTS[constant.__class__][constant]]
    if constant.__class__ is int:
        frame.numbers[number] = constant
    elif constant.__class__ is str:
        frame.texts[number] = (constant,)
    return number


def _name(node: ast.Name, frame: Frame) -> int:
    number = frame.env.get(node.id)
    return free(node.id, frame) if number is None else number


def free(name: str, frame: Frame) -> int:
    """Load a name that the function does not bind: an import, a builtin, a module constant, an input."""
    found = frame.module.find(name)
    number = leaf(frame, found) if found.__class__ is str else value(found, frame)  # type: ignore[arg-type]
    frame.env[name] = number
    return number


def _attribute(node: ast.Attribute, frame: Frame) -> int:
    inner = node.value
    base = frame.env.get(inner.id) if inner.__class__ is NAME_NODE else None
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


def _subscript(node: ast.Subscript, frame: Frame) -> int:
    inner = node.value
    base = frame.env.get(inner.id) if inner.__class__ is NAME_NODE else None
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
        flow.root(frame, (label, base, each))


def effect(number: int, frame: Frame) -> None:
    """Make a value that is computed for its effect a root."""
    flow.root(frame, (EFFECT, number))


EXPRESSIONS.update(
    {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
    }
)
