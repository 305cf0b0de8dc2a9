"""Take the picture of the HTML report on the fixtures: `.venv/bin/python -m docs.images.shoot [FILE]`.

Needs Chromium or Chrome, and playwright. The fonts are those of the machine, so that no two machines agree on a byte.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browsers import NONE_FOUND, find_browser, opened_browser

PROJECTS = [f"fixtures/{name}" for name in ("rebadged", "original", "cited", "independent")]
MATCH = "CrossAttn.forward"  # a page high, and its renames and rewritings show at once
OPEN = """name => {
  const match = Array.from(document.querySelectorAll('.match')).find(each => each.textContent.includes(name));
  match.open = true;
  match.scrollIntoView();
}"""


def main(picture: str = "docs/images/report.png") -> None:
    """Compare, open one match, and take a picture of it."""
    program = find_browser()
    if program is None:
        sys.exit(NONE_FOUND)
    with tempfile.TemporaryDirectory() as folder, opened_browser(program) as browser:
        file = Path(folder) / "report.html"
        command = [sys.executable, "-m", "detector", "compare", *PROJECTS, "--format", "html", "--output", str(file)]
        subprocess.run([*command, "--quiet", "--exit-zero"], check=True)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.goto(file.as_uri())
        page.evaluate(OPEN, MATCH)
        page.wait_for_timeout(500)  # until the code is coloured
        page.screenshot(path=picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
