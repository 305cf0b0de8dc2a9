"""A progress bar on standard error, where someone sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from detector.report.names import visible

REFRESH_SECONDS = 0.1  # faster than this nobody reads


@contextmanager
def progress(is_shown: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Offer a way to tell how far the work is; None where nobody would see it."""
    if not is_shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    # No thread that refreshes: worker processes are forked off this one.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=None)
        shown_at, shown_stage = 0.0, ""

        def show(stage: str, done: int, total: int) -> None:
            nonlocal shown_at, shown_stage
            now = time.monotonic()
            if stage != shown_stage or now - shown_at >= REFRESH_SECONDS:
                shown_at, shown_stage = now, stage
                bar.update(task, description=visible(stage), completed=done, total=total or None, refresh=True)

        yield show
