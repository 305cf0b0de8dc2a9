"""How long a large page takes to open, to narrow and to sort: `python -m tests.opening [MATCHES [FLOWS [TIMES]]]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from detector.report import html
from tests.browsers import NONE_FOUND, find_browser, opened_browser
from tests.pages import large_report

OPENED = """() => {
  const entry = performance.getEntriesByType('navigation')[0];
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return [entry.domContentLoadedEventEnd, entry.loadEventEnd, paint ? paint.startTime : 0];
}"""
# From the input to the frame after the one that shows its result.
INPUT = """([name, value]) => new Promise(done => {
  const start = performance.now();
  const field = document.querySelector(`#filters [name=${name}]`);
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""


def main(matches: str = "2000", flows: str = "500", times: str = "5") -> None:
    """Print size and times of a page of so many matches."""
    program = find_browser()
    if program is None:
        sys.exit(NONE_FOUND)
    report = large_report(int(matches), int(flows))
    started = time.perf_counter()
    text = html.render(report)
    print(f"{matches} matches, {flows} with flows: rendered in {time.perf_counter() - started:.1f} s")
    with tempfile.TemporaryDirectory() as folder, opened_browser(program) as browser:
        file = Path(folder) / "report.html"
        file.write_text(text, "utf-8")
        print(f"{file.stat().st_size / 1e6:.1f} MB")
        for _ in range(int(times)):
            print(_measured(browser, file))


def _measured(browser: Any, file: Path) -> str:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(file.as_uri(), wait_until="load")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    ready, loaded, paint = (value / 1000 for value in page.evaluate(OPENED))
    narrowed = page.evaluate(INPUT, ["text", "blend19"]) / 1000
    sorted_in = page.evaluate(INPUT, ["order", "similarity"]) / 1000
    page.close()
    return (
        f"first paint {paint:.2f} s, DOMContentLoaded {ready:.2f} s, load {loaded:.2f} s "
        f"(of the page's thread {metrics['ThreadTime']:.2f} s); "
        f"first search {narrowed:.2f} s, sorted {sorted_in:.2f} s"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
