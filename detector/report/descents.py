"""Descents as trees, row by row, and in words: what the text, the page and its drawing have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.report.names import elided, visible
from detector.scanned import Component, Descent, Family, Lineage, Member

LONGEST_BESIDE = 32  # characters of a name, or of what tells, beside another one
DECLARED, UNDECLARED, CONTRADICTED = "declared", "undeclared", "contradicted"
TITLES = {Component.CODE: "Code", Component.WEIGHTS: "Weights", Component.TOKENIZER: "Tokenizers"}
UNDECIDED = "direction undecided"
_BY = {
    "measure": "by what was measured",
    "date": "by dates",
    "declaration": "by its own declaration",
    "position": "by its place between others",
}
_DECLARATIONS = {
    DECLARED: "declared",
    UNDECLARED: "not declared",
    CONTRADICTED: "contradicted: declared otherwise",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One member of a family's trees: those that derive from it follow."""

    name: str
    descent: Descent | None  # None: nobody is above it
    depth: int
    is_last: tuple[bool, ...]  # of each step from the root on: whether nobody follows beside it


def rows(lineage: Lineage, family: Family) -> list[Row]:
    """The trees of a family, parents before children, the older ones first.

    A member that is mixed of several stands below the first of its parents that is in the family. Whatever the
    descents are, everybody is there once.
    """
    own = set(family.members)
    descents = {each.child: each for each in lineage.descents if each.component is family.component}
    created = {member.name: member.created for member in lineage.members}
    children: dict[str, list[str]] = {}
    tops = []
    for name in sorted(own, key=lambda each: (not created.get(each), created.get(each, ""), each)):
        above = stem(descents.get(name), own)
        children.setdefault(above, []).append(name) if above else tops.append(name)
    found: list[Row] = []
    seen: set[str] = set()
    for top in (*tops, *sorted(own)):  # the second half for what stands in a circle
        found += _below(top, descents, children, seen)
    return found


def stem(descent: Descent | None, own: set[str]) -> str:
    """The parent below which a member is drawn; "" if none of them is in the family."""
    return next((each for each in descent.parents if each in own), "") if descent else ""


def _below(
    top: str, descents: Mapping[str, Descent], children: Mapping[str, Sequence[str]], seen: set[str]
) -> Iterator[Row]:
    stack: list[tuple[str, tuple[bool, ...]]] = [(top, ())]
    while stack:
        name, is_last = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        yield Row(name, descents.get(name), len(is_last), is_last)
        following = [each for each in children.get(name, ()) if each not in seen]
        stack += [(each, (*is_last, each == following[-1])) for each in reversed(following)]


def way(descent: Descent) -> str:
    """What tells the direction of a descent."""
    if not descent.is_decided:
        said = UNDECIDED
    else:
        said = _BY.get(descent.by, visible(descent.by)) + (f" ({_brief(descent.why)})" if descent.why else "")
    return f"{said}, against {' and '.join(map(_against, descent.against))}" if descent.against else said


def _against(reason: str) -> str:
    return {"date": "dates", "declaration": "a declaration"}.get(reason, visible(reason))


def declaration(descent: Descent) -> str:
    """What the member itself says of a descent."""
    return _DECLARATIONS.get(descent.declaration, visible(descent.declaration))


def distance(value: float) -> str:
    """A distance, told apart from none."""
    return "0" if value == 0 else "less than .0001" if value < 0.0001 else f"{value:.4f}".removeprefix("0")


def parts(descent: Descent) -> list[tuple[str, str]]:
    """The parents, and the share of each where there are several."""
    if len(descent.parents) == 1:
        return [(descent.parents[0], "")]
    return [(name, f"{share:.0%}") for name, share in zip(descent.parents, descent.shares, strict=False)]


def mixed(descent: Descent) -> str:
    """The shares of a mixture: the first parent's, and the others with their names; "" where one is the only parent."""
    (_, first), *others = parts(descent)
    return f"{first}, mixed with " + ", ".join(f"{share} {_brief(name)}" for name, share in others) if others else ""


def _brief(name: str) -> str:
    return elided(visible(name), LONGEST_BESIDE)


def by_component(families: Sequence[Family]) -> Iterator[tuple[Component, list[Family]]]:
    """Families of each component that has any."""
    for component in Component:
        if own := [family for family in families if family.component is component]:
            yield component, own


def members(lineage: Lineage) -> dict[str, Member]:
    """Members by name."""
    return {member.name: member for member in lineage.members}
