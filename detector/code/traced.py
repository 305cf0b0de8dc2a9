"""The value flow of one function with its names still on it: what each name stands for, as a node of the graph.

The lowering forgets names on purpose. Here it runs once more on the few functions that matched, with its tables
of names replaced by ones that keep every name apart: an environment that remembers each binding, attributes and own
functions as labels of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.located import innermost, watched
from detector.code.lowering import flow
from detector.code.lowering.dispatch import value
from detector.code.lowering.flow import FIRST, FIRST_PARAMETER, PRESET_LABELS, SELF, Frame, Node, table
from detector.code.lowering.gathering import bind_parameters
from detector.code.lowering.labels import API_NAMES, COMMUTATIVE, LABELS, METHODS, SAME_AS
from detector.code.lowering.names import ClassNames, ModuleNames
from detector.code.lowering.statements import body
from detector.code.scopes import Place, bound_names, parameters, walk
from detector.model import Lines

Numbers = npt.NDArray[np.int32]

# Nodes kept of one function. The longest function of common modeling code has about a thousand.
MOST_NODES = 700

# Names kept of one function, since they are compared each with each; people write about a hundred at most.
MOST_NAMES = 400

# Slots of operands that have no place of their own; places beyond the last one share it.
ANY_SLOT, ARGUMENT_SLOT, FIRST_SLOT, LAST_SLOT = 0, 1, 2, 9

# An origin that no import can have: what the project defines itself.
_OWN = "=own"
OPEN, OWN_CALL, ARGUMENT, TYPED = "open", "own()", "argument", "own:"
_DEFAULT = "default of"


@dataclass(frozen=True, slots=True)
class Name:
    """A name and the nodes that it stands for.

    kind: parameter, local, own (attribute of self), attribute (of another value), global, callee, keyword.
    """

    kind: str
    name: str
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """A value-flow graph as arrays, and its names.

    Shapes: keys[node], lines[node] (first line of the statement that makes it, 0: none); operands[edge] is used by
            owners[edge] in slots[edge].
    bindings: nodes that were bound to a local or stored on self, in the order of the text.
    """

    keys: tuple[str, ...]
    lines: tuple[int, ...]
    owners: Numbers
    operands: Numbers
    slots: Numbers
    names: tuple[Name, ...]
    bindings: tuple[int, ...]


class _Environment(dict[str, int]):
    """Local names -> ids, and a log of every binding that was ever made."""

    def __init__(self, log: list[tuple[str, int]], *known: dict[str, int]) -> None:
        super().__init__(*known)
        self.log = log

    def __setitem__(self, name: str, number: int) -> None:
        self.log.append((name, number))
        super().__setitem__(name, number)

    def copy(self) -> _Environment:
        """Copy the names; the log stays one."""
        return _Environment(self.log, self)


class _OwnNames(ModuleNames):
    """Global names of a module in which the project's own functions and classes keep apart."""

    def origin(self, name: str) -> str:
        """Where a name comes from; own ones by name."""
        found = ModuleNames.origin(self, name)
        return f"{_OWN}.{name}" if found[0] == "~" else found

    def add_import(self, statement: ast.stmt, names: dict[str, str]) -> None:
        """Add what an import inside the function binds."""
        found: dict[str, str] = {}
        ModuleNames.add_import(self, statement, found)
        names.update({name: f"{_OWN}.{name}" if origin[0] == "~" else origin for name, origin in found.items()})


def trace(place: Place, module: ModuleNames, own: frozenset[str], types: dict[str, str]) -> Traced:
    """Lower a function and keep its names.

    own: attributes that its class defines. types: what the constructor puts into them, as labels.
    Errors: RecursionError for code nested deeper than the interpreter allows.
    """
    lowering = _Lowering(place, module, own)
    try:
        lowering.run()
        return _Reading(lowering, types).traced()
    finally:
        table.clear()


def attribute_types(constructor: Place, module: ModuleNames, own: frozenset[str]) -> dict[str, str]:
    """What a constructor stores in each attribute, as labels: `norm` -> `nn.LayerNorm`."""
    lowering = _Lowering(constructor, module, own)
    try:
        lowering.run()
        found = ((name[1:], lowering.text(number)) for name, number in lowering.log if name[0] == ".")
        return {name: text for name, text in found if text and text[:5] != "input" and text[0] != "="}
    finally:
        table.clear()


class _Lowering:
    """One function being lowered with traced names; labels below zero are attribute names."""

    def __init__(self, place: Place, module: ModuleNames, own: frozenset[str]) -> None:
        self.node = place.node
        self.is_method = place.is_method
        self.module = _OwnNames(module.local_packages, origins=module.origins)
        self.constants = module.constants
        self.log: list[tuple[str, int]] = []
        self.attributes: dict[int, str] = {}  # label -> attribute name
        self.scope = bound_names(self.node, module)
        self.records: list[Node] = []
        self.made: list[tuple[Lines, int, int]] = []
        shadowing = {name: self._label(name) for name in sorted(own & API_NAMES)}
        self.without_receiver = frozenset(shadowing.values())  # labels of records that leave self out
        # An own attribute that a library has too (`self.norm`) must not turn into the library's operation.
        klass = ClassNames(attributes=shadowing, calls=dict(shadowing)) if place.klass is not None else None
        self.frame = Frame(self.module, klass)
        self.frame.env = _Environment(self.log)

    def _label(self, name: str) -> int:
        label = -1 - len(self.attributes)
        self.attributes[label] = name
        return label

    def run(self) -> None:
        """Lower the function."""
        flow.restart()
        attributes, variables = self._read_words()
        with self._named(sorted(attributes - API_NAMES)):
            bind_parameters(self.node.args, self.frame, self.is_method)
            for parameter, default in _defaults(self.node.args):
                number = self.frame.env.get(parameter)
                if number is not None:
                    table[(LABELS[_DEFAULT], number, value(default, self.frame))]
            with watched(self.made):
                body(self.node.body, self.frame)
            for name in sorted(variables & self.constants.keys()):
                if name not in self.scope and name in self.frame.env:
                    held = value(self.constants[name], self.frame)
                    table[(LABELS["constant"], self.frame.env[name], held)]
        self.records = list(table)

    def _read_words(self) -> tuple[set[str], set[str]]:
        """Names written after a dot, and those that stand alone."""
        attributes: set[str] = set()
        variables: set[str] = set()
        for each in walk(self.node):
            kind = each.__class__
            if kind is ast.Name:
                variables.add(each.id)  # type: ignore[attr-defined]
            elif kind is ast.Attribute:
                attributes.add(each.attr)  # type: ignore[attr-defined]
        return attributes, variables

    @contextmanager
    def _named(self, names: list[str]) -> Iterator[None]:
        """Give attributes that are the project's own a label each, for as long as this function is lowered."""
        for name in names:
            METHODS[name] = self._label(name)
        try:
            yield
        finally:
            for name in names:
                METHODS[name] = 0

    def text(self, number: int) -> str:
        """The label of a node, "" for an attribute."""
        label = PRESET_LABELS[number] if number < FIRST else self.records[number - FIRST][0]
        return LABELS.texts[label].removeprefix(SAME_AS) if label >= 0 else ""


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = arguments.posonlyargs + arguments.args
    defaulted = positional[len(positional) - len(arguments.defaults) :]
    yield from ((each.arg, default) for each, default in zip(defaulted, arguments.defaults, strict=True))
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield each.arg, default


class _Reading:
    """Reads the records of a lowering into arrays."""

    def __init__(self, lowering: _Lowering, types: dict[str, str]) -> None:
        self.lowering = lowering
        self.types = types
        self.keys: list[str] = []
        self.edges: list[tuple[int, int, int]] = []
        self.places: dict[int, int] = {}  # id -> node
        self.nodes: dict[tuple[str, str], list[int]] = {}  # (kind, name) -> nodes

    def traced(self) -> Traced:
        """Read every record, then the bindings."""
        for number, record in enumerate(self.lowering.records[:MOST_NODES], FIRST):
            self._record(number, record)
        known = set(parameters(self.lowering.node.args))
        bindings: list[int] = []
        for name, number in self.lowering.log:
            if name[0] == ".":
                self._bind("own", name[1:], number)
                bindings.append(self.places.get(number, -1))
            elif name in self.lowering.scope or not self._is_free(name, number):
                self._bind("parameter" if name in known else "local", name, number)
                bindings += [] if number < FIRST else [self.places.get(number, -1)]
        owners = innermost(self.lowering.made, len(self.lowering.records))
        lines = {node: owners[number - FIRST][0] for number, node in self.places.items() if number - FIRST in owners}
        columns = np.array(self.edges, np.int32).reshape(-1, 3)
        names = tuple(Name(kind, name, tuple(nodes)) for (kind, name), nodes in self.nodes.items() if nodes)
        arrays = columns[:, 0], columns[:, 1], columns[:, 2]
        placed = tuple(lines.get(node, 0) for node in range(len(self.keys)))
        return Traced(tuple(self.keys), placed, *arrays, names[:MOST_NAMES], tuple(bindings))

    def _is_free(self, name: str, number: int) -> bool:
        """Whether a binding is the load of an import or a global, kept by the environment."""
        return self.lowering.frame.origins.get(number) == self.lowering.module.origin(name)

    def _bind(self, kind: str, name: str, number: int) -> None:
        if number == SELF:
            return
        node = self._node(number)
        held = self.nodes.setdefault((kind, name), [])
        if node is not None and node not in held:
            held.append(node)

    def _node(self, number: int) -> int | None:
        """The node of an id; presets get theirs when they are first used."""
        node = self.places.get(number)
        if node is None and number < FIRST and number != SELF:
            node = self._new(OPEN if number >= FIRST_PARAMETER else self.lowering.text(number), number)
        return node

    def _new(self, key: str, number: int | None = None) -> int:
        node = len(self.keys)
        self.keys.append(key)
        if number is not None:
            self.places[number] = node
        return node

    def _record(self, number: int, record: Node) -> None:
        label, *operands = record
        if label < 0:
            if label in self.lowering.without_receiver:
                operands.insert(0, SELF)
            self._attribute(number, self.lowering.attributes[label], operands)
            return
        text = LABELS.texts[label].removeprefix(SAME_AS)
        if text.startswith(_OWN):
            name = text.partition(":")[2]
            node = self._own(number, operands, OWN_CALL if operands else OPEN)
            self.nodes.setdefault(("callee" if operands else "global", name), []).append(node)
        elif text.startswith("input"):
            node = self._new(OPEN, number)
            if text[6:].isidentifier():
                self.nodes.setdefault(("global", text[6:]), []).append(node)
        elif text == "local()":
            self._own(number, operands, OWN_CALL)
        else:
            node = self._new(text, number)
            self._operands(node, operands, text in COMMUTATIVE)

    def _attribute(self, number: int, name: str, operands: list[int]) -> None:
        """An attribute of the project's own, loaded, applied or called."""
        is_receiver = not operands or operands[0] == SELF
        rest = operands[1:] if operands and operands[0] == SELF else operands
        is_call = bool(rest) if is_receiver else len(rest) > 1
        held = self.types.get(name) if is_receiver else None
        key = TYPED + held if held else OPEN
        if is_call:
            key = TYPED + held + "()" if held else OWN_CALL
        node = self._own(number, rest, key) if is_call else self._new(key, number)
        if not is_call:
            self._operands(node, rest, False)
        kind = "own" if is_receiver else "callee" if is_call else "attribute"
        if is_receiver and is_call and not held:
            kind = "callee"
        self.nodes.setdefault((kind, name), []).append(node)

    def _own(self, number: int, operands: list[int], key: str) -> int:
        """A call whose arguments may stand in any order, by position or by keyword."""
        node = self._new(key, number)
        for position, operand in enumerate(operands):
            record = self.lowering.records[operand - FIRST] if operand >= FIRST else (0,)
            text = LABELS.texts[record[0]] if record[0] > 0 else ""
            is_keyword = text.startswith("kw:")
            given = self._node(record[1] if is_keyword else operand)
            if given is None:
                continue
            argument = self._new(ARGUMENT)
            self.edges += ((argument, given, FIRST_SLOT), (node, argument, ARGUMENT_SLOT))
            if is_keyword:
                self.nodes.setdefault(("keyword", text[3:]), []).append(argument)
            else:
                self.edges.append((node, argument, min(FIRST_SLOT + position, LAST_SLOT)))
        return node

    def _operands(self, node: int, operands: list[int], is_unordered: bool) -> None:
        for position, operand in enumerate(operands):
            given = self._node(operand)
            if given is not None:
                is_free = is_unordered or self.keys[given].startswith("kw:")
                self.edges.append((node, given, ANY_SLOT if is_free else min(FIRST_SLOT + position, LAST_SLOT)))
