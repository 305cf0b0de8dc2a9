"""Measure dangling references: how often independent projects have them, and what a known case has.

`python -m bench.evidence_dangling`; with `--names` it rewrites the list of names that several packages have.
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from bench.background import PACKAGES
from bench.null_pairs import PAIRS
from bench.section import ROOT, Demand, print_section, section, table
from bench.wheels import wheel
from detector.evidence import dangling
from detector.model import Look
from detector.patterns import PATTERNS
from detector.read import open_target
from detector.targets import Comparison

COMMON_NAMES = ROOT / "detector" / "artifacts" / "credits" / "common_names.txt"
# What one package alone calls so may be its own name for it; what a second one has is a word of the trade.
FEWEST_PACKAGES = 2
HOW_TO_GET = (
    "Set `DETECTOR_AFFAIR` to a folder with clones of hbcbh1999/llama3v (`suspect`), theonlyengine/VQA_Model "
    "(`reference`) and HwwwwwwwH/MiniCPM-V-2 (`other`) to measure the real case too."
)
# What the real case has: an entry of its auto_map.
MODULE = "modeling_minicpmv"


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Follow the names of every independent package in its counterpart, both ways, and those of the real case."""
    counts: Counter[str] = Counter()
    rows: list[Sequence[object]] = []
    compared = 0
    for one, _, other, _, _ in PAIRS:
        for suspect, reference in ((one, other), (other, one)):
            look = _look(str(wheel(cache, suspect)), [str(wheel(cache, reference))])[0]
            compared += look.examined.is_possible
            for line in look.evidence:
                counts[line.name] += 1
                places = ", ".join(f"`{path}:{number}`" for path, number in line.places)
                rows.append((suspect, reference, line.name, line.measures["names"], places))
    demands = [_null(name, counts[name], compared) for name in dangling.PATTERNS_OF.values()]
    blocks = [
        f"{2 * len(PAIRS) - compared} of {2 * len(PAIRS)} comparisons are left out: there the suspect lists the "
        f"reference as a dependency. In {len({row[:2] for row in rows})} of the other {compared} any line appears:",
        table(("suspect", "reference", "pattern", "names", "places"), rows) if rows else "None.",
    ]
    folder = os.environ.get("DETECTOR_AFFAIR")
    if not folder:
        return demands, [*blocks, HOW_TO_GET]
    names = ("reference", "other")
    looks = _look(f"{folder}/suspect", [f"{folder}/{name}" for name in names])
    told = [
        (name, line.name, line.strength.value, *(line.measures[key] for key in ("exclusive_names", "earlier_versions")))
        for name, look in zip(names, looks, strict=True)
        for line in look.evidence
    ]
    found = [line for line in looks[0].evidence if line.name == "missing-module" and MODULE in line.claim]
    demands.append(
        Demand(
            f"the real case: {MODULE} leads to the reference", "found", "found" if found else "not found", bool(found)
        )
    )
    header = ("reference", "pattern", "strength", "names that it alone has", "places that an earlier version of it has")
    return demands, [*blocks, "The real case:", table(header, told)]


def _look(suspect: str, references: Sequence[str]) -> tuple[Look, ...]:
    with ExitStack() as targets:
        repo, *others = (targets.enter_context(open_target(each)) for each in (suspect, *references))
        return dangling.find(Comparison(repo, "suspect", {f"{number}": each for number, each in enumerate(others)}))


def _null(name: str, found: int, compared: int) -> Demand:
    """What `patterns/dangling.toml` says must be what is measured."""
    null = PATTERNS[f"dangling/{name}"].null
    stated = f"{null.found} of {null.measured}" if null is not None else "none"
    measured = f"{found} of {compared}"
    return Demand(
        f"dangling/{name}: comparisons of independent packages with a line", stated, measured, stated == measured
    )


def common_names(cache: Path) -> list[str]:
    """Names of modules and folders that several of the background's packages have, in lower case."""
    counts: Counter[str] = Counter()
    for requirement in PACKAGES:
        with zipfile.ZipFile(wheel(cache, requirement)) as archive:
            paths = [PurePosixPath(name.lower()) for name in archive.namelist() if name.endswith(".py")]
        counts.update({part for path in paths for part in (path.stem, *path.parts[:-1])})
    return sorted(name for name, count in counts.items() if count >= FEWEST_PACKAGES)


def report(cache: Path, work: Path) -> str:
    """Write the section."""
    demands, blocks = measure(cache, work)
    how = "Every pair of `bench/null_pairs.py`, whole wheels, both ways; the nulls of `patterns/dangling.toml`."
    return section("evidence_dangling", "dangling references", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section, or rewrite the list of common names."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--names" in given:
        COMMON_NAMES.write_text("".join(f"{name}\n" for name in common_names(ROOT / "bench" / "cache")), "utf-8")
        return 0
    return print_section("evidence_dangling", __doc__, report, given)


if __name__ == "__main__":
    sys.exit(main())
