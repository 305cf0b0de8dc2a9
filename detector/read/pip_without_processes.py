"""Run pip where no process can be started, and end it once it holds a source archive. Not imported: run by path.

pip asks a source archive for its metadata by running the archive's own code (`setup.py`, or a build backend), and has
no option to leave that out. It does so in a process of its own, always. Here an audit hook, which nothing inside the
interpreter can remove, refuses every process; and pip does not get that far: when it begins to unpack the archive
that it has fetched and whose hash it has checked, the archive is copied to the folder asked for and pip ends.

Usage: python -P pip_without_processes.py NAME FOLDER PIP-ARGUMENT...
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import sys
from typing import Any

_ARCHIVES = (".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar")
_PROCESSES = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Guard:
    def __init__(self, name: str, folder: str) -> None:
        self._start = _spelled(name) + "-"
        self._folder = folder
        self._archive = ""
        self._is_busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_busy:
            return
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING:
                self._keep_and_end()
            elif isinstance(path, str) and self._is_asked_for(os.path.basename(path)):
                self._archive = path
        elif event == "os.mkdir":
            self._keep_and_end()
        elif event.startswith(_PROCESSES):
            self._keep_and_end()
            raise PermissionError("no process may be started while a source archive is fetched")

    def _is_asked_for(self, file: str) -> bool:
        return file.endswith(_ARCHIVES) and _spelled(file).startswith(self._start)

    def _keep_and_end(self) -> None:
        """Copy the archive and end at once: no line of pip runs after this one, whatever it would make of an error."""
        if not self._archive:
            return
        self._is_busy = True
        shutil.copyfile(self._archive, os.path.join(self._folder, os.path.basename(self._archive)))
        os._exit(0)


def _spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Set the guard, then hand over to pip."""
    _, name, folder, *arguments = sys.argv
    sys.addaudithook(_Guard(name, folder))
    sys.argv = ["pip", *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
