"""Measure what is known: the index, the hook that asks it, and the licences that it tells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import hook, index, index_safety, licences, nearby
from bench.section import Demand, print_section, section

Measured = tuple[list[Demand], list[str]]  # demands, and blocks that show what was measured
# Part -> what it is about, in the order of the section.
PARTS: dict[str, Callable[[Path, Path], Measured]] = {
    "Size, speed and recall of an index": index.measure,
    "What an index survives": index_safety.measure,
    "The hook": lambda cache, work: hook.measure(cache, work, index.million(work)),
    "Light scoring beside a comparison": nearby.measure,
    "Licences": licences.measure,
}
HOW = (
    "Each part has a module of its own, `python -m bench.NAME` prints it alone: index, index_safety, hook, nearby, "
    "licences."
)


def measure(cache: Path, work: Path) -> str:
    """Measure every part, one after the other."""
    demands: list[Demand] = []
    blocks: list[str] = []
    for title, part in PARTS.items():
        print(f"  {title.lower()}", file=sys.stderr)
        held, shown = part(cache, work)
        demands += held
        blocks += [f"### {title}", *shown]
    return section("known", "The index and the hook", HOW, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("known", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
