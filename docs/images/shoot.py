"""Take the pictures of the HTML report on the fixtures: `.venv/bin/python -m docs.images.shoot [FOLDER]`.

Needs Chromium or Chrome, and playwright. The fonts are those of the machine, so that no two machines agree on a byte.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.fixture_history import build
from tests.browsers import NONE_FOUND, find_browser, opened_browser

PROJECTS = [f"fixtures/{name}" for name in ("rebadged", "original", "cited", "independent")]
MATCH = "CrossAttn.forward"  # a page high, and its renames and rewritings show at once
OPEN = """name => {
  const match = Array.from(document.querySelectorAll('.match')).find(each => each.textContent.includes(name));
  match.open = true;
  match.scrollIntoView();
}"""
SHOW = "section => { document.getElementById(section).scrollIntoView(); window.scrollBy(0, 60); }"


def main(pictures: str = "docs/images") -> None:
    """Compare, open one match and take a picture of it; of the figures; of histories that a script makes of two."""
    program = find_browser()
    if program is None:
        sys.exit(NONE_FOUND)
    with tempfile.TemporaryDirectory() as name, opened_browser(program) as browser:
        folder = Path(name)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.goto(_written(PROJECTS, folder / "report.html").as_uri())
        page.evaluate(OPEN, MATCH)
        page.wait_for_timeout(500)  # until the code is coloured
        page.screenshot(path=Path(pictures) / "report.png")
        page.evaluate(SHOW, "figures")
        page.screenshot(path=Path(pictures) / "figures.png")
        build(folder)
        histories = [str(folder / side) for side in ("rebadged", "original")]
        page.goto(_written(histories, folder / "histories.html").as_uri())
        page.evaluate(SHOW, "timeline")
        page.screenshot(path=Path(pictures) / "histories.png")


def _written(projects: Sequence[str], file: Path) -> Path:
    command = [sys.executable, "-m", "detector", "compare", *projects, "--format", "html", "--output", str(file)]
    subprocess.run([*command, "--quiet", "--exit-zero"], check=True)
    return file


if __name__ == "__main__":
    main(*sys.argv[1:])
