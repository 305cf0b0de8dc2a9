"""The bytes of one file -> its syntax tree, or the value flow of its functions: which front end reads what."""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from detector.code.lowering.names import ModuleNames
from detector.code.lowering.python import Batch, begin, expand, lower
from detector.code.pieces import Piece, bases_in, pieces
from detector.code.shingle import shingle
from detector.settings import DEEPEST_LOWERING, LEAST_TEXT

# Bytes that no text holds, in any encoding that Python source is written in.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r"))


def parse_file(data: bytes) -> tuple[ast.Module, str]:
    """Parse Python: what the standard library rejects is read by the tolerant front end as far as it parses.

    Gives the tree, and the reason why it is not whole ("" when it is).
    """
    try:
        return ast.parse(data), ""
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if len(data.translate(None, _CONTROLS)) < LEAST_TEXT * len(data):
            return ast.Module([], []), "not text; nothing in it is read"
        from detector.code.tolerant import parse_tolerant

        return parse_tolerant(data), f"{_why(error)}; read as far as it parses"


def _why(error: Exception) -> str:
    if isinstance(error, SyntaxError) and not isinstance(error.msg, type(None)):
        return f"{error.msg} (line {error.lineno})" if error.lineno else str(error.msg)
    if isinstance(error, RecursionError | MemoryError):
        return "nested too deeply for Python's parser"
    return str(error) or type(error).__name__


def lower_file(data: bytes, batch: Batch, local: frozenset[str]) -> str:
    """Lower one file into the batch; the reason why something in it could not be read, "" when all was."""
    before = len(batch.too_deep)
    parts = pieces(data)
    reason = ""
    if len(parts) == 1 or not _lower_pieces(data, parts, batch, local):
        tree, reason = parse_file(data)
        try:
            with deeply():
                module = ModuleNames(local)
                lower(tree, batch, module)
                expand(batch, module)
        except RecursionError:
            return "nested too deeply; read up to there"
    left_out = batch.too_deep[before:]
    if left_out:
        return f"{left_out[0]} nested too deeply; {len(left_out)} such functions left out, the rest is read"
    return reason


def _lower_pieces(data: bytes, parts: list[Piece], batch: Batch, local: frozenset[str]) -> bool:
    """Lower a file piece by piece, each dropped before the next; whether that gave what the whole would give.

    If not, the batch is as it was: a piece does not parse, or a later one binds a name that an earlier one uses to
    something else than a definition.
    """
    promised = frozenset([name for part in parts for name in part.definitions])
    module = ModuleNames(local, promised, bases_in(data))
    before = batch.mark()
    try:
        for part in parts:
            tree = ast.parse(part.text)
            with deeply():
                lower(tree, batch, module, part.lines_before)
                expand(batch, module, is_whole=False)
            del tree  # before the next one is made
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        is_whole = False
    else:
        is_whole = module.has_kept_its_word()
        if is_whole:
            with deeply():
                expand(batch, module)
    if not is_whole:
        batch.cut_back(before)
    return is_whole


def shingles_of(data: bytes, local: frozenset[str] = frozenset()) -> dict[str, frozenset[int]]:
    """The shingle set of every function of one file, by qualname: the smallest way in, for tests and notebooks."""
    batch = begin()
    lower_file(data, batch, local)
    found = shingle(batch).shingles
    return {
        unit.qualname: frozenset(found.hashes[found.offsets[j] : found.offsets[j + 1]].tolist())
        for j, unit in enumerate(batch.units)
        if unit.expands < 0
    }


@contextmanager
def uncollected() -> Iterator[None]:
    """No cycle collector while much is built and little forms cycles: it costs a tenth to a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def parsing() -> Iterator[None]:
    """While trees are built and dropped: no cycle collector, and no warnings about what is read."""
    with uncollected(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in what is read are not our user's concern
        yield


class deeply:  # noqa: N801 - used like a context manager function, at a fifth of the price: it is entered for each piece
    """Room for recursion over a tree; never while parsing, whose own recursion would run over the C stack."""

    __slots__ = ("limit",)

    def __enter__(self) -> None:
        self.limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(self.limit, DEEPEST_LOWERING))

    def __exit__(self, *_: object) -> None:
        sys.setrecursionlimit(self.limit)
