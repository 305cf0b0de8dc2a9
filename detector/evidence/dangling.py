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

from detector.artifacts.credits import naming
from detector.artifacts.credits.declarations import project_declarations
from detector.artifacts.credits.licences import is_licence_name
from detector.artifacts.credits.manifests import is_manifest
from detector.artifacts.credits.remarks import without_remarks
from detector.artifacts.pointing import pointers
from detector.artifacts.pointing.contents import Contents
from detector.artifacts.pointing.following import Ground, Loose, Target
from detector.artifacts.pointing.pointers import Pointer
from detector.model import Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.patterns import line
from detector.settings import MOST_TOLD_PLACES
from detector.settings.dangling import MOST_DANGLING, MOST_JSON_BYTES, MOST_POINTING_BYTES, MOST_POINTING_FILES
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
class _Hit:
    """A name that leads to something in a reference, and the other references that it leads to as well."""

    found: Loose
    target: Target
    also: tuple[str, ...]


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Follow every name of the suspect: first in itself, then in each reference."""
    comparison.tell("following names")
    suspect = Contents(comparison.suspect.files)
    references = {name: Ground(repo, suspect) for name, repo in comparison.references.items()}
    read = _read(comparison.suspect, suspect, references)
    credited = _credited(comparison, references)
    targets: dict[str, dict[Loose, Target]] = {
        name: {each: target for each in read.dangling if (target := reference.target(each))}
        for name, reference in references.items()
    }
    for name, found in read.addresses.items():
        if name not in credited:
            targets[name] |= dict.fromkeys(found, Target("the project itself"))
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


@dataclass(slots=True)
class _Read:
    """What reading the suspect gave."""

    dangling: list[Loose]
    addresses: dict[str, list[Loose]]  # of each reference, where the suspect names it
    skipped: list[Skipped]
    names: int = 0
    files: int = 0


def _read(repo: Repo, suspect: Contents, references: Mapping[str, Ground]) -> _Read:
    own = naming.names_of(repo)
    # A later version of the reference names itself.
    addresses = {name: reference.names.addresses - own.addresses for name, reference in references.items()}
    read = _Read([], {name: [] for name in references}, [])
    for path, text, found in _texts(repo, read):
        read.files += 1
        read.names += len(found)
        read.dangling.extend(Loose(path, each) for each in dict.fromkeys(found) if not _is_there(each, suspect))
        for name, known in addresses.items():
            read.addresses[name].extend(Loose(path, each) for each in _addresses(text, known))
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


def _credited(comparison: Comparison, references: Mapping[str, Ground]) -> frozenset[str]:
    """References that the suspect openly names as a source: their addresses are credit."""
    said, _ = project_declarations(comparison.suspect)
    return frozenset(
        name
        for name, reference in references.items()
        if any(each.is_claim and naming.is_named(each.source, reference.names.names) for each in said)
    )


def _also(found: Loose, target: Target, name: str, targets: Mapping[str, Mapping[Loose, Target]]) -> tuple[str, ...]:
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
    columns = ("file", "line", "sort", "where", "name", "leads to", "in commit", "leads also to")
    title = f"Names of the suspect that lead to nothing there, and to something in {name}"
    omitted = max(len(rows) - MOST_DANGLING, 0)
    return (Exhibit("dangling", "dangling-names", name, title, columns, tuple(rows[:MOST_DANGLING]), omitted),)
