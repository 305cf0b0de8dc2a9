"""Python source -> the records of its functions' value flows."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from detector.code import flow, labels
from detector.code.expressions import bind_parameters, value
from detector.code.flow import DEFAULT, DECORATOR, FIRST, PRESET_LABELS, Frame, Node, table
from detector.code.labels import APPLIED, APPLIED_AS, INPUT_NAME, LABELS
from detector.code.names import ClassNames, ModuleNames, read_class, read_module
from detector.code.statements import body

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# Decorators that say how a function is reached, not what it computes.
_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod", "property", "abstractmethod", "override"})
_SELF_LABELS = labels.PrefixedLabels("self:")

# Everything above this line has named its labels.
labels.fix()


@dataclass(frozen=True, slots=True)
class Unit:
    """A function as found in a file: what is compared."""

    qualname: str
    first_line: int
    last_line: int


@dataclass(slots=True)
class Batch:
    """Records of many functions, lowered but not yet hashed.

    Shapes: records[i] has id FIRST + i; function j owns records[starts[j]:ends[j]].
    """

    records: list[Node] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)


def begin() -> Batch:
    """Start a batch: ids and, when there are too many of them, labels start over."""
    flow.restart()
    labels.forget_if_many()
    return Batch()


def lower(tree: ast.Module, batch: Batch, local_packages: frozenset[str] = frozenset()) -> int:
    """Lower every function of a module into the batch; give how many there were.

    Errors: RecursionError for code nested deeper than the interpreter allows; the batch keeps what was done before.
    """
    before = len(batch.units)
    module = read_module(tree, local_packages)
    try:
        _definitions(tree.body, "", module, None, batch)
    finally:
        if table:  # a function was cut short: its ids are used up, so its records must stay in their places
            batch.records.extend(table)
            table.clear()
    return len(batch.units) - before


def _definitions(
    statements: list[ast.stmt], prefix: str, module: ModuleNames, klass: ClassNames | None, batch: Batch
) -> None:
    """Lower the functions and classes among these statements, also inside ifs, tries, loops and withs."""
    pending = [(statement, prefix) for statement in reversed(statements)]
    functions: list[tuple[Function, str]] = []
    while pending:
        node, path = pending.pop()
        if isinstance(node, _FUNCTIONS):
            functions.append((node, path))
        elif isinstance(node, ast.ClassDef):
            names = read_class(node, module)
            _definitions(node.body, f"{path}{node.name}.", module, names, batch)
        else:
            inner = [child for child in _inner(node) if isinstance(child, ast.stmt)]
            pending.extend((child, path) for child in reversed(inner))
    if klass is not None:  # the constructor first: it tells what each attribute holds
        functions.sort(key=lambda entry: entry[0].name != "__init__")
    for node, path in functions:
        _function(node, path, module, klass, batch)


def _inner(node: ast.stmt) -> list[ast.AST]:
    inner: list[ast.AST] = []
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(node, name, ()):
            inner.extend(child.body if isinstance(child, ast.ExceptHandler | ast.match_case) else (child,))
    return inner


def _function(node: Function, prefix: str, module: ModuleNames, klass: ClassNames | None, batch: Batch) -> None:
    """Lower one function, then those nested in it as units of their own."""
    frame = Frame(module, klass)
    first = FIRST + len(batch.records)
    is_method = klass is not None and not _is_static(node)
    for default in node.args.defaults + node.args.kw_defaults:
        if default is not None and not (isinstance(default, ast.Constant) and default.value is None):
            table[(DEFAULT, value(default, frame))]
    for decorator in node.decorator_list:
        _decorate(decorator, frame)
    bind_parameters(node.args, frame, is_method)
    body(node.body, frame)
    records = list(table)
    table.clear()
    batch.starts.append(len(batch.records))
    batch.records.extend(records)
    batch.ends.append(len(batch.records))
    batch.units.append(Unit(prefix + node.name, node.lineno, node.end_lineno or node.lineno))
    if klass is not None and node.name == "__init__":
        _learn_attributes(frame, klass, records, first)
    if frame.nested:
        _definitions(frame.nested, f"{prefix}{node.name}.", module, None, batch)  # type: ignore[arg-type]


def _is_static(node: Function) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in node.decorator_list)


def _decorate(decorator: ast.expr, frame: Frame) -> None:
    """A decorator from a library changes what is computed (`torch.no_grad()`); the project's own has no name."""
    name = getattr(decorator, "id", getattr(decorator, "attr", None))
    if name not in _PLAIN_DECORATORS and name not in {"setter", "getter", "deleter"}:
        table[(DECORATOR, value(decorator, frame))]


def _learn_attributes(frame: Frame, klass: ClassNames, records: list[Node], first: int) -> None:
    """Tell what `self.x` is from what the constructor stored there: `self.attn` is an `nn.MultiheadAttention`."""
    for key, number in frame.env.items():
        if key[0] != ".":
            continue
        values = frame.phis.get(number, (number,))
        texts = [
            LABELS.texts[records[each - first][0] if each >= first else PRESET_LABELS[each]] for each in values
        ]
        text = min((text for text in texts if text != "NoneType:None"), default="NoneType:None")
        name = key[1:]
        if text.startswith(INPUT_NAME):
            klass.attributes[name] = labels.INPUTS[f"?self.{name}"]
            klass.applied.pop(name, None)
        elif text.partition(":")[0] in {"num", "str", "bool", "NoneType"}:
            klass.attributes[name] = LABELS[text]
        else:
            klass.attributes[name] = _SELF_LABELS[text]
            klass.applied[name] = LABELS[APPLIED_AS[text]] if text in APPLIED_AS else APPLIED[text]

