"""What listings of servers have in common: times in any spelling, and an end where older things begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

Entry = TypeVar("Entry")


def in_utc(time: object) -> str:
    """ISO 8601 in UTC, to the second, rounded down; "" for what is no time."""
    try:
        if isinstance(time, str):
            at = datetime.fromisoformat(time)
        elif isinstance(time, int | float) and not isinstance(time, bool):
            at = datetime.fromtimestamp(time / 1000 if time > 1e11 else time, UTC)  # seconds reach it in the year 5138
        else:
            return ""
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at.year >= 1970 else ""


def since_then(
    pages: Iterable[Sequence[Entry]], modified: Callable[[Entry], str], since: str, most: int | None
) -> Iterator[Entry]:
    """What was changed at `since` or later, of pages that have the last changes first; no page is asked for in vain.

    Only a page on which all is older is the last: a listing that is not quite in order loses nothing.
    """
    given = 0
    for page in pages:
        times = [modified(entry) for entry in page]
        for entry, time in zip(page, times, strict=True):
            if since and time and time < since:
                continue
            if most is not None and given >= most:
                return
            given += 1
            yield entry
        if (since and times and all(time and time < since for time in times)) or (most is not None and given >= most):
            return
