"""Ties made ready: one for each pair of members, and what tells which of the two derives from the other.

What the measure tells comes first: noise cannot be taken off again. Then dates, which a hub keeps and an upload anew
resets. Then what one of the two declares. What speaks against the first that tells is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.lineage.dates import Born
from detector.scanned import Component, Member, Tie
from detector.settings.lineage import NOTHING_IN_COMMON

MEASURE, DATE, DECLARATION, POSITION = "measure", "date", "declaration", "position"


@dataclass(frozen=True, slots=True)
class Direction:
    """Which end of a tie is the parent; "" where nothing tells."""

    parent: str = ""
    by: str = ""
    against: tuple[str, ...] = ()  # what tells the other direction

    def allows(self, parent: str) -> bool:
        """Whether this end can be the parent."""
        return self.parent in ("", parent)


def ready(ties: Iterable[Tie], known: Mapping[str, Member], component: Component) -> list[Tie]:
    """Take the ties of one component between known members, one for each pair, ends and ties in order.

    Of several for a pair the nearest is kept, and the side that is derived only where all that tell agree. What is as
    far as nothing in common is no tie.
    """
    pairs: dict[tuple[str, str], list[Tie]] = {}
    for tie in ties:
        is_pair = tie.one != tie.other and tie.one in known and tie.other in known
        if tie.component is component and is_pair and tie.distance < NOTHING_IN_COMMON:  # no number is not less
            turned = _turned(tie)
            pairs.setdefault((turned.one, turned.other), []).append(turned)
    return [_one_of(pairs[pair]) for pair in sorted(pairs)]


def _turned(tie: Tie) -> Tie:
    """The same with its ends in order, no distance below nothing, and none but its ends derived."""
    derived = tie.derived if tie.derived in (tie.one, tie.other) else ""
    tie = replace(tie, distance=max(tie.distance, 0.0), derived=derived, why=tie.why if derived else "")
    if tie.one < tie.other:
        return tie
    shares = tie.shares if tie.shares is None else (tie.shares[1], tie.shares[0])
    return replace(tie, one=tie.other, other=tie.one, shares=shares)


def _one_of(same: Sequence[Tie]) -> Tie:
    nearest = min(same, key=lambda tie: (tie.distance, tie.shares or (0.0, 0.0), tie.derived, tie.why))
    telling = sorted({(tie.derived, tie.why) for tie in same if tie.derived})
    derived, why = telling[0] if len({each for each, _ in telling}) == 1 else ("", "")
    return replace(nearest, derived=derived, why=why)


def direction(tie: Tie, members: Mapping[str, Member], births: Mapping[str, Born]) -> Direction:
    """Tell which end of a tie is the parent."""
    one, other = tie.one, tie.other
    told = {
        MEASURE: other_end(tie) if tie.derived else "",
        DATE: one if births[one].is_before(births[other]) else other if births[other].is_before(births[one]) else "",
        DECLARATION: _declared(members[one], members[other]),
    }
    by = next((name for name, parent in told.items() if parent), "")
    if not by:
        return Direction()
    return Direction(told[by], by, tuple(name for name, parent in told.items() if parent not in ("", told[by])))


def other_end(tie: Tie) -> str:
    """From whom the derived end of a tie comes."""
    return tie.one if tie.derived == tie.other else tie.other


def _declared(one: Member, other: Member) -> str:
    """Who of the two is declared by the other; "" if neither is, or each by the other."""
    by_one, by_other = other.name in one.declared, one.name in other.declared
    return "" if by_one == by_other else other.name if by_one else one.name
