"""Python source -> the records of its functions' value flows."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import NamedTuple

from detector.code.lowering import flow, labels
from detector.code.lowering.dispatch import value
from detector.code.lowering.flow import DECORATOR, DEFAULT, EFFECT, FIRST, PRESET_LABELS, Frame, Node, leaf, table
from detector.code.lowering.gathering import bind_parameters
from detector.code.lowering.inlining import Helpers
from detector.code.lowering.labels import LABELS, STORED
from detector.code.lowering.names import ClassNames, ModuleNames, flat, lines_of, read_class
from detector.code.lowering.statements import body
from detector.settings import LEAST_HELPER_PART

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Decorators that say how a function is reached, not what it computes.
_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod", "property", "abstractmethod", "override"})
_NONE = "NoneType:None"

# Everything above this line has named its labels.
labels.fix()


class Unit(NamedTuple):
    """A function as found in a file: what is compared."""

    qualname: str
    first_line: int
    last_line: int
    calls: tuple[str, ...]  # names of the project's own functions that it calls, sorted
    expands: int = -1  # of a second view with its helpers in place: the number in the batch of the function itself


class Caller(NamedTuple):
    """A function that may call helpers of its file, kept until these have been read."""

    unit: int
    node: Function
    klass: ClassNames | None
    around: tuple[str, ...]


@dataclass(slots=True)
class Batch:
    """Records of many functions, lowered but not yet hashed.

    Shapes: record i has id FIRST + i and lengths[i] words: its label, then the ids of its operands. `words` holds them
    one record after the other; function j owns the records from ends[j - 1] to ends[j].
    """

    words: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    too_deep: list[str] = field(default_factory=list)  # functions that are nested deeper than lowering goes
    lines_before: int = 0  # of the file, before the piece that is being lowered
    callers: list[Caller] = field(default_factory=list)  # functions of the piece that may call helpers of the file
    waiting: list[Caller] = field(default_factory=list)  # those of earlier pieces that call what was still to come

    def mark(self) -> tuple[int, int, int, int]:
        """Where the batch ends now, for `cut_back`."""
        return len(self.words), len(self.lengths), len(self.units), len(self.too_deep)

    def cut_back(self, mark: tuple[int, int, int, int]) -> None:
        """Forget what came after a mark."""
        words, records, units, too_deep = mark
        del self.words[words:], self.lengths[records:], self.too_deep[too_deep:]
        del self.ends[units:], self.units[units:]
        self.callers.clear()
        self.waiting.clear()
        flow.restart(records)


def begin() -> Batch:
    """Start a batch: ids and, when there are too many of them, labels start over."""
    flow.restart()
    labels.forget_if_many()
    return Batch()


def lower(tree: ast.Module, batch: Batch, module: ModuleNames, lines_before: int = 0) -> None:
    """Lower every function of a module, or of a piece of one, into the batch.

    module: what the pieces before this one have bound; the tree's own names are added.
    Errors: RecursionError for definitions nested deeper than the interpreter allows; the batch keeps what was done.
    """
    statements = flat(tree.body)
    module.add(statements)
    batch.lines_before = lines_before
    try:
        _definitions(statements, "", module, None, batch)
    finally:
        if table:  # a function was cut short
            flow.restart(len(batch.lengths))


def _definitions(
    statements: list[ast.stmt],
    prefix: str,
    module: ModuleNames,
    klass: ClassNames | None,
    batch: Batch,
    around: tuple[str, ...] = (),
) -> None:
    """Lower the functions and classes among these statements; the constructor first: it tells what attributes hold."""
    functions: list[Function] = []
    for node in statements:
        kind = node.__class__
        if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
            if klass is not None and node.name == "__init__":  # type: ignore[attr-defined]
                _function(node, prefix, module, klass, batch, around)  # type: ignore[arg-type]
            else:
                functions.append(node)  # type: ignore[arg-type]
        elif kind is ast.ClassDef:
            inner = flat(node.body)  # type: ignore[attr-defined]
            names = read_class(node, inner, module)  # type: ignore[arg-type]
            _definitions(inner, f"{prefix}{node.name}.", module, names, batch, around)  # type: ignore[attr-defined]
    for function in functions:
        _function(function, prefix, module, klass, batch, around)


def _function(
    node: Function,
    prefix: str,
    module: ModuleNames,
    klass: ClassNames | None,
    batch: Batch,
    around: tuple[str, ...],
) -> None:
    """Lower one function, then those nested in it as units of their own, to which names around them are inputs."""
    frame = _frame(module, klass, around)
    try:
        _flow(node, frame)
    except RecursionError:  # costs this function, not its file
        batch.too_deep.append(prefix + node.name)
        flow.restart(len(batch.lengths))
        return
    if frame.stores and node.name == "__init__" and klass is not None:
        _learn_attributes(frame, klass, list(table), FIRST + len(batch.lengths))
    _take_records(batch)
    calls = tuple(sorted(set(frame.called))) if frame.called else ()
    first, last = node.lineno + batch.lines_before, (node.end_lineno or node.lineno) + batch.lines_before
    if frame.yields:
        module.generators[id(node)] = node
    if calls and _may_expand(calls, klass, module):
        batch.callers.append(Caller(len(batch.units), node, klass, around))
    batch.units.append(Unit(prefix + node.name, first, last, calls))
    if frame.nested:
        for inner, names in frame.nested:
            _definitions([inner], f"{prefix}{node.name}.", module, None, batch, names)


def _may_expand(calls: tuple[str, ...], klass: ClassNames | None, module: ModuleNames) -> bool:
    """Whether any of the names called may be that of a helper."""
    module.called.update(calls)
    methods = () if klass is None else klass.methods
    return any(name in methods or name in module.functions or module.is_to_come(name) for name in calls)


def _frame(module: ModuleNames, klass: ClassNames | None, around: tuple[str, ...]) -> Frame:
    frame = Frame(module, klass)
    for name in around:
        frame.env[name] = leaf(frame, f"?{name}")
    return frame


def _take_records(batch: Batch) -> None:
    """Move the records of the function just lowered into the batch."""
    words = batch.words
    for record in table:  # several times faster than chaining them
        words += record
    batch.lengths.extend(map(len, table))
    table.clear()
    batch.ends.append(len(batch.lengths))


def expand(batch: Batch, module: ModuleNames, *, is_whole: bool = True) -> None:
    """Lower the functions of a file that call helpers of it once more, those in place, as further units.

    is_whole: whether all of the file has been added. Before that, after each piece of it, functions that call what is
              still to come wait for the end, so that where a helper stands makes no difference; the trees of all else
              are not needed any longer.
    """
    callers, batch.callers = batch.callers, []
    held: set[int] = set()  # ids of the classes of those that wait
    if is_whole:
        callers, batch.waiting = batch.waiting + callers, []
    for caller in callers:
        number, node, klass, around = caller
        unit = batch.units[number]
        if not is_whole and any(module.is_to_come(name) for name in unit.calls):
            batch.waiting.append(caller)
            held.add(id(klass))
            continue
        methods = {} if klass is None else klass.methods
        called = [methods.get(name) or module.functions.get(name) for name in unit.calls]
        lines = sum([lines_of(helper) for helper in called if helper is not None and helper is not node])
        if lines < LEAST_HELPER_PART * lines_of(node):  # without them it is as good as the same
            continue
        frame = _frame(module, klass, around)
        helpers = frame.helpers = Helpers(methods, module.functions, node, module.generators)
        try:
            _flow(node, frame)
        except RecursionError:  # it stays with its first view
            flow.restart(len(batch.lengths))
            continue
        if not helpers.inlined:
            flow.restart(len(batch.lengths))
            continue
        _take_records(batch)
        batch.units.append(unit._replace(expands=number))
    module.forget_methods(held)


def _flow(node: Function, frame: Frame) -> None:
    """Lower a function's defaults, decorators, parameters and body."""
    arguments = node.args
    if arguments.defaults or arguments.kw_defaults:
        for default in arguments.defaults + arguments.kw_defaults:
            if default is not None and not (default.__class__ is ast.Constant and default.value is None):
                table[(DEFAULT, value(default, frame))]
    for decorator in node.decorator_list:
        _decorate(decorator, frame)
    bind_parameters(arguments, frame, frame.klass is not None and not _is_static(node))
    body(node.body, frame)


def _is_static(node: Function) -> bool:
    for decorator in node.decorator_list:
        if decorator.__class__ is ast.Name and decorator.id == "staticmethod":
            return True
    return False


def _decorate(decorator: ast.expr, frame: Frame) -> None:
    """A decorator from a library changes what is computed (`torch.no_grad()`); the project's own has no name."""
    name = getattr(decorator, "id", getattr(decorator, "attr", None))
    if name not in _PLAIN_DECORATORS and name not in {"setter", "getter", "deleter"}:
        # `@torch.no_grad()` around the whole is `with torch.no_grad():` around its body.
        label = EFFECT if isinstance(decorator, ast.Call) else DECORATOR
        table[(label, value(decorator, frame))]


def _learn_attributes(frame: Frame, klass: ClassNames, nodes: list[Node], first: int) -> None:
    """Tell what `self.x` is from what the constructor stored there: `self.attn` is an `nn.MultiheadAttention`.

    nodes: those of the constructor; the first one has the id `first`.
    """
    for key, number in frame.env.items():
        if key[0] != ".":
            continue
        values = frame.phis.get(number, (number,))
        texts = [LABELS.texts[nodes[each - first][0] if each >= FIRST else PRESET_LABELS[each]] for each in values]
        stored = STORED[texts[0] if len(texts) == 1 else min(filter(_NONE.__ne__, texts), default=_NONE)]
        name = key[1:]
        klass.attributes[name] = stored.attribute
        if stored.call > 0:
            klass.calls[name] = stored.call
        elif stored.call < 0:
            klass.calls.pop(name, None)
