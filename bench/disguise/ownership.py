"""Tell a project's own names from those of the libraries that it uses, without running it."""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bench.disguise.libraries import CONFIGURATION, CONTAINERS, HARMLESS_BASES, PASSES_THROUGH
from bench.disguise.scopes import Scope, Scopes

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Kind:
    """What an expression is, as far as can be told: `own` and `instance` name a class of the project."""

    what: str  # "external", "unknown", "own" (the class itself), "instance", "function", "module"
    name: str = ""


EXTERNAL, UNKNOWN, FUNCTION, MODULE = Kind("external"), Kind("unknown"), Kind("function"), Kind("module")


@dataclass(eq=False)
class OwnClass:
    """One class name of the project; classes of one name in several files are taken together."""

    bases: set[str] = field(default_factory=set)  # own
    has_foreign_base: bool = False  # of a library that may call or read what the class defines
    is_plain: bool = True  # no library base at all
    methods: dict[str, list[FunctionNode]] = field(default_factory=lambda: defaultdict(list))
    fields: set[str] = field(default_factory=set)  # class-level names that are no methods
    stored: dict[str, list[tuple[ast.expr | None, Module]]] = field(default_factory=lambda: defaultdict(list))

    def members(self) -> set[str]:
        """Everything the class itself defines."""
        return {*self.methods, *self.fields, *self.stored}


@dataclass(eq=False)
class Module:
    """A parsed file with its scopes."""

    path: str
    tree: ast.Module
    scopes: Scopes


class Project:
    """All files of a project, and what each expression in them is."""

    def __init__(self, sources: Mapping[str, str | ast.Module]) -> None:
        self.modules: dict[str, Module] = {}
        for path in sorted(sources):
            source = sources[path]
            tree = ast.parse(source) if isinstance(source, str) else source
            self.modules[path] = Module(path, tree, Scopes(tree))
        self.classes: dict[str, OwnClass] = {}
        self.functions: defaultdict[str, list[FunctionNode]] = defaultdict(list)
        self.parameters: set[str] = set()
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                self._collect(module, node)
        self.attributes = set().union(*(own.members() for own in self.classes.values()))
        self.has_configuration = any(re.search(r"Config|Args|Arguments|Options", name) for name in self.classes)

    def _collect(self, module: Module, node: ast.AST) -> None:
        scope = module.scopes.of.get(node)
        if isinstance(node, ast.ClassDef):
            self._collect_class(module, node)
        elif isinstance(node, FunctionNode) and scope and not isinstance(scope.node, ast.ClassDef):
            self.functions[node.name].append(node)
        elif isinstance(node, ast.arg):
            self.parameters.add(node.arg)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.withitem):
            self._collect_stores(module, node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and scope:
            registers = node.func.attr in {"register_buffer", "register_parameter", "add_module", "register_module"}
            name = constant_string(node.args[0]) if registers and node.args else None
            own = self.class_of_self(node.func.value, scope)
            if name and name.isidentifier() and own:
                own.stored[name].append((None, module))

    def _collect_class(self, module: Module, node: ast.ClassDef) -> None:
        own = self.classes.setdefault(node.name, OwnClass())
        for base in node.bases:
            kind = self.kind(base, module)
            if kind.what == "own" or (isinstance(base, ast.Name) and self._is_from_here(base.id, module)):
                own.bases.add(terminal(base))
            else:
                own.is_plain = False
                own.has_foreign_base |= terminal(base) not in HARMLESS_BASES
        opened = module.scopes.opened[node]
        for name in opened.values:
            definition = opened.definitions.get(name)
            if isinstance(definition, FunctionNode):
                own.methods[name].append(definition)
            elif name not in opened.imports:
                own.fields.add(name)

    def _is_from_here(self, name: str, module: Module) -> bool:
        """Whether the name is imported from a file of the project, which may not have been collected yet."""
        found = module.scopes.module.imports.get(name)
        return bool(found and self.imported(module.path, *found))

    def _collect_stores(self, module: Module, node: ast.AST) -> None:
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For):
            targets = [node.target]
            value = node.value if isinstance(node, ast.AnnAssign) else None
        elif isinstance(node, ast.withitem) and node.optional_vars:
            targets = [node.optional_vars]
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    own = self.class_of_self(part.value, module.scopes.of[part])
                    if own:
                        own.stored[part.attr].append((value if part is target else None, module))

    def class_of_self(self, node: ast.expr, scope: Scope) -> OwnClass | None:
        """The class around, if the expression is its `self` or `cls`."""
        name = self.self_class(node, scope)
        return self.classes.setdefault(name, OwnClass()) if name else None

    def self_class(self, node: ast.expr, scope: Scope) -> str | None:
        """The name of the class around, if the expression is the first parameter of one of its methods."""
        if not isinstance(node, ast.Name):
            return None
        holder = scope.resolve(node.id)
        if not holder or node.id not in holder.parameters or not isinstance(holder.node, FunctionNode):
            return None
        if not holder.parent or not isinstance(holder.parent.node, ast.ClassDef):
            return None
        arguments = holder.node.args
        first = [*arguments.posonlyargs, *arguments.args][:1]
        is_static = any(terminal(decorator) == "staticmethod" for decorator in holder.node.decorator_list)
        return holder.parent.node.name if first and first[0].arg == node.id and not is_static else None

    def imported(self, path: str, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str | None:
        """The file of the project that an import names, if it names one: a module, or what defines the name."""
        if isinstance(node, ast.Import):
            return self._file(alias.name.split("."))
        parts = node.module.split(".") if node.module else []
        if node.level:
            folder = PurePosixPath(path).parent.parts
            parts = [*folder[: len(folder) - (node.level - 1)], *parts]
        found = self._file([*parts, alias.name]) or self._file(parts)
        if found or node.level:
            return found
        for start in range(1, len(parts)):  # the folder that was read may lie inside the package
            found = self._file(parts[start:])
            if found and alias.name in self.modules[found].scopes.module.values:
                return found
        return None

    def _file(self, parts: list[str]) -> str | None:
        stem = "/".join(parts)
        candidates = (f"{stem}.py", f"{stem}/__init__.py") if stem else ("__init__.py",)
        return next((candidate for candidate in candidates if candidate in self.modules), None)

    def kind(self, node: ast.expr | None, module: Module, depth: int = 6) -> Kind:
        """What an expression is; `unknown` where it cannot be told."""
        if node is None or depth == 0:
            return UNKNOWN
        if isinstance(node, ast.Name):
            return self._kind_of_name(node, module, depth)
        if isinstance(node, ast.Attribute):
            return self._kind_of_attribute(node, module, depth)
        if isinstance(node, ast.Call):
            return self._kind_of_call(node, module, depth)
        if isinstance(node, ast.BoolOp | ast.IfExp | ast.NamedExpr | ast.Await | ast.Starred | ast.Subscript):
            return UNKNOWN
        return EXTERNAL  # literals, arithmetic, comparisons

    def _kind_of_name(self, node: ast.Name, module: Module, depth: int) -> Kind:
        scope = module.scopes.of.get(node)
        holder = scope.resolve(node.id) if scope else None
        if not holder or not scope:
            return EXTERNAL if hasattr(builtins, node.id) else UNKNOWN
        own = self.self_class(node, scope)
        if own:
            return Kind("instance", own)
        if node.id in holder.imports:
            return self._kind_of_import(node.id, holder, module)
        definition = holder.definitions.get(node.id)
        if isinstance(definition, ast.ClassDef):
            return Kind("own", node.id)
        if definition:
            return FUNCTION
        if node.id in holder.parameters:
            return self._configuration(node.id)
        kinds = {self.kind(value, module, depth - 1) for value in holder.values[node.id]}
        return kinds.pop() if len(kinds) == 1 else self._configuration(node.id)

    def _kind_of_import(self, name: str, holder: Scope, module: Module) -> Kind:
        if len(holder.values[name]) > 1:
            return EXTERNAL
        node, alias = holder.imports[name]
        path = self.imported(module.path, node, alias)
        if path is None:
            return EXTERNAL
        if isinstance(node, ast.Import):
            return MODULE if alias.asname or "." not in alias.name else UNKNOWN
        if self.is_module(path, alias.name):
            return MODULE
        if alias.name in self.classes:
            return Kind("own", alias.name)
        return FUNCTION

    def is_module(self, path: str, name: str) -> bool:
        """Whether importing the name from the file means the file itself."""
        pure = PurePosixPath(path)
        stem = pure.parent.name if pure.name == "__init__.py" else pure.stem
        return stem == name and name not in self.modules[path].scopes.module.values

    def _configuration(self, name: str) -> Kind:
        return EXTERNAL if CONFIGURATION.search(name) and not self.has_configuration else UNKNOWN

    def _kind_of_attribute(self, node: ast.Attribute, module: Module, depth: int) -> Kind:
        base = self.kind(node.value, module, depth - 1)
        if base.what in {"instance", "own"}:
            return self._kind_of_member(base.name, node.attr, depth)
        if base.what == "super":
            return FUNCTION if self.is_inherited(base.name, node.attr) else EXTERNAL
        if base == MODULE:
            if node.attr in self.classes:
                return Kind("own", node.attr)
            return FUNCTION if node.attr in self.functions else UNKNOWN
        return EXTERNAL if base == EXTERNAL else self._configuration(node.attr)

    def _kind_of_member(self, class_name: str, name: str, depth: int) -> Kind:
        found: set[Kind] = set()
        for own in self.line(class_name):
            if name in own.methods:
                return FUNCTION
            found |= {self.kind(value, module, depth - 1) for value, module in own.stored.get(name, [])}
        return found.pop() if len(found) == 1 else self._configuration(name)

    def _kind_of_call(self, node: ast.Call, module: Module, depth: int) -> Kind:
        callee = self.kind(node.func, module, depth - 1)
        if callee.what == "own":
            return Kind("instance", callee.name)
        called = self.origin(node.func, module)
        if callee == EXTERNAL and called not in CONTAINERS | PASSES_THROUGH:
            if called == "super":
                scope = module.scopes.of[node].enclosing(ast.ClassDef)
                return Kind("super", scope.node.name) if scope and isinstance(scope.node, ast.ClassDef) else UNKNOWN
            return EXTERNAL
        return UNKNOWN

    def is_inherited(self, class_name: str, name: str) -> bool:
        """Whether a base of the class in this project defines the name."""
        return any(name in own.members() for own in self.line(class_name, itself=False))

    def origin(self, node: ast.expr, module: Module) -> str:
        """The last name of what is called, as its library calls it: import aliases undone."""
        name = terminal(node)
        holder = module.scopes.of[node].resolve(name) if isinstance(node, ast.Name) else None
        return holder.imports[name][1].name.split(".")[-1] if holder and name in holder.imports else name

    def line(self, class_name: str, itself: bool = True) -> Iterator[OwnClass]:
        """The class, then its own bases, nearest first; or the bases only."""
        seen: set[str] = set()
        pending = [class_name]
        while pending:
            name = pending.pop(0)
            own = self.classes.get(name)
            if name in seen or own is None:
                continue
            seen.add(name)
            if itself or name != class_name:
                yield own
            pending.extend(sorted(own.bases))


def terminal(node: ast.AST) -> str:
    """The last name of `a.b.c`, of what is called in `a.b()`, of what is subscripted in `a.b[c]`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def constant_string(node: ast.AST) -> str | None:
    """The text of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
