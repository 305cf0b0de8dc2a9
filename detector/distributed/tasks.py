"""Tables in, tables out, in as many processes and machines as Ray has. Ray is asked for here alone.

What a task is, Ray hands from process to process; nothing that partitions hold is ever unpickled.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import pyarrow as pa

from detector.index.damage import Damaged
from detector.model import UserError

Task = Callable[[pa.Table], pa.Table]

# Nothing is told to anybody, and nothing but results is written.
_SILENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it announces a change to come
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


class Mapped(Protocol):
    """Does something with each table; results come as they are ready, in any order."""

    def __call__(self, task: Task, tables: Sequence[pa.Table]) -> Iterable[pa.Table]: ...


def here(task: Task, tables: Sequence[pa.Table]) -> Iterable[pa.Table]:
    """One after the other, in this process."""
    return map(task, tables)


@contextmanager
def on_ray(jobs: int, address: str = "") -> Iterator[Mapped]:
    """Begin Ray with so many processors of this machine, or join the cluster at an address.

    Errors: UserError where no cluster answers.
    """
    os.environ.update(_SILENT)
    import ray

    is_ours = not ray.is_initialized()
    if is_ours:
        _begin(ray, jobs, address)
    try:
        yield _on_ray
    finally:
        if is_ours:
            ray.shutdown()


def _begin(ray: Any, jobs: int, address: str) -> None:
    if address:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            why = str(error).partition("\n")[0][:200]
            raise UserError(f"{address}: no Ray cluster answers ({why}): begin one with `ray start --head`") from None
        return
    os.environ.pop("RAY_ADDRESS", None)  # one that is meant is named
    ray.init(num_cpus=jobs, include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL)


def _on_ray(task: Task, tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
    if not tables:
        return
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)
    references: Any = [ray.put(table) for table in tables]
    given = ray.data.from_arrow_refs(references)
    done = given.map_batches(_Telling(task), batch_size=None, batch_format="pyarrow", zero_copy_batch=True)
    try:
        for found in done.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield _checked(found)
    except ray.exceptions.RayError as error:
        why = str(error).strip().rpartition("\n")[2][:200]
        raise UserError(f"a task of Ray failed ({why}): what is done stays; run it again") from None


class _Telling:
    """A task whose errors that a user can mend come back as what they say."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __call__(self, table: pa.Table) -> pa.Table:
        try:
            return self._task(table)
        except UserError as error:
            return pa.table({_WRONG: [str(error)], _IS_DAMAGED: [isinstance(error, Damaged)]})


_WRONG, _IS_DAMAGED = "what is wrong", "is damaged"


def _checked(found: pa.Table) -> pa.Table:
    if _WRONG in found.column_names:
        kind = Damaged if found.column(_IS_DAMAGED)[0].as_py() else UserError
        raise kind(found.column(_WRONG)[0].as_py())
    return found
