"""Which lines of two matched functions are the same computation: the shared part of a partial copy.

The lowering drops lines on purpose. Here it runs once more on a function that matched, and each node belongs to the
innermost statement that made it. What attributes hold is left out, so that no class has to be read for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from detector.code.lowering import flow
from detector.code.lowering.flow import FIRST, Frame, table
from detector.code.lowering.gathering import bind_parameters
from detector.code.lowering.names import ModuleNames
from detector.code.lowering.python import Batch, Unit
from detector.code.lowering.statements import STATEMENTS, Handler, body
from detector.code.scopes import Place
from detector.code.shingle import node_hashes
from detector.model import Lines

# A statement is shared where at least this part of what it computes is.
SHARED_PART = 0.5


@dataclass(frozen=True, slots=True)
class Located:
    """The statements of a function that compute something, in the order of the text, and the hashes of their nodes."""

    statements: tuple[tuple[Lines, frozenset[int]], ...]

    @property
    def hashes(self) -> frozenset[int]:
        """All of them."""
        return frozenset().union(*(hashes for _, hashes in self.statements))


def locate(place: Place, module: ModuleNames) -> Located:
    """Lower a function and tell which statement made which node.

    Errors: RecursionError for code nested deeper than the interpreter allows.
    """
    flow.restart()
    made: list[tuple[Lines, int, int]] = []
    frame = Frame(module, None)
    try:
        with watched(made):
            bind_parameters(place.node.args, frame, place.is_method)
            body(place.node.body, frame)
        batch = Batch()
        for record in table:
            batch.words += record
        batch.lengths.extend(map(len, table))
    finally:
        table.clear()
    batch.ends.append(len(batch.lengths))
    batch.units.append(Unit(place.node.name, 1, 1, ()))
    owners = innermost(made, len(batch.lengths))
    found: dict[Lines, set[int]] = {}
    for value, number in node_hashes(batch):
        lines = owners.get(number - FIRST)
        if lines is not None:
            found.setdefault(lines, set()).add(value)
    return Located(tuple((lines, frozenset(hashes)) for lines, hashes in sorted(found.items())))


def shared_lines(one: Located, other: Located) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    """Ranges of lines whose statements both functions have, on either side."""
    return _ranges(one, other.hashes), _ranges(other, one.hashes)


def _ranges(located: Located, known: frozenset[int]) -> tuple[Lines, ...]:
    """Lines of shared statements; neighbours, with nothing but shared ones between them, are one range."""
    ranges: list[Lines] = []
    is_open = False
    for (first, last), hashes in located.statements:
        if len(hashes & known) < SHARED_PART * len(hashes):
            is_open = False
        elif is_open:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
            is_open = True
    return tuple(ranges)


def innermost(made: Sequence[tuple[Lines, int, int]], records: int) -> dict[int, Lines]:
    """Record -> lines of the statement that made it; inner statements come before those around them."""
    owners: dict[int, Lines] = {}
    for lines, start, end in made:
        for record in range(start, min(end, records)):
            owners.setdefault(record, lines)
    return owners


@contextmanager
def watched(made: list[tuple[Lines, int, int]]) -> Iterator[None]:
    """Note, while it lasts, which records each statement makes."""
    handlers = dict(STATEMENTS)

    def watch(handler: Handler) -> Handler:
        def handled(node: ast.stmt, frame: Frame) -> bool:
            start = len(table)
            leaves = handler(node, frame)
            made.append((_own_lines(node), start, len(table)))
            return leaves

        return handled

    STATEMENTS.update({kind: watch(handler) for kind, handler in handlers.items()})
    try:
        yield
    finally:
        STATEMENTS.update(handlers)


def _own_lines(node: ast.stmt) -> Lines:
    """The lines of a statement without those of the statements in it."""
    inner = getattr(node, "body", None)
    if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
        return node.lineno, max(node.lineno, inner[0].lineno - 1)
    return node.lineno, node.end_lineno or node.lineno
