"""Measure whether the light scoring of a hook decides as a comparison does: `python -m bench.nearby`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.disguise import LEVELS
from bench.nearby_target import FREQUENT, Pairs, Reference, best, best_contents, compared, corpus_of, light
from bench.null_pairs import PAIRS, ancestry
from bench.quality import PACKAGES, original_files, prepare, specimen
from bench.section import ROOT, Demand, print_section, section, table
from bench.wheels import python_files, wheel
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, assembled
from detector.code.nearby import Nearby, nearby
from detector.code.sorting import Numbers
from detector.evidence import code

FILES = 20  # of one change
CANDIDATES = 12  # of a function, by their exact scores
COST_FUNCTIONS, COST_LEVEL = 200, "L7"
REPEATS = 9

# What a comparison would find and the hook does not is merged unnoticed; what it finds and a comparison does not stops
# somebody's work, and there is no second look at it.
LEAST_RECALL = 0.97
LEAST_PRECISION = 0.99
LEAST_SAME = 0.95  # of disguised packages a twentieth of the functions have a twin that is as good
MOST_ERROR = 0.01  # bits are shown without decimals, and are about a hundred
MOST_IN_10_000 = 1.0  # as of comparisons (bench.null)
MOST_CPU_MS = 60.0  # of the half second that a hook has
UNWANTED = ("scipy", "datasketch", "networkx", "libcst", "git", "rich")

Choice = Callable[[code.Likeness, Reference, int], Pairs]
CHOICES: Mapping[str, tuple[Choice, int]] = {
    f"{CANDIDATES} functions": (best, CANDIDATES),
    f"{2 * CANDIDATES} functions": (best, 2 * CANDIDATES),
    f"{CANDIDATES} contents, wherever they are": (best_contents, CANDIDATES),
}
DEFAULT = next(iter(CHOICES))


@dataclass(slots=True)
class Held:
    """The light decisions, held against those of comparisons."""

    counts: Counter[str] = field(default_factory=Counter)
    bits: list[float] = field(default_factory=list)  # relative errors, where the reference is the same
    similarity: list[float] = field(default_factory=list)  # absolute ones

    def __add__(self, other: Held) -> Held:
        return Held(self.counts + other.counts, self.bits + other.bits, self.similarity + other.similarity)

    def share(self, part: str, whole: str) -> float:
        """0..1; 1 of nothing."""
        return self.counts[part] / self.counts[whole] if self.counts[whole] else 1.0

    def hold(self, likeness: code.Likeness, found: Nearby, numbers: Numbers, reference: Reference) -> None:
        """Count what a comparison and the light scoring say of each function."""
        theirs = dict(zip(found.pairs.suspect[found.chosen].tolist(), range(len(found.chosen)), strict=True))
        for place, position in enumerate(likeness.chosen.tolist()):
            other = theirs.get(int(likeness.pairs.suspect[position]))
            self._count("alone", likeness.is_strong[place], other is not None and bool(found.is_strong[other]))
            self._count("believed", likeness.is_believed[place], other is not None and bool(found.is_believed[other]))
            if other is not None and likeness.is_believed[place] and found.is_believed[other]:
                chosen = int(found.chosen[other])
                ours, their = int(likeness.pairs.reference[position]), int(numbers[found.pairs.reference[chosen]])
                self.counts["equal"] += bool(reference.contents[ours] == reference.contents[their])
                self.counts["same"] += ours == their
                if ours == their:
                    self.bits.append(abs(float(found.pairs.shared[chosen] / likeness.pairs.shared[position]) - 1))
                    self.similarity.append(abs(float(found.similarity[chosen] - likeness.similarity[position])))

    def _count(self, what: str, compared: bool, lightly: bool) -> None:
        self.counts[f"{what}, compared"] += bool(compared)
        self.counts[f"{what}, lightly"] += bool(lightly)
        self.counts[f"{what}, both"] += bool(compared and lightly)


def changes(corpus: Corpus) -> Iterator[Corpus]:
    """The files of a suspect, some at a time."""
    parts = [part for _, part in corpus.by_file()]
    for start in range(0, len(parts), FILES):
        yield assembled(parts[start : start + FILES])


def on_disguises(cache: Path, work: Path) -> dict[str, dict[tuple[str, str], Held]]:
    """By choice of candidates, by package and level."""
    prepare(cache, work, PACKAGES, LEVELS)
    found: dict[str, dict[tuple[str, str], Held]] = {choice: {} for choice in CHOICES}
    for package in PACKAGES:
        reference = Reference.of(*corpus_of(original_files(cache, package)))
        for level in LEVELS:
            suspect, texts = corpus_of(specimen(work, package, level).files)
            held = {choice: Held() for choice in CHOICES}
            for ours in changes(suspect):
                likeness = compared(ours, texts, reference)
                for choice, (choose, most) in CHOICES.items():
                    decided = light(ours, reference, choose(likeness, reference, most))
                    held[choice].hold(likeness, *decided, reference)
            for choice, each in held.items():
                found[choice][package.name, level] = each
    return found


# --- what independent projects have ---


@dataclass(frozen=True, slots=True)
class Alarms:
    """Findings between independent projects."""

    functions: int
    known: int  # findings with a known common source
    unknown: tuple[tuple[str, str, str], ...]  # suspect, reference, basis


def on_independent(cache: Path, pairs: Sequence[tuple[str, str, str, str, str]] = PAIRS) -> Alarms:
    """Both directions of each pair. Candidates are found once for the whole suspect, then taken a change at a time."""
    corpora: dict[tuple[str, str], Reference] = {}
    functions, known = 0, 0
    unknown: list[tuple[str, str, str]] = []
    for one, folder, other, other_folder, _ in pairs:
        for key in ((one, folder), (other, other_folder)):
            if key not in corpora:
                files = python_files(wheel(cache, key[0]), key[1])
                corpora[key] = Reference.of(
                    read_corpus(files, [file.path for file in files]), {file.path: file.data for file in files}
                )
        sides = corpora[one, folder], corpora[other, other_folder]
        for suspect, reference in (sides, sides[::-1]):
            functions += len(suspect.corpus.spans)
            for place, other_place, basis in _alarms(suspect, reference):
                if ancestry(place, other_place):
                    known += 1
                else:
                    unknown.append((place, other_place, basis))
    return Alarms(functions, known, tuple(unknown))


def _alarms(suspect: Reference, reference: Reference) -> Iterator[tuple[str, str, str]]:
    first, second = best(compared(suspect.corpus, suspect.texts, reference), reference, CANDIDATES)
    start = 0
    for ours in changes(suspect.corpus):
        end = start + len(ours.spans)
        chosen = (first >= start) & (first < end)
        found, numbers = light(ours, reference, (first[chosen] - start, second[chosen]))
        start = end
        for position in found.chosen[found.is_believed].tolist():
            own = ours.spans[int(found.pairs.suspect[position])]
            other = reference.corpus.spans[int(numbers[found.pairs.reference[position]])]
            place, other_place = (f"{each.path} {each.qualname}" for each in (own, other))
            yield place, other_place, str(found.bases[position])


# --- what it costs ---


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one change."""

    functions: int
    pairs: int
    files: int  # of the target, with candidates
    milliseconds: float  # CPU, the least of several runs: what else the machine does only adds
    imports: float  # CPU milliseconds, after numpy
    tables: float  # of reading what ships with the package
    unwanted: tuple[str, ...]  # libraries that importing it loads


def cost(cache: Path, work: Path) -> Cost:
    """Of the first functions of a disguised package with the package itself."""
    package = PACKAGES[1]
    reference = Reference.of(*corpus_of(original_files(cache, package)))
    suspect, texts = corpus_of(specimen(work, package, COST_LEVEL).files)
    ours = suspect.part(0, COST_FUNCTIONS)
    pairs = best(compared(ours, texts, reference), reference, CANDIDATES)
    theirs, numbers = reference.files_of(pairs[1])
    within = pairs[0], np.searchsorted(numbers, pairs[1])
    spent = []
    for _ in range(REPEATS):
        started = time.process_time()
        nearby(ours, theirs, within, reference.frequent, len(reference.corpus.spans))
        spent.append(time.process_time() - started)
    imports, tables, unwanted = _imported()
    return Cost(len(ours.spans), len(pairs[0]), theirs.files, 1e3 * min(spent), imports, tables, unwanted)


_IMPORTING = f"""
import sys, time, numpy
started = time.process_time()
import detector.code.nearby
imported = time.process_time()
from detector.code.background import background
from detector.code.null import null
background(), null()
print(imported - started, time.process_time() - imported, *sorted(set({UNWANTED!r}) & set(sys.modules)))
"""


def _imported() -> tuple[float, float, tuple[str, ...]]:
    runs = []
    for _ in range(REPEATS):
        command = [sys.executable, "-c", _IMPORTING]
        runs.append(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split())
    imports, tables = (1e3 * min(float(run[place]) for run in runs) for place in (0, 1))
    return imports, tables, tuple(runs[0][2:])


# --- the section ---


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Measure agreement, false alarms and cost."""
    held = on_disguises(cache, work)
    return report(held, on_independent(cache), cost(cache, work))


def report(
    held: Mapping[str, Mapping[tuple[str, str], Held]], alarms: Alarms, spent: Cost
) -> tuple[list[Demand], list[str]]:
    """Say what is met, and lay out the tables."""
    every = sum(held[DEFAULT].values(), Held())
    recall = every.share("believed, both", "believed, compared")
    precision = every.share("believed, both", "believed, lightly")
    equal = every.share("equal", "believed, both")
    error = float(np.quantile(every.bits, 0.99)) if every.bits else 0.0
    rate = len(alarms.unknown) / max(alarms.functions, 1) * 10_000
    believed = every.counts["believed, compared"]
    demands = [
        Demand(
            f"of what a comparison believes of changes of {FILES} files, found by the light scoring",
            f">= {LEAST_RECALL}",
            f"{recall:.4f} of {believed:,}",
            recall >= LEAST_RECALL,
        ),
        Demand(
            "of what the light scoring finds, believed by the comparison",
            f">= {LEAST_PRECISION}",
            f"{precision:.4f} of {every.counts['believed, lightly']:,}",
            precision >= LEAST_PRECISION,
        ),
        Demand(
            "of both, with the same reference function or one that is equal to it",
            f">= {LEAST_SAME}",
            f"{equal:.4f}",
            equal >= LEAST_SAME,
        ),
        Demand(
            "relative error of bits, 99 in 100 below",
            f"<= {MOST_ERROR}",
            f"{error:.4f}",
            error <= MOST_ERROR,
        ),
        Demand(
            "findings between independent projects without a known common source, in 10,000 functions",
            f"<= {MOST_IN_10_000:.0f}",
            f"{rate:.2f} ({len(alarms.unknown)} in {alarms.functions:,} functions; {alarms.known} with a known one)",
            rate <= MOST_IN_10_000,
        ),
        Demand(
            f"CPU of scoring {spent.functions} functions, {spent.pairs:,} pairs, {spent.files} files",
            f"<= {MOST_CPU_MS:.0f} ms",
            f"{spent.milliseconds:.0f} ms; importing it {spent.imports:.0f} ms after numpy, tables {spent.tables:.0f}",
            spent.milliseconds <= MOST_CPU_MS,
        ),
        Demand(
            f"libraries that importing it loads, of {', '.join(UNWANTED)}",
            "none",
            ", ".join(spent.unwanted) or "none",
            not spent.unwanted,
        ),
    ]
    by_choice = [
        (choice, *_row(sum(of_choice.values(), Held()), f"{sum(len(each.bits) for each in of_choice.values()):,}"))
        for choice, of_choice in held.items()
    ]
    by_level = [
        (name, level, *_row(each, f"{each.counts['believed, compared']:,}"))
        for (name, level), each in held[DEFAULT].items()
    ]
    return demands, [
        "By the candidates that each function has:",
        table(("candidates", "with the same reference", *FIGURES), by_choice),
        f"With {DEFAULT}, by package and level of disguise:",
        table(("package", "level", "believed by the comparison", *FIGURES), by_level),
        "Found between independent projects without a known source:",
        table(("suspect", "reference", "basis"), [tuple(f"`{each}`" for each in row) for row in alarms.unknown])
        if alarms.unknown
        else "Nothing.",
    ]


FIGURES = (
    "recall",
    "precision",
    "recall of what stands alone",
    "precision of it",
    "same reference",
    "or an equal one",
    "error of bits, mean",
    "of similarity, mean",
)


def _row(held: Held, count: str) -> Iterator[str]:
    yield count
    for what in ("believed", "alone"):
        for whole in ("compared", "lightly"):
            yield f"{held.share(f'{what}, both', f'{what}, {whole}'):.4f}"
    for what in ("same", "equal"):
        yield f"{held.share(what, 'believed, both'):.4f}"
    for errors in (held.bits, held.similarity):
        yield f"{np.mean(errors):.5f}" if errors else "-"


def written(cache: Path, work: Path) -> str:
    """The section."""
    demands, blocks = measure(cache, work)
    how = (
        "Three packages disguised at eight levels (`bench.quality`) are suspects, "
        f"{FILES} files at a time, each as if it were a change; the package is the target. `evidence.code.find` "
        "compares the change with the whole package; `code.nearby` knows the files in which the candidates are, the "
        f"shingles that at least {FREQUENT} functions of the package have, and how many functions that has. "
        "Independent projects are those of `bench/null_pairs.py`, in both directions."
    )
    return section("nearby", "whether light scoring decides as a comparison does", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("nearby", __doc__, written, arguments)


if __name__ == "__main__":
    sys.exit(main())
