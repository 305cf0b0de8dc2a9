"""Who calls whom inside one repository, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from detector.model import Span
from detector.settings import MOST_CALLEES


def callees(spans: Sequence[Span], calls: Sequence[tuple[str, ...]]) -> sparse.csr_matrix:
    """Resolve each call: to a function of the same class, of the same file, the only one in the folder, in all.

    Shapes: functions x functions, 1 where the row calls the column; nothing calls itself.
    """
    by_place: dict[tuple[str, str], int] = {}
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    by_folder: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, span in enumerate(spans):
        by_place.setdefault((span.path, span.qualname), number)
        prefix, _, name = span.qualname.rpartition(".")
        # Calling a class is calling its constructor.
        called = prefix.rpartition(".")[2] if name == "__init__" else name
        by_name[called].append(number)
        by_folder[span.path.rpartition("/")[0], called].append(number)
    rows: list[int] = []
    columns: list[int] = []
    for number, (span, names) in enumerate(zip(spans, calls, strict=True)):
        found = {_resolve(span, name, by_place, by_folder, by_name) for name in names} - {-1, number}
        if len(found) <= MOST_CALLEES:
            rows += [number] * len(found)
            columns += sorted(found)
    shape = (len(spans), len(spans))
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def _resolve(
    span: Span,
    name: str,
    by_place: dict[tuple[str, str], int],
    by_folder: dict[tuple[str, str], list[int]],
    by_name: dict[str, list[int]],
) -> int:
    prefix = span.qualname.rpartition(".")[0]
    for qualname in (f"{span.qualname}.{name}", f"{prefix}.{name}", name, f"{name}.__init__"):
        number = by_place.get((span.path, qualname))
        if number is not None:
            return number
    for named in (by_folder.get((span.path.rpartition("/")[0], name), ()), by_name.get(name, ())):
        if len(named) == 1:
            return named[0]
    return -1
