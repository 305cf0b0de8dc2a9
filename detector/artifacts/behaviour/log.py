"""One file -> a log: the items that are kept of it, sorted by the hash of their id, with answers and labels.

Of a log that is too large those items are kept whose id has the smallest hash, so that two logs keep the same ones in
whatever order they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detector.artifacts import lfs_pointer
from detector.artifacts.behaviour.answers import NOTHING, code, item_code, spelled
from detector.artifacts.behaviour.fields import Fields
from detector.artifacts.behaviour.lines import Lines
from detector.artifacts.behaviour.parquet import Parquet
from detector.artifacts.behaviour.records import NoRecords, Record, Records
from detector.model import Skipped
from detector.settings.behaviour import LONGEST_ANSWER, MOST_ITEMS, MOST_LOG_CHARACTERS
from detector.targets import Files

Codes = NDArray[np.uint64]
TABLES = (".csv", ".tsv")
PARQUET = ".parquet"
_ALL = 2**64
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_ID = 400


@dataclass(frozen=True, slots=True)
class Log:
    """What one model answered.

    Shapes: all arrays and texts have one entry for each item, ascending by hash; hash 0 stands for what is missing.
    """

    path: str
    fields: Fields
    items: Codes  # hashes of ids
    answers: Codes
    labels: Codes
    names: tuple[str, ...]  # ids, cut if long
    texts: tuple[str, ...]  # answers, cut if long
    label_texts: tuple[str, ...]
    below: int  # every item whose hash is below this was kept
    rows: int  # records read
    notes: tuple[str, ...] = ()  # what was left out, and why

    @property
    def characters(self) -> int:
        """How much is kept of its texts."""
        return sum(map(len, (*self.names, *self.texts, *self.label_texts)))

    def lean(self) -> Log:
        """The same without what nobody will read: the ids, and the answers unless they are boxes."""
        if any(text.startswith("[") for text in self.texts):
            return replace(self, names=())
        return replace(self, names=(), texts=())

    @property
    def has_labels(self) -> bool:
        """Whether any item has a label."""
        return bool((self.labels != NOTHING).any())


Kept = tuple[str, int, str, int, str]  # id, hash and text of the answer, of the label


@dataclass(slots=True)
class _Selection:
    """The items with the smallest hashes, of those that were seen."""

    kept: dict[int, Kept] = field(default_factory=dict)
    below: int = _ALL
    rows: int = 0
    characters: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        self.rows += 1
        item, answer, label = record
        try:
            name = spelled(item)
            if not name:
                self.left_out["without an id"] += 1
                return
            key = item_code(name)
            if key >= self.below:
                return
            if key in self.kept:
                self.left_out["whose id came before: the first counts"] += 1
                return
            text = spelled(answer)
            if text is None:
                self.left_out["without an answer"] += 1
                return
            told = spelled(label)
        except (ValueError, RecursionError, OverflowError):
            self.left_out["that are nested too deeply"] += 1
            return
        self.kept[key] = (
            name[:_LONGEST_ID], code(text), text[:LONGEST_ANSWER],
            code(told) if told else NOTHING, told[:LONGEST_ANSWER] if told else "",
        )  # fmt: skip
        self.characters += _characters(self.kept[key])
        if len(self.kept) >= 2 * MOST_ITEMS or self.characters >= 2 * MOST_LOG_CHARACTERS:
            self.shrink()

    def shrink(self) -> None:
        """Drop the largest hashes, until items and characters are within bounds."""
        keys: list[int] = []
        characters = 0
        for key in sorted(self.kept):
            characters += _characters(self.kept[key])
            if len(keys) == MOST_ITEMS or characters > MOST_LOG_CHARACTERS:
                self.below = key
                break
            keys.append(key)
        self.kept = {key: self.kept[key] for key in keys}
        self.characters = sum(map(_characters, self.kept.values()))


def _characters(kept: Kept) -> int:
    return len(kept[0]) + len(kept[2]) + len(kept[4])


def read_log(files: Files, path: str) -> Log | Skipped:
    """Read one log; `Skipped` says in one line why nothing of it can be compared."""
    head = files.head(path, lfs_pointer.MOST_POINTER_BYTES)
    if isinstance(head, Skipped):
        return Skipped(path, head.reason)
    if head.is_whole and lfs_pointer.read(head.data) is not None:
        return Skipped(path, "only the pointer of git-lfs is there, not the file")
    if head.data.startswith(_UTF16):
        return Skipped(path, "it is UTF-16: save it as UTF-8")
    name = path.lower()
    if name.endswith(PARQUET):
        table = Parquet(files, path, head.size_bytes)
        return _read(path, table, table, Counter())
    lines = Lines(files, path, head.size_bytes)
    records = Records(lines, name.endswith(TABLES))
    return _read(path, records, lines, records.lost)


def _read(path: str, records: Records | Parquet, source: Lines | Parquet, lost: Counter[str]) -> Log | Skipped:
    selection = _Selection()
    add = selection.add
    try:
        for record in records:
            add(record)
    except NoRecords as error:
        return Skipped(path, source.cut or str(error))
    selection.shrink()
    if not selection.kept:
        why = _counted(selection.left_out) or "it is empty"
        return Skipped(path, source.cut or f"no item can be compared: {why}")
    notes = [f"{_some(count, 'line')} left out: {reason}" for reason, count in sorted(lost.items())]
    if selection.left_out:
        notes.append(f"left out: {_counted(selection.left_out)}")
    if selection.below < _ALL:
        notes.append(
            f"only {len(selection.kept):,} of its items are compared, those whose id has the smallest hash, "
            f"of {selection.rows:,} records"
        )
    if source.cut:
        notes.append(source.cut)
    return log_of(path, records.fields, selection.kept, selection.below, selection.rows, notes)


def _counted(left_out: Counter[str]) -> str:
    return "; ".join(f"{_some(count, 'record')} {reason}" for reason, count in sorted(left_out.items()))


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def log_of(path: str, fields: Fields, kept: dict[int, Kept], below: int, rows: int, notes: Iterable[str]) -> Log:
    """Put items in the order of their hashes."""
    keys = sorted(kept)
    found = [kept[key] for key in keys]
    pool: dict[str, str] = {}  # classes come again and again
    return Log(
        path,
        fields,
        np.array(keys, np.uint64),
        np.array([each[1] for each in found], np.uint64),
        np.array([each[3] for each in found], np.uint64),
        tuple(each[0] for each in found),
        tuple(pool.setdefault(each[2], each[2]) for each in found),
        tuple(pool.setdefault(each[4], each[4]) for each in found),
        below,
        rows,
        tuple(notes),
    )
