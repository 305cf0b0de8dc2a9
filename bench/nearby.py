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
from bench.null_pairs import PAIRS, ancestry
from bench.quality import PACKAGES, Files, original_files, prepare, specimen
from bench.section import ROOT, Demand, print_section, section, table
from bench.wheels import InMemory, python_files, wheel
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, assembled
from detector.code.nearby import Nearby, nearby
from detector.code.pairs import scores
from detector.code.sorting import Hashes, Numbers
from detector.evidence import code
from detector.targets import SourceFile

FILES = 20  # of one change
CANDIDATES = 12  # of a function, by their exact scores
FREQUENT = 4  # functions of a target that have a shingle: of such the index knows how many
COST_FUNCTIONS, COST_LEVEL = 200, "L7"
REPEATS = 9

LEAST_RECALL = 0.97
LEAST_PRECISION = 0.99
LEAST_SAME = 0.95
MOST_ERROR = 0.01
MOST_IN_10_000 = 1.0
MOST_CPU_MS = 60.0
UNWANTED = ("scipy", "datasketch", "networkx", "libcst", "git", "rich")

Pairs = tuple[Numbers, Numbers]


@dataclass(frozen=True, slots=True)
class Reference:
    """A target as an index knows it."""

    corpus: Corpus
    texts: Mapping[str, bytes]
    files: tuple[tuple[str, Corpus], ...]
    contents: Hashes  # equal for functions of the same shingles in all views
    frequent: tuple[Hashes, Numbers]

    @classmethod
    def of(cls, corpus: Corpus, texts: Mapping[str, bytes]) -> Reference:
        """Count what an index counts when it is filled."""
        contents = corpus.shingles.sums()
        for number, (shingles, functions) in enumerate(corpus.views, 1):
            contents[functions] += shingles.sums() * np.uint64(2 * number + 1)
        hashes, counts = np.unique(corpus.shingles.hashes, return_counts=True)
        is_frequent = counts >= FREQUENT
        frequent = hashes[is_frequent], counts[is_frequent]
        return cls(corpus, texts, tuple(corpus.by_file()), contents, frequent)

    def files_of(self, functions: Numbers) -> tuple[Corpus, Numbers]:
        """The whole files of these functions, and the number of each of their functions in the target."""
        paths = {self.corpus.spans[number].path for number in set(functions.tolist())}
        numbers = [number for number, span in enumerate(self.corpus.spans) if span.path in paths]
        return assembled([corpus for path, corpus in self.files if path in paths]), np.array(numbers, np.int64)


def light(ours: Corpus, reference: Reference, pairs: Pairs) -> tuple[Nearby, Numbers]:
    """Decide by `code.nearby`; also the number in the target of each function of the files that it was given."""
    theirs, numbers = reference.files_of(pairs[1])
    within = pairs[0], np.searchsorted(numbers, pairs[1])
    return nearby(ours, theirs, within, reference.frequent, len(reference.corpus.spans)), numbers


def best(likeness: code.Likeness, reference: Reference, most: int) -> Pairs:
    """So many candidates of each function, by their exact scores: what an index would propose at best."""
    return _best(likeness, np.arange(len(reference.corpus.spans)), most)


def best_contents(likeness: code.Likeness, reference: Reference, most: int) -> Pairs:
    """The same, but functions that are equal count as one: an index knows them as one shape in several places."""
    return _best(likeness, np.unique(reference.contents, return_inverse=True)[1], most)


def _best(likeness: code.Likeness, kinds: Numbers, most: int) -> Pairs:
    pairs = likeness.pairs
    by_score = np.lexsort((pairs.reference, kinds[pairs.reference], -scores(pairs).round(9), pairs.suspect))
    suspects, found = pairs.suspect[by_score], kinds[pairs.reference[by_score]]
    is_first = np.diff(suspects, prepend=-1) != 0
    is_next = is_first | (np.diff(found, prepend=-1) != 0)
    rank = np.cumsum(is_next)
    within = rank - np.maximum.accumulate(np.where(is_first, rank, 0))
    kept = by_score[within < most]
    return pairs.suspect[kept], pairs.reference[kept]


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


def corpus_of(files: Files) -> tuple[Corpus, dict[str, bytes]]:
    """Read texts, with the hashes of their wording."""
    texts = {path: text.encode() for path, text in sorted(files.items())}
    held = InMemory([SourceFile(path, data) for path, data in texts.items()])
    return read_corpus(held, held.paths(), 1), texts


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
                reads = [texts.__getitem__, reference.texts.__getitem__]
                (likeness,) = code.find(ours, [reference.corpus], code.Gate(), reads).likenesses
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
    reads = [suspect.texts.__getitem__, reference.texts.__getitem__]
    (likeness,) = code.find(suspect.corpus, [reference.corpus], code.Gate(), reads).likenesses
    first, second = best(likeness, reference, CANDIDATES)
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
    reads = [texts.__getitem__, reference.texts.__getitem__]
    (likeness,) = code.find(ours, [reference.corpus], code.Gate(), reads).likenesses
    pairs = best(likeness, reference, CANDIDATES)
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
    compared = every.counts["believed, compared"]
    demands = [
        Demand(
            f"of what a comparison believes of changes of {FILES} files, found by the light scoring",
            f">= {LEAST_RECALL}",
            f"{recall:.4f} of {compared:,}",
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
        table(("candidates", "same", *FIGURES), by_choice),
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
