"""A git process that answers on a pipe: never waited for without end, never blocked by what it complains about."""

from __future__ import annotations

import math
import subprocess
import threading
import time
from typing import IO

_ERRORS_KEPT_BYTES = 4096
_LOOK_EVERY_SECONDS = 1.0


class GitProcess:
    """Read from and write to a running process; end it when it has been silent for too long."""

    def __init__(self, process: subprocess.Popen[bytes], silence_seconds: float) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("all three pipes are needed")
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._silence_seconds = silence_seconds
        self._deadline = math.inf
        self._is_closed = threading.Event()
        self._errors = b""
        self.has_timed_out = False
        self._drain = threading.Thread(target=self._drain_errors, args=(process.stderr,), daemon=True)
        self._drain.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def ask(self, line: bytes) -> bytes:
        """Write one line, return the first line of the answer; empty if the process has ended."""
        self._deadline = time.monotonic() + self._silence_seconds
        try:
            self._stdin.write(line + b"\n")
            self._stdin.flush()
            return self._stdout.readline()
        except OSError:
            return b""
        finally:
            self._deadline = math.inf

    def read(self, size: int) -> bytes:
        """Read exactly `size` bytes; fewer only if the process has ended."""
        self._deadline = time.monotonic() + self._silence_seconds
        try:
            return self._stdout.read(size)
        finally:
            self._deadline = math.inf

    def finish(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was complained about last."""
        self._deadline = time.monotonic() + self._silence_seconds
        try:
            self._stdin.close()
            status = self._process.wait()
            self._drain.join(self._silence_seconds)
        finally:
            self._deadline = math.inf
        return status, self._errors.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._is_closed.set()
        self._process.kill()
        self._process.wait()
        for pipe in (self._stdin, self._stdout):
            try:
                pipe.close()
            except OSError:
                continue  # what was not written yet is of no use to a dead process

    def _drain_errors(self, stderr: IO[bytes]) -> None:
        # A full pipe would block git, and git would block us: a repository can be broken in ten thousand places.
        with stderr:
            while piece := stderr.readline(_ERRORS_KEPT_BYTES):
                self._errors = (self._errors + piece)[-_ERRORS_KEPT_BYTES:]

    def _watch(self) -> None:
        while not self._is_closed.wait(_LOOK_EVERY_SECONDS):
            if time.monotonic() > self._deadline:
                self.has_timed_out = True
                self._process.kill()
                return
