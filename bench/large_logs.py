"""Two logs of predictions of ten million lines each: what comparing them costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.process import in_fresh_process, own_peak
from bench.section import Demand, megabytes
from detector.evidence import behaviour
from detector.read import open_target
from detector.targets import Comparison

LINES = 10_000_000
MOST_BYTES, MOST_SECONDS = 512e6, 300.0


def compared(folder: Path) -> Demand:
    """Write them, and compare them in a process of its own."""
    paths = []
    for name, step in (("large-suspect", 7), ("large-reference", 3)):
        path = folder / name / "predictions.jsonl"
        path.parent.mkdir()
        with path.open("w", encoding="ascii") as file:
            for begin in range(0, LINES, 100_000):
                numbers = (number * step % LINES for number in range(begin, begin + 100_000))
                file.writelines(
                    f'{{"id": {n}, "prediction": "{n % 97 if n % 5 else step}", "label": "{n % 97}"}}\n'
                    for n in numbers
                )
        paths.append(str(path.parent))
    size = sum((Path(path) / "predictions.jsonl").stat().st_size for path in paths)
    seconds, peak, about = in_fresh_process(compare_large, paths)
    return Demand(
        f"two logs of {LINES:,} lines ({megabytes(size)}) in different order",
        f"at most {megabytes(MOST_BYTES)} and {MOST_SECONDS:.0f} s, items in common",
        f"{megabytes(peak)}, {seconds:.0f} s of CPU; {about}",
        peak <= MOST_BYTES and seconds <= MOST_SECONDS and "items in common" in about,
    )


def compare_large(paths: Sequence[str]) -> tuple[float, float, str]:
    """Compare two logs in this process: seconds of CPU, peak of memory, what was compared."""
    started = time.process_time()
    with ExitStack() as targets:
        suspect, reference = (targets.enter_context(open_target(path)) for path in paths)
        look = behaviour.find(Comparison(suspect, "suspect", {"reference": reference}))[0]
    return time.process_time() - started, own_peak(), look.examined.about
