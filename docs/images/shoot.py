"""Take the pictures of the HTML report on the fixtures: `.venv/bin/python -m docs.images.shoot [FOLDER]`.

Needs Chromium or Chrome, and playwright. The fonts are those of the machine, so that no two machines agree on a byte.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.fixture_history import build
from tests.browsers import NONE_FOUND, find_browser, opened_browser
from tests.hub_repositories import Upload, publish
from tests.olah_hub import serving

PROJECTS = [f"fixtures/{name}" for name in ("rebadged", "original", "cited", "independent")]
# The fixtures as models of a hub, in the order in which they began, a month apart.
MODELS = {
    "original": "lab/heronvl",
    "cited": "bay/lanternlens",
    "independent": "shore/tidewater",
    "rebadged": "org/kestrel",
}
BEGAN, MONTH = 1_714_521_600, 2_592_000
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
        page.goto(_scanned(folder).as_uri())
        page.screenshot(path=Path(pictures) / "scan.png")


def _scanned(folder: Path) -> Path:
    """Scan the fixtures as models of a hub on loopback; gives the page of the scan."""
    for month, (side, name) in enumerate(MODELS.items()):
        files = (path for path in sorted(Path("fixtures", side).rglob("*")) if path.is_file())
        contents = {path.relative_to(Path("fixtures", side)).as_posix(): path.read_bytes() for path in files}
        publish(folder / "hub", name, [Upload(BEGAN + month * MONTH, contents)])
    plan = folder / "models.toml"
    plan.write_text('index = "known.db"\n[[source]]\nkind = "hf"\neverything = true\nsince = 2020-01-01\n', "utf-8")
    with serving(folder / "hub") as hub:
        environment = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "home")}
        command = [sys.executable, "-m", "detector", "scan", str(plan), "--quiet", "--exit-zero"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return folder / "models-output" / "dashboard.html"


def _written(projects: Sequence[str], file: Path) -> Path:
    command = [sys.executable, "-m", "detector", "compare", *projects, "--format", "html", "--output", str(file)]
    subprocess.run([*command, "--quiet", "--exit-zero"], check=True)
    return file


if __name__ == "__main__":
    main(*sys.argv[1:])
