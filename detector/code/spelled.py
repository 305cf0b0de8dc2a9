"""Names that a program spells in strings: which strings of a call or a subscript are names, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from detector.code.named import KEYWORDS, MEMBERS, Scope, normal

QUOTED_NAME = re.compile(r"""([rRuU]?)(['"])([^\W\d]\w*)\2""")
# Callee -> the place of the argument that names an attribute.
_NAMING = {
    "getattr": 1, "setattr": 1, "hasattr": 1, "delattr": 1,
    "register_buffer": 0, "register_parameter": 0, "register_module": 0, "add_module": 0,
}  # fmt: skip
_LOOKING_UP = frozenset({"get", "pop", "setdefault"})


def in_call(node: cst.Call, scope: Scope) -> Iterator[tuple[cst.SimpleString, str]]:
    """Strings among the arguments that are names, with their roles."""
    called, holder = node.func, None
    if isinstance(called, cst.Attribute):
        holder, called = called.value, called.attr
    if not isinstance(called, cst.Name) or not node.args:
        return
    role, place = MEMBERS, _NAMING.get(called.value, -1)
    if called.value in _LOOKING_UP and _is_keywords(holder, scope):
        role, place = KEYWORDS, 0
    text = node.args[place].value if 0 <= place < len(node.args) else None
    if isinstance(text, cst.SimpleString):
        yield text, role


def in_subscript(node: cst.Subscript, scope: Scope) -> Iterator[tuple[cst.SimpleString, str]]:
    """The string by which a function looks up one of its own keyword arguments."""
    if len(node.slice) == 1 and _is_keywords(node.value, scope):
        index = node.slice[0].slice
        if isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
            yield index.value, KEYWORDS


def _is_keywords(node: cst.CSTNode | None, scope: Scope) -> bool:
    """Whether this is the parameter that takes the keywords of the function around."""
    if not isinstance(node, cst.Name):
        return False
    holder = scope.holder(normal(node.value))
    return holder is not None and holder.keywords == normal(node.value)
