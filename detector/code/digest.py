"""Digests of a function's text: equal but for layout (clone type 1), equal but for names (clone type 2).

Both are hashes of one canonical text, written from the syntax tree without recursion. Docstrings, annotations and
comments never reach it. In the renamed form an identifier is its kind and the order of its first occurrence, so two
functions are equal exactly when a one-to-one renaming of each kind makes them equal.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from detector.code.canonical import IGNORED_FIELDS, NO_MODULE, canonical, written
from detector.code.labels import API_NAMES
from detector.code.names import ModuleNames
from detector.code.scopes import Function, is_bare_string
from detector.model import CloneType

# Multiset Jaccard of syntactic shapes from which on two functions are one text that was edited, not one computation
# written anew. Of the fixtures' gold pairs three quarters of the edited ones lie above .43 and half of the refactored
# ones below .41; of functions that have nothing to do with each other, 99 % lie below .22.
LEAST_EDITED_LIKENESS = 0.4


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


def shapes(node: Function) -> Counter[str]:
    """Count the shapes of statements and expressions, blind to names and constants.

    A shape is a node's class with those of its children; operators and library names belong to the class.
    """
    found: Counter[str] = Counter()
    pending: list[ast.AST] = list(node.body)
    while pending:
        current = pending.pop()
        if is_bare_string(current):
            continue
        inner = list(_children(current))
        pending.extend(inner)
        if inner and not isinstance(current, ast.expr_context):
            found[f"{_blind(current)}({' '.join(map(_blind, inner))})"] += 1
    return found


def likeness(one: Counter[str], other: Counter[str]) -> float:
    """Multiset Jaccard of two functions' shapes.

    Units: 0..1.
    Empty: two empty bodies are alike: 1.0.
    """
    either = (one | other).total()
    return (one & other).total() / either if either else 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What must be known of a function's file and class to tell its own names from a library's."""

    module: ModuleNames = field(default_factory=lambda: ModuleNames({}, {}, frozenset()))
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


def edited_or_rewritten(suspect: Counter[str], reference: Counter[str]) -> CloneType:
    """Tell an edited text from a rewritten one by how alike their shapes are."""
    is_edited = likeness(suspect, reference) >= LEAST_EDITED_LIKENESS
    return CloneType.EDITED if is_edited else CloneType.REWRITTEN


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name in node._fields:
        if name in IGNORED_FIELDS:
            continue
        child = getattr(node, name, None)
        if isinstance(child, ast.AST):
            yield child
        elif isinstance(child, list):
            yield from (each for each in child if isinstance(each, ast.AST))


def _blind(node: ast.AST) -> str:
    """A node's class; of an attribute, the name as well when it is a library's."""
    kind = "Assign" if isinstance(node, ast.AnnAssign) else node.__class__.__name__
    return f"Attribute.{node.attr}" if isinstance(node, ast.Attribute) and node.attr in API_NAMES else kind
