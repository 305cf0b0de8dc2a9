"""Measure coincidence: what score do functions of independent projects reach, and what does the default gate report?

`python -m bench.null --write` writes the tail of that distribution, and how many functions are how similar to their
counterpart, to `detector/code/null.json`, which ships with the package: scores, rates and counts, no code.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.null_kinds import LEAST_NAMED, Kinds, Read, citing, kinds, tables
from bench.null_pairs import PAIRS, ancestry
from bench.section import Demand, arguments, first_line, section, table
from bench.wheels import python_files, wheel
from detector.code import histogram
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus
from detector.code.fitting import name_agreement
from detector.code.null import FILE
from detector.code.pairs import Floats, scores
from detector.evidence import code
from detector.model import Basis, Span
from detector.settings import LOWERING_VERSION

TABLE = Path(__file__).parent.parent / "detector" / "code" / FILE

# Points of the tail: about a fifth apart from one to the next, as far as the data reach.
GRID = np.round(np.geomspace(0.1, 100, 40), 2)
# Points that fewer functions reach than this are left to extrapolation from the last: they are noise.
FEWEST_REACHED = 5

MOST_IN_10_000 = 1.0
FEWEST_PAIRS, FEWEST_FUNCTIONS = 40, 40_000
# Above this score an unexplained match is listed, believed or not.
LISTED = 15.0
# Where the null of the best of several references is held against what they give together.
SIMILARITIES = (0.1, 0.25, 0.4, 0.5, 0.75)

Place = str  # "path qualname"


@dataclass(frozen=True, slots=True)
class Found:
    """One chosen match."""

    suspect: Place
    reference: Place
    overlap: float
    bits: float
    score: float
    basis: Basis | None
    source: str  # of both, "" if none is known


@dataclass(frozen=True, slots=True)
class Comparison:
    """One direction of a pair."""

    suspect: str
    reference: str
    task: str
    functions: int
    scores: Floats  # of the chosen match of every function that has one and no known source
    agreement: Floats  # of the names of these matches
    of_known: Floats  # the same of the matches with a known source
    found: tuple[Found, ...]  # believed, or of a score of LISTED
    best: Floats  # of every function the similarity of its counterpart, 0 without one; NaN with a known source
    kinds: Kinds


def compare_all(cache: Path) -> Iterator[Comparison]:
    """Compare every pair in both directions; a package is read once."""
    corpora: dict[tuple[str, str], tuple[Corpus, Read]] = {}
    for one, folder, other, other_folder, task in PAIRS:
        for key in ((one, folder), (other, other_folder)):
            if key not in corpora:
                files = python_files(wheel(cache, key[0]), key[1])
                texts = {file.path: file.data for file in files}
                corpora[key] = read_corpus(files, list(texts)), texts.__getitem__
        sides = (one, *corpora[one, folder]), (other, *corpora[other, other_folder])
        for suspect, reference in (sides, sides[::-1]):
            yield _compare(suspect, reference, task)


def _compare(suspect: tuple[str, Corpus, Read], reference: tuple[str, Corpus, Read], task: str) -> Comparison:
    ours, theirs = suspect[1], reference[1]
    (likeness,) = code.find([ours], [theirs], code.Gate(), [(suspect[2], reference[2])]).likenesses
    chosen = likeness.pairs.take(likeness.chosen)
    reached = scores(chosen)
    is_unexplained = np.ones(len(reached), bool)
    found = []
    for number in np.flatnonzero((reached >= LEAST_NAMED) | likeness.is_believed).tolist():
        places = _place(ours.spans[chosen.suspect[number]]), _place(theirs.spans[chosen.reference[number]])
        source = ancestry(*places)
        is_unexplained[number] = not source
        if likeness.is_believed[number] or reached[number] >= LISTED:
            overlap, bits, score = (float(each[number]) for each in (chosen.overlap, chosen.shared, reached))
            basis = likeness.bases[int(likeness.chosen[number])]
            found.append(Found(*places, overlap, bits, score, basis, source))
    names = name_agreement(chosen, ours.spans, theirs.spans, of_files=False)
    functions = len(ours.spans)
    best = likeness.best(functions)
    best[chosen.suspect[~is_unexplained]] = np.nan
    shown = np.flatnonzero(is_unexplained & ((reached >= LEAST_NAMED) | likeness.is_believed))
    bases = [likeness.bases[position] for position in likeness.chosen[shown].tolist()]
    return Comparison(
        suspect=suspect[0],
        reference=reference[0],
        task=task,
        functions=functions,
        scores=reached[is_unexplained],
        agreement=names[is_unexplained],
        of_known=names[~is_unexplained],
        found=tuple(found),
        best=best,
        kinds=kinds(suspect[1:], reference[1:], chosen.take(shown), reached[shown], bases),
    )


def _place(span: Span) -> Place:
    return f"{span.path} {span.qualname}"


def tail(comparisons: Sequence[Comparison]) -> tuple[list[float], list[float]]:
    """The share of all functions that reach each score of the grid by coincidence."""
    functions = sum(each.functions for each in comparisons)
    reached = np.sort(np.concatenate([each.scores for each in comparisons]))
    counts = len(reached) - np.searchsorted(reached, GRID)
    kept = counts >= FEWEST_REACHED
    return GRID[kept].tolist(), [float(f"{share:.4g}") for share in counts[kept] / functions]


def similarities(comparisons: Sequence[Comparison]) -> list[int]:
    """How many functions are how similar to their best counterpart, in the bins of the histogram."""
    best = np.concatenate([each.best for each in comparisons])
    counts: list[int] = histogram.counts(best[~np.isnan(best)]).tolist()
    return counts


def write(comparisons: Sequence[Comparison]) -> None:
    """Write the tail and the similarities in place of those that ship."""
    reached, rates = tail(comparisons)
    document = {
        "lowering": LOWERING_VERSION,
        "comparisons": len(comparisons),
        "functions": sum(each.functions for each in comparisons),
        "scores": reached,
        "rates": rates,
        "similarities": similarities(comparisons),
    }
    TABLE.write_text(json.dumps(document) + "\n", "utf-8")


def measure(cache: Path, work: Path) -> str:
    """Compare everything and write the section."""
    return report(list(compare_all(cache)), citing(cache))


def report(comparisons: Sequence[Comparison], cited: Sequence[tuple[str, str, str]]) -> str:
    """Lay out what was found."""
    functions = sum(each.functions for each in comparisons)
    packages = {each.suspect for each in comparisons}
    alone = [(each, found) for each in comparisons for found in each.found if found.basis and not found.source]
    explained = sum(bool(found.source) and found.basis is not None for each in comparisons for found in each.found)
    rate = len(alone) / functions * 10_000
    demands = [
        Demand(
            "matches reported at the default gate without a known common source, in 10,000 functions",
            f"<= {MOST_IN_10_000:.0f}",
            f"{rate:.2f} ({len(alone)} in {functions:,} functions; {explained} with a known one)",
            rate <= MOST_IN_10_000,
        ),
        Demand(
            "pairs of independent projects, and functions of their suspects in one direction",
            f">= {FEWEST_PAIRS} pairs, {FEWEST_FUNCTIONS:,} functions",
            f"{len(PAIRS)} pairs of {len(packages)} packages, "
            f"{sum(each.functions for each in comparisons[::2]):,} functions",
            len(PAIRS) >= FEWEST_PAIRS and sum(each.functions for each in comparisons[::2]) >= FEWEST_FUNCTIONS,
        ),
    ]
    reached, rates = tail(comparisons)
    steps = [(f"{score:g}", f"{share * 10_000:.2f}") for score, share in zip(reached, rates, strict=True) if score >= 1]
    how = (
        "Every pair of `bench/null_pairs.py`, both directions, package folders of the wheels only. A match is "
        "explained where `bench/ancestries.toml` names a source of both functions: found by reading them, so that it "
        "knows what was reported once. Which pairs are independent was partly seen by comparing: of the pairs first "
        "listed, 22 that share whole modules were left out, so that the rate is a little too low rather than too high."
    )
    return section(
        "null",
        "what coincidence looks like",
        how,
        demands,
        "Functions of 10,000 that reach a score (`detector.code.pairs.scores`, bits) without a known source:",
        table(("score", "in 10,000"), steps),
        f"Names that agree, in matches that score {LEAST_NAMED:g} and more; a known source may have been renamed:",
        table(("matches", "how many", "function or class", "both"), _name_rows(comparisons)),
        *_similarity_tables(comparisons),
        *tables([each.kinds for each in comparisons], functions),
        "Suspects whose README, notices or metadata name the unrelated reference as what they build on: "
        f"{len(cited)} of {len(comparisons)} comparisons.",
        table(("suspect", "names", "in"), [tuple(f"`{each}`" for each in row) for row in cited]) if cited else "",
        "Reported without a known source:",
        _rows(alone),
    )


def _name_rows(comparisons: Sequence[Comparison]) -> Iterator[Sequence[object]]:
    scored = [each.agreement[each.scores >= LEAST_NAMED] for each in comparisons]
    for name, parts in (("without a known source", scored), ("with one", [each.of_known for each in comparisons])):
        agreement = np.concatenate(parts)
        shares = [f"{np.count_nonzero(agreement == value) / max(len(agreement), 1):.3f}" for value in (0.5, 1.0)]
        yield name, f"{len(agreement):,}", *shares


def _similarity_tables(comparisons: Sequence[Comparison]) -> Iterator[str]:
    counts = similarities(comparisons)
    halves = [similarities(comparisons[start::4]) for start in (0, 2)]  # every second pair, one direction
    distance = sum(abs(one / sum(halves[0]) - other / sum(halves[1])) for one, other in zip(*halves, strict=True)) / 2
    yield (
        "Functions by the similarity of their counterpart in an unrelated project, 0 without one; those with a known "
        f"source left out ({sum(each.functions for each in comparisons) - sum(counts):,}). Two halves of the pairs "
        f"differ by {distance:.3f} (total variation)."
    )
    bins = zip(histogram.EDGES, histogram.EDGES[1:], counts, strict=False)
    rows = [(f"{low:.2f} to {high:.2f}", f"{count:,}", f"{count / sum(counts):.5f}") for low, high, count in bins]
    yield table(("similarity", "functions", "share"), rows)
    yield (
        "The best of several unrelated references, of suspects that were compared with as many: the share of functions "
        "that reach a similarity, and 1 - (1 - F)^n of the share F that reaches it in one of them."
    )
    yield table(("references", "functions", "similarity", "measured", "by the formula"), _several(comparisons))


def _several(comparisons: Sequence[Comparison]) -> Iterator[Sequence[object]]:
    by_suspect: defaultdict[str, list[Floats]] = defaultdict(list)
    for each in comparisons:
        by_suspect[each.suspect].append(each.best)
    for references in sorted({len(found) for found in by_suspect.values()} - {1}):
        sides = [np.array(found) for found in by_suspect.values() if len(found) == references]
        known = [side[:, ~np.isnan(side).any(axis=0)] for side in sides]
        functions = sum(side.shape[1] for side in known)
        for least in SIMILARITIES:
            measured = sum(int((side.max(axis=0) >= least).sum()) for side in known) / functions
            formula = sum(side.shape[1] * (1 - (1 - (side >= least).mean()) ** references) for side in known)
            yield references, f"{functions:,}", f"{least:g}", f"{measured:.5f}", f"{formula / functions:.5f}"


def _rows(alone: Iterable[tuple[Comparison, Found]]) -> str:
    rows = [
        (
            f"`{each.suspect}` `{found.suspect.partition('/')[2]}`",
            f"`{each.reference}` `{found.reference.partition('/')[2]}`",
            f"{found.overlap:.2f}",
            f"{found.bits:.0f}",
            found.basis,
        )
        for each, found in alone
    ]
    return table(("suspect", "reference", "overlap", "bits", "basis"), rows) if rows else "Nothing."


def main(given: Sequence[str] | None = None) -> int:
    """Print the section, or write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.null", description=first_line(__doc__))
    parser.add_argument("--write", action="store_true", help=f"write {FILE} in place of the one that ships")
    options = arguments(parser).parse_args(given)
    cache = options.cache.absolute()
    comparisons = list(compare_all(cache))
    if options.write:
        write(comparisons)
    print(report(comparisons, citing(cache)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
