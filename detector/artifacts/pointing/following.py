"""Where a name that leads to nothing in one project leads in another: in its files, and in earlier versions of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from detector.artifacts.credits import naming
from detector.artifacts.credits.manifests import normal
from detector.artifacts.credits.naming import Names, is_telling
from detector.artifacts.pointing import pointers
from detector.artifacts.pointing.contents import Contents
from detector.artifacts.pointing.pointers import Pointer
from detector.settings.dangling import MOST_JSON_BYTES, MOST_VERSIONS
from detector.targets import Repo


@dataclass(frozen=True, slots=True)
class Loose:
    """A name that leads nowhere in the suspect."""

    path: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Target:
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


class Ground:
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

    def target(self, found: Loose) -> Target | None:
        """What a name leads to in the reference, None if to nothing."""
        pointer = found.pointer
        commit = self._earlier(found) if pointer.where in _CONFIGURED else ""
        place = self._place(pointer)
        if not place and not commit:
            return None
        return Target(place, commit, "" if place else self._once(pointer))

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

    def _earlier(self, found: Loose) -> str:
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
