"""Measure how fast source becomes shingles, what a second process gains, and what comparing adds to reading."""

from __future__ import annotations

import ast
import gc
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

from bench.process import in_fresh_process
from bench.section import Demand, print_section, section, table
from bench.wheels import python_files, wheel
from detector.code.bulk import Corpus, read_corpus
from detector.evidence import code
from detector.model import SourceFile

PACKAGE = "transformers==4.40.2"
REPETITIONS = 5
LEAST_PARSE_SHARE = 0.70
LEAST_SPEEDUP = 1.7
LARGEST_FIND_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Seconds:
    """One repetition; CPU but for the two walls."""

    parsing: float
    shingling: float  # parsing included
    one_process: float  # wall
    two_processes: float  # wall
    reading_halves: float
    finding: float


NAMES = (
    "bare `ast.parse`, CPU",
    "source to shingles, one process, CPU",
    "the same, wall",
    "source to shingles, two processes, wall",
    "reading both halves, CPU",
    "comparing the halves, CPU",
)


def measure(cache: Path, work: Path) -> str:
    """Repeat everything, each time in a new interpreter."""
    path = wheel(cache, PACKAGE)
    files = python_files(path)
    runs = [in_fresh_process(_once, path, number % 2 == 0) for number in range(REPETITIONS)]
    return report(runs, len(files), sum(len(file.data) for file in files))


def _once(path: Path, is_parse_first: bool) -> Seconds:
    """Measure in turn; what comes first pays for the first growth of the heap, so the order alternates."""
    import datasketch  # noqa: F401, PLC0415 - its import is the process's cost, not that of one comparison

    files = python_files(path)
    if is_parse_first:
        parsing = _cpu(lambda: parse_all(files))
    started = time.perf_counter()
    shingling = _cpu(lambda: _read(files, 1))
    one_process = time.perf_counter() - started
    if not is_parse_first:
        parsing = _cpu(lambda: parse_all(files))
    started = time.perf_counter()
    _read(files, 2)
    two_processes = time.perf_counter() - started
    halves: list[Corpus] = []
    reading = _cpu(lambda: halves.extend([_read(files[::2], 1), _read(files[1::2], 1)]))
    finding = _cpu(lambda: code.find(halves[0], halves[1:], code.Gate()))
    return Seconds(parsing, shingling, one_process, two_processes, reading, finding)


def parse_all(files: Sequence[SourceFile]) -> None:
    """Parse and drop every file, as `read_corpus` does: no cycle collector, no warnings."""
    gc.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in files:
            try:
                ast.parse(file.data)
            except (SyntaxError, ValueError):  # what the tolerant front end is for
                continue
    gc.enable()


def _read(files: Sequence[SourceFile], jobs: int) -> Corpus:
    return read_corpus(files, [file.path for file in files], jobs)


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def report(runs: Sequence[Seconds], files: int, size: int) -> str:
    """Write the section."""
    columns = [sorted(column) for column in zip(*map(astuple, runs), strict=True)]
    low, middle = Seconds(*(column[0] for column in columns)), Seconds(*(median(column) for column in columns))

    def figure(ratio: Callable[[Seconds], float], form: str) -> str:
        return f"{ratio(low):{form}} of the minima, {ratio(middle):{form}} of the medians"

    demands = [
        Demand(
            "source to shingles in one process, as share of the speed of bare `ast.parse` without cycle collector",
            f">= {LEAST_PARSE_SHARE:.2f}",
            figure(_parse_share, ".3f"),
            _parse_share(low) >= LEAST_PARSE_SHARE,
        ),
        Demand(
            "two processes against one, wall time, starting them included",
            f">= {LEAST_SPEEDUP} times",
            figure(_speedup, ".2f"),
            _speedup(low) >= LEAST_SPEEDUP,
        ),
        Demand(
            "CPU after lowering, as share of all, even files against odd ones",
            f"<= {LARGEST_FIND_SHARE:.0%}",
            figure(_find_share, ".1%"),
            _find_share(low) <= LARGEST_FIND_SHARE,
        ),
    ]
    rows = [
        (name, f"{column[0]:.2f} s", f"{median(column):.2f} s", f"{column[-1]:.2f} s", f"{column[-1] / column[0] - 1:.0%}")
        for name, column in zip(NAMES, columns, strict=True)
    ]
    how = (
        f"{PACKAGE}, all {files:,} Python files ({size / 1e6:.1f} MB) held in memory first; `read_corpus` with one and with "
        f"two processes, `evidence.code.find` on the two halves; {len(runs)} repetitions, each in a new interpreter and "
        f"with the three routes in turn. Imports are outside all figures but the worker processes' own. One process: "
        f"{size / 1e6 / low.shingling:.1f} MB/s."
    )
    return section(
        "speed", "reading and comparing", how, demands, table(("what", "minimum", "median", "maximum", "spread"), rows)
    )


def _parse_share(seconds: Seconds) -> float:
    return seconds.parsing / seconds.shingling


def _speedup(seconds: Seconds) -> float:
    return seconds.one_process / seconds.two_processes


def _find_share(seconds: Seconds) -> float:
    return seconds.finding / (seconds.finding + seconds.reading_halves)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("speed", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
