"""Digests of a function's text: equal but for layout (clone type 1), equal but for names (clone type 2).

Both are hashes of one canonical text, written from the syntax tree without recursion. Docstrings, annotations and
comments never reach it. In the renamed form an identifier is its kind and the order of its first occurrence, so two
functions are equal exactly when a one-to-one renaming of each kind makes them equal.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from detector.code.labels import API_NAMES
from detector.code.names import ModuleNames
from detector.code.scopes import Function, Scope, bound_names, is_bare_string, is_receiver_bound
from detector.model import CloneType

# Multiset Jaccard of syntactic shapes above which two functions are one text that was edited, not one computation
# written anew. In the gold standard's fixtures the median of the hand-edited pairs is .43 and of the refactored ones
# .33, of functions that have nothing to do with each other .16 (.95 quantile .36): .4 keeps the latter out.
LEAST_EDITED_LIKENESS = 0.4

# 16 bytes: two different functions meet by accident once in 2^64 functions.
DIGEST_BYTES = 16

# What a copier rewrites without touching the computation, or what only some Python versions record.
_IGNORED_FIELDS = frozenset(
    {"annotation", "returns", "type_params", "type_comment", "type_ignores", "kind", "ctx", "lineno"}
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NO_MODULE = ModuleNames({}, {}, frozenset())


@dataclass(frozen=True, slots=True)
class Canonical:
    """A function's canonical text, hashed, and the names that were numbered in it.

    names: (kind, name) by first occurrence; those of two functions with one digest stand for each other in order.
    """

    digest: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Keyword:
    """A keyword argument, still to be written: its name is the project's own or the library's."""

    node: ast.keyword
    is_own: bool


def layout_digest(node: Function) -> str:
    """Hash what is left of a function without layout, comments, docstrings and annotations.

    Stable: equal across processes, machines and Python versions.
    """
    return _hash(_Writer().write(node))


def renamed_digest(
    node: Function, module: ModuleNames = _NO_MODULE, own: frozenset[str] = frozenset(), is_method: bool = False
) -> str:
    """Hash a function with every name of the project's own replaced by its kind and number; see `canonical`."""
    return canonical(node, module, own, is_method).digest


def canonical(
    node: Function, module: ModuleNames = _NO_MODULE, own: frozenset[str] = frozenset(), is_method: bool = False
) -> Canonical:
    """Number the project's own names by first occurrence and keep what libraries call theirs.

    own: attributes that the class itself defines; on self they are its own even where a library has the name too.
    is_method: the first parameter is the receiver.
    """
    writer = _NamingWriter(module, own, is_method)
    tokens = writer.write(node)
    return Canonical(_hash(tokens), tuple(writer.names))


def shapes(node: Function) -> Counter[str]:
    """Count the shapes of statements and expressions, blind to names and constants.

    A shape is a node's class with those of its children; operators and library names belong to the class.
    """
    found: Counter[str] = Counter()
    pending: list[ast.AST] = list(node.body)
    while pending:
        current = pending.pop()
        if is_bare_string(current):
            continue
        inner = list(_children(current))
        pending.extend(inner)
        if inner and not isinstance(current, ast.expr_context):
            found[f"{_blind(current)}({' '.join(map(_blind, inner))})"] += 1
    return found


def likeness(one: Counter[str], other: Counter[str]) -> float:
    """Multiset Jaccard of two functions' shapes.

    Units: 0..1.
    Empty: two empty bodies are alike: 1.0.
    """
    either = (one | other).total()
    return (one & other).total() / either if either else 1.0


def clone_type(
    suspect: Function,
    reference: Function,
    modules: tuple[ModuleNames, ModuleNames] = (_NO_MODULE, _NO_MODULE),
    own: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
    is_method: tuple[bool, bool] = (False, False),
) -> CloneType:
    """Tell which of the four clone types a pair that was matched by its value flow is.

    modules, own, is_method: of the suspect and of the reference, as `canonical` takes them.
    """
    if layout_digest(suspect) == layout_digest(reference):
        return CloneType.LAYOUT
    digests = [
        renamed_digest(node, *rest)
        for node, *rest in zip((suspect, reference), modules, own, is_method, strict=True)  # type: ignore[arg-type]
    ]
    if digests[0] == digests[1]:
        return CloneType.RENAMED
    return edited_or_rewritten(shapes(suspect), shapes(reference))


def edited_or_rewritten(suspect: Counter[str], reference: Counter[str]) -> CloneType:
    """Tell an edited text from a rewritten one by how alike their shapes are."""
    is_edited = likeness(suspect, reference) >= LEAST_EDITED_LIKENESS
    return CloneType.EDITED if is_edited else CloneType.REWRITTEN


def _hash(tokens: list[str]) -> str:
    text = "\0".join(tokens).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).hexdigest()


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name in node._fields:
        if name in _IGNORED_FIELDS:
            continue
        child = getattr(node, name, None)
        if isinstance(child, ast.AST):
            yield child
        elif isinstance(child, list):
            yield from (each for each in child if isinstance(each, ast.AST))


def _blind(node: ast.AST) -> str:
    """A node's class; of an attribute, the name as well when it is a library's."""
    kind = "Assign" if isinstance(node, ast.AnnAssign) else node.__class__.__name__
    return f"Attribute.{node.attr}" if isinstance(node, ast.Attribute) and node.attr in API_NAMES else kind


def _constant(value: object) -> str:
    """Spell a constant so that every Python version spells it alike: `ascii` knows no Unicode version."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"int:{value:#x}"  # in decimal a huge one costs quadratic time, or is refused
    return f"{type(value).__name__}:{value!a}"


class _Writer:
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
                items = _statements(item)
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
            if name not in _IGNORED_FIELDS:
                child = getattr(node, name, None)
                self.pending.append("-" if child is None else child)

    def keyword(self, keyword: _Keyword) -> None:
        """Write a keyword argument's name; its value stands in line already."""
        self.tokens.append(f"keyword:{keyword.node.arg or '**'}")

    def leave(self, scope: Scope | None) -> None:
        """Leave a scope."""


def _statements(items: list[object]) -> list[object]:
    """A list without what is no code; a body of nothing else is `pass`."""
    kept = [
        "-" if item is None else item
        for item in items
        if not (is_bare_string(item) or (isinstance(item, ast.AnnAssign) and item.value is None))
    ]
    if not kept and items:
        return [ast.Pass()]
    return kept


class _NamingWriter(_Writer):
    """Writes names by kind and number, and what hangs on an import by its dotted origin."""

    def __init__(self, module: ModuleNames, own: frozenset[str], is_method: bool) -> None:
        super().__init__()
        self.module = module
        self.own = own
        self.is_method = is_method
        self.receiver = ""
        self.scopes: list[Scope] = []
        self.names: list[tuple[str, str]] = []
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
        elif isinstance(node, (*_COMPREHENSIONS, ast.ClassDef)):
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
        return self.number("global", name) if origin[0] in "~?" else f"external:{origin}"

    def _external(self, node: ast.expr) -> str:
        """The dotted origin of a chain of attributes on an import; "" when it is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        bound = next((scope for scope in reversed(self.scopes) if node.id in scope), None)
        origin = self.module.origin(node.id) if bound is None else bound[node.id]
        return "" if origin is None or origin[0] in "~?" else ".".join([origin, *reversed(parts)])

    def _attribute(self, node: ast.Attribute) -> None:
        origin = self._external(node)
        if origin:
            self.tokens.append(f"external:{origin}")
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
        is_own = not self._external(func)
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
