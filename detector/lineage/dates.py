"""When members came to be, as far as the source tells: between which two times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detector.scanned import Member
from detector.settings.lineage import MOST_ROUNDS

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z|\+00:00)?)?")
_BEGIN, _END = "00:00:00", "23:59:59"
_NEVER, _ALWAYS = "", "~"  # before and after every time


@dataclass(frozen=True, slots=True)
class Born:
    """Not before `first`, and not after `last`; both compare as texts."""

    first: str = _NEVER
    last: str = _ALWAYS

    def is_before(self, other: Born) -> bool:
        """Whether this one is older for certain."""
        return self.last < other.first


def born(member: Member) -> Born:
    """Read when a member was created; where the source does not tell, it was no later than its last change.

    Empty: what is no time in UTC tells nothing.
    """
    created, modified = _span(member.created), _span(member.modified)
    return created if created != Born() else Born(last=modified.last)


def tightened(births: Mapping[str, Born], origins: Mapping[str, Sequence[str]]) -> dict[str, Born]:
    """Know more of those whose dates are missing: a child is no older than its parent.

    origins: of a child those of which one is its parent, as something else than dates tells. What the source tells
             stays as it is.
    """
    known = dict(births)
    for _ in range(MOST_ROUNDS):
        before = dict(known)
        for child, parents in sorted(origins.items()):
            first = min(known[parent].first for parent in parents)
            if births[child].first == _NEVER:
                known[child] = replace(known[child], first=max(known[child].first, first))
            if len(parents) == 1 and births[parents[0]].first == _NEVER:
                parent = known[parents[0]]
                known[parents[0]] = replace(parent, last=min(parent.last, known[child].last))
        if known == before:
            break
    return {name: span if span.first <= span.last else births[name] for name, span in known.items()}


def _span(text: str) -> Born:
    """The second, minute or day that a text names."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return Born()
    day, time = found[1], found[2] or ""
    return Born(f"{day}T{time}{_BEGIN[len(time) :]}", f"{day}T{time}{_END[len(time) :]}")
