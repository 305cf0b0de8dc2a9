"""Hold the steps of a small `nn.Sequential` as attributes of their own."""

from __future__ import annotations

import ast

from bench.disguise.blocks import load
from bench.disguise.callables import Callables
from bench.disguise.effects import FunctionNode
from bench.disguise.facts import ModuleFacts
from bench.disguise.walking import walk
from bench.disguise.work import Work

MOST = 3  # steps


def unroll_sequentials(work: Work, path: str, tree: ast.Module, module: ModuleFacts, callables: Callables) -> None:
    """`self.net = nn.Sequential(a, b)` and `self.net(x)` -> two attributes and `self.second(self.first(x))`."""
    for owner in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        if callables.is_related(owner.name):
            continue
        for method in [node for node in owner.body if isinstance(node, FunctionNode) and node.name == "__init__"]:
            body: list[ast.stmt] = []
            for statement in method.body:
                name, steps = _steps(statement, module)
                calls = _calls(owner, name, callables) if steps else []
                if calls and work.chosen("sequential", f"{path}:{owner.name}"):
                    names = [work.words.attribute() for _ in steps]
                    body += [
                        ast.Assign([ast.Attribute(load("self"), new, ast.Store())], step, lineno=0)
                        for new, step in zip(names, steps, strict=True)
                    ]
                    for call in calls:
                        _nest(call, names)
                else:
                    body.append(statement)
            method.body = body


def _steps(statement: ast.stmt, module: ModuleFacts) -> tuple[str, list[ast.expr]]:
    """The attribute and the steps of `self.net = nn.Sequential(a, b)`."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name) or target.value.id != "self":
        return "", []
    if not isinstance(value, ast.Call) or module.origin(value.func) != "torch.nn.Sequential" or value.keywords:
        return "", []
    is_small = 2 <= len(value.args) <= MOST and not any(isinstance(part, ast.Starred) for part in value.args)
    return (target.attr, list(value.args)) if is_small else ("", [])


def _calls(owner: ast.ClassDef, name: str, callables: Callables) -> list[ast.Call]:
    """All uses of the attribute, if they are calls with one argument, and nobody else may use it."""
    if callables.attributes[name] != callables.on_self[name]:
        return []
    uses = [node for node in walk(owner) if isinstance(node, ast.Attribute) and node.attr == name]
    calls = [
        node for node in walk(owner)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
        and len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
    ]  # fmt: skip
    return calls if len(uses) == len(calls) + 1 else []


def _nest(call: ast.Call, names: list[str]) -> None:
    value = call.args[0]
    for name in names[:-1]:
        value = ast.Call(ast.Attribute(load("self"), name, ast.Load()), [value], [])
    call.func, call.args = ast.Attribute(load("self"), names[-1], ast.Load()), [value]
