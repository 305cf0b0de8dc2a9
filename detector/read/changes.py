"""What a change consists of: the Python files that it touches, in which lines, and what they were before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from detector.model import Lines, Skipped, UserError
from detector.read.bases import bases_of, merged_now, present
from detector.read.entries import (
    ABSENT,
    Difference,
    Entry,
    differences,
    files_of,
    index,
    is_file,
    listed,
    may_be_python,
    tree,
)
from detector.read.hunks import EVERY, in_all, of_patch
from detector.read.limits import HEAD_BYTES, MAX_FILE_BYTES
from detector.read.listing import TOO_LARGE
from detector.read.named import inside, of_files, with_disk
from detector.read.names import has_python_shebang, is_python_name, printable
from detector.read.plumbing import Repository, in_parts, open_here
from detector.read.ranges import Range, is_nothing, told
from detector.read.roles import role_of
from detector.targets import Changed, Changes, SourceFile

_DIFF = ("-r", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv")
_PATCH = ("-p", "-U0", "--full-index", "--text", "--ignore-submodules=all")


def read_changes(
    names: Sequence[str] = (),
    *,
    from_ref: str = "",
    to_ref: str = "",
    every: bool = False,
    environment: Mapping[str, str] | None = None,
    folder: str = "",
) -> Changes:
    """Read a change: a range of commits, where one is given or told by the environment; else what is staged.

    names: files and folders that it is narrowed to; of a file that is not staged, what is on disk.
    every: everything in these files, or in the project, counts as new.
    Errors: `UserError` for whatever keeps the change from being known.
    """
    environment = os.environ if environment is None else environment
    folder = folder or os.getcwd()
    repository = open_here(environment, folder)
    if repository is None:
        if from_ref or to_ref or not (names or every):
            raise UserError("not in a git repository: run it in one, or name the files that are new")
        return of_files(names or ["."], folder)
    wanted = inside(repository, names, folder)
    if every:
        return _everything(repository, to_ref, wanted)
    if from_ref or to_ref:
        return _of_range(repository, Range(from_ref, to_ref or "HEAD", "--from-ref"), wanted, environment)
    if (given := told(environment)) is not None:
        return _of_range(repository, given, wanted, environment)
    if "GITHUB_EVENT_NAME" in environment and not names:
        name = environment["GITHUB_EVENT_NAME"]
        raise UserError(
            f"an event {printable(name)!r} of GitHub names no commits: give --from-ref and --to-ref, or --all"
        )
    return _staged(repository, wanted)


# --- ways to name a change ---


def _staged(repository: Repository, wanted: Sequence[str]) -> Changes:
    if repository.is_bare:
        raise UserError("a bare repository has nothing staged: give --from-ref and --to-ref")
    head = repository.commit("HEAD")
    if not head and repository.ask("rev-parse", "--verify", "--quiet", "HEAD"):
        raise UserError("git cannot read the commit at HEAD: check the repository with git fsck")
    bases = [head, *merged_now(repository)] if head else []
    entries, unmerged = index(repository)
    changes = _made(repository, f"{head}+changes" if head else "", "staged", bases, entries, wanted, _staged_against)
    if wanted:
        changes = with_disk(repository, changes, wanted, entries)
    return replace(changes, skipped=(*changes.skipped, *unmerged))


def _of_range(repository: Repository, given: Range, wanted: Sequence[str], environment: Mapping[str, str]) -> Changes:
    if given.new and is_nothing(given.new):
        return Changes(".", _name(repository), "", "a branch that is deleted", (), (), ())
    new = present(repository, given.new or "HEAD", given)
    bases, old = bases_of(repository, given, new, environment)
    about = f"{given.old}..{given.new}" if given.old and not is_nothing(given.old) else f"new in {given.new}"
    entries = tree(repository, new)

    def against(repository: Repository, base: str, *options: str) -> tuple[str, ...]:
        return ("diff-tree", *options, base, new)

    return _made(repository, new, printable(about), bases, entries, wanted, against, also=[old] if old else [])


def _everything(repository: Repository, revision: str, wanted: Sequence[str]) -> Changes:
    commit = repository.commit(revision or "HEAD")
    if revision and not commit:
        raise UserError(f"there is no revision {printable(revision)!r} here: name a branch, a tag or a commit")
    if revision or repository.is_bare:
        return _made(repository, commit, "all files", [], tree(repository, commit), wanted, _staged_against)
    entries, unmerged = index(repository)
    changes = _made(repository, commit, "all files", [], entries, wanted, _staged_against)
    return replace(changes, skipped=(*changes.skipped, *unmerged))


# --- from trees to changed lines ---

_Against = Callable[..., tuple[str, ...]]


def _staged_against(repository: Repository, base: str, *options: str) -> tuple[str, ...]:
    return ("diff-index", "--cached", *options, base)


def _made(
    repository: Repository,
    revision: str,
    about: str,
    bases: Sequence[str],
    entries: Mapping[str, Entry],
    wanted: Sequence[str],
    against: _Against,
    also: Sequence[str] = (),
) -> Changes:
    """against: the command that tells in what the change differs from a base. also: where else things were before."""
    found = [differences(repository, against(repository, base, *_DIFF, "--raw", "-z")) for base in bases]
    chosen = [
        path
        for path, entry in sorted(entries.items())
        if may_be_python(path, entry) and _is_wanted(path, wanted) and all(path in each for each in found)
    ]
    lines = {path: [EVERY] for path in chosen}
    if bases:
        sides = [
            _lines(repository, against(repository, base, *_DIFF, *_PATCH), each, chosen)
            for base, each in zip(bases, found, strict=True)
        ]
        lines = {path: in_all([side[path] for side in sides]) for path in chosen}
        chosen = [path for path in chosen if lines[path]]
    files, skipped = _fetched(repository, [(path, entries[path].blob) for path in chosen])
    python = [path for path, entry in entries.items() if is_file(entry) and is_python_name(path)]

    def before() -> Sequence[SourceFile]:
        return _before(repository, found, also)

    return Changes(
        target=".",
        name=_name(repository),
        revision=revision,
        about=about,
        files=tuple(Changed(file, tuple(lines[path])) for path, file in files),
        skipped=tuple(skipped),
        paths=tuple(printable(path) for path in python),
        before=before,
        remotes=lambda: _remotes(repository),
        project=lambda: files_of(repository, entries),
    )


def _lines(
    repository: Repository, command: tuple[str, ...], found: Mapping[str, Difference], chosen: Sequence[str]
) -> dict[str, list[Lines]]:
    """The altered lines of each chosen path, against one base."""
    lines: dict[str, list[Lines]] = {}
    pairs: dict[tuple[str, str], tuple[str, str]] = {}  # of blobs: the paths before and after
    for each in (found[path] for path in chosen):
        if each.before is None or each.after is None or not is_file(each.before):
            lines[each.new] = [EVERY]
        elif each.before.blob == each.after.blob:
            lines[each.new] = []
        else:
            pairs[each.before.blob, each.after.blob] = each.old, each.new
    hunks: dict[tuple[str, str], list[Lines]] = {}
    for part in in_parts(list(pairs.values())):
        names = dict.fromkeys(chain.from_iterable(part))  # a renamed file by both of its names
        hunks |= of_patch(repository.ask(*command, "--", *names) or b"")
    for each in (found[path] for path in chosen):
        if each.before is not None and each.after is not None and each.new not in lines:
            lines[each.new] = hunks.get((each.before.blob, each.after.blob), [EVERY])
    return lines


def _before(
    repository: Repository, differences: Sequence[Mapping[str, Difference]], also: Sequence[str]
) -> list[SourceFile]:
    """Every version of a changed or deleted file that was there before, once."""
    found: dict[tuple[str, str], None] = {}
    for each in differences:
        for one in each.values():
            if one.before is not None and may_be_python(one.old, one.before):
                found[one.old, one.before.blob] = None
    paths = sorted({path for path, _ in found} | {one.new for each in differences for one in each.values()})
    for commit in also:
        for part in in_parts([path for path in paths if path]):
            entries = listed(repository, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *part)
            found |= {(path, entry.blob): None for path, entry in entries.items() if may_be_python(path, entry)}
    return [file for _, file in _fetched(repository, list(found))[0]]


def _fetched(
    repository: Repository, wanted: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, SourceFile]], list[Skipped]]:
    """Files by path and blob; scripts only where their first line hands them to Python."""
    files: list[tuple[str, SourceFile]] = []
    skipped: list[Skipped] = []
    if not wanted:
        return files, skipped
    heads = repository.blobs([blob for _, blob in wanted], MAX_FILE_BYTES)
    for (path, _), head in zip(wanted, heads, strict=True):
        shown = printable(path)
        if head is None:
            skipped.append(Skipped(shown, ABSENT))
        elif not is_python_name(path) and not has_python_shebang(head.data):
            continue
        elif not head.is_whole:
            skipped.append(Skipped(shown, TOO_LARGE))
        else:
            files.append((path, SourceFile(shown, head.data, role_of(shown, head.data[:HEAD_BYTES]))))
    return files, skipped


def _is_wanted(path: str, wanted: Iterable[str]) -> bool:
    return not wanted or any(each in ("", path) or path.startswith(f"{each}/") for each in wanted)


def _name(repository: Repository) -> str:
    name = os.path.basename(os.path.realpath(repository.root))
    return printable(name.removesuffix(".git")) or "project"


def _remotes(repository: Repository) -> list[str]:
    lines = repository.lines("config", "--get-regexp", r"^remote\..*\.url$")
    return [printable(line.partition(" ")[2]) for line in lines]
