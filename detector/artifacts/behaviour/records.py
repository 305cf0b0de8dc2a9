"""Lines of JSON or of a table -> what each record says of its item: id, answer, label, as they were recorded."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from detector.artifacts.behaviour.fields import Fields, choose
from detector.settings.behaviour import FIELD_RECORDS

Record = tuple[object, object, object]  # id, answer, label; None for what is missing
DELIMITERS = ",\t;"
TOO_LONG, NO_TEXT, NO_JSON, NO_ROW = "too long", "not UTF-8", "no JSON object", "no row of the table"


class NoRecords(Exception):  # noqa: N818 - it becomes a `Skipped`, not an error
    """Nothing can be compared; the message is the reason that the report shows."""


class Records:
    """Iterates over the records of a log; `lost` counts afterwards the lines that hold none, by reason.

    Errors: NoRecords, when it begins, if there are none or fields are missing.
    """

    def __init__(self, lines: Iterable[bytes | None], is_table: bool) -> None:
        self._lines = lines
        self._is_table = is_table
        self.lost: Counter[str] = Counter()
        self.fields = Fields("", "", "")

    def __iter__(self) -> Iterator[Record]:
        return self._of_table() if self._is_table else self._of_objects()

    def _texts(self) -> Iterator[str]:
        for line in self._lines:
            if line is None:
                self.lost[TOO_LONG] += 1
                continue
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                self.lost[NO_TEXT] += 1

    def _of_objects(self) -> Iterator[Record]:
        objects = self._objects()
        first = list(islice(objects, FIELD_RECORDS))
        if not first:
            raise NoRecords(self._nothing("no line holds a JSON object"))
        self.fields = fields = _chosen(dict.fromkeys(key for each in first for key in each))
        for found in chain(first, objects):
            yield found.get(fields.item), found.get(fields.answer), found.get(fields.label)

    def _objects(self) -> Iterator[dict[str, object]]:
        loads = json.loads
        for text in self._texts():
            try:
                found = loads(text)
            except (ValueError, RecursionError):
                if text.strip():
                    self.lost[NO_JSON] += 1
                continue
            if isinstance(found, dict):
                yield found
            else:
                self.lost[NO_JSON] += 1

    def _of_table(self) -> Iterator[Record]:
        texts = self._texts()
        head = next((text for text in texts if text.strip()), None)
        if head is None:
            raise NoRecords(self._nothing("it has no first line with the names of its columns"))
        delimiter = max(DELIMITERS, key=head.count)
        names = next(csv.reader([head], delimiter=delimiter), [])
        self.fields = fields = _chosen(names)
        places = [names.index(name) if name else -1 for name in (fields.item, fields.answer, fields.label)]
        rows = csv.reader((text + "\n" for text in texts), delimiter=delimiter)
        most = max(places)
        while True:
            try:
                row = next(rows, None)
            except csv.Error:  # a field without an end: the table goes on behind what it took
                self.lost[NO_ROW] += 1
                continue
            if row is None:
                return
            if len(row) > most:
                item, answer, label = (row[place] if place >= 0 else None for place in places)
                yield item, answer, label or None
            elif row:
                self.lost[NO_ROW] += 1

    def _nothing(self, otherwise: str) -> str:
        """Say why there is nothing."""
        found = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.lost.items()))
        return f"{otherwise} ({found})" if found else "it is empty"


def _chosen(names: Iterable[str]) -> Fields:
    fields = choose(names)
    if isinstance(fields, str):
        raise NoRecords(fields)
    return fields
