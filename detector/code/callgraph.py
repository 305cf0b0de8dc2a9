"""Who calls whom inside one repository, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.code.sorting import Numbers, order
from detector.model import Span
from detector.settings import MOST_CALLEES

_UNKNOWN = -1  # nobody, or several, have that name


@dataclass(frozen=True, slots=True)
class Calls:
    """Who calls whom among the functions of one side.

    Shapes: `called[offsets[j]:offsets[j + 1]]` are the functions that function j calls, ascending.
    """

    offsets: Numbers
    called: Numbers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def counts(self) -> Numbers:
        """How many functions each one calls."""
        found: Numbers = np.diff(self.offsets)
        return found

    def of(self, functions: Numbers) -> tuple[Numbers, Numbers]:
        """What each of these functions calls: its place among them, and the function that it calls."""
        starts = self.offsets[functions]
        counts = self.offsets[functions + 1] - starts
        places = np.repeat(np.arange(len(functions)), counts)
        return places, self.called[np.arange(len(places)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)]

    def callers(self) -> Calls:
        """The other way round: who is called by whom."""
        caller = np.repeat(np.arange(len(self)), self.counts())
        return graph(len(self), self.called, caller)


def graph(functions: int, callers: Numbers, called: Numbers) -> Calls:
    """Put calls in order: `callers[i]`, of so many functions, calls `called[i]`."""
    offsets = np.zeros(functions + 1, np.int64)
    np.cumsum(np.bincount(callers, minlength=functions), out=offsets[1:])
    return Calls(offsets, called[order(callers * functions + called)])


def callees(spans: Sequence[Span], named: Sequence[tuple[str, ...]]) -> Calls:
    """Resolve each call: to a function of the same class, of the same file, the only one in the folder, in all.

    named: by each function, what it calls. Nothing calls itself.
    """
    everywhere: dict[str, int] = {}
    folders: defaultdict[str, dict[str, int]] = defaultdict(dict)
    files: dict[str, tuple[dict[str, int], dict[str, int]]] = {}  # path -> functions of the file, of its folder
    for number, span in enumerate(spans):
        if span.path not in files:
            files[span.path] = {}, folders[span.path.rpartition("/")[0]]
        own, beside = files[span.path]
        own.setdefault(span.qualname, number)
        prefix, _, name = span.qualname.rpartition(".")
        # Calling a class is calling its constructor.
        called = prefix.rpartition(".")[2] if name == "__init__" else name
        for known in (beside, everywhere):
            known[called] = _UNKNOWN if called in known else number
    rows: list[int] = []
    columns: list[int] = []
    for number, (span, names) in enumerate(zip(spans, named, strict=True)):
        if not names:
            continue
        own, beside = files[span.path]
        prefix = span.qualname.rpartition(".")[0]
        found: set[int] = set()
        for name in names:
            for qualname in (f"{span.qualname}.{name}", f"{prefix}.{name}", name, f"{name}.__init__"):
                if qualname in own:
                    found.add(own[qualname])
                    break
            else:
                only = beside.get(name, _UNKNOWN)
                found.add(everywhere.get(name, _UNKNOWN) if only == _UNKNOWN else only)
        found -= {_UNKNOWN, number}
        if len(found) <= MOST_CALLEES:
            rows += [number] * len(found)
            columns += sorted(found)
    return graph(len(spans), np.array(rows, np.int64), np.array(columns, np.int64))
