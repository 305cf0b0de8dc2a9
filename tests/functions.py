"""Write one function of a program as Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.programs import (
    Attribute,
    Binary,
    Choice,
    Compare,
    Effect,
    Expr,
    Find,
    Fold,
    Function,
    Gather,
    Item,
    Layered,
    Let,
    Library,
    Literal,
    OwnCall,
    Ranked,
    Refuse,
    Row,
    Size,
    Statement,
    Store,
    Test,
    Update,
    Var,
)
from tests.spelling import DIMENSIONS, own_names, receiver, reordered

if TYPE_CHECKING:
    from tests.writing import ModuleWriter

_OPERATORS = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
# Operations that are methods as well.
_METHODS = frozenset(
    ["sin", "exp", "tanh", "sigmoid", "rsqrt", "abs", "softmax", "sum", "mean", "clamp", "unsqueeze", "matmul"]
)


class Writer:
    """Writes one function."""

    def __init__(self, function: Function, module: ModuleWriter, klass: Layered | None, place: str) -> None:
        self.function = function
        self.module = module
        self.klass = klass
        self.place = place
        self.lines: list[str] = []
        self.indent = 1
        self.held = 0  # inside an expression that no statement can be written for
        spelling = module.spelling
        self.rngs = {dimension: spelling.rng(dimension, place) for dimension in DIMENSIONS}
        self.names = own_names(self.rngs["names"], "local", 150)
        self.temporaries = 0

    # --- small tools ---

    def flips(self, dimension: str) -> bool:
        rng = self.rngs[dimension]
        return rng is not None and rng.random() < 0.5

    def choose(self, dimension: str, *styles: str) -> str:
        rng = self.rngs[dimension]
        return styles[0] if rng is None else rng.choice(styles)

    def var(self, number: int) -> str:
        return self.names[number]

    def new_name(self) -> str:
        self.temporaries += 1
        return self.names[-self.temporaries]

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        self.emit(header)
        self.indent += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.emit("pass")
        self.indent -= 1

    @contextmanager
    def hold(self) -> Iterator[None]:
        self.held += 1
        yield
        self.held -= 1

    # --- expressions ---

    def expr(self, node: Expr) -> str:
        text = self.plain(node)
        if isinstance(node, Var | Literal) or self.held or not self.flips("temporaries"):
            return text
        name = self.new_name()
        self.emit(f"{name} = {text}")
        return name

    def exprs(self, nodes: Sequence[Expr]) -> list[str]:
        return [self.expr(node) for node in nodes]

    def plain(self, node: Expr) -> str:
        match node:
            case Var(number):
                return self.var(number)
            case Literal(value):
                return repr(value)
            case Attribute(number):
                return f"self.{self.module.attributes[number]}"
            case Binary(operator, left, right):
                first, second = self.exprs((left, right))
                if operator == "@" and self.flips("operations"):
                    return f"{self.module.imports.name('torch.matmul')}({first}, {second})"
                return f"({first} {operator} {second})"
            case Library():
                return self.library(node)
            case OwnCall():
                return self.own_call(node)
            case Item(base, index):
                return f"{self.expr(base)}[{self.expr(index)}]"
            case Size(base, place):
                text = receiver(self.expr(base))
                return f"{text}.size({place})" if self.flips("operations") else f"{text}.shape[{place}]"
            case Row(items):
                return f"[{', '.join(self.exprs(items))}]"
            case Compare():
                return self.compare(node)
            case Choice():
                return self.choice(node)
            case Gather():
                return self.gather(node)
            case Ranked():
                return self.ranked(node)

    def library(self, node: Library) -> str:
        name = node.origin.rpartition(".")[2]
        arguments = self.exprs(node.arguments)
        is_first = True
        for option, value in node.options:
            is_positional = is_first and self.flips("arguments")
            is_first = is_positional
            arguments.append(self.expr(value) if is_positional else f"{option}={self.expr(value)}")
        if name in _METHODS and not node.origin.startswith("math") and self.flips("operations"):
            return f"{receiver(arguments[0])}.{name}({', '.join(arguments[1:])})"
        return f"{self.module.imports.name(node.origin)}({', '.join(arguments)})"

    def own_call(self, node: OwnCall) -> str:
        arguments = self.exprs(node.arguments)
        if node.kind == "layer":
            return f"self.{self.module.attributes[node.number]}({arguments[0]})"
        if self.flips("arguments"):
            callee = node.number if node.kind == "function" else (self.klass, node.number)
            arguments[1] = f"{self.module.parameter(callee, 1)}={arguments[1]}"
        if node.kind == "function":
            return f"{self.module.functions[node.number]}({', '.join(arguments)})"
        return f"self.{self.module.methods[node.number]}({', '.join(arguments)})"

    def compare(self, node: Compare, is_negated: bool = False) -> str:
        left, right = self.exprs((node.left, node.right))
        operator = _OPPOSITE[node.operator] if is_negated else node.operator
        if self.flips("comparisons"):
            left, right, operator = right, left, _OPERATORS[operator]
        return f"({left} {operator} {right})"

    def test(self, node: Test, is_negated: bool = False) -> str:
        """A condition; negated for branches that are exchanged."""
        first = node.parts[0]
        match node.kind:
            case "compare":
                assert isinstance(first, Compare)
                text = self.compare(first, is_negated)
                is_negated = False
            case "all":
                text = " and ".join(f"({self.test(part)})" for part in node.parts if isinstance(part, Test))
            case "none":
                text = f"{self.expr(first)} is {'not ' if is_negated else ''}None"  # type: ignore[arg-type]
                is_negated = False
            case "filled":
                name = self.expr(first)  # type: ignore[arg-type]
                text = self.choose("comparisons", name, f"len({name}) > 0", f"len({name}) != 0", f"1 <= len({name})")
            case _:
                text = self.expr(first)  # type: ignore[arg-type]
        text = f"not ({text})" if is_negated else text
        if self.held or not self.flips("temporaries"):
            return text
        name = self.new_name()
        self.emit(f"{name} = {text}")
        return name

    def choice(self, node: Choice) -> str:
        style = self.choose("branches", "ternary", "statement", "default")
        is_negated = self.flips("branches")
        if style == "ternary" or self.held:
            with self.hold():
                test = self.test(node.test, is_negated)
                first, second = self.expr(node.first), self.expr(node.second)
            return f"({second} if {test} else {first})" if is_negated else f"({first} if {test} else {second})"
        name = self.new_name()
        first_node, second_node = (node.second, node.first) if is_negated else (node.first, node.second)
        if style == "default":
            self.emit(f"{name} = {self.expr(second_node)}")
            with self.block(f"if {self.test(node.test, is_negated)}:"):
                self.emit(f"{name} = {self.expr(first_node)}")
            return name
        with self.block(f"if {self.test(node.test, is_negated)}:"):
            self.emit(f"{name} = {self.expr(first_node)}")
        with self.block("else:"):
            self.emit(f"{name} = {self.expr(second_node)}")
        return name

    def gather(self, node: Gather) -> str:
        if self.held or not self.flips("loops"):
            with self.hold():
                clauses = "".join(f" for {self.var(v)} in {self.expr(iterable)}" for v, iterable in node.clauses)
                test = "" if node.test is None else f" if {self.test(node.test)}"
                element = self.expr(node.element)
            last = self.var(node.clauses[-1][0])
            return f"{{{last}: {element}{clauses}{test}}}" if node.is_dict else f"[{element}{clauses}{test}]"
        name = self.new_name()
        self.emit(f"{name} = {'{}' if node.is_dict else '[]'}")
        indent = self.indent
        for variable, iterable in node.clauses:
            self.loop(variable, iterable)
        if node.test is not None:
            if self.choose("loops", "if", "continue") == "if":
                self.emit(f"if {self.test(node.test)}:")
                self.indent += 1
            else:
                with self.block(f"if {self.test(node.test, is_negated=True)}:"):
                    self.emit("continue")
        element = self.expr(node.element)
        last = self.var(node.clauses[-1][0])
        self.emit(f"{name}[{last}] = {element}" if node.is_dict else f"{name}.append({element})")
        self.indent = indent
        return name

    def ranked(self, node: Ranked) -> str:
        iterable = self.expr(node.iterable)
        if self.held or not self.flips("closures"):
            with self.hold():
                return f"sorted({iterable}, key=lambda {self.var(node.variable)}: {self.expr(node.key)})"
        name = self.new_name()
        with self.block(f"def {name}({self.var(node.variable)}):"):
            self.emit(f"return {self.expr(node.key)}")
        return f"sorted({iterable}, key={name})"

    # --- statements ---

    def statement(self, node: Statement) -> None:
        match node:
            case Let(variable, value):
                self.emit(f"{self.var(variable)} = {self.expr(value)}")
            case Update():
                self.update(node)
            case Store(attribute, value):
                self.emit(f"self.{self.module.attributes[attribute]} = {self.expr(value)}")
            case Effect(call):
                self.emit(self.library(call))
            case Fold(variable, iterable, update):
                indent = self.indent
                self.loop(variable, iterable)
                self.update(update)
                self.indent = indent
            case Find():
                self.find(node)
            case Refuse(test, error):
                if test.kind == "all" and self.flips("branches"):
                    self.nested_refusal(test, error)
                else:
                    with self.block(f"if {self.test(test)}:"):
                        self.emit(f"raise {error}('unexpected')")

    def loop(self, variable: int, iterable: Expr) -> None:
        """Open a loop: over the elements or over their indices."""
        over, target = self.expr(iterable), self.var(variable)
        style = self.choose("loops", "elements", "range", "enumerate") if isinstance(iterable, Var) else "elements"
        if style == "elements":
            self.emit(f"for {target} in {over}:")
        elif style == "enumerate":
            self.emit(f"for {self.new_name()}, {target} in enumerate({over}):")
        else:
            index = self.new_name()
            self.emit(f"for {index} in range({self.choose('temporaries', '', '0, ')}len({over})):")
        self.indent += 1
        if style == "range":
            self.emit(f"{target} = {over}[{index}]")

    def find(self, node: Find) -> None:
        indent = self.indent
        self.loop(node.variable, node.iterable)
        is_negated = self.flips("loops")
        self.emit(f"if {self.test(node.test, is_negated)}:")
        if is_negated:
            self.emit("    continue")
        else:
            self.indent += 1
        self.emit(f"{self.var(node.result)} = {self.expr(node.value)}")
        self.emit("break")
        self.indent = indent

    def nested_refusal(self, test: Test, error: str) -> None:
        indent = self.indent
        for part in test.parts:
            assert isinstance(part, Test)
            self.emit(f"if {self.test(part)}:")
            self.indent += 1
        self.emit(f"raise {error}('something else is wrong')")
        self.indent = indent

    def update(self, node: Update) -> None:
        name, value = self.var(node.variable), self.expr(node.value)
        if self.flips("updates"):
            self.emit(f"{name} {node.operator}= {value}")
        else:
            self.emit(f"{name} = {name} {node.operator} {value}")

    def result(self, node: Expr) -> None:
        if not isinstance(node, Choice):
            self.emit(f"return {self.expr(node)}")
            return
        style = self.choose("branches", "value", "else", "early", "guard")
        if style == "value":
            self.emit(f"return {self.expr(node)}")
            return
        is_negated = style == "guard"
        first, second = (node.second, node.first) if is_negated else (node.first, node.second)
        with self.block(f"if {self.test(node.test, is_negated)}:"):
            self.emit(f"return {self.expr(first)}")
        if style == "else":
            with self.block("else:"):
                self.emit(f"return {self.expr(second)}")
        else:
            self.emit(f"return {self.expr(second)}")

    def write(self, name: str) -> list[str]:
        parameters = [self.var(i) for i in range(self.function.parameters)]
        if self.klass is not None:
            parameters.insert(0, "self")
        self.lines.append(f"def {name}({', '.join(parameters)}):")
        for statement in reordered(self.function.body, self.rngs["order"]):
            self.statement(statement)
        self.result(self.function.result)
        return self.lines
