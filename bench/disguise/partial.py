"""Copies of less than a function: loops and branches lifted out, functions merged, put into others, or made free."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bench.declared import definitions
from bench.disguise.blocks import bindings, load, stores
from bench.disguise.edits import Block
from bench.disguise.effects import FunctionNode, names
from bench.disguise.extract import lifted, parameters_of, rename_locals, runs, size
from bench.disguise.files import Paths
from bench.disguise.layout import strip
from bench.disguise.levels import rename_names
from bench.disguise.liveness import Needs, blocks
from bench.disguise.printing import printed
from bench.disguise.rates import Rates
from bench.disguise.scopes import Scopes
from bench.disguise.statements import assign
from bench.disguise.walking import walk
from bench.disguise.work import Key, Work

KINDS = ("lifted-loop", "branch", "merged", "middle", "free")
LONG, PIECE = 12, 4  # statements of a function that a piece is taken from, and of the piece


@dataclass(frozen=True, slots=True)
class Row:
    """A new function, and what it was made of."""

    key: Key
    kind: str  # one of KINDS
    originals: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """New files that hold nothing but partial copies."""

    files: Mapping[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """A function of the original, and where it is."""

    path: str
    function: ast.FunctionDef
    owner: ast.ClassDef | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A partial copy before it has a file."""

    node: ast.FunctionDef
    kind: str
    sources: tuple[_Source, ...]
    host: str = ""  # the foreign file that the rest of it comes from


def partial(files: Mapping[str, str], seed: int, foreign: Mapping[str, str] | None = None, count: int = 10) -> Partial:
    """Make up to `count` partial copies of each kind, with all names changed as at L3.

    Foreign: files of another project, whose functions get a copied function into their middle; without it, no `middle`.
    """
    work = Work(files, Rates("L3", seed), seed)
    for tree in work.trees.values():
        strip(tree)
    hosts = _hosts(foreign or {})
    sources = list(_sources(work))
    pieces: list[_Piece] = []
    for kind in KINDS:
        found = 0
        for source in work.chance.sample(sources, len(sources)):
            piece = _Maker(work, hosts).make(kind, source) if found < count else None
            if piece:
                pieces.append(piece)
                found += 1
    return _finished(work, pieces, hosts)


def _sources(work: Work) -> Iterator[_Source]:
    for path, tree in work.trees.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                yield _Source(path, node, None)
            elif isinstance(node, ast.ClassDef):
                yield from (_Source(path, part, node) for part in node.body if isinstance(part, ast.FunctionDef))


def _hosts(foreign: Mapping[str, str]) -> dict[str, ast.Module]:
    hosts = {}
    for path in sorted(foreign):
        try:
            hosts[path] = strip(ast.parse(foreign[path]))
        except (SyntaxError, ValueError):
            continue
    return hosts


class _Maker:
    """Makes one piece of one kind, if the source is fit for it."""

    def __init__(self, work: Work, hosts: Mapping[str, ast.Module]) -> None:
        self.work, self.hosts = work, hosts

    def make(self, kind: str, source: _Source) -> _Piece | None:
        """The piece, or None."""
        makers: dict[str, Callable[[_Source], _Piece | None]] = {
            "lifted-loop": self.lifted_loop, "branch": self.branch, "merged": self.merged, "middle": self.middle,
            "free": self.free,
        }  # fmt: skip
        return makers[kind](source)

    def lifted_loop(self, source: _Source) -> _Piece | None:
        """A loop, or a run of statements, of a long function."""
        whole = size(source.function.body)
        if whole < LONG:
            return None
        found = runs(source.function, self.work.chance, PIECE, whole // 2, 40)
        loops = [run for run in found if any(isinstance(part, ast.For | ast.While) for part in run.statements())]
        if not found:
            return None
        run = self.work.chance.choice(loops or found)
        node = lifted(run, self.work.words.function(), list(run.inputs))
        return _Piece(self._without_self(node, source), "lifted-loop", (source,))

    def branch(self, source: _Source) -> _Piece | None:
        """One branch of a long `if`."""
        function = source.function
        if size(function.body) < LONG:
            return None
        found = [
            part for block, _, _ in blocks(function) for node in block if isinstance(node, ast.If)
            for part in (node.body, node.orelse) if part and size(part) >= PIECE and _can_leave(part)
        ]  # fmt: skip
        if not found:
            return None
        part = self.work.chance.choice(found)
        inside = {id(node) for statement in part for node in walk(statement)}
        read = {
            node.id for node in walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside
        }  # fmt: skip
        body: Block = copy.deepcopy(part)
        given = sorted(bindings(part) & read)
        if given and not isinstance(part[-1], ast.Return | ast.Raise):
            values: list[ast.expr] = [load(name) for name in given]
            body.append(ast.Return(values[0] if len(values) == 1 else ast.Tuple(values, ast.Load())))
        return _Piece(self._free_function(body, source), "branch", (source,))

    def _free_function(self, body: Block, source: _Source) -> ast.FunctionDef:
        """A function of statements, whose parameters are the locals that it needs."""
        arguments = {node.arg for node in walk(source.function.args) if isinstance(node, ast.arg)}
        local = arguments | bindings(source.function.body)
        needs = Needs()
        needs.block(body, set())
        inputs = [name for name in needs.needed if name in local]
        node = ast.FunctionDef(
            self.work.words.function(), parameters_of(inputs), body, [], None, None, lineno=0
        )  # fmt: skip
        return self._without_self(node, source)

    def free(self, source: _Source) -> _Piece | None:
        """A method as a function that gets what it reads of `self`."""
        if source.owner is None or size(source.function.body) < PIECE or source.function.name == "__init__":
            return None
        node = copy.deepcopy(source.function)
        if node.decorator_list or [part.arg for part in node.args.args[:1]] != ["self"]:
            return None
        if any(isinstance(part, ast.Name) and part.id == "super" for part in walk(node)):
            return None
        freed = self._without_self(node, source)
        if any(part.arg == "self" for part in freed.args.args):
            return None
        freed.name = self.work.words.function()
        return _Piece(freed, "free", (source,))

    def _without_self(self, node: ast.FunctionDef, source: _Source) -> ast.FunctionDef:
        """The function with a parameter for each attribute of `self` that it reads, if it does nothing else with it."""
        bare = sum(isinstance(part, ast.Name) and part.id == "self" for part in walk(node))
        attributes = [
            part for part in walk(node)
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self"
            and isinstance(part.ctx, ast.Load)
        ]  # fmt: skip
        taken = names(node) | {part.arg for part in walk(node.args) if isinstance(part, ast.arg)}
        read = list(dict.fromkeys(part.attr for part in attributes))
        if not bare or bare != len(attributes) or len(read) > 10 or any(name.startswith("__") for name in read):
            return node
        new = {name: name if name not in taken else self.work.words.local(taken) for name in read}
        node = _SelfToName(new).visit(node)
        rest = [part for part in node.args.args if part.arg != "self"]
        defaults = len(node.args.defaults)
        plain, optional = rest[: len(rest) - defaults], rest[len(rest) - defaults :]
        node.args.args = [*plain, *(ast.arg(name, None) for name in new.values()), *optional]
        return node

    def merged(self, source: _Source) -> _Piece | None:
        """Two methods of a class, one after the other, as one."""
        if source.owner is None or not _is_mergeable(source.function):
            return None
        others = [
            part for part in source.owner.body
            if isinstance(part, ast.FunctionDef) and part is not source.function and _is_mergeable(part)
        ]  # fmt: skip
        if not others:
            return None
        other = self.work.chance.choice(others)
        first, second = copy.deepcopy(source.function), copy.deepcopy(other)
        used = names(first) | names(second) | _arguments(first) | _arguments(second)
        clash = (stores(second.body) - _arguments(second)) & (stores(first.body) | _arguments(first))
        new = {name: self.work.words.local(used) for name in sorted(clash)}
        for node in walk(second):
            if isinstance(node, ast.Name):
                node.id = new.get(node.id, node.id)
        body = _joined(first.body, second.body, self.work.words.local(used))
        known = _arguments(first)
        first.args.args += [part for part in second.args.args if part.arg not in known]
        node = ast.FunctionDef(self.work.words.function(), first.args, body, [], None, None, lineno=0)
        node.args.defaults = []
        return _Piece(node, "merged", (source, _Source(source.path, other, source.owner)))

    def middle(self, source: _Source) -> _Piece | None:
        """A function's statements between the first and the second half of a foreign function's."""
        if not self.hosts or size(source.function.body) < PIECE or not _is_straight(source.function):
            return None
        path = self.work.chance.choice(sorted(self.hosts))
        tree = self.hosts[path]
        hosts = [node for node in tree.body if isinstance(node, ast.FunctionDef) and len(node.body) >= PIECE]
        hosts += [
            part for node in tree.body if isinstance(node, ast.ClassDef) for part in node.body
            if isinstance(part, ast.FunctionDef) and len(part.body) >= PIECE and not part.decorator_list
        ]  # fmt: skip
        if not hosts:
            return None
        host = copy.deepcopy(self.work.chance.choice(hosts))
        inner = self._without_self(copy.deepcopy(source.function), source)
        if any(isinstance(node, FunctionNode | ast.ClassDef) for part in inner.body for node in walk(part)):
            return None
        rename_locals(self.work, inner, names(host) | _arguments(host))
        after = len(host.body) // 2
        body = inner.body
        last = body[-1]
        if isinstance(last, ast.Return):
            name = self.work.words.local(names(host) | names(inner) | _arguments(inner))
            body = [*body[:-1], assign(name, last.value or ast.Constant(None))]
        host.body = [*host.body[:after], *body, *host.body[after:]]
        if isinstance(last, ast.Return):  # what was copied is used: nobody copies a computation for nothing
            _hand_out(host.body, name)
        known = _arguments(host)
        host.args.kwonlyargs += [ast.arg(name, None) for name in sorted(_arguments(inner) - known)]
        host.args.kw_defaults += [None] * (len(host.args.kwonlyargs) - len(host.args.kw_defaults))
        host.name = self.work.words.function()
        return _Piece(host, "middle", (source,), path)


def _hand_out(body: Block, name: str) -> None:
    """Return a value beside what a body returns at its end."""
    value = ast.Name(name, ast.Load())
    final = body[-1]
    if isinstance(final, ast.Return):
        body[-1] = ast.Return(ast.Tuple([final.value or ast.Constant(None), value], ast.Load()))
    else:
        body.append(ast.Return(value))


def _arguments(function: FunctionNode) -> set[str]:
    return {node.arg for node in walk(function.args) if isinstance(node, ast.arg)}


def _can_leave(block: Block) -> bool:
    forbidden = ast.Break | ast.Continue | ast.Yield | ast.YieldFrom | ast.Await | ast.Nonlocal | ast.Global
    return not any(isinstance(node, forbidden) for statement in block for node in walk(statement))


def _is_straight(function: ast.FunctionDef) -> bool:
    """Whether it returns at its end only, and suspends nowhere."""
    inner = [node for statement in function.body for node in walk(statement)]
    returned = [node for node in inner if isinstance(node, ast.Return)]
    return not any(node is not function.body[-1] for node in returned) and not any(
        isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.Nonlocal | ast.Global) for node in inner
    )


def _is_mergeable(function: ast.FunctionDef) -> bool:
    arguments = function.args
    is_plain = not (function.decorator_list or arguments.vararg or arguments.kwarg or arguments.kwonlyargs)
    is_plain = is_plain and not function.name.startswith("__")
    has_self = [part.arg for part in arguments.args[:1]] == ["self"]
    return is_plain and has_self and _is_straight(function) and size(function.body) >= PIECE


def _joined(first: Block, second: Block, name: str) -> Block:
    """Both bodies; what the first returned is returned beside what the second returns."""
    last = first[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        return [*first, *second]
    body = [*first[:-1], assign(name, last.value), *second]
    end = body[-1]
    if isinstance(end, ast.Return) and end.value is not None:
        body[-1] = ast.Return(ast.Tuple([load(name), end.value], ast.Load()))
    else:
        body.append(ast.Return(load(name)))
    return body


class _SelfToName(ast.NodeTransformer):
    def __init__(self, new: Mapping[str, str]) -> None:
        self.new = new

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        is_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        return load(self.new[node.attr]) if is_self else node


def _finished(work: Work, pieces: list[_Piece], hosts: Mapping[str, ast.Module]) -> Partial:
    """Put the pieces into files, rename everything, and keep those files only."""
    kinds: dict[ast.AST, tuple[str, tuple[Key, ...]]] = {}
    originals = dict(work.trees)
    for place, group in _groups(pieces):
        source = group[0].sources[0]
        path = str(PurePosixPath(place).parent / f"{work.words.file()}.py")
        body: Block = []
        for piece in group:
            keys = tuple(key for part in piece.sources for key in work.came_from.get(part.function, {}))
            kinds[piece.node] = piece.kind, keys
            holder: ast.stmt = piece.node
            if piece.kind == "merged" and piece.sources[0].owner:
                holder = ast.ClassDef(work.words.class_name(), piece.sources[0].owner.bases, [], [piece.node], [])
            body.append(holder)
        needed = {name for part in body for name in names(part)}
        contexts = [(source.path, originals[source.path])]
        contexts += [(group[0].host, hosts[group[0].host])] if group[0].host else []
        imports = _imports(contexts, needed, Paths(list(originals)), path)
        work.trees[path] = ast.parse(ast.unparse(ast.fix_missing_locations(ast.Module([*imports, *body], []))))
        _follow(body, work.trees[path], kinds)
    new = [path for path in work.trees if path not in originals]
    rename_names(work)
    texts = {path: printed(work.trees[path], work.chance) for path in new}
    rows = [
        Row((path, qualname), *kinds[node])
        for path in new
        for qualname, node in definitions(work.trees[path], nested=True)
        if node in kinds
    ]
    return Partial(texts, tuple(rows))


def _groups(pieces: list[_Piece]) -> list[tuple[str, list[_Piece]]]:
    """Pieces that share a file: those of one file and kind, but each that has a foreign host for itself."""
    groups: dict[tuple[str, str, int], list[_Piece]] = {}
    for number, piece in enumerate(pieces):
        path = piece.sources[0].path
        groups.setdefault((path, piece.kind, number if piece.host else -1), []).append(piece)
    return [(path, group) for (path, _, _), group in groups.items()]


def _imports(contexts: list[tuple[str, ast.Module]], needed: set[str], paths: Paths, target: str) -> Block:
    """Import what pieces use of their old files' imports and definitions."""
    found: dict[str, ast.stmt] = {}
    for number, (path, tree) in enumerate(contexts):
        top = Scopes(tree).module
        for name in sorted(needed & set(top.values)):
            if name in found:
                continue
            statement, alias = top.imports.get(name, (None, None))
            if isinstance(statement, ast.ImportFrom) and alias:
                own = paths.resolve(path, statement) if not number and statement.level else None
                level, module = paths.relative(target, own[0]) if own else (statement.level, statement.module or "")
                found[name] = ast.ImportFrom(module or None, [ast.alias(alias.name, alias.asname)], level)
            elif isinstance(statement, ast.Import) and alias:
                found[name] = ast.Import([ast.alias(alias.name, alias.asname)])
            elif not number:
                stem = PurePosixPath(path).stem
                module = stem if stem != "__init__" else ""
                found[name] = ast.ImportFrom(module or None, [ast.alias(name, None)], 1)
    return list(found.values())


def _follow(body: Block, tree: ast.Module, kinds: dict[ast.AST, tuple[str, tuple[Key, ...]]]) -> None:
    """Carry what is known of functions over to the tree that was parsed anew."""
    old = [node for part in body for node in walk(part) if isinstance(node, ast.FunctionDef) and node in kinds]
    new = {node.name: node for node in walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in old:
        kinds[new[node.name]] = kinds[node]
