"""Copyright and licence lines of a reference that the files taken from it, and the suspect as a whole, do not have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.credits.licences import Notice, header, is_licence_name, is_own, notices
from detector.model import Match, Skipped
from detector.settings.declared import FEWEST_TAKEN_FUNCTIONS, MOST_MANIFEST_BYTES, MOST_NOTICE_FILES, TAKEN_SHARE
from detector.targets import Files, Repo

_DEFINITION = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]", re.MULTILINE)
# Whole files are read to count their functions; larger ones are not read by anything.
_FILE_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class LostHeader:
    """A line at the head of a reference's file that its counterpart in the suspect lacks."""

    suspect_path: str
    reference_path: str
    functions: int  # of the suspect's file that match the reference's
    notice: Notice


@dataclass(frozen=True, slots=True)
class Holders:
    """Copyright lines of a project's licence files and notices, by path."""

    found: tuple[tuple[str, Notice], ...]
    has_licence: bool  # a licence or notice at all

    def has(self, holder: str) -> bool:
        """Whether any line names this holder, in more or fewer words."""
        return any(is_same(notice.holder, holder) for _, notice in self.found if notice.holder)


def is_same(one: str, other: str) -> bool:
    """Whether two plain holders are one: all words of the shorter are in the longer."""
    first, second = sorted((set(one.split()), set(other.split())), key=len)
    return bool(first) and first <= second


def holders(project: Repo, *, only_own: bool) -> Holders:
    """Who a project's licence files and notices name; with `only_own` only those that are about the project itself."""
    found: list[tuple[str, Notice]] = []
    paths = [path for path in project.files.others() if is_licence_name(path)]
    chosen = [path for path in paths if not only_own or is_own(path)]
    texts: dict[str, bytes] = {} if only_own else dict(project.files.notes())
    for path in chosen[:MOST_NOTICE_FILES]:
        head = project.files.head(path, MOST_MANIFEST_BYTES)
        if not isinstance(head, Skipped):
            texts[path] = head.data
    for path, data in texts.items():
        found.extend((path, notice) for notice in notices(path, data))
    return Holders(tuple(found), bool(chosen))


def lost_headers(matches: Sequence[Match], ours: Files, theirs: Files, known: Holders) -> tuple[list[LostHeader], int]:
    """Lines that the files of a reference have at their head and the files taken from them have not.

    matches: with one reference. known: whom the suspect names elsewhere. Gives also how many pairs of files were held
    against each other.
    """
    lost: list[LostHeader] = []
    pairs = list(_taken(matches, ours, theirs))
    for (path, other), functions, ours_data, theirs_data in pairs:
        kept = header(ours_data)
        for notice in header(theirs_data):
            if notice.holder:
                is_kept = known.has(notice.holder) or any(is_same(notice.holder, each.holder) for each in kept)
            else:  # a licence tag is lost only where nothing at all says what the licence is
                is_kept = bool(kept) or known.has_licence or bool(known.found)
            if not is_kept:
                lost.append(LostHeader(path, other, functions, notice))
    return sorted(lost, key=lambda each: (-each.functions, each.suspect_path, each.notice.line)), len(pairs)


def _taken(matches: Sequence[Match], ours: Files, theirs: Files) -> Iterator[tuple[tuple[str, str], int, bytes, bytes]]:
    """Pairs of files most of whose functions match, how many do, and their bytes."""
    counts = Counter((match.suspect.path, match.reference.path) for match in matches)
    for pair, count in sorted(counts.items()):
        if count < FEWEST_TAKEN_FUNCTIONS:
            continue
        heads = [ours.head(pair[0], _FILE_BYTES), theirs.head(pair[1], _FILE_BYTES)]
        data = [head.data for head in heads if not isinstance(head, Skipped)]
        if len(data) < len(heads):
            continue
        if count >= TAKEN_SHARE * min(len(_DEFINITION.findall(each)) for each in data):
            yield pair, count, data[0], data[1]


def lost_holders(own: Holders, known: Holders, matches: Sequence[Match], ours: Files) -> list[tuple[str, Notice]]:
    """Copyright lines of the reference's own licence whose holder nothing in the suspect names."""
    heads = [ours.head(path, _FILE_BYTES) for path in sorted({match.suspect.path for match in matches})]
    kept = {each.holder for head in heads if not isinstance(head, Skipped) for each in header(head.data)}
    lost = {
        notice.holder: (path, notice)
        for path, notice in reversed(own.found)
        if notice.holder and not known.has(notice.holder) and not any(is_same(notice.holder, each) for each in kept)
    }
    return sorted(lost.values(), key=lambda each: (each[0], each[1].line))


def kept_files(matches: Sequence[Match], ours: Files, own: Holders, suspects: Collection[str]) -> frozenset[str]:
    """Files of the suspect whose head still names a holder of the reference, who is not the suspect's own."""
    theirs = {notice.holder for _, notice in own.found if notice.holder}
    foreign = {each for each in theirs if not any(is_same(each, holder) for holder in suspects)}
    found: Mapping[str, tuple[Notice, ...]] = {
        path: header(head.data)
        for path in sorted({match.suspect.path for match in matches})
        if foreign and not isinstance(head := ours.head(path, _FILE_BYTES), Skipped)
    }
    return frozenset(
        path
        for path, said in found.items()
        if any(is_same(each.holder, holder) for each in said for holder in foreign if each.holder)
    )
