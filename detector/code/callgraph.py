"""Who calls whom inside one repository, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from detector.model import Span
from detector.settings import MOST_CALLEES

_UNKNOWN = -1  # nobody, or several, have that name


def callees(spans: Sequence[Span], calls: Sequence[tuple[str, ...]]) -> sparse.csr_matrix:
    """Resolve each call: to a function of the same class, of the same file, the only one in the folder, in all.

    Shapes: functions x functions, 1 where the row calls the column; nothing calls itself.
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
    for number, (span, names) in enumerate(zip(spans, calls, strict=True)):
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
    shape = (len(spans), len(spans))
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
