"""Move functions and classes to other files, and mend the imports."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath

from bench.disguise.effects import FunctionNode
from bench.disguise.files import Parts, Paths, parts_of
from bench.disguise.scopes import Scopes
from bench.disguise.walking import walk
from bench.disguise.work import Work

FIXED = frozenset(["__init__.py", "__main__.py", "setup.py", "conftest.py"])
TIED = frozenset("__file__ __name__ __package__ __path__ globals locals vars".split())


@dataclass(frozen=True, slots=True)
class Move:
    """A definition that can live elsewhere, and the imports that it takes along."""

    node: ast.FunctionDef | ast.ClassDef
    imports: tuple[tuple[str, ast.Import | ast.ImportFrom, ast.alias], ...]


def move_definitions(work: Work) -> None:
    """Move definitions that need nothing else of their file, into other files of the folder or into new ones."""
    mover = _Mover(work)
    for path in sorted(work.trees):
        if PurePosixPath(path).name not in FIXED:
            mover.move_from(path)


class _Mover:
    """Knows which file imports which, and what each file has names for."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.paths = Paths(list(work.trees))
        self.graph = _graph(work, self.paths)
        self.scopes: dict[str, Scopes] = {}  # of the files that did not change since

    def move_from(self, path: str) -> None:
        """Move some of what a file defines."""
        chance = self.work.chance
        fresh = ""
        around = parts_of(path)[:-1]
        if around and around not in self.paths.files:  # no package: its files import each other in unknown ways
            return
        for move in _moves(self.work.trees[path], self._scopes(path)):
            if self.work.rates.of("move", path) <= chance.random():
                continue
            others = self._neighbours(path)
            others = [other for other in chance.sample(others, min(3, len(others))) if self._accepts(path, other, move)]
            if not fresh and (not others or chance.random() < 0.4):
                fresh = str(PurePosixPath(path).parent / f"{self.work.words.file()}.py")
                self.work.trees[fresh] = ast.Module([], [])
                self.paths = Paths(list(self.work.trees))
            target = fresh if fresh and (not others or chance.random() < 0.6) else others[0]
            if self._accepts(path, target, move):
                self.work.applied["move"] += 1
                self._move(path, target, move)

    def _scopes(self, path: str) -> Scopes:
        if path not in self.scopes:
            self.scopes[path] = Scopes(self.work.trees[path])
        return self.scopes[path]

    def _neighbours(self, path: str) -> list[str]:
        folder = PurePosixPath(path).parent
        return [
            other for other in sorted(self.work.trees)
            if other != path and PurePosixPath(other).parent == folder and PurePosixPath(other).name not in FIXED
        ]  # fmt: skip

    def _accepts(self, path: str, target: str, move: Move) -> bool:
        """Whether a file has no other use for any of the names, and no file would come to import itself."""
        tree, scopes = self.work.trees[target], self._scopes(target)
        known = {name for scope in scopes.opened.values() for name in scope.values}
        known |= {node.id for node in scopes.of if isinstance(node, ast.Name)}
        if move.node.name in known or has_star(tree):
            return False
        needed: set[str] = set()
        for name, statement, alias in move.imports:
            if name in known and not _is_same(scopes, name, statement, alias, path, target, self.paths):
                return False
            found = self.paths.resolve(path, statement) if isinstance(statement, ast.ImportFrom) else None
            if found:
                needed |= _files(self.paths, target, found[0]) | _files(self.paths, target, (*found[0], alias.name))
        if target in needed or _reaches(self.graph, target, path):
            return False
        return not any(_reaches(self.graph, other, end) for other in needed for end in (target, path))

    def _move(self, path: str, target: str, move: Move) -> None:
        source, tree = self.work.trees[path], self.work.trees[target]
        known = self._scopes(target).module.values
        new_imports: list[ast.stmt] = []
        for name, statement, alias in move.imports:
            found = self.paths.resolve(path, statement) if isinstance(statement, ast.ImportFrom) else None
            if name in known:
                continue
            new_imports.append(_copied_import(statement, alias, found, target, self.paths))
            if found:
                new = _files(self.paths, target, found[0]) | _files(self.paths, target, (*found[0], alias.name))
                self.graph[target] |= new
        source.body.remove(move.node)
        head = _head(tree)
        tree.body[head:head] = new_imports
        tree.body.insert(_place(self.work, tree), move.node)
        self.graph[path].add(target)
        moved = [ast.alias(move.node.name, None)]
        parts = parts_of(target)
        back = ast.ImportFrom(parts[-1], moved, int(len(parts) > 1))
        source.body.insert(_head(source), back)
        self.scopes.pop(path, None)
        self.scopes.pop(target, None)


def _copied_import(
    statement: ast.Import | ast.ImportFrom,
    alias: ast.alias,
    found: tuple[Parts, Parts] | None,
    target: str,
    paths: Paths,
) -> ast.stmt:
    copied = ast.alias(alias.name, alias.asname)
    if isinstance(statement, ast.Import):
        return ast.Import([copied])
    if found and statement.level:
        level, module = paths.relative(target, found[0])
        return ast.ImportFrom(module or None, [copied], level)
    return ast.ImportFrom(statement.module, [copied], 0)


def has_star(tree: ast.Module) -> bool:
    """Whether a module takes names that it does not say."""
    return any(alias.name == "*" for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names)


def _graph(work: Work, paths: Paths) -> defaultdict[str, set[str]]:
    """File -> the files that it imports, the packages around those included."""
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for path, tree in work.trees.items():
        for parts in paths.imports(path, tree):
            graph[path] |= _files(paths, path, parts)
    for path in work.trees:
        graph[path] |= set()
    return graph


def _files(paths: Paths, path: str, parts: Parts) -> set[str]:
    around = parts_of(path)
    found = {paths.files.get(parts, "")}
    found |= {
        paths.files.get(parts[:count], "") for count in range(1, len(parts)) if parts[:count] != around[:count]
    }  # fmt: skip
    return found - {"", path}


def _reaches(graph: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, pending = {start}, [start]
    while pending:
        here = pending.pop()
        if here == goal:
            return True
        new = graph.get(here, set()) - seen
        seen |= new
        pending += new
    return False


def _moves(tree: ast.Module, scopes: Scopes) -> list[Move]:
    top = scopes.module
    found: list[Move] = []
    if has_star(tree):
        return found
    for node in tree.body:
        if (
            not isinstance(node, ast.FunctionDef | ast.ClassDef)
            or node.decorator_list
            or len(top.values[node.name]) != 1
        ):
            continue
        used: set[str] = set()
        is_tied = False
        for part in walk(node):
            is_tied |= isinstance(part, ast.Global)
            if isinstance(part, ast.Name):
                holder = scopes.of[part].resolve(part.id)
                if holder is top and part.id != node.name:
                    used.add(part.id)
                is_tied |= holder is None and (not hasattr(builtins, part.id) or part.id in TIED)
        imports = []
        for name in sorted(used):
            statement, alias = top.imports.get(name, (None, None))
            if statement is None or alias is None or statement not in tree.body or len(top.values[name]) != 1:
                is_tied = True
                break
            if isinstance(statement, ast.Import) and "." in alias.name and not alias.asname:
                is_tied = True
            imports.append((name, statement, alias))
        if not is_tied:
            found.append(Move(node, tuple(imports)))
    return found


def _is_same(
    scopes: Scopes, name: str, statement: ast.stmt, alias: ast.alias, path: str, target: str, paths: Paths
) -> bool:
    """Whether a name already means the very same import, everywhere in a file."""
    if sum(name in scope.values for scope in scopes.opened.values()) != 1 or name not in scopes.module.imports:
        return False
    other, known = scopes.module.imports[name]
    if len(scopes.module.values[name]) != 1 or type(other) is not type(statement) or known.name != alias.name:
        return False
    if isinstance(other, ast.ImportFrom) and isinstance(statement, ast.ImportFrom):
        here, there = paths.resolve(path, statement), paths.resolve(target, other)
        return here == there if here or there else other.module == statement.module
    return known.asname == alias.asname


def _place(work: Work, tree: ast.Module) -> int:
    """A place between definitions, after the imports."""
    spots = [index for index, node in enumerate(tree.body) if isinstance(node, FunctionNode | ast.ClassDef)]
    return work.chance.choice([*spots, len(tree.body)]) if spots and not _has_main(tree) else max(_head(tree), 0)


def _has_main(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.If) for node in tree.body)


def _head(tree: ast.Module) -> int:
    """Where new imports go: after the first block of imports."""
    index = 0
    for index, node in enumerate(tree.body):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, ast.Import | ast.ImportFrom) and not is_text:
            return index
    return len(tree.body)
