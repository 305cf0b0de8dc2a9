"""Wheels of PyPI by name and version: downloaded once by pip, read in memory, never installed."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from detector.model import Skipped
from detector.targets import Head, Repo, SourceFile

# The same files whatever Python and machine measure: platform wheels are those for this one.
PLATFORMS = ("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64")
PLATFORM = ("--python-version", "3.11", *PLATFORMS, "--only-binary", ":all:")


def wheel(cache: Path, requirement: str) -> Path:
    """The wheel of `name==version`, downloaded into the cache unless it is there."""
    found = _cached(cache, requirement)
    if found is None:
        cache.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PLATFORM, "--dest", str(cache)]
        subprocess.run([*pip, requirement], check=True, stdout=sys.stderr)
        found = _cached(cache, requirement)
    if found is None:
        raise SystemExit(f"{requirement}: pip downloaded no wheel of this name and version")
    return found


def _cached(cache: Path, requirement: str) -> Path | None:
    name, _, version = requirement.partition("==")
    for path in sorted(cache.glob("*.whl")):
        distribution, number = path.name.split("-")[:2]
        if _normal(distribution) == _normal(name) and number == version:
            return path
    return None


def _normal(name: str) -> str:
    """Source: PEP 503, normalized names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def python_files(path: Path, package: str = "") -> list[SourceFile]:
    """The Python files of a wheel, sorted by path; with `package`, only those in that folder."""
    prefix = f"{package}/" if package else ""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".py") and name.startswith(prefix))
        return [SourceFile(name, archive.read(name)) for name in names]


class InMemory:
    """Files that are held already, as the files of a target."""

    def __init__(self, files: Sequence[SourceFile]) -> None:
        self._files = {file.path: file for file in files}

    def paths(self) -> Sequence[str]:
        """All paths."""
        return list(self._files)

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """All files."""
        return iter(self._files.values())

    def notes(self) -> dict[str, bytes]:
        """None: only Python is held."""
        return {}

    def read(self, path: str) -> bytes:
        """One file's bytes."""
        return self._files[path].data

    def others(self) -> list[str]:
        """None: only Python is held."""
        return []

    def head(self, path: str, most_bytes: int) -> Head:
        """The beginning of one file."""
        data = self._files[path].data
        return Head(data[:most_bytes], len(data))

    def part(self, path: str, begin: int, size: int) -> bytes:
        """Some bytes of one file."""
        return self._files[path].data[begin : begin + size]


def package(cache: Path, requirement: str, folder: str) -> Repo:
    """One package folder of a wheel as a target."""
    name, _, version = requirement.partition("==")
    return Repo(requirement, name, version, InMemory(python_files(wheel(cache, requirement), folder)))
