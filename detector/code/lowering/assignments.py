"""Assignments: what a name, an item, an attribute holds from here on; lists that grow."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from detector.code.lowering import flow
from detector.code.lowering.dispatch import BIND, EXPRESSIONS, NAME_NODE, value
from detector.code.lowering.flow import (
    COLLECT_PAIR,
    ITEM,
    NONE,
    PAIR,
    SELF,
    SETITEM,
    SLICE,
    Frame,
    table,
)
from detector.code.lowering.labels import (
    CONSTANTS,
)
from detector.code.lowering.loads import free, own_attribute, store_other, store_own
from detector.code.lowering.operators import binary, extend

_BinOp = ast.BinOp


def bind(target: ast.expr, number: int, frame: Frame) -> None:
    """Assign a value to a target of any kind."""
    kind = target.__class__
    if kind is NAME_NODE:
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


def _unpack(targets: list[ast.expr], number: int, frame: Frame) -> None:
    items = frame.lists.get(number)
    starred = [isinstance(target, ast.Starred) for target in targets]
    if items is not None and len(items) == len(targets) and not any(starred):
        for target, part in zip(targets, items, strict=True):
            bind(target, part, frame)
        return
    for position, target in enumerate(targets):
        if starred[position]:
            first = table[CONSTANTS[int][position]] if position else NONE
            bind(target, table[(ITEM, number, table[(SLICE, first, NONE, NONE)])], frame)
        else:
            index = position - len(targets) if any(starred[:position]) else position
            bind(target, flow.item(frame, number, table[CONSTANTS[int][index]]), frame)


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
        flow.root(frame, (SETITEM, base, index, each))


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
        if target.__class__ is NAME_NODE:
            name: str = target.id
            if source.__class__ is _BinOp and _adds_to_itself(name, source, frame):
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
    return is_own and extend_name(name, value(source.right, frame), frame)


def _annotated(node: ast.AnnAssign, frame: Frame) -> bool:
    if node.value is not None:
        bind(node.target, value(node.value, frame), frame)
    return False


def _augmented(node: ast.AugAssign, frame: Frame) -> bool:
    target, added = node.target, value(node.value, frame)
    if isinstance(target, ast.Name):
        if isinstance(node.op, ast.Add) and extend_name(target.id, added, frame):
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


def gather(name: str, added: int, frame: Frame) -> bool:
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


def extend_name(name: str, added: int, frame: Frame) -> bool:
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


BIND.append(bind)
ASSIGNMENTS: dict[type, Callable[[Any, Frame], bool]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
}
