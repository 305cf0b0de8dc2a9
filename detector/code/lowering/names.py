"""What the names of a module and of its classes stand for: a pass over module- and class-level statements only."""

from __future__ import annotations

import ast
from collections.abc import Container
from dataclasses import dataclass, field

from detector.code.lowering.flow import LOCAL_CALL
from detector.settings import LONGEST_HELPER

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Module constants are followed to their value when they are at most this many nodes.
_LARGEST_CONSTANT = 24

_BUILTINS = frozenset(
    [
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "BaseException",
        "BufferError",
        "BytesWarning",
        "ConnectionError",
        "DeprecationWarning",
        "EOFError",
        "Ellipsis",
        "Exception",
        "FileExistsError",
        "FileNotFoundError",
        "FloatingPointError",
        "FutureWarning",
        "GeneratorExit",
        "IOError",
        "ImportError",
        "IndentationError",
        "IndexError",
        "InterruptedError",
        "IsADirectoryError",
        "KeyError",
        "KeyboardInterrupt",
        "LookupError",
        "MemoryError",
        "ModuleNotFoundError",
        "NameError",
        "NotADirectoryError",
        "NotImplemented",
        "NotImplementedError",
        "OSError",
        "OverflowError",
        "PermissionError",
        "RecursionError",
        "ReferenceError",
        "RuntimeError",
        "RuntimeWarning",
        "StopAsyncIteration",
        "StopIteration",
        "SyntaxError",
        "SystemError",
        "SystemExit",
        "TimeoutError",
        "TypeError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "UnicodeError",
        "UserWarning",
        "ValueError",
        "Warning",
        "ZeroDivisionError",
        "abs",
        "aiter",
        "all",
        "any",
        "anext",
        "ascii",
        "bin",
        "bool",
        "breakpoint",
        "bytearray",
        "bytes",
        "callable",
        "chr",
        "classmethod",
        "compile",
        "complex",
        "delattr",
        "dict",
        "dir",
        "divmod",
        "enumerate",
        "eval",
        "exec",
        "filter",
        "float",
        "format",
        "frozenset",
        "getattr",
        "globals",
        "hasattr",
        "hash",
        "help",
        "hex",
        "id",
        "input",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "list",
        "locals",
        "map",
        "max",
        "memoryview",
        "min",
        "next",
        "object",
        "oct",
        "open",
        "ord",
        "pow",
        "print",
        "property",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "setattr",
        "slice",
        "sorted",
        "staticmethod",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "vars",
        "zip",
        "__import__",
        "__name__",
        "__file__",
    ]
)


@dataclass(slots=True)
class ClassNames:
    """What `self.x` may be in one class."""

    constants: dict[str, ast.expr] = field(default_factory=dict)  # class-level names with a constant value
    attributes: dict[str, int] = field(default_factory=dict)  # name -> label of the leaf that loads it, 0: an input
    calls: dict[str, int] = field(default_factory=dict)  # method or stored layer -> label of calling it
    methods: dict[str, Function] = field(default_factory=dict)  # that may be put in place of their calls


@dataclass(slots=True)
class ModuleNames:
    """What a module's global names stand for, as far as its statements have been added.

    origins: name -> dotted origin; "~" is something of the scanned repository, "?name" an input.
    promised: names that statements still to come define.
    bases: names of the classes that others of the file may inherit from.
    """

    local_packages: frozenset[str] = frozenset()
    promised: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    origins: dict[str, str] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    classes: dict[str, ClassNames] = field(default_factory=dict)
    read: list[tuple[str, ClassNames]] = field(default_factory=list)  # classes since `forget_methods` was called
    functions: dict[str, Function] = field(default_factory=dict)  # at module level, to be put in place of their calls
    generators: dict[int, Function] = field(default_factory=dict)  # id -> definition that yields: kept for its id
    rebound: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)  # names of the project's own functions that were called so far
    is_redefined: bool = False  # whether a function was defined once more after that
    answers: dict[str, str | ast.expr] = field(default_factory=dict)

    def add(self, statements: list[ast.stmt]) -> None:
        """Bind what statements at module level bind: imports, definitions, simple constants."""
        origins = self.origins
        for statement in statements:
            kind = statement.__class__
            if kind is ast.Import or kind is ast.ImportFrom:
                self.add_import(statement, origins)
            elif kind in DEFINITIONS:
                name: str = statement.name  # type: ignore[attr-defined]
                if kind is not ast.ClassDef:
                    self.is_redefined |= name in self.called and name in origins
                    _keep_helper(statement, self.functions)  # type: ignore[arg-type]
                origins[name] = "~"
            elif kind is ast.Assign or kind is ast.AnnAssign:
                _bind_constants(statement, self.constants, self.rebound)  # type: ignore[arg-type]

    def find(self, name: str) -> str | ast.expr:
        """What a name that no function binds stands for: the constant assigned to it, or where it comes from."""
        found = self.answers.get(name)
        if found is None:
            found = self.constants.get(name) or self.origin(name)
            self.answers[name] = found
        return found

    def origin(self, name: str) -> str:
        """Where a name that no function binds comes from; an unknown one is an input, like a parameter."""
        found = self.origins.get(name)
        if found is not None:
            return found
        if name in self.promised:
            return "~"
        return f"builtins.{name}" if name in _BUILTINS else f"?{name}"

    def has_kept_its_word(self) -> bool:
        """Whether everything that `find` has answered still holds, now that all statements are added."""
        self.promised = frozenset()
        if self.is_redefined:
            return False
        return all((self.constants.get(name) or self.origin(name)) == told for name, told in self.answers.items())

    def is_to_come(self, name: str) -> bool:
        """Whether a statement still to come is said to define a name."""
        return name in self.promised and name not in self.origins

    def forget_methods(self, kept: Container[int]) -> None:
        """Let go of the methods of classes read since the last call from which none inherits, to free their trees.

        kept: ids of the names of classes that are still needed.
        """
        for name, known in self.read:
            if name not in self.bases and id(known) not in kept:
                known.methods.clear()
        self.read.clear()

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
    """Bind all global names of a module: imports anywhere at module level, definitions, simple constants."""
    names = ModuleNames(local_packages)
    names.add(flat(tree.body))
    return names


def read_class(node: ast.ClassDef, statements: list[ast.stmt], module: ModuleNames) -> ClassNames:
    """Read a class's methods and constants, with those of its bases in the same module."""
    names = ClassNames()
    for base in node.bases:
        known = module.classes.get(base.id) if isinstance(base, ast.Name) else None
        if known is not None:
            names.constants.update(known.constants)
            names.attributes.update(known.attributes)
            names.calls.update(known.calls)
            names.methods.update(known.methods)
    rebound: set[str] = set()
    for statement in statements:
        kind = statement.__class__
        if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
            names.calls[statement.name] = LOCAL_CALL  # type: ignore[attr-defined]
            _keep_helper(statement, names.methods)  # type: ignore[arg-type]
        elif kind is ast.Assign or kind is ast.AnnAssign:
            _bind_constants(statement, names.constants, rebound)  # type: ignore[arg-type]
    module.classes[node.name] = names
    module.read.append((node.name, names))
    return names


def _keep_helper(definition: Function, helpers: dict[str, Function]) -> None:
    """Remember a definition by its name if it may be put in place of its calls; none of that name if it may not."""
    if is_helper(definition):
        helpers[definition.name] = definition
    else:
        helpers.pop(definition.name, None)


def is_helper(definition: Function) -> bool:
    """Whether the body of a definition says all that a call of it does, and is short enough to stand in its place."""
    arguments = definition.args
    if arguments.vararg or arguments.kwarg or lines_of(definition) > LONGEST_HELPER:
        return False
    return _PLAIN_DECORATORS.issuperset([last_name(decorator) for decorator in definition.decorator_list])


def lines_of(definition: Function) -> int:
    """How many lines a definition has."""
    return (definition.end_lineno or definition.lineno) - definition.lineno + 1


def last_name(decorator: ast.expr) -> str:
    """What a decorator is called, "" where that is not said."""
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")


def _bind_constants(statement: ast.Assign | ast.AnnAssign, constants: dict[str, ast.expr], rebound: set[str]) -> None:
    """Remember a constant value of names assigned exactly once."""
    value = statement.value
    if value is None:
        return
    for target in statement.targets if isinstance(statement, ast.Assign) else (statement.target,):
        if target.__class__ is not ast.Name:
            continue
        name: str = target.id
        if name in rebound:
            constants.pop(name, None)
        elif value.__class__ is ast.Constant or _is_constant(value):
            constants[name] = value
        rebound.add(name)


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


# A helper decorated with anything else is not what its body says.
_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod", "no_grad"})

DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_COMPOUND = frozenset(
    {ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match}
)


def flat(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a body and of the ifs, tries, loops and withs in it, in order; definitions stay closed."""
    if _COMPOUND.isdisjoint([statement.__class__ for statement in body]):
        return body
    found: list[ast.stmt] = []
    pending = body[::-1]
    while pending:
        statement = pending.pop()
        found.append(statement)
        if statement.__class__ in _COMPOUND:
            pending.extend(reversed(_inner(statement)))
    return found


def _inner(statement: ast.stmt) -> list[ast.stmt]:
    inner: list[ast.stmt] = []
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(statement, name, ()):
            inner.extend(child.body if isinstance(child, ast.ExceptHandler | ast.match_case) else (child,))
    return inner
