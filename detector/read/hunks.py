"""Which lines of a file a change adds or alters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from detector.model import Lines

# Of a file that is new, every line.
EVERY: Lines = (1, 1 << 40)
# Texts that differ in more lines than this are not aligned: what stands between their equal ends counts as altered.
_MOST_ALIGNED = 1_000

_INDEX = re.compile(rb"index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})(?: \d+)?")
_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")


def of_patch(patch: bytes) -> dict[tuple[str, str], list[Lines]]:
    """The altered lines of each pair of blobs in what `git diff -U0 --full-index` writes.

    By the ids of blobs, not by paths: lines of a file begin with a sign, so that nothing in one can pass for a header.
    """
    found: dict[tuple[str, str], list[Lines]] = {}
    ranges: list[Lines] = []
    for line in patch.split(b"\n"):
        if line.startswith(b"@@ "):
            if hunk := _HUNK.match(line):
                ranges.append(_altered(int(hunk[1]), int(hunk[2]) if hunk[2] else 1))
        elif line.startswith(b"diff "):
            ranges = []  # of nothing that is asked for, until the blobs are named
        elif line.startswith(b"index ") and (blobs := _INDEX.fullmatch(line)):
            ranges = found.setdefault((blobs[1].decode(), blobs[2].decode()), [])
    return found


def of_texts(before: bytes, after: bytes) -> list[Lines]:
    """The altered lines of one text, given another."""
    old, new = ([line.rstrip(b"\r\n") for line in data.splitlines()] for data in (before, after))
    first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    most = min(len(old), len(new)) - first
    last = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    old, new = old[first : len(old) - last], new[first : len(new) - last]
    if not old and not new:
        return []
    if max(len(old), len(new)) > _MOST_ALIGNED:
        return [_altered(first + 1, len(new))]
    from difflib import SequenceMatcher

    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [
        _altered(first + begin + (1 if end > begin else 0), end - begin)
        for kind, _, _, begin, end in steps
        if kind != "equal"
    ]


def _altered(first: int, count: int) -> Lines:
    """Lines of a hunk; where lines were only taken out, the two beside the gap."""
    return (first, first + count - 1) if count else (first, first + 1)


def in_all(sides: Iterable[Sequence[Lines]]) -> list[Lines]:
    """The lines that every side has; each side's in ascending order."""
    found: list[Lines] | None = None
    for side in sides:
        found = list(side) if found is None else _in_both(found, side)
    return found or []


def _in_both(ours: Sequence[Lines], theirs: Sequence[Lines]) -> list[Lines]:
    found: list[Lines] = []
    own = other = 0
    while own < len(ours) and other < len(theirs):
        first, last = max(ours[own][0], theirs[other][0]), min(ours[own][1], theirs[other][1])
        if first <= last:
            found.append((first, last))
        if ours[own][1] <= theirs[other][1]:
            own += 1
        else:
            other += 1
    return found


def touches(lines: Sequence[Lines], first: int, last: int) -> bool:
    """Whether any of the lines, in ascending order, is one of those from `first` to `last`."""
    place = bisect_left(lines, first, key=lambda each: each[1])
    return place < len(lines) and lines[place][0] <= last
