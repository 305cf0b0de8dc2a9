"""Measure the index of what is known: what it finds, how large it is, how fast: `python -m bench.index`.

Recall:  packages disguised as in `bench.quality`. Scoring exhaustively, `detector.evidence.code` believes a reference
         function for each of a suspect's functions; how many of these are among the candidates that the index gives
         for it, with the functions of other packages around?
Speed:   an index of a million functions: real ones, of each of which a share of the shingles is replaced, as often as
         it takes. Functions a CPU second, and the same rows posted into a table of SQLite for comparison.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench import made_index, quality
from bench.disguise import LEVELS
from bench.made_index import Filed
from bench.process import in_fresh_process
from bench.section import Demand, megabytes, print_section, section, table
from bench.wheels import python_files, wheel
from detector.code.background import background
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, View, assembled
from detector.code.shingle import Shingles, mix
from detector.code.signatures import Signatures, signatures
from detector.code.sketch import Sketches, questions, sketches
from detector.code.sorting import Hashes, Numbers, grouped
from detector.evidence import code
from detector.index import postings
from detector.index.candidates import candidates
from detector.index.store import open_index
from detector.settings import FEWEST_REPORT_SHINGLES
from detector.settings.hook import MOST_SHAPES

# Functions around those that are looked for; no package that is disguised is among them, a later version of one is.
AROUND = ("transformers==4.57.3", "diffusers==0.42.1", "keras==3.15.1")
# Packages of the whole index that are what they are; the others are made of those around.
REAL = (*AROUND, "timm==0.9.16", "vit-pytorch==1.6.5", "accelerate==1.15.0", "DI-engine==0.5.3")
FEWEST_AROUND = 60_000
CANDIDATES = 48
LEAST_RECALL = 0.99
SMALL = 6  # own shingles: what has fewer is told by itself
BAND_LAYOUTS = ((32, 4), (16, 8))

FUNCTIONS = 1_000_000
TARGETS = 200
REPLACED = 0.3  # of the shingles of a function: about what tells versions and siblings of one function apart
ASKED = 16_384  # functions of a batch
HOOK_FILES = 20
HOOK_FUNCTIONS = 200
HOOK_TIMES = 15
HOOK_RUNS = 5
TABLED_TARGETS = 10  # of the rows that are posted into a table for comparison: 50,000 functions
MOST_INDEX_BYTES = 1_000_000_000
LEAST_FILED = 20_000
MOST_BYTES = 250  # a function, of postings; the rest of a gigabyte is for what functions hold
LEAST_BUILT = 40_000  # a CPU second: half of the time that an index may take in all
LEAST_ASKED = 8_000
MOST_HOOK_SECONDS = 0.010
LABEL = "index"


# --- recall ---


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the believed matches of one disguise are candidates."""

    level: str
    found: int
    total: int
    found_small: int
    total_small: int
    in_bands: tuple[float, ...]  # share of all that have a band of MinHash in common, by layout

    @property
    def of_large(self) -> float:
        """Functions of SMALL shingles and more."""
        return self.found / max(self.total, 1)

    @property
    def of_all(self) -> float:
        """All functions."""
        return (self.found + self.found_small) / max(self.total + self.total_small, 1)


@dataclass(frozen=True, slots=True)
class Believed:
    """Matches that scoring exhaustively believes, of one disguised package."""

    suspect: Corpus
    functions: Numbers
    references: Numbers


def measure_recall(cache: Path, work: Path) -> tuple[int, list[Recall]]:
    """Post the originals and what is around them, and look the disguised functions up.

    Returns: how many functions are around, and the recall at each level.
    """
    around = assembled([read(cache, requirement) for requirement in AROUND])
    originals = [quality.original_files(cache, package) for package in quality.PACKAGES]
    read_originals = [quality.corpus(files) for files in originals]
    everything = assembled([*read_originals, around])
    starts = np.cumsum([0, *(len(each.spans) for each in read_originals)])
    firsts, shapes = grouped(contents(everything))
    recalls = []
    with closing(sqlite3.connect(":memory:")) as connection:
        postings.create(connection)
        posted = sketches(everything)
        post(connection, posted, np.where(firsts[shapes] == np.arange(len(shapes)), shapes, -1))
        for level in LEVELS:
            found = []
            for number, package in enumerate(quality.PACKAGES):
                disguised = quality.specimen(work, package, level).files
                best = believed(disguised, originals[number], read_originals[number])
                found.append((best, shapes[starts[number] + best.references], read_originals[number]))
            recalls.append(recall(connection, level, found))
    return len(around.spans), recalls


def believed(suspect: quality.Files, reference: quality.Files, theirs: Corpus) -> Believed:
    """Score everything; the pairs that are believed."""
    ours = quality.corpus(suspect)
    mine, other = (lambda path, files=files: files[path].encode() for files in (suspect, reference))
    likeness = code.find([ours], [theirs], code.Gate(), [(mine, other)]).likenesses[0]
    chosen = likeness.chosen[likeness.is_believed]
    return Believed(ours, likeness.pairs.suspect[chosen], likeness.pairs.reference[chosen])


def recall(connection: sqlite3.Connection, level: str, found: Sequence[tuple[Believed, Numbers, Corpus]]) -> Recall:
    """Hold the candidates against believed matches, given as shapes."""
    hits, is_small = [], []
    in_bands: list[list[np.ndarray]] = [[] for _ in BAND_LAYOUTS]
    for best, shapes, theirs in found:
        given = candidates(connection, questions(best.suspect), CANDIDATES)
        width = 1 << 32
        hits.append(np.isin(best.functions * width + shapes, given.function * width + given.shape))
        is_small.append(np.diff(best.suspect.shingles.offsets)[best.functions] < SMALL)
        ours, others = signatures(best.suspect.shingles), signatures(theirs.shingles)
        for layout, shares in zip(BAND_LAYOUTS, in_bands, strict=True):
            one, other = banded(ours[best.functions], layout), banded(others[best.references], layout)
            shares.append((one == other).all(axis=2).any(axis=1))
    hit, small = np.concatenate(hits), np.concatenate(is_small)
    return Recall(
        level,
        int(hit[~small].sum()),
        int((~small).sum()),
        int(hit[small].sum()),
        int(small.sum()),
        tuple(float(np.concatenate(shares).mean()) for shares in in_bands),
    )


def banded(signatures_: Signatures, layout: tuple[int, int]) -> Signatures:
    """Signatures cut into so many bands of so many values."""
    many, rows = layout
    return signatures_[:, : many * rows].reshape(len(signatures_), many, rows)


def read(cache: Path, requirement: str, *, wordings: bool = False) -> Corpus:
    """A published package."""
    files = python_files(wheel(cache, requirement))
    return read_corpus(files, [file.path for file in files], wordings=wordings)


def contents(corpus: Corpus) -> Hashes:
    """A hash of what each function holds, over its views."""
    found = mix(corpus.shingles.sums())
    for number, (shingles, functions) in enumerate(corpus.views, 1):
        found[functions] += mix(shingles.sums() + np.uint64(number))
    return mix(found)


# --- a million functions ---


def corpora(real: Sequence[Corpus], functions: int, targets: int) -> Iterator[Corpus]:
    """Real functions, of each of which some shingles are replaced, in so many targets."""
    size = functions // targets
    files = made_files(real)
    for _ in range(targets):
        held: list[Corpus] = []
        while (have := sum(len(each.spans) for each in held)) < size:
            file = next(files)
            held.append(file.part(0, min(len(file.spans), size - have)))
        yield assembled(held)


def made_files(real: Sequence[Corpus]) -> Iterator[Corpus]:
    """Files that differ from real ones in some shingles of every function, without end."""
    for number in count(1):
        for corpus in real:
            yield from (
                file.at(f"made_{number}/{path}", file.spans[0].role)
                for path, file in replaced(corpus, number).by_file()
            )


def replaced(corpus: Corpus, number: int) -> Corpus:
    """Replace a share of every function's shingles, the same ones in each of its views."""

    def some(shingles: Shingles, functions: Numbers) -> Shingles:
        owners = np.repeat(functions, np.diff(shingles.offsets)).astype(np.uint64)
        drawn = mix(shingles.hashes ^ mix(owners + np.uint64(number) * np.uint64(1 << 32)))
        is_replaced = drawn < np.uint64(int(REPLACED * 2**64))
        return replace(shingles, hashes=np.where(is_replaced, mix(drawn), shingles.hashes))

    expanded, blind, both = (View(some(shingles, functions), functions) for shingles, functions in corpus.views)
    own = some(corpus.shingles, np.arange(len(corpus.spans)))
    return replace(corpus, shingles=own, expanded=expanded, blind=blind, blind_expanded=both)


@dataclass(frozen=True, slots=True)
class Built:
    """What an index of many functions cost."""

    functions: int
    keys: int
    size_bytes: int
    sketch_seconds: float
    post_seconds: float
    runs: int

    @property
    def rate(self) -> float:
        """Functions a CPU second."""
        return self.functions / (self.sketch_seconds + self.post_seconds)


def build(path: Path, targets: Iterator[Corpus]) -> Built:
    """Sketch and post target by target, each in a transaction of its own; lowering is not part of it."""
    functions = keys = 0
    sketching = posting = 0.0
    with closing(connect(path)) as connection:
        postings.create(connection)
        for corpus in targets:
            started = time.process_time()
            found = sketches(corpus)
            sketched = time.process_time()
            connection.execute("BEGIN")
            post(connection, found, functions + np.arange(len(corpus.spans)))
            connection.execute("COMMIT")
            posting += time.process_time() - sketched
            sketching += sketched - started
            functions += len(corpus.spans)
            keys += len(found.keys)
        started = time.process_time()
        connection.execute("BEGIN")
        postings.settle(connection)
        connection.execute("COMMIT")
        posting += time.process_time() - started
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        runs = connection.execute("SELECT count(*) FROM posting_run").fetchone()[0]
    return Built(functions, keys, path.stat().st_size, sketching, posting, runs)


def connect(path: Path) -> sqlite3.Connection:
    """Open a file as an index is opened."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def post(connection: sqlite3.Connection, found: Sketches, shapes: Numbers) -> None:
    """Post the keys of functions under numbers; those with a negative one are left out."""
    numbers = np.repeat(shapes, np.diff(found.offsets))
    postings.insert(connection, found.keys[numbers >= 0], numbers[numbers >= 0])


def tabled(path: Path, targets: Iterator[Corpus]) -> float:
    """Seconds of posting a function as plain rows of a table, without sketching."""
    spent, functions = 0.0, 0
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE posting(key INTEGER, shape INTEGER, PRIMARY KEY(key, shape)) WITHOUT ROWID")
        for corpus in targets:
            found = sketches(corpus)
            numbers = np.repeat(functions + np.arange(len(corpus.spans)), np.diff(found.offsets))
            started = time.process_time()
            connection.execute("BEGIN")
            rows = zip(found.keys.astype(np.int64).tolist(), numbers.tolist(), strict=True)
            connection.executemany("INSERT OR IGNORE INTO posting VALUES (?, ?)", rows)
            connection.execute("COMMIT")
            spent += time.process_time() - started
            functions += len(corpus.spans)
    return spent / functions


@dataclass(frozen=True, slots=True)
class Asked:
    """What looking functions up cost."""

    functions: int
    candidates: int
    seconds: float


def ask(path: Path, real: Sequence[Corpus]) -> Asked:
    """Look up a batch of functions."""
    background()  # its table is read once
    others = next(corpora([real[0]], ASKED, 1))
    with closing(connect(path)) as connection:
        started = time.process_time()
        given = candidates(connection, questions(others), CANDIDATES)
        spent = time.process_time() - started
    return Asked(len(others.spans), len(given.shape), spent)


def pages(path: Path, many: int) -> float:
    """Seconds of reading so many pages of a file, each somewhere else: what no way of looking up goes below."""
    size = 4096
    places = np.random.default_rng(1).integers(0, path.stat().st_size // size, many) * size
    with path.open("rb", buffering=0) as file:
        started = time.process_time()
        for place in np.sort(places).tolist():
            file.seek(place)
            file.read(size)
        return time.process_time() - started


def changes(real: Sequence[Corpus]) -> Iterator[Corpus]:
    """Changes of HOOK_FILES files with about HOOK_FUNCTIONS functions."""
    most = HOOK_FUNCTIONS // HOOK_FILES
    files = (file for file in made_files(real) if len(file.spans) >= most)
    while True:
        yield assembled([file.part(0, most) for file in islice(files, HOOK_FILES)])


@dataclass(frozen=True, slots=True)
class Whole:
    """What a whole index cost, and asking it what a hook asks first: of a change its functions that may stand alone."""

    filed: Filed
    functions: int  # of a change that are asked for, and their keys: medians over changes
    keys: int
    seconds: float  # of CPU, opening it and looking up the functions of a change: median over changes
    first_seconds: float  # the same, before anything else was asked
    all_seconds: float  # of all functions of a change, which a hook asks for beside a proven link
    pages_seconds: float  # of reading as many pages as keys are looked up


def measure_speed(cache: Path, work: Path) -> tuple[Built, float, Asked]:
    """Post the keys of FUNCTIONS, and into a table for comparison, and ask."""
    real = [read(cache, requirement) for requirement in AROUND]
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work) as name:
        path = Path(name).absolute() / "known.db"
        built = build(path, corpora(real, FUNCTIONS, TARGETS))
        plain = tabled(path.with_name("table.db"), islice(corpora(real, FUNCTIONS, TARGETS), TABLED_TARGETS))
        return built, plain, ask(path, real)


def million(work: Path) -> Path:
    """Where the index of FUNCTIONS is kept, for whoever measures something else with it."""
    return work / "index" / "million.db"


def measure_whole(cache: Path, work: Path) -> Whole:
    """Build a whole index of FUNCTIONS around real ones, and ask it as a hook does."""
    path = million(work)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    add = [sys.executable, "-m", "detector", "index", "add", "--index", str(path), "--quiet"]
    subprocess.run([*add, *(str(wheel(cache, requirement)) for requirement in REAL)], check=True)
    with open_index(path) as index:
        there = sum(target.functions for target in index.targets())
    real = [read(cache, requirement, wordings=True) for requirement in AROUND]
    filed = made_index.build(path, corpora(real, FUNCTIONS - there, TARGETS))
    background()  # its table is read once
    counts, keys, times, of_all = [], [], [], []
    for changed in islice(changes(real), HOOK_TIMES):
        large = np.flatnonzero(np.diff(changed.shingles.offsets) >= FEWEST_REPORT_SHINGLES)
        everything = questions(changed)
        asked = everything.of(large)
        counts.append(len(large))
        keys.append(len(np.unique(asked.keys)))
        times.append([looked_up(path, asked) for _ in range(HOOK_RUNS)])
        of_all.append(min(looked_up(path, everything) for _ in range(HOOK_RUNS)))
    found = np.array(times)
    return Whole(
        filed,
        int(np.median(counts)),
        int(np.median(keys)),
        float(np.median(found.min(axis=1))),
        float(found[0, 0]),
        float(np.median(of_all)),
        pages(path, int(np.median(keys))),
    )


def looked_up(path: Path, asked: Sketches) -> float:
    """CPU seconds of opening an index and looking up keys in it."""
    started = time.process_time()
    with open_index(path) as index:
        candidates(index.connection, asked, MOST_SHAPES)
    return time.process_time() - started


# --- the section ---


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Everything, recall and speed each in a process of its own."""
    quality.prepare(cache, work, quality.PACKAGES, LEVELS)
    around, recalls = in_fresh_process(measure_recall, cache, work)
    built, plain, asked = in_fresh_process(measure_speed, cache, work)
    whole = in_fresh_process(measure_whole, cache, work)
    demands = [*of_recall(around, recalls), *of_whole(whole), *of_speed(built, plain, asked)]
    return demands, [recall_table(recalls), cost_table(built, plain, asked)]


def of_recall(around: int, recalls: Sequence[Recall]) -> Iterator[Demand]:
    """What must be found."""
    yield Demand("functions of other packages around", f">= {FEWEST_AROUND:,}", f"{around:,}", around >= FEWEST_AROUND)
    sides: tuple[tuple[str, Callable[[Recall], float]], ...] = (
        (f"of {SMALL} and more shingles", lambda each: each.of_large),
        ("of any size", lambda each: each.of_all),
    )
    for what, share in sides:
        yield Demand(
            f"believed matches of functions {what} that are among {CANDIDATES} candidates, "
            + " / ".join(each.level for each in recalls),
            f">= {LEAST_RECALL} each",
            " / ".join(f"{share(each):.4f}" for each in recalls),
            all(share(each) >= LEAST_RECALL for each in recalls),
        )


def of_whole(whole: Whole) -> Iterator[Demand]:
    """What an index may cost."""
    filed = whole.filed
    size = million_bytes(filed)
    yield Demand(
        f"size of an index of a million functions, packs, places and postings, by {filed.functions:,} in "
        f"{filed.targets} targets",
        f"<= {megabytes(MOST_INDEX_BYTES)}",
        f"{megabytes(size)} ({filed.bytes_each:.0f} bytes a function)",
        size <= MOST_INDEX_BYTES,
    )
    yield Demand(
        "functions filed in a CPU second, once they are lowered",
        f">= {LEAST_FILED:,}",
        f"{filed.rate:,.0f}",
        filed.rate >= LEAST_FILED,
    )
    yield Demand(
        f"CPU of opening it and looking up what a hook asks first of {HOOK_FUNCTIONS} functions in {HOOK_FILES} files",
        f"<= {MOST_HOOK_SECONDS * 1000:.0f} ms",
        f"{whole.seconds * 1000:.1f} ms for {whole.keys:,} keys of {whole.functions} functions (median of "
        f"{HOOK_TIMES} changes, the least of {HOOK_RUNS} runs each; the very first took "
        f"{whole.first_seconds * 1000:.1f} ms); all {HOOK_FUNCTIONS} take {whole.all_seconds * 1000:.1f} ms; "
        f"reading as many single pages of the file takes {whole.pages_seconds * 1000:.1f} ms",
        whole.seconds <= MOST_HOOK_SECONDS,
    )


def million_bytes(filed: Filed) -> int:
    """What a million functions take at this rate."""
    return int(filed.bytes_each * 1_000_000)


def of_speed(built: Built, plain: float, asked: Asked) -> Iterator[Demand]:
    """What it may cost."""
    size = built.size_bytes / built.functions
    yield Demand(
        f"bytes of postings a function, of {built.functions:,}", f"<= {MOST_BYTES}", f"{size:.0f}", size <= MOST_BYTES
    )
    yield Demand(
        f"functions sketched and posted in a CPU second, in {TARGETS} transactions",
        f">= {LEAST_BUILT:,}",
        f"{built.rate:,.0f}; posting alone takes {built.post_seconds / built.functions / plain:.2f} of what plain rows "
        f"of a table take in the first {TABLED_TARGETS} transactions",
        built.rate >= LEAST_BUILT,
    )
    rate = asked.functions / asked.seconds
    yield Demand(
        "functions looked up in a CPU second, batched", f">= {LEAST_ASKED:,}", f"{rate:,.0f}", rate >= LEAST_ASKED
    )


def recall_table(recalls: Sequence[Recall]) -> str:
    """Levels, and what MinHash alone would find."""
    header = (
        "level",
        f"of {SMALL} and more shingles",
        "smaller",
        "of all",
        *(f"MinHash, {b} bands of {r}" for b, r in BAND_LAYOUTS),
    )
    rows = [
        (
            each.level,
            f"{each.found:,} of {each.total:,}",
            f"{each.found_small:,} of {each.total_small:,}",
            f"{each.of_all:.4f}",
            *(f"{share:.4f}" for share in each.in_bands),
        )
        for each in recalls
    ]
    return table(header, rows)


def cost_table(built: Built, plain: float, asked: Asked) -> str:
    """What the figures are made of."""
    per = 1e6 / built.functions
    rows = [
        ("keys of a function", f"{built.keys / built.functions:.1f}"),
        ("size of all postings", megabytes(built.size_bytes)),
        ("runs", built.runs),
        ("sketching a function", f"{built.sketch_seconds * per:.1f} us"),
        ("posting a function", f"{built.post_seconds * per:.1f} us"),
        ("the same into a table of SQLite", f"{plain * 1e6:.1f} us"),
        ("candidates of a function", f"{asked.candidates / asked.functions:.1f}"),
    ]
    return table(("what", "measured"), rows)


def report(demands: Sequence[Demand], blocks: Sequence[str]) -> str:
    """Write the section."""
    how = (
        f"Recall: {', '.join(each.requirement for each in quality.PACKAGES)} disguised as in `quality`, among "
        f"{', '.join(AROUND)}. What `evidence.code` believes of suspect and original alone is to be among the "
        f"{CANDIDATES} candidates of each function. MinHash: the share of all that have a band in common, with any "
        f"number of candidates. Speed: {FUNCTIONS:,} functions, real ones with {REPLACED:.0%} of the shingles of each "
        f"replaced, in {TARGETS} targets."
    )
    return section(LABEL, "what is known, and how it is found", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section(LABEL, __doc__, lambda cache, work: report(*measure(cache, work)), arguments)


if __name__ == "__main__":
    sys.exit(main())
