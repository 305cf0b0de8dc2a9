"""Everything against everything: shapes that share most of their keys, and the families that these pairs connect.

Postings are joined with themselves, key by key, each partition by one task; what the tasks count of a pair of shapes is
added up by ranges of the lower one. Both are written down, so that a killed run goes on. A key of c shapes makes
c (c - 1) / 2 pairs: those of more than FAMILY_POSTING are left out, and count for neither side.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.code.sorting import Numbers, distinct, is_new
from detector.distributed import partitions, rows, stored, tables
from detector.distributed.asking import Whole
from detector.distributed.folder import Folder
from detector.distributed.layout import Tell, name_of
from detector.distributed.partitions import Partition, partition_of, values_of
from detector.distributed.spreading import answered, carried_out, kept_or
from detector.settings.distributed import FAMILY_KEYS, FAMILY_PAIRS, FAMILY_PART, FAMILY_POSTING, ROW_GROUP


@dataclass(frozen=True, slots=True)
class Families:
    """Which shapes belong together.

    Shapes: shape[i] is of the family that its lowest shape family[i] stands for; shapes that are like no other one are
            of a family of their own, and only those of fewer than FAMILY_KEYS keys that count are not there.
            lower[j] and higher[j] are alike, ordered by both.
    """

    shape: Numbers
    family: Numbers
    lower: Numbers
    higher: Numbers
    left_out: float  # the share of postings whose keys too many shapes have


def families(whole: Whole, tell: Tell) -> Families:
    """Find the families of everything; what an earlier run has counted stays.

    Two shapes are alike if they share FAMILY_KEYS keys, and FAMILY_PART of those of the one that has fewer.
    """
    folder, of_postings = whole.folder, whole.manifest.of("postings")
    state = hashlib.sha256("".join(each.sha256 for each in of_postings).encode()).hexdigest()[:16]
    common: dict[str, Any] = {"folder": folder.address}
    orders = [
        {**common, "partition": values_of(each), "name": name_of(f"families/{state}/pairs", number)}
        for number, each in enumerate(of_postings)
    ]
    paired = carried_out(count_pairs, orders, whole.mapped, tell)
    written = [partition_of(each["partition"]) for each in paired]
    orders = [
        {
            **common,
            "pairs": [values_of(each) for each in written if each.rows and each.first < last and each.last >= first],
            "first": first,
            "last": last,
            "name": name_of(f"families/{state}/alike", number),
        }
        for number, (first, last) in enumerate(_ranges(whole, sum(each.rows for each in written)))
    ]
    summed = carried_out(add_up, orders, whole.mapped, tell)
    found = _read(folder, [partition_of(each["partition"]) for each in summed])
    left_out = sum(each["left_out"] for each in paired) / max(whole.manifest.rows("postings"), 1)
    return _connected(*found, left_out)


def _ranges(whole: Whole, pairs: int) -> Iterator[tuple[int, int]]:
    """Ranges of shapes with not many more than FAMILY_PAIRS pairs each, if pairs are spread evenly."""
    held = whole.manifest.of("shapes")
    count = max(sum(each.rows for each in held), 1)
    most = max(FAMILY_PAIRS * count // max(pairs, 1), 1)
    for place, each in enumerate(held):
        parts = -(-each.rows // most)
        last = held[place + 1].first if place + 1 < len(held) else each.last + 1
        ends = [each.first + (last - each.first) * part // parts for part in range(parts + 1)]
        yield from pairwise(ends)


# --- tasks ---------------------------------------------------------------------------------------------------


def count_pairs(table: pa.Table) -> pa.Table:
    """Tasks: count the keys of one partition that pairs of shapes share, and those that each shape has."""
    return answered(table, _count_pairs)


def add_up(table: pa.Table) -> pa.Table:
    """Tasks: add up what was counted of the pairs whose lower shape is within a range; keep what is enough."""
    return answered(table, _add_up)


def _count_pairs(order: dict[str, Any]) -> dict[str, Any]:
    folder, partition = Folder(order["folder"]), partition_of(order["partition"])
    with stored.opened(folder, partition) as reading:
        found = reading.table(range(reading.row_groups))
    key, shape = tables.numbers(found, "key"), tables.numbers(found, "shape")
    firsts = np.flatnonzero(is_new(key))
    sizes = np.diff(firsts, append=len(key))
    left_out = int(sizes[sizes > FAMILY_POSTING].sum())

    def write() -> list[Partition]:
        return [partitions.write(folder, "pairs", order["name"], _pairs(shape, firsts, sizes))]

    (written,), told = kept_or([order["name"]], folder, write)
    return {"partition": values_of(written), "left_out": left_out, "told": told}


def _pairs(shape: Numbers, firsts: Numbers, sizes: Numbers) -> Iterator[pa.Table]:
    """Pairs by the lower shape, and each shape with itself for its keys; some shapes at a time.

    firsts, sizes: of the runs of one key.
    """
    known = distinct(shape)
    local = np.searchsorted(known, shape)
    held = sizes[sizes <= FAMILY_POSTING]
    parts = max(int((held * (held + 1) // 2).sum()) // FAMILY_PAIRS, 1)
    ends = [len(known) * part // parts for part in range(parts + 1)]
    blocks = [local[firsts[sizes == size][:, None] + np.arange(size)] for size in range(1, FAMILY_POSTING + 1)]
    for first, last in pairwise(ends):
        found = [np.zeros(0, np.int64)]
        for block in blocks:
            if not len(block):
                continue
            for place in range(block.shape[1]):  # of the lower one
                lower = block[:, place]
                inside = (lower >= first) & (lower < last)
                if inside.any():
                    found.append((lower[inside, None] << 32 | block[inside, place:]).ravel())
        ordered = np.sort(np.concatenate(found))
        starts = np.flatnonzero(is_new(ordered))
        pair = ordered[starts]
        counts = np.diff(starts, append=len(ordered))
        columns = known[pair >> 32], known[pair & 0xFFFFFFFF], counts
        for begin in range(0, len(pair), ROW_GROUP):
            yield tables.table("pairs", *(column[begin : begin + ROW_GROUP] for column in columns))


def _add_up(order: dict[str, Any]) -> dict[str, Any]:
    folder = Folder(order["folder"])

    def write() -> list[Partition]:
        parts = [stored.within(folder, partition_of(each), order["first"], order["last"]) for each in order["pairs"]]
        held = pa.concat_tables([tables.TABLES["pairs"].empty_table(), *parts])
        one, other, shared = (tables.numbers(held, name) for name in held.schema.names)
        by_pair = np.lexsort((other, one))
        one, other, shared = one[by_pair], other[by_pair], shared[by_pair]
        starts = np.flatnonzero(is_new(one) | is_new(other))
        total = np.add.reduceat(shared, starts) if len(starts) else shared
        kept = total >= FAMILY_KEYS
        found = rows.sorted_by("pairs", one[starts][kept], other[starts][kept], total[kept])
        return [partitions.write(folder, "pairs", order["name"], tables.grouped("pairs", found))]

    (written,), told = kept_or([order["name"]], folder, write)
    return {"partition": values_of(written), "told": told}


# --- what is alike is connected ------------------------------------------------------------------------------


def _read(folder: Folder, partitions: list[Partition]) -> tuple[Numbers, Numbers, Numbers]:
    found = [tables.TABLES["pairs"].empty_table()]
    for partition in partitions:
        with stored.opened(folder, partition) as reading:
            found.append(reading.table(range(reading.row_groups)))
    whole = pa.concat_tables(found)
    return tables.numbers(whole, "shape"), tables.numbers(whole, "other"), tables.numbers(whole, "shared")


def _connected(one: Numbers, other: Numbers, shared: Numbers, left_out: float) -> Families:
    is_own = one == other
    by_shape = np.argsort(one[is_own], kind="stable")
    shapes, counts = one[is_own][by_shape], shared[is_own][by_shape]
    # What shares enough keys has enough of its own: both sides are there.
    left, right = (np.searchsorted(shapes, side[~is_own]) for side in (one, other))
    is_alike = shared[~is_own] >= FAMILY_PART * np.minimum(counts[left], counts[right])
    left, right = left[is_alike], right[is_alike]
    lower, higher = _distinct(shapes[left], shapes[right])
    return Families(shapes, shapes[components(len(shapes), left, right)], lower, higher, left_out)


def components(count: int, left: Numbers, right: Numbers) -> Numbers:
    """For each of so many things the lowest one that it is connected with.

    Source: Shiloach and Vishkin 1982: hook the higher root to the lower, then shorten the paths.
    """
    lowest = np.arange(count)
    while len(left):
        np.minimum.at(lowest, np.maximum(lowest[left], lowest[right]), np.minimum(lowest[left], lowest[right]))
        while not np.array_equal(shorter := lowest[lowest], lowest):
            lowest = shorter
        apart: npt.NDArray[np.bool_] = lowest[left] != lowest[right]
        left, right = left[apart], right[apart]
    return lowest


# --- where they stand ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """One family: how many different functions it has, and where."""

    family: int
    shapes: int
    functions: int  # in different files
    targets: int
    first: tuple[int, ...]  # targets, the first few


def standing(whole: Whole, found: Families, most: int, first: int = 5) -> list[Standing]:
    """The families that stand in most targets, those in one alone left out.

    Ties: more functions, then the lower shape.
    """
    of_packs: list[tuple[Numbers, Numbers]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    functions: Counter[int] = Counter()
    by_shape = np.argsort(found.shape, kind="stable")
    shapes, labels = found.shape[by_shape], found.family[by_shape]
    for partition in whole.manifest.of("functions"):
        with stored.opened(whole.folder, partition) as reading:
            held = reading.table(range(reading.row_groups))
        shape, pack = tables.numbers(held, "shape"), tables.numbers(held, "pack")
        places = np.searchsorted(shapes, shape)
        there = np.append(shapes, -1)[places] == shape
        label = labels[places[there]]
        functions.update(dict(zip(*(each.tolist() for each in np.unique(label, return_counts=True)), strict=True)))
        of_packs.append(_distinct(label, pack[there]))
    of_family = _distinct(*(np.concatenate(each) for each in zip(*of_packs, strict=True)))
    in_target = _targets(whole, *of_family)
    family, starts, counts = np.unique(in_target[0], return_index=True, return_counts=True)
    total = np.array([functions[each] for each in family.tolist()], np.int64)
    chosen = np.lexsort((family, -total, -counts))
    chosen = chosen[counts[chosen] > 1][:most]
    of_shapes = dict(zip(*(each.tolist() for each in np.unique(labels, return_counts=True)), strict=True))
    return [
        Standing(
            number := int(family[place]),
            of_shapes[number],
            functions[number],
            int(counts[place]),
            tuple(in_target[1][starts[place] : starts[place] + min(first, counts[place])].tolist()),
        )
        for place in chosen.tolist()
    ]


def _targets(whole: Whole, family: Numbers, pack: Numbers) -> tuple[Numbers, Numbers]:
    """Each family with each target that has it."""
    owned: list[tuple[Numbers, Numbers]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    by_pack = np.argsort(pack, kind="stable")
    family, pack = family[by_pack], pack[by_pack]
    for partition in whole.manifest.of("owners"):
        with stored.opened(whole.folder, partition) as reading:
            held = reading.table(range(reading.row_groups))
        owner, target = tables.numbers(held, "pack"), tables.numbers(held, "target")
        begins, ends = np.searchsorted(pack, owner), np.searchsorted(pack, owner, "right")
        lengths = ends - begins
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        owned.append(_distinct(family[np.repeat(begins, lengths) + within], np.repeat(target, lengths)))
    return _distinct(*(np.concatenate(each) for each in zip(*owned, strict=True)))


def _distinct(one: Numbers, other: Numbers) -> tuple[Numbers, Numbers]:
    by_both = np.lexsort((other, one))
    one, other = one[by_both], other[by_both]
    kept = is_new(one) | is_new(other)
    return one[kept], other[kept]
