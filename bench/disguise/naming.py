"""Choose the new names of a project, and decide which old ones a library needs."""

from __future__ import annotations

import ast
import builtins
import keyword
import random
import re
from collections.abc import Iterator

from bench.disguise.libraries import CALLED_BY_KEYWORD, CONFIGURATION, EVERYDAY_ATTRIBUTES, FRAMEWORK
from bench.disguise.ownership import EXTERNAL, UNKNOWN, Kind, Module, Project, constant_string, terminal
from bench.disguise.scopes import Scope

BY_NAME = frozenset({"getattr", "setattr", "hasattr", "delattr"})
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


class Naming:
    """The new names: one for each attribute, global and parameter of the project, one for each local of a scope."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.random = random.Random(seed)
        self.taken = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
        for module in project.modules.values():
            for node in ast.walk(module.tree):
                self.taken.update(text for _, text in ast.iter_fields(node) if isinstance(text, str))
        self.known: dict[tuple[object, str], str] = {}
        self.kept = set(_kept_everywhere(project))
        self.kept_attributes = set(_kept_attributes(project)) | FRAMEWORK
        self.kept_parameters = set(_kept_parameters(project)) | {"self", "cls"}

    def attribute(self, name: str) -> str:
        if name in self.kept_attributes or name not in self.project.attributes:
            return name
        return self._new("attribute", name)

    def parameter(self, name: str) -> str:
        if name in self.kept_parameters or name not in self.project.parameters:
            return name
        return self._new("parameter", name)

    def is_foreign_keyword(self, called: str, word: str) -> bool:
        """Whether a keyword of a callee that is not known is more likely a library's."""
        return False

    def top(self, name: str) -> str:
        return self._new("top", name)

    def local(self, scope: Scope, name: str) -> str:
        return self._new(scope, name)

    def _new(self, kind: object, name: str) -> str:
        if (name.startswith("__") and name.endswith("__")) or not name.strip("_") or name in self.kept:
            return name
        if (kind, name) not in self.known:
            self.known[kind, name] = self._fresh(name)
        return self.known[kind, name]

    def _fresh(self, name: str) -> str:
        """A name of the same style: underscores in front, capitals."""
        bare = name.lstrip("_")
        while True:
            word = "".join(
                self.random.choice(CONSONANTS) + self.random.choice(VOWELS) for _ in range(self.random.randint(2, 4))
            )
            if bare.isupper() and len(bare) > 1:
                word = word.upper()
            elif bare[0].isupper():
                word = word.capitalize()
            word = name[: len(name) - len(bare)] + word
            if word not in self.taken:
                self.taken.add(word)
                return word


def _kept_everywhere(project: Project) -> Iterator[str]:
    """Names that mean something outside a class until they are bound in its body (`size = size`)."""
    for module in project.modules.values():
        for scope in module.scopes.opened.values():
            if isinstance(scope.node, ast.ClassDef) and scope.parent:
                yield from (
                    name for name in scope.values if scope.parent.resolve(name) and _is_read(name, scope, module)
                )


def _is_read(name: str, scope: Scope, module: Module) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for node in ast.walk(scope.node)
        if module.scopes.of.get(node) is scope
    )


def _kept_attributes(project: Project) -> Iterator[str]:
    """Attributes whose new name a library, or an object that may be a library's, would not know."""
    read, on_unknown, on_external = set(), set(), set()
    for module in project.modules.values():
        is_dynamic, texts = False, set()
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.Call) and terminal(node.func) in BY_NAME and len(node.args) > 1:
                is_dynamic |= constant_string(node.args[1]) is None and project.kind(node.args[0], module) != EXTERNAL
                read.add(constant_string(node.args[1]) or "")
            if isinstance(node, ast.Call) and project.origin(node.func, module) in {"namedtuple", "make_dataclass"}:
                yield from (word for part in ast.walk(node) for word in re.findall(r"\w+", constant_string(part) or ""))
            if not isinstance(node, ast.Attribute):
                continue
            if not isinstance(node.ctx, ast.Store):
                read.add(node.attr)
            kind = project.kind(node.value, module)
            if kind == UNKNOWN:
                on_unknown.add(node.attr)
            elif kind == EXTERNAL and not _is_library_module(node.value, module):
                on_external.add(node.attr)
            elif _comes_from_library(project, kind, node.attr):
                yield node.attr
        if is_dynamic:
            yield from texts & project.attributes
    yield from on_external | (on_unknown & EVERYDAY_ATTRIBUTES)
    for name, own in project.classes.items():
        if any(base.has_foreign_base for base in project.line(name)):
            yield from own.fields
            yield from set(own.methods) - read


def _is_library_module(node: ast.expr, module: Module) -> bool:
    """Whether the expression is a library's module or a configuration: what they have says nothing of other objects."""
    if CONFIGURATION.search(terminal(node)):
        return True
    while isinstance(node, ast.Attribute):
        node = node.value
    scope = module.scopes.of[node]
    holder = scope.resolve(node.id) if isinstance(node, ast.Name) else None
    return bool(holder and isinstance(node, ast.Name) and node.id in holder.imports)


def _comes_from_library(project: Project, kind: Kind, name: str) -> bool:
    """Whether the attribute is nobody's in the class or its bases here, and a library's base class may well have it."""
    if kind.what == "super":
        return not project.is_inherited(kind.name, name)
    if kind.what not in {"instance", "own"} or all(own.is_plain for own in project.line(kind.name)):
        return False
    return not any(name in own.members() for own in project.line(kind.name))


def _kept_parameters(project: Project) -> Iterator[str]:
    """Parameters that a library fills by their names."""
    for functions in project.functions.values():
        for function in functions:
            names = {terminal(decorator) for decorator in function.decorator_list}
            if names & CALLED_BY_KEYWORD or function.name.startswith("test_"):
                yield from (arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg))
