"""What occurred in the runs of a scan, a lane for each kind, as SVG that needs no script; the page has it as a table.

Colours and strokes come from classes of the page's style sheet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt

from detector.report import words
from detector.report.lanes import AXIS, LEFT, RIGHT, WIDTH, Scale, axis
from detector.report.names import visible
from detector.report.timeline import days
from detector.scanned import OCCURRENCES, Occurrence, Run

LANE = 34.0  # height of a lane: two of the largest dots
ONE, LARGEST = 4.0, 14.0  # radius of one occurrence, whose area each of several adds; and of a dozen or more
MOST_DOTS = 4_000  # of all lanes, the latest: ten years of a run a day have less in a lane
GAP = 22.0  # between two dots of one lane that both say how many they stand for


def timeline(runs: Sequence[Run], occurrences: Iterable[Occurrence]) -> str:
    """Runs as ticks above, and in each lane a dot for the occurrences of one time; "" without any."""
    counts = Counter((each.kind, each.at) for each in occurrences)
    dated = {
        at: day for at in {*(at for _, at in counts), *(run.started for run in runs)} if (day := days(at)) is not None
    }
    if not dated:
        return ""
    kinds = [kind for kind in OCCURRENCES if any(each == kind and at in dated for each, at in counts)]
    first, last = min(dated.values()), max(dated.values())
    margin = max((last - first) * 0.02, 0.5)  # so that no dot stands on the end of its lane
    scale = Scale(first - margin, last + margin)
    height = LANE * (len(kinds) + 1)
    parts: list[str] = []
    for number, kind in enumerate(kinds):
        dots = sorted(((dated[at], at, count) for (each, at), count in counts.items() if each == kind and at in dated))
        parts += _lane(kind, dots[-(MOST_DOTS // len(kinds)) :], scale, LANE * (number + 1.5))
    head = (
        f'<svg class="timeline occurred" viewBox="0 0 {WIDTH:g} {height + AXIS:g}" width="{WIDTH:g}" '
        f'height="{height + AXIS:g}" role="img" aria-label="What occurred in each run; the table below has the same">'
    )
    return "".join([head, *axis(scale, height), *_runs(runs, scale), *parts, "</svg>"])


def _runs(runs: Sequence[Run], scale: Scale) -> Iterator[str]:
    yield f'<text class="side" x="{WIDTH - RIGHT + 12:g}" y="{LANE / 2 + 4:g}">runs</text>'
    yield f'<path class="lane" d="M{LEFT:g} {LANE / 2:g}H{WIDTH - RIGHT:g}"/>'
    for run in runs[:MOST_DOTS]:
        day = days(run.started)
        if day is None:
            continue
        told = f"run {run.number}: {visible(run.started)}; {words.count(run.done, 'member')} looked at"
        told += "" if run.ended else "; it has not come to its end"
        cut = "" if run.ended else " cut"
        yield f'<g class="run{cut}"><title>{told}</title><path d="M{scale.x(day):.1f} {LANE / 2 - 7:g}v14"/></g>'


def _lane(kind: str, dots: Sequence[tuple[float, str, int]], scale: Scale, line: float) -> Iterator[str]:
    yield f'<text class="side" x="{WIDTH - RIGHT + 12:g}" y="{line + 4:g}">{kind}</text>'
    yield f'<path class="lane" d="M{LEFT:g} {line:g}H{WIDTH - RIGHT:g}"/>'
    free = float("inf")
    for day, at, count in reversed(dots):
        x, radius = scale.x(day), min(ONE * sqrt(count), LARGEST)
        yield f'<g class="occurrence {kind}"><title>{visible(at)}: {count:,} {kind}</title>'
        yield f'<circle cx="{x:.1f}" cy="{line:g}" r="{radius:.1f}"/>'
        if count > 1 and x < free - GAP:  # the later one says it where two are close
            yield f'<text class="count" x="{x:.1f}" y="{line - radius - 2:.1f}">{count:,}</text>'
            free = x
        yield "</g>"
