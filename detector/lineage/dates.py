"""When members came to be, as far as the source tells: between which two times."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detector.scanned import Member

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


def _span(text: str) -> Born:
    """The second, minute or day that a text names."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return Born()
    day, time = found[1], found[2] or ""
    return Born(f"{day}T{time}{_BEGIN[len(time) :]}", f"{day}T{time}{_END[len(time) :]}")
