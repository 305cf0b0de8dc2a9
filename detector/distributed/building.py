"""Targets -> partitions, without one machine that holds everything.

Some targets at a time are added to an index of their own, by the function that `detector index add` calls. What several
of these indexes have is told by what it is, and counts where it stands first; then each index hands on its rows under
the numbers of the whole, and each partition takes its own out of what they hand on.

    sources/     an index for some targets each, and what is in it by what it is
    same/        what is in more than one: which is the first
    exchange/    rows on their way from sources to partitions
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from detector.code.sorting import Numbers
from detector.distributed import partitions, rows, stored, tables
from detector.distributed.folder import Folder
from detector.distributed.layout import (
    CUT_BY,
    Manifest,
    Tell,
    key_ranges,
    name_of,
    put_manifest,
    put_plan,
    ranges,
    shares,
)
from detector.distributed.partitions import Partition, partition_of, values_of
from detector.distributed.rows import SOURCE_BITS, Numbering
from detector.distributed.spreading import answered, carried_out, kept_or
from detector.distributed.tasks import Mapped
from detector.index.store import Index, open_index
from detector.model import UserError
from detector.read import open_target
from detector.settings.distributed import PARTITION_POSTINGS, TARGETS_OF_A_SOURCE
from detector.settings.postings import KEY_BITS

_OWN = ("shapes", "packs", "targets", "places", "skipped")  # tables of which each source has partitions of its own
_EXCHANGED = ("postings", "functions", "owners")
# What tells the contents of one index from another's, and how far its first column goes.
_SAME = {"shapes": ("same_shapes", -(1 << 63), 1 << 63), "packs": ("same_packs", 0, 1 << (8 * rows.NAME_BYTES))}


def build(folder: Folder, targets: Sequence[str], mapped: Mapped, tell: Tell) -> tuple[Manifest, list[str]]:
    """Write what targets hold as partitions; what an earlier run has written stays.

    Returns: also why targets are left out, one line for each.
    Errors:  UserError where the folder holds something else, or no target can be read.
    """
    if len(set(targets)) < len(targets):
        raise UserError("a target is named twice: name each once")
    put_plan(folder, {"targets": list(targets)}, "targets")
    cuts = [targets[first : first + TARGETS_OF_A_SOURCE] for first in range(0, len(targets), TARGETS_OF_A_SOURCE)]
    common = {"folder": folder.address}
    orders = [{**common, "source": number, "targets": cut} for number, cut in enumerate(cuts)]
    read = sorted(carried_out(read_source, orders, mapped, tell), key=lambda each: int(each["source"]))
    sizes = [rows.Extent(*each["extent"]) for each in read]
    if not any(size.targets for size in sizes):
        raise UserError("no target could be read: " + "; ".join(line for each in read for line in each["failed"])[:500])
    orders = [
        {**common, "kind": kind, "sources": len(cuts), "part": part, "first": first, "last": last}
        for kind, (_, lowest, highest) in _SAME.items()
        for part, (first, last) in enumerate(
            shares(lowest, highest, sum(getattr(size, kind) for size in sizes), PARTITION_POSTINGS)
        )
    ]
    same = carried_out(find_same, orders, mapped, tell)
    parts = {kind: sum(each["kind"] == kind for each in same) for kind in _SAME}
    orders = [{**common, "source": number, "extent": each["extent"], "same": parts} for number, each in enumerate(read)]
    handed = carried_out(hand_on, orders, mapped, tell)
    orders = [
        {**common, "table": table, "sources": len(cuts), "part": part, "first": first, "last": last}
        for table in _EXCHANGED
        for part, (first, last) in enumerate(_ranges(table, sizes))
    ]
    gathered = carried_out(gather, orders, mapped, tell)
    own = [partition_of(each) for answer in handed for each in answer["partitions"]]
    found = put_manifest(folder, [*own, *(partition_of(each["partition"]) for each in gathered)])
    folder.remove("exchange")
    folder.remove("same")
    return found, [line for each in read for line in each["failed"]]


def _ranges(table: str, sizes: Sequence[rows.Extent]) -> list[tuple[int, int]]:
    """How an exchanged table is cut: keys evenly, numbers of the whole where enough of them have come together."""
    if table == "postings":
        return key_ranges(sum(size.postings for size in sizes))
    by, most = CUT_BY[table]
    begins, held = [0], 0
    for source, size in enumerate(sizes):
        for first, last in ranges(table, getattr(size, by)):
            if held and held + last - first > most:
                begins.append(source << SOURCE_BITS | first)
                held = 0
            held += last - first
    return list(pairwise([*begins, len(sizes) << SOURCE_BITS]))


# --- tasks ---------------------------------------------------------------------------------------------------


def read_source(table: pa.Table) -> pa.Table:
    """Tasks: add some targets to an index of their own."""
    return answered(table, _read_source)


def find_same(table: pa.Table) -> pa.Table:
    """Tasks: find what several sources have, within a range of what tells that."""
    return answered(table, _find_same)


def hand_on(table: pa.Table) -> pa.Table:
    """Tasks: hand on what a source holds, under the numbers of the whole."""
    return answered(table, _hand_on)


def gather(table: pa.Table) -> pa.Table:
    """Tasks: write a partition out of what sources hand on."""
    return answered(table, _gather)


def _read_source(order: dict[str, Any]) -> dict[str, Any]:
    folder, source = Folder(order["folder"]), order["source"]
    about = f"sources/{source:06}.json"
    there = folder.json(about, 1 << 20)
    names = [name_of(f"sources/{table}", source) for table, _, _ in _SAME.values()]
    failed: list[str] = []

    def write() -> list[Partition]:
        with TemporaryDirectory(prefix="detector-") as name:
            path = Path(name) / "source.db"
            with open_index(path, create=True) as index:
                failed.extend(_add(index, order["targets"]))
                extent = rows.extent(index.connection)
                found = (rows.same_shapes(index.connection), rows.same_packs(index.connection))
            folder.take(path, f"sources/{source:06}.db")
        written = [
            partitions.write(folder, table, name, tables.grouped(table, held))
            for (table, _, _), name, held in zip(_SAME.values(), names, found, strict=True)
        ]
        values = {"extent": [extent.postings, extent.shapes, extent.packs, extent.targets], "failed": failed}
        partitions.write_json(folder, about, values)
        return written

    if there is None or not folder.has(f"sources/{source:06}.db"):
        write()
        told: list[str] = []
    else:
        _, told = kept_or(names, folder, write)
    values = folder.json(about, 1 << 20)
    return {"source": source, "told": told, **values}


def _add(index: Index, targets: Sequence[str]) -> Iterator[str]:
    """Add targets; gives why some are left out."""
    for target in targets:
        try:
            with open_target(target) as repo:
                index.add(repo)
        except UserError as error:
            yield str(error)[:500]
    index.settle()


def _find_same(order: dict[str, Any]) -> dict[str, Any]:
    folder, kind = Folder(order["folder"]), order["kind"]
    name = name_of(f"same/{kind}", order["part"])

    def write() -> list[Partition]:
        found = [_within(folder, kind, source, order["first"], order["last"]) for source in range(order["sources"])]
        together = pa.concat_tables(found)
        sources = np.repeat(np.arange(len(found)), [part.num_rows for part in found])
        column = "pack" if kind == "packs" else "shape"
        local = tables.numbers(together, column)
        numbers = local | sources << SOURCE_BITS
        if kind == "packs":
            firsts: dict[bytes, int] = {}
            were = [
                firsts.setdefault(name, number)
                for name, number in zip(tables.octets(together, "name"), numbers.tolist(), strict=True)
            ]
            was = np.array(were, np.int64)
        else:
            _, places, inverse = np.unique(
                tables.numbers(together, "digest"), return_index=True, return_inverse=True
            )  # the first place is in the first source
            was = numbers[places[inverse]]
        moved = was != numbers
        held = rows.sorted_by("moved", sources[moved], local[moved], was[moved])
        return [partitions.write(folder, "moved", name, tables.grouped("moved", held))]

    _, told = kept_or([name], folder, write)
    return {"kind": kind, "part": order["part"], "told": told}


def _within(folder: Folder, kind: str, source: int, first: int, last: int) -> pa.Table:
    table = _SAME[kind][0]
    name = name_of(f"sources/{table}", source)
    return stored.within(folder, partitions.receipt(folder, name), first, last)


def _hand_on(order: dict[str, Any]) -> dict[str, Any]:
    folder, source = Folder(order["folder"]), order["source"]
    extent = rows.Extent(*order["extent"])
    counts = {"shapes": extent.shapes, "packs": extent.packs}
    cuts = [
        (table, name_of(table, source, part), first, last)
        for table in _OWN
        for part, (first, last) in enumerate(ranges(table, counts.get(table, extent.targets)))
    ]
    handed = [
        (table, name_of(f"exchange/{table}", source), 0, 1 << (KEY_BITS if table == "postings" else SOURCE_BITS))
        for table in _EXCHANGED
    ]

    def write() -> list[Partition]:
        numbering = _numbering(folder, source, order["same"])
        with TemporaryDirectory(prefix="detector-") as held:
            path = Path(held) / "source.db"
            folder.bring(f"sources/{source:06}.db", path)
            with open_index(path) as index:
                return [
                    partitions.write(
                        folder, table, name, rows.of_range(index.connection, table, first, last, numbering)
                    )
                    for table, name, first, last in (*cuts, *handed)
                ]

    found, told = kept_or([name for _, name, _, _ in (*cuts, *handed)], folder, write)
    own = [values_of(each) for each in list(found)[: len(cuts)]]
    return {"source": source, "partitions": own, "told": told}


def _numbering(folder: Folder, source: int, parts: dict[str, int]) -> Numbering:
    found: dict[str, tuple[Numbers, Numbers]] = {}
    for kind, count in parts.items():
        held = pa.concat_tables(
            stored.within(folder, partitions.receipt(folder, name_of(f"same/{kind}", part)), source, source + 1)
            for part in range(count)
        )
        numbers = tables.numbers(held, "number")
        by_number = np.argsort(numbers)
        found[kind] = numbers[by_number], tables.numbers(held, "was")[by_number]
    return Numbering(source, *found["shapes"], *found["packs"])


def _gather(order: dict[str, Any]) -> dict[str, Any]:
    folder, table = Folder(order["folder"]), order["table"]
    name = name_of(table, order["part"])

    def write() -> list[Partition]:
        held = pa.concat_tables(
            stored.within(
                folder,
                partitions.receipt(folder, name_of(f"exchange/{table}", source)),
                order["first"],
                order["last"],
            )
            for source in range(order["sources"])
        )
        ordered = rows.sorted_by(table, *(tables.numbers(held, column) for column in held.schema.names))
        return [partitions.write(folder, table, name, tables.grouped(table, ordered))]

    (found,), told = kept_or([name], folder, write)
    return {"partition": values_of(found), "told": told}
