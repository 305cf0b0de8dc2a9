"""Bring what the documentation shows of the program up to date: `.venv/bin/python docs/images/draw.py`.

That is the README's picture and output block, and the table of numbers on the method page. Picture and block show a
real run on the fixtures, but for cuts that are marked. The picture uses the reader's own fonts: nothing is fetched.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from detector import settings

ROOT = Path(__file__).resolve().parents[2]
README, METHOD = ROOT / "README.md", ROOT / "docs" / "method.md"
PROJECTS = [f"fixtures/{name}" for name in ("rebadged", "original", "cited", "independent")]
WIDTH = 100
SHOWN = 2  # matches above the cut
EVIDENCE, TABLES = "Evidence, and what else would explain it", "Tables to check the evidence by"
LINE = re.compile(r"  (?:none|weak|moderate|strong|very strong)  [a-z]+/[a-z-]+  \S+")
LINES = (  # of evidence that are shown
    "code/rewritten-function",
    "dangling/missing-class",
    "structure/same-tensors-renamed",
    "tokenizer/same-changes",
    "weights/noised-copy",
    "declared/cited-source-not-nearest",
)
FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
ON_A_TERMINAL = (
    "import sys; from detector.cli import run; sys.stdout.isatty = lambda: True; sys.exit(run(sys.argv[1:]))"
)


def report() -> list[str]:
    """The lines of the report as a terminal of this width shows them, with their colours."""
    command = [sys.executable, "-c", ON_A_TERMINAL, "compare", *PROJECTS, "--quiet", "--exit-zero"]
    environment = {"COLUMNS": str(WIDTH), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def cut(lines: list[str]) -> list[str]:
    """Leave out what lies between the first matches and what follows them, most lines of evidence, and the tables."""
    plain = [Text.from_ansi(line).plain for line in lines]
    matches = [number for number, line in enumerate(plain) if " bits  similarity " in line]
    after, ledger, tables, end = map(plain.index, ("Files", EVIDENCE, TABLES, "Nothing to look at"))
    found = next(int(line.split()[1]) for line in plain if line.startswith("Matches: "))
    entries = [number for number in range(ledger + 1, tables) if LINE.fullmatch(plain[number])]
    ends = [*entries[1:], tables - 1]
    shown = [
        line
        for first, last in zip(entries, ends, strict=True)
        if plain[first].split()[-2] in LINES
        for line in lines[first:last]
    ]
    return [
        *lines[: matches[SHOWN]],
        _marker(f"{found - SHOWN} more matches"),
        "",
        *lines[after : ledger + 1],
        *shown,
        _marker(f"{len(entries) - len(LINES)} more lines of evidence, and the tables to check them by,"),
        "",
        *lines[end:],
    ]


def _marker(what: str) -> str:
    return f"\x1b[2m  [... {what} cut ...]\x1b[0m"


def svg(lines: list[str]) -> str:
    """Draw a terminal window with these lines."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ detector compare {' '.join(PROJECTS)}\n", "bold"))
    console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)
    console.print()
    drawn = console.export_svg(title="detector", unique_id="detector")
    drawn = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code, monospace", FONTS)


def main() -> None:
    """Write the picture, the block and the numbers."""
    lines = cut(report())
    Path(__file__).with_name("compare.svg").write_text(svg(lines), encoding="utf-8")
    block = "\n".join(Text.from_ansi(line).plain.rstrip() for line in lines)
    readme = README.read_text(encoding="utf-8")
    readme = re.sub(
        r"(?<=^```text\n).*?(?=^```$)", lambda _: block + "\n", readme, count=1, flags=re.DOTALL | re.MULTILINE
    )
    README.write_text(readme, encoding="utf-8")
    method = METHOD.read_text(encoding="utf-8")
    method = re.sub(r"(?<=^\| `)([A-Z_]+)` \| .*(?= \|$)", _number, method, flags=re.MULTILINE)
    METHOD.write_text(method, encoding="utf-8")


def _number(row: re.Match[str]) -> str:
    return f"{row[1]}` | {getattr(settings, row[1])}"


if __name__ == "__main__":
    main()
