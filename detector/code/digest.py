"""Digests of a function's text: equal but for layout (clone type 1), equal but for names (clone type 2).

Both are hashes of one canonical text, written from the syntax tree without recursion. Docstrings, annotations and
comments never reach it. In the renamed form an identifier is its kind and the order of its first occurrence, so two
functions are equal exactly when a one-to-one renaming of each kind makes them equal.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from detector.code.canonical import IGNORED_FIELDS, NO_MODULE, canonical, written
from detector.code.lowering.labels import API_NAMES
from detector.code.lowering.names import ModuleNames
from detector.code.scopes import FIELDS, Function, is_bare_string
from detector.model import CloneType

# How often each shape occurs: the class of a node, then those of its children.
Shapes = Counter[tuple[str, ...]]

# Multiset Jaccard of syntactic shapes from which on two functions are one text that was edited, not one computation
# written anew. Of the fixtures' gold pairs three quarters of the edited ones lie above .43 and half of the refactored
# ones below .41; of functions that have nothing to do with each other, 99 % lie below .22.
LEAST_EDITED_LIKENESS = 0.4

# Classes of which functions that are equal but for names have equally many: not how a name is reached (`F.pad`, `pad`),
# nor what the canonical text drops.
_KEPT_CLASSES = frozenset(
    "BinOp BoolOp Call Compare Dict DictComp For IfExp JoinedStr Lambda List ListComp Return Subscript Tuple UnaryOp"
    " While With".split()
)


def layout_digest(node: Function) -> str:
    """Hash what is left of a function without layout, comments, docstrings and annotations.

    Stable: equal across processes, machines and Python versions.
    """
    return written(node)


def renamed_digest(
    node: Function, module: ModuleNames = NO_MODULE, own: frozenset[str] = frozenset(), is_method: bool = False
) -> str:
    """Hash a function with every name of the project's own replaced by its kind and number; see `canonical`."""
    return canonical(node, module, own, is_method).digest


def shapes(node: Function) -> Shapes:
    """Count the shapes of statements and expressions, blind to names and constants.

    A shape is a node's class and those of its children; operators and library names belong to the class.
    """
    found: list[tuple[str, ...]] = []
    pending: list[ast.AST] = list(node.body)
    while pending:
        current = pending.pop()
        kind = current.__class__
        if kind is ast.Expr and is_bare_string(current):
            continue
        shape = [_attribute(current) if kind is ast.Attribute else _CLASSES[kind]]  # type: ignore[arg-type]
        for name in _SHAPE_FIELDS[kind]:
            value: Any = getattr(current, name, None)
            for each in value if value.__class__ is list else (value,):
                inner = each.__class__
                if inner is ast.Attribute:
                    shape.append(_attribute(each))
                    pending.append(each)
                elif each is not None:
                    shape.append(_CLASSES[inner])
                    if _SHAPE_FIELDS[inner]:
                        pending.append(each)
        if len(shape) > 1:
            found.append(tuple(shape))
    return Counter(found)


def likeness(one: Shapes, other: Shapes) -> float:
    """Multiset Jaccard of two functions' shapes.

    Units: 0..1.
    Empty: two empty bodies are alike: 1.0.
    """
    few, many = sorted((one, other), key=len)
    both = sum([min(count, many[shape]) for shape, count in few.items() if shape in many])
    either = one.total() + other.total() - both
    return both / either if either else 1.0


def census(shapes: Shapes) -> Counter[str]:
    """Count the syntax of which functions that are equal but for names have equally much: cheap to compare first."""
    counts: Counter[str] = Counter()
    for shape, count in shapes.items():
        if shape[0] in _KEPT_CLASSES:
            counts[shape[0]] += count
    return counts


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What must be known of a function's file and class to tell its own names from a library's."""

    module: ModuleNames = field(default_factory=ModuleNames)
    own: frozenset[str] = frozenset()  # attributes that its class defines
    is_method: bool = False


_NOTHING = Surroundings()


def clone_type(
    suspect: Function, reference: Function, ours: Surroundings = _NOTHING, theirs: Surroundings = _NOTHING
) -> CloneType:
    """Tell which of the four clone types a pair that was matched by its value flow is."""
    if layout_digest(suspect) == layout_digest(reference):
        return CloneType.LAYOUT
    digests = [
        renamed_digest(node, side.module, side.own, side.is_method)
        for node, side in ((suspect, ours), (reference, theirs))
    ]
    if digests[0] == digests[1]:
        return CloneType.RENAMED
    return edited_or_rewritten(shapes(suspect), shapes(reference))


def edited_or_rewritten(suspect: Shapes, reference: Shapes) -> CloneType:
    """Tell an edited text from a rewritten one by how alike their shapes are."""
    is_edited = likeness(suspect, reference) >= LEAST_EDITED_LIKENESS
    return CloneType.EDITED if is_edited else CloneType.REWRITTEN


class _Classes(dict[type, str]):
    """Class of node -> its name; an annotation makes no other assignment."""

    def __missing__(self, kind: type) -> str:
        name = self[kind] = "Assign" if kind is ast.AnnAssign else kind.__name__
        return name


class _ShapeFields(dict[type, tuple[str, ...]]):
    """Class of node -> its fields that belong to its shape."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        found = self[kind] = tuple(name for name in FIELDS[kind] if name not in IGNORED_FIELDS)
        return found


_CLASSES = _Classes()
_SHAPE_FIELDS = _ShapeFields()


def _attribute(node: ast.Attribute) -> str:
    return f"Attribute.{node.attr}" if node.attr in API_NAMES else "Attribute"
