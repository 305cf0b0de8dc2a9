"""An index, opened: what it knows, and what is done to it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from detector.code.corpus import Corpus, assembled
from detector.code.sorting import Hashes, Numbers
from detector.index import opening, postings
from detector.index.damage import Damaged
from detector.index.known_files import KnownFiles
from detector.index.opening import Tell
from detector.index.records import (
    PACK_COLUMNS,
    PLACE_COLUMNS,
    PackRow,
    Place,
    PlaceRow,
    SkippedRow,
    Target,
    blob_of,
    damaged,
    inflated,
    marks,
    pack_of,
    pack_row,
    place_of,
    places_of,
    skipped_of,
    some,
    targets,
)
from detector.index.schema import MADE_WITH
from detector.index.unpacking import unpacked_counts
from detector.model import Role, Skipped, UserError
from detector.read.names import printable
from detector.settings.index import MOST_REFERENCES, MOST_TEXT_BYTES
from detector.targets import Progress, Repo

if TYPE_CHECKING:
    from detector.index.adding import Added
    from detector.index.removing import Removed
    from detector.index.verifying import Finding

__all__ = ["Damaged", "Index", "Info", "Place", "Target", "open_index"]

_DAMAGED_FILE = "damaged in the index: add its target again"


@dataclass(frozen=True, slots=True)
class Info:
    """What an index holds, in figures."""

    targets: int
    packs: int
    functions: int
    shapes: int
    texts: int
    file_bytes: int
    free_bytes: int
    made_with: tuple[tuple[str, str], ...]


@contextmanager
def open_index(path: Path | str, *, write: bool = False, create: bool = False) -> Iterator[Index]:
    """Open an index for reading, or for writing; with `create` it is made if it is not there.

    Errors: UserError in one line for anything that cannot be opened, read or written.
    """
    with opening.opened(Path(path), write=write or create, create=create) as connection:
        yield Index(connection, Path(path))


class Index:
    """What is known of many targets."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    def targets(self) -> list[Target]:
        """All targets, by what they are called."""
        return targets(self.connection)

    def packages(self) -> frozenset[str]:
        """The top-level packages of all targets."""
        return frozenset().union(*(target.packages for target in self.targets()))

    def find(self, name: str) -> Target:
        """The target of this name, as it was named when it was added, or by its short name where that is telling.

        Errors: UserError where there is none, or more than one.
        """
        known = self.targets()
        found = [each for each in known if each.target == name] or [each for each in known if each.name == name]
        if len(found) == 1:
            return found[0]
        shown = printable(name)
        if not found:
            raise UserError(f"{shown}: the index has no such target: `detector index list` names them")
        raise UserError(
            f"{shown}: the index has {len(found)} targets of this name: remove them by `detector index list`"
        )

    # --- what is done to it ---

    def add(
        self,
        repo: Repo,
        jobs: int = 1,
        *,
        history: bool = False,
        keep_text: bool = False,
        progress: Progress | None = None,
        tell: Tell | None = None,
    ) -> Added:
        """Add a target, in place of what was added under the same name before; all of it or nothing."""
        from detector.index import adding  # what only reads an index need not wait for this

        return adding.add(
            self.connection, repo, jobs, with_history=history, keep_text=keep_text, progress=progress, tell=tell
        )

    def remove(self, target: Target, tell: Tell | None = None) -> Removed:
        """Remove a target, and what nothing else uses."""
        from detector.index import removing

        return removing.remove(self.connection, target, tell)

    def settle(self, tell: Tell | None = None) -> None:
        """Make looking up as quick as it can be, when everything was added that is to be added now."""
        with opening.transaction(self.connection, tell):
            postings.settle(self.connection)

    def tidy(self) -> int:
        """Write the file anew where much of it holds nothing; gives how many bytes shorter it is."""
        from detector.index import removing

        return removing.tidy(self.connection)

    def verify(self, is_quick: bool = False) -> Iterator[Finding]:
        """Say what is damaged, which targets that concerns, and what to do."""
        from detector.index import verifying

        return verifying.verify(self.connection, is_quick)

    def export(self, path: Path) -> int:
        """Write all targets to a file that another machine can import; gives its bytes."""
        from detector.index import portable

        return portable.export(self.connection, path)

    def take_in(self, path: Path, tell: Tell | None = None) -> list[Target]:
        """Take in the targets of an exported file, in place of those of the same names."""
        from detector.index import portable

        return portable.take_in(self.connection, path, tell)

    def info(self) -> Info:
        """What it holds, in figures."""
        from detector.index.removing import free_bytes

        counts = [
            self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("target", "pack", "shape", "text")
        ]
        functions = self.connection.execute("SELECT coalesce(sum(functions), 0) FROM pack").fetchone()[0]
        made = tuple(
            row
            for row in sorted(self.connection.execute("SELECT name, value FROM meta"))
            if row[0] in {*MADE_WITH, "program"}
        )
        pages, size = (self.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        free = free_bytes(self.connection)
        return Info(counts[0], counts[1], functions, counts[2], counts[3], pages * size, free, made)

    # --- what it knows ---

    def places(self, shapes: Numbers) -> list[Place]:
        """Where functions of these shapes stand, in all targets, by shape, target and path.

        Errors: Damaged where a place is not what was stored.
        """
        functions: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for part in some(dict.fromkeys(shapes.tolist())):
            rows = self.connection.execute(
                "SELECT shape, pack, function, functions FROM shape_function JOIN pack ON number = pack"
                f" WHERE shape IN ({marks(part)})",
                part,
            )
            for shape, pack, function, count in rows:
                if not (isinstance(function, int) and isinstance(count, int) and 0 <= function < count):
                    raise Damaged("the index is damaged (a function that is none): run `detector index verify`")
                functions[pack].append((shape, function))
        placed: list[tuple[int, ...]] = []
        for part in some(functions):
            placed += self.connection.execute(f"SELECT {PLACE_COLUMNS} FROM place WHERE pack IN ({marks(part)})", part)
        known = {target.number: target for target in targets(self.connection, {row[0] for row in placed})}
        commits = {number: self._commits(target) for number, target in known.items() if target.has_history}
        found = []
        for row in placed:
            target = known.get(row[0])
            if target is None:
                raise Damaged("the index is damaged (a place of no target): run `detector index verify`")
            try:
                place = place_of(row)
            except ValueError as error:
                raise damaged(target, str(error)) from None
            revision = _revision(target, place, commits.get(target.number, ()))
            found += [
                Place(shape, target, place.path, place.role, place.pack, function, revision)
                for shape, function in functions[place.pack]
            ]
        return sorted(found, key=lambda each: (each.shape, each.target.target, each.path, each.function, each.revision))

    def pack(self, number: int, path: str, role: Role) -> Corpus:
        """What one file holds, in a place where it stands.

        Errors: Damaged where it is not what was stored.
        """
        try:
            return pack_row(self.connection, number).corpus(path, role)
        except ValueError as error:
            raise Damaged(self._damaged_pack(number, str(error))) from None

    def corpus(self, target: Target, position: int | None = None) -> Corpus:
        """What the functions of a target hold, at its revision or at a position of its history.

        A file whose pack is damaged is left out, and told as skipped.
        """
        return self._corpus(self._present(target, position), self._skipped(target, position))

    def repo(self, target: Target, position: int | None = None) -> Repo:
        """A target as a repository, at its revision or at a position of its history."""
        places = self._present(target, position)
        skipped = self._skipped(target, position)
        files = KnownFiles(target, places, skipped, lambda: self._corpus(places, skipped), self._text)
        commits = self._commits(target) if position is not None else ()
        revision = commits[position] if position is not None and position < len(commits) else target.revision
        return Repo(target.target, target.name, revision, files)

    def frequent(self, target: Target) -> tuple[Hashes, Numbers]:
        """Shingles that many functions of a target have, ascending, and how many have each."""
        try:
            data = blob_of(self.connection, "frequent", target.number)
            if data is None:
                raise ValueError("its frequent shingles are missing")
            return unpacked_counts(data)
        except ValueError as error:
            raise damaged(target, str(error)) from None

    def references(self, corpus: Corpus, most: int = MOST_REFERENCES) -> list[Repo]:
        """Targets that have something like functions of the corpus, those with most of it first.

        Of one whose history is known the revision that has most of what was found.
        Ties: the one that was added first.
        """
        from detector.index import choosing

        found = choosing.choose(self.connection, corpus)
        known = {target.number: target for target in self.targets()}
        first = [known[number] for number in found.targets if number in known][:most]
        return [self.repo(each, self.nearest(each, found.packs)) for each in first]

    def nearest(self, target: Target, counts: Mapping[int, int]) -> int | None:
        """The position of a history that has most of what was found; None for the target as it was read."""
        if not target.has_history:
            return None
        from detector.index import past

        position = past.nearest(places_of(self.connection, target), counts, target.commits)
        return None if position == target.commits else position

    # --- parts of these ---

    def _commits(self, target: Target) -> tuple[str, ...]:
        from detector.index import past

        found = past.past_of(self.connection, target)
        if found is None or len(found.commits) != target.commits:
            raise damaged(target, "its history is not what was stored")
        return found.commits

    def _present(self, target: Target, position: int | None) -> list[PlaceRow]:
        """The places at a position, in the order of the files."""
        at = target.commits if position is None else position
        rows = [row for row in places_of(self.connection, target) if row.first <= at <= row.last]
        return rows if position is None else sorted(rows, key=lambda row: row.path)

    def _skipped(self, target: Target, position: int | None) -> list[SkippedRow]:
        return skipped_of(self.connection, target) if position is None else []

    def _corpus(self, places: Sequence[PlaceRow], skipped: Sequence[SkippedRow]) -> Corpus:
        packs: dict[int, PackRow] = {}
        for keys in some(dict.fromkeys(place.pack for place in places)):
            query = f"SELECT {PACK_COLUMNS} FROM pack WHERE number IN ({marks(keys)})"
            for row in self.connection.execute(query, keys):
                try:
                    packs[row[0]] = pack_of(row)
                except ValueError:
                    continue
        parts: list[tuple[int, Corpus]] = []
        nothing = assembled([])
        for place in places:
            try:
                part = packs[place.pack].corpus(place.path, place.role)
            except (KeyError, ValueError):
                part = replace(nothing, skipped=(Skipped(place.path, _DAMAGED_FILE),))
            parts.append((place.number, part))
        if skipped:  # each in its place among the files
            parts += [(row.number, replace(nothing, skipped=(Skipped(row.path, row.reason),))) for row in skipped]
            parts.sort(key=lambda each: each[0])
        with_functions = [part for _, part in parts if part.spans]
        whole = assembled(with_functions)
        return replace(
            whole,
            files=sum(part.files for _, part in parts),
            skipped=tuple(each for _, part in parts for each in part.skipped),
        )

    def _text(self, pack: int) -> bytes:
        try:
            data = blob_of(self.connection, "text", pack)
            if data is None:
                raise ValueError("its text is missing")
            return inflated(data, MOST_TEXT_BYTES)
        except ValueError as error:
            raise Damaged(self._damaged_pack(pack, str(error))) from None

    def _damaged_pack(self, number: int, why: str) -> str:
        query = "SELECT DISTINCT target FROM place WHERE pack = ?"
        concerned = {target for (target,) in self.connection.execute(query, (number,))}
        names = [printable(target.target) for target in self.targets() if target.number in concerned]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return (
            f"a file of {shown or 'the index'} is damaged in the index ({why}): add it again with `detector index add`"
        )


def _revision(target: Target, place: PlaceRow, commits: Sequence[str]) -> str:
    """A revision at which a place can be looked at: the target's own if it is there, else the last that has it."""
    if place.last == target.commits:
        return target.revision
    if place.last < 0:
        return place.came
    return commits[place.last] if place.last < len(commits) else target.revision
