"""Run something in a process of its own and say what it cost."""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

PROC = Path("/proc")
SAMPLING_SECONDS = 0.1  # a peak is remembered by the system: only that of the last tenth of a second can be missed
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost, with the worker processes that it started."""

    exit_code: int
    cpu_seconds: float
    wall_seconds: float
    largest_bytes: int  # peak resident set of the largest of its processes
    summed_bytes: int  # each process's own peak, summed: no less than what all held at any one time
    processes: int  # that were seen; starting them may take one or two that only start others


def run(command: Sequence[str], cwd: Path, stdout: int = subprocess.DEVNULL) -> Cost:
    """Run a command to its end, and watch the memory of its processes.

    Units: where there is no /proc, memory is that of the largest process alone, as the system tells afterwards.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, cwd=cwd)
    peaks: dict[int, int] = {}
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peaks.update(_peaks(process.pid))
        time.sleep(SAMPLING_SECONDS)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    told = usage.ru_maxrss * MAXRSS_UNIT  # of the largest; never below the peak of this process, which started it
    known = list(peaks.values()) or [told]
    missed = max(told - max(known), 0)
    return Cost(
        process.returncode, usage.ru_utime + usage.ru_stime, wall, max(known) + missed, sum(known) + missed, len(known)
    )


def _peaks(root: int) -> dict[int, int]:
    """Peak resident set so far of a process and of all that descend from it.

    The last reading of a process counts, not the largest: between fork and exec it still wears its parent's figure.
    """
    parents: dict[int, int] = {}
    peaks: dict[int, int] = {}
    for entry in PROC.glob("[0-9]*/status"):
        try:
            lines = entry.read_text("utf-8", "replace").splitlines()
        except OSError:  # it has ended since
            continue
        values = dict(line.split(":", 1) for line in lines if line.startswith(("PPid:", "VmHWM:")))
        if "VmHWM" in values:
            pid = int(entry.parent.name)
            parents[pid], peaks[pid] = int(values["PPid"]), int(values["VmHWM"].split()[0]) * 1024
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: peak for pid, peak in peaks.items() if pid in family}


def own_peak() -> int:
    """Peak resident set of this process, in bytes.

    From /proc where there is one: what `getrusage` tells is never below the peak of the process that started this one.
    """
    found = _peaks(os.getpid()).get(os.getpid())
    if found is not None:
        return found
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function in a new interpreter: nothing is warm, and nothing else is in its memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(function, *args, **kwargs).result()
