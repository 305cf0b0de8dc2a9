"""Resolve the names of one module to the scopes that bind them, as Python does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *COMPREHENSIONS)


@dataclass(eq=False)
class Scope:
    """A module, class, function, lambda or comprehension, and the names that it binds."""

    node: ast.AST
    parent: Scope | None
    values: dict[str, list[ast.expr | None]] = field(default_factory=dict)  # bound name -> what is assigned, if simple
    parameters: set[str] = field(default_factory=set)
    imports: dict[str, tuple[ast.Import | ast.ImportFrom, ast.alias]] = field(default_factory=dict)
    definitions: dict[str, ast.AST] = field(default_factory=dict)  # classes and functions
    elsewhere: set[str] = field(default_factory=set)  # `global` and `nonlocal`
    top: set[str] = field(default_factory=set)  # `global`

    def bind(self, name: str, value: ast.expr | None = None) -> None:
        """Note that this scope binds the name."""
        if name not in self.elsewhere:
            self.values.setdefault(name, []).append(value)

    def resolve(self, name: str) -> Scope | None:
        """The scope whose name this is, or None for builtins and names nobody binds."""
        if name in self.values and name not in self.elsewhere:
            return self
        scope = self.parent
        while scope:
            is_module = scope.parent is None
            is_seen = is_module or (not isinstance(scope.node, ast.ClassDef) and name not in self.top)
            if is_seen and name in scope.values:
                return scope
            scope = scope.parent
        return None

    def enclosing(self, kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Scope | None:
        """The innermost scope of a kind, this one included."""
        scope: Scope | None = self
        while scope and not isinstance(scope.node, kind):
            scope = scope.parent
        return scope


class Scopes:
    """Every node of a module -> the scope that it is evaluated in; every scoped node -> the scope that it opens."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, None)
        self.of: dict[ast.AST, Scope] = {}
        self.opened: dict[ast.AST, Scope] = {tree: self.module}
        self._bound: set[ast.AST] = set()
        pending = [(child, self.module) for child in ast.iter_child_nodes(tree)]
        order = []
        while pending:
            node, scope = pending.pop()
            self.of[node] = scope
            order.append((node, scope))
            pending.extend(self._children(node, scope))
        for node, scope in order:
            if isinstance(node, ast.Global | ast.Nonlocal):
                scope.elsewhere.update(node.names)
                if isinstance(node, ast.Global):
                    scope.top.update(node.names)
                    for name in node.names:
                        self.module.bind(name)
        for node, _ in order:
            self._bind(node, self.of[node])

    def _children(self, node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        if isinstance(node, ast.arg):
            return
        if not isinstance(node, SCOPED):
            yield from ((child, scope) for child in ast.iter_child_nodes(node))
            return
        inner = self.opened[node] = Scope(node, scope)
        inside: list[ast.AST] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = list(node.body)
        elif isinstance(node, ast.Lambda):
            inside = [node.body]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = node.args
            inside += _every_arg(arguments)
            yield from ((default, scope) for default in [*arguments.defaults, *arguments.kw_defaults] if default)
            yield from ((a.annotation, scope) for a in _every_arg(arguments) if a.annotation)
            self.of[arguments] = scope
        if isinstance(node, COMPREHENSIONS):
            first = node.generators[0].iter
            yield first, scope
            for number, generator in enumerate(node.generators):
                self.of[generator] = inner
                inside += [generator.target, *([generator.iter] if number else []), *generator.ifs]
            inside += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        else:
            known = {id(child) for child in inside}
            for child in ast.iter_child_nodes(node):
                if id(child) not in known and not isinstance(child, ast.arguments):
                    yield child, scope
        yield from ((child, inner) for child in inside)

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.arg):
            scope.parameters.add(node.arg)
            scope.bind(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope.definitions[node.name] = node
            scope.bind(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                if name != "*":
                    scope.imports[name] = (node, alias)
                    scope.bind(name)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._assign(node.targets[0], node.value, scope)
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Tuple)
        ):
            parts = [*node.targets[0].elts, *node.value.elts]
            if len(node.targets[0].elts) == len(node.value.elts) and not any(isinstance(p, ast.Starred) for p in parts):
                for target, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                    self._assign(target, value, scope)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            scope.bind(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bind(node.rest)
        elif isinstance(node, ast.NamedExpr):
            self._walrus(node, scope)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node not in self._bound:
            scope.bind(node.id)

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, value)
            self._bound.add(target)

    def _walrus(self, node: ast.NamedExpr, scope: Scope) -> None:
        """`:=` inside a comprehension binds in the function around it."""
        target = scope
        while isinstance(target.node, COMPREHENSIONS) and target.parent:
            target = target.parent
        self.of[node.target] = target
        target.bind(node.target.id, None)


def _every_arg(arguments: ast.arguments) -> list[ast.arg]:
    optional = [arg for arg in (arguments.vararg, arguments.kwarg) if arg]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *optional]
