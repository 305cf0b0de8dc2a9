"""Measure licences: how often texts and metadata of published packages are recognised, and whether they agree."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.section import Demand, print_section, section, table
from detector.artifacts.licences.expressions import narrowest
from detector.artifacts.licences.project import Licences, of_project
from detector.artifacts.licences.statements import CLASSIFIER, EXPRESSION, FIELD, TEXT, Statement
from detector.read import open_target

LEAST_RIGHT = 0.95
KINDS = {TEXT: "licence text", EXPRESSION: "`License-Expression`", FIELD: "`License`", CLASSIFIER: "classifiers"}


@dataclass(frozen=True, slots=True)
class Package:
    """One wheel, and what it says of its licence."""

    name: str
    licences: Licences
    seconds: float  # of the processor, reading it out of the wheel included

    def of(self, kind: str) -> list[Statement]:
        """Its statements of one kind."""
        return [each for each in self.licences.statements if each.where == kind]

    def expression(self, kind: str) -> str:
        """What one kind of statement comes to where it is one; "" if it leaves it open."""
        found = {narrowest(each.meant) for each in self.of(kind) if each.is_sure} - {""}
        return next(iter(found)) if len(found) == 1 else ""


def packages(cache: Path) -> list[Package]:
    """Every wheel in the cache."""
    found = []
    for path in sorted(cache.glob("*.whl")):
        with open_target(str(path)) as repo:
            begun = time.process_time()
            licences = of_project(repo.files)
            found.append(Package(path.name.rsplit("-", 3)[0], licences, time.process_time() - begun))
    return found


def right(package: Package, kind: str) -> tuple[bool, list[str]]:
    """Whether a text was recognised surely as what the maker states, and the sure ones that it does not state."""
    truth = package.expression(kind)
    names = truth.replace("(", " ").replace(")", " ").split()
    sure = [each for each in package.of(TEXT) if each.is_sure and each.meant]
    fitting = [each for each in sure if not each.meant.isdisjoint(names)]
    # Another licence beside the stated one is what the package brings along.
    wrong = [narrowest(each.meant) for each in sure if each not in fitting] if not fitting else []
    return bool(fitting), wrong


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Read all wheels, and hold their texts against what their metadata states."""
    del work  # nothing is built
    found = packages(cache)
    demands = []
    for kind in (EXPRESSION, FIELD):
        stated = [each for each in found if each.expression(kind) and each.of(TEXT)]
        results = [right(each, kind) for each in stated]
        count, missed = (
            sum(is_right for is_right, _ in results),
            [each.name for each, (is_right, _) in zip(stated, results, strict=True) if not is_right],
        )
        share = count / max(len(stated), 1)
        told = f"{count} of {len(stated)}" + (f" (not: {', '.join(missed)})" if missed else "")
        what = f"licence files recognised surely as what {KINDS[kind]} states"
        demands.append(Demand(what, f">= {LEAST_RIGHT:.0%}", told, share >= LEAST_RIGHT))
        wrong = [f"{each.name}: {', '.join(names)}" for each, (_, names) in zip(stated, results, strict=True) if names]
        what = f"sure texts of another licence than {KINDS[kind]} states"
        demands.append(Demand(what, "0", "; ".join([str(len(wrong)), *wrong]), not wrong))
    return demands, [_counts(found), _expressions(found), _disagreements(found), _unrecognised(found)]


def _counts(found: Sequence[Package]) -> str:
    rows: list[tuple[str, int, int]] = []
    for kind, name in KINDS.items():
        there = [each for each in found if each.of(kind)]
        one = [each for each in there if each.expression(kind)]
        rows.append((name, len(there), len(one)))
    whole = [each for each in found if each.licences.expression]
    rows.append(
        ("all together", len(whole), sum(not each.licences.expression.startswith("LicenseRef-") for each in whole))
    )
    seconds = sorted(each.seconds for each in found)
    told = (
        f"{len(found)} wheels. What each says is read in {seconds[len(seconds) // 2] * 1000:.1f} ms of the "
        f"processor (median), {seconds[-1] * 1000:.0f} ms at most, tables that are loaded once included."
    )
    return f"{told}\n\n{table(('statement', 'wheels with it', 'that give one SPDX expression'), rows)}"


def _expressions(found: Sequence[Package]) -> str:
    counts = Counter(each.licences.expression or "none told" for each in found)
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return table(("expression of the project", "wheels"), rows)


def _disagreements(found: Sequence[Package]) -> str:
    rows = [(each.name, each.licences.expression, said) for each in found for said in each.licences.contradictions]
    return f"Statements of one wheel that contradict each other:\n\n{table(('wheel', 'told', 'contradiction'), rows)}"


def _unrecognised(found: Sequence[Package]) -> str:
    rows = [
        (each.name, text.path.rpartition("/")[2], text.said, ", ".join(sorted(text.meant)))
        for each in found
        for text in each.of(TEXT)
        if not (text.is_sure and text.meant)
    ]
    files = sum(len({text.path for text in each.of(TEXT)}) for each in found)
    about = f"Of {files} licence files, {len(rows)} hold no text that is surely known:"
    return f"{about}\n\n{table(('wheel', 'file', 'reading', 'like'), rows)}"


def report(demands: Sequence[Demand], blocks: Sequence[str]) -> str:
    """Write the section."""
    how = (
        "The licence files and metadata of all wheels of the cache. What a maker states in `License-Expression`, or in "
        "a `License` field whose words have one meaning, is taken for true; a text counts as recognised where it was "
        "surely that licence's. Where the GPL's text leaves \"or later\" open, either is right."
    )
    return section("licences", "Licences", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("licences", __doc__, lambda cache, work: report(*measure(cache, work)), arguments)


if __name__ == "__main__":
    sys.exit(main())
