"""Which names a function binds, and where in a file each function stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.code.names import ModuleNames

Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# What fields and attributes of a node hold besides nodes; and the contexts, which are nodes without anything below.
_LEAVES = frozenset({int, str, type(None), float, bool, bytes, ast.Load, ast.Store, ast.Del})

# Nodes that can bind a name without being a definition.
_BINDING = (
    ast.Name, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.ExceptHandler, ast.MatchAs, ast.MatchStar,
    ast.MatchMapping,
)  # fmt: skip
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


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
    """The nodes right below a node, in the order of the text; `ast.iter_child_nodes` at a third of its price."""
    found: list[ast.AST] = []
    for value in vars(node).values():
        kind = value.__class__
        if kind is list:
            found += [each for each in value if isinstance(each, ast.AST)]
        elif kind not in _LEAVES and isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all nodes below it, in no order that would mean anything."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(children(current))


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
        if isinstance(node, ast.ClassDef):
            prefix, klass = f"{prefix}{node.name}.", node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[prefix + node.name, node.lineno] = Place(node, klass)
            prefix, klass = f"{prefix}{node.name}.", None
        for name in ("cases", "finalbody", "orelse", "handlers", "body"):
            inner = getattr(node, name, ())
            if isinstance(inner, list):
                pending.extend((child, prefix, klass) for child in reversed(inner))
    return found


def bound_names(node: ast.AST, module: ModuleNames) -> Scope:
    """Names that a function, lambda, comprehension or class binds in its own scope."""
    scope = Scope()
    outer: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        scope.update(dict.fromkeys(parameters(node.args)))
    pending: list[ast.AST]
    if isinstance(node, _COMPREHENSIONS):
        pending = [generator.target for generator in node.generators]
    else:
        inside = getattr(node, "body", [])
        pending = list(inside) if isinstance(inside, list) else [inside]
    while pending:
        current = pending.pop()
        if isinstance(current, _DEFINITIONS):
            scope.setdefault(current.name)
            continue
        if isinstance(current, ast.Lambda):
            continue
        if isinstance(current, _COMPREHENSIONS):  # its variables are its own, but for `:=`
            inner = (each.target.id for each in walk(current) if isinstance(each, ast.NamedExpr))
            scope.update(dict.fromkeys(inner))
            continue
        if isinstance(current, _BINDING):
            _bind(current, scope, outer, module)
        pending.extend(children(current))
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
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            scope.setdefault(node.id)
    elif isinstance(node, ast.Import | ast.ImportFrom):
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
        if isinstance(statement, _DEFINITIONS):
            names.add(statement.name)
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        positional = statement.args.posonlyargs + statement.args.args
        receiver = positional[0].arg if positional else ""
        for node in walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_named(node.value, receiver):
                names.add(node.attr)
    return frozenset(names)


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
