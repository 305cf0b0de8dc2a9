"""A browser on this machine, driven through playwright, which brings none of its own here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
NONE_FOUND = f"no browser: none of {', '.join(NAMES)} is on the path, and DETECTOR_BROWSER names none"


def find_browser() -> str | None:
    """The program that `DETECTOR_BROWSER` names, or the first Chromium or Chrome on the path."""
    return os.environ.get("DETECTOR_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened_browser(program: str) -> Iterator[Any]:
    """A running browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
