"""What the editors of one function share: their rates, their names, what is known of the code around."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable

from bench.disguise.edits import Block, FunctionEditor
from bench.disguise.effects import FunctionNode
from bench.disguise.facts import FunctionFacts, ModuleFacts
from bench.disguise.walking import walk
from bench.disguise.work import Work

COUNTING = frozenset(["inline", "comprehension"])


class Rewriter(FunctionEditor):
    """Edits one function at the rates of the level."""

    def __init__(self, work: Work, path: str, module: ModuleFacts, function: FunctionNode, own: str = "") -> None:
        self.work, self.module, self.own = work, module, own  # the class that the function is a method of
        self.used = {name for node in walk(function) for name in _names(node)}
        super().__init__(function, work.chance, 1.0, lambda: work.words.local(self.used))
        self.facts = FunctionFacts(function, module)
        self.place = f"{path}:{own}.{function.name}"
        self.current = ""

    def chosen(self) -> bool:
        """Whether to make the current edit in this place."""
        return self.work.chosen(self.current, self.place)

    def make(self, edit: str, change: Callable[[Block], Block]) -> None:
        """Make one edit in all blocks of the function."""
        if self.work.rates.of(edit, self.place) > 0:
            self.current = edit
            self.apply(change)

    def counted(self) -> Counter[str]:
        """How often each name stands in the function; only for edits that ask."""
        return super().counted() if self.current in COUNTING else Counter()

    def learn(self) -> None:
        """Look at the function again after it was changed."""
        self.facts = FunctionFacts(self.function, self.module)
        self.escaping = self.facts.escaping


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.FunctionDef | ast.ClassDef) or (isinstance(node, ast.ExceptHandler) and node.name):
        return [node.name or ""]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return []
