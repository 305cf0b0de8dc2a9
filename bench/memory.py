"""Measure the memory of comparing a repository of more than a million lines with a small one."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.process import Cost, run
from bench.section import ROOT, Demand, megabytes, print_section, section, table
from bench.wheels import python_files, wheel

PACKAGES = (
    "transformers==4.40.2",
    "diffusers==0.42.1",
    "timm==1.0.31",
    "monai==1.3.0",
    "mindnlp==0.2.4",
)
SMALL = "vit-pytorch==1.6.5"
LEAST_LINES = 1_200_000
LARGEST_BYTES = 1_500_000_000
JOBS = 2  # fixed: every process more holds its own interpreter and libraries


def measure(cache: Path, work: Path) -> str:
    """Unpack the wheels side by side, compare in both directions."""
    small = wheel(cache, SMALL)
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "large"
        names, lines = unpack(cache, PACKAGES, tree, LEAST_LINES)
        runs = {"as suspect": _compare(tree, small), "as reference": _compare(small, tree)}
    return report(names, lines, runs)


def unpack(cache: Path, requirements: Iterable[str], tree: Path, least_lines: int) -> tuple[list[str], int]:
    """Write the Python files of wheels into one folder until there are enough lines."""
    names: list[str] = []
    lines = 0
    for requirement in requirements:
        if lines >= least_lines:
            break
        names.append(requirement)
        for file in python_files(wheel(cache, requirement)):
            lines += file.data.count(b"\n")
            target = tree / requirement / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
    return names, lines


def _compare(suspect: Path, reference: Path) -> Cost:
    command = [sys.executable, "-m", "detector", "compare", str(suspect), str(reference), "--format", "json", "--quiet"]
    cost = run([*command, "--jobs", str(JOBS)], ROOT)
    if cost.exit_code not in {0, 1, 3}:
        raise SystemExit(f"exit code {cost.exit_code} of a comparison of {suspect.name} with {reference.name}")
    return cost


def report(names: Sequence[str], lines: int, runs: dict[str, Cost]) -> str:
    """Write the section."""
    demands = [
        Demand(
            f"peak memory with the large repository {role}, all processes together",
            f"< {megabytes(LARGEST_BYTES)}",
            f"{megabytes(cost.summed_bytes)}, {megabytes(cost.largest_bytes)} of it the largest process",
            cost.summed_bytes < LARGEST_BYTES,
        )
        for role, cost in runs.items()
    ]
    rows = [
        (role, cost.exit_code, f"{cost.cpu_seconds:.1f} s", f"{cost.wall_seconds:.1f} s", cost.processes)
        for role, cost in runs.items()
    ]
    how = (
        f"`detector compare --jobs {JOBS} --format json` between one folder of {lines:,} lines ({', '.join(names)}) "
        f"and {SMALL}. Memory is `VmHWM` of every process of the run, read from /proc until it ends, summed: no less "
        "than what they held at any one time."
    )
    header = ("large repository", "exit code", "CPU", "wall", "processes seen")
    return section("memory", "a repository of more than a million lines", how, demands, table(header, rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("memory", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
