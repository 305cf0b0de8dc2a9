"""Read a project's declared copies: which function says that it was copied from which, and which are equal in form.

Source: the `# Copied from ... with A->B` comments that the transformers project keeps in step by its own checks.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

Key = tuple[str, str]  # path, qualname

SHORTEST = 6  # lines in standard layout: below that, functions are equal by chance
COMMENT = re.compile(r"^\s*#\s*Copied from\s+transformers\.(models\.[\w.]+)")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = FunctionNode | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Unit:
    """One function: where it is, how many lines it has in standard layout, and the digest of its form."""

    key: Key
    lines: int
    form: str


def definitions(tree: ast.AST, prefix: str = "", nested: bool = False) -> Iterator[tuple[str, DefinitionNode]]:
    """Yield every class, function and method with its qualname, outer before inner; if `nested`, those in functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, DefinitionNode):
            qualname = f"{prefix}{node.name}"
            yield qualname, node
            if nested or isinstance(node, ast.ClassDef):
                yield from definitions(node, f"{qualname}.", nested)
        else:
            yield from definitions(node, prefix, nested)


def form(node: ast.AST) -> str:
    """Digest the tree without docstrings and hints, each identifier as the number of its first use.

    Equal for exact copies and for consistently renamed ones; not where `a(b(x))` stands for `b(a(x))`.
    """
    parts: list[str] = []
    _write_form(node, parts, defaultdict(count().__next__))
    return hashlib.blake2b("".join(parts).encode(), digest_size=12).hexdigest()


def _write_form(value: object, parts: list[str], numbers: defaultdict[str, int]) -> None:
    if isinstance(value, ast.AST):
        parts.append(f"({type(value).__name__}")
        for name, child in ast.iter_fields(value):
            if name in {"annotation", "returns", "type_comment", "ctx", "kind"}:
                continue
            is_body = name == "body" and isinstance(value, DefinitionNode)
            is_identifier = isinstance(child, str) and not isinstance(value, ast.Constant)
            parts.append(f" {name}=")
            if is_identifier:
                parts.append(str(numbers[child]))
            else:
                _write_form(without_docstring(child) if is_body else child, parts, numbers)
        parts.append(")")
    elif isinstance(value, list):
        parts.append("[")
        for child in value:
            if isinstance(child, str):  # the names of `global`, `nonlocal` and class patterns
                parts.append(f" {numbers[child]}")
            else:
                _write_form(child, parts, numbers)
        parts.append("]")
    else:
        parts.append(repr(value))


class _Bare(ast.NodeTransformer):
    """Drops docstrings and hints, so that length means code."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, DefinitionNode):
            node.body = without_docstring(node.body) or [ast.Pass()]
        if isinstance(node, FunctionNode):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        return node


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements after the docstring, if there is one."""
    first = body[0] if body else None
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] if is_docstring else body


def units(sources: Mapping[str, str]) -> dict[Key, Unit]:
    """Every function and method of the files; of several with one qualname (a property and its setter) the first."""
    found: dict[Key, Unit] = {}
    for path, source in sources.items():
        for qualname, node in definitions(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                continue
            lines = ast.unparse(_Bare().visit(node)).count("\n") + 1
            found.setdefault((path, qualname), Unit((path, qualname), lines, form(node)))
    return found


def declared_copies(sources: Mapping[str, str]) -> set[tuple[Key, Key]]:
    """Pairs (copy, source) of functions, classes expanded into the methods that both sides have."""
    functions: set[Key] = set()
    methods: defaultdict[Key, set[str]] = defaultdict(set)
    comments: list[tuple[Key, Key]] = []
    for path, source in sources.items():
        lines = source.splitlines()
        for qualname, node in definitions(ast.parse(source)):
            if not isinstance(node, ast.ClassDef):
                functions.add((path, qualname))
                for depth in range(1, qualname.count(".") + 1):
                    outer = qualname.rsplit(".", depth)[0]
                    methods[path, outer].add(qualname[len(outer) + 1 :])
            target = _target_above(node, lines)
            if target:
                comments.append(((path, qualname), target))
    pairs = set()
    for here, there in comments:
        if here in functions and there in functions:
            pairs.add((here, there))
        for inner in methods[here] & methods[there]:
            pairs.add(((here[0], f"{here[1]}.{inner}"), (there[0], f"{there[1]}.{inner}")))
    return pairs


def _target_above(node: DefinitionNode, lines: list[str]) -> Key | None:
    """The comment stands above the decorators or between them and the definition."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    while first > 1 and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    for line in lines[first - 1 : node.lineno]:
        match = COMMENT.match(line)
        if match:
            folder, module, *qualname = match.group(1).removeprefix("models.").rstrip(".").split(".")
            return f"models/{folder}/{module}.py", ".".join(qualname)
    return None


def clone_classes(found: Mapping[Key, Unit], declared: set[tuple[Key, Key]]) -> list[set[Key]]:
    """Close declared copies and equal forms: a true clone that nobody declared is counted against nobody."""
    leader: dict[Key, Key] = {key: key for key in found}

    def lead(key: Key) -> Key:
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    first_of_form: dict[str, Key] = {}
    for unit in found.values():
        leader[lead(unit.key)] = lead(first_of_form.setdefault(unit.form, unit.key))
    for copy, source in declared:
        leader[lead(copy)] = lead(source)
    classes: defaultdict[Key, set[Key]] = defaultdict(set)
    for key in found:
        classes[lead(key)].add(key)
    return list(classes.values())
