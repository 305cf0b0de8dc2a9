"""Seconds since 1970 to dates that can be read; without a clock, and for any number that a commit may claim."""

from __future__ import annotations

SECONDS_A_DAY = 86_400
# Years of four digits, 0001 to 9999: what is outside sorts wrongly as text, and no file was written then.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
# Source: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days: eras of 400 years from 0000-03-01.
_DAYS_TO_1970, _DAYS_AN_ERA = 719_468, 146_097


def iso(seconds: int) -> str:
    """ISO 8601 in UTC, `2024-05-28T00:30:32Z`; "" for what is no date."""
    if not _FIRST <= seconds <= _LAST:
        return ""
    days, rest = divmod(seconds, SECONDS_A_DAY)
    year, month, day = _civil(days)
    return f"{year:04d}-{month:02d}-{day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def told(seconds: int) -> str:
    """A date for a sentence: `2024-05-28 00:30:32 UTC`, or the number that is none."""
    text = iso(seconds)
    return f"{text[:10]} {text[11:19]} UTC" if text else f"a date that is none ({seconds})"


def apart(one: int, other: int) -> str:
    """How far two dates lie apart, in the largest unit that fits: `64 seconds`, `8 days`."""
    seconds = abs(one - other)
    for unit, length in (("day", SECONDS_A_DAY), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {unit}s"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def _civil(days: int) -> tuple[int, int, int]:
    era, day = divmod(days + _DAYS_TO_1970, _DAYS_AN_ERA)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month = month + 3 if month < 10 else month - 9
    return year + 400 * era + (month <= 2), month, day + 1
