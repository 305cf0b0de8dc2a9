"""Needles in a haystack: a foreign project with some disguised functions of another one in it."""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.declared import definitions
from bench.disguise.edits import Block
from bench.disguise.effects import FunctionNode, names
from bench.disguise.extract import size
from bench.disguise.levels import changed
from bench.disguise.libraries import FRAMEWORK
from bench.disguise.printing import printed
from bench.disguise.scopes import Scopes
from bench.disguise.walking import walk
from bench.disguise.work import HOST, Key, Target, Work

LEAST = 5  # statements of a function that is worth hiding
WHOLE_CLASS = 0.3  # share of the methods that bring their class along


@dataclass(frozen=True, slots=True)
class Needles:
    """The foreign project with needles in it, and the truth: no other function of it is a copy."""

    files: Mapping[str, str]
    truth: Mapping[Key, tuple[Target, ...]]  # function of the source -> where its code is among the files
    hidden: tuple[Key, ...]  # the functions of the source that count, at most as many as were asked for


@dataclass(eq=False)
class _Host:
    """A foreign file, and what goes into it."""

    path: str
    text: str
    tree: ast.Module
    names: set[str]
    imports: list[str] = field(default_factory=list)
    added: list[tuple[int, int, str]] = field(default_factory=list)  # after which line, at which indent, what


@dataclass(frozen=True, slots=True)
class _Needle:
    """Definitions of the mutant that go into one place."""

    path: str
    nodes: tuple[ast.stmt, ...]
    keys: tuple[Key, ...]
    is_method: bool


def needles(
    files_foreign: Mapping[str, str], files_source: Mapping[str, str], level: str, seed: int, count: int = 30
) -> Needles:
    """Hide `count` functions of the source, disguised at a level, in the files of a foreign project.

    Foreign files keep their text; functions, methods and classes are put between what they define.
    """
    work = changed(files_source, level, seed)
    chance = random.Random(f"needles:{level}:{seed}")
    hosts = _hosts(files_foreign)
    truth: defaultdict[Key, list[Target]] = defaultdict(list)
    hidden: list[Key] = []
    for needle in _needles(work, chance):
        if len(hidden) >= count:
            break
        keys = [key for key in needle.keys if key not in hidden]
        if len(keys) != len(needle.keys) or len(hidden) + len(keys) > count:
            continue
        found = _hide(work, chance, hosts, needle)
        if found:
            hidden += keys
            for key, target in found:
                truth[key].append(target)
    texts = {host.path: _text(host) for host in hosts}
    return Needles(
        {**files_foreign, **texts}, {key: tuple(sorted(set(truth[key]))) for key in sorted(truth)}, tuple(hidden)
    )


def _hosts(files: Mapping[str, str]) -> list[_Host]:
    hosts = []
    for path in sorted(files):
        try:
            tree = ast.parse(files[path])
        except (SyntaxError, ValueError):
            continue
        if (
            len([node for node in tree.body if isinstance(node, FunctionNode | ast.ClassDef)]) < 2
            or "\t" in files[path]
        ):
            continue
        bound = {name for scope in Scopes(tree).opened.values() for name in scope.values}
        attributes = {node.attr for node in walk(tree) if isinstance(node, ast.Attribute)}
        hosts.append(_Host(path, files[path], tree, bound | names(tree.body) | attributes))
    return hosts


def _needles(work: Work, chance: random.Random) -> list[_Needle]:
    """What may be hidden, in a random order: functions, methods with the pieces taken out of them, whole classes."""
    found: list[_Needle] = []
    for path, tree in work.trees.items():
        by_key: defaultdict[Key, list[tuple[ast.stmt, ast.ClassDef | None]]] = defaultdict(list)
        for node in tree.body:
            parts = node.body if isinstance(node, ast.ClassDef) else [node]
            owner = node if isinstance(node, ast.ClassDef) else None
            for part in parts:
                for key, role in work.came_from.get(part, {}).items():
                    if role != HOST:
                        by_key[key].append((part, owner))
            keys = [key for part in parts for key, role in work.came_from.get(part, {}).items() if role != HOST]
            is_small = (
                owner and 1 < len(set(keys)) <= 6 and all(_is_worth(part) for part in parts if part in work.came_from)
            )
            if owner and is_small and chance.random() < WHOLE_CLASS:
                found.append(_Needle(path, (owner,), tuple(dict.fromkeys(keys)), False))
        for key, places in by_key.items():
            worth = [part for part, _ in places if _is_worth(part)]
            others = {other for part, _ in places for other in work.came_from[part]}
            if worth and others == {key} and not _is_tied([part for part, _ in places]):
                found.append(_Needle(path, tuple(part for part, _ in places), (key,), all(o for _, o in places)))
    chance.shuffle(found)
    return found


def _is_worth(node: ast.stmt) -> bool:
    return isinstance(node, FunctionNode) and size(node.body) >= LEAST


def _is_tied(nodes: list[ast.stmt]) -> bool:
    """Whether a function makes no sense outside of its class."""
    return any(
        isinstance(node, FunctionNode)
        and (node.decorator_list or any(n in {"super", "__class__"} for n in names(node)))
        for node in nodes
    )


def _hide(work: Work, chance: random.Random, hosts: list[_Host], needle: _Needle) -> list[tuple[Key, Target]]:
    """Put a needle into some foreign file; what came from what, nothing if no file has room for it."""
    defined = [node.name for node in needle.nodes if isinstance(node, FunctionNode | ast.ClassDef)]
    for host in chance.sample(hosts, min(12, len(hosts))):
        imports = _imports(work, needle, host)
        if imports is None or any(name in host.names for name in defined if not name.startswith("__")):
            continue
        owners = [
            node for node in host.tree.body if isinstance(node, ast.ClassDef) and len(node.body) > 1
            and not {part.name for part in node.body if isinstance(part, FunctionNode)} & set(defined)
        ]  # fmt: skip
        owner = chance.choice(owners) if owners and needle.is_method and chance.random() < 0.6 else None
        if owner is None and needle.is_method:
            defined = _freed(work, chance, needle)
        elif any(name.startswith("__") for name in defined):
            continue
        if owner:
            prefix, line, indent = f"{owner.name}.", owner.body[-1].end_lineno or 0, owner.body[0].col_offset
        else:
            prefix, line, indent = "", _line(host, chance), 0
        body: Block = list(needle.nodes)
        host.added.append((line, indent, printed(ast.Module(body, []), chance)))
        host.imports += [text for text in imports if text not in host.imports]
        host.names |= set(defined)
        return [
            (key, Target((host.path, prefix + qualname), role))
            for qualname, node in definitions(ast.Module(body, []), nested=True)
            for key, role in work.came_from.get(node, {}).items()
        ]
    return []


def _freed(work: Work, chance: random.Random, needle: _Needle) -> list[str]:
    """Make methods functions: with names that functions have, calling each other without `self`; their new names."""
    new: dict[str, str] = {}
    for node in needle.nodes:
        assert isinstance(node, FunctionNode)
        is_new = node.name in FRAMEWORK or node.name.startswith("__") or chance.random() < 0.6
        old, node.name = node.name, work.words.function() if is_new else node.name
        new[old] = node.name
    first = work.words.local(names(list(needle.nodes))) if chance.random() < 0.6 else "self"
    for node in needle.nodes:
        for part in walk(node):
            func = part.func if isinstance(part, ast.Call) else None
            if not isinstance(part, ast.Call) or not isinstance(func, ast.Attribute) or func.attr not in new:
                continue
            if isinstance(func.value, ast.Name) and func.value.id == "self":
                part.func, part.args = ast.Name(new[func.attr], ast.Load()), [func.value, *part.args]
        for part in walk(node):
            if isinstance(part, ast.Name) and part.id == "self":
                part.id = first
            elif isinstance(part, ast.arg) and part.arg == "self":
                part.arg = first
    return list(new.values())


def _line(host: _Host, chance: random.Random) -> int:
    """After which line of a foreign file something can stand: after one of its definitions."""
    spots = [node for node in host.tree.body if isinstance(node, FunctionNode | ast.ClassDef)]
    return chance.choice(spots).end_lineno or 0


def _imports(work: Work, needle: _Needle, host: _Host) -> list[str] | None:
    """The import statements that a needle needs there; None if a name means another thing there."""
    top = Scopes(work.trees[needle.path]).module
    there = Scopes(host.tree).module
    found = []
    for name in sorted(names(list(needle.nodes)) & set(top.imports)):
        statement, alias = top.imports[name]
        text = ast.unparse(_single(statement, alias))
        if isinstance(statement, ast.ImportFrom) and statement.level:
            continue  # of the source itself, which is not here
        if name in there.imports and ast.unparse(_single(*there.imports[name])) == text:
            continue
        if name in host.names and text not in host.imports:
            return None
        found.append(text)
    return found


def _single(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(statement, ast.ImportFrom):
        return ast.ImportFrom(statement.module, [alias], statement.level)
    return ast.Import([alias])


def _text(host: _Host) -> str:
    """The foreign text with everything that was added."""
    if not host.added:
        return host.text
    lines = host.text.splitlines()
    for line, indent, text in sorted(host.added, key=lambda part: (-part[0], part[1])):  # methods next to their class
        gap = [""] if indent else ["", ""]
        new = [" " * indent + part if part else "" for part in text.splitlines()]
        lines[line:line] = [*gap, *new]
    head = 0
    for node in host.tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, ast.Import | ast.ImportFrom) and not is_text:
            break
        head = node.end_lineno or head
    lines[head:head] = host.imports
    return "\n".join(lines) + "\n"
