"""Which names a function binds, and where in a file each function stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.code.lowering.names import ModuleNames

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef})
_DEFINITIONS = frozenset({*_FUNCTIONS, ast.ClassDef})
COMPREHENSIONS = frozenset({ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp})

# Nodes other than names that can bind a name without being a definition.
_BINDING = frozenset({
    ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.ExceptHandler, ast.MatchAs, ast.MatchStar,
    ast.MatchMapping,
})  # fmt: skip

# Fields that hold text or numbers, or (contexts) nodes that say nothing.
_PLAIN_FIELDS = frozenset(
    "arg asname attr conversion ctx id is_async kind kwd_attrs level lineno module name rest simple str tag"
    " type_comment type_ignores".split()
)
_PLAIN_BY_CLASS = {
    ast.Constant: {"value"}, ast.MatchSingleton: {"value"}, ast.Global: {"names"}, ast.Nonlocal: {"names"},
}  # fmt: skip


class _Fields(dict[type, tuple[str, ...]]):
    """Class of node -> its fields that hold nodes, or lists of nodes and None."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        plain = _PLAIN_BY_CLASS.get(kind, set()) | _PLAIN_FIELDS
        if kind.__name__ == "TypeAlias":
            plain = plain - {"name"}  # a node there, text everywhere else
        found = self[kind] = tuple(name for name in kind._fields if name not in plain)
        return found


# Asked instead of looking at what every field of every node holds: walking costs a third.
FIELDS = _Fields()


class Scope(dict[str, str | None]):
    """Names bound in one scope: the dotted origin of what an import binds, None for a variable."""


@dataclass(frozen=True, slots=True)
class Place:
    """A function where it stands."""

    node: Function
    klass: ast.ClassDef | None  # the class whose method it is

    @property
    def is_method(self) -> bool:
        """Whether the first parameter is the receiver."""
        decorators = [getattr(each, "id", "") for each in self.node.decorator_list]
        return self.klass is not None and "staticmethod" not in decorators


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below a node, in the order of the text, but for contexts."""
    found: list[ast.AST] = []
    for name in FIELDS[node.__class__]:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += value
        elif value is not None:
            found.append(value)
    return [each for each in found if each is not None] if None in found else found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all nodes below it but for contexts, in no order that would mean anything."""
    pending: list[ast.AST] = [node]
    while pending:
        current = pending.pop()
        if current is None:
            continue
        yield current
        for name in FIELDS[current.__class__]:
            value = getattr(current, name, None)
            if value.__class__ is list:
                pending += value
            elif value is not None:
                pending.append(value)


def is_bare_string(node: object) -> bool:
    """Whether a statement is a docstring or another string that nothing uses."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_receiver_bound(name: str, receiver: str, scopes: Sequence[Scope]) -> bool:
    """Whether a name is the receiver of the outermost function, not shadowed by an inner scope."""
    return bool(receiver) and name == receiver and not any(name in scope for scope in scopes[1:])


def places(tree: ast.Module) -> dict[tuple[str, int], Place]:
    """Every function of a module by qualname (without `<locals>`) and line of its `def`, in the order of the text."""
    found: dict[tuple[str, int], Place] = {}
    pending: list[tuple[ast.AST, str, ast.ClassDef | None]] = [(each, "", None) for each in reversed(tree.body)]
    while pending:
        node, prefix, klass = pending.pop()
        kind = node.__class__
        if kind is ast.ClassDef:
            prefix, klass = f"{prefix}{node.name}.", node  # type: ignore[attr-defined,assignment]
        elif kind in _FUNCTIONS:
            found[prefix + node.name, node.lineno] = Place(node, klass)  # type: ignore[attr-defined,arg-type]
            prefix, klass = f"{prefix}{node.name}.", None  # type: ignore[attr-defined]
        for name in _BODIES[kind]:
            pending.extend([(child, prefix, klass) for child in reversed(getattr(node, name, ()))])
    return found


def definitions(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Every function and class of a module."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
        for name in _BODIES[node.__class__]:
            pending += getattr(node, name)


class _Bodies(dict[type, tuple[str, ...]]):
    """Class of node -> its fields that hold statements, the last one first."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        names = ("cases", "finalbody", "orelse", "handlers", "body")
        is_expression = issubclass(kind, ast.expr)
        found = self[kind] = () if is_expression else tuple(name for name in names if name in kind._fields)
        return found


_BODIES = _Bodies()


def bound_names(node: ast.AST, module: ModuleNames) -> Scope:
    """Names that a function, lambda, comprehension or class binds in its own scope."""
    scope = Scope()
    outer: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        scope.update(dict.fromkeys(parameters(node.args)))
    pending: list[ast.AST]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        pending = [generator.target for generator in node.generators]
    else:
        inside = getattr(node, "body", [])
        pending = list(inside) if isinstance(inside, list) else [inside]
    while pending:
        current = pending.pop()
        kind = current.__class__
        if kind is ast.Name:
            if current.ctx.__class__ is not ast.Load:  # type: ignore[attr-defined]
                scope.setdefault(current.id)  # type: ignore[attr-defined]
        elif kind in COMPREHENSIONS:  # its variables are its own, but for `:=`
            scope.update(dict.fromkeys(each.target.id for each in walk(current) if isinstance(each, ast.NamedExpr)))
        elif kind in _DEFINITIONS:
            scope.setdefault(current.name)  # type: ignore[attr-defined]
        elif kind is not ast.Lambda and current is not None:
            if kind in _BINDING:
                _bind(current, scope, outer, module)
            for name in FIELDS[kind]:
                value = getattr(current, name, None)
                if value.__class__ is list:
                    pending += value
                elif value is not None:
                    pending.append(value)
    for name in outer:
        scope.pop(name, None)
    return scope


def parameters(arguments: ast.arguments) -> list[str]:
    """Names of all parameters, in the order in which the value flow numbers them."""
    names = [each.arg for each in arguments.posonlyargs + arguments.args]
    if arguments.vararg:
        names.append(arguments.vararg.arg)
    names += [each.arg for each in arguments.kwonlyargs]
    if arguments.kwarg:
        names.append(arguments.kwarg.arg)
    return names


def _bind(node: ast.AST, scope: Scope, outer: set[str], module: ModuleNames) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names: dict[str, str] = {}
        module.add_import(node, names)
        scope.update(names)
    elif isinstance(node, ast.Global | ast.Nonlocal):
        outer.update(node.names)
    else:
        for field in ("name", "rest"):  # except ... as name, a match pattern's captures
            name = getattr(node, field, None)
            if isinstance(name, str):
                scope.setdefault(name)


def own_names(klass: ast.ClassDef) -> frozenset[str]:
    """Attributes that a class defines itself: its methods and names, and what its methods store on the receiver."""
    names: set[str] = set()
    for statement in klass.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        positional = statement.args.posonlyargs + statement.args.args
        if positional:
            names.update(_stored_on(positional[0].arg, statement))
    return frozenset(names)


def _stored_on(receiver: str, function: Function) -> Iterator[str]:
    """Attributes of a name that statements assign to; expressions are not looked at, they cannot."""
    pending: list[ast.AST] = [function]
    while pending:
        current = pending.pop()
        kind = current.__class__
        for name in _BODIES[kind]:
            pending += getattr(current, name)
        for name in _TARGETS.get(kind, ()):
            value = getattr(current, name)
            for target in value if value.__class__ is list else (value,):
                for each in (target,) if target.__class__ is ast.Attribute else walk(target):
                    if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
                        holder = each.value
                        if isinstance(holder, ast.Name) and holder.id == receiver:
                            yield each.attr


_TARGETS = {
    ast.Assign: ("targets",), ast.AnnAssign: ("target",), ast.AugAssign: ("target",), ast.For: ("target",),
    ast.AsyncFor: ("target",), ast.With: ("items",), ast.AsyncWith: ("items",),
}  # fmt: skip
