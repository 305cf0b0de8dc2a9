"""All Python files of a repository -> its functions' shingles, in as many processes as asked for."""

from __future__ import annotations

import gc
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from detector.code.corpus import Corpus, View
from detector.code.lowering.labels import LOCAL_NAMES_NEVER, MODEL_LIBRARIES
from detector.code.lowering.python import Batch, Unit, begin
from detector.code.parse import lower_file, parsing
from detector.code.shingle import Shingles, joined, shingle
from detector.code.sorting import Numbers
from detector.model import Role, Skipped, Span
from detector.settings import BATCH_RECORDS, LEAST_PARALLEL_BYTES, MOST_WAITING, TASK_BYTES
from detector.targets import SourceFile

if TYPE_CHECKING:
    from concurrent.futures import Future

Progress = Callable[[int, int], None]  # files done, files in all


@dataclass(frozen=True, slots=True)
class _Lowered:
    """What one task gave, in a form that passes quickly between processes.

    Shapes: places[k] is the path, the role and the number of units of a file; rows are the units and their further
            views: owners[i] is the number of the unit that row i is of, kinds[i] which view.
    """

    places: list[tuple[str, Role, int]]
    units: list[Unit]
    rows: Shingles
    owners: Numbers
    kinds: Numbers
    files: int
    skipped: list[Skipped]


def read_corpus(
    files: Iterable[SourceFile | Skipped],
    paths: Sequence[str],
    jobs: int = 1,
    progress: Progress | None = None,
    compared: frozenset[str] = frozenset(),
) -> Corpus:
    """Lower and shingle every file. Memory holds the shingles and the few files in work, never the repository.

    compared: packages that count as the repository's own besides its own (`compared_packages`).
    Ties:     results come in the order of the files, whatever `jobs` is.
    """
    local = local_packages(paths) | compared
    parts: list[_Lowered] = []
    done = 0
    for part in _lowered(_tasks(files), local, jobs):
        parts.append(part)
        done += part.files + len(part.skipped)
        if progress is not None:
            progress(done, max(len(paths), done))
    rows = joined([part.rows for part in parts])
    starts = np.cumsum([0, *(len(part.units) for part in parts)])
    owners = np.concatenate(
        [np.zeros(0, np.int64), *(part.owners + start for part, start in zip(parts, starts, strict=False))]
    )
    kinds = np.concatenate([np.zeros(0, np.int64), *(part.kinds for part in parts)])
    views = []
    for kind in (PLAIN, EXPANDED, BLIND, BLIND_EXPANDED):
        chosen = np.flatnonzero(kinds == kind)
        chosen = chosen[np.argsort(owners[chosen], kind="stable")]
        views.append(View(rows.take(chosen), owners[chosen]))
    return Corpus(
        tuple(_spans(parts)),
        tuple([unit.calls for part in parts for unit in part.units]),
        views[PLAIN].shingles,
        views[EXPANDED],
        views[BLIND],
        views[BLIND_EXPANDED],
        sum(part.files for part in parts),
        tuple(skipped for part in parts for skipped in part.skipped),
    )


def _spans(parts: Iterable[_Lowered]) -> Iterator[Span]:
    for part in parts:
        units = iter(part.units)
        for path, role, count in part.places:
            for name, first, last, _, _ in islice(units, count):
                yield Span(path, name, first, last, role)


def local_packages(paths: Iterable[str]) -> frozenset[str]:
    """Names under which a repository may import itself: every package or module that has no package around it.

    A name of the libraries that modeling code is written in is local only as a top-level package of its own.
    """
    known = set(paths)
    packages = {path.rpartition("/")[0] for path in known if path.rpartition("/")[2] == "__init__.py"}
    packages.discard("")  # the root is no package to its own absolute imports
    names: set[str] = set()
    seen: set[str] = set()
    for path in known:
        parent = path.rpartition("/")[0]
        if path.endswith("/__init__.py") or parent not in packages:
            names.add(path.rpartition("/")[2].partition(".")[0])
        while parent and parent not in seen:
            seen.add(parent)
            above, _, name = parent.rpartition("/")
            if above not in packages:
                names.add(name)
            parent = above
    names.discard("__init__")
    return frozenset(names - (LOCAL_NAMES_NEVER - packages_of(known)))


def packages_of(paths: Iterable[str]) -> frozenset[str]:
    """The top-level packages of a repository: the names under which others import it."""
    folders = (
        path.removesuffix("/__init__.py").removeprefix("src/") for path in paths if path.endswith("/__init__.py")
    )
    return frozenset(folder for folder in folders if "/" not in folder)


def compared_packages(sides: Iterable[Iterable[str]]) -> frozenset[str]:
    """Names that are local to every repository of a comparison, given the paths of each.

    What was copied out of a package imports from it what stood beside it there: `from .ops import gather` becomes
    `from heron.ops import gather`, and means the same. The libraries that everything is written in stay what they are.
    """
    names = frozenset().union(*(packages_of(paths) for paths in sides))
    return names - (LOCAL_NAMES_NEVER - MODEL_LIBRARIES)


Task = list[SourceFile | Skipped]


def _tasks(files: Iterable[SourceFile | Skipped]) -> Iterator[Task]:
    """Cut the stream of files into tasks of about TASK_BYTES."""
    task: Task = []
    size = 0
    for file in files:
        task.append(file)
        size += len(file.data) if isinstance(file, SourceFile) else 0
        if size >= TASK_BYTES:
            yield task
            task, size = [], 0
    if task:
        yield task


def _lowered(tasks: Iterator[Task], local: frozenset[str], jobs: int) -> Iterator[_Lowered]:
    """Lower each task here, or in other processes as soon as there is enough to make starting them worth it."""
    first: list[Task] = []
    size = 0
    while jobs > 1 and size < LEAST_PARALLEL_BYTES:
        task = next(tasks, None)
        if task is None:
            jobs = 1
            break
        first.append(task)
        size += sum(len(file.data) for file in task if isinstance(file, SourceFile))
    tasks = _chain(first, tasks)
    with parsing():
        yield from _in_processes(tasks, local, jobs) if jobs > 1 else (_lower_task(task, local) for task in tasks)


def _chain(first: list[Task], rest: Iterator[Task]) -> Iterator[Task]:
    yield from first
    yield from rest


def _in_processes(tasks: Iterator[Task], local: frozenset[str], jobs: int) -> Iterator[_Lowered]:
    """Lower tasks in this process and in jobs - 1 others; results in order.

    Each of the others has a task in work and one waiting. This one takes what they cannot take yet: it has begun
    before they have started, and there is one to start less.
    """
    import multiprocessing
    from concurrent.futures import Future, ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")  # fork is unsafe beside the threads of numpy and of progress bars
    executor = ProcessPoolExecutor(jobs - 1, mp_context=context, initializer=_start_worker)
    waiting: deque[Future[_Lowered]] = deque()
    interval = sys.getswitchinterval()
    # Threads of this process read the results, a piece at a time: a worker waits as long as they wait for their turn.
    sys.setswitchinterval(interval / 10)
    try:
        for task in tasks:
            if sum(not each.done() for each in waiting) < 2 * (jobs - 1):
                with _interrupts_held():  # a process started now inherits that, and Ctrl-C is the parent's business
                    waiting.append(executor.submit(_lower_task, task, local))
            else:
                own: Future[_Lowered] = Future()
                own.set_result(_lower_task(task, local))
                waiting.append(own)
            while waiting and (waiting[0].done() or len(waiting) > MOST_WAITING * jobs):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        sys.setswitchinterval(interval)
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Put off Ctrl-C, where the system can, until the block is done."""
    import signal

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends its workers
    gc.disable()
    warnings.simplefilter("ignore")


def _lower_task(task: Task, local: frozenset[str]) -> _Lowered:
    places: list[tuple[str, Role, int]] = []
    units: list[Unit] = []
    skipped: list[Skipped] = []
    rows: list[Shingles] = []
    owners: list[Numbers] = []
    kinds: list[Numbers] = []

    def finish() -> None:
        found, of, kind = _rows(batch, len(units) - sum(unit.expands < 0 for unit in batch.units))
        rows.append(found)
        owners.append(of)
        kinds.append(kind)

    files = 0
    batch = begin()
    for file in task:
        if isinstance(file, Skipped):
            skipped.append(file)
            continue
        files += 1
        before = len(batch.units)
        reason = lower_file(file.data, batch, local)
        if reason:
            skipped.append(Skipped(file.path, reason))
        found = [unit for unit in batch.units[before:] if unit.expands < 0]
        places.append((file.path, file.role, len(found)))
        units += found
        if len(batch.lengths) >= BATCH_RECORDS:
            finish()
            batch = begin()
    finish()
    # After the lowering of all, not file by file: either has the processor's cache to itself for a while.
    numbers = np.concatenate(owners), np.concatenate(kinds)
    return _Lowered(places, units, joined(rows), *numbers, files, skipped)


# Views of a function, as rows of shingles.
PLAIN, EXPANDED, BLIND, BLIND_EXPANDED = range(4)


def _rows(batch: Batch, start: int) -> tuple[Shingles, Numbers, Numbers]:
    """The shingles of a batch's functions and of their views; of which function each row is, from `start` on."""
    found = shingle(batch)
    expands = np.array([unit.expands for unit in batch.units], np.int64)
    is_view = expands >= 0
    numbers = start + np.cumsum(~is_view) - 1
    numbers[is_view] = numbers[expands[is_view]]
    owners = np.concatenate([numbers, numbers[found.blinded]])
    blind = np.where(is_view[found.blinded], BLIND_EXPANDED, BLIND)
    kinds = np.concatenate([np.where(is_view, EXPANDED, PLAIN), blind])
    return joined([found.shingles, found.blind]), owners, kinds


def missing_functions(corpus: Corpus) -> str:
    """Why a target has no function to compare; "" if it has one."""
    if corpus.spans:
        return ""
    if not corpus.files and not corpus.skipped:
        return "no Python files found; name the folder, archive or repository that holds them"
    why = f" ({corpus.skipped[0].path}: {corpus.skipped[0].reason})" if corpus.skipped else ""
    return f"no Python function could be read{why}"
