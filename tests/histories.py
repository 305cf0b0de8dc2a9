"""Scripted git histories for tests: every commit is given its files and its date."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class Script:
    """A repository that is written commit by commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self._git("init", "-q", "-b", "main")

    def commit(self, date: int, files: Mapping[str, str | bytes | None], message: str = "x") -> str:
        """Write files (None: delete) and commit them with that date; the commit's id."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", message, date=date)
        return self._git("rev-parse", "HEAD")

    def blob(self, path: str) -> str:
        """The id of a file as it is."""
        return self._git("rev-parse", f"HEAD:{path}")

    def _git(self, *command: str, date: int = 1) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{role}_NAME": "Some Body", f"GIT_{role}_EMAIL": "n@example.org"}
            environment[f"GIT_{role}_DATE"] = f"@{date} +0000"
        done = subprocess.run(
            ["git", "-C", str(self.root), *command], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()
