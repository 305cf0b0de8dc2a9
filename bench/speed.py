"""Measure how fast source becomes shingles, what a second process gains, and what comparing adds to reading."""

from __future__ import annotations

import ast
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.process import in_fresh_process
from bench.section import Demand, print_section, section, table
from bench.wheels import python_files, wheel
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, View
from detector.code.sorting import Numbers
from detector.targets import SourceFile

PACKAGE = "transformers==4.40.2"
REPETITIONS = 5
LEAST_PARSE_SHARE = 0.70
LEAST_SPEEDUP = 1.7
LARGEST_FIND_SHARE = 0.15

Summary = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Run:
    """One repetition.

    Units:  CPU seconds, but for the two walls.
    Shapes: `parsing` and `shingling` have one entry for each task of about a megabyte that `read_corpus` forms.
    """

    parsing: list[float]
    shingling: list[float]  # its own parsing included
    one_process: float  # wall
    two_processes: float  # wall
    finding: float


def measure(cache: Path, work: Path) -> str:
    """Repeat everything, each time in a new interpreter."""
    path = wheel(cache, PACKAGE)
    files = python_files(path)
    runs = [in_fresh_process(once, path) for _ in range(REPETITIONS)]
    beside = [side_by_side(path) for _ in range(REPETITIONS)]
    return report(runs, beside, len(files), sum(len(file.data) for file in files))


def once(path: Path) -> Run:
    """Read in one process and parse beside it, read in two, compare the halves."""
    # Importing is the process's cost, not that of one comparison. Not above: a worker imports what stands there too,
    # and those of the command line do not need these.
    import datasketch  # noqa: F401
    import networkx  # noqa: F401

    from detector.evidence import code

    files = python_files(path)
    corpus, parsing, shingling, one_process = read_and_parse(files)
    started = time.perf_counter()
    read_corpus(files, [file.path for file in files], 2)
    two_processes = time.perf_counter() - started
    even = {file.path for file in files[::2]}
    first, second = part(corpus, even, True), part(corpus, even, False)
    texts = {file.path: file.data for file in files}
    before = time.process_time()
    code.find([first], [second], code.Gate(), [(texts.__getitem__, texts.__getitem__)])
    return Run(parsing, shingling, one_process, two_processes, time.process_time() - before)


def side_by_side(path: Path) -> float:
    """Read everything in two processes at once that share nothing: what two can gain at most on this machine.

    Units: wall time of each reading, imports and starting outside; the mean of both.
    """
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        return sum(executor.map(alone, [path, path])) / 2


def alone(path: Path) -> float:
    """Wall time of reading everything in this process."""
    files = python_files(path)
    started = time.perf_counter()
    read_corpus(files, [file.path for file in files], 1)
    return time.perf_counter() - started


def read_and_parse(files: Sequence[SourceFile]) -> tuple[Corpus, list[float], list[float], float]:
    """Read in one process, and parse each file once more by itself just before `read_corpus` gets it.

    Each task is thereby parsed and read within the same fraction of a second, with the cycle collector off for both:
    a machine that is busy for a while slows both sides of the ratio.

    Units: CPU seconds of parsing and of reading, by task; the wall time of the reading alone.
    """
    bare = Bare()
    parsing: list[float] = []
    clock = time.process_time()
    shingling: list[float] = []

    def tell(done: int, total: int) -> None:
        nonlocal clock
        parsing.append(bare.cpu - sum(parsing))
        now = time.process_time()
        shingling.append(now - clock - parsing[-1])
        clock = now

    started = time.perf_counter()
    corpus = read_corpus(bare.parsed(files), [file.path for file in files], 1, tell)
    wall = time.perf_counter() - started - bare.wall
    shingling[-1] += time.process_time() - clock  # joining all
    return corpus, parsing, shingling, wall


class Bare:
    """Parses files as they pass by, drops the trees, and sums up what that took."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    def parsed(self, files: Iterable[SourceFile]) -> Iterator[SourceFile]:
        """The files themselves."""
        for file in files:
            cpu, wall = time.process_time(), time.perf_counter()
            with suppress(SyntaxError, ValueError):  # what the tolerant front end is for
                ast.parse(file.data)
            self.cpu += time.process_time() - cpu
            self.wall += time.perf_counter() - wall
            yield file


def part(corpus: Corpus, paths: set[str], is_in: bool) -> Corpus:
    """The functions of a corpus whose files are among the paths, or are not."""
    chosen = [number for number, span in enumerate(corpus.spans) if (span.path in paths) == is_in]
    numbers = np.array(chosen, np.int64)
    return Corpus(
        tuple(corpus.spans[number] for number in chosen),
        tuple(corpus.calls[number] for number in chosen),
        corpus.shingles.take(numbers),
        _part(corpus.expanded, numbers),
        _part(corpus.blind, numbers),
        _part(corpus.blind_expanded, numbers),
        len({corpus.spans[number].path for number in chosen}),
        (),
    )


def _part(view: View, functions: Numbers) -> View:
    """What a view shows of some functions, renumbered."""
    places = np.flatnonzero(np.isin(view.functions, functions))
    return View(view.shingles.take(places), np.searchsorted(functions, view.functions[places]))


def report(runs: Sequence[Run], beside: Sequence[float], files: int, size: int) -> str:
    """Write the section."""
    shares = _both(runs, lambda parsing, shingling, one, two, finding: parsing / shingling)
    speedups = _both(runs, lambda parsing, shingling, one, two, finding: one / two)
    finds = _both(runs, lambda parsing, shingling, one, two, finding: finding / (finding + shingling))
    demands = [
        Demand(
            "source to shingles in one process, as share of the speed of bare `ast.parse` without cycle collector",
            f">= {LEAST_PARSE_SHARE:.2f}",
            "{:.3f} of the minima, {:.3f} of the medians".format(*shares),
            shares[0] >= LEAST_PARSE_SHARE,
        ),
        Demand(
            "two processes against one, wall time, starting them included",
            f">= {LEAST_SPEEDUP} times",
            "{:.2f} of the minima, {:.2f} of the medians; two that share nothing reach {:.2f} and {:.2f} here".format(
                *speedups,
                *(2 * summary([run.one_process for run in runs]) / summary(beside) for summary in (min, median)),
            ),
            speedups[0] >= LEAST_SPEEDUP,
        ),
        Demand(
            "CPU after lowering as share of all, even files against odd ones",
            f"<= {LARGEST_FIND_SHARE:.0%}",
            "{:.1%} of the minima, {:.1%} of the medians".format(*finds),
            finds[0] <= LARGEST_FIND_SHARE,
        ),
    ]
    low, middle = _summed(runs, min), _summed(runs, median)
    whole = list(zip(*(_summed([run], min) for run in runs), strict=True))
    rows = [
        (name, f"{low[i]:.2f} s", f"{middle[i]:.2f} s", f"{min(whole[i]):.2f} to {max(whole[i]):.2f} s")
        for i, name in enumerate(NAMES)
    ]
    both = "everything in each of two processes at once, wall"
    rows.append((both, f"{min(beside):.2f} s", f"{median(beside):.2f} s", f"{min(beside):.2f} to {max(beside):.2f} s"))
    how = (
        f"{PACKAGE}, all {files:,} Python files ({size / 1e6:.1f} MB), held in memory first; {len(runs)} repetitions, "
        "each in a new interpreter. Every file is parsed by itself just before `read_corpus` gets it, so that both are "
        "measured within the same fraction of a second; CPU is taken for each task of about 1 MB, minimum and median "
        "over the repetitions, then summed. Imports are outside, but for those of the worker processes. "
        f"Source to shingles in one process: {size / 1e6 / low[1]:.1f} MB/s."
    )
    return section("speed", "reading and comparing", how, demands, table(HEADER, rows))


NAMES = (
    "bare `ast.parse`, CPU",
    "source to shingles, one process, CPU",
    "the same, wall",
    "source to shingles, two processes, wall",
    "comparing the two halves (`evidence.code.find`), CPU",
)
HEADER = ("what", "minimum", "median", "whole repetitions from ... to")


def _summed(runs: Sequence[Run], summary: Summary) -> tuple[float, ...]:
    """Summarize each task over the runs, then sum the tasks."""
    return (
        sum(summary(task) for task in zip(*(run.parsing for run in runs), strict=True)),
        sum(summary(task) for task in zip(*(run.shingling for run in runs), strict=True)),
        summary([run.one_process for run in runs]),
        summary([run.two_processes for run in runs]),
        summary([run.finding for run in runs]),
    )


def _both(runs: Sequence[Run], ratio: Callable[..., float]) -> tuple[float, float]:
    return ratio(*_summed(runs, min)), ratio(*_summed(runs, median))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("speed", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
