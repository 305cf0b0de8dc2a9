"""An index -> partitions: each range of each table is a task of its own, and what is there already stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector.distributed import partitions, rows
from detector.distributed.folder import Folder
from detector.distributed.layout import Manifest, Tell, key_ranges, name_of, put_manifest, put_plan, ranges
from detector.distributed.partitions import Partition, partition_of
from detector.distributed.tasks import Mapped, Task
from detector.index.damage import Damaged
from detector.index.store import open_index
from detector.model import UserError


def partition(folder: Folder, index: Path, mapped: Mapped, tell: Tell) -> Manifest:
    """Write an index as partitions; what an earlier run has written stays, and what is damaged is written again.

    Errors: UserError where the folder holds something else, or the index is changed meanwhile.
    """
    with open_index(index) as opened:
        state, size = rows.fingerprint(opened.connection), rows.extent(opened.connection)
    put_plan(folder, {"index": state}, "index")
    cuts = {
        "postings": key_ranges(size.postings),
        **{table: ranges(table, size.shapes) for table in ("shapes", "functions")},
        **{table: ranges(table, size.packs) for table in ("packs", "owners")},
        **{table: ranges(table, size.targets) for table in ("targets", "places", "skipped")},
    }
    orders = [
        {"table": table, "name": name_of(table, number), "first": first, "last": last}
        for table, cut in cuts.items()
        for number, (first, last) in enumerate(cut)
    ]
    common = {"folder": folder.address, "index": str(index.absolute()), "state": state}
    done = carried_out(write_range, [{**common, **each} for each in orders], mapped, tell)
    return put_manifest(folder, (partition_of(each["partition"]) for each in done))


def write_range(table: pa.Table) -> pa.Table:
    """Tasks: write one range of one table of an index."""
    return answered(table, _write_range)


def _write_range(order: dict[str, Any]) -> dict[str, Any]:
    folder = Folder(order["folder"])

    def write() -> list[Partition]:
        with open_index(Path(order["index"])) as opened:
            connection = opened.connection
            found = rows.of_range(connection, order["table"], order["first"], order["last"], rows.Numbering())
            written = partitions.write(folder, order["table"], order["name"], found)
            if rows.fingerprint(connection) != order["state"]:
                raise UserError(f"{order['index']}: changed while it was written: begin again in an empty folder")
        return [written]

    (found,), told = kept_or([order["name"]], folder, write)
    return {"partition": partitions.values_of(found), "told": told}


# --- what all such tasks share -------------------------------------------------------------------------------


def carried_out(task: Task, orders: Sequence[dict[str, Any]], mapped: Mapped, tell: Tell) -> list[dict[str, Any]]:
    """Carry out orders, and tell what there is to be told; answers come in the order of their names."""
    found: list[dict[str, Any]] = []
    for part in mapped(task, [pa.table({"json": [json.dumps(each)]}) for each in orders]):
        for text in part.column("json").to_pylist():
            answer = json.loads(text)
            for line in answer.pop("told", ()):
                tell(line)
            found.append(answer)
    return sorted(found, key=lambda each: json.dumps(each, sort_keys=True))


def answered(table: pa.Table, do: Any) -> pa.Table:
    """Carry out the orders of a table."""
    return pa.table({"json": [json.dumps(do(json.loads(text))) for text in table.column("json").to_pylist()]})


def kept_or(names: Sequence[str], folder: Folder, write: Any) -> tuple[Iterable[Partition], list[str]]:
    """What is there under these names; if it is not, what is written now, and what is to be told of that."""
    told = []
    try:
        kept = [partitions.kept(folder, name) for name in names]
        there = [each for each in kept if each is not None]
        if len(there) == len(names):
            return there, []
    except Damaged as error:
        told.append(f"{error}: written again")
    return write(), told
