"""Measure everything and write RESULTS.md: `python -m bench`."""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.section import HERE, MET, MISSED, ROOT, arguments, first_line, work_folder

PARTS = (
    "copied_from",
    "peers",
    "quality",
    "fixtures_gold",
    "explaining",
    "real",
    "null",
    "negatives",
    "traces",
    "evidence",
    "known",
    "scan",
    "funnel",
    "lineage",
    "distributed",
    "candidates",
    "speed",
    "memory",
)
RESULTS = HERE / "RESULTS.md"


def main(given: Sequence[str] | None = None) -> int:
    """Run each part in a process of its own; keep the sections of those that are not run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=first_line(__doc__))
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS, help="only these; the other sections stay")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the file to write")
    options = arguments(parser).parse_args(given)
    known = sections(options.output.read_text("utf-8")) if options.output.exists() else {}
    for part in options.part:
        print(f"measuring {part}", file=sys.stderr)
        known[part] = run_part(part, options.cache.absolute(), work_folder(options))
        # After each part: a failure later must not lose what has been measured.
        options.output.write_text(page(known, platform.python_version(), processors()), "utf-8")
    return 0


def run_part(part: str, cache: Path, work: Path) -> str:
    """The section that a part prints."""
    command = [sys.executable, "-m", f"bench.{part}", "--cache", str(cache), "--work", str(work)]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def sections(text: str) -> dict[str, str]:
    """The sections of a page, by part."""
    found = re.split(r"^(?=## (?:" + "|".join(PARTS) + r"): )", text, flags=re.MULTILINE)[1:]
    return {section[3:].partition(":")[0]: section.rstrip("\n") + "\n" for section in found}


def page(known: Mapping[str, str], python: str, cores: int) -> str:
    """Lay out the page: how to make it, what is met and missed, the sections in a fixed order."""
    chosen = [known[part] for part in PARTS if part in known]
    verdicts = [line for section in chosen for line in section.splitlines() if line.startswith(f"- **{MET}")]
    missed = [
        f"- `{part}`: {line.partition(': ')[2]}"
        for part in PARTS
        if part in known
        for line in known[part].splitlines()
        if line.startswith(f"- **{MISSED}")
    ]
    head = (
        "# Results\n\n"
        "Written by `python -m bench`; one part alone: `python -m bench --part NAME`, or `python -m bench.NAME` to "
        "print it. "
        f"Python {python}, {cores} cores. Packages are wheels from PyPI, by name and version.\n\n"
        f"{len(verdicts)} demands are met, {len(missed)} are missed"
    )
    summary = f"{head}:\n\n" + "\n".join(missed) + "\n" if missed else f"{head}.\n"
    return "\n".join([summary, *chosen])


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
