"""The names that the Python files of a project are written in."""

from __future__ import annotations

import re

from detector.model import Skipped
from detector.targets import Files

_NAME = re.compile(rb"[A-Za-z_]\w{2,60}")
# More text than any project of one model has; of larger ones the names of the first files.
_MOST_BYTES = 50_000_000


def names_spoken(files: Files) -> frozenset[str]:
    """Every word of its Python files and of their paths that may be a name."""
    found: set[bytes] = set()
    read = 0
    for each in files:
        if isinstance(each, Skipped):
            continue
        found.update(_NAME.findall(each.path.encode("utf-8", "replace")), _NAME.findall(each.data))
        read += len(each.data)
        if read >= _MOST_BYTES:
            break
    return frozenset(name.decode("ascii", "replace") for name in found)
