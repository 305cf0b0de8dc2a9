"""Published distributions: `pypi:NAME` and `pypi:NAME==VERSION`, fetched by pip as the user has configured it.

Which index, which proxy, which credentials: all that is pip's own configuration; no host is named here.
Order: a wheel for the running platform; a source archive; a wheel for any other platform. Wheels run nothing when they
are fetched; for source archives see `pip_without_processes.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from detector.model import UserError
from detector.read import archive
from detector.read.limits import PIP_SECONDS
from detector.targets import Repo

# PEP 508 names and PEP 440 versions, and nothing that pip could take for an option, an address or a path.
_ASKED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==(?P<version>[0-9A-Za-z][0-9A-Za-z.!+_-]*))?"
)
_WHEEL_TAGS = re.compile(
    r"(?P<name>[\w.]+)-(?P<version>[\w.!+]+)(?:-\d[\w.]*)?"
    r"-(?P<python>[\w.]+)-(?P<abi>[\w.]+)-(?P<platform>[\w.]+)\.whl\b",
    re.ASCII,
)
_INTERPRETER = re.compile(r"(?P<implementation>cp|pp|py)(?P<major>\d)(?P<minor>\d*)")
_NO_NETWORK = re.compile(r"Retrying \(|ConnectionError|ProxyError|SSLError|Max retries exceeded")
_NO_PIP = "No module named pip"
_NOT_FOUND = "No matching distribution found"
_COMMON = ("--no-deps", "--no-input", "--disable-pip-version-check", "--no-color", "--progress-bar=off")


class UnreachableError(UserError):
    """The package index does not answer: no other package could be fetched either."""


@dataclass(frozen=True, slots=True)
class _Asked:
    target: str
    name: str
    version: str

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}" if self.version else self.name


def read(target: str, cleanup: ExitStack) -> Repo:
    """Fetch a distribution, or take it from the cache, and read it as the archive it is."""
    match = _ASKED.fullmatch(target.removeprefix("pypi:"))
    if match is None:
        raise UserError(f"{target}: name a package as pypi:NAME or pypi:NAME==VERSION")
    asked = _Asked(target, match["name"], match["version"] or "")
    path = _cached(asked) if asked.version else _fetched(asked, Path(_temporary(cleanup, None)))
    repo = archive.read(target, path, cleanup)
    return Repo(target, asked.name, _version(path, asked), repo.files)


def cache_folder() -> Path:
    """Where fetched distributions stay: the user's cache folder, as the XDG convention has it."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(configured) if os.path.isabs(configured) else Path.home() / ".cache"
    return root / "detector" / "pypi"


def _cached(asked: _Asked) -> Path:
    """Find one version in the cache, or put it there whole: fetched beside it, then renamed."""
    cache = cache_folder()
    place = cache / f"{_spelled(asked.name)}=={asked.version.lower()}"
    if (path := _only_file(place)) is not None:
        return path
    with ExitStack() as unfinished:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            partial = Path(_temporary(unfinished, cache))
        except OSError as error:
            raise UserError(f"{cache}: cannot write here ({error.strerror}): set XDG_CACHE_HOME to a folder") from None
        fetched = _fetched(asked, partial)
        ready = partial / "ready"
        ready.mkdir()
        fetched.rename(ready / fetched.name)
        try:
            ready.rename(place)
        except OSError:  # another run was faster, and has the same file
            if _only_file(place) is None:
                raise
    path = _only_file(place)
    if path is None:
        raise UserError(f"{place}: this cache entry was removed while it was read; run again")
    return path


def _fetched(asked: _Asked, folder: Path) -> Path:
    """Fetch one distribution into a folder."""
    kept = folder / "fetched"
    kept.mkdir()
    log = _pip(asked, folder, ["-m", "pip"], ["--only-binary=:all:", f"--dest={kept}"])
    if (path := _only_file(kept)) is not None:
        return path
    if _NO_PIP in log:
        raise UserError(f"{asked.target}: pip is not installed for {sys.executable}: install it, or name a wheel file")
    if _NO_NETWORK.search(log):
        raise UnreachableError(
            f"{asked.target}: the package index does not answer: check the network and pip's configuration"
        )
    guard = str(Path(__file__).with_name("pip_without_processes.py"))
    (folder / "unused").mkdir()
    # Told to leave wheels alone, a talkative pip names each one that it passes over.
    log = _pip(
        asked,
        folder,
        [guard, asked.name, str(kept)],
        ["--no-binary=:all:", "--no-cache-dir", "-vv", f"--dest={folder / 'unused'}"],
    )
    if (path := _only_file(kept)) is not None:
        return path
    if (other := _other_platform(log, asked)) is not None:
        _pip(asked, folder, ["-m", "pip"], ["--only-binary=:all:", f"--dest={kept}", *other])
    if (path := _only_file(kept)) is not None:
        return path
    if errors := [line for line in log.splitlines() if line.startswith("ERROR: ")]:
        reason = errors[-1].removeprefix("ERROR: ")
        if _NOT_FOUND not in reason:
            raise UserError(f"{asked.target}: pip could not fetch it ({reason}): name a folder or an archive instead")
    raise UserError(f"{asked.target}: no such package or version: check the spelling, or name a folder or an archive")


def _pip(asked: _Asked, folder: Path, program: list[str], options: list[str]) -> str:
    """Run `pip download` and return what it wrote; whether it worked is seen from the files.

    Errors: -P keeps a `pip.py` in the current folder from being run.
    """
    # pip unpacks to temporary files: they go with the folder. A requirement of a virtual environment is for installing.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    environment |= {"PIP_REQUIRE_VIRTUALENV": "0", "PYTHONIOENCODING": "utf-8:replace"}
    command = [sys.executable, "-P", *program, "download", *_COMMON, *options, "--", asked.requirement]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{asked.target}: pip needs more than {PIP_SECONDS:.0f} s: name a wheel file instead") from None
    return done.stdout.decode("utf-8", "replace")


def _other_platform(log: str, asked: _Asked) -> list[str] | None:
    """Choose the options that make pip accept the newest wheel it has passed over, whatever platform it is for."""
    wheels = [m for m in _WHEEL_TAGS.finditer(log) if _spelled(m["name"]) == _spelled(asked.name)]
    if asked.version:
        wheels = [m for m in wheels if _spelled(m["version"]) == _spelled(asked.version)]
    for wheel in sorted(wheels, key=lambda m: (_order(m["version"]), m[0]), reverse=True):
        interpreter = _INTERPRETER.match(wheel["python"])
        if interpreter is None:
            continue
        options = [f"--python-version={interpreter['major']}" + (f".{m}" if (m := interpreter["minor"]) else "")]
        options.append(f"--implementation={interpreter['implementation']}")
        options += [f"--abi={abi}" for abi in wheel["abi"].split(".")]
        return [*options, *(f"--platform={p}" for p in wheel["platform"].split(".")), "--ignore-requires-python"]
    return None


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0]))


def _version(path: Path, asked: _Asked) -> str:
    stem = archive.name_and_version(path.name)[1]
    if stem or asked.version:
        return stem or asked.version
    return path.name


def _spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _only_file(folder: Path) -> Path | None:
    try:
        files = sorted(path for path in folder.iterdir() if path.name.lower().endswith(archive.SUFFIXES))
    except FileNotFoundError:
        return None
    return files[0] if files else None


def _temporary(cleanup: ExitStack, parent: Path | None) -> str:
    return cleanup.enter_context(tempfile.TemporaryDirectory(prefix=".detector-", dir=parent))
