"""Mentions that a history removed: what the text of a commit's files no longer says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.artifacts.histories.history_texts import HistoryTexts, is_text_name
from detector.settings.history import MOST_READ_COMMITS
from detector.targets import Commit


@dataclass(frozen=True, slots=True)
class Removal:
    """One name that a commit removed from a file."""

    commit: Commit
    path: str
    name: str  # in lower case
    spelled: str
    is_whole_file: bool  # the file went with it


class Mentions:
    """How often each name stands in a blob; each is read once."""

    def __init__(self, texts: HistoryTexts, pattern: re.Pattern[str]) -> None:
        self._texts = texts
        self._pattern = pattern
        self._found: dict[str, Counter[str]] = {}
        self._spelled: dict[str, str] = {}

    def of(self, blob: str) -> Counter[str]:
        """The names in a blob, in lower case."""
        if blob not in self._found:
            names = [match[match.lastindex or 0] for match in self._pattern.finditer(self._texts.text(blob))]
            for name in names:
                self._spelled.setdefault(name.lower(), name)
            self._found[blob] = Counter(name.lower() for name in names)
        return self._found[blob]

    def spelled(self, name: str) -> str:
        """A name as it was first found."""
        return self._spelled.get(name, name)


def removals(commits: Sequence[Commit], present: Iterable[tuple[str, str]], mentions: Mentions) -> list[Removal]:
    """Find the names that a commit removed and that stand nowhere in the present files.

    A name that only moves to another file of the same commit is not removed.
    present: paths and blobs.
    """
    found = []
    for commit in commits[-MOST_READ_COMMITS:]:
        changes = [each for each in commit.changes if not each.is_tree and is_text_name(each.path)]
        before, after = Counter[str](), Counter[str]()
        for change in changes:
            before += mentions.of(change.before)
            after += mentions.of(change.after)
        lost = before - after
        for change in changes if lost else ():
            gone = mentions.of(change.before) - mentions.of(change.after)
            found += [
                Removal(commit, change.path, name, mentions.spelled(name), not change.after)
                for name in sorted(gone)
                if name in lost
            ]
    if not found:
        return []
    still = {name for path, blob in present if is_text_name(path) for name in mentions.of(blob)}
    return [each for each in found if each.name not in still]
