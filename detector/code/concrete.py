"""A Python text -> its names, through libcst."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import libcst as cst

from detector.code.lexical import is_nested_at_most, words_of
from detector.code.named import (
    COMPREHENSION,
    GLOBALS,
    KEYWORDS,
    MEMBERS,
    MODULE,
    VALUES,
    VARIABLE,
    Imported,
    Names,
    Scope,
    Use,
    normal,
)
from detector.code.parse import deeply
from detector.code.spelled import QUOTED_NAME, in_call, in_subscript
from detector.code.thinned import Thinned, thinned

# libcst's trees take about 600 bytes for each byte of source.
LONGEST_PARSED = 400_000
# libcst takes time with the square of the depth (1,000 levels .3 s, 3,000 levels 4 s) and overflows the stack somewhere
# beyond. Python's own tokenizer ends at 200 brackets and 100 blocks.
DEEPEST_PARSED = 150

# Marks a name while libcst writes a tree as text; private use, so that no source needs them. A source that has them all
# the same does not come out as it went in, and is not read.
_MARK = re.compile("\ue000([0-9]+)\ue001")
# What is no part of the syntax, or holds no names.
_SILENT = re.compile(
    r"whitespace|lines?($|_)|^[lr](par|bracket|brace)$|comma$|colon$|^(header|footer|equal|semicolon|dot|operator|star"
    r"|asynchronous|indent|newline|comment|start|end|conversion|encoding|default_indent|separator|relative|posonly_ind)$"
)
_Node = Any  # libcst's nodes are told apart by their class


def read_names(texts: Sequence[str], kind: str, wanted: Collection[str] | None = None) -> Names | None:
    """Read the names of a text that is given in pieces of whole statements; None where libcst cannot or must not.

    kind: the role of what is bound outside of all functions and classes.
    wanted: names that must be found; of others only those in the same statements are.
    """
    reader = _Reader(kind)
    start = 0
    for text in texts:
        if wanted is None or not text.isascii() or not words_of(text).isdisjoint(wanted):
            left = Thinned(text, (0,), (0,)) if wanted is None else thinned(text, wanted)
            if not _may_parse(left.text) or not _read_piece(reader, left, start):
                return None
        start += len(text)
    return Names(reader.uses, reader.scopes, reader.calls, reader.imports, reader.fixed)


def _read_piece(reader: _Reader, piece: Thinned, start: int) -> bool:
    """Read a piece whose original begins at `start`; whether that went well."""
    first = len(reader.uses)
    try:
        with deeply():
            tree = cst.parse_module(piece.text)
            reader.read(tree)
            is_same = _place(reader.uses, tree.code, piece.text)
    except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError, ValueError):
        return False
    for use in reader.uses[first:]:
        if use.start < 0:
            return False
        use.start = start + piece.origin(use.start)
    return is_same


def _may_parse(text: str) -> bool:
    if len(text) > LONGEST_PARSED or "\0" in text or text.count("\r") != text.count("\r\n"):
        return False
    return is_nested_at_most(text, DEEPEST_PARSED)


def _place(uses: list[Use], marked: str, text: str) -> bool:
    """Tell where the uses stand, from a text in which they are marked; whether it is otherwise the text."""
    pieces: list[str] = []
    done, at = 0, 0
    for mark in _MARK.finditer(marked):
        number = int(mark[1])
        if number >= len(uses):
            return False
        use = uses[number]
        before = marked[done : mark.start()]
        at += len(before)
        use.start = at
        at += len(use.text)
        pieces += (before, use.text)
        done = mark.end()
    return "".join([*pieces, marked[done:]]) == text


class _Fields(dict[type, tuple[str, ...]]):
    """Class of node -> its fields that may hold names."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        fields = [each.name for each in dataclasses.fields(kind)]
        found = self[kind] = tuple(name for name in fields if not _SILENT.search(name))
        return found


_FIELDS = _Fields()
# A target's parts are targets.
_PATTERNS = frozenset({cst.Tuple, cst.List, cst.Element, cst.StarredElement, cst.AsName})
_BINDING_FIELD = {
    cst.AssignTarget: "target", cst.AnnAssign: "target", cst.AugAssign: "target", cst.For: "target",
    cst.Del: "target", cst.WithItem: "asname", cst.ExceptHandler: "name", cst.ExceptStarHandler: "name",
    cst.MatchAs: "name", cst.MatchStar: "name", cst.MatchMapping: "rest", cst.TypeVar: "name",
    cst.TypeVarTuple: "name", cst.ParamSpec: "name",
}  # fmt: skip


class _Reader:
    """Walks trees, outer scopes before inner ones, and marks every name."""

    def __init__(self, kind: str) -> None:
        self.uses: list[Use] = []
        self.calls: list[list[int]] = []
        self.imports: list[Imported] = []
        self.fixed: set[str] = set()
        self.scopes: list[Scope] = []
        self.top = self.begin(kind, None)
        self.pending: list[tuple[_Node, Scope, Scope, bool]] = []

    def begin(self, kind: str, parent: Scope | None, qualname: str = "", name: int = -1) -> Scope:
        """Open a scope."""
        scope = Scope(kind, parent, len(self.scopes), qualname, name)
        self.scopes.append(scope)
        return scope

    def read(self, tree: cst.Module) -> None:
        """Walk one tree."""
        pending = self.pending
        pending.extend([(each, self.top, self.top, False) for each in tree.body])
        while pending:
            node, scope, home, is_target = pending.pop()
            kind = node.__class__
            if kind is cst.Name:
                self.variable(node, scope, home, is_target)
                continue
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, node, scope, home)
                continue
            binding = _BINDING_FIELD.get(kind)
            is_pattern = is_target and kind in _PATTERNS
            for name in _FIELDS[kind]:
                self.push(getattr(node, name), scope, home, is_pattern or name == binding)

    def push(self, value: Any, scope: Scope, home: Scope, is_target: bool = False) -> None:
        """Put a node, or several, in line."""
        if isinstance(value, cst.CSTNode):
            self.pending.append((value, scope, home, is_target))
        elif value.__class__ is list or value.__class__ is tuple:
            self.pending.extend([(each, scope, home, is_target) for each in value])

    def use(self, node: cst.Name, role: str, scope: Scope, home: Scope) -> int:
        """Take note of a name and mark it."""
        number = len(self.uses)
        self.uses.append(Use(node.value, role, scope, home))
        object.__setattr__(node, "value", f"\ue000{number}\ue001")  # the tree is written once and dropped
        return number

    def variable(self, node: cst.Name, scope: Scope, home: Scope, is_target: bool) -> int:
        """A name that stands alone."""
        if is_target:
            scope.bound.add(normal(node.value))
        return self.use(node, VARIABLE, scope, home)

    # --- one handler for each class of node that means something to scopes ---

    def attribute(self, node: cst.Attribute, scope: Scope, home: Scope) -> None:
        self.use(node.attr, MEMBERS, scope, home)
        self.push(node.value, scope, home)

    def call(self, node: cst.Call, scope: Scope, home: Scope) -> None:
        for text, role in in_call(node, scope):
            self.spelled(text, role, scope, home)
        self.push(node.func, scope, home)
        self.arguments(node.args, scope, home)

    def subscript(self, node: cst.Subscript, scope: Scope, home: Scope) -> None:
        for text, role in in_subscript(node, scope):
            self.spelled(text, role, scope, home)
        self.push(node.value, scope, home)
        self.push(node.slice, scope, home)

    def arguments(self, arguments: Sequence[cst.Arg], scope: Scope, home: Scope) -> None:
        names = []
        for each in arguments:
            if each.keyword is not None:
                names.append(self.use(each.keyword, KEYWORDS, scope, home))
            self.push(each.value, scope, home)
        if len(names) > 1:
            self.calls.append(names)

    def function(self, node: cst.FunctionDef, scope: Scope, home: Scope) -> None:
        name = normal(node.name.value)
        scope.bound.add(name)
        number = self.use(node.name, VARIABLE, scope, home)
        inner = self.inner(node, VALUES, scope, f"{scope.qualname}{name}.", number)
        self.uses[number].home = inner
        around = inner.parent if node.type_parameters and inner.parent else scope
        self.parameters(node.params, inner, around)
        self.push(node.returns, around, inner)
        self.push(node.decorators, scope, home)
        self.push(node.body, inner, inner)

    def inner(self, node: _Node, kind: str, scope: Scope, qualname: str, name: int = -1) -> Scope:
        """Open the scope of a function, class or type alias, inside of one for its type parameters if it has any."""
        if node.type_parameters is not None:
            scope = self.begin(VALUES, scope, qualname, name)
            self.push(node.type_parameters, scope, scope)
        return self.begin(kind, scope, qualname, name)

    def parameters(self, node: cst.Parameters, inner: Scope, outer: Scope) -> None:
        stars = [each for each in (node.star_arg, node.star_kwarg) if isinstance(each, cst.Param)]
        if node.star_kwarg is not None:
            inner.keywords = normal(node.star_kwarg.name.value)
        for each in (*node.posonly_params, *node.params, *node.kwonly_params, *stars):
            self.variable(each.name, inner, inner, True)
            self.push(each.annotation, outer, inner)
            self.push(each.default, outer, inner)

    def lambda_(self, node: cst.Lambda, scope: Scope, home: Scope) -> None:
        inner = self.begin(VALUES, scope, scope.qualname)
        self.parameters(node.params, inner, scope)
        self.push(node.body, inner, inner)

    def class_(self, node: cst.ClassDef, scope: Scope, home: Scope) -> None:
        qualname = f"{scope.qualname}{normal(node.name.value)}."
        self.variable(node.name, scope, home, True)
        inner = self.inner(node, MEMBERS, scope, qualname)
        around = inner.parent if node.type_parameters and inner.parent else scope
        self.arguments([*node.bases, *node.keywords], around, home)
        self.push(node.decorators, scope, home)
        self.push(node.body, inner, inner)

    def type_alias(self, node: cst.TypeAlias, scope: Scope, home: Scope) -> None:
        self.variable(node.name, scope, home, True)
        inner = self.inner(node, VALUES, scope, scope.qualname)
        self.push(node.value, inner, inner)

    def comprehension(self, node: _Node, scope: Scope, home: Scope) -> None:
        inner = self.begin(COMPREHENSION, scope, scope.qualname)
        for name in ("elt", "key", "value"):
            self.push(getattr(node, name, None), inner, inner)
        clause, around = node.for_in, scope  # only the first iterable is evaluated outside
        while clause is not None:
            self.push(clause.target, inner, inner, True)
            self.push(clause.iter, around, inner)
            self.push(clause.ifs, inner, inner)
            clause, around = clause.inner_for_in, inner

    def walrus(self, node: cst.NamedExpr, scope: Scope, home: Scope) -> None:
        holder = scope
        while holder.kind == COMPREHENSION and holder.parent is not None:
            holder = holder.parent
        self.push(node.target, holder, home, True)
        self.push(node.value, scope, home)

    def declared(self, node: cst.Global | cst.Nonlocal, scope: Scope, home: Scope) -> None:
        names = scope.outer if isinstance(node, cst.Global) else scope.passed
        for each in node.names:
            names.add(normal(each.name.value))
            self.use(each.name, VARIABLE, scope, home)

    def imported(self, node: cst.Import, scope: Scope, home: Scope) -> None:
        for alias in node.names:
            module = self.path(alias.name, scope, home)
            if alias.asname is not None:
                self.push(alias.asname, scope, home, True)
            else:
                scope.bound.add(self.uses[module[0]].name)
                self.fixed.add(self.uses[module[0]].name)
            self.imports.append(Imported(0, module, (), alias.asname is None))

    def imported_from(self, node: cst.ImportFrom, scope: Scope, home: Scope) -> None:
        module = self.path(node.module, scope, home) if node.module is not None else ()
        names: list[tuple[int, bool]] = []
        for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
            if isinstance(alias.name, cst.Name):
                # What the other module calls it, also where a function imports it.
                names.append((self.use(alias.name, GLOBALS, scope, home), alias.asname is not None))
                if alias.asname is not None:
                    self.push(alias.asname, scope, home, True)
                elif scope.kind == VALUES:
                    scope.outer.add(self.uses[names[-1][0]].name)
        self.imports.append(Imported(len(node.relative), module, tuple(names)))

    def path(self, node: _Node, scope: Scope, home: Scope) -> tuple[int, ...]:
        """The parts of a dotted path, in order."""
        parts: list[cst.Name] = []
        while isinstance(node, cst.Attribute):
            parts.append(node.attr)
            node = node.value
        return tuple(self.use(each, MODULE, scope, home) for each in [node, *reversed(parts)])

    def class_pattern(self, node: cst.MatchClass, scope: Scope, home: Scope) -> None:
        self.push(node.cls, scope, home)
        self.push(node.patterns, scope, home)
        for each in node.kwds:
            self.use(each.key, MEMBERS, scope, home)
            self.push(each.pattern, scope, home)

    def assigned(self, node: _Node, scope: Scope, home: Scope) -> None:
        """An assignment; what `__all__` holds are names of the module."""
        targets = [each.target for each in node.targets] if isinstance(node, cst.Assign) else [node.target]
        is_listing = any(isinstance(each, cst.Name) and each.value == "__all__" for each in targets)
        if is_listing and scope is self.top and isinstance(node.value, cst.List | cst.Tuple):
            for element in node.value.elements:
                if isinstance(element.value, cst.SimpleString):
                    self.spelled(element.value, GLOBALS, scope, home)
        for target in targets:
            self.push(target, scope, home, True)
        self.push(getattr(node, "annotation", None), scope, home)
        self.push(node.value, scope, home)

    def spelled(self, node: cst.SimpleString, role: str, scope: Scope, home: Scope) -> None:
        """Take note of a name in a string."""
        quoted = QUOTED_NAME.fullmatch(node.value)
        if quoted is not None:
            number = len(self.uses)
            self.uses.append(Use(quoted[3], role, scope, home))
            object.__setattr__(node, "value", f"{quoted[1]}{quoted[2]}\ue000{number}\ue001{quoted[2]}")


_HANDLERS: dict[type, Callable[[_Reader, Any, Scope, Scope], None]] = {
    cst.Attribute: _Reader.attribute,
    cst.Call: _Reader.call,
    cst.Subscript: _Reader.subscript,
    cst.FunctionDef: _Reader.function,
    cst.Lambda: _Reader.lambda_,
    cst.ClassDef: _Reader.class_,
    cst.TypeAlias: _Reader.type_alias,
    cst.ListComp: _Reader.comprehension,
    cst.SetComp: _Reader.comprehension,
    cst.DictComp: _Reader.comprehension,
    cst.GeneratorExp: _Reader.comprehension,
    cst.NamedExpr: _Reader.walrus,
    cst.Global: _Reader.declared,
    cst.Nonlocal: _Reader.declared,
    cst.Import: _Reader.imported,
    cst.ImportFrom: _Reader.imported_from,
    cst.MatchClass: _Reader.class_pattern,
    cst.Assign: _Reader.assigned,
    cst.AnnAssign: _Reader.assigned,
    cst.AugAssign: _Reader.assigned,
    cst.SimpleString: lambda *_: None,
}
