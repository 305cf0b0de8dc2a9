"""Commits that did nothing but put names for names, file names included."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.artifacts.histories.history_texts import HistoryTexts, is_text_name
from detector.artifacts.histories.substitution import Substitution, may_be_substitution, substitution
from detector.settings.history import (
    FEWEST_RENAMED_PLACES,
    MOST_COMPARED_LINES,
    MOST_READ_COMMITS,
    MOST_READ_FILES,
    RENAMED_CONSISTENCY,
)
from detector.targets import Change, Commit

_WORD = re.compile(r"\w+")
# A deleted and an added file are one that was moved if so many of their lines agree but for words.
_MOVED = 0.7
_MOST_MOVED = 50


@dataclass(frozen=True, slots=True)
class Renaming:
    """One commit and the names that it put for others."""

    commit: Commit
    found: Substitution


def renamings(commits: Sequence[Commit], texts: HistoryTexts) -> list[Renaming]:
    """Find the commits whose changed words one substitution explains; additions of whole files are no change."""
    found = []
    compared = 0
    for commit in commits[:MOST_READ_COMMITS]:
        if not commit.parents or compared > MOST_COMPARED_LINES:
            continue
        pairs = list(_pairs(commit, texts))
        able = [pair for pair in pairs if may_be_substitution(*pair, 1)]
        if not able:
            continue
        compared += sum(before.count("\n") + after.count("\n") for before, after in able)
        names = substitution(able)
        others = sum(_words_changed(*pair) for pair in pairs if pair not in able)
        names = Substitution(names.pairs, names.explained, names.changed + others)
        if names.explained >= FEWEST_RENAMED_PLACES and names.consistency >= RENAMED_CONSISTENCY:
            found.append(Renaming(commit, names))
    return found


def _pairs(commit: Commit, texts: HistoryTexts) -> Iterator[tuple[str, str]]:
    changes = [each for each in commit.changes if not each.is_tree and is_text_name(each.path)]
    if len(changes) > MOST_READ_FILES:
        return
    for change in changes:
        if change.before and change.after:
            yield texts.text(change.before), texts.text(change.after)
    gone = [each for each in changes if not each.after][:_MOST_MOVED]
    come = [each for each in changes if not each.before][:_MOST_MOVED]
    yield from _moved(gone, come, texts)


def _moved(gone: Sequence[Change], come: Sequence[Change], texts: HistoryTexts) -> Iterator[tuple[str, str]]:
    """Deleted files with the added ones that they became, each taken once."""
    added = [(each, texts.text(each.after)) for each in come] if gone else []
    shapes = [_shapes(text) for _, text in added]
    taken: set[int] = set()
    for change in gone:
        if not added:
            return
        text = texts.text(change.before)
        ours = _shapes(text)
        alike = [
            _share(ours, theirs) if number not in taken and _ending(change) == _ending(added[number][0]) else 0.0
            for number, theirs in enumerate(shapes)
        ]
        best = max(range(len(alike)), key=alike.__getitem__)
        if alike[best] >= _MOVED:
            taken.add(best)
            yield text, added[best][1]


def _ending(change: Change) -> str:
    return change.path.rpartition(".")[2]


def _shapes(text: str) -> Counter[str]:
    return Counter(_WORD.sub("w", line.strip()) for line in text.splitlines() if line.strip())


def _share(one: Counter[str], other: Counter[str]) -> float:
    return sum((one & other).values()) / max(sum(one.values()), sum(other.values()), 1)


def _words_changed(before: str, after: str) -> int:
    one, other = Counter(_WORD.findall(before)), Counter(_WORD.findall(after))
    return max(sum((one - other).values()), sum((other - one).values()))
