"""Measure what is reported between projects that solve the same task independently: nobody may be accused."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import null_pairs
from bench.section import Demand, print_section, section, table
from bench.wheels import package
from detector.compare import compare
from detector.model import Match, Relation, Report

FOLDERS = {
    "torchvision==0.17.2": "torchvision",
    "vit-pytorch==1.6.5": "vit_pytorch",
    "monai==1.3.0": "monai",
    "segmentation-models-pytorch==0.3.3": "segmentation_models_pytorch",
    "stable-baselines3==2.3.2": "stable_baselines3",
    "tianshou==0.5.1": "tianshou",
    "OpenNMT-py==3.5.0": "onmt",
    "x-transformers==1.27.0": "x_transformers",
}
PAIRS = (
    ("torchvision==0.17.2", "vit-pytorch==1.6.5", "vision transformers"),
    ("torchvision==0.17.2", "monai==1.3.0", "vision transformers"),
    ("vit-pytorch==1.6.5", "monai==1.3.0", "vision transformers"),
    ("segmentation-models-pytorch==0.3.3", "monai==1.3.0", "U-Nets"),
    ("stable-baselines3==2.3.2", "tianshou==0.5.1", "PPO"),
    ("OpenNMT-py==3.5.0", "x-transformers==1.27.0", "transformers"),
)
HARMLESS = (Relation.INDEPENDENT, Relation.COMMON_IDIOM, Relation.INCONCLUSIVE)
MOST_IN_10_000 = 1.0


def measure(cache: Path, work: Path) -> str:
    """Compare every pair in both directions."""
    found = []
    for one, other, task in PAIRS:
        there, back = (_compare(cache, *sides) for sides in ((one, other), (other, one)))
        found.append((f"{one} / {other}", task, there, back))
    return report(found)


def _compare(cache: Path, suspect: str, reference: str) -> Report:
    return compare(package(cache, suspect, FOLDERS[suspect]), [package(cache, reference, FOLDERS[reference])])


def ancestry(match: Match) -> str:
    """Name the common source of a match, "" if none is known."""
    return null_pairs.ancestry(*(f"{side.path} {side.qualname}" for side in (match.suspect, match.reference)))


def unexplained(matches: Iterable[Match]) -> list[Match]:
    """The matches without a known common source."""
    return [match for match in matches if not ancestry(match)]


def is_accused(found: Report) -> bool:
    """Whether the relation says more than is known: derived, or a shared ancestor that nobody can name."""
    if found.relation in HARMLESS:
        return False
    alone = sum(match.bits for match in unexplained(found.matches))
    return found.relation is not Relation.SHARED_ANCESTOR or alone > sum(match.bits for match in found.matches) / 2


def report(found: Sequence[tuple[str, str, Report, Report]]) -> str:
    """Write the section."""
    everything = [each for _, _, there, back in found for each in (there, back)]
    functions = sum(each.suspect.functions for each in everything)
    alone = sum(len(unexplained(each.matches)) for each in everything)
    per_10_000 = alone / functions * 10_000
    accused = sum(is_accused(each) for each in everything)
    demands = [
        Demand(
            "reported pairs that are no known shared ancestry, in 10,000 functions",
            f"<= {MOST_IN_10_000:.0f}",
            f"{per_10_000:.1f} ({alone:,} in {functions:,} functions)",
            per_10_000 <= MOST_IN_10_000,
        ),
        Demand(
            "comparisons with a relation above common idiom that known common sources do not explain",
            "0",
            f"{accused} of {len(everything)}",
            accused == 0,
        ),
    ]
    rows = [_row(*each) for each in found]
    how = (
        "`compare` in memory at the default operating point, package folders of the wheels only, both directions; a "
        "function counts in every comparison in which it is suspect. Independent as far as the named task goes: some "
        "of these packages carry code of each other or of a third one. Which, is in `bench/ancestries.toml`: written "
        "after reading the functions that were reported, so that it knows what was reported once. Below, every "
        "reported pair of the first direction; without a source, the pair counts as wrong."
    )
    lists = [f"### {name}\n\n{_listed(there.matches)}" for name, _, there, _ in found]
    return section("negatives", "independent projects", how, demands, table(HEADER, rows), *lists)


HEADER = (
    "pair",
    "task",
    "relation",
    "and back",
    "functions",
    "pairs shown",
    "and back",
    "without a known source",
    "and back",
)


def _row(name: str, task: str, there: Report, back: Report) -> tuple[object, ...]:
    return (
        name, task, _verdict(there), _verdict(back), f"{there.suspect.functions:,} / {back.suspect.functions:,}",
        len(there.matches), len(back.matches), len(unexplained(there.matches)), len(unexplained(back.matches)),
    )  # fmt: skip


def _verdict(found: Report) -> str:
    return f"{found.relation.value}, {found.strength.value}"


def _listed(matches: Sequence[Match]) -> str:
    rows = [
        (
            f"`{_place(match.suspect.path)} {match.suspect.qualname}`",
            f"`{_place(match.reference.path)} {match.reference.qualname}`",
            f"{match.similarity:.2f}",
            f"{match.bits:.0f}",
            ancestry(match),
        )
        for match in matches
    ]
    return table(("suspect", "reference", "similarity", "bits", "known source"), rows) if rows else "Nothing."


def _place(path: str) -> str:
    return path.partition("/")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("negatives", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
