"""Fixtures that more than one test file needs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


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
