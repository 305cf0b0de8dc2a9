"""Measure partitions on Ray against one index in SQLite on the same machine: `python -m bench.distributed`.

Both hold the index of a million functions of `bench.index`, which is made first if it is not there. What is asked of
them is equal or it is a defect; both times are told. CPU is that of the same tasks done one after the other in one
process: what a cluster pays, however many machines share it.
"""

from __future__ import annotations

import resource
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench import index as bench_index
from bench.process import MAXRSS_UNIT, in_fresh_process
from bench.section import Demand, megabytes, print_section, section, table
from bench.wheels import wheel
from detector.code.background import background
from detector.code.sketch import Sketches, questions
from detector.code.sorting import Numbers, distinct, is_new
from detector.distributed import asking, building, querying, tables
from detector.distributed.families import Families, families
from detector.distributed.folder import Folder
from detector.distributed.layout import Manifest
from detector.distributed.spreading import partition
from detector.distributed.tasks import Mapped, here, on_ray
from detector.index import choosing, postings
from detector.index.candidates import Candidates, candidates
from detector.index.store import open_index
from detector.settings.distributed import FAMILY_KEYS, FAMILY_PART, FAMILY_POSTING
from detector.settings.index import SHAPES_PER_FUNCTION
from detector.settings.postings import SHAPE_BITS

PROCESSORS = 2
SUSPECTS = 8
TRANSACTIONS = 200  # in which an index of a million functions is made
FEW = 256
HELD = 1_000  # functions whose pairs are held against what one index says, asked one by one
LOWERED = ("timm==0.9.16", "vit-pytorch==1.6.5", "accelerate==1.15.0", "DI-engine==0.5.3")
TABLES = ("postings", "shapes", "functions", "packs", "owners", "targets", "places", "skipped")
LABEL = "distributed"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Took:
    """How long something takes."""

    wall: float
    cpu: float
    peak: int  # bytes that the process has held, before or then

    def told(self) -> str:
        """To be read."""
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of CPU)"


@dataclass(frozen=True, slots=True)
class Lowered:
    """What making partitions straight from targets costs."""

    functions: int
    targets: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch of suspects: what it took, how many functions and candidates, and whether both gave the same."""

    sqlite: Took
    here: Took
    few: Took  # the same for a few functions, whose keys lie everywhere: what reading all postings takes
    ray: float
    functions: int
    candidates: int
    targets: int
    is_equal: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """Everything against everything."""

    here: Took
    ray: float
    shapes: int
    pairs: int
    families: int
    largest: int
    left_out: float
    held: int  # pairs that one index gives for HELD functions
    is_equal: bool


def timed(do: Callable[[], T]) -> tuple[T, Took]:
    """Do something in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = do()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
    return found, Took(time.perf_counter() - wall, time.process_time() - cpu, peak)


def on_two(do: Callable[[Mapped], T]) -> tuple[T, float]:
    """Do something on Ray; beginning it is not counted, nor the start of its processes."""
    with on_ray(PROCESSORS) as mapped:
        list(mapped(asking.plain, [tables.TABLES["postings"].empty_table()] * PROCESSORS))
        started = time.perf_counter()
        found = do(mapped)
        return found, time.perf_counter() - started


def tell(line: str) -> None:
    """Say what a run says."""
    print(line, file=sys.stderr)


# --- writing -------------------------------------------------------------------------------------------------


def post_again(known: Path, path: Path) -> Took:
    """Post everything that an index has posted into another one, in as many transactions as it was made in."""
    with open_index(known) as index:
        held = np.concatenate(list(postings.chunks(index.connection)))
    shapes = (held & np.uint64((1 << SHAPE_BITS) - 1)).astype(np.int64)
    by_shape = np.argsort(shapes, kind="stable")
    ends = len(held) * np.arange(TRANSACTIONS + 1) // TRANSACTIONS

    def post() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            postings.create(connection)
            for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
                part = by_shape[first:last]
                connection.execute("BEGIN")
                postings.insert(connection, held[part] >> np.uint64(SHAPE_BITS), shapes[part])
                connection.execute("COMMIT")
            connection.execute("BEGIN")
            postings.settle(connection)
            connection.execute("COMMIT")

    return timed(post)[1]


def write_here(known: Path, folder: Path) -> tuple[Manifest, Took]:
    """Write partitions, one after the other."""
    return timed(lambda: partition(Folder(str(folder)), known, here, tell))


def write_on_ray(known: Path, folder: Path) -> tuple[Manifest, float]:
    """Write partitions, two at a time."""
    return on_two(lambda mapped: partition(Folder(str(folder)), known, mapped, tell))


def lower(cache: Path, folder: Path) -> Lowered:
    """Make partitions straight from packages."""
    named = [str(wheel(cache, requirement)) for requirement in LOWERED]
    background()  # its table is read once
    (found, _), took = timed(lambda: building.build(Folder(str(folder)), named, here, tell))
    return Lowered(found.rows("functions"), found.rows("targets"), took.cpu)


# --- asking --------------------------------------------------------------------------------------------------


def suspects(cache: Path) -> list[Sketches]:
    """What is asked of some suspects: functions that somebody might have copied and changed."""
    real = [bench_index.read(cache, requirement) for requirement in bench_index.AROUND[:1]]
    return [questions(each) for each in bench_index.corpora(real, bench_index.ASKED, SUSPECTS)]


def ask(cache: Path, known: Path, folder: Path) -> Asked:
    """Ask both of the same suspects."""
    asked = suspects(cache)
    with open_index(known) as index:

        def of_index() -> list[tuple[Candidates, choosing.Chosen]]:
            return [_chosen(index.connection, each) for each in asked]

        expected, sqlite_took = timed(of_index)
    whole = querying.opened(str(folder), here)
    found, here_took = timed(lambda: querying.choose(whole, asked))
    _, few = timed(lambda: querying.choose(whole, [asked[0].part(0, FEW)]))
    _, ray = on_two(lambda mapped: querying.choose(querying.opened(str(folder), mapped), asked))
    of_whole = [asking.candidates(whole, each, SHAPES_PER_FUNCTION) for each in asked]
    is_equal = found == [chosen for _, chosen in expected] and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for one, (other, _) in zip(of_whole, expected, strict=True)
        for name in ("function", "shape", "shared")
    )
    return Asked(
        sqlite_took,
        here_took,
        few,
        ray,
        sum(len(each.offsets) - 1 for each in asked),
        sum(len(each.shape) for each, _ in expected),
        sum(len(each.targets) for _, each in expected),
        is_equal,
    )


def _chosen(connection: sqlite3.Connection, asked: Sketches) -> tuple[Candidates, choosing.Chosen]:
    found = candidates(connection, asked, SHAPES_PER_FUNCTION)
    return found, choosing.of_candidates(connection, found)


# --- everything against everything ---------------------------------------------------------------------------


def join_here(folder: Path, known: Path) -> tuple[Families, Took, int, bool]:
    """Find families in one process, and hold some of the pairs against what the index says of them."""
    found, took = timed(lambda: families(querying.opened(str(folder), here), tell))
    drawn = np.sort(np.random.default_rng(44).choice(found.shape, HELD, replace=False))
    with open_index(known) as index:
        expected = pairs_of(index.connection, drawn)
    inside = np.isin(found.lower, drawn) | np.isin(found.higher, drawn)
    told = set(zip(found.lower[inside].tolist(), found.higher[inside].tolist(), strict=True))
    return found, took, len(expected), told == expected


def join_on_ray(folder: Path) -> tuple[Families, float]:
    """Find families, two tasks at a time."""
    return on_two(lambda mapped: families(querying.opened(str(folder), mapped), tell))


def pairs_of(connection: sqlite3.Connection, drawn: Numbers) -> set[tuple[int, int]]:
    """The pairs of some shapes, by asking an index for every key that they have, and then for those of the others."""
    of_drawn = _keys(connection, drawn)
    beside = distinct(
        np.concatenate([np.zeros(0, np.int64), *(_behind(connection, each) for each in of_drawn.values())])
    )
    every = _keys(connection, distinct(np.concatenate([drawn, beside])))
    behind = {key: 0 for keys in every.values() for key in keys}
    asked = np.array(sorted(behind), np.uint64)
    counts = postings.lookup(connection, asked, common=True).counts
    rare = set(asked[counts <= FAMILY_POSTING].tolist())
    counted = {shape: keys & rare for shape, keys in every.items()}
    found = set()
    for one in drawn.tolist():
        for other in set(_behind(connection, counted[one] or {0}).tolist()) - {one}:
            shared = len(counted[one] & counted[other])
            if shared >= max(FAMILY_KEYS, FAMILY_PART * min(len(counted[one]), len(counted[other]))):
                found.add((min(one, other), max(one, other)))
    return found


def _behind(connection: sqlite3.Connection, keys: set[int]) -> Numbers:
    asked = np.array(sorted(keys), np.uint64)
    found = postings.lookup(connection, asked, common=True)
    return distinct(found.shapes(np.flatnonzero(found.counts <= FAMILY_POSTING))[1])


def _keys(connection: sqlite3.Connection, shapes: Numbers) -> dict[int, set[int]]:
    """The keys of some shapes: all postings are read for it."""
    wanted = np.zeros(int(shapes.max()) + 1, bool)
    wanted[shapes] = True
    keys: dict[int, set[int]] = {shape: set() for shape in shapes.tolist()}
    for part in postings.chunks(connection):
        owners = (part & np.uint64((1 << SHAPE_BITS) - 1)).astype(np.int64)
        inside = np.flatnonzero(owners < len(wanted))
        inside = inside[wanted[owners[inside]]]
        for owner, key in zip(owners[inside].tolist(), (part[inside] >> np.uint64(SHAPE_BITS)).tolist(), strict=True):
            keys[owner].add(key)
    return keys


# --- the section ---------------------------------------------------------------------------------------------


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Everything, each part in a process of its own."""
    known = bench_index.million(work)
    if not known.exists():
        tell("  the index of a million functions is made first")
        in_fresh_process(bench_index.measure_whole, cache, work)
    place = work / "distributed"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with open_index(known) as index:
        functions = index.info().functions
    lowered = in_fresh_process(lower, cache, place / "lowered")
    posted = in_fresh_process(post_again, known, place / "postings.db")
    whole, here_took = in_fresh_process(write_here, known, place / "here")
    on_both, ray_took = in_fresh_process(write_on_ray, known, place / "ray")
    asked = in_fresh_process(ask, cache, known, place / "ray")
    found, join_took, held, is_equal = in_fresh_process(join_here, place / "here", known)
    on_ray_found, join_ray = in_fresh_process(join_on_ray, place / "ray")
    sizes = np.diff(np.flatnonzero(is_new(np.sort(found.family))), append=len(found.family))
    joined = Joined(
        join_took,
        join_ray,
        len(found.shape),
        len(found.lower),
        len(sizes),
        int(sizes.max()),
        found.left_out,
        held,
        is_equal and np.array_equal(found.family, on_ray_found.family),
    )
    blocks = [
        times(whole, posted, (here_took, ray_took), asked, joined),
        size_table(whole, known, functions),
        costs(lowered, whole, here_took, asked, joined, functions),
    ]
    demands = list(of_all(whole, on_both, asked, joined, functions))
    shutil.rmtree(place)
    return demands, blocks


def of_all(whole: Manifest, on_both: Manifest, asked: Asked, joined: Joined, functions: int) -> Iterator[Demand]:
    """What must be equal."""
    yield Demand(
        f"partitions of {functions:,} functions written by tasks on Ray and one after the other",
        "the same bytes",
        "the same" if whole.partitions == on_both.partitions else "others",
        whole.partitions == on_both.partitions,
    )
    yield Demand(
        f"candidates and targets of {SUSPECTS} suspects with {asked.functions:,} functions, in partitions and SQLite",
        "equal, in the same order",
        f"{asked.candidates:,} candidates, {asked.targets:,} targets, " + ("equal" if asked.is_equal else "not equal"),
        asked.is_equal,
    )
    yield Demand(
        f"pairs of all {joined.shapes:,} different functions that share their keys, held for {HELD:,} of them against "
        "SQLite, asked for each",
        "equal",
        f"{joined.pairs:,} pairs, of which {joined.held:,} are held, " + ("equal" if joined.is_equal else "not equal"),
        joined.is_equal and joined.held > 0,
    )


def times(whole: Manifest, posted: Took, written: tuple[Took, float], asked: Asked, joined: Joined) -> str:
    """Both times."""
    rows = [
        (f"posting {whole.rows('postings'):,} keys in {TRANSACTIONS} transactions", posted.told(), "", ""),
        ("writing everything from an index", "", written[0].told(), f"{written[1]:.1f} s"),
        (f"asking for {asked.functions:,} functions", asked.sqlite.told(), asked.here.told(), f"{asked.ray:.1f} s"),
        ("everything against everything", "", joined.here.told(), f"{joined.ray:.1f} s"),
    ]
    return table(("", "SQLite", "partitions, one process", f"partitions, Ray with {PROCESSORS} processors"), rows)


def size_table(whole: Manifest, known: Path, functions: int) -> str:
    """Bytes of each table."""
    rows = [
        (name, f"{whole.rows(name):,}", megabytes(whole.size_bytes(name)), f"{whole.size_bytes(name) / functions:.1f}")
        for name in TABLES
    ]
    total = sum(each.size_bytes for each in whole.partitions)
    rows.append(("all", "", megabytes(total), f"{total / functions:.1f}"))
    size = known.stat().st_size
    rows.append(("the index in SQLite", "", megabytes(size), f"{size / functions:.1f}"))
    return table(("table", "rows", "bytes", "for each function"), rows)


def costs(lowered: Lowered, whole: Manifest, written: Took, asked: Asked, joined: Joined, functions: int) -> str:
    """What a million functions cost."""
    per = 1e6 / functions
    each = max(asked.here.cpu - asked.few.cpu, 0.0) / (asked.functions - FEW)
    postings_read = asked.few.cpu / whole.rows("postings") * 1e6
    rows = [
        (
            f"reading, lowering and filing targets, of {lowered.functions:,} functions in {lowered.targets} packages",
            f"{lowered.cpu / lowered.functions * 1e6:,.0f} s",
        ),
        ("writing what is filed as partitions", f"{written.cpu * per:,.0f} s"),
        ("one round of questions: reading the postings, for each million of these", f"{postings_read:.3f} s"),
        ("ranking what is behind the keys of a million functions of suspects", f"{each * 1e6:,.0f} s"),
        ("everything against everything", f"{joined.here.cpu * per:,.0f} s"),
        ("keys of a different function", f"{whole.rows('postings') / whole.rows('shapes'):.1f}"),
        ("postings whose keys too many functions have for families", f"{joined.left_out:.1%}"),
        ("families; different functions of the largest", f"{joined.families:,}; {joined.largest:,}"),
        ("partitions", f"{len(whole.partitions):,}"),
        (
            "largest process: writing; everything against everything",
            f"{megabytes(written.peak)}; {megabytes(joined.here.peak)}",
        ),
    ]
    return table(("of a million functions", "CPU"), rows)


def report(cache: Path, work: Path) -> str:
    """The section."""
    demands, blocks = measure(cache, work)
    how = (
        f"Parquet and Ray Data with {PROCESSORS} processors against SQLite, the same million functions on one machine."
    )
    return section(LABEL, "partitions on Ray", how, demands, *blocks)


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print the section."""
    return print_section(LABEL, __doc__, report, given)


if __name__ == "__main__":
    sys.exit(main())
