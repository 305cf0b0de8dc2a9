"""Measure what the candidate stage loses against scoring every pair, and what it saves."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from scipy import sparse

from bench import quality
from bench.copied_from import build
from bench.process import in_fresh_process
from bench.section import Demand, print_section, section, table
from detector import settings
from detector.code import candidates, match, signatures
from detector.code.bulk import read_corpus
from detector.code.callgraph import callees
from detector.code.corpus import Corpus
from detector.code.pairs import Floats, Pairs
from detector.code.scoring import score
from detector.read import open_target

VARIANT = "V3"
PACKAGE = quality.PACKAGES[0]
LEVELS = ("L3", "L6", "L7", "L8")
LEAST_SIMILARITY = 0.3
LEAST_BITS = 30.0
LEAST_RECALL = 0.99
ROWS = 256  # suspects scored at once: 256 x 3,000 x 8 bytes
TIE = 1e-9

Settings = dict[str, int]  # name -> value
DEFAULT: Settings = {}
OTHERS: tuple[Settings, ...] = (
    {"LARGEST_POSTING": 50},
    {"LARGEST_POSTING": 800},
    {"CANDIDATES_PER_FUNCTION": 12},
    {"CANDIDATES_PER_FUNCTION": 24},
    {"LSH_BANDS": 16},
    {"LSH_BANDS": 0},
    {"LARGEST_POSTING": 0},
)
HOMES = {"LSH_BANDS": signatures}  # where a setting is used, if not by `candidates`


@dataclass(frozen=True, slots=True)
class Everything:
    """What scoring all pairs finds: the pairs worth proposing, and each suspect's best ones."""

    alike: frozenset[int]  # suspect * width + reference
    best: dict[int, frozenset[int]]  # suspect -> its best pairs, all that are tied
    surprising: frozenset[int]  # suspects whose best pair shares at least LEAST_BITS
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the candidate stage proposed, in the terms of `Everything`."""

    name: str
    pairs: int
    alike: float
    crowded: float  # of the alike pairs that are missing: those of suspects with more of them than are kept
    best: float
    surprising_best: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """What one comparison gave."""

    name: str
    functions: tuple[int, int]
    everything: Everything
    proposals: list[Proposal]


def measure(cache: Path, work: Path) -> str:
    """Score all pairs, then propose with the default settings and, once, with others."""
    a, b, _ = build(cache, VARIANT, work)
    quality.prepare(cache, work, [PACKAGE], LEVELS)
    found = [in_fresh_process(_copies, b, a)]
    found += [in_fresh_process(_level, cache, work, level) for level in LEVELS]
    return report(found)


def _copies(suspect: Path, reference: Path) -> Found:
    return _measure(f"{VARIANT} of `copied_from`", _read(suspect), _read(reference), (DEFAULT, *OTHERS))


def _level(cache: Path, work: Path, level: str) -> Found:
    disguised = quality.specimen(work, PACKAGE, level).files
    suspect, reference = quality.corpus(disguised), quality.corpus(quality.original_files(cache, PACKAGE))
    return _measure(f"{level} of {PACKAGE.name}", suspect, reference, (DEFAULT,))


def _measure(name: str, suspect: Corpus, reference: Corpus, settings_: Sequence[Settings]) -> Found:
    import datasketch  # noqa: F401 - its import is not part of any stage

    corpora = [suspect, reference]
    calls = [callees(corpus.spans, corpus.calls) for corpus in corpora]
    sides, weights = match.weigh([corpus.shingles for corpus in corpora], calls, [corpus.views for corpus in corpora])
    everything = score_all(sides[0], sides[1], weights)
    proposals = []
    for changed in settings_:
        with changed_settings(changed):
            started = time.process_time()
            found = candidates.pairs(sides[0], sides[1], weights, corpora[0].shingles, corpora[1].shingles)
            spent = time.process_time() - started
        told = ", ".join(f"{name} {value}" for name, value in changed.items()) or "as set"
        proposals.append(held_against(everything, told, found, sides[1].matrix.shape[0], spent))
    return Found(name, (len(suspect.spans), len(reference.spans)), everything, proposals)


def _read(folder: Path) -> Corpus:
    with open_target(str(folder)) as repo:
        return read_corpus(repo.files, repo.files.paths())


@contextmanager
def changed_settings(changed: Settings) -> Iterator[None]:
    """Use other values than those of `settings.py` for a while."""
    patches = [patch.object(HOMES.get(name, candidates), name, value) for name, value in changed.items()]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def score_all(suspect: match.Weighted, reference: match.Weighted, weights: Floats) -> Everything:
    """Score all pairs by products of sparse matrices, some suspects at a time.

    Every pair that shares enough bits in any view is scored once more by `scoring.score`, which looks at all views.
    """
    started = time.process_time()
    width = reference.matrix.shape[0]
    columns = reference.matrix.T.tocsc()
    weighted = suspect.matrix @ sparse.diags_array(weights)
    reach, reached = suspect.reach.matrix @ sparse.diags_array(weights), reference.reach.matrix.T.tocsc()
    worth: list[npt.NDArray[np.int64]] = []
    best: dict[int, frozenset[int]] = {}
    surprising: set[int] = set()
    for start in range(0, suspect.matrix.shape[0], ROWS):
        shared = (weighted[start : start + ROWS] @ columns).toarray()
        union = suspect.totals[start : start + ROWS, None] + reference.totals[None, :] - shared
        similarity = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        seen = (reach[start : start + ROWS] @ reached).toarray()
        worth.append(np.flatnonzero(seen >= LEAST_BITS) + start * width)
        for row, highest in enumerate(similarity.max(axis=1)):
            if highest > 0:
                tied = np.flatnonzero(similarity[row] >= highest - TIE)
                best[start + row] = frozenset(((start + row) * width + tied).tolist())
                if shared[row, tied].max() >= LEAST_BITS:
                    surprising.add(start + row)
    spent = time.process_time() - started
    code = np.concatenate(worth)
    scored = score(suspect, reference, weights, code // width, code % width)
    alike = code[(scored.overlap >= LEAST_SIMILARITY) & (scored.shared >= LEAST_BITS)]
    return Everything(frozenset(alike.tolist()), best, frozenset(surprising), spent)


def held_against(everything: Everything, name: str, found: Pairs, width: int, spent: float) -> Proposal:
    """Shares of what scoring everything finds that were proposed."""
    proposed = set((found.suspect * width + found.reference).tolist())
    has_best = {suspect for suspect, tied in everything.best.items() if tied & proposed}
    missing = [pair // width for pair in everything.alike - proposed]
    alike = Counter(pair // width for pair in everything.alike)
    return Proposal(
        name,
        len(proposed),
        len(everything.alike & proposed) / max(len(everything.alike), 1),
        sum(alike[suspect] > settings.CANDIDATES_PER_FUNCTION for suspect in missing) / max(len(missing), 1),
        len(has_best) / max(len(everything.best), 1),
        len(has_best & everything.surprising) / max(len(everything.surprising), 1),
        spent,
    )


def report(found: Sequence[Found]) -> str:
    """Write the section."""
    demands = []
    rows: list[tuple[object, ...]] = []
    for each in found:
        default, everything = each.proposals[0], each.everything
        demands += [
            Demand(
                f"{each.name}: suspects whose best pair is proposed, where that pair shares {LEAST_BITS:.0f} bits",
                f">= {LEAST_RECALL}",
                f"{default.surprising_best:.4f} of {len(everything.surprising):,}; {default.best:.4f} of all "
                f"{len(everything.best):,}",
                default.surprising_best >= LEAST_RECALL,
            ),
            Demand(
                f"{each.name}: pairs of overlap >= {LEAST_SIMILARITY} and {LEAST_BITS:.0f} bits that are proposed",
                f">= {LEAST_RECALL}",
                f"{default.alike:.4f} of {len(everything.alike):,}; {default.crowded:.2f} of those missing belong to "
                f"suspects with more than {settings.CANDIDATES_PER_FUNCTION} such pairs",
                default.alike >= LEAST_RECALL,
            ),
        ]
        every = f"{each.functions[0] * each.functions[1]:,}"
        rows.append((each.name, "all pairs, as they stand", every, 1, 1, 1, _cpu(everything)))
        for proposal in each.proposals:
            shares = (f"{share:.4f}" for share in (proposal.alike, proposal.best, proposal.surprising_best))
            rows.append((each.name, proposal.name, f"{proposal.pairs:,}", *shares, _cpu(proposal)))
    how = (
        f"Variant {VARIANT} of the section `copied_from` and levels of `quality`: all pairs scored by products of "
        "sparse matrices, then `code.candidates.pairs` (candidates and their exact scores in every view). Best pairs "
        "that are tied count as proposed when one of them is. Settings as in `settings.py` "
        f"(LARGEST_POSTING {settings.LARGEST_POSTING}, CANDIDATES_PER_FUNCTION {settings.CANDIDATES_PER_FUNCTION}, "
        f"LSH_BANDS {settings.LSH_BANDS}), and with one of them changed."
    )
    return section("candidates", "candidates against all pairs", how, demands, table(HEADER, rows))


HEADER = ("comparison", "settings", "pairs scored", "alike", "best", f"best, of {LEAST_BITS:.0f} bits", "CPU")


def _cpu(cost: Everything | Proposal) -> str:
    return f"{cost.cpu_seconds:.2f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("candidates", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
