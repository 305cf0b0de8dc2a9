"""Visit the expressions of one function, and write some of them as others."""

from __future__ import annotations

import ast

from bench.disguise.blocks import Blocks
from bench.disguise.edits import READS_LOCALS
from bench.disguise.effects import FunctionNode, names
from bench.disguise.idioms import EXPRESSIONS, emptiness
from bench.disguise.layout import READS_HINTS
from bench.disguise.ownership import terminal
from bench.disguise.walking import walk

FORBIDS_GRAD = frozenset(["torch.no_grad", "torch.inference_mode", "torch.enable_grad"])


class Idioms(Blocks):
    """All edits of level L6 in one function."""

    def rewrite(self, class_name: str, parameters: list[str]) -> None:
        """Make the edits; for a method, with the name of its class and its own parameters."""
        self.no_grad()
        self.rewrite_blocks()
        visitor = _Visitor(self)
        for index, statement in enumerate(self.function.body):
            changed = visitor.visit(statement)
            assert isinstance(changed, ast.stmt)
            self.function.body[index] = changed
        if class_name and parameters:
            self.supers(class_name, parameters[0])

    def no_grad(self) -> None:
        """`with torch.no_grad():` around everything <-> a decorator."""
        self.current = "no grad"
        function = self.function
        if self._is_generator():
            return
        only = function.body[0] if len(function.body) == 1 else None
        if isinstance(only, ast.With) and len(only.items) == 1 and not only.items[0].optional_vars:
            guard = only.items[0].context_expr
            if self._forbids(guard) and not function.decorator_list and self.chosen():
                function.decorator_list, function.body = [guard], only.body
        elif len(function.decorator_list) == 1 and self._forbids(function.decorator_list[0]) and self.chosen():
            item = ast.withitem(function.decorator_list[0], None)
            function.decorator_list, function.body = [], [ast.With([item], function.body)]

    def _forbids(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and not node.args and self.module.origin(node.func) in FORBIDS_GRAD

    def supers(self, class_name: str, first: str) -> None:
        """`super()` <-> `super(C, self)`."""
        self.current = "super"
        if any(isinstance(node, ast.Name) and node.id == first and not isinstance(node.ctx, ast.Load)
               for node in walk(self.function)):  # fmt: skip
            return
        inside = {id(part) for node in walk(self.function) if isinstance(node, FunctionNode | ast.ClassDef | ast.Lambda)
                  if node is not self.function for part in walk(node)}  # fmt: skip
        for node in walk(self.function):
            if id(node) in inside or not self.module.called_builtin(node, "super"):
                continue
            assert isinstance(node, ast.Call)
            given = [part.id for part in node.args if isinstance(part, ast.Name)]
            if not node.args and self.chosen():
                node.args = [ast.Name(class_name, ast.Load()), ast.Name(first, ast.Load())]
            elif given == [class_name, first] and len(node.args) == 2 and self.chosen():
                node.args = []


class _Visitor(ast.NodeTransformer):
    """Inner expressions first; nothing in nested functions (they have their own turn), patterns and f-strings."""

    def __init__(self, editor: Idioms) -> None:
        self.editor = editor

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, FunctionNode | ast.ClassDef | ast.pattern):
            return node
        if not isinstance(node, ast.JoinedStr):
            self.generic_visit(node)
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            node.test = self._test(node.test)
        if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        for edit, idiom in EXPRESSIONS.items():
            new = idiom(node, self.editor.facts)
            if new is not None and self.editor.work.chosen(edit, self.editor.place):
                node = new
        return node

    def _test(self, node: ast.expr) -> ast.expr:
        """Edits that hold only where nothing but the truth of the value matters."""
        if isinstance(node, ast.BoolOp):
            node.values = [self._test(value) for value in node.values]
            return node
        new = emptiness(node, self.editor.facts)
        if new is not None and self.editor.work.chosen("emptiness", self.editor.place):
            return new
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and new is None:
            node.operand = self._test(node.operand)
        return node


def own_class(tree: ast.Module) -> dict[ast.AST, tuple[str, str]]:
    """Method -> its class as a name that can be read in it (empty if it cannot), and as it is called."""
    counts: dict[str, int] = {}
    for node in walk(tree):
        if isinstance(node, ast.ClassDef | FunctionNode):
            counts[node.name] = counts.get(node.name, 0) + 1
    found: dict[ast.AST, tuple[str, str]] = {}
    for node in walk(tree):
        if isinstance(node, ast.ClassDef):
            is_seen = node in tree.body and counts[node.name] == 1 and not node.decorator_list
            is_seen = is_seen and not any(
                isinstance(part, ast.Name) and part.id == node.name and not isinstance(part.ctx, ast.Load)
                for part in walk(tree)
            )
            for part in node.body:
                if isinstance(part, FunctionNode):
                    found[part] = (node.name if is_seen else "", node.name)
    return found


def first_parameters(function: FunctionNode) -> list[str]:
    """The positional parameters of a method that is bound to an object."""
    if any(isinstance(d, ast.Name) and d.id in {"staticmethod"} for d in function.decorator_list):
        return []
    return [part.arg for part in [*function.args.posonlyargs, *function.args.args]]


def is_plain(function: FunctionNode) -> bool:
    """Whether the function's statements may be edited at all."""
    decorators = {terminal(decorator) for decorator in function.decorator_list}
    return not names(function) & READS_LOCALS and not decorators & READS_HINTS
