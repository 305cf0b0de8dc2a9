"""Measure relation and strength over everything that is known: independent pairs, planted copies, declared ones."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import quality
from bench.negatives import ancestry
from bench.null_pairs import PAIRS
from bench.section import ROOT, Demand, table
from bench.traces import is_declared
from bench.wheels import wheel
from detector.compare import compare
from detector.judge import Link, judge
from detector.model import Basis, Match, Relation, Report
from detector.options import Options
from detector.read import open_target

HARMLESS = (Relation.INDEPENDENT, Relation.COMMON_IDIOM, Relation.INCONCLUSIVE)
DERIVED = (Relation.DERIVED_UNDECLARED, Relation.DERIVED_DECLARED, Relation.IDENTICAL)
# Real copies whose files say what most of them come from, and one that says it of a fifth.
DECLARED = ("sglang==0.1.12", "vllm==0.2.7")
PARTLY_DECLARED = ("mindnlp==0.2.4", "transformers==4.35.0")
FIXTURES = ROOT / "fixtures"
CREDIT = "# kestrel\n\nThis is a fork of [heronvl](https://github.com/heron-labs/heronvl).\n"
# Public repositories by their role, see `bench.evidence`: suspect, reference, and whether the source is declared.
PUBLIC = (("suspect", "reference", False), ("cited", "llava", True))
COPY = ("rebadged", "original")
LEVELS = tuple(f"L{level}" for level in range(1, 9))
# Kinds whose lines would be new between projects that have nothing in common: code and its traces have benches of their
# own, and what a suspect says of itself is no likeness.
BESIDE = ("dangling", "history", "config", "structure", "tokenizer", "weights", "behaviour")


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison, and what is left of its relation once everything with a known source is set aside."""

    suspect: str
    reference: str
    report: Report
    left: Relation


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Compare them all, with every kind of evidence."""
    independent = [_independent(cache, *(pair[0], pair[2])) for pair in PAIRS]
    planted = [*_disguised(cache, work), *_fixtures(), _wheels(cache, PARTLY_DECLARED)]
    declared = [_wheels(cache, DECLARED), _credited()]
    for suspect, reference, is_said in PUBLIC:
        if folder := os.environ.get("DETECTOR_AFFAIR"):
            targets = [str(Path(folder) / name) for name in (suspect, reference)]
            (declared if is_said else planted).append(_compared(f"public: {suspect}", reference, *targets))
    return _demands(independent, planted, declared), _blocks(independent, planted, declared)


def _compared(suspect: str, reference: str, *targets: str) -> Case:
    with open_target(targets[0]) as one, open_target(targets[1]) as other:
        report = compare(one, [other], Options(most_explained=0))
    return Case(suspect, reference, report, report.relation)


def _independent(cache: Path, suspect: str, reference: str) -> Case:
    with open_target(str(wheel(cache, suspect))) as one, open_target(str(wheel(cache, reference))) as other:
        report = compare(one, [other], Options(most_explained=0))
        reads = one.files.read, other.files.read
        unknown = [match for match in report.matches if not (ancestry(match) or _is_declared(match, *reads))]
    return Case(suspect, reference, report, _relation_of(unknown, report))


def _is_declared(match: Match, *reads: Callable[[str], bytes]) -> bool:
    """Whether one of the two files says that something in it comes from elsewhere."""
    return match.is_declared or is_declared((match.suspect.path, match.reference.path), *reads)


def _relation_of(matches: Sequence[Match], report: Report) -> Relation:
    """The relation without the matches of a known source."""
    if report.relation in HARMLESS:
        return report.relation
    strong = [match for match in matches if match.basis is Basis.ALONE]
    bits = sum(match.own_bits for match in strong)
    share = report.attribution[0].share_of_suspect * sum(match.own_bits for match in matches)
    link = Link(
        bits=sum(match.own_bits for match in matches),
        strong_functions=len(strong),
        strong_bits=bits,
        declared_bits=0.0,
        share_of_suspect=share / max(report.attribution[0].bits, 1e-9),
        unchanged_share=0.0,
        suspect_functions=report.suspect.functions,
        reference_functions=report.references[0].functions,
    )
    return judge(link, [line for line in report.evidence if line.kind in BESIDE]).relation


def _disguised(cache: Path, work: Path) -> list[Case]:
    """vit-pytorch at every level of disguise against itself."""
    package = quality.PACKAGES[0]
    quality.prepare(cache, work, [package], LEVELS)
    return [
        _compared(
            f"{package.name}, {level}",
            package.requirement,
            str(work / "quality" / package.name / level / "files"),
            str(wheel(cache, package.requirement)),
        )
        for level in LEVELS
    ]


def _fixtures() -> list[Case]:
    return [_compared("fixtures/rebadged", "fixtures/original", *(str(FIXTURES / name) for name in COPY))]


def _credited() -> Case:
    """The copied fixture with a README that credits the right source."""
    with tempfile.TemporaryDirectory(prefix="detector-bench-") as folder:
        place = Path(folder) / "rebadged"
        shutil.copytree(FIXTURES / "rebadged", place)
        (place / "README.md").write_text(CREDIT, encoding="utf-8")
        return _compared("fixtures/rebadged, credits it", "fixtures/original", str(place), str(FIXTURES / COPY[1]))


def _wheels(cache: Path, pair: tuple[str, str]) -> Case:
    return _compared(*pair, *(str(wheel(cache, each)) for each in pair))


def _demands(independent: Sequence[Case], planted: Sequence[Case], declared: Sequence[Case]) -> list[Demand]:
    above = [case for case in independent if case.left not in HARMLESS]
    lines = [case for case in independent if _beside(case.report)]
    derived = [case for case in planted if case.report.relation in (Relation.DERIVED_UNDECLARED, Relation.IDENTICAL)]
    said = [case for case in declared if case.report.relation is Relation.DERIVED_DECLARED]
    return [
        Demand(
            "independent pairs above common idiom, once known sources and declared reuse are set aside",
            "none",
            f"{len(above)} of {len(independent)}",
            not above,
        ),
        Demand(
            "independent pairs with a line beside code that supports anything",
            "told",
            f"{len(lines)} of {len(independent)}",
            True,
        ),
        Demand("planted copies that are derived", "all", f"{len(derived)} of {len(planted)}", derived == [*planted]),
        Demand("declared copies that are declared", "all", f"{len(said)} of {len(declared)}", said == [*declared]),
    ]


def _beside(report: Report) -> list[str]:
    return [
        f"{line.kind}/{line.name} ({line.strength})"
        for line in report.evidence
        if line.kind in BESIDE and line.strength != "none"
    ]


def _blocks(independent: Sequence[Case], planted: Sequence[Case], declared: Sequence[Case]) -> list[str]:
    relations: Mapping[str, int] = Counter(case.report.relation.value for case in independent)
    counted = ", ".join(f"{count} {relation}" for relation, count in sorted(relations.items()))
    head = ("suspect", "reference", "relation", "strength", "lines beside code")
    telling = [case for case in independent if case.report.relation not in HARMLESS or _beside(case.report)]
    return [
        f"Relations of the {len(independent)} independent pairs as reported: {counted}. Those above it, and what "
        "is left of them without matches of a known source (`bench/ancestries.toml`, or a file that says so):",
        table(
            (*head[:4], "left", head[4]),
            ((*_row(case)[:4], case.left.value, _row(case)[4]) for case in telling),
        ),
        "Planted and declared copies:",
        table(head, map(_row, [*planted, *declared])),
    ]


def _row(case: Case) -> tuple[str, ...]:
    report = case.report
    return (
        case.suspect,
        case.reference,
        report.relation.value,
        report.strength.value,
        ", ".join(_beside(report)) or "none",
    )


def main() -> int:
    """Print the part alone."""
    demands, blocks = measure(ROOT / "bench/cache", ROOT / "bench/cache/variants")
    print("\n\n".join(["\n".join(demand.line() for demand in demands), *blocks]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
