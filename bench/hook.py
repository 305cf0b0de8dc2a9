"""Measure the hook: `python -m bench.hook`: what a run costs from start to exit, and whether it finds what was copied.

A scratch repository holds a published package but for 20 of its files; these are staged, once as they are and once with
functions and classes of indexed packages pasted in, their names changed. CPU seconds are those of the process and of
all that it starts, by the system's account; the least of several runs, since whatever else the machine does only adds
to them. A linter on the same files is the measure beside it.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.disguise.rename import rename
from bench.section import Demand, print_section, section, table
from bench.wheels import python_files, wheel
from detector import indexed
from detector.hook import examine
from detector.lookup import Source, Suspect, look_up
from detector.read.changes import read_changes
from detector.targets import SourceFile

SEED = 20240603
PROJECT = "peft==0.21.2"
SOURCES = ("timm==0.9.16", "diffusers==0.42.1")
AROUND = ("vit-pytorch==1.6.5", "accelerate==1.15.0", "DI-engine==0.5.3")
FILES = 20
COPIES = 5
SIZES = range(4_000, 25_000)  # bytes of a changed file: what a person changes, no tables
LEAST_LINES = 15  # of what is copied
RUNS = 20
MOST_SECONDS = 0.5
HOOK = (sys.executable, "-m", "detector", "hook")


def measure(cache: Path, work: Path, index: Path | None = None) -> tuple[list[Demand], list[str]]:
    """Build what is missing, run hook and linter, and time the stages of a run in this process.

    index: of what is known; one of five packages is built where none is given.
    """
    known = index if index is not None else _index(cache, work)
    plain, copied = (
        _project(cache, work / "hook" / name, copies) for name, copies in (("plain", 0), ("copied", COPIES))
    )
    seconds = {
        name: _least(root, [*HOOK, "--index", str(known)]) for name, root in (("nothing", plain), ("copies", copied))
    }
    linter = _least(plain, [sys.executable, "-m", "ruff", "check", "--no-cache", "--exit-zero", *_staged(plain)])
    start = {
        "python": _least(plain, [sys.executable, "-c", ""]),
        "python and numpy": _least(plain, [sys.executable, "-c", "import numpy"]),
        "detector --version": _least(plain, [sys.executable, "-m", "detector", "--version"]),
    }
    found, pasted = _found(cache, copied, known)
    demands = [
        Demand(
            f"CPU seconds of a hook on {FILES} changed files, {what}",
            f"at most {MOST_SECONDS}",
            f"{seconds[name]:.2f}",
            seconds[name] <= MOST_SECONDS,
        )
        for name, what in (("nothing", "of which none copies"), ("copies", f"of which {COPIES} hold copies"))
    ]
    demands.append(Demand("copies that are found", f"all {pasted}", str(found), found == pasted))
    rows = [
        ("hook, no copies", f"{seconds['nothing']:.2f}", f"{seconds['nothing'] / linter:.1f}"),
        ("hook, with copies", f"{seconds['copies']:.2f}", f"{seconds['copies'] / linter:.1f}"),
        ("ruff check on the same files, started by Python", f"{linter:.2f}", "1.0"),
        *((f"start: {name}", f"{value:.2f}", f"{value / linter:.1f}") for name, value in start.items()),
    ]
    stages = zip(_stages(plain, known), _stages(copied, known), strict=True)
    staged = [(name, f"{one * 1e3:.0f}", f"{other * 1e3:.0f}") for (name, one), (_, other) in stages]
    return demands, [
        table(("process", "CPU seconds", "times the linter"), rows),
        table(("stage, within a process that has started", "ms, no copies", "ms, with copies"), staged),
    ]


def _index(cache: Path, work: Path) -> Path:
    path = work / "hook" / "known.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        targets = [str(wheel(cache, requirement)) for requirement in (*SOURCES, *AROUND)]
        add = [sys.executable, "-m", "detector", "index", "add", "--index", str(path), "--quiet", *targets]
        subprocess.run(add, check=True, stdout=sys.stderr)
    return path


def _project(cache: Path, root: Path, copies: int) -> Path:
    """A repository in which FILES files are staged, the first of them with a copy each."""
    chance = random.Random(SEED)
    files = python_files(wheel(cache, PROJECT))
    changed = {file.path for file in chance.sample([file for file in files if len(file.data) in SIZES], FILES)}
    pasted = dict(zip(sorted(changed), _copies(cache, chance, copies), strict=False))
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    _git(root, "init", "-q")
    for is_staged in (False, True):
        for file in files:
            if (file.path in changed) == is_staged:
                path = root / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data + pasted.get(file.path, "").encode())
        _git(root, "add", "-A")
        if not is_staged:
            _git(root, "commit", "-q", "-m", "before")
    return root


def _copies(cache: Path, chance: random.Random, copies: int) -> list[str]:
    """Definitions of the indexed packages under other names, as texts to paste."""
    found: list[str] = []
    sources: list[SourceFile] = [file for each in SOURCES for file in python_files(wheel(cache, each))]
    chance.shuffle(sources)
    for file in sources:
        if len(found) == copies:
            break
        text = file.data.decode()
        definitions = [
            node
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and (node.end_lineno or 0) - node.lineno >= LEAST_LINES
            and len(ast.unparse(node)) in SIZES
        ]
        if definitions:
            segment = ast.get_source_segment(text, definitions[0]) or ""
            renamed, _ = rename({"copied.py": f"{segment}\n"}, SEED)
            found.append(f"\n\n{renamed['copied.py']}")
    return found


def _git(root: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "user.name=N", "-c", "user.email=n@example.org")
    done = subprocess.run(
        ["git", *who, *command], cwd=root, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def _staged(root: Path) -> list[str]:
    return _git(root, "diff", "--cached", "--name-only").split()


def _least(root: Path, command: Sequence[str]) -> float:
    """The least CPU seconds of several runs, with bytecode as an installed package has it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "CI_", "DETECTOR"))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment |= {
        "PYTHONPYCACHEPREFIX": str(root.parent / "bytecode"),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    return min(_cpu_seconds(root, command, environment) for _ in range(RUNS + 1))


def _cpu_seconds(root: Path, command: Sequence[str], environment: dict[str, str]) -> float:
    with subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _found(cache: Path, root: Path, known: Path) -> tuple[int, int]:
    """How many pasted definitions have a finding, and how many there are."""
    with indexed.open_known(known) as index:
        report = examine(read_changes((), folder=str(root), environment=_plain()), [index])
    lines = {file.path: file.data.count(b"\n") for file in python_files(wheel(cache, PROJECT))}
    pasted = sorted(_staged(root))[:COPIES]
    spans = [match.suspect for match in report.matches]
    return len({span.path for span in spans if span.path in pasted and span.first_line > lines[span.path]}), len(pasted)


def _plain() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def _stages(root: Path, known: Path) -> list[tuple[str, float]]:
    """CPU seconds of each part of a run, without what starting costs; the least of several."""
    best: dict[str, float] = {}
    for _ in range(RUNS):
        for name, seconds in _one_run(root, known):
            best[name] = min(seconds, best.get(name, seconds))
    return list(best.items())


def _one_run(root: Path, known: Path) -> list[tuple[str, float]]:
    laps: list[tuple[str, float]] = []

    def lap(name: str, do: Callable[[], object]) -> object:
        begun = time.process_time() + sum(os.times()[2:4])
        done = do()
        laps.append((name, time.process_time() + sum(os.times()[2:4]) - begun))
        return done

    changes = read_changes((), folder=str(root), environment=_plain())
    lap("reading the change, git included", lambda: read_changes((), folder=str(root), environment=_plain()))
    with indexed.open_known(known) as index:
        sources = [Source(index, target) for target in index.targets()]
        files = [each.file for each in changes.files]
        suspect = Suspect(files, changes.paths, sources)
        lap("lowering", lambda: Suspect(files, changes.paths, sources))
        functions = range(len(suspect.corpus.spans))
        lap("looking up and scoring", lambda: look_up(suspect, functions, sources))
        lap("all of it", lambda: examine(changes, [index]))
    return laps


def report(demands: Sequence[Demand], blocks: Sequence[str]) -> str:
    """Write the section."""
    how = (
        f"{FILES} files of {PROJECT} are staged in a scratch repository; {COPIES} definitions of "
        f"{' and '.join(SOURCES)} are pasted into some of them under other names."
    )
    return section("hook", "The hook", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("hook", __doc__, lambda cache, work: report(*measure(cache, work)), arguments)


if __name__ == "__main__":
    sys.exit(main())
