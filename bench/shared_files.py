"""Which files packages own byte for byte: the table of widely owned ones, and what independent packages share.

`python -m bench.shared_files --write` reads the packages of the background table and writes
`detector/artifacts/histories/widely_owned.txt`: beginnings of git's ids of the files that two of them own, no content.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bench.background import PACKAGES
from bench.null_pairs import PAIRS
from bench.section import ROOT, arguments
from bench.wheels import wheel
from detector.artifacts.histories import widely_owned

TABLE = ROOT / "detector" / "artifacts" / "histories" / widely_owned.FILE
FEWEST_OWNERS = 2
LARGEST_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Owned:
    """One file or folder of a wheel."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Sharing:
    """What two packages share once everything is left out that says nothing."""

    one: str
    other: str
    files: tuple[Owned, ...]
    folders: tuple[Owned, ...]


def files_of(path: Path, *, with_metadata: bool = False) -> Iterator[tuple[str, Owned]]:
    """The files of a wheel by git's id."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            is_metadata = ".dist-info/" in info.filename and not with_metadata
            if not info.is_dir() and not is_metadata and info.file_size <= LARGEST_BYTES:
                data = archive.read(info)
                yield git_id(b"blob", data), Owned(info.filename, len(data))


def git_id(kind: bytes, data: bytes) -> str:
    """What git calls an object."""
    return hashlib.sha1(kind + b" %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def trees_of(files: Iterable[tuple[str, Owned]]) -> dict[str, Owned]:
    """The folders of a wheel by git's id, as if no file were executable; their size is the number of their files."""
    entries: defaultdict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    counts: defaultdict[str, int] = defaultdict(int)
    for blob, owned in files:
        folder, _, name = owned.path.rpartition("/")
        entries[folder][name] = ("100644", blob)
        while True:
            counts[folder] += 1
            if not folder:
                break
            above, _, name = folder.rpartition("/")
            entries[above].setdefault(name, ("40000", ""))
            folder = above
    found: dict[str, Owned] = {}

    def tree(folder: str) -> str:
        rows = []
        for name, (mode, blob) in entries[folder].items():
            below = f"{folder}/{name}" if folder else name
            rows.append((name + "/" * (mode == "40000"), mode, name, blob or tree(below)))
        data = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(blob) for _, mode, name, blob in sorted(rows))
        found[git_id(b"tree", data)] = Owned(folder, counts[folder])
        return git_id(b"tree", data)

    tree("")
    return found


def requirements() -> list[str]:
    """Every package that the benchmarks name as independent and that is not in the table, one version of each."""
    names = {each for pair in PAIRS for each in (pair[0], pair[2])}
    return sorted(names, key=str.lower)


def sharings(cache: Path) -> tuple[int, list[Sharing]]:
    """Compare every two packages that the table was not made of: how many pairs, and those that share something."""
    files: dict[str, dict[str, Owned]] = {}
    trees: dict[str, dict[str, Owned]] = {}
    for requirement in requirements():
        name = requirement.partition("==")[0].lower()
        listed = list(files_of(wheel(cache, requirement)))
        files[name] = {blob: owned for blob, owned in listed if is_telling(blob, owned)}
        trees[name] = trees_of(listed)
    pairs = list(combinations(sorted(files), 2))
    found = []
    for one, other in pairs:
        both = sorted(files[one].keys() & files[other].keys())
        folders = sorted(trees[one].keys() & trees[other].keys())
        telling = [trees[one][tree] for tree in folders if trees[one][tree].size > 1]
        if both or telling:
            found.append(Sharing(one, other, tuple(files[one][blob] for blob in both), tuple(telling)))
    return len(pairs), found


def is_telling(blob: str, owned: Owned) -> bool:
    """Tell whether the history evidence would count a file."""
    is_set_aside = widely_owned.is_template(owned.path) or widely_owned.is_widely_owned(blob)
    return owned.size >= widely_owned.SMALLEST_BYTES and not is_set_aside


def build(cache: Path, packages: Sequence[str]) -> list[str]:
    """The beginnings of the ids that several packages own."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for requirement in packages:
        for blob, _ in files_of(wheel(cache, requirement), with_metadata=True):
            owners[blob[: widely_owned.DIGITS]].add(requirement)
    return sorted(blob for blob, names in owners.items() if len(names) >= FEWEST_OWNERS)


def main(given: Sequence[str] | None = None) -> int:
    """Count, and write the table if asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.shared_files", description=(__doc__ or "").partition("\n")[0]
    )
    arguments(parser).add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args(given)
    ids = build(options.cache.absolute(), PACKAGES)
    if options.write:
        TABLE.write_text("".join(f"{blob}\n" for blob in ids), "ascii")
    print(f"{len(ids)} files that {FEWEST_OWNERS} or more of {len(PACKAGES)} packages own")
    return 0


if __name__ == "__main__":
    sys.exit(main())
