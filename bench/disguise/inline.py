"""Put the code of small helpers where they are called."""

from __future__ import annotations

import ast
import copy
from collections import Counter

from bench.disguise.blocks import load, stores
from bench.disguise.callables import Callables
from bench.disguise.edits import Block
from bench.disguise.effects import (
    SUSPENDS,
    FunctionNode,
    evaluated_first,
    is_dotted,
    is_movable,
    is_pure,
    is_super,
    names,
)
from bench.disguise.extract import size
from bench.disguise.libraries import FRAMEWORK
from bench.disguise.liveness import blocks
from bench.disguise.statements import assign
from bench.disguise.walking import walk
from bench.disguise.work import HOST, Work

SCOPED = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
LONGEST = 8  # statements of a body that is put into another


class Helper:
    """A small function or method that can be no other where it is called."""

    def __init__(self, node: ast.FunctionDef, holder: list[ast.stmt], owner: ast.ClassDef | None) -> None:
        self.node, self.holder, self.owner = node, holder, owner
        self.parameters = [part.arg for part in node.args.args]
        self.hosts: list[FunctionNode] = []
        self.count = 0  # calls that were replaced

    def expression(self) -> ast.expr | None:
        """What it returns, if that is all that it does."""
        only = self.node.body[0] if len(self.node.body) == 1 else None
        return only.value if isinstance(only, ast.Return) else None

    def is_straight(self) -> bool:
        """Whether its body runs to its end and returns there, if anywhere."""
        inner = [node for statement in self.node.body for node in walk(statement)]
        returned = [node for node in inner if isinstance(node, ast.Return)]
        if any(node is not self.node.body[-1] for node in returned) or size(self.node.body) > LONGEST:
            return False
        forbidden = FunctionNode | ast.ClassDef | ast.Global | ast.Nonlocal | ast.Import | ast.ImportFrom | SCOPED
        return not any(isinstance(node, (forbidden, SUSPENDS)) for node in inner)

    def bound(self, call: ast.Call) -> dict[str, ast.expr] | None:
        """Parameter -> argument, in the order of evaluation; None where it cannot be told."""
        parameters = self.parameters[1:] if self.owner else self.parameters
        if any(isinstance(part, ast.Starred) for part in call.args) or len(call.args) > len(parameters):
            return None
        found = dict(zip(parameters, call.args, strict=False))
        for word in call.keywords:
            if word.arg is None or word.arg in found or word.arg not in parameters:
                return None
            found[word.arg] = word.value
        count = len(self.node.args.defaults)
        defaults = dict(zip(self.parameters[len(self.parameters) - count :], self.node.args.defaults, strict=True))
        for name in parameters:
            if name not in found:
                if not isinstance(defaults.get(name), ast.Constant):
                    return None
                found[name] = defaults[name]
        return found


def inline_helpers(work: Work) -> None:
    """Inline helpers into the functions of their file, and drop those that nobody needs any more."""
    callables = Callables(work)
    imported = Counter(
        alias.name for tree in work.trees.values() for node in walk(tree)
        if isinstance(node, ast.ImportFrom) for alias in node.names
    )  # fmt: skip
    for path, tree in list(work.trees.items()):
        for helper in _helpers(path, tree, callables):
            before = _uses(tree, helper)
            _inline_everywhere(work, tree, helper)
            is_gone = bool(helper.hosts) and before == helper.count and imported[helper.node.name] == 0
            if is_gone and not _is_read(work, tree, helper):
                helper.holder.remove(helper.node)
                helper.holder[:] = helper.holder or [ast.Pass()]
                for host in helper.hosts:
                    work.add(host, helper.node, HOST)


def _uses(tree: ast.Module, helper: Helper) -> int:
    """How often the helper's file names it."""
    name = helper.node.name
    return sum(
        (node.id == name if isinstance(node, ast.Name) else node.attr == name)
        for node in walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )


def _is_read(work: Work, tree: ast.Module, helper: Helper) -> bool:
    """Whether anything may still mean the helper: a function in its file or as an attribute, a method anywhere."""
    name = helper.node.name
    for other in work.trees.values():
        for node in walk(other):
            is_name = isinstance(node, ast.Name) and other is tree and node.id == name
            is_text = isinstance(node, ast.Constant) and node.value == name
            if is_name or is_text or (isinstance(node, ast.Attribute) and node.attr == name):
                return True
    return False


def _helpers(path: str, tree: ast.Module, callables: Callables) -> list[Helper]:
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.append(Helper(node, tree.body, None))
        elif isinstance(node, ast.ClassDef):
            found += [Helper(part, node.body, node) for part in node.body if isinstance(part, ast.FunctionDef)]
    return [helper for helper in found if _is_small(path, helper, callables)]


def _is_small(path: str, helper: Helper, callables: Callables) -> bool:
    node = helper.node
    arguments = node.args
    is_plain = not (
        node.decorator_list or arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs
    )
    if helper.owner:
        is_own = callables.is_alone(helper.owner.name, node.name) and not node.name.startswith("__")
        is_own = is_own and node.name not in FRAMEWORK
    else:
        is_own = callables.function(path, node.name) is node
    if not is_plain or not is_own or node.name in names(node) or (helper.owner and helper.parameters[:1] != ["self"]):
        return False
    inner = [part for statement in node.body for part in walk(statement)]
    if any((isinstance(part, ast.Attribute) and part.attr == node.name) or is_super(part) for part in inner):
        return False
    is_mangled = any(isinstance(part, ast.Attribute) and part.attr.startswith("__") for part in inner)
    expression = helper.expression()
    is_short = expression is not None and is_movable(expression) and len(ast.unparse(expression)) < 150
    return not is_mangled and (is_short or helper.is_straight())


def _inline_everywhere(work: Work, tree: ast.Module, helper: Helper) -> None:
    for node in list(tree.body):
        parts = node.body if isinstance(node, ast.ClassDef) else [node]
        for part in parts:
            is_same_class = helper.owner is None or helper.owner is node
            if not isinstance(part, ast.FunctionDef) or part is helper.node or not is_same_class:
                continue
            if helper.owner and [arg.arg for arg in part.args.args[:1]] != ["self"]:
                continue
            free = names(helper.node.body) - set(helper.parameters) - stores(helper.node.body)
            own = stores(part.body) | {arg.arg for arg in walk(part) if isinstance(arg, ast.arg)}
            if free & own:  # a name would mean another thing there
                continue
            inliner = _Inliner(work, helper, part)
            inliner.inline()
            if inliner.count:
                helper.hosts.append(part)
                helper.count += inliner.count
                work.add(part, helper.node, HOST)


class _Inliner:
    """One helper into one function."""

    def __init__(self, work: Work, helper: Helper, host: ast.FunctionDef) -> None:
        self.work, self.helper, self.host = work, helper, host
        self.count = 0
        self.place = f"{host.name}"

    def inline(self) -> None:
        expression = self.helper.expression()
        if expression is not None:
            replacer = _Expressions(self, expression)
            for statement in self.host.body:
                replacer.visit(statement)
            return
        for block, _, _ in list(blocks(self.host)):
            self._in_block(block)

    def is_call(self, node: ast.AST | None) -> bool:
        """Whether it calls the helper."""
        if not isinstance(node, ast.Call):
            return False
        if self.helper.owner is None:
            return isinstance(node.func, ast.Name) and node.func.id == self.helper.node.name
        func = node.func
        is_self = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self"
        return is_self and isinstance(func, ast.Attribute) and func.attr == self.helper.node.name

    def _in_block(self, block: Block) -> None:
        changed: Block = []
        for statement in block:
            value = getattr(statement, "value", None)
            is_whole = isinstance(statement, ast.Assign | ast.Return | ast.Expr) and self.is_call(value)
            new = self._body(statement, value) if is_whole and isinstance(value, ast.Call) else None
            changed += new or [statement]
        block[:] = changed

    def _body(self, statement: ast.stmt, call: ast.Call) -> Block | None:
        bound = self.helper.bound(call)
        if bound is None or not all(is_movable(value) for value in bound.values()):
            return None
        if not self.work.chosen("inline body", self.place):
            return None
        self.count += 1
        used = {node.id for node in walk(self.host) if isinstance(node, ast.Name)}
        used |= {node.arg for node in walk(self.host) if isinstance(node, ast.arg)} | names(self.helper.node)
        changed = stores(self.helper.node.body)
        new: dict[str, ast.expr] = {name: load(self.work.words.local(used)) for name in sorted(changed - set(bound))}
        before: Block = []
        for name, value in bound.items():
            is_kept = isinstance(value, ast.Constant | ast.Name)
            if name not in changed and is_kept:
                new[name] = value
            else:
                fresh = self.work.words.local(used)
                new[name] = load(fresh)
                before.append(assign(fresh, copy.deepcopy(value)))
        body = [_Substitute(new).visit(copy.deepcopy(part)) for part in self.helper.node.body]
        last = body[-1] if body and isinstance(body[-1], ast.Return) else None
        result: ast.expr = (last.value if last else None) or ast.Constant(None)
        body = body[:-1] if last else body
        if isinstance(statement, ast.Expr) and (last is None or isinstance(result, ast.Constant | ast.Name)):
            return [*before, *body] or [ast.Pass()]
        assert isinstance(statement, ast.Assign | ast.Return | ast.Expr)
        statement.value = result
        return [*before, *body, statement]


class _Expressions(ast.NodeTransformer):
    """Replaces calls of a helper by what it returns."""

    def __init__(self, inliner: _Inliner, expression: ast.expr) -> None:
        self.inliner, self.expression = inliner, expression

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, FunctionNode | ast.ClassDef | ast.JoinedStr | ast.pattern):
            return node
        self.generic_visit(node)
        if isinstance(node, ast.Call) and self.inliner.is_call(node):
            bound = self.inliner.helper.bound(node)
            if (
                bound is not None
                and self._fits(bound)
                and self.inliner.work.chosen("inline helper", self.inliner.place)
            ):
                self.inliner.count += 1
                return _Substitute(bound).visit(copy.deepcopy(self.expression))  # type: ignore[no-any-return]
        return node

    def _fits(self, bound: dict[str, ast.expr]) -> bool:
        """Whether evaluating the arguments inside of the expression is the same as before it."""
        inner = {
            part.id for node in walk(self.expression) if isinstance(node, SCOPED) for part in walk(node)
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
        } | {part.arg for part in walk(self.expression) if isinstance(part, ast.arg)}  # fmt: skip
        if inner & ({name for value in bound.values() for name in names(value)} | set(bound)):
            return False
        counts = Counter(node.id for node in walk(self.expression) if isinstance(node, ast.Name))
        complex_ones = [name for name, value in bound.items() if not isinstance(value, ast.Name | ast.Constant)]
        scoped = {
            name for node in walk(self.expression) if isinstance(node, SCOPED) for name in names(node)
        }  # fmt: skip
        for name in complex_ones:
            is_once = counts[name] == 1 or (is_dotted(bound[name]) and counts[name] <= 2)
            if not is_once or name in scoped or not is_movable(bound[name]):
                return False
        if all(is_pure(bound[name]) for name in complex_ones) and (not complex_ones or is_pure(self.expression)):
            return True
        if len(complex_ones) != 1:
            return False
        first = [
            slot.node.id for slot in evaluated_first(ast.Return(self.expression)) if isinstance(slot.node, ast.Name)
        ]
        return bool(first) and first[0] == complex_ones[0]


class _Substitute(ast.NodeTransformer):
    def __init__(self, new: dict[str, ast.expr]) -> None:
        self.new = new

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.new.get(node.id)
        if value is None:
            return node
        if isinstance(node.ctx, ast.Load):
            return copy.deepcopy(value)
        return ast.Name(value.id, node.ctx) if isinstance(value, ast.Name) else node
