"""Take a run of statements out of a function and make it a function of its own."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.disguise.blocks import bindings, has_jump, load, store, stores
from bench.disguise.edits import Block
from bench.disguise.effects import FunctionNode, escaping, is_super
from bench.disguise.liveness import Needs, blocks, reads
from bench.disguise.walking import walk
from bench.disguise.work import PART, Work

FORBIDDEN = (ast.Return | ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal | ast.Delete | ast.NamedExpr
             | FunctionNode | ast.ClassDef | ast.Import | ast.ImportFrom | ast.AsyncFor | ast.AsyncWith | ast.Match
             | ast.Raise)  # fmt: skip
SCOPED = ast.Lambda | ast.GeneratorExp
LEAST, MOST = 3, 14  # statements, nested ones included


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring statements, the names that they need from before, and the names that are needed after them."""

    block: Block
    start: int
    end: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def statements(self) -> Block:
        """The statements themselves."""
        return self.block[self.start : self.end]


def size(block: Block) -> int:
    """How many statements there are, nested ones included."""
    return sum(isinstance(node, ast.stmt) for statement in block for node in walk(statement))


def runs(
    function: FunctionNode, chance: random.Random, least: int = LEAST, most: int = MOST, count: int = 1
) -> list[Run]:
    """Up to `count` runs of a function that can be taken out without changing what it does, in a random order."""
    points: dict[tuple[int, int], frozenset[str]] = {}
    parameters = {node.arg for node in walk(function.args) if isinstance(node, ast.arg)}
    Needs(points).block(function.body, parameters)
    local = parameters | bindings(function.body)
    closed = escaping(function)
    candidates = list(_candidates(function, least, most))
    chance.shuffle(candidates)
    found: list[Run] = []
    for block, start, end in candidates:
        bound = points.get((id(block), start))
        run = _run(function, block, start, end, set(bound), local, closed) if bound is not None else None
        found += [run] if run else []
        if len(found) == count:
            break
    return found


def _candidates(function: FunctionNode, least: int, most: int) -> Iterator[tuple[Block, int, int]]:
    whole = size(function.body)
    for block, is_loop, is_guarded in blocks(function):
        sizes = [size([statement]) for statement in block]
        for start in range(len(block) if not is_guarded else 0):
            count = 0
            for end in range(start + 1, len(block) + 1):
                count += sizes[end - 1]
                if count > most or whole - count < 2:
                    break
                if count >= least and (is_loop or start > 0 or end < len(block)):
                    yield block, start, end


def _run(
    function: FunctionNode, block: Block, start: int, end: int, bound: set[str], local: set[str], closed: set[str]
) -> Run | None:
    part = block[start:end]
    if has_jump(part, (ast.Break, ast.Continue)):
        return None
    inside = {id(node) for statement in part for node in walk(statement)}
    stored = bindings(part)
    if stored & closed:
        return None
    for statement in part:
        for node in walk(statement):
            if isinstance(node, FORBIDDEN) or is_super(node):
                return None
            # A closure that outlives the run would see later changes of the names.
            if isinstance(node, SCOPED) and [1 for name in reads(node) & local if _bindings(function, name) > 1]:
                return None
    needs = Needs()
    after = needs.block(part, set())
    inputs = [name for name in needs.needed if name in local]
    if not set(inputs) <= bound:
        return None
    outside: set[str] = set()
    for node in walk(function):
        if id(node) not in inside and isinstance(node, ast.Name) and node.id in stored:
            outside.add(node.id) if isinstance(node.ctx, ast.Load) else None
        if isinstance(node, ast.AugAssign) and id(node) not in inside and isinstance(node.target, ast.Name):
            outside.add(node.target.id)
    outputs = sorted(stored & (outside | set(needs.needed)))  # what is read first may be read in the next round
    for name in outputs:
        if name not in after:
            if name not in bound:
                return None
            inputs += [] if name in inputs else [name]
    if len(inputs) > 8 or len(outputs) > 4:
        return None
    return Run(block, start, end, tuple(inputs), tuple(outputs))


def _bindings(function: FunctionNode, name: str) -> int:
    return sum(
        (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.arg) and node.arg == name)
        for node in walk(function)
    )


def parameters_of(names: list[str]) -> ast.arguments:
    """Plain positional parameters."""
    return ast.arguments([], [ast.arg(name, None) for name in names], None, [], [], None, [])


def lifted(run: Run, name: str, inputs: list[str]) -> ast.FunctionDef:
    """The run as a function of its own."""
    body: Block = copy.deepcopy(run.statements())
    if run.outputs:
        given = [load(output) for output in run.outputs]
        body.append(ast.Return(given[0] if len(given) == 1 else ast.Tuple([*given], ast.Load())))
    return ast.FunctionDef(name, parameters_of(inputs), body, [], None, None, lineno=0)


def call_instead(run: Run, callee: ast.expr, inputs: list[str]) -> ast.stmt:
    """The statement that calls the new function in the run's place."""
    call = ast.Call(callee, [load(name) for name in inputs], [])
    if not run.outputs:
        return ast.Expr(call)
    given: list[ast.expr] = [store(name) for name in run.outputs]
    target = given[0] if len(given) == 1 else ast.Tuple(given, ast.Store())
    return ast.Assign(targets=[target], value=call, lineno=0)


def rename_locals(work: Work, function: FunctionNode, taken: set[str] | None = None) -> None:
    """Give a function's parameters and locals names that are not `taken`; only for one without nested functions."""
    own = {node.arg for node in walk(function.args) if isinstance(node, ast.arg)} | stores(function.body)
    used = {node.id for node in walk(function) if isinstance(node, ast.Name)} | own | (taken or set())
    new = {name: work.words.local(used) for name in sorted(own - {"self", "cls"})}
    for node in walk(function):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)


def extract_helpers(work: Work) -> None:
    """Take runs out of functions and methods of all files."""
    for path, tree in work.trees.items():
        for node in list(tree.body):
            if isinstance(node, ast.FunctionDef):
                _extract(work, path, tree, node, node, None)
            elif isinstance(node, ast.ClassDef):
                for method in list(node.body):
                    if isinstance(method, ast.FunctionDef):
                        _extract(work, path, tree, node, method, node)


def _extract(
    work: Work, path: str, tree: ast.Module, top: ast.stmt, function: ast.FunctionDef, owner: ast.ClassDef | None
) -> None:
    place = f"{path}:{owner.name if owner else ''}.{function.name}"
    if (
        size(function.body) < 6
        or work.rates.of("extract", place) == 0
        or work.chance.random() >= work.rates.of("extract", place)
    ):
        return
    possible = runs(function, work.chance)
    if not possible:
        return
    work.applied["extract"] += 1
    run = possible[0]
    self_name = _self(function, owner)
    new_name = work.words.function(work.chance.choice(["", "_"]))
    inputs = list(run.inputs)
    if owner and self_name and (self_name in inputs or work.chance.random() < 0.3):
        inputs = [name for name in inputs if name != self_name]
        new = lifted(run, new_name, [self_name, *inputs])
        callee: ast.expr = ast.Attribute(load(self_name), new_name, ast.Load())
        owner.body.insert(owner.body.index(function) + 1, new)
    else:
        if _is_mangled(run.statements()):
            work.applied["extract"] -= 1
            return
        new = lifted(run, new_name, inputs)
        callee = load(new_name)
        tree.body.insert(tree.body.index(top), new)
    run.block[run.start : run.end] = [call_instead(run, callee, inputs)]
    if work.chance.random() < 0.5:
        rename_locals(work, new)
    work.add(new, function, PART)


def _self(function: ast.FunctionDef, owner: ast.ClassDef | None) -> str:
    if owner is None or function.decorator_list or not function.args.args or function.args.posonlyargs:
        return ""
    first = function.args.args[0].arg
    return first if first == "self" and first not in stores(function.body) else ""


def _is_mangled(block: Block) -> bool:
    """Whether the statements mean something else outside of their class."""
    return any(
        isinstance(node, ast.Attribute) and node.attr.startswith("__") and not node.attr.endswith("__")
        for statement in block
        for node in walk(statement)
    )
