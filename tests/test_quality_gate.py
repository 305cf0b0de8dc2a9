"""A pinned slice of the quality benchmark: a change that finds disguised copies worse does not pass unnoticed.

The fixtures, disguised at three levels with a fixed seed, against themselves. The figures say better or worse than
what is pinned, never just different; whoever makes them better raises the pins.
"""

from __future__ import annotations

import pytest

from bench import quality
from bench.quality import LONG, SHORT, Quality
from tests.repositories import fixture_files

# Level -> open F1, top-1, recall of functions of six statements and more, of three to five; at the default point.
PINS: dict[str, tuple[float, float, float, float]] = {
    "L3": (1.0, 1.0, 1.0, 0.945),
    "L6": (1.0, 1.0, 1.0, 0.945),
    "L7": (0.992, 1.0, 0.991, 0.939),
}
MEASURES = ("open F1", "top-1", "recall, 6 statements and more", "recall, 3 to 5 statements")
SLACK = 0.005  # what rounding and a tie may do


def _measured(level: str) -> tuple[float, float, float, float]:
    names = ("original", "cited", "independent")
    files = {
        f"{name}/{path}": data.decode()
        for name in names
        for path, data in fixture_files(name).items()
    }  # fmt: skip
    specimen = quality.at_level(files, {}, level)
    known = quality.answers(specimen, files)
    found: Quality = quality.quality(quality.detect(specimen.files, quality.corpus(files), files), known)
    return found.f1, found.top_1, found.recall[LONG].share, found.recall[SHORT].share


@pytest.mark.parametrize("level", PINS)
def test_disguised_copies_are_found_no_worse_than_before(level: str) -> None:
    measured = _measured(level)
    verdicts = []
    for name, now, before in zip(MEASURES, measured, PINS[level], strict=True):
        if abs(now - before) > SLACK:
            verdict = "better" if now > before else "WORSE"
            verdicts.append(f"{name} at {level} is {verdict}: {now:.3f}, was {before:.3f}")
    print("\n".join(verdicts))
    worse = [verdict for verdict in verdicts if "WORSE" in verdict]
    assert not worse, "; ".join(worse)
