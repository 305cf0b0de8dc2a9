"""A suspect's files under the names and paths of the reference, for any program that compares files."""

from __future__ import annotations

import io
import tokenize
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from detector.code.unrename import ROLES, Moved, Undo, file_text
from detector.model import Correspondence, Match, Report, Skipped
from detector.targets import Files

INIT = "__init__.py"


@dataclass(frozen=True, slots=True)
class Unrenamed:
    """One file of the suspect under the reference's names."""

    path: str  # where it belongs; no two of a tree are equal, whatever their case
    suspect_path: str
    data: bytes


def unrenamed(report: Report, files: Files) -> Iterator[Unrenamed | Skipped]:
    """Every Python file of the suspect, with the names of its nearest reference put back, one at a time."""
    reference = report.attribution[0].reference if report.attribution else ""
    paths = new_paths([each for each in report.files if each.reference_name == reference], files.paths())
    old, new = frozenset(paths), frozenset(paths.values())
    modules = _modules(paths)
    matches = [match for match in report.matches if match.reference_name == reference]
    project = project_undo(matches)
    functions: defaultdict[str, dict[tuple[str, int], Undo]] = defaultdict(dict)
    for match in matches:
        place = match.suspect.qualname, match.suspect.first_line
        functions[match.suspect.path].setdefault(place, function_undo(match, project))
    for file in files:
        if isinstance(file, Skipped):
            yield file
            continue
        path = paths[file.path]
        moved = Moved(modules, _package(file.path, old), _package(path, new))
        yield Unrenamed(path, file.path, _put_back(file.data, functions[file.path], project, moved))


def function_undo(match: Match, project: Undo) -> Undo:
    """The names of one function: what its match says, and the project's where it says nothing."""
    values, members, shared, keywords = (match.renames_by_role.get(role, {}) for role in ROLES)
    return Undo(values, {**project.members, **members}, {**project.globals, **shared}, {**project.keywords, **keywords})


def project_undo(matches: Iterable[Match]) -> Undo:
    """The names of what is in no matched function: those that more matches give than contradict, by role."""
    votes: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for match in matches:
        kept = [name for name, other in match.renames.items() if name == other]
        for role in ROLES:
            for name, other in (*match.renames_by_role.get(role, {}).items(), *zip(kept, kept, strict=True)):
                votes[role, name][other] += 1
    roles: dict[str, dict[str, str]] = {role: {} for role in ROLES}
    for (role, name), counts in votes.items():
        other, places = min(counts.items(), key=lambda vote: (-vote[1], vote[0]))
        if other != name and 2 * places > counts.total():
            roles[role][name] = other
    _, members, shared, keywords = (roles[role] for role in ROLES)
    return Undo({}, members, shared, keywords)


def _put_back(data: bytes, functions: Mapping[tuple[str, int], Undo], project: Undo, moved: Moved) -> bytes:
    """Change a file's text in the encoding that it declares; what is in none stays as it is."""
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0].removesuffix("-sig")
        return file_text(data.decode(encoding), functions, project, moved)[0].encode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        return data


# --- paths ---


def new_paths(correspondences: Sequence[Correspondence], paths: Sequence[str]) -> dict[str, str]:
    """Where each file of the suspect belongs: path in the suspect -> path in the reference, or its own.

    A file takes the place of the one that it corresponds to if they share half of the functions of either. Of several
    that want one place, the one with the most bits has it. `__init__.py` goes with its folder. A file whose own path
    is taken gets another name.
    """
    known = frozenset(paths)
    wanted: dict[str, str] = {}
    places: set[str] = set()
    for each in sorted(correspondences, key=lambda each: (-each.bits, each.suspect_path)):
        is_half = 2 * each.functions >= min(each.suspect_functions, each.reference_functions)
        if (
            is_half
            and each.suspect_path in known
            and each.suspect_path not in wanted
            and each.reference_path not in places
        ):
            wanted[each.suspect_path] = each.reference_path
            places.add(each.reference_path)
    for folder, other in _folders(wanted).items():
        if _join(folder, INIT) in known:
            wanted.setdefault(_join(folder, INIT), _join(other, INIT))
    found: dict[str, str] = {}
    taken = _Taken()
    for path in sorted(paths, key=lambda path: (path not in wanted, path)):
        found[path] = taken.take(wanted.get(path, path))
    return found


class _Taken:
    """Paths of a tree that is still to be written; two that differ by case alone are one on some systems."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def take(self, path: str) -> str:
        """The path, or one beside it that is free."""
        folder = next((above for above in _above(path) if above.casefold() in self.files), "")
        if folder:  # is a file here: another folder then
            return self.take(f"{self._numbered(folder)}{path[len(folder) :]}")
        if self._is_taken(path):
            path = self._numbered(path)
        self.files.add(path.casefold())
        self.folders.update(map(str.casefold, _above(path)))
        return path

    def _numbered(self, path: str) -> str:
        """A free name like this one."""
        head, slash, name = path.rpartition("/")
        stem, dot, suffix = name.rpartition(".")
        if not stem:
            stem, dot, suffix = name, "", ""
        names = (f"{head}{slash}{stem}_{number}{dot}{suffix}" for number in count(2))
        return next(each for each in names if not self._is_taken(each))

    def _is_taken(self, path: str) -> bool:
        return path.casefold() in self.files or path.casefold() in self.folders


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _folders(paths: Mapping[str, str]) -> dict[str, str]:
    """Folder -> the folder that most of its files belong in; none where that is the place of another one too."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path, other in paths.items():
        votes[path.rpartition("/")[0]][other.rpartition("/")[0]] += 1
    found: dict[str, str] = {}
    for folder, counts in votes.items():
        other, most = min(counts.items(), key=lambda vote: (-vote[1], vote[0]))
        if 2 * most > counts.total() and other not in found.values():
            found[folder] = other
    return found


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _modules(paths: Mapping[str, str]) -> dict[str, str]:
    """Dotted names of the modules whose paths change, and of the packages that most of their modules leave alike."""
    old, new = frozenset(paths), frozenset(paths.values())
    modules = {_module(path, old): _module(other, new) for path, other in paths.items()}
    moved = {path.replace(".", "/"): other.replace(".", "/") for path, other in modules.items() if path != other}
    for folder, other in _folders(moved).items():
        modules.setdefault(folder.replace("/", "."), other.replace("/", "."))
    return {module: other for module, other in modules.items() if module != other and module and other}


def _module(path: str, paths: Collection[str]) -> str:
    package, stem = _package(path, paths), path.rpartition("/")[2].rpartition(".")[0]
    return package if stem == "__init__" else ".".join(filter(None, (package, stem)))


def _package(path: str, paths: Collection[str]) -> str:
    """The package that a file is in: as far up as there is an `__init__.py`, or all folders if its own has none."""
    folders = path.split("/")[:-1]
    first = len(folders)
    while first and "/".join([*folders[:first], INIT]) in paths:
        first -= 1
    if first == len(folders):
        first = 1 if folders[:1] in (["src"], ["lib"]) else 0
    return ".".join(folders[first:])


# --- the listing ---


def listing(report: Report, written: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """What changed: ("file" or "name", as the suspect has it, as the reference has it).

    written: path in the suspect, path in the tree.
    """
    yield from (("file", old, new) for old, new in sorted(written) if old != new)
    renames = {rename for match in report.matches for rename in match.renames.items()}
    yield from (("name", old, new) for old, new in sorted(renames) if old != new)
