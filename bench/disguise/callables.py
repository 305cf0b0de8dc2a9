"""Which function of the project a call means, where it can be no other."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from bench.disguise.effects import FunctionNode
from bench.disguise.ownership import terminal
from bench.disguise.walking import walk
from bench.disguise.work import Work

OTHER = frozenset("__new__ __call__ __init_subclass__".split())


@dataclass(eq=False)
class File:
    """What one file defines, and how often each name is bound in it."""

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    bound: Counter[str] = field(default_factory=Counter)
    has_star: bool = False  # any name may have another meaning than the file says


class Callables:
    """Functions by file; methods by class, with the classes that may override them."""

    def __init__(self, work: Work) -> None:
        self.files = {path: _file(tree) for path, tree in work.trees.items()}
        self.reads: Counter[str] = Counter()  # of names, attributes, and strings that may name one
        self.children: defaultdict[str, set[str]] = defaultdict(set)
        self.parents: defaultdict[str, set[str]] = defaultdict(set)
        self.names: set[str] = set()
        self.definers: defaultdict[str, set[str]] = defaultdict(set)  # method -> classes
        self.accounted: Counter[str] = Counter()  # reads of a method on `self` in a class that defines it
        self.attributes: Counter[str] = Counter()  # uses of an attribute, and strings that may name one
        self.on_self: Counter[str] = Counter()
        for tree in work.trees.values():
            for node in walk(tree):
                if isinstance(node, ast.Attribute):
                    self.attributes[node.attr] += 1
                    self.on_self[node.attr] += isinstance(node.value, ast.Name) and node.value.id == "self"
                if isinstance(node, ast.Name | ast.Attribute):
                    self.reads[terminal(node)] += isinstance(node.ctx, ast.Load)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    self.reads[node.value] += 1
                    self.attributes[node.value] += 1
                elif isinstance(node, ast.ClassDef):
                    self._class(node)

    def _class(self, node: ast.ClassDef) -> None:
        self.names.add(node.name)
        for base in node.bases:
            self.children[terminal(base)].add(node.name)
            self.parents[node.name].add(terminal(base))
        own = {part.name for part in node.body if isinstance(part, FunctionNode)}
        for name in own:
            self.definers[name].add(node.name)
        for part in walk(node):
            is_read = isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load) and part.attr in own
            if is_read and isinstance(part.value, ast.Name) and part.value.id == "self":  # type: ignore[attr-defined]
                self.accounted[part.attr] += 1  # type: ignore[attr-defined]

    def function(self, path: str, name: str) -> ast.FunctionDef | None:
        """The function that a bare name means in a file, if the file gives the name no other meaning anywhere."""
        file = self.files.get(path)
        return file.functions.get(name) if file and file.bound[name] == 1 and not file.has_star else None

    def is_alone(self, owner: str, method: str) -> bool:
        """Whether no class that is related to this one defines the method, too."""
        related = (self._line(owner, self.children) | self._line(owner, self.parents)) - {owner}
        return not self.definers[method] & related

    def is_related(self, name: str) -> bool:
        """Whether a class has descendants or ancestors in the project."""
        return bool(self.children[name] or self.parents[name] & self.names)

    def _line(self, name: str, graph: defaultdict[str, set[str]]) -> set[str]:
        seen, pending = {name}, [name]
        while pending:
            new = graph[pending.pop()] - seen
            seen |= new
            pending += new
        return seen

    def parameters(self, path: str, call: ast.Call, own: str) -> list[str] | None:
        """The positional parameters of what is called, without `self`; None where it may be anything else."""
        found: ast.FunctionDef | None = None
        is_bound = False
        file = self.files.get(path) or File()
        if isinstance(call.func, ast.Name):
            found = self.function(path, call.func.id)
            if found is None and file.bound[call.func.id] == 1 and not file.has_star:
                found, is_bound = _constructor(file.classes.get(call.func.id)), True
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            is_own = call.func.value.id == "self" and own in file.classes and self.is_alone(own, call.func.attr)
            found, is_bound = (_method(file.classes[own], call.func.attr) if is_own else None), True
        if found is None or found.decorator_list or found.args.vararg or found.args.posonlyargs:
            return None
        return [part.arg for part in found.args.args[int(is_bound) :]]


def _file(tree: ast.Module) -> File:
    file = File()
    for node in walk(tree):
        if isinstance(node, FunctionNode | ast.ClassDef):
            file.bound[node.name] += 1
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            file.bound[node.id] += 1
        elif isinstance(node, ast.arg):
            file.bound[node.arg] += 1
        elif isinstance(node, ast.Import | ast.ImportFrom):
            file.bound.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
            file.has_star |= any(alias.name == "*" for alias in node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            file.bound[node.name] += 1
    for part in tree.body:
        if isinstance(part, ast.FunctionDef):
            file.functions[part.name] = part
        elif isinstance(part, ast.ClassDef):
            file.classes[part.name] = part
    for owner in walk(tree):  # a method is no other meaning of a bare name
        if isinstance(owner, ast.ClassDef):
            file.bound.subtract(inner.name for inner in owner.body if isinstance(inner, FunctionNode))
    return file


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    found = [part for part in owner.body if isinstance(part, FunctionNode) and part.name == name]
    return found[0] if len(found) == 1 and isinstance(found[0], ast.FunctionDef) else None


def _constructor(owner: ast.ClassDef | None) -> ast.FunctionDef | None:
    """`__init__`, where calling the class can be nothing but calling that."""
    if owner is None or owner.decorator_list or owner.keywords:
        return None
    if any(isinstance(part, FunctionNode) and part.name in OTHER - {"__call__"} for part in owner.body):
        return None
    return _method(owner, "__init__")
