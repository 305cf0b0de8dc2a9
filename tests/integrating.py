"""Where the hook is run, on a small scale: scratch repositories, a known project, an environment of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.repositories import ANNEAL, BEAMS, PARSE, ROUTE, SPECTRUM, STRANGER, WARP

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "docs" / "integrations"
# Variables by which a machine of continuous integration, a hook or a user would take part in a test.
FOREIGN = ("GIT_", "GITHUB_", "CI_", "GITLAB_", "PRE_COMMIT", "DETECTOR_", "RUNNER_", "INPUT_", "PIP_")

KNOWN = {"flow/warping.py": WARP, "flow/routing.py": ROUTE, "flow/parsing.py": PARSE, "flow/schedule.py": ANNEAL}
KNOWN |= {"flow/search.py": BEAMS, "flow/sound.py": SPECTRUM}
OWN = STRANGER
# `warp` of the known project under names of its own.
COPIED = WARP
for _old, _new in {"frames": "images", "field": "offsets", "scale": "strength", "warp": "displace"}.items():
    COPIED = COPIED.replace(_old, _new)
for _old, _new in {"rows": "ys", "columns": "xs", "grid": "where"}.items():
    COPIED = COPIED.replace(_old, _new)


@dataclass(frozen=True, slots=True)
class Place:
    """Programs and an index that tests share, a folder of each test's own, and the environment to run things in."""

    home: Path
    name: str = ""

    @property
    def folder(self) -> Path:
        """Where the repositories of this test are."""
        folder = self.home / (re.sub(r"\W+", "-", self.name) or "test")
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def programs(self) -> Path:
        """Where `detector` is found."""
        return self.home / "programs"

    @property
    def index(self) -> Path:
        """Where the index of the known project is."""
        return self.home / "known.db"

    def environment(self, **more: str) -> dict[str, str]:
        """What this machine has, but for what would steer git, a hook or detector."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(FOREIGN) and name not in ("CI",)
        }
        kept |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.home)}
        for role in ("AUTHOR", "COMMITTER"):
            kept |= {f"GIT_{role}_NAME": "N", f"GIT_{role}_EMAIL": "n@example.org"}
            kept |= {f"GIT_{role}_DATE": "@1700000000 +0000"}
        kept |= {
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "NO_COLOR": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        }
        kept["PATH"] = os.pathsep.join([str(self.programs), str(Path(sys.executable).parent), kept["PATH"]])
        return kept | more

    def run(
        self, *command: str | Path, at: Path, code: int | None = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a folder; `code`: what it has to end with, None for whatever comes.

        What it complains about stands among what it prints, as in the log of a machine.
        """
        done = subprocess.run(
            list(map(str, command)),
            cwd=at,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}"
        return done

    def git(self, folder: Path, *command: str) -> str:
        """Run git, which has to succeed."""
        return self.run("git", *command, at=folder).stdout.strip()

    def repository(self, name: str, files: Mapping[str, str] | None = None) -> Path:
        """A repository with one commit, that some of the project was there before."""
        folder = self.folder / name
        folder.mkdir()
        self.git(folder, "init", "-q", "-b", "main")
        self.commit(folder, {"README.md": "A project.\n", "app/start.py": "print('start')\n"} | dict(files or {}))
        return folder

    def stage(self, folder: Path, files: Mapping[str, str]) -> None:
        """Write files and stage them."""
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git(folder, "--literal-pathspecs", "add", "--", *files)

    def commit(self, folder: Path, files: Mapping[str, str], *, message: str = "a commit") -> str:
        """Commit files without any hook, and return the commit."""
        self.stage(folder, files)
        self.git(folder, "commit", "-q", "--no-verify", "--allow-empty", "-m", message)
        return self.git(folder, "rev-parse", "HEAD")


def place(home: Path) -> Place:
    """Lay a place out: programs, and an index that holds the known project."""
    made = Place(home)
    script(made.programs / "detector", f'exec "{sys.executable}" -P -m detector "$@"')
    known = home / "flowlib"
    for path, text in KNOWN.items():
        (known / path).parent.mkdir(parents=True, exist_ok=True)
        (known / path).write_text(text)
    made.run("detector", "index", "add", "--index", made.index, known, at=home)
    return made


def script(path: Path, *lines: str) -> Path:
    """Write a program for the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def install(template: Path, hook: Path) -> None:
    """Put a script where git looks for it, as the documentation says."""
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(template, hook)
    hook.chmod(0o755)
