"""Measure what is known: the index, the hook that asks it, and the licences that it tells."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import hook, index, index_safety, licences, nearby
from bench.section import Parts, print_section, section_of

# Part -> what it is about, in the order of the section.
PARTS: Parts = {
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
    return section_of("known", "The index and the hook", HOW, PARTS, cache, work)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("known", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
