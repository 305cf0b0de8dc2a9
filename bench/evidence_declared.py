"""Measure what is read of declared reuse: statuses of known cases, claims of independent projects, a sample to check.

`python -m bench.evidence_declared`; with `--sample` the places of forty declarations in published packages, to be read
by hand.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from bench.background import PACKAGES
from bench.null_pairs import PAIRS
from bench.section import ROOT, Demand, print_section, section, table
from bench.wheels import wheel
from detector.artifacts.credits.declarations import Declaration, declarations, is_resolvable
from detector.compare import compare
from detector.evidence import declared
from detector.model import Evidence
from detector.options import Options
from detector.read import open_target
from detector.targets import Comparison

# Suspect, reference, what is known, and the status that must come out.
CASES = (
    ("sglang==0.1.12", "vllm==0.2.7", "its model files say where they come from", "declared-where-it-stands"),
    ("mindnlp==0.2.4", "transformers==4.35.0", "ported to another framework, headers kept", "declared-in-part"),
    (
        "diffusers==0.42.1",
        "diffusers==0.27.2",
        "a later version of itself; comments name its modules",
        "declared-in-part",
    ),
)
FIXTURES = (
    ("rebadged", ("original", "cited"), "original", "names another source", "undeclared"),
    ("rebadged", ("original", "cited"), "cited", "named, and not the source", "cited-source-not-nearest"),
    ("rebadged", ("independent",), "independent", "nothing in common", "none"),
)
# The same of repositories that are measured only where a copy is given.
AFFAIR = (
    ("suspect", ("reference", "other"), "reference", "undeclared"),
    ("cited", ("llava",), "llava", "declared-elsewhere"),
)
HOW_TO_GET = (
    "Set `DETECTOR_AFFAIR` to a folder with clones of hbcbh1999/llama3v (`suspect`), theonlyengine/VQA_Model "
    "(`reference`), HwwwwwwwH/MiniCPM-V-2 (`other`), thunlp/LLaVA-UHD (`cited`) and haotian-liu/LLaVA (`llava`) to "
    "measure them too."
)
MOST_CLAIMS = 0.02
# Forty declarations of the background's packages, by a fixed seed; how many of them are right was read by hand.
SAMPLE, SEED = 40, 24
RIGHT = 38
LOSSES = frozenset({"licence-header-lost", "licence-file-lost"})


def measure(cache_folder: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Statuses of the known cases, then claims between the independent pairs, both ways."""
    demands: list[Demand] = []
    rows: list[Sequence[object]] = []
    for suspect, reference, what, status in CASES:
        targets = [str(wheel(cache_folder, each)) for each in (suspect, reference)]
        lines = _lines(targets[0], targets[1:])
        demands.append(_demand(suspect, reference, status, lines))
        rows.append((suspect, reference, what, *_told(lines)))
    for suspect, others, reference, what, status in FIXTURES:
        lines = _lines(str(ROOT / "fixtures" / suspect), [str(ROOT / "fixtures" / each) for each in others])
        ours = [line for line in lines if line.reference == reference]
        demands.append(_demand(suspect, reference, status, ours))
        rows.append((suspect, reference, what, *_told(ours)))
    rows += _affair(demands)
    claiming = list(_claiming(cache_folder))
    share = len(claiming) / (2 * len(PAIRS))
    demands.append(
        Demand(
            "independent projects one of which is said to name the other as its source",
            f"< {MOST_CLAIMS:.0%}",
            f"{len(claiming)} of {2 * len(PAIRS)}",
            share < MOST_CLAIMS,
        )
    )
    counts = _counts(cache_folder)
    return demands, [
        "Status of each reference, and what was lost.",
        table(("suspect", "reference", "what is known", "status", "declared share of bits", "lost"), rows),
        "Independent projects that name the other as a source:",
        table(("suspect", "reference", "where"), claiming) if claiming else "None.",
        f"Declarations in the {len(PACKAGES)} packages of the background that name a source which can be looked up, by "
        f"where they stand. Of {SAMPLE} drawn at random (`--sample` lists their places) {RIGHT} are right, read by "
        "hand: they say that something beside them was taken from what they name.",
        table(("where", "all", "that can be looked up"), counts),
        "" if os.environ.get("DETECTOR_AFFAIR") else HOW_TO_GET,
    ]


def _demand(suspect: str, reference: str, status: str, lines: Sequence[Evidence]) -> Demand:
    told = _told(lines)[0]
    return Demand(f"{suspect} against {reference}: status", status, told, told == status)


def _told(lines: Sequence[Evidence]) -> tuple[str, str, str]:
    status = [line for line in lines if line.name not in LOSSES]
    lost = [
        f"{line.name} {line.measures.get('files', line.measures.get('holders'))}"
        for line in lines
        if line not in status
    ]
    share = f"{float(status[0].measures.get('declared_share', 0)):.2f}" if status else ""
    return status[0].name if status else "none", share, ", ".join(lost) or "nothing"


def _lines(suspect: str, references: Sequence[str]) -> list[Evidence]:
    with ExitStack() as targets:
        repo, *others = (targets.enter_context(open_target(each)) for each in (suspect, *references))
        report = compare(repo, others, Options(jobs=2, kinds=frozenset({"declared"})))
    names = {side.name: Path(reference).name for side, reference in zip(report.references, references, strict=True)}
    return [_renamed(line, names[line.reference]) for line in report.evidence if line.kind == "declared"]


def _renamed(line: Evidence, name: str) -> Evidence:
    return Evidence(line.kind, line.name, name, line.strength, line.claim, line.innocent, line.measures)


def _affair(demands: list[Demand]) -> Iterator[Sequence[object]]:
    folder = os.environ.get("DETECTOR_AFFAIR")
    for suspect, others, reference, status in AFFAIR if folder else ():
        lines = _lines(f"{folder}/{suspect}", [f"{folder}/{each}" for each in others])
        ours = [line for line in lines if line.reference == reference]
        demands.append(_demand(suspect, reference, status, ours))
        yield suspect, reference, "a real case", *_told(ours)


def _claiming(cache_folder: Path) -> Iterator[Sequence[object]]:
    """Of each pair, both ways, what is said without comparing code."""
    for one, _, other, _, _ in PAIRS:
        for suspect, reference in ((one, other), (other, one)):
            with (
                open_target(str(wheel(cache_folder, suspect))) as repo,
                open_target(str(wheel(cache_folder, reference))) as source,
            ):
                (look,) = declared.find(Comparison(repo, "suspect", {"reference": source}))
            for line in look.evidence:
                yield suspect, reference, ", ".join(f"`{path}:{number}`" for path, number in line.places)


@cache
def _of_packages(cache_folder: Path) -> tuple[tuple[str, Declaration], ...]:
    found: list[tuple[str, Declaration]] = []
    for requirement in PACKAGES:
        with open_target(str(wheel(cache_folder, requirement))) as repo:
            found += [(requirement, each) for each in declarations(repo)[0]]
    return tuple(found)


def _counts(cache_folder: Path) -> list[Sequence[object]]:
    every = Counter(each.where for _, each in _of_packages(cache_folder))
    told = Counter(each.where for _, each in _of_packages(cache_folder) if is_resolvable(each))
    return [(where, f"{count:,}", f"{told[where]:,}") for where, count in every.most_common()]


def sample(cache_folder: Path) -> list[tuple[str, Declaration]]:
    """Declarations drawn from those of the background's packages that can be looked up, the same every time."""
    found = [each for each in _of_packages(cache_folder) if is_resolvable(each[1])]
    return random.Random(SEED).sample(found, SAMPLE)


def report(cache_folder: Path, work: Path) -> str:
    """Write the section."""
    demands, blocks = measure(cache_folder, work)
    how = "Published packages, the fixtures, and the independent pairs of `bench/null_pairs.py` as whole wheels."
    return section("evidence_declared", "declared reuse", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section, or the places of the sample."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--sample" in given:
        for requirement, each in sample(ROOT / "bench" / "cache"):
            print(f"{requirement} {each.path}:{each.line} {each.where}")
        return 0
    return print_section("evidence_declared", __doc__, report, given)


if __name__ == "__main__":
    sys.exit(main())
