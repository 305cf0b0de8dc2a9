"""What an index survives: kill -9 at random moments, two writers at once; and what one more commit costs."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.section import ROOT, Demand, print_section, section, table
from bench.wheels import python_files, wheel
from detector.index.adding import Added
from detector.index.store import open_index
from detector.model import Skipped
from detector.read import open_target

SEED = 1
KILLS = 200
# Small enough that 200 of them take minutes, large enough that most of the time something is being written.
KILLED = "timm==0.9.16"
PARTS = 12  # folders of it that are added, one after the other, until the process is killed
LONGEST_SECONDS = 2.5  # about what adding all of them takes
# A package as a history: its files come in so many commits.
HISTORY = "diffusers==0.27.2"
COMMITS = 60
MOST_SHARE = 0.2  # of the first time, that one commit more may take


@dataclass(frozen=True, slots=True)
class Killed:
    """What was found after a process was killed."""

    committed: int  # targets that it said were added
    found: int
    damage: tuple[str, ...]
    is_exact: bool  # whether they are those, and hold what was read
    was_busy: bool  # whether a transaction was left behind


def folders(cache: Path, work: Path) -> list[Path]:
    """Parts of a package, as targets."""
    files = python_files(wheel(cache, KILLED))
    found = []
    for part in range(PARTS):
        folder = work / f"part{part:02}"
        for file in files[part::PARTS]:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        found.append(folder)
    return found


def _started(index: Path, targets: Sequence[Path]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.killed_adding", str(index), *map(str, targets)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def kill(
    index: Path, targets: Sequence[Path], seconds: float, functions: dict[str, int], while_writing: bool
) -> Killed:
    """Add targets in another process, kill it after so long, and look at what it leaves.

    while_writing: wait until it next writes: most of the time it reads.
    """
    process = _started(index, targets)
    time.sleep(seconds)
    while while_writing and process.poll() is None and not _has_log(index):
        pass
    process.send_signal(signal.SIGKILL)
    told = process.communicate()[0].split()
    was_busy = _has_log(index)
    if not index.exists():
        return Killed(len(told), 0, (), not told, was_busy)
    with open_index(index) as opened:
        damage = tuple(each.what for each in opened.verify())
        found = opened.targets()
        names = [target.target for target in found]
        expected = [str(target) for target in targets[: len(told)]]
        # The last one may be committed and not yet told.
        is_exact = names in (expected, [*expected, *map(str, targets[len(told) : len(told) + 1])])
        is_exact &= all(len(opened.corpus(each).spans) == functions[each.target] for each in found)
    return Killed(len(told), len(found), damage, is_exact, was_busy)


def _has_log(index: Path) -> bool:
    try:
        return os.path.getsize(f"{index}-wal") > 0
    except OSError:
        return False


def two_writers(index: Path, targets: Sequence[Path]) -> tuple[int, int]:
    """Two processes that add at once: how many targets there are then, and how many processes failed."""
    running = [_started(index, half) for half in (targets[::2], targets[1::2])]
    for process in running:
        process.communicate()
    with open_index(index) as opened:
        sound = not list(opened.verify())
        return len(opened.targets()) if sound else 0, sum(process.returncode != 0 for process in running)


def _git(folder: Path, *command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "N", f"GIT_{role}_EMAIL": "n@example.org", f"GIT_{role}_DATE": "@1 +0000"}
    subprocess.run(["git", "-C", str(folder), *command], env=environment, check=True, capture_output=True)


def repository(cache: Path, folder: Path) -> int:
    """A package as a repository whose files come one after the other; gives how many there are."""
    files = python_files(wheel(cache, HISTORY))
    folder.mkdir(parents=True)
    _git(folder, "init", "-q")
    for part in range(COMMITS):
        for file in files[part::COMMITS]:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        _git(folder, "add", ".")
        _git(folder, "commit", "-qm", f"part {part}")
    return len(files)


def _timed(index: Path, target: Path) -> tuple[Added, float]:
    started = time.process_time()
    with open_index(index, create=True) as opened, open_target(str(target)) as repo:
        added = opened.add(repo, history=True)
    return added, time.process_time() - started


def one_commit_more(cache: Path, work: Path) -> tuple[list[tuple[str, Added, float]], int]:
    """Add a repository, add it again, and once more after a commit that changes one file."""
    files = repository(cache, work / "repository")
    index = work / "history.db"
    found = [("first", *_timed(index, work / "repository")), ("again", *_timed(index, work / "repository"))]
    with open_target(str(work / "repository")) as repo:
        path = next(each.path for each in repo.files if not isinstance(each, Skipped) and len(each.data) > 20_000)
    changed = work / "repository" / path
    changed.write_bytes(changed.read_bytes() + b"\n\ndef one_more(x):\n    return x.softmax(-1) @ x\n")
    _git(work / "repository", "commit", "-qam", "one more")
    return [*found, ("one commit more", *_timed(index, work / "repository"))], files


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Everything, in folders that are gone afterwards."""
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        targets = folders(cache, folder)
        functions = {}
        for target in targets:
            with open_index(folder / "whole.db", create=True) as opened, open_target(str(target)) as repo:
                functions[str(target)] = opened.add(repo).target.functions
        generator = random.Random(SEED)
        kills = []
        for number in range(KILLS):
            (folder / "killed").mkdir()
            seconds = generator.uniform(0, LONGEST_SECONDS)
            kills.append(kill(folder / "killed" / "i.db", targets, seconds, functions, number % 2 == 1))
            shutil.rmtree(folder / "killed")
        there, failed = two_writers(folder / "two.db", targets)
        times, files = one_commit_more(cache, folder)
    return _demands(kills, there, failed, times), [_of_kills(kills), _of_times(times, files)]


def _demands(
    kills: Sequence[Killed], there: int, failed: int, times: Sequence[tuple[str, Added, float]]
) -> list[Demand]:
    sound = sum(each.is_exact and not each.damage for each in kills)
    (_, _, first), (_, again, _), (_, more, last) = times
    return [
        Demand(
            f"kill -9 at random moments of {KILLS} runs of `add`: it opens, verifies, holds what was committed",
            f"{KILLS} of {KILLS}",
            f"{sound} of {len(kills)}",
            sound == len(kills) == KILLS,
        ),
        Demand(
            "two processes that add at once: all targets are there, and none failed",
            f"{PARTS} and 0",
            f"{there} and {failed}",
            (there, failed) == (PARTS, 0),
        ),
        Demand("files lowered when a history is added again", "0", f"{again.lowered}", again.lowered == 0),
        Demand("files lowered after one commit that changes one file", "1", f"{more.lowered}", more.lowered == 1),
        Demand(
            "CPU time of adding a history after one commit more, as a share of the first time",
            f"at most {MOST_SHARE}",
            f"{last / first:.2f}",
            last <= MOST_SHARE * first,
        ),
    ]


def _of_kills(kills: Sequence[Killed]) -> str:
    counts = [sum(each.committed == number for each in kills) for number in range(PARTS + 1)]
    busy = sum(each.was_busy for each in kills)
    header = ["targets committed when killed", *map(str, range(PARTS + 1))]
    return f"{busy} of {len(kills)} left a log behind.\n\n" + table(header, [("kills", *counts)])


def _of_times(times: Sequence[tuple[str, Added, float]], files: int) -> str:
    rows = [(name, f"{seconds:.2f}", added.lowered, added.known) for name, added, seconds in times]
    about = f"`{HISTORY}` as a repository of {files} files in {COMMITS} commits, one process:"
    return f"{about}\n\n" + table(["add --history", "CPU s", "files lowered", "known"], rows)


def report(cache: Path, work: Path) -> str:
    """The section."""
    demands, blocks = measure(cache, work)
    how = (
        f"`{KILLED}` in {PARTS} folders is added folder by folder in another process, which is killed after 0 to "
        f"{LONGEST_SECONDS} s, {KILLS} times, every second time not before it next writes; what is found is held "
        "against what it said."
    )
    return section("index_safety", "what an index survives", how, demands, *blocks)


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print the section."""
    return print_section("index_safety", __doc__, report, given)


if __name__ == "__main__":
    raise SystemExit(main())
