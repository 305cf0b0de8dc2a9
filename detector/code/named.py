"""Names where they stand in a text, what they are there, and the scopes that bind them."""

from __future__ import annotations

import dataclasses
import unicodedata

VALUES, MEMBERS, GLOBALS, KEYWORDS = "values", "members", "globals", "keywords"
VARIABLE, MODULE = "variable", "module"  # decided by scope; part of a module's dotted path
COMPREHENSION = "comprehension"  # a kind of scope


class Scope:
    """What binds names: a module, a class, a function (or its type parameters), a comprehension."""

    __slots__ = ("bound", "keywords", "kind", "name", "number", "outer", "parent", "passed", "qualname")

    def __init__(self, kind: str, parent: Scope | None, number: int, qualname: str = "", name: int = -1) -> None:
        self.kind = kind  # the role of what it binds, or COMPREHENSION
        self.parent = parent
        self.number = number  # in the order in which they begin, outer ones first
        self.qualname = qualname
        self.name = name  # number of the use that names a function, -1 where there is none
        self.bound: set[str] = set()
        self.keywords = ""  # the parameter that takes keyword arguments, "" where there is none
        self.outer: set[str] = set()  # declared global
        self.passed: set[str] = set()  # declared nonlocal

    def holder(self, name: str) -> Scope | None:
        """The scope whose variable a name is; None for the module's and whatever is bound nowhere."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.outer:
                return None
            is_visible = scope is self or scope.kind != MEMBERS
            if is_visible and name in scope.bound and name not in scope.passed:
                return scope if scope.kind != GLOBALS else None
            scope = scope.parent
        return None


class Use:
    """A name where it stands."""

    __slots__ = ("home", "name", "role", "scope", "start", "text")

    def __init__(self, text: str, role: str, scope: Scope, home: Scope) -> None:
        self.text = text
        self.name = normal(text)
        self.role = role
        self.scope = scope  # where it is looked up
        self.home = home  # whose text it belongs to: a default belongs to its function and is looked up outside
        self.start = -1


def normal(name: str) -> str:
    """The name that Python takes a spelling for."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """An import of modules, or of names from one. Numbers are those of uses."""

    level: int  # dots of a relative import
    module: tuple[int, ...]
    names: tuple[tuple[int, bool], ...]  # imported from it, and whether they go by another name here
    is_bound: bool = False  # `import a.b`: a use of the module spells its path


@dataclasses.dataclass(slots=True)
class Names:
    """All names of a text."""

    uses: list[Use]
    scopes: list[Scope]
    calls: list[list[int]]  # uses that name arguments of one call
    imports: list[Imported]
    fixed: set[str]  # what `import a.b` calls a here
