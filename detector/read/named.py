"""Files that are named on the command line: where they are in a repository, and what is on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from detector.model import Skipped, UserError
from detector.read.entries import Entry, is_file
from detector.read.hunks import EVERY, of_texts
from detector.read.limits import HEAD_BYTES, MAX_FILE_BYTES
from detector.read.listing import TOO_LARGE
from detector.read.names import is_python_name, printable
from detector.read.plumbing import Repository
from detector.read.roles import role_of
from detector.targets import Changed, Changes, SourceFile


def of_files(names: Sequence[str], folder: str) -> Changes:
    """Files outside of any repository: everything in them is new."""
    from detector.read.folder import listing

    files: list[Changed] = []
    skipped: list[Skipped] = []
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            for each in listing(Path(path)):
                if isinstance(each, Skipped):
                    skipped.append(each)
                else:
                    files.append(
                        Changed(
                            replace(each, path=printable(os.path.normpath(os.path.join(name, each.path)))), (EVERY,)
                        )
                    )
        elif is_python_name(name):
            found = _on_disk(path, printable(name.replace(os.sep, "/")))
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                files.append(Changed(found, (EVERY,)))
        elif not os.path.lexists(path):
            raise UserError(f"{printable(name)}: there is no such file")
    return Changes(
        ".",
        os.path.basename(os.path.realpath(folder)) or "files",
        "",
        "files as they are",
        tuple(files),
        tuple(skipped),
        tuple(sorted(each.file.path for each in files)),
    )


def inside(repository: Repository, names: Sequence[str], folder: str) -> list[str]:
    """Names relative to the repository, as git spells them.

    Errors: `UserError` for a name outside of it.
    """
    root = os.path.realpath(repository.root)
    found = []
    for name in names:
        above, last = os.path.split(os.path.normpath(os.path.join(folder, name)))
        path = os.path.relpath(os.path.join(os.path.realpath(above), last), root)
        if path.split(os.sep)[0] == os.pardir:
            raise UserError(f"{printable(name)}: outside of the repository {root}: run the hook in its own")
        found.append("" if path == os.curdir else path.replace(os.sep, "/"))
    return found


def with_disk(repository: Repository, changes: Changes, wanted: Sequence[str], entries: Mapping[str, Entry]) -> Changes:
    """With those of the named files that differ from what is committed though nothing of them is staged."""
    known = {each.file.path for each in changes.files} | {each.path for each in changes.skipped}
    files, skipped, olds = list(changes.files), list(changes.skipped), []
    for name in wanted:
        path, shown = os.path.join(repository.root, name), printable(name)
        if shown in known or not is_python_name(name) or os.path.isdir(path):
            if name not in entries and not os.path.lexists(path) and not any(e.startswith(f"{name}/") for e in entries):
                raise UserError(f"{shown}: there is no such file")
            continue
        found = _on_disk(path, shown)
        if isinstance(found, Skipped):
            skipped.append(found)
            continue
        entry = entries.get(name)
        old = _whole(repository, entry) if entry is not None and is_file(entry) else None
        lines = [EVERY] if old is None else of_texts(old, found.data)
        if lines:
            files.append(Changed(found, tuple(lines)))
            olds += [SourceFile(shown, old)] if old is not None else []
    committed = changes.before
    return replace(
        changes,
        files=tuple(sorted(files, key=lambda each: each.file.path)),
        skipped=tuple(skipped),
        paths=tuple(sorted({*changes.paths, *(each.file.path for each in files)})),
        before=lambda: [*committed(), *olds],
    )


def _whole(repository: Repository, entry: Entry) -> bytes | None:
    head = next(repository.blobs([entry.blob], MAX_FILE_BYTES))
    return head.data if head is not None and head.is_whole else None


def _on_disk(path: str, shown: str) -> SourceFile | Skipped:
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            return Skipped(shown, "a symbolic link")
        if not stat.S_ISREG(found.st_mode):
            return Skipped(shown, "not a regular file")
        if found.st_size > MAX_FILE_BYTES:
            return Skipped(shown, TOO_LARGE)
        with open(path, "rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{shown}: there is no such file") from None
    except OSError as error:
        return Skipped(shown, f"cannot read it ({(error.strerror or type(error).__name__).lower()})")
    return SourceFile(shown, data, role_of(shown, data[:HEAD_BYTES]))
