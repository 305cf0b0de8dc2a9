"""The canonical text of a function: one flat list of tokens, written from the syntax tree without recursion.

Docstrings, annotations and comments never reach it. Names are written as they are, or by their kind and the order of
their first occurrence.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from dataclasses import dataclass

from detector.code.lowering.labels import API_NAMES
from detector.code.lowering.names import ModuleNames
from detector.code.scopes import COMPREHENSIONS, Function, Scope, bound_names, is_bare_string, is_receiver_bound

# 16 bytes: two different functions meet by accident once in 2^64 functions.
DIGEST_BYTES = 16

# What a copier rewrites without touching the computation, or what only some Python versions record.
IGNORED_FIELDS = frozenset(
    {"annotation", "returns", "type_params", "type_comment", "type_ignores", "kind", "ctx", "lineno"}
)
NO_MODULE = ModuleNames()
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Canonical:
    """A function's canonical text, hashed, and the names that were numbered in it.

    layout: hash of the text with its names; equal when only layout and comments differ.
    names: (kind, name) by first occurrence; those of two functions with one digest stand for each other in order.
    """

    digest: str
    layout: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Keyword:
    """A keyword argument, still to be written: its name is the project's own or the library's."""

    node: ast.keyword
    is_own: bool


def written(node: Function) -> str:
    """Hash a function's canonical text with its names as they are."""
    return _hash(Writer().write(node))


def canonical(
    node: Function, module: ModuleNames = NO_MODULE, own: frozenset[str] = frozenset(), is_method: bool = False
) -> Canonical:
    """Number the project's own names by first occurrence and keep what libraries call theirs.

    own: attributes that the class itself defines; on self they are its own even where a library has the name too.
    is_method: the first parameter is the receiver.
    """
    writer = _NamingWriter(module, own, is_method)
    digest = _hash(writer.write(node))
    spelled = [digest, *(name for _, name in writer.names), *writer.spellings]
    return Canonical(digest, _hash(spelled), tuple(writer.names))


def _hash(tokens: list[str]) -> str:
    text = "\0".join(tokens).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).hexdigest()


def _constant(value: object) -> str:
    """Spell a constant so that every Python version spells it alike: `ascii` knows no Unicode version."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"int:{value:#x}"  # in decimal a huge one costs quadratic time, or is refused
    return f"{type(value).__name__}:{value!a}"


class Writer:
    """Writes a syntax tree as a flat list of tokens. A subclass may write names its own way."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.pending: list[object] = []

    def write(self, root: ast.AST) -> list[str]:
        """Write the whole tree, without recursion."""
        pending, tokens = self.pending, self.tokens
        pending.append(root)
        while pending:
            item = pending.pop()
            if isinstance(item, ast.AST):
                self.node(item)
            elif isinstance(item, list):
                items = code_of(item)
                tokens.append(f"[{len(items)}")
                pending.extend(reversed(items))
            elif isinstance(item, _Keyword):
                self.keyword(item)
            elif isinstance(item, Scope | None):
                self.leave(item)
            else:
                tokens.append(str(item))
        return tokens

    def node(self, node: ast.AST) -> None:
        """Write a node and put its children in line."""
        if isinstance(node, ast.Constant):
            self.tokens.append(_constant(node.value))
            return
        if isinstance(node, ast.AnnAssign):  # never bare: those are dropped with the other comments
            self.tokens.append("Assign")
            self.pending += (node.value, [node.target])
            return
        self.tokens.append(node.__class__.__name__)
        self.fields(node, node._fields)

    def fields(self, node: ast.AST, names: tuple[str, ...]) -> None:
        """Put fields in line, the first one to be written first."""
        for name in reversed(names):
            if name not in IGNORED_FIELDS:
                child = getattr(node, name, None)
                self.pending.append("-" if child is None else child)

    def keyword(self, keyword: _Keyword) -> None:
        """Write a keyword argument's name; its value stands in line already."""
        self.tokens.append(f"keyword:{keyword.node.arg or '**'}")

    def leave(self, scope: Scope | None) -> None:
        """Leave a scope."""


def code_of(items: list[object]) -> list[object]:
    """A list without what is no code; a body of nothing else is `pass`."""
    kept = [
        "-" if item is None else item
        for item in items
        if not (is_bare_string(item) or (isinstance(item, ast.AnnAssign) and item.value is None))
    ]
    if not kept and items:
        return [ast.Pass()]
    return kept


class _NamingWriter(Writer):
    """Writes names by kind and number, and what hangs on an import by its dotted origin."""

    def __init__(self, module: ModuleNames, own: frozenset[str], is_method: bool) -> None:
        super().__init__()
        self.module = module
        self.own = own
        self.is_method = is_method
        self.receiver = ""
        self.scopes: list[Scope] = []
        self.entered: list[Scope] = []  # kept until the end: names are keyed by the identity of their scope
        self.names: list[tuple[str, str]] = []
        self.spellings: list[str] = []  # how imports are called here
        self.numbers: dict[tuple[str, object], int] = {}
        self.counts: Counter[str] = Counter()

    def number(self, kind: str, name: str, key: object = None) -> str:
        """Number a name by its first occurrence among its kind."""
        place = (kind, name if key is None else key)
        number = self.numbers.get(place)
        if number is None:
            number = self.numbers[place] = self.counts[kind]
            self.counts[kind] += 1
            self.names.append((kind, name))
        return f"{kind}#{number}"

    def node(self, node: ast.AST) -> None:
        """Write a node; whatever holds a name is written by that name's kind."""
        if isinstance(node, ast.Name):
            self.tokens.append(self.name(node.id))
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            self._function(node)
        elif node.__class__ in COMPREHENSIONS or isinstance(node, ast.ClassDef):
            self._enter(node)
        elif isinstance(node, ast.arg):
            self.tokens += ("arg", self.name(node.arg))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.tokens.append("Import")  # what it binds is seen where it is used
        else:
            super().node(node)

    def fields(self, node: ast.AST, names: tuple[str, ...]) -> None:
        """Put fields in line; the few that are bare names are written as names."""
        if isinstance(node, ast.Global | ast.Nonlocal):
            self.tokens += [self.name(name) for name in node.names]
            return
        if isinstance(node, ast.MatchClass):
            attributes = [name if name in API_NAMES else self.number("attribute", name) for name in node.kwd_attrs]
            self.tokens += attributes
            names = tuple(name for name in names if name != "kwd_attrs")
        for field in ("name", "rest"):  # except ... as name, a match pattern's captures
            name = getattr(node, field, None)
            if field in names and isinstance(name, str):
                self.tokens.append(self.name(name))
                names = tuple(each for each in names if each != field)
        super().fields(node, names)

    def name(self, name: str) -> str:
        """Write a name by its binding: a local, what an import stands for, a builtin, the project's own."""
        for scope in reversed(self.scopes):
            if name in scope:
                origin = scope[name]
                return self.number("local", name, (id(scope), name)) if origin is None else self._imported(origin, name)
        return self._imported(self.module.origin(name), name)

    def _imported(self, origin: str, name: str) -> str:
        if origin[0] in "~?":
            return self.number("global", name)
        self.spellings.append(name)
        return f"external:{origin}"

    def _external(self, node: ast.expr) -> tuple[str, str]:
        """The dotted origin of a chain of attributes on an import, and the import's name here; "" when it is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return "", ""
        bound = next((scope for scope in reversed(self.scopes) if node.id in scope), None)
        origin = self.module.origin(node.id) if bound is None else bound[node.id]
        if origin is None or origin[0] in "~?":
            return "", ""
        return ".".join([origin, *reversed(parts)]), node.id

    def _attribute(self, node: ast.Attribute) -> None:
        origin, name = self._external(node)
        if origin:
            self.tokens.append(f"external:{origin}")
            self.spellings.append(name)
            return
        self.tokens += ("Attribute", self._attribute_name(node))
        self.pending.append(node.value)

    def _attribute_name(self, node: ast.Attribute) -> str:
        name = node.attr
        is_dunder = name.startswith("__") and name.endswith("__")
        if self._is_receiver(node.value):
            is_own = not is_dunder and (name in self.own or name not in API_NAMES)
            return self.number("own", name) if is_own else f"api:{name}"
        return f"api:{name}" if is_dunder or name in API_NAMES else self.number("attribute", name)

    def _is_receiver(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and is_receiver_bound(node.id, self.receiver, self.scopes)

    def _call(self, node: ast.Call) -> None:
        """Write a call; keywords of the project's own callees are its own names."""
        func = node.func
        is_own = not self._external(func)[0]
        if is_own and isinstance(func, ast.Attribute) and func.attr in API_NAMES:
            is_own = self._is_receiver(func.value) and func.attr in self.own
        self.tokens += ("Call", str(len(node.args)), str(len(node.keywords)))
        for keyword in reversed(node.keywords):
            self.pending += (keyword.value, _Keyword(keyword, is_own))
        self.pending.extend(reversed(node.args))
        self.pending.append(func)

    def keyword(self, keyword: _Keyword) -> None:
        """Write a keyword argument's name by its owner."""
        name = keyword.node.arg
        owned = name is not None and keyword.is_own
        self.tokens.append(self.number("keyword", name) if owned and name else f"keyword:{name or '**'}")

    def _function(self, node: Function | ast.Lambda) -> None:
        """Write a function: its name, decorators and defaults outside, the rest in a scope of its own."""
        self.tokens.append(node.__class__.__name__)
        if not isinstance(node, ast.Lambda):
            self._own_name(node)
        arguments = node.args
        scope = bound_names(node, self.module)
        if not self.scopes and self.is_method:
            self.receiver = next((each.arg for each in arguments.posonlyargs + arguments.args), "")
        layout = [
            str(len(arguments.posonlyargs)), str(len(arguments.args)), str(len(arguments.kwonlyargs)),
            str(arguments.vararg is not None), str(arguments.kwarg is not None),
        ]  # fmt: skip
        every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
        defaults = [*arguments.defaults, *("-" if each is None else each for each in arguments.kw_defaults)]
        decorators: list[ast.expr] = [] if isinstance(node, ast.Lambda) else node.decorator_list
        self.tokens += layout
        self.pending += (None, node.body, *reversed([each for each in every if each is not None]), scope)
        self.pending += (*reversed(defaults), *reversed(decorators), str(len(decorators)))

    def _own_name(self, node: Function) -> None:
        is_dunder = node.name.startswith("__") and node.name.endswith("__")
        if is_dunder:
            self.tokens.append(f"api:{node.name}")
        elif self.scopes:
            self.tokens.append(self.name(node.name))
        else:  # where it stands is no part of what it computes: a method may call itself through self
            self.tokens.append(self.number("own" if self.is_method else "global", node.name))

    def _enter(self, node: ast.AST) -> None:
        """Write a comprehension or a class in a scope of its own."""
        self.tokens.append(node.__class__.__name__)
        if isinstance(node, ast.ClassDef):
            self.tokens.append(self.name(node.name))
        self.pending.append(None)
        super().fields(node, tuple(name for name in node._fields if name != "name"))
        self.pending.append(bound_names(node, self.module))

    def leave(self, scope: Scope | None) -> None:
        """Enter the scope given, or leave the innermost one."""
        if scope is None:
            self.scopes.pop()
        else:
            self.scopes.append(scope)
            self.entered.append(scope)
