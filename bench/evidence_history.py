"""Measure the evidence of git histories: what unrelated packages and repositories share, and real copies.

Packages are downloaded. Repositories are used if local copies are given: `DETECTOR_REPOSITORIES` names a folder with
clones of `UNRELATED`, each called `owner+name`; `DETECTOR_AFFAIR` one with clones of `AFFAIR`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench.section import Demand, print_section, section, table
from bench.shared_files import Sharing, requirements, sharings
from detector.artifacts.histories.lives import lives
from detector.evidence import history
from detector.model import Evidence, Look
from detector.patterns import PATTERNS
from detector.read import open_target
from detector.targets import Comparison

# Repositories that have nothing to do with each other, at the commits that were measured.
UNRELATED: Mapping[str, str] = {
    "ZhuiyiTechnology+roformer": "dfc678ad506fc527ba17ead8db23cbe4d947a9b4",
    "artidoro+qlora": "7f4e95a68dc076bea9b3a413d2b512eca6d004e5",
    "facebookresearch+DiT": "ed81ce2229091fd4ecc9a223645f95cf379d582b",
    "jaywalnut310+vits": "2e561ba58618d021b5b8323d3765880f7e0ecfdb",
    "karpathy+nanoGPT": "3adf61e154c3fe3fca428ad6bc3818b27a3b8291",
    "lucidrains+vit-pytorch": "69d24fe9e3024c0d4b02761123b8583a24ebed1e",
    "microsoft+LoRA": "c4593f060e6a368d7bb5af5273b8e42810cdef90",
    "openai+CLIP": "d05afc436d78f1c48dc0dbf8e5980a9d471f35f6",
    "princeton-nlp+SimCSE": "49fa580a853752ede55b8c76d9debf748e214d3f",
    "tloen+alpaca-lora": "8bb8579e403dc78e37fe81ffbb253c413007323f",
    "vwxyzjn+cleanrl": "fe8d8a03c41a7ef5b523e2e354bd01c363e786bb",
}
AFFAIR: Mapping[str, str] = {
    "suspect": "github.com/hbcbh1999/llama3v",
    "reference": "github.com/theonlyengine/VQA_Model",
    "other": "github.com/HwwwwwwwH/MiniCPM-V-2",
    "cited": "github.com/thunlp/LLaVA-UHD",
    "llava": "github.com/haotian-liu/LLaVA",
}
# The first commit of LLaVA-UHD.
UHD = "cited@8eb1c97ea0c51a9dabb0344007731540d56e2007"
TOKENIZER = "288bd3afd90fea91887c711ea0a6554f9145aae5"
# The lines that support something; the others only date or set aside.
TELLING = ("same-commits", "same-blobs", "same-trees", "imported-then-renamed", "trace-removed", "residue")
MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Timed:
    """What a comparison of histories gave, and how long it took from opening the targets on."""

    look: Look
    seconds: float

    def line(self, name: str) -> Evidence | None:
        """A line of the ledger."""
        return next((each for each in self.look.evidence if each.name == name), None)

    def measure(self, name: str, of: str) -> float:
        """A number of a line; 0 if there is no such line."""
        found = self.line(name)
        return float(found.measures[of]) if found is not None else 0.0

    def listed(self) -> str:
        """All lines and their support."""
        return ", ".join(f"{line.name} {line.strength.value}" for line in self.look.evidence)

    def event(self, side: str, kind: str) -> str:
        """When something happened first."""
        return next((each.at for each in self.look.events if (each.side, each.kind) == (side, kind)), "")


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Count what unrelated projects share; compare the real repositories that are there."""
    demands, blocks = _packages(cache)
    for variable, part in (("DETECTOR_REPOSITORIES", _repositories), ("DETECTOR_AFFAIR", _affair)):
        folder = os.environ.get(variable)
        if folder:
            more_demands, more_blocks = part(Path(folder))
            demands += more_demands
            blocks += more_blocks
        else:
            names = ", ".join(UNRELATED if variable == "DETECTOR_REPOSITORIES" else AFFAIR.values())
            blocks.append(f"Not measured here: `{variable}` names no folder with clones of {names}.")
    return demands, blocks


def compared(suspect: str, reference: str, names: tuple[str, str]) -> Timed:
    """Compare two histories by targets."""
    started = time.perf_counter()
    with ExitStack() as targets:
        one, other = (targets.enter_context(open_target(target)) for target in (suspect, reference))
        repos = replace(one, name=names[0]), replace(other, name=names[1])
        (look,) = history.find(Comparison(repos[0], names[0], {names[1]: repos[1]}))
    return Timed(look, time.perf_counter() - started)


# --- what unrelated projects share ---


def _packages(cache: Path) -> tuple[list[Demand], list[str]]:
    pairs, found = sharings(cache)
    folders = sum(bool(each.folders) for each in found)
    files = sum(bool(each.files) for each in found)
    demands = [
        _null("pairs of independent packages that share a file", "history/same-blobs", pairs, files),
        _null("pairs of independent packages that share a folder", "history/same-trees", pairs, folders),
    ]
    how = (
        f"Every two of {len(requirements())} packages of `bench/null_pairs.py`, none of which the table of widely "
        "owned files was made of: pairs that share a file or a folder byte for byte, templates and the like aside."
    )
    return demands, [how, table(("package", "package", "files", "Python", "an example"), _sharing_rows(found))]


def _null(what: str, pattern: str, measured: int, found: int) -> Demand:
    """Hold a null of the ledger against what is counted here."""
    null = PATTERNS[pattern].null
    told = (null.measured, null.found) if null is not None else (0, 0)
    return Demand(
        what, f"{told[1]} of {told[0]:,}, as the ledger says", f"{found} of {measured:,}", told == (measured, found)
    )


def _sharing_rows(found: Sequence[Sharing]) -> Iterator[Sequence[object]]:
    for each in found:
        python = sum(owned.path.endswith(".py") for owned in each.files)
        example = each.files[0].path if each.files else each.folders[0].path
        yield each.one, each.other, len(each.files), python, f"`{example}`"


def _repositories(folder: Path) -> tuple[list[Demand], list[str]]:
    """Every directed pair of unrelated repositories."""
    rows = []
    directed = 0
    with ExitStack() as targets:
        repos = {
            name: replace(targets.enter_context(open_target(f"{folder / name}@{commit}")), name=name.partition("+")[2])
            for name, commit in UNRELATED.items()
        }
        for name, repo in repos.items():
            others = {other: each for other, each in repos.items() if other != name}
            directed += len(others)
            looks = history.find(Comparison(repo, name, others))
            rows += [(name, line.reference, line) for look in looks for line in look.evidence if line.name in TELLING]
    later = [row for row in rows if row[2].name in ("imported-then-renamed", "trace-removed", "residue")]
    demands = [
        _null("directed pairs of unrelated repositories with a line of what happened after", "history/trace-removed",
              directed, len({row[:2] for row in later})),
        Demand("directed pairs of unrelated repositories with any line that supports something", "0",
               f"{len({row[:2] for row in rows})} of {directed}", not rows),
    ]  # fmt: skip
    blocks = [f"Unrelated repositories, all at named commits: {', '.join(UNRELATED)}."]
    if rows:
        listed = [(one, other, line.name, line.strength.value) for one, other, line in rows]
        blocks.append(table(("suspect", "reference", "line", "support"), listed))
    return demands, blocks


# --- real copies ---


def _affair(folder: Path) -> tuple[list[Demand], list[str]]:
    affair = compared(f"{folder}/suspect", f"{folder}/reference", ("suspect", "reference"))
    cited = compared(f"{folder}/suspect", f"{folder}/cited", ("suspect", "cited"))
    uhd = compared(f"{folder}/{UHD}", f"{folder}/llava", ("uhd", "llava"))
    demands = [*_affair_demands(affair), *_cited_demands(cited), *_uhd_demands(folder, uhd)]
    named = (("suspect, reference", affair), ("suspect, cited", cited), ("LLaVA-UHD, LLaVA", uhd))
    rows = [(name, each.look.examined.about, f"{each.seconds:.1f} s", each.listed()) for name, each in named]
    return demands, ["Real histories, from local copies:", table(("histories", "compared", "time", "lines"), rows)]


def _affair_demands(found: Timed) -> Iterator[Demand]:
    blobs = {str(row[-1]) for each in found.look.exhibits if each.name == "same-blobs" for row in each.rows}
    yield Demand(
        "affair: tokenizer.json by its id alone", TOKENIZER[:12], ", ".join(sorted(blobs))[:12], TOKENIZER in blobs
    )
    removed = [row for each in found.look.exhibits if each.name == "removed-mentions" for row in each.rows]
    yield Demand(
        "affair: a removed test that loads the source's tokenizer", "told", f"{len(removed)} mentions", bool(removed)
    )
    first = [found.event(side, "first-commit") for side in ("reference", "suspect")]
    yield Demand(
        "affair: first commits",
        "2024-05-19, 2024-05-28 in UTC",
        ", ".join(first),
        _days(*first) == ["2024-05-19", "2024-05-28"],
    )
    seconds = found.measure("date-corroborated", "seconds")
    yield Demand(
        "affair: a compiled file supports the first commit's date", "64 s apart", f"{seconds:.0f} s", seconds == 64
    )


def _days(*dates: str) -> list[str]:
    return [date[:10] for date in dates]


def _cited_demands(found: Timed) -> Iterator[Demand]:
    gated = found.measure("newer-in-reference", "bits")
    ungated = found.measure("newer-in-reference", "bits_without_the_dates")
    told = f"{gated:,.0f} bits with the date gate, {ungated:,.0f} without it"
    yield Demand(
        "affair: the cited source is nearest through what was not there yet",
        "less with the gate",
        told,
        gated < ungated,
    )


def _uhd_demands(folder: Path, found: Timed) -> Iterator[Demand]:
    with ExitStack() as targets:
        repos = [targets.enter_context(open_target(f"{folder}/{name}")) for name in (UHD, "llava")]
        commits, others = (repo.history.commits() for repo in repos if repo.history is not None)
    ours, theirs = lives(commits), lives(others)
    entries = sum(not change.is_tree for commit in commits for change in commit.changes)
    both = len(ours.keys() & theirs.keys())
    files, held = found.measure("same-blobs", "files"), found.measure("copied-version", "held")
    told = f"{both} ids of {len(ours)} in {entries} files, {files:.0f} once templates and short files are aside"
    yield Demand("LLaVA-UHD: blob ids shared with LLaVA", "69 of 147 files, the empty one aside", told, both >= 69)
    since, until = found.event("llava", "copied-version"), found.event("uhd", "import")
    told = f"{held:.0f} of {files:.0f} from {since} on, imported {until}"
    is_met = held == files and _days(since, until) == ["2024-02-07", "2024-03-18"]
    yield Demand("LLaVA-UHD: all in one version", "from 2024-02-07, copied until 2024-03-18", told, is_met)
    log = _log_seconds(folder / "llava")
    told = f"{found.seconds:.1f} s, {found.seconds / max(log, 1e-3):.0f} times `git log --raw` of LLaVA alone"
    yield Demand(
        "LLaVA-UHD: the whole comparison of histories", f"< {MOST_SECONDS:.0f} s", told, found.seconds < MOST_SECONDS
    )


def _log_seconds(repository: Path) -> float:
    command = ["git", "-C", str(repository), "log", "--raw", "-t", "-m", "--first-parent", "--no-renames", "-z", "HEAD"]
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def report(cache: Path, work: Path) -> str:
    """Write the section."""
    demands, blocks = measure(cache, work)
    return section("evidence_history", "git histories", "", demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence_history", __doc__, report, arguments)


if __name__ == "__main__":
    sys.exit(main())
