"""What a change consists of: the Python files that it touches, in which lines, and what they were before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from detector.model import Lines, Skipped, UserError
from detector.read.hunks import EVERY, in_all, of_patch, of_texts
from detector.read.limits import HEAD_BYTES, MAX_FILE_BYTES
from detector.read.listing import TOO_LARGE
from detector.read.names import has_python_shebang, is_python_name, may_be_script, printable
from detector.read.plumbing import Repository, in_parts, open_here
from detector.read.ranges import Range, is_nothing, told
from detector.read.roles import role_of
from detector.targets import SourceFile

_REGULAR = 0o100000
_DIFF = ("-r", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv")
_PATCH = ("-p", "-U0", "--full-index", "--text", "--ignore-submodules=all")
ABSENT = "not in this copy of the repository"


@dataclass(frozen=True, slots=True)
class Changed:
    """A file as it is after the change, and the lines that the change adds or alters, ascending."""

    file: SourceFile
    lines: tuple[Lines, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody is about to commit, push or merge."""

    target: str  # what was looked at, as the user would name it
    name: str  # of the project
    revision: str  # of the project with the change, "" where it has none
    about: str  # which change, in words: "staged", "main..topic"
    files: tuple[Changed, ...]
    skipped: tuple[Skipped, ...]
    paths: tuple[str, ...]  # of all Python files of the project
    # What the changed and deleted files were, read when it is asked for.
    before: Callable[[], Sequence[SourceFile]] = field(default=tuple, compare=False, repr=False)
    # Addresses of the repositories that this one is a copy of.
    remotes: Callable[[], Sequence[str]] = field(default=tuple, compare=False, repr=False)
    # Any file of the project as it is after the change, None where it has none.
    read: Callable[[str], bytes | None] = field(default=lambda path: None, compare=False, repr=False)


class _Entry(NamedTuple):
    mode: int
    blob: str


class _Difference(NamedTuple):
    """One path in which two trees differ; `old` is "" and `before` None where there was nothing."""

    old: str
    before: _Entry | None
    new: str
    after: _Entry | None


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
        return _of_files(names or ["."], folder)
    wanted = _inside(repository, names, folder)
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
    bases = [head, *_merged_now(repository)] if head else []
    entries, unmerged = _index(repository)
    changes = _made(repository, f"{head}+changes" if head else "", "staged", bases, entries, wanted, _staged_against)
    if wanted:
        changes = _with_disk(repository, changes, wanted, entries)
    return replace(changes, skipped=(*changes.skipped, *unmerged))


def _of_range(repository: Repository, given: Range, wanted: Sequence[str], environment: Mapping[str, str]) -> Changes:
    if given.new and is_nothing(given.new):
        return Changes(".", _name(repository), "", "a branch that is deleted", (), (), ())
    new = _present(repository, given.new or "HEAD", given)
    bases, old = _bases(repository, given, new, environment)
    about = f"{given.old}..{given.new}" if given.old and not is_nothing(given.old) else f"new in {given.new}"
    entries = _tree(repository, new)

    def against(repository: Repository, base: str, *options: str) -> tuple[str, ...]:
        return ("diff-tree", *options, base, new)

    return _made(repository, new, printable(about), bases, entries, wanted, against, also=[old] if old else [])


def _everything(repository: Repository, revision: str, wanted: Sequence[str]) -> Changes:
    commit = repository.commit(revision or "HEAD")
    if revision and not commit:
        raise UserError(f"there is no revision {printable(revision)!r} here: name a branch, a tag or a commit")
    if revision or repository.is_bare:
        return _made(repository, commit, "all files", [], _tree(repository, commit), wanted, _staged_against)
    entries, unmerged = _index(repository)
    changes = _made(repository, commit, "all files", [], entries, wanted, _staged_against)
    return replace(changes, skipped=(*changes.skipped, *unmerged))


def _of_files(names: Sequence[str], folder: str) -> Changes:
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
    by_path = {each.file.path: each.file.data for each in files}
    return Changes(
        ".",
        os.path.basename(os.path.realpath(folder)) or "files",
        "",
        "files as they are",
        tuple(files),
        tuple(skipped),
        tuple(sorted(by_path)),
        read=by_path.get,
    )


# --- where a range begins ---


def _present(repository: Repository, revision: str, given: Range) -> str:
    commit = repository.commit(revision)
    if not commit:
        raise UserError(_missing(revision, given))
    return commit


def _missing(revision: str, given: Range) -> str:
    shown = printable(revision)
    more = {
        "GitHub": "set `fetch-depth: 0` for actions/checkout",
        "GitLab": "set the variable GIT_DEPTH to 0",
    }.get(given.told_by, f"git fetch origin {shown}")
    return f"{shown} is not in this copy of the repository: fetch it ({more})"


def _bases(repository: Repository, given: Range, new: str, environment: Mapping[str, str]) -> tuple[list[str], str]:
    """What the change is held against: what is new is in none of these; none: all of it is new.

    Also where the branch ended before, if that is no base: what was there is not new either.
    """
    if given.is_merged and len(parents := _parents(repository, new)) > 1:
        return [_present(repository, parents[0], given)], ""
    if is_nothing(given.old):
        return _bases_of_new(repository, given, new, environment), ""
    old = repository.commit(given.old)
    if not old:
        if given.branch and (branch := _branch(repository, given.branch)):  # its end was overwritten
            return _forks(repository, branch, new, given), ""
        raise UserError(_missing(given.old, given))
    bases = _forks(repository, old, new, given)
    return bases, "" if old in bases else old


def _bases_of_new(repository: Repository, given: Range, new: str, environment: Mapping[str, str]) -> list[str]:
    """Of a branch that is new: its fork from the branch that is told, else the last commits that were known before."""
    if given.branch:
        branch = _branch(repository, given.branch)
        if not branch:
            raise UserError(_missing(given.branch, given))
        return _forks(repository, branch, new, given)
    # A push that is not accepted yet changes no ref: all of them are what is known. Before a push it is the remotes'.
    known = "--all" if environment.get("GIT_QUARANTINE_PATH") else "--remotes"
    lines = repository.lines("rev-list", "--boundary", new, "--not", known)
    if not lines:
        return [new]
    return [line[1:] for line in lines if line.startswith("-")]


def _branch(repository: Repository, name: str) -> str:
    return repository.commit(f"refs/remotes/{name}") or repository.commit(f"refs/heads/{name.partition('/')[2]}")


def _forks(repository: Repository, old: str, new: str, given: Range) -> list[str]:
    """The best common ancestors; where there are none, the old end itself.

    Errors: `UserError` where the history is cut off before one.
    """
    found = repository.lines("merge-base", "--all", old, new)
    if not found and repository.is_shallow:
        fetching = _missing(old, given).partition("(")[2].rstrip(")")
        if given.told_by not in ("GitHub", "GitLab"):
            fetching = "git fetch --unshallow"
        raise UserError(
            f"the history of this shallow clone ends before the change began: fetch more of it ({fetching})"
        )
    return found or [old]


def _parents(repository: Repository, commit: str) -> list[str]:
    return [name for line in repository.lines("rev-list", "--parents", "-n", "1", commit) for name in line.split()[1:]]


def _merged_now(repository: Repository) -> list[str]:
    """The other parents of a merge that is about to be committed."""
    path = os.path.join(repository.git_folder, "MERGE_HEAD")
    if not os.path.isfile(path):
        return []
    with open(path, encoding="ascii", errors="replace") as stream:
        return [commit for line in stream if (commit := repository.commit(line.strip()))]


# --- from trees to changed lines ---

_Against = Callable[..., tuple[str, ...]]


def _staged_against(repository: Repository, base: str, *options: str) -> tuple[str, ...]:
    return ("diff-index", "--cached", *options, base)


def _made(
    repository: Repository,
    revision: str,
    about: str,
    bases: Sequence[str],
    entries: Mapping[str, _Entry],
    wanted: Sequence[str],
    against: _Against,
    also: Sequence[str] = (),
) -> Changes:
    """against: the command that tells in what the change differs from a base. also: where else things were before."""
    differences = [_differences(repository, against(repository, base, *_DIFF, "--raw", "-z")) for base in bases]
    chosen = [
        path
        for path, entry in sorted(entries.items())
        if _may_be_python(path, entry) and _is_wanted(path, wanted) and all(path in each for each in differences)
    ]
    lines = {path: [EVERY] for path in chosen}
    if bases:
        sides = [
            _lines(repository, against(repository, base, *_DIFF, *_PATCH), each, chosen)
            for base, each in zip(bases, differences, strict=True)
        ]
        lines = {path: in_all([side[path] for side in sides]) for path in chosen}
        chosen = [path for path in chosen if lines[path]]
    files, skipped = _fetched(repository, [(path, entries[path].blob) for path in chosen])
    python = [path for path, entry in entries.items() if _is_file(entry) and is_python_name(path)]

    def before() -> Sequence[SourceFile]:
        return _before(repository, differences, also)

    def read(path: str) -> bytes | None:
        entry = entries.get(path)
        if entry is None or not _is_file(entry):
            return None
        head = next(repository.blobs([entry.blob], MAX_FILE_BYTES))
        return head.data if head is not None and head.is_whole else None

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
        read=read,
    )


def _lines(
    repository: Repository, command: tuple[str, ...], differences: Mapping[str, _Difference], chosen: Sequence[str]
) -> dict[str, list[Lines]]:
    """The altered lines of each chosen path, against one base."""
    altered = [differences[path] for path in chosen]
    pairs = [each for each in altered if each.before is not None and each.after is not None and _is_file(each.before)]
    names = sorted({name for each in pairs for name in (each.old, each.new)})
    hunks: dict[tuple[str, str], list[Lines]] = {}
    for part in in_parts(names):
        hunks |= of_patch(repository.ask(*command, "--", *part) or b"")
    found = {}
    for each in altered:
        if each not in pairs or each.before is None or each.after is None:
            found[each.new] = [EVERY]
        elif each.before.blob == each.after.blob:
            found[each.new] = []
        else:
            found[each.new] = hunks.get((each.before.blob, each.after.blob), [EVERY])
    return found


def _before(
    repository: Repository, differences: Sequence[Mapping[str, _Difference]], also: Sequence[str]
) -> list[SourceFile]:
    """Every version of a changed or deleted file that was there before, once."""
    found: dict[tuple[str, str], None] = {}
    for each in differences:
        for one in each.values():
            if one.before is not None and _may_be_python(one.old, one.before):
                found[one.old, one.before.blob] = None
    paths = sorted({path for path, _ in found} | {one.new for each in differences for one in each.values()})
    for commit in also:
        for part in in_parts([path for path in paths if path]):
            entries = _listed(repository, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *part)
            found |= {(path, entry.blob): None for path, entry in entries.items() if _may_be_python(path, entry)}
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


# --- files on disk ---


def _inside(repository: Repository, names: Sequence[str], folder: str) -> list[str]:
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


def _with_disk(
    repository: Repository, changes: Changes, wanted: Sequence[str], entries: Mapping[str, _Entry]
) -> Changes:
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
        old = changes.read(name) if entry is not None else None
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


# --- what git answers ---


def _differences(repository: Repository, command: tuple[str, ...]) -> dict[str, _Difference]:
    """In what the change differs from a base, by the path after it; what is gone, by the path before."""
    answer = repository.ask(*command)
    if answer is None:
        raise UserError("git cannot compare the change with what was before: check the repository with git fsck")
    fields = iter(answer.decode("utf-8", "surrogateescape").split("\0"))
    found: dict[str, _Difference] = {}
    for about in fields:
        if not about.startswith(":"):
            continue
        old_mode, new_mode, old_blob, new_blob, status = about[1:].split(" ")
        old = new = next(fields)
        if status[0] in "RC":
            new = next(fields)
        before = None if status[0] == "A" else _Entry(int(old_mode, 8), old_blob)
        after = None if status[0] == "D" else _Entry(int(new_mode, 8), new_blob)
        found[new] = _Difference("" if before is None else old, before, "" if after is None else new, after)
    return found


def _tree(repository: Repository, commit: str) -> dict[str, _Entry]:
    return _listed(repository, "ls-tree", "-r", "-z", "--full-tree", commit)


def _listed(repository: Repository, *command: str) -> dict[str, _Entry]:
    answer = repository.ask(*command)
    if answer is None:
        raise UserError("git cannot list the files of the change: check the repository with git fsck")
    found = {}
    for line in _records(answer):
        about, _, path = line.partition("\t")
        mode, _, blob = about.split(" ")
        found[path] = _Entry(int(mode, 8), blob)
    return found


def _index(repository: Repository) -> tuple[dict[str, _Entry], list[Skipped]]:
    """What is staged, by path; and files whose merge is not decided yet."""
    answer = repository.ask("ls-files", "-s", "-z", "--full-name")
    if answer is None:
        raise UserError("git cannot list what is staged: check the repository with git fsck")
    found: dict[str, _Entry] = {}
    unmerged: set[str] = set()
    for line in _records(answer):
        about, _, path = line.partition("\t")
        mode, blob, stage = about.split(" ")
        if stage == "0":
            found[path] = _Entry(int(mode, 8), blob)
        elif is_python_name(path):
            unmerged.add(path)
    return found, [Skipped(printable(path), "its merge is not decided yet") for path in sorted(unmerged)]


def _records(answer: bytes) -> Iterator[str]:
    return (line for line in answer.decode("utf-8", "surrogateescape").split("\0") if line)


def _is_file(entry: _Entry) -> bool:
    return entry.mode & 0o170000 == _REGULAR


def _may_be_python(path: str, entry: _Entry) -> bool:
    return _is_file(entry) and (is_python_name(path) or may_be_script(path, entry.mode))


def _is_wanted(path: str, wanted: Iterable[str]) -> bool:
    return not wanted or any(each in ("", path) or path.startswith(f"{each}/") for each in wanted)


def _name(repository: Repository) -> str:
    name = os.path.basename(os.path.realpath(repository.root))
    return printable(name.removesuffix(".git")) or "project"


def _remotes(repository: Repository) -> list[str]:
    lines = repository.lines("config", "--get-regexp", r"^remote\..*\.url$")
    return [printable(line.partition(" ")[2]) for line in lines]
