"""What the names of a module and of its classes stand for: a pass over module- and class-level statements only."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

# Module constants are followed to their value when they are at most this many nodes.
_LARGEST_CONSTANT = 24

_BUILTINS = frozenset(
    """ArithmeticError AssertionError AttributeError BaseException BufferError BytesWarning ConnectionError
    DeprecationWarning EOFError Ellipsis Exception FileExistsError FileNotFoundError FloatingPointError FutureWarning
    GeneratorExit IOError ImportError IndentationError IndexError InterruptedError IsADirectoryError KeyError
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplemented
    NotImplementedError OSError OverflowError PermissionError RecursionError ReferenceError RuntimeError RuntimeWarning
    StopAsyncIteration StopIteration SyntaxError SystemError SystemExit TimeoutError TypeError UnicodeDecodeError
    UnicodeEncodeError UnicodeError UserWarning ValueError Warning ZeroDivisionError abs aiter all any anext ascii bin
    bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict dir divmod enumerate eval
    exec filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter
    len list locals map max memoryview min next object oct open ord pow print property range repr reversed round set
    setattr slice sorted staticmethod str sum super tuple type vars zip __import__ __name__ __file__""".split()
)


@dataclass(slots=True)
class ClassNames:
    """What `self.x` may be in one class."""

    methods: frozenset[str]
    constants: dict[str, ast.expr]  # class-level names with a constant value
    attributes: dict[str, int] = field(default_factory=dict)  # name -> label of the leaf that loads it
    applied: dict[str, int] = field(default_factory=dict)  # name -> label of calling it


@dataclass(slots=True)
class ModuleNames:
    """What a module's global names stand for.

    origins: name -> dotted origin; "~" is something of the scanned repository, "?name" an input.
    """

    origins: dict[str, str]
    constants: dict[str, ast.expr]
    local_packages: frozenset[str]
    classes: dict[str, ClassNames] = field(default_factory=dict)

    def origin(self, name: str) -> str:
        """Where a name that no function binds comes from; an unknown one is an input, like a parameter."""
        found = self.origins.get(name)
        if found is not None:
            return found
        return f"builtins.{name}" if name in _BUILTINS else f"?{name}"

    def add_import(self, statement: ast.stmt, names: dict[str, str]) -> None:
        """Add what an import statement binds: relative imports and the repository's own packages are local."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                root = alias.name.partition(".")[0]
                dotted = alias.name if alias.asname else root
                names[alias.asname or root] = "~" if root in self.local_packages else dotted
        elif isinstance(statement, ast.ImportFrom):
            module = statement.module or ""
            is_local = statement.level > 0 or module.partition(".")[0] in self.local_packages
            for alias in statement.names:
                names[alias.asname or alias.name] = "~" if is_local or not module else f"{module}.{alias.name}"


def read_module(tree: ast.Module, local_packages: frozenset[str]) -> ModuleNames:
    """Bind the module's global names: imports anywhere at module level, definitions, simple constants."""
    names = ModuleNames({}, {}, local_packages)
    rebound: set[str] = set()
    for statement in _flat(tree.body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names.add_import(statement, names.origins)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.origins[statement.name] = "~"
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            _bind_constants(statement, names.constants, rebound)
    return names


def read_class(node: ast.ClassDef, module: ModuleNames) -> ClassNames:
    """Read a class's methods and constants, with those of its bases in the same module."""
    methods: set[str] = set()
    constants: dict[str, ast.expr] = {}
    names = ClassNames(frozenset(), constants)
    for base in node.bases:
        known = module.classes.get(base.id) if isinstance(base, ast.Name) else None
        if known is not None:
            methods |= known.methods
            constants.update(known.constants)
            names.attributes.update(known.attributes)
            names.applied.update(known.applied)
    rebound: set[str] = set()
    for statement in _flat(node.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            methods.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            _bind_constants(statement, constants, rebound)
    names.methods = frozenset(methods)
    module.classes[node.name] = names
    return names


def _bind_constants(statement: ast.Assign | ast.AnnAssign, constants: dict[str, ast.expr], rebound: set[str]) -> None:
    """Remember a constant value of names assigned exactly once."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in targets:
        if not isinstance(target, ast.Name):
            continue
        if target.id in rebound:
            constants.pop(target.id, None)
        elif statement.value is not None and _is_constant(statement.value):
            constants[target.id] = statement.value
        rebound.add(target.id)


def _is_constant(value: ast.expr) -> bool:
    pending: list[ast.expr] = [value]
    for _ in range(_LARGEST_CONSTANT):
        if not pending:
            return True
        node = pending.pop()
        if isinstance(node, ast.Tuple | ast.List):
            pending.extend(node.elts)
        elif isinstance(node, ast.UnaryOp):
            pending.append(node.operand)
        elif isinstance(node, ast.BinOp):
            pending += (node.left, node.right)
        elif not isinstance(node, ast.Constant):
            return False
    return False


def _flat(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a body and of the ifs, tries and withs in it, in order."""
    flat: list[ast.stmt] = []
    pending = list(reversed(body))
    while pending:
        statement = pending.pop()
        flat.append(statement)
        inner: list[ast.stmt] = []
        if isinstance(statement, ast.If | ast.For | ast.While):
            inner = statement.body + statement.orelse
        elif isinstance(statement, ast.With):
            inner = statement.body
        elif isinstance(statement, ast.Try | ast.TryStar):
            handlers = [s for handler in statement.handlers for s in handler.body]
            inner = statement.body + handlers + statement.orelse + statement.finalbody
        pending.extend(reversed(inner))
    return flat
