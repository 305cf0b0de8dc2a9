"""Fixtures that more than one test file needs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from detector.model import Skipped
from detector.read import open_target
from tests.browsers import NONE_FOUND, find_browser, opened_browser

# No test is timed: where a machine is busy with others, every limit of time is passed some day.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

Git = Callable[..., str]
Contents = Callable[[object], tuple[dict[str, bytes], dict[str, str]]]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in a folder as nobody in particular, whatever the machine's configuration says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(tmp_path)}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "N", f"GIT_{role}_EMAIL": "n@example.org", f"GIT_{role}_DATE": "@1 +0000"}

    def run(folder: Path, *command: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *command], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    return run


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser of this machine, without a window."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    program = find_browser()
    if program is None:
        pytest.skip(NONE_FOUND)
    with opened_browser(program) as opened:
        yield opened


@pytest.fixture
def contents() -> Contents:
    """Read a target to the end, and hold it to what every target promises."""
    return _contents


def _contents(target: object) -> tuple[dict[str, bytes], dict[str, str]]:
    """Read a target: contents by path, reasons by path."""
    files: dict[str, bytes] = {}
    skipped: dict[str, str] = {}
    with open_target(str(target)) as repo:
        everything = list(repo.files)
        assert [each.path for each in everything] == sorted(each.path for each in everything)
        for each in everything:
            if isinstance(each, Skipped):
                skipped[each.path] = each.reason
            else:
                files[each.path] = each.data
                assert each.path in repo.files.paths()
                assert repo.files.read(each.path) == each.data
    json.dumps([*files, *skipped]).encode("utf-8")
    assert all(path.isprintable() for path in [*files, *skipped])
    return files, skipped
