"""The names that a project speaks in: those of its Python files, and of whom its notes speak."""

from __future__ import annotations

import re
from collections.abc import Collection

from detector.artifacts.credits.naming import is_named, names_of
from detector.model import Skipped
from detector.targets import Files, Repo

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


def names_in_notes(project: Repo, other: Repo, addresses: Collection[str]) -> bool:
    """Whether a README or notice of a project names another one, or gives one of its addresses, in lower case."""
    names = names_of(other).names
    texts = (data.decode("utf-8", "replace") for data in project.files.notes().values())
    return any(is_named(text, names) or any(each in text.lower() for each in addresses) for text in texts)
