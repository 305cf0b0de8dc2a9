"""What git says of trees and of its index: paths, modes and blobs, and in what two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from detector.model import Skipped, UserError
from detector.read.listing import CannotRead, Found, Listing
from detector.read.names import is_python_name, may_be_script, printable
from detector.read.plumbing import Repository
from detector.targets import Head

ABSENT = "not in this copy of the repository"
_REGULAR = 0o100000


class Entry(NamedTuple):
    mode: int
    blob: str


class Difference(NamedTuple):
    """One path in which two trees differ; `old` is "" and `before` None where there was nothing."""

    old: str
    before: Entry | None
    new: str
    after: Entry | None


def differences(repository: Repository, command: tuple[str, ...]) -> dict[str, Difference]:
    """In what the change differs from a base, by the path after it; what is gone, by the path before."""
    answer = repository.ask(*command)
    if answer is None:
        raise UserError("git cannot compare the change with what was before: check the repository with git fsck")
    fields = iter(answer.decode("utf-8", "surrogateescape").split("\0"))
    found: dict[str, Difference] = {}
    for about in fields:
        if not about.startswith(":"):
            continue
        old_mode, new_mode, old_blob, new_blob, status = about[1:].split(" ")
        old = new = next(fields)
        if status[0] in "RC":
            new = next(fields)
        before = None if status[0] == "A" else Entry(int(old_mode, 8), old_blob)
        after = None if status[0] == "D" else Entry(int(new_mode, 8), new_blob)
        found[new] = Difference("" if before is None else old, before, "" if after is None else new, after)
    return found


def tree(repository: Repository, commit: str) -> dict[str, Entry]:
    return listed(repository, "ls-tree", "-r", "-z", "--full-tree", commit)


def listed(repository: Repository, *command: str) -> dict[str, Entry]:
    answer = repository.ask(*command)
    if answer is None:
        raise UserError("git cannot list the files of the change: check the repository with git fsck")
    found = {}
    for line in _records(answer):
        about, _, path = line.partition("\t")
        mode, _, blob = about.split(" ")
        found[path] = Entry(int(mode, 8), blob)
    return found


def index(repository: Repository) -> tuple[dict[str, Entry], list[Skipped]]:
    """What is staged, by path; and files whose merge is not decided yet."""
    answer = repository.ask("ls-files", "-s", "-z", "--full-name")
    if answer is None:
        raise UserError("git cannot list what is staged: check the repository with git fsck")
    found: dict[str, Entry] = {}
    unmerged: set[str] = set()
    for line in _records(answer):
        about, _, path = line.partition("\t")
        mode, blob, stage = about.split(" ")
        if stage == "0":
            found[path] = Entry(int(mode, 8), blob)
        elif is_python_name(path):
            unmerged.add(path)
    return found, [Skipped(printable(path), "its merge is not decided yet") for path in sorted(unmerged)]


def _records(answer: bytes) -> Iterator[str]:
    return (line for line in answer.decode("utf-8", "surrogateescape").split("\0") if line)


def is_file(entry: Entry) -> bool:
    return entry.mode & 0o170000 == _REGULAR


def may_be_python(path: str, entry: Entry) -> bool:
    return is_file(entry) and (is_python_name(path) or may_be_script(path, entry.mode))


def files_of(repository: Repository, entries: Mapping[str, Entry]) -> Listing[str]:
    """The files of a tree or of the index; what git does not answer for cannot be read."""

    def fetch(blob: str, most_bytes: int) -> Head:
        head = next(repository.blobs([blob], most_bytes))
        if head is None:
            raise CannotRead(ABSENT)
        return head

    def fetch_part(blob: str, begin: int, size: int) -> bytes:
        return fetch(blob, begin + size).data[begin:]

    found = [Found(path, entry.blob) for path, entry in entries.items() if is_file(entry)]
    return Listing(found, fetch, fetch_part)
