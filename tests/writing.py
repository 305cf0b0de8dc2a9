"""Write a program as Python, in one of many spellings that must all have the same flow."""

from __future__ import annotations

import ast

from tests.functions import Writer
from tests.programs import Function, Layered, Literal, Program, Store
from tests.rewriting import Annotated, DeadCode, Merging
from tests.spelling import Imports, Spelling, own_names, shuffle, where


class ModuleWriter:
    """Writes one program."""

    def __init__(self, program: Program, spelling: Spelling) -> None:
        self.program = program
        self.spelling = spelling
        self.imports = Imports(spelling.rng("imports"))
        rng = spelling.rng("names")
        self.functions = own_names(rng, "function", len(program.functions))
        self.classes = own_names(rng, "class", len(program.classes))
        self.methods = ["forward", *own_names(rng, "method", 4)]
        self.attributes = own_names(rng, "attribute", 6)

    def parameter(self, callee: object, place: int) -> str:
        """The name of a parameter of a function (its number) or method (its class and number)."""
        rng = self.spelling.rng("names", where(callee))
        return own_names(rng, "local", 150)[place]

    def text(self) -> str:
        units: list[list[str]] = []
        for function in self.program.functions:
            units.append(Writer(function, self, None, where(function.number)).write(self.functions[function.number]))
        units += [self.klass(klass) for klass in self.program.classes]
        shuffle(units, self.spelling.rng("definitions"))
        return "\n".join([*self.imports.lines, *(line for unit in units for line in unit)]) + "\n"

    def klass(self, klass: Layered) -> list[str]:
        module = self.imports.name("torch.nn.Module")
        constructor = Function(-1, klass.parameters, tuple(map(Store, range(9), klass.attributes)), Literal(None))
        methods = [("__init__", constructor), *((self.methods[each.number], each) for each in klass.methods)]
        shuffle(methods, self.spelling.rng("definitions", "methods"))
        lines = [f"class {self.classes[klass.number]}({module}):"]
        for name, method in methods:
            written = Writer(method, self, klass, where((klass, method.number))).write(name)
            lines += ["    " + line for line in written]
        return lines

    def qualnames(self) -> list[str]:
        """The functions of the program in an order that no spelling changes."""
        names = list(self.functions)
        for klass in self.program.classes:
            methods = ["__init__", *(self.methods[method.number] for method in klass.methods)]
            names += [f"{self.classes[klass.number]}.{method}" for method in methods]
        return names


def write(program: Program, spelling: Spelling) -> tuple[str, list[str]]:
    """The program's text, and the qualnames of its functions in an order that no spelling changes."""
    writer = ModuleWriter(program, spelling)
    text = writer.text()
    for dimension, rewriter in (("dead code", DeadCode), ("merging", Merging), ("layout", Annotated)):
        rng = spelling.rng(dimension)
        if rng is not None:
            text = ast.unparse(ast.fix_missing_locations(rewriter(rng).visit(ast.parse(text))))
    rng = spelling.rng("layout")
    if rng is not None:
        text = "\n".join(f"{line}  # {rng.choice(['why', 'TODO', 'see above'])}\n" for line in text.splitlines())
        text = "# -*- coding: utf-8 -*-\n" + text.replace("    ", rng.choice(["\t", "  ", "    "]))
    return text, writer.qualnames()
