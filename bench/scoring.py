"""Score a list of matches against known truth: recall, average precision, best match."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.declared import Key
from detector.evidence.code import Likeness
from detector.model import Match, Span

Pair = tuple[Key, Key]  # suspect function, reference function


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect matcher would find between B and A, by path and qualname."""

    pairs: Mapping[Pair, bool]  # (B function, A function) -> whether that very pair is declared
    universe: frozenset[Key]  # B functions that count
    a_universe: frozenset[Key]  # A functions that count

    def save(self, path: Path) -> None:
        """Write as JSON, sorted."""
        plain = {
            "pairs": sorted([*copy, *source, declared] for (copy, source), declared in self.pairs.items()),
            "universe": sorted(self.universe),
            "a_universe": sorted(self.a_universe),
        }
        path.write_text(json.dumps(plain, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Read back what `save` wrote."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        pairs = {((row[0], row[1]), (row[2], row[3])): row[4] for row in plain["pairs"]}
        universe, a_universe = (frozenset((p, q) for p, q in plain[name]) for name in ("universe", "a_universe"))
        return cls(pairs, universe, a_universe)


@dataclass(frozen=True, slots=True)
class Listed:
    """One pair that a matcher lists, with its measures."""

    pair: Pair
    similarity: float
    bits: float


@dataclass(frozen=True, slots=True)
class Result:
    """How well a list of scored pairs agrees with the truth. All 0..1."""

    declared_recall: float  # declared pairs that are listed at all
    average_precision: float
    top_1: float  # B functions with a true source whose best match is one


SIMILARITY = "similarity"
SCORES: Mapping[str, Callable[[Listed], float]] = {
    SIMILARITY: lambda listed: listed.similarity,
    "bits": lambda listed: listed.bits,
    "similarity x bits": lambda listed: listed.similarity * listed.bits,
}


def listed_in_report(report: Mapping[str, Any]) -> list[Listed]:
    """The matches of a JSON report (schema `detector-report/1`)."""
    sides = ("suspect", "reference")
    found = []
    for match in report["matches"]:
        suspect, reference = ((match[side]["path"], match[side]["qualname"]) for side in sides)
        found.append(Listed((suspect, reference), match["similarity"], match["bits"]))
    return found


def listed_in_matches(matches: Iterable[Match]) -> list[Listed]:
    """The same for matches in memory."""
    return [
        Listed(
            ((match.suspect.path, match.suspect.qualname), (match.reference.path, match.reference.qualname)),
            match.similarity,
            match.bits,
        )
        for match in matches
    ]


def listed_in_pairs(likeness: Likeness, suspects: Sequence[Span], references: Sequence[Span]) -> list[Listed]:
    """The same for every scored pair of function numbers."""
    ours, theirs = ([(span.path, span.qualname) for span in spans] for spans in (suspects, references))
    columns = (likeness.pairs.suspect, likeness.pairs.reference, likeness.similarity, likeness.pairs.shared)
    return [
        Listed((ours[suspect], theirs[reference]), similarity, bits)
        for suspect, reference, similarity, bits in zip(*(column.tolist() for column in columns), strict=True)
    ]


def evaluate(scored_pairs: Iterable[tuple[Pair, float]], truth: Truth) -> Result:
    """Compare scored pairs with the truth; functions that do not count are left out on both sides.

    Ties: pairs of one score enter the ranking together; of several best matches the share of true ones counts.
    A pair listed twice counts with its higher score.
    """
    best: dict[Pair, float] = {}
    for pair, score in scored_pairs:
        if pair[0] in truth.universe and pair[1] in truth.a_universe:
            best[pair] = max(score, best.get(pair, score))
    declared = [pair for pair, is_declared in truth.pairs.items() if is_declared]
    return Result(
        declared_recall=_share(sum(pair in best for pair in declared), len(declared)),
        average_precision=_average_precision(best, truth),
        top_1=_top_1(best, truth),
    )


def _average_precision(scored: Mapping[Pair, float], truth: Truth) -> float:
    """Sum of precision times the step in recall, over the distinct scores from high to low."""
    ranked = sorted(scored.items(), key=lambda item: -item[1])
    seen = hits = 0
    total = 0.0
    for _, group in groupby(ranked, key=lambda item: item[1]):
        pairs = [pair for pair, _ in group]
        new = sum(pair in truth.pairs for pair in pairs)
        seen += len(pairs)
        hits += new
        total += new * hits / seen
    return _share(total, len(truth.pairs))


def _top_1(scored: Mapping[Pair, float], truth: Truth) -> float:
    best: dict[Key, float] = {}
    at_best: defaultdict[Key, list[Pair]] = defaultdict(list)
    for pair, score in scored.items():
        suspect = pair[0]
        if score > best.get(suspect, float("-inf")):
            best[suspect] = score
            at_best[suspect] = []
        if score == best[suspect]:
            at_best[suspect].append(pair)
    with_source = {suspect for suspect, _ in truth.pairs}
    right = sum(
        _share(sum(pair in truth.pairs for pair in at_best[suspect]), len(at_best[suspect])) for suspect in with_source
    )
    return _share(right, len(with_source))


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
