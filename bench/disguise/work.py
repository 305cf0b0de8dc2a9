"""A project while it is being disguised: its trees, where each function comes from, what was done so far."""

from __future__ import annotations

import ast
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.declared import definitions
from bench.disguise.rates import Rates
from bench.disguise.walking import walk
from bench.disguise.words import Words

Key = tuple[str, str]  # path, qualname
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

WHOLE = "whole"  # the function itself, or what is left of it
PART = "part"  # a new function that holds a piece of it
HOST = "host"  # another function that it was inlined into


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Where code of an original function is in the mutant, and as what."""

    key: Key
    role: str  # WHOLE, PART or HOST


@dataclass(frozen=True, slots=True)
class Disguised:
    """A mutant, and the truth about it."""

    files: Mapping[str, str]  # path -> text
    truth: Mapping[Key, tuple[Target, ...]]  # every function of the original -> where its code is
    applied: Mapping[str, int]  # edit -> how often


class Work:
    """What the edits share. A function keeps its node, so that it is known wherever it is moved."""

    def __init__(self, files: Mapping[str, str], rates: Rates, seed: int) -> None:
        self.rates = rates
        self.chance = random.Random(f"disguise:{seed}")
        self.trees: dict[str, ast.Module] = {}
        self.unread: dict[str, str] = {}  # not Python 3: stays
        self.came_from: dict[ast.AST, dict[Key, str]] = {}
        self.keys: list[Key] = []
        self.applied: Counter[str] = Counter()
        for path in sorted(files):
            try:
                self.trees[path] = ast.parse(files[path])
            except (SyntaxError, ValueError):
                self.unread[path] = files[path]
        for path, tree in self.trees.items():
            for qualname, node in definitions(tree, nested=True):
                if isinstance(node, FunctionNode):
                    self.came_from[node] = {(path, qualname): WHOLE}
                    self.keys.append((path, qualname))
        self.words = Words(self.chance, self.strings())

    def strings(self) -> set[str]:
        """Every name and every string of the project."""
        return {
            text
            for tree in self.trees.values()
            for node in walk(tree)
            for _, field in ast.iter_fields(node)
            for text in (field if isinstance(field, list) else [field])
            if isinstance(text, str)
        }

    def chosen(self, edit: str, place: str = "") -> bool:
        """Whether to make an edit that is possible here; counted as made."""
        is_chosen = self.chance.random() < self.rates.of(edit, place)
        self.applied[edit] += is_chosen
        return is_chosen

    def settle(self) -> None:
        """Parse what was built anew: no node is in two places, every node has its position."""
        for path in self.trees:
            old = self.trees[path]
            new = ast.parse(ast.unparse(ast.fix_missing_locations(old)))
            for before, after in zip(functions(old), functions(new), strict=True):
                if before in self.came_from:
                    self.came_from[after] = self.came_from[before]
            self.trees[path] = new

    def add(self, node: FunctionNode, origin: FunctionNode, role: str) -> None:
        """Note that a function holds code of what another one came from."""
        known = self.came_from.setdefault(node, {})
        for key in self.came_from.get(origin, {}):
            known.setdefault(key, role)

    def truth(self) -> dict[Key, tuple[Target, ...]]:
        """Where the code of every original function is now."""
        found: defaultdict[Key, set[Target]] = defaultdict(set)
        for path, tree in self.trees.items():
            for qualname, node in definitions(tree, nested=True):
                for key, role in self.came_from.get(node, {}).items():
                    found[key].add(Target((path, qualname), role))
        return {key: tuple(sorted(found[key], key=lambda target: (target.role != WHOLE, target))) for key in self.keys}


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Every function in a tree, in an order that depends on the tree's form alone."""
    return (node for node in walk(tree) if isinstance(node, FunctionNode))
