"""What every measurement writes: a section that says how it was measured, what was demanded, and what came out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
MET, MISSED = "met", "missed"


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand, and whether it is met."""

    what: str
    demanded: str
    measured: str
    is_met: bool

    def line(self) -> str:
        """As a list item that begins with the verdict."""
        return f"- **{MET if self.is_met else MISSED}**: {self.what}: {self.measured} (demanded: {self.demanded})"


def section(part: str, title: str, how: str, demands: Sequence[Demand], *blocks: str) -> str:
    """Lay out one section; its heading begins with the module that measures it."""
    verdicts = "\n".join(demand.line() for demand in demands)
    return "\n\n".join(block for block in (f"## {part}: {title}", how, verdicts, *blocks) if block) + "\n"


Measured = tuple[list[Demand], list[str]]  # demands, and blocks that show what was measured
Parts = Mapping[str, Callable[[Path, Path], Measured]]  # what each part is about -> how it is measured


def section_of(part: str, title: str, how: str, parts: Parts, cache: Path, work: Path) -> str:
    """Measure several parts, one after the other, and lay out one section."""
    demands: list[Demand] = []
    blocks: list[str] = []
    for about, measure in parts.items():
        print(f"  {about.lower()}", file=sys.stderr)
        held, shown = measure(cache, work)
        demands += held
        blocks += [f"### {about}", *shown]
    return section(part, title, how, demands, *blocks)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a table; what would end a cell early is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def megabytes(size: float) -> str:
    """Bytes, to be read."""
    return f"{size / 1e6:,.0f} MB"


def arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what every part takes."""
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="where the wheels are, or are downloaded to")
    parser.add_argument("--work", type=Path, help="where built variants are kept (in the cache by default)")
    return parser


Measure = Callable[[Path, Path], str]  # cache and work folder -> section


def print_section(part: str, about: str | None, measure: Measure, given: Sequence[str] | None) -> int:
    """Be the command line of one part: measure, print the section."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{part}", description=first_line(about))
    options = arguments(parser).parse_args(given)
    print(measure(options.cache.absolute(), work_folder(options)), end="")
    return 0


def work_folder(options: argparse.Namespace) -> Path:
    """Where built variants are kept."""
    folder: Path = options.work or options.cache / "variants"
    return folder.absolute()


def first_line(about: str | None) -> str:
    """What a module's docstring begins with."""
    return (about or "").partition("\n")[0]
