"""Measure scans: a hub on loopback, the funnel, lineages, and what goes beyond one machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import distributed, funnel, lineage, scan
from bench.section import Parts, print_section, section_of

# Part -> what it is about, in the order of the section.
PARTS: Parts = {
    "A hub that is scanned": scan.measure,
    "The funnel of a scan": funnel.measure,
    "Lineage": lineage.measure,
    "Partitions on Ray beside one SQLite file": distributed.measure,
}
HOW = (
    "Each part has a module of its own, `python -m bench.NAME` prints it alone: scan, funnel, lineage, distributed. "
    "The hub of the first is generated and served by olah on loopback, from git, to the hub's own client."
)


def measure(cache: Path, work: Path) -> str:
    """Measure every part, one after the other."""
    return section_of("scans", "Scheduled scans, lineage, and beyond one machine", HOW, PARTS, cache, work)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("scans", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
