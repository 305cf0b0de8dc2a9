"""Lineages at a terminal: a tree for each family, or above and below one member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.report import descents, words
from detector.report.descents import Row
from detector.report.names import elided, visible
from detector.scanned import Component, Descent, Lineage

LEAST_ROOM = 24  # characters of a name, however deep it stands: the ends tell names apart
MOST_INDENT = 24  # steps that are drawn; beyond, rows begin with a number
MOST_UNCONFIRMED = 50


def render(lineage: Lineage, width: int) -> str:
    """Write every family as a tree.

    Units: width in characters.
    """
    parts: list[str] = []
    for component, families in descents.by_component(lineage.families):
        parts.append(f"{descents.TITLES[component]}: {_counted(families)}")
        for family in families:
            lines = [_line(row, width - 2) for row in descents.rows(lineage, family)]
            parts.append("\n".join(f"  {line}" for line in lines))
    if not parts:
        parts = ["Of no two members anything was measured that joins them."]
    parts += _unconfirmed(lineage, width)
    return "\n\n".join(parts) + "\n"


def of_member(lineage: Lineage, name: str, width: int) -> str:
    """Write from whom one member has each component, step by step, and who has it from there.

    lineage: of what is above and below the member alone.
    """
    parts = [elided(visible(name), width)]
    for component in Component:
        own = {each.child: each for each in lineage.descents if each.component is component}
        above, below = list(_above(name, own)), _below(lineage, name, component)
        if not above and not below:
            continue
        lines = [f"{descents.TITLES[component]}:"]
        lines += [f"  from {_said(parent, descent, width - 7, share)}" for parent, share, descent in above]
        if not above:
            lines.append("  from nobody that is known")
        lines += [f"  {_line(row, width - 2)}" for row in below]
        parts.append("\n".join(lines))
    if len(parts) == 1:
        parts.append("Nothing was measured that joins it with another member.")
    return "\n\n".join([*parts, *_unconfirmed(lineage, width)]) + "\n"


def _counted(families: Sequence[object]) -> str:
    return f"{len(families):,} {'family' if len(families) == 1 else 'families'}"


def _line(row: Row, width: int) -> str:
    stem = "".join("   " if last else "│  " for last in row.is_last[:-1]) if len(row.is_last) <= MOST_INDENT else ""
    mark = ("└─ " if row.is_last[-1] else "├─ ") if row.is_last else ""
    if len(row.is_last) > MOST_INDENT:
        mark = f"[{len(row.is_last)}] "
    if row.descent is not None and not row.descent.is_decided:
        mark = mark.replace("─", "╌")
    room = width - len(stem) - len(mark)
    return f"{stem}{mark}{_said(row.name, row.descent, room)}"


def _said(name: str, descent: Descent | None, room: int, share: str = "") -> str:
    """A name and what is told of the step to it, the name within what room there is."""
    told = ""
    if descent is not None:
        told = f"{descents.distance(descent.distance)} {descents.way(descent)}, {descents.declaration(descent)}"
        mixed = share or descents.mixed(descent)
        told = f"{mixed}; {told}" if mixed else told
    shown = elided(visible(name), max(room - len(told) - 2, LEAST_ROOM))
    return f"{shown}  {told}" if told else shown


def _above(name: str, own: dict[str, Descent]) -> Iterator[tuple[str, str, Descent]]:
    """Parents, then theirs, nobody twice."""
    waiting, seen = [name], {name}
    while waiting:
        descent = own.get(waiting.pop(0))
        for parent, share in descents.parts(descent) if descent else []:
            assert descent is not None
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
                yield parent, share, descent


def _below(lineage: Lineage, name: str, component: Component) -> list[Row]:
    """The part of the trees of a component that stands below a member."""
    for family in lineage.families:
        if family.component is component and name in family.members:
            rows = descents.rows(lineage, family)
            at = next(number for number, row in enumerate(rows) if row.name == name)
            end = next(
                (number for number in range(at + 1, len(rows)) if rows[number].depth <= rows[at].depth), len(rows)
            )
            cut = rows[at].depth
            return [Row(row.name, row.descent, row.depth - cut - 1, row.is_last[cut:]) for row in rows[at + 1 : end]]
    return []


def _unconfirmed(lineage: Lineage, width: int) -> list[str]:
    told = lineage.unconfirmed
    if not told:
        return []
    lines = [
        f"  {elided(visible(each.member), width // 3)} says it derives from "
        f"{elided(visible(each.declared), width // 3)}: {visible(each.why)}"
        for each in told[:MOST_UNCONFIRMED]
    ]
    if len(told) > MOST_UNCONFIRMED:
        lines.append(f"  and {len(told) - MOST_UNCONFIRMED:,} more, which --format json has")
    return ["\n".join([f"Declared, and not confirmed by any measure: {words.count(len(told), 'declaration')}", *lines])]
