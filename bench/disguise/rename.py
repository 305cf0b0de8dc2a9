"""Rename everything that a project names itself, consistently over all its files."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from bench.declared import definitions
from bench.disguise.naming import BY_NAME, Naming
from bench.disguise.ownership import (
    EXTERNAL,
    FUNCTION,
    MODULE,
    FunctionNode,
    Module,
    Project,
    constant_string,
    terminal,
)
from bench.disguise.scopes import Scope

REGISTERS = frozenset({"register_buffer", "register_parameter", "add_module", "register_module"})
READS_LOCALS = frozenset({"locals", "vars", "eval", "exec"})


def rename(sources: Mapping[str, str], seed: int) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Give every own name a random one. Returns the files, and for each file old qualname -> new qualname.

    Own:    classes, functions, methods, parameters, locals, attributes, module-level names.
    Stays:  names of libraries, builtins, dunders, `self`, and whatever a library's base class may call or read.
    """
    project = Project(sources)
    naming = Naming(project, seed)
    modules = project.modules.items()
    before = {path: [qualname for qualname, _ in definitions(module.tree, nested=True)] for path, module in modules}
    rename_project(project, naming)
    after = {path: [qualname for qualname, _ in definitions(module.tree, nested=True)] for path, module in modules}
    renamed = {path: ast.unparse(module.tree) + "\n" for path, module in modules}
    return renamed, {path: dict(zip(before[path], after[path], strict=True)) for path in before}


def rename_project(project: Project, naming: Naming) -> None:
    """Give every own name the one that `naming` chooses. Changes the trees."""
    changes = [change for module in project.modules.values() for change in _Renamer(project, naming, module).changes()]
    for change in changes:  # only now: what is found in one file depends on the old names in the others
        change.apply()


class _Change:
    """One field of one node that is to get a new value, after everything was looked at under the old names."""

    def __init__(self, node: ast.AST, field: str, value: object) -> None:
        self.node, self.field, self.value = node, field, value

    def apply(self) -> None:
        setattr(self.node, self.field, self.value)


class _Renamer:
    """Finds what changes in one file."""

    def __init__(self, project: Project, naming: Naming, module: Module) -> None:
        self.project, self.naming, self.module = project, naming, module
        self.opaque = self._opaque_scopes()
        self.keyword_dicts = self._keyword_dicts()
        self.stars = self._has_own_star()

    def changes(self) -> Iterator[_Change]:
        """Every change of the file."""
        for node in ast.walk(self.module.tree):
            for name, value in self._new_fields(node):
                yield _Change(node, name, value)
            if isinstance(node, ast.Call):
                yield from self._call(node)
            elif isinstance(node, ast.Assign | ast.AugAssign):
                yield from self._exports(node)
            elif isinstance(node, ast.Subscript | ast.Compare | ast.Dict):
                yield from self._keys(node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._import(node)

    def _new_fields(self, node: ast.AST) -> Iterator[tuple[str, object]]:
        scope = self.module.scopes.of.get(node, self.module.scopes.module)
        if isinstance(node, ast.Name):
            yield "id", self.name(node.id, scope)
        elif isinstance(node, ast.arg):
            yield "arg", self.name(node.arg, scope)
        elif isinstance(node, FunctionNode | ast.ClassDef):
            yield "name", self.name(node.name, scope)
        elif isinstance(node, ast.Attribute):
            yield "attr", self.attribute(node.value, node.attr)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield "name", self.name(node.name, scope)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield "rest", self.name(node.rest, scope)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield "names", [self._declared(name, scope, isinstance(node, ast.Global)) for name in node.names]
        elif isinstance(node, ast.MatchClass) and self.project.kind(node.cls, self.module).what == "own":
            yield "kwd_attrs", [self.naming.attribute(name) for name in node.kwd_attrs]

    def _declared(self, name: str, scope: Scope, is_global: bool) -> str:
        return self.name(name, self.module.scopes.module if is_global else scope)

    def name(self, name: str, scope: Scope) -> str:
        """The new name of a bare name seen from a scope."""
        holder = scope.resolve(name)
        if holder is None:
            is_starred = self.stars and not hasattr(builtins, name) and name in self._top_names()
            return self.naming.top(name) if is_starred else name
        if self._is_library(holder, name, self.module):
            return name
        if name in holder.imports and not holder.imports[name][1].asname:
            return self.naming.top(name)
        if holder.parent is None:
            return self.naming.top(name)
        if isinstance(holder.node, ast.ClassDef):
            return self.naming.attribute(name)
        if name in holder.parameters:
            return self.naming.parameter(name)
        return name if holder in self.opaque else self.naming.local(holder, name)

    def _is_library(self, holder: Scope, name: str, module: Module, depth: int = 5) -> bool:
        """Whether a name is bound by an import of something that is not the project's own (or of a module file)."""
        if name not in holder.imports:
            return False
        node, alias = holder.imports[name]
        path = self.project.imported(module.path, node, alias)
        if path is None or depth == 0 or isinstance(node, ast.Import) or self.project.is_module(path, alias.name):
            return True
        opened = self.project.modules[path].scopes.module
        if alias.name not in opened.values:
            return alias.name not in self._top_names()
        return self._is_library(opened, alias.name, self.project.modules[path], depth - 1)

    def _top_names(self) -> set[str]:
        names: set[str] = set()
        for module in self.project.modules.values():
            top = module.scopes.module
            names.update(name for name in top.values if name not in top.imports)
        self._top_names = lambda: names  # type: ignore[method-assign]
        return names

    def attribute(self, value: ast.expr, name: str) -> str:
        """The new name of an attribute of what `value` is."""
        kind = self.project.kind(value, self.module)
        if kind == MODULE:
            return self.naming.top(name) if name in self._top_names() else name
        return name if kind == EXTERNAL else self.naming.attribute(name)

    def _call(self, node: ast.Call) -> Iterator[_Change]:
        called = terminal(node.func)
        if called in BY_NAME and len(node.args) > 1:
            yield from self._text(node.args[1], lambda text: self.attribute(node.args[0], text))
        if called in REGISTERS and isinstance(node.func, ast.Attribute) and node.args:
            yield from self._text(node.args[0], self.naming.attribute)
        if called in {"get", "pop", "setdefault"} and node.args and self._is_keyword_dict(_receiver(node.func)):
            yield from self._text(node.args[0], self.naming.parameter)
        for word in node.keywords:
            if word.arg:
                yield _Change(word, "arg", self._keyword(node, word.arg))

    def _keyword(self, node: ast.Call, word: str) -> str:
        """The new name of a keyword argument: only the project's own functions have one."""
        callee, called = self.project.kind(node.func, self.module), node.func
        origin = self.project.origin(node.func, self.module)
        if callee == EXTERNAL and origin in {"replace", "_replace"}:
            return self.naming.attribute(word)
        if node in self.keyword_dicts:
            return self.naming.parameter(word)
        if origin == "partial" and node.args:
            called = node.args[0]
            callee = self.project.kind(called, self.module)
        receiver = _receiver(called)
        is_foreign = receiver is not None and terminal(called) not in self.project.attributes
        if callee == EXTERNAL or (is_foreign and self.project.kind(receiver, self.module) != MODULE):
            is_passed_on = any(_names(function, word) for part in node.args for function in self._functions(part))
            return self.naming.parameter(word) if is_passed_on else word
        functions = self._functions(called)
        if not functions and self.naming.is_foreign_keyword(terminal(called), word):
            return word
        if callee.what == "own" and not functions:
            is_field = any(word in own.fields for own in self.project.line(callee.name))
            return self.naming.attribute(word) if is_field else word
        is_taken = any(_names(function, word) or function.args.kwarg for function in functions)
        return self.naming.parameter(word) if is_taken or not functions else word

    def _functions(self, called: ast.expr) -> list[FunctionNode]:
        """The definitions that a call may mean, if it is clear."""
        callee = self.project.kind(called, self.module)
        if callee.what == "own":
            for own in self.project.line(callee.name):
                constructors = own.methods.get("__init__") or own.methods.get("__new__")
                if constructors:
                    return constructors
        elif isinstance(called, ast.Name) and callee == FUNCTION:
            return self.project.functions.get(called.id, [])
        elif isinstance(called, ast.Attribute):
            kind = self.project.kind(called.value, self.module)
            if kind.what in {"instance", "own", "super"}:
                for own in self.project.line(kind.name, itself=kind.what != "super"):
                    if called.attr in own.methods:
                        return own.methods[called.attr]
        return []

    def _text(self, node: ast.expr, new: object) -> Iterator[_Change]:
        text = constant_string(node)
        if text and callable(new):
            yield _Change(node, "value", new(text))

    def _keys(self, node: ast.Subscript | ast.Compare | ast.Dict) -> Iterator[_Change]:
        """String keys of a dictionary that is keyword arguments."""
        if isinstance(node, ast.Subscript) and self._is_keyword_dict(node.value):
            yield from self._text(node.slice, self.naming.parameter)
        elif isinstance(node, ast.Compare) and self._is_keyword_dict(node.comparators[0]):
            yield from self._text(node.left, self.naming.parameter)
        elif isinstance(node, ast.Dict) and node in self.keyword_dicts:
            for key in node.keys:
                if key:
                    yield from self._text(key, self.naming.parameter)

    def _is_keyword_dict(self, node: ast.expr | None) -> bool:
        if not isinstance(node, ast.Name):
            return False
        holder = self.module.scopes.of[node].resolve(node.id)
        return (holder, node.id) in self.keyword_dicts

    def _keyword_dicts(self) -> set[object]:
        """Names (by scope) and literals that own functions get as `**`, and every `**kwargs` parameter."""
        found: set[object] = set()
        for node in ast.walk(self.module.tree):
            if isinstance(node, FunctionNode) and node.args.kwarg:
                found.add((self.module.scopes.opened[node], node.args.kwarg.arg))
            if isinstance(node, ast.Call) and self.project.kind(node.func, self.module) != EXTERNAL:
                for word in node.keywords:
                    if word.arg is None:
                        found |= self._behind(word.value)
        return found

    def _behind(self, value: ast.expr) -> set[object]:
        """The dictionary that an expression is, or the local name and all the dictionaries it may stand for."""
        if not isinstance(value, ast.Name):
            return {value} if isinstance(value, ast.Dict) or _is_dict_call(value) else set()
        holder = self.module.scopes.of[value].resolve(value.id)
        if not holder or not isinstance(holder.node, FunctionNode):
            return set()
        values = holder.values[value.id]
        return {(holder, value.id), *(part for part in values if isinstance(part, ast.Dict) or _is_dict_call(part))}

    def _exports(self, node: ast.Assign | ast.AugAssign) -> Iterator[_Change]:
        targets = {terminal(target) for target in (node.targets if isinstance(node, ast.Assign) else [node.target])}
        for part in ast.walk(node.value):
            text = constant_string(part)
            if text and "__all__" in targets and isinstance(part, ast.Constant):
                yield _Change(part, "value", self.name(text, self.module.scopes.module))
            if text and "__slots__" in targets and isinstance(part, ast.Constant):
                yield _Change(part, "value", self.naming.attribute(text))

    def _import(self, node: ast.Import | ast.ImportFrom) -> Iterator[_Change]:
        scope = self.module.scopes.of[node]
        for alias in node.names:
            if alias.name == "*" or isinstance(node, ast.Import):
                continue
            bound = alias.asname or alias.name
            if not self._is_library(scope, bound, self.module):
                yield _Change(alias, "name", self.naming.top(alias.name))
                if alias.asname:
                    yield _Change(alias, "asname", self.name(alias.asname, scope))

    def _opaque_scopes(self) -> set[Scope]:
        """Functions that read their locals by name."""
        found = set()
        for node in ast.walk(self.module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READS_LOCALS:
                scope: Scope | None = self.module.scopes.of[node]
                while scope:
                    found.add(scope)
                    scope = scope.parent
        return found

    def _has_own_star(self) -> bool:
        return any(
            alias.name == "*" and self.project.imported(self.module.path, node, alias)
            for node in ast.walk(self.module.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        )


def _receiver(node: ast.expr) -> ast.expr | None:
    """`a` of `a.b`."""
    return node.value if isinstance(node, ast.Attribute) else None


def _is_dict_call(node: ast.expr | None) -> bool:
    """Whether it is `dict(a=1)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict"


def _names(function: FunctionNode, word: str) -> bool:
    """Whether the function has a parameter of that name."""
    return any(arg.arg == word for arg in [*function.args.args, *function.args.kwonlyargs])
