"""Measure what comparing the weights of two checkpoints of 2 GB costs, in processes of their own."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.process import Cost, in_fresh_process
from bench.section import Demand, megabytes, print_section, section, table
from bench.weights import large
from bench.weights.variants import INVERSE_SIGMA
from detector.model import Depth

SEED = 1
MOST_MEMORY = 512_000_000
MOST_CPU_SECONDS = 120
MOST_HEADER_SECONDS = 1.0
MOST_MAPPING_SHARE = 0.002
MOST_SAMPLE_SHARE = 0.005  # mapping, and what is looked at of each pair
MOST_SIGMA_ERROR = 0.001
Spent = dict[str, tuple[Cost, dict[str, Any]]]


def costs(work: Path) -> tuple[Spent, dict[str, int]]:
    """Make both checkpoints, compare them in every depth, delete them.

    It runs in a process of its own: a process that once was large lends that peak to those that it starts.
    """
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(dir=work))
    try:
        suspect, reference = in_fresh_process(large.make, folder, SEED)
        spent = {how: large.cost(how, suspect, reference) for how in (large.PLAIN, *Depth)}
        return spent, in_fresh_process(large.bytes_read, suspect, reference)
    finally:
        shutil.rmtree(folder)


def measure(work: Path) -> tuple[list[Demand], list[str]]:
    """Say what it cost and whether that is little enough."""
    spent, read = in_fresh_process(costs, work)
    full, told = spent[Depth.FULL]
    plain, _ = spent[large.PLAIN]
    header, of_headers = spent[Depth.HEADER]
    seconds = float(of_headers.get("seconds", math.inf))
    mapping = read["mapping"] / read["all"]
    sampled = read["sample"] / read["all"]
    sigma = float(told.get("sigma") or 0.0)
    gigabytes = read["all"] / 1e9
    demands = [
        Demand(
            f"peak memory of comparing two checkpoints of {read['all'] / 2e9:.2f} GB in full",
            f"<= {megabytes(MOST_MEMORY)}",
            megabytes(full.summed_bytes),
            full.exit_code == 0 and full.summed_bytes <= MOST_MEMORY,
        ),
        Demand(
            "CPU of it",
            f"<= {MOST_CPU_SECONDS} s",
            f"{full.cpu_seconds:.0f} s, {full.cpu_seconds / gigabytes:.1f} s for each GB that is read, "
            f"{full.cpu_seconds / plain.cpu_seconds:.1f} times reading, converting and multiplying the same bytes once",
            full.exit_code == 0 and full.cpu_seconds <= MOST_CPU_SECONDS,
        ),
        Demand(
            "one over its sigma",
            f"{INVERSE_SIGMA} within {MOST_SIGMA_ERROR:.1%}",
            f"{1 / sigma:.2f}" if sigma else "none",
            abs(sigma * INVERSE_SIGMA - 1) <= MOST_SIGMA_ERROR,
        ),
        Demand(
            "CPU of comparing their headers",
            f"< {MOST_HEADER_SECONDS:.0f} s",
            f"{seconds:.2f} s, and {header.cpu_seconds - seconds:.2f} s until Python and its libraries are there",
            header.exit_code == 0 and seconds < MOST_HEADER_SECONDS,
        ),
        Demand(
            "bytes read for mapping them",
            f"<= {MOST_MAPPING_SHARE:.1%}",
            f"{mapping:.4%}",
            mapping <= MOST_MAPPING_SHARE,
        ),
        Demand(
            "bytes read for comparing samples of them, headers included",
            f"<= {MOST_SAMPLE_SHARE:.1%}",
            f"{sampled:.4%}",
            sampled <= MOST_SAMPLE_SHARE,
        ),
    ]
    rows = [
        (
            how,
            f"{cost.cpu_seconds:.2f} s",
            f"{cost.wall_seconds:.2f} s",
            megabytes(cost.summed_bytes),
            found.get("relation", ""),
        )
        for how, (cost, found) in spent.items()
    ]
    return demands, [table(("depth", "CPU", "time", "peak memory", "relation of the weights"), rows)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""

    def whole(_: Path, work: Path) -> str:
        demands, blocks = measure(work)
        return section("evidence_weights_cost", "What comparing weights costs", "", demands, *blocks)

    return print_section("evidence_weights_cost", __doc__, whole, arguments)


if __name__ == "__main__":
    sys.exit(main())
