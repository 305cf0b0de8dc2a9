"""What is stored of a target's history beside its places: commits, and what was learnt of each blob."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from detector.index.records import PlaceRow, Target, blob_of, inflated
from detector.settings.index import MOST_PAST_BYTES, PACK_LEVEL

Names = frozenset[str]


class Blob(NamedTuple):
    """What is remembered of a blob, so that it is not read again."""

    id: str  # of its bytes: what the repository calls it may be anything
    names: Names  # of the packages that the repository ever had, those that its import lines have
    is_generated: bool  # whether it says so


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored of a target's history."""

    commits: tuple[str, ...]  # of the main line, the oldest first
    packages: Names  # every name under which the repository ever imported itself
    blobs: Mapping[str, Blob]  # by the id that the repository gives it


def packed(past: Past) -> bytes:
    """As bytes."""
    sets = list(dict.fromkeys(blob.names for blob in past.blobs.values()))
    numbers = {names: number for number, names in enumerate(sets)}
    values = {
        "commits": past.commits,
        "packages": sorted(past.packages),
        "sets": [sorted(each) for each in sets],
        "blobs": [[name, each.id, numbers[each.names], each.is_generated] for name, each in past.blobs.items()],
    }
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode("ascii"), PACK_LEVEL)


def unpacked(data: bytes) -> Past:
    """The inverse.

    Errors: ValueError for anything else.
    """
    try:
        values = json.loads(inflated(data, MOST_PAST_BYTES))
        sets = [frozenset(map(_text, each)) for each in values["sets"]]
        blobs = {
            _text(name): Blob(bytes.fromhex(_text(blob)).hex(), sets[number], bool(is_generated))
            for name, blob, number, is_generated in values["blobs"]
        }
        return Past(tuple(map(_text, values["commits"])), frozenset(map(_text, values["packages"])), blobs)
    except (KeyError, TypeError, IndexError, RecursionError):
        raise ValueError("a history that is none") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text where one should be")
    return value


def past_of(connection: sqlite3.Connection, target: Target) -> Past | None:
    """What is stored of a target's history; None where nothing is, or nothing that can be relied on."""
    try:
        data = blob_of(connection, "past", target.number)
        return unpacked(data) if data is not None else None
    except ValueError:
        return None


def nearest(rows: Iterable[PlaceRow], counts: Mapping[int, int], position: int) -> int:
    """The position at which most of what was found is there, by its packs.

    position: of the target as it was read, which is one like the others.
    Ties: the latest.
    """
    steps = [0] * (position + 2)
    for row in rows:
        if row.first >= 0 and row.pack in counts:
            steps[row.first] += counts[row.pack]
            steps[row.last + 1] -= counts[row.pack]
    best = most = total = 0
    for place, step in enumerate(steps[:-1]):
        total += step
        if total >= most:
            best, most = place, total
    return best
