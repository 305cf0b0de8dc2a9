"""Measure comparisons of published projects of which one is built on the other, as a user runs them."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.process import Cost, run
from bench.section import ROOT, Demand, megabytes, print_section, section, table
from bench.wheels import wheel

PAIRS = (("mindnlp==0.2.4", "transformers==4.35.0"), ("sglang==0.1.12", "vllm==0.2.7"))
LARGEST_BYTES = 2_000_000_000
FIRST = 200
LEFT_OVER = 0.15  # similarity of matches of which both functions have better partners
SAME_NAMES = {"construct": "forward"}  # MindSpore's name for what PyTorch calls forward


@dataclass(frozen=True, slots=True)
class Named:
    """How many matches, strongest first, join two functions of one name."""

    first: float
    everything: float
    matches: int


def measure(cache: Path, work: Path) -> str:
    """Run every pair."""
    demands: list[Demand] = []
    rows: list[tuple[object, ...]] = []
    by_basis: list[tuple[object, ...]] = []
    for suspect, reference in PAIRS:
        cost, found = _compare(wheel(cache, suspect), wheel(cache, reference))
        name = f"{suspect} against {reference}"
        demands += [_ends_well(name, cost), _fits(name, cost)]
        rows.append((name, *_row(cost, found, named(found["matches"]))))
        by_basis += [
            (name, basis, f"{each.everything:.3f} of {each.matches:,}") for basis, each in bases(found["matches"])
        ]
    how = (
        f"`detector compare --format json SUSPECT REFERENCE` on two wheels. Precision by name: of the {FIRST} "
        "strongest matches (by bits), and of all, the share whose last names agree (`construct` counts as `forward`): "
        "a lower bound of what is right, since a renamed copy counts as wrong. Memory: as in the section `memory`."
    )
    told = "The same by what a match rests on; those that rest on the project alone also by similarity."
    tables = table(HEADER, rows), told, table(("suspect against reference", "basis", "same name"), by_basis)
    return section("real", "projects that build on another one", how, demands, *tables)


def _compare(suspect: Path, reference: Path) -> tuple[Cost, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "report.json"
        command = [sys.executable, "-m", "detector", "compare", str(suspect), str(reference), "--format", "json"]
        cost = run([*command, "--quiet", "--output", str(output)], ROOT)
        if not output.exists():
            raise SystemExit(f"exit code {cost.exit_code} of a comparison of {suspect.name} with {reference.name}")
        return cost, json.loads(output.read_text("utf-8"))


def named(matches: Sequence[Mapping[str, Any]]) -> Named:
    """Count agreement of names among matches in the order of a report."""
    agree = [_last_name(match["suspect"]) == _last_name(match["reference"]) for match in matches]
    return Named(_share(agree[:FIRST]), _share(agree), len(agree))


def bases(matches: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Named]]:
    """Agreement of names for each basis that occurs."""
    for basis in dict.fromkeys(match["basis"] for match in matches):
        yield basis, named([match for match in matches if match["basis"] == basis])
    left_over = [match for match in matches if match["basis"] == "project" and match["similarity"] < LEFT_OVER]
    if left_over:
        yield f"project, similarity below {LEFT_OVER}", named(left_over)


def _last_name(side: Mapping[str, Any]) -> str:
    name = str(side["qualname"]).rpartition(".")[2]
    return SAME_NAMES.get(name, name)


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _ends_well(name: str, cost: Cost) -> Demand:
    return Demand(f"{name}: ends without an error", "0 or 1", f"exit code {cost.exit_code}", cost.exit_code in {0, 1})


def _fits(name: str, cost: Cost) -> Demand:
    measured = f"{megabytes(cost.summed_bytes)} in {cost.processes} processes"
    return Demand(
        f"{name}: peak memory, all processes together",
        f"< {megabytes(LARGEST_BYTES)}",
        measured,
        cost.summed_bytes < LARGEST_BYTES,
    )


HEADER = (
    "suspect against reference", "relation", "strength", "functions", "matches", f"same name, first {FIRST}",
    "same name, all", "CPU", "wall", "largest process",
)  # fmt: skip


def _row(cost: Cost, found: Mapping[str, Any], agreement: Named) -> tuple[object, ...]:
    functions = " against ".join(f"{side['functions']:,}" for side in (found["suspect"], *found["references"]))
    return (
        found["relation"], found["strength"], functions, f"{agreement.matches:,}", f"{agreement.first:.3f}",
        f"{agreement.everything:.3f}", f"{cost.cpu_seconds:.1f} s", f"{cost.wall_seconds:.1f} s",
        megabytes(cost.largest_bytes),
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("real", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
