"""Regroup statements: temporaries, tuples, augmented assignment, order, keywords."""

from __future__ import annotations

import ast

from bench.disguise.callables import Callables
from bench.disguise.edits import ORDERED_KEYWORDS, Block
from bench.disguise.effects import FunctionNode, evaluated_first, is_movable, is_pure
from bench.disguise.facts import ModuleFacts
from bench.disguise.rewriter import Rewriter
from bench.disguise.statements import assign, stored_name
from bench.disguise.walking import walk
from bench.disguise.work import Work


class Regrouper(Rewriter):
    """The edits of level L5 in one function."""

    def __init__(
        self, work: Work, path: str, module: ModuleFacts, function: FunctionNode, own: str, callables: Callables
    ) -> None:
        super().__init__(work, path, module, function, own)
        self.callables, self.path = callables, path

    def regroup(self) -> None:
        """Make all edits in turn."""
        self.make("inline", self.inline)
        self.make("split", self.split_chain)
        self.make("name result", self.name_result)
        self.make("augment", self.augment)
        self.make("unchain", self.unchain)
        self.make("tuples", self.tuples)
        self.make("reorder", self.reorder)
        for node in walk(self.function):
            if isinstance(node, ast.Call):
                self.current = "keyword or positional"
                self.keyword_or_positional(node)
                self.current = "keyword order"
                self.keyword_order(node)

    def inline(self, block: Block) -> Block:
        """`t = e; f(t)` -> `f(e)`, for a `t` that is used nowhere else."""
        kept: Block = []
        for statement in block:
            name = stored_name(kept[-1]) if kept else None
            if name and self.count[name] == 2 and self._is_private(name) and self._inlined(kept[-1], name, statement):
                kept.pop()
            kept.append(statement)
        return kept

    def _inlined(self, before: ast.stmt, name: str, statement: ast.stmt) -> bool:
        assert isinstance(before, ast.Assign)
        if not is_movable(before.value) or len(ast.unparse(before.value)) > 100:
            return False
        for slot in evaluated_first(statement):
            if isinstance(slot.node, ast.Name) and slot.node.id == name and self.chosen():
                slot.put(before.value)
                return True
        return False

    def name_result(self, block: Block) -> Block:
        """`return e` -> `result = e; return result`."""
        last = block[-1] if block else None
        is_worth = isinstance(last, ast.Return) and isinstance(
            last.value, ast.Call | ast.BinOp | ast.Tuple | ast.Subscript
        )
        if isinstance(last, ast.Return) and last.value and is_worth and is_movable(last.value) and self.chosen():
            name = self.fresh()
            return [*block[:-1], assign(name, last.value), ast.Return(ast.Name(name, ast.Load()))]
        return block

    def unchain(self, block: Block) -> Block:
        """`a = b = e` -> `a = e; b = a`."""
        changed: Block = []
        for statement in block:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            is_pair = len(targets) == len(names) == 2 and names[0] != names[1]
            is_private = not self.is_guarded and not set(names) & self.escaping
            if isinstance(statement, ast.Assign) and is_pair and is_private and self.chosen():
                changed += [assign(names[0], statement.value), assign(names[1], ast.Name(names[0], ast.Load()))]
            else:
                changed.append(statement)
        return changed

    def keyword_or_positional(self, call: ast.Call) -> None:
        """`f(a, k=b)` <-> `f(a, b)` for functions of the project that can be no others."""
        parameters = self.callables.parameters(self.path, call, self.own)
        if parameters is None or any(isinstance(part, ast.Starred) for part in call.args):
            return
        words = call.keywords
        if words and len(call.args) < len(parameters) and words[0].arg == parameters[len(call.args)]:
            if self.chosen():
                call.args.append(words.pop(0).value)
        elif call.args and len(call.args) <= len(parameters) and self.chosen():
            word = parameters[len(call.args) - 1]
            if all(other.arg not in {word, None} for other in words):
                words.insert(0, ast.keyword(word, call.args.pop()))

    def keyword_order(self, node: ast.Call) -> None:
        """Shuffle keyword arguments whose evaluation does nothing."""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_safe = all(word.arg and is_pure(word.value) for word in node.keywords)
        if len(node.keywords) > 1 and is_safe and called not in ORDERED_KEYWORDS and self.chosen():
            before = list(node.keywords)
            while node.keywords == before:
                self.chance.shuffle(node.keywords)
