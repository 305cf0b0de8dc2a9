"""Names in the suspect that lead to nothing there, and to something that a reference has.

Measured:  modules and classes in `auto_map` and in the other fields of configurations that name code; imports; paths in
           scripts, configurations, notebooks, notes and code; modules that commands and entry points run; addresses of
           the reference in code and configurations. Each is followed in the suspect; what leads nowhere is followed in
           every reference, and in the versions of the same file in its git history. Only a name that one reference
           alone has counts in full.
Copying:   files that are copied keep the names of what was left behind; nobody writes the name of a module that is not
           there.
Innocent:  the suspect depends on the reference openly, which is then no finding; a template; an ancestor of both; a
           file that was forgotten in the upload and only happens to be called so.
Misses:    names that were changed as well; names that are put together when the program runs; imports inside of
           functions and of `try`, which optional libraries have; what everybody calls something.
Sources:   the dynamic modules of transformers (`auto_map`); a real case, where a tokenizer's configuration named a
           module that only its source had.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from detector.artifacts import naming, pointers
from detector.artifacts.contents import Contents
from detector.artifacts.declarations import project_declarations
from detector.artifacts.licences import is_licence_name
from detector.artifacts.manifests import is_manifest, normal
from detector.artifacts.naming import Names, is_telling
from detector.artifacts.pointers import Pointer
from detector.artifacts.remarks import without_remarks
from detector.model import Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.patterns import line
from detector.settings import (
    MOST_DANGLING,
    MOST_JSON_BYTES,
    MOST_POINTING_BYTES,
    MOST_POINTING_FILES,
    MOST_TOLD_PLACES,
    MOST_VERSIONS,
)
from detector.targets import Comparison, Repo

# The pattern of each sort of name.
PATTERNS_OF = {
    pointers.MODULE: "missing-module",
    pointers.CLASS: "missing-class",
    pointers.PATH: "missing-path",
    "project": "names-the-source",
}
_NOTES = re.compile(r"\.(?:md|rst)$|(?:^|/)README[^/]*$", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n.*?(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Found:
    """A name that leads nowhere in the suspect."""

    path: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class _Target:
    """What a name leads to in one reference."""

    place: str  # a file of the reference; "" if it has none any more
    commit: str = ""  # in which the same file of the reference names the same
    once: str = ""  # the file that defined it in an earlier commit, and that commit

    def text(self) -> str:
        """What a claim says after the reference's name."""
        if self.place:
            return f"has it ({self.place})"
        return f"had it ({self.once})" if self.once else "named it once"

    def rank(self) -> int:
        """How well it fits: the same name in the same file is more than something of that name."""
        return 2 if self.commit else 1


@dataclass(frozen=True, slots=True)
class _Hit:
    """A name that leads to something in a reference, and the other references that it leads to as well."""

    found: _Found
    target: _Target
    also: tuple[str, ...]


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Follow every name of the suspect: first in itself, then in each reference."""
    comparison.tell("following names")
    suspect = Contents(comparison.suspect.files)
    references = {name: _Reference(repo, suspect) for name, repo in comparison.references.items()}
    read = _read(comparison.suspect, suspect, references)
    credited = _credited(comparison, references)
    targets: dict[str, dict[_Found, _Target]] = {
        name: {each: target for each in read.dangling if (target := reference.target(each))}
        for name, reference in references.items()
    }
    for name, found in read.addresses.items():
        if name not in credited:
            targets[name] |= dict.fromkeys(found, _Target("the project itself"))
    looks = []
    for number, (name, reference) in enumerate(references.items()):
        if reference.is_dependency:
            about = f"the suspect lists {name} as a dependency: its names may lead there"
            looks.append(Look(Examined("dangling", name, False, about)))
            continue
        hits = [_Hit(each, to, _also(each, to, name, targets)) for each, to in targets[name].items()]
        about = f"{read.names:,} names in {read.files:,} files of the suspect"
        skipped = [Skipped(f"{comparison.name}:{each.path}", each.reason) for each in read.skipped]
        looks.append(
            Look(
                Examined("dangling", name, read.names > 0, about),
                tuple(_lines(name, hits)),
                _exhibit(name, hits),
                skipped=tuple(skipped) if number == 0 else (),
            )
        )
    return tuple(looks)


class _Reference:
    """One reference, in which names are followed."""

    def __init__(self, repo: Repo, suspect: Contents) -> None:
        self.names: Names = naming.names_of(repo)
        self._contents = Contents(repo.files)
        self._suspect = suspect
        self._history = repo.history
        self._versions = cache(self._read_versions)
        self.is_dependency = not suspect.dependencies.isdisjoint(map(normal, self.names.names))
        # Whoever lists no dependencies at all may just use what can be installed.
        self._may_be_used = self._contents.is_installable and not suspect.lists_dependencies

    def target(self, found: _Found) -> _Target | None:
        """What a name leads to in the reference, None if to nothing."""
        pointer = found.pointer
        commit = self._earlier(found) if pointer.where in _CONFIGURED else ""
        place = self._place(pointer)
        if not place and not commit:
            return None
        return _Target(place, commit, "" if place else self._once(pointer))

    def _place(self, pointer: Pointer) -> str:
        first, last = pointer.name.split(".")[0], pointer.name.rpartition(".")[2]
        if pointer.sort == pointers.CLASS:
            return self._contents.definition(last) if is_telling(last) else ""
        if pointer.sort == pointers.PATH:
            folder, _, name = pointer.name.rpartition("/")
            is_anybodys = not is_telling(name.partition(".")[0]) and not is_telling(folder.partition("/")[0])
            return "" if is_anybodys else self._contents.file(pointer.name)
        if pointer.is_relative or pointer.where == "auto_map":
            return self._contents.module(pointer.name) if is_telling(last) else ""
        top = self._contents.is_top(first)
        if top:
            return "" if self._may_be_used or not is_telling(first) else self._contents.module(pointer.name) or top
        inner = pointer.name.partition(".")[2]
        if inner and self._suspect.is_top(first):  # its own package, which had another name in the reference
            return self._contents.module(inner) if is_telling(last) else ""
        return self._contents.script(first) if is_telling(first) and not inner else ""

    def _earlier(self, found: _Found) -> str:
        """The commit in which the same file of the reference names the same; "" if none does."""
        said = f'"{found.pointer.told}"'.encode("utf-8", "replace")
        for commit, data in self._versions(found.path.rpartition("/")[2]):
            if said in data:
                return commit
        return ""

    def _once(self, pointer: Pointer) -> str:
        """Where an earlier revision defined the class that an `auto_map` names with its module."""
        module, _, name = pointer.told.rpartition("--")[2].rpartition(".")
        if pointer.sort != pointers.CLASS or not module:
            return ""
        file = f"{module.rpartition('.')[2]}.py"
        pattern = re.compile(rb"^[ \t]*class[ \t]+" + re.escape(name.encode("utf-8", "replace")) + rb"\b", re.MULTILINE)
        for commit, data in self._versions(file):
            if pattern.search(data):
                return f"{file} in commit {commit}"
        return ""

    def _read_versions(self, name: str) -> list[tuple[str, bytes]]:
        """All versions of files of one name, the newest first."""
        if self._history is None:
            return []
        blobs: dict[str, str] = {}
        for commit in self._history.commits():
            for change in commit.changes:
                if change.after and not change.is_tree and change.path.rpartition("/")[2] == name:
                    blobs.setdefault(change.after, commit.id[:12])
        read = []
        for blob, commit_id in reversed(blobs.items()):
            head = self._history.blob(blob, MOST_JSON_BYTES)
            if head is not None:
                read.append((commit_id, head.data))
            if len(read) == MOST_VERSIONS:
                break
        return read


# Where a configuration names code: with its quotes it is found in another version of the same file.
_CONFIGURED = pointers.CLASS_KEYS | {"auto_map"}


@dataclass(slots=True)
class _Read:
    """What reading the suspect gave."""

    dangling: list[_Found]
    addresses: dict[str, list[_Found]]  # of each reference, where the suspect names it
    skipped: list[Skipped]
    names: int = 0
    files: int = 0


def _read(repo: Repo, suspect: Contents, references: Mapping[str, _Reference]) -> _Read:
    own = naming.names_of(repo)
    # A later version of the reference names itself.
    addresses = {name: reference.names.addresses - own.addresses for name, reference in references.items()}
    read = _Read([], {name: [] for name in references}, [])
    for path, text, found in _texts(repo, read):
        read.files += 1
        read.names += len(found)
        read.dangling.extend(_Found(path, each) for each in dict.fromkeys(found) if not _is_there(each, suspect))
        for name, known in addresses.items():
            read.addresses[name].extend(_Found(path, each) for each in _addresses(text, known))
    return read


def _texts(repo: Repo, read: _Read) -> Iterator[tuple[str, str, list[Pointer]]]:
    """Files with the part of their text that counts for addresses, and the names in them."""
    for file in repo.files:
        if not isinstance(file, Skipped):
            text = file.data.decode("utf-8", "replace")
            found = [*pointers.in_python(file.path, file.data), *pointers.in_text(file.path, text)]
            yield file.path, without_remarks(file.data).decode("utf-8", "replace"), found
    others = sorted(filter(_may_point, repo.files.others()), key=lambda path: (path.count("/"), path))
    for path in others[:MOST_POINTING_FILES]:
        head = repo.files.head(path, MOST_JSON_BYTES)
        if isinstance(head, Skipped):
            read.skipped.append(head)
        elif b"\0" not in head.data[:_BINARY_BYTES]:
            in_json = pointers.in_json(head.data) if path.endswith(".json") and head.is_whole else []
            text = head.data[:MOST_POINTING_BYTES].decode("utf-8", "replace")
            if path.endswith(".ipynb"):
                text = text.replace("\\n", "  ")  # lines of cells are escaped in it
            yield path, _commanding(path, text), [*in_json, *pointers.in_text(path, text)]
    if len(others) > MOST_POINTING_FILES:
        left = f"{len(others) - MOST_POINTING_FILES:,} more files are not searched for names"
        read.skipped.append(Skipped(others[MOST_POINTING_FILES], left))


# What decides whether a file is text; git looks at as much.
_BINARY_BYTES = 8_000
_POINTING = re.compile(r"\.(?:json|jsonc|ya?ml|toml|cfg|ini|txt|md|rst|sh|ipynb|in)$|(?:^|/)[^./]+$", re.IGNORECASE)


def _may_point(path: str) -> bool:
    """Whether a file that is not Python may hold names of code, by its own name; licences and metadata are prose."""
    name = path.rpartition("/")[2]
    return (
        _POINTING.search(path) is not None
        and not is_licence_name(path)
        and name
        not in ("METADATA", "PKG-INFO", "RECORD", "SOURCES.txt", "top_level.txt", "WHEEL", "installed-files.txt")
    )


def _commanding(path: str, text: str) -> str:
    """The part of a file in which an address is no mention: of notes only what stands in fences."""
    if not _NOTES.search(path):
        return "" if is_manifest(path) and path.endswith(".txt") else text
    kept = [(found.start(), found.end()) for found in _FENCE.finditer(text)]
    parts, last = [], 0
    for start, end in kept:
        parts += ["\n" * text.count("\n", last, start), text[start:end]]
        last = end
    return "".join(parts)


def _is_there(pointer: Pointer, suspect: Contents) -> bool:
    """Whether a name leads to something in the suspect itself, or to Python's own library."""
    if pointer.sort == pointers.CLASS:
        return bool(suspect.definition(pointer.name))
    if pointer.sort == pointers.PATH:
        return bool(suspect.file(pointer.name))
    first, last = pointer.name.split(".")[0], pointer.name.rpartition(".")[2]
    if pointer.is_relative:
        return suspect.has_place(f"{pointer.folder}/{pointer.name.replace('.', '/')}".lstrip("/"))
    if pointer.where == "auto_map":
        return suspect.has_name(last)
    if first in sys.stdlib_module_names:
        return True
    if suspect.has_name(first):  # its own package, with a module that it does not have
        return "." not in pointer.name or not suspect.is_top(first) or bool(suspect.modules(pointer.name))
    return False


def _addresses(text: str, known: frozenset[str]) -> Iterator[Pointer]:
    lowered = text.lower()
    for address in sorted(known):
        place = lowered.find(address)
        while place >= 0:
            end = place + len(address)
            before, behind = lowered[place - 1 : place], lowered[end : end + 5]
            is_whole = not (before.isalnum() or before in ("-", "_", ".")) or not before
            if is_whole and not re.match(r"\w|-(?!-)|\.(?!git\b)\w", behind):
                told = text[place:end]
                yield Pointer("project", address, text.count("\n", 0, place) + 1, "address", told)
                break
            place = lowered.find(address, end)


def _credited(comparison: Comparison, references: Mapping[str, _Reference]) -> frozenset[str]:
    """References that the suspect openly names as a source: their addresses are credit."""
    said, _ = project_declarations(comparison.suspect)
    return frozenset(
        name
        for name, reference in references.items()
        if any(each.is_claim and naming.is_named(each.source, reference.names.names) for each in said)
    )


def _also(
    found: _Found, target: _Target, name: str, targets: Mapping[str, Mapping[_Found, _Target]]
) -> tuple[str, ...]:
    """The other references that a name fits as well."""
    return tuple(
        other
        for other, theirs in targets.items()
        if other != name and found in theirs and theirs[found].rank() >= target.rank()
    )


def _lines(name: str, hits: Sequence[_Hit]) -> Iterator[Evidence]:
    """One line for each sort of name; what several references have cannot be told apart, and counts little."""
    sorts: defaultdict[str, list[_Hit]] = defaultdict(list)
    for hit in sorted(hits, key=_order):
        sorts[hit.found.pointer.sort].append(hit)
    for sort, pattern in PATTERNS_OF.items():
        ours = sorts[sort]
        if not ours:
            continue
        exclusive = [hit for hit in ours if not hit.also]
        first = ours[0]
        pointer, target = first.found.pointer, first.target
        said: dict[str, object] = {
            "place": f"{first.found.path}:{pointer.line}",
            "told": pointer.told[:MOST_TOLD],
            "what": pointer.name[:MOST_TOLD],
            "target": target.text(),
            "n": len({hit.found.pointer.name for hit in ours}),
        }
        more = f"; the same file of {name} says the same in commit {target.commit}" if target.commit else ""
        if first.also:
            more += f"; {', '.join(first.also)} has it as well: which of them it comes from is not told"
        measures: dict[str, float | int | str] = {
            "names": len({hit.found.pointer.name for hit in ours}),
            "exclusive_names": len({hit.found.pointer.name for hit in exclusive}),
            "places": len(ours),
            "earlier_versions": sum(bool(hit.target.commit) for hit in ours),
        }
        yield line(
            f"dangling/{pattern}",
            name,
            # How much a name that one reference alone has is worth, its null tells.
            Strength.STRONG if exclusive else Strength.WEAK,
            said,
            measures=measures,
            tested=("the suspect does not list the reference as a dependency",),
            places=[(hit.found.path, hit.found.pointer.line) for hit in ours[:MOST_TOLD_PLACES]],
            more=more,
        )


# Characters of a name that a claim repeats.
MOST_TOLD = 120


def _order(hit: _Hit) -> tuple[bool, int, str, int, str]:
    pointer = hit.found.pointer
    return bool(hit.also), -hit.target.rank(), hit.found.path, pointer.line, pointer.name


def _exhibit(name: str, hits: Sequence[_Hit]) -> tuple[Exhibit, ...]:
    rows = [
        (
            hit.found.path,
            hit.found.pointer.line,
            hit.found.pointer.sort,
            hit.found.pointer.where,
            hit.found.pointer.told[:MOST_TOLD],
            hit.target.place,
            hit.target.commit,
            ", ".join(hit.also),
        )
        for hit in sorted(hits, key=_order)
    ]
    if not rows:
        return ()
    columns = ("path", "line", "sort", "where", "name", "leads_to", "commit", "also")
    title = f"Names of the suspect that lead to nothing there, and to something in {name}"
    omitted = max(len(rows) - MOST_DANGLING, 0)
    return (Exhibit("dangling", "dangling-names", name, title, columns, tuple(rows[:MOST_DANGLING]), omitted),)
