"""Programs as modeling code has them: what is computed, not how it is spelled.

A program here has no names, no temporaries and no choice between a loop and a comprehension; `writing.py` writes it
out as Python in one of many ways. Two spellings of one program must have the same flow.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Var:
    """A parameter, a local or a loop variable, by number."""

    number: int


@dataclass(frozen=True)
class Literal:
    value: float | str | None


@dataclass(frozen=True)
class Attribute:
    """`self.x`, by number; for what is no layer."""

    number: int


@dataclass(frozen=True)
class Binary:
    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Library:
    """A call to a library. `options` may be given by position, by keyword, or on the first argument as a method."""

    origin: str
    arguments: tuple[Expr, ...]
    options: tuple[tuple[str, Expr], ...] = ()


@dataclass(frozen=True)
class OwnCall:
    """A call to a function of the program (kind "function") or to a method or layer of self."""

    kind: str
    number: int
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Item:
    base: Expr
    index: Expr


@dataclass(frozen=True)
class Size:
    """`x.shape[place]`."""

    base: Expr
    place: int


@dataclass(frozen=True)
class Row:
    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Compare:
    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Test:
    """A condition: "compare", "truth", "none" (is None), "filled" (has a length), or "all" of several."""

    kind: str
    parts: tuple[Expr | Test, ...]


@dataclass(frozen=True)
class Choice:
    test: Test
    first: Expr
    second: Expr


@dataclass(frozen=True)
class Gather:
    """The elements for each value of the loop variables: `clauses` are (variable, iterable), outermost first."""

    clauses: tuple[tuple[int, Expr], ...]
    element: Expr
    test: Test | None
    is_dict: bool = False


@dataclass(frozen=True)
class Ranked:
    """`sorted(iterable, key=...)`."""

    iterable: Expr
    variable: int
    key: Expr


Expr = Var | Literal | Attribute | Binary | Library | OwnCall | Item | Size | Row | Compare | Choice | Gather | Ranked


@dataclass(frozen=True)
class Let:
    variable: int
    value: Expr


@dataclass(frozen=True)
class Update:
    """`x += y`."""

    variable: int
    operator: str
    value: Expr


@dataclass(frozen=True)
class Store:
    """`self.x = y`."""

    attribute: int
    value: Expr


@dataclass(frozen=True)
class Effect:
    call: Library


@dataclass(frozen=True)
class Fold:
    """A loop that updates a variable for each element."""

    variable: int
    iterable: Expr
    update: Update


@dataclass(frozen=True)
class Find:
    """A loop that is left with the first value that passes; `result` has a value before it."""

    result: int
    variable: int
    iterable: Expr
    test: Test
    value: Expr


@dataclass(frozen=True)
class Refuse:
    """`if test: raise error`."""

    test: Test
    error: str


Statement = Let | Update | Store | Effect | Fold | Find | Refuse


@dataclass(frozen=True)
class Function:
    number: int
    parameters: int
    body: tuple[Statement, ...]
    result: Expr


@dataclass(frozen=True)
class Layered:
    """A class: what its constructor puts into its attributes (an expression over the constructor's parameters)."""

    number: int
    parameters: int
    attributes: tuple[Expr, ...]
    methods: tuple[Function, ...]  # number 0 is `forward`


@dataclass(frozen=True)
class Program:
    functions: tuple[Function, ...]
    classes: tuple[Layered, ...]
