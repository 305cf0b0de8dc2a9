"""Histories on one axis: when an event was, and in which time what a suspect has was copied.

Dates are what histories claim: one that cannot be read keeps its place in tables and has none on the axis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from detector.model import Event, Report

# How kinds of events begin that say which versions of a reference hold what the suspect has ...
COPIED = "copied"
# ... and kinds that say when the suspect had it, the better one first.
BROUGHT = ("import", "first-commit")

_AT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?Z?)?", re.ASCII)
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which a version of one side was copied, at the earliest and at the latest.

    Units: days since 1970.
    """

    side: str
    first: float
    last: float


def days(at: str) -> float | None:
    """Days since 1970 in UTC; None for what is no date of ISO 8601."""
    found = _AT.fullmatch(at)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    return day_number(year, month, day) + (hour * 3600 + minute * 60 + second) / _DAY


def day_number(year: int, month: int, day: int) -> int:
    """The number of a day of the Gregorian calendar, 1970-01-01 being 0.

    Source: Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
    """
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def windows(report: Report) -> list[Window]:
    """For each reference the time between its first and last event of a copied version.

    A window that has no end of its own ends when the suspect had it, if that is later.
    """
    found = []
    for side in dict.fromkeys(event.side for event in report.events if event.side != report.suspect.name):
        ours = [event for event in report.events if event.side == side and event.kind.startswith(COPIED)]
        times = _times(ours)
        if not times:
            continue
        ends = times[1:] or [time for time in _brought(report) if time > times[0]][:1]
        if ends:
            found.append(Window(side, times[0], ends[-1]))
    return found


def _brought(report: Report) -> list[float]:
    own = [event for event in report.events if event.side == report.suspect.name]
    found = (_times([event for event in own if event.kind == kind]) for kind in BROUGHT)
    return next(filter(None, found), [])


def _times(events: list[Event]) -> list[float]:
    return sorted(time for time in (days(event.at) for event in events) if time is not None)


def date_of(number: int) -> tuple[int, int, int]:
    """Year, month and day of the Gregorian calendar: the inverse of `day_number`.

    Source: as there, civil_from_days.
    """
    number += 719_468
    era = number // 146_097
    of_era = number - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
